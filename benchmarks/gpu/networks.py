"""The networks that are trained, as functions of the module `keras`, and how they are trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import workloads

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))


class Training(NamedTuple):
    """A network and its batches.

    Attributes:
        build: makes the model, given the module `keras`; it ends in a softmax.
        shape: of one image.
        classes: how many there are.
        batch: images in a step.
    """

    build: Callable[[Any], Any]
    shape: tuple[int, int, int]
    classes: int
    batch: int

    def data(self, batches: int = 1) -> tuple:
        """Images and labels: noise, the same for everybody."""
        import numpy as np

        random = np.random.default_rng(0)
        count = batches * self.batch
        return random.random((count, *self.shape), dtype="float32"), random.integers(0, self.classes, count)


def resnet50(keras: Any) -> Any:
    """ResNet-50 (He et al. 2015, table 1)."""
    return workloads.bottlenecks(keras, 224, STAGES)


def normalized(keras: Any) -> Any:
    """Six convolutions with batch normalization and relu, three poolings."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for filters in (64, 128, 256):
        for _ in range(2):
            model.add(layers.Conv2D(filters, 3, padding="same"))
            model.add(layers.BatchNormalization())
            model.add(layers.ReLU())
        model.add(layers.MaxPooling2D(2))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10, activation="softmax"))
    return model


TRAININGS = {
    "ResNet-50 224x224, 64 images": Training(resnet50, (224, 224, 3), 1000, 64),
    "ResNet-50 224x224, 16 images": Training(resnet50, (224, 224, 3), 1000, 16),
    "6 convolutions 32x32, 256 images": Training(normalized, (32, 32, 3), 10, 256),
    "MNIST convnet, 128 images": Training(workloads.mnist, (28, 28, 1), 10, 128),
}


def momentum(keras: Any) -> Any:
    """The optimizer of all steps."""
    return keras.optimizers.SGD(0.01, momentum=0.9)
