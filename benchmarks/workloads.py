"""What is measured: models as functions of the module, `build(keras)`, and data of their shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Workload(NamedTuple):
    """A model and the batches it is given.

    Attributes:
        build: makes the model, given the module `keras`.
        shape: of one image.
        classes: how many there are.
        batch: images in a step.
        steps: batches of data there are, the most that one call of fit or predict is given.
    """

    build: Callable[[Any], Any]
    shape: tuple[int, int, int]
    classes: int
    batch: int
    steps: int

    def data(self, count: int):
        """Images and labels: noise, the same for everybody."""
        import numpy as np

        random = np.random.default_rng(0)
        return random.random((count, *self.shape), dtype="float32"), random.integers(0, self.classes, count)


def mnist(keras):
    """Keras's own MNIST convnet."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def vgg(keras):
    """VGG's pattern on small images: pairs of 3x3 convolutions, then pooling."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for filters in (64, 128, 256):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(10, activation="softmax"))
    return model


def _normalized(keras, x, layer, activation="relu", epsilon=1e-3):
    """A layer without bias, batch normalization, and an activation unless it is None."""
    x = keras.layers.BatchNormalization(epsilon=epsilon)(layer(x))
    if activation == "relu6":
        return keras.layers.ReLU(6.0)(x)
    return keras.layers.Activation(activation)(x) if activation else x


def _classified(keras, inputs, x, classes):
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(x))


def resnet20(keras):
    """The ResNet-20 of He et al. (2016), section 4.2, with convolutions on the two shortcuts that change the shape."""
    layers = keras.layers

    def conv(filters, size, strides=1):
        return layers.Conv2D(filters, size, strides, padding="same", use_bias=False)

    inputs = keras.Input((32, 32, 3))
    x = _normalized(keras, inputs, conv(16, 3))
    for filters in (16, 32, 64):
        for block in range(3):
            strides = 2 if block == 0 and filters > 16 else 1
            y = _normalized(keras, x, conv(filters, 3, strides))
            y = _normalized(keras, y, conv(filters, 3), None)
            if strides == 2:
                x = _normalized(keras, x, conv(filters, 1, 2), None)
            x = layers.Activation("relu")(layers.Add()([x, y]))
    return _classified(keras, inputs, x, 10)


def depthwise(keras):
    """MobileNet's pattern: depthwise 3x3, then pointwise, each with batch normalization."""
    layers = keras.layers
    inputs = keras.Input((96, 96, 3))
    x = _normalized(keras, inputs, layers.Conv2D(32, 3, 2, padding="same", use_bias=False))
    for filters, strides in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)):
        x = _normalized(keras, x, layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False))
        x = _normalized(keras, x, layers.Conv2D(filters, 1, use_bias=False))
    return _classified(keras, inputs, x, 10)


def resnet50(keras):
    """ResNet-50's stem and first two stages."""
    return bottlenecks(keras, 112, ((64, 3, 1), (128, 4, 2)))


def bottlenecks(keras, size, stages, classes=1000):
    """A ResNet of blocks of three convolutions; stages: filters, how many blocks, strides of the first."""
    layers = keras.layers

    def conv(x, filters, size, strides=1, padding="valid", activation="relu"):
        return _normalized(keras, x, layers.Conv2D(filters, size, strides, padding=padding), activation, 1.001e-5)

    inputs = keras.Input((size, size, 3))
    x = conv(layers.ZeroPadding2D(3)(inputs), 64, 7, 2)
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
    for filters, blocks, first in stages:
        for block in range(blocks):
            strides = first if block == 0 else 1
            y = conv(x, filters, 1, strides)
            y = conv(y, filters, 3, padding="same")
            y = conv(y, 4 * filters, 1, activation=None)
            if block == 0:
                x = conv(x, 4 * filters, 1, strides, activation=None)
            x = layers.Activation("relu")(layers.Add()([x, y]))
    return _classified(keras, inputs, x, classes)


def mobilenetv2(keras):
    """MobileNetV2's stem and first inverted residuals, up to 32 channels."""
    layers = keras.layers
    inputs = keras.Input((112, 112, 3))
    x = _normalized(keras, inputs, layers.Conv2D(32, 3, 2, padding="same", use_bias=False), "relu6")
    for expansion, filters, strides in ((1, 16, 1), (6, 24, 2), (6, 24, 1), (6, 32, 2), (6, 32, 1), (6, 32, 1)):
        shortcut, channels = x, x.shape[-1]
        if expansion > 1:
            x = _normalized(keras, x, layers.Conv2D(expansion * channels, 1, use_bias=False), "relu6")
        if strides == 2:
            x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
        padding = "same" if strides == 1 else "valid"
        x = _normalized(keras, x, layers.DepthwiseConv2D(3, strides, padding=padding, use_bias=False), "relu6")
        x = _normalized(keras, x, layers.Conv2D(filters, 1, use_bias=False), None)
        if strides == 1 and channels == filters:
            x = layers.Add()([shortcut, x])
    return _classified(keras, inputs, x, 1000)


WORKLOADS = {
    "mnist": Workload(mnist, (28, 28, 1), 10, batch=128, steps=100),
    "vgg": Workload(vgg, (32, 32, 3), 10, batch=64, steps=30),
    "resnet20": Workload(resnet20, (32, 32, 3), 10, batch=64, steps=30),
    "depthwise": Workload(depthwise, (96, 96, 3), 10, batch=32, steps=12),
    "resnet50": Workload(resnet50, (112, 112, 3), 1000, batch=8, steps=24),
    "mobilenetv2": Workload(mobilenetv2, (112, 112, 3), 1000, batch=8, steps=24),
}
