"""Compiles all kernels, or those of a given model, and keeps them on disk for the next process."""

import importlib
import math
import os
import pkgutil
import sys

import numpy as np

from kerasish.utils.io_utils import print_msg

_MANY = 64
_LARGE = 500_000  # numbers in a batch that is surely worth all threads
_OPEN = 32


def add_arguments(parser) -> None:
    """For which model."""
    parser.add_argument("file", nargs="?", help="a saved model; without it, everything")


def run(arguments) -> int:
    """Compiles the kernels of training steps and predictions, then all others, and says what that took."""
    from kerasish.device import cache, natives

    if arguments.file and not os.path.exists(arguments.file):
        sys.stderr.write(f"python -m kerasish warmup: no file named '{arguments.file}'\n")
        return 2
    for model in _load(arguments.file) if arguments.file else _common():
        _exercise(model)
    if not arguments.file:
        _import_all()
        natives.warmup()
    count, seconds = natives.compile_report()
    folder = cache.cache_folder(natives.cache_key())
    where = f"kept in {folder}" if folder else "kept nowhere: set KERASISH_CACHE_DIR to a directory that can be written"
    print_msg(f"compiled {count} kernels in {seconds:.1f} s, {where}" if count else f"nothing to compile, {where}")
    return 0


def _import_all():
    """Imports all that defines kernels."""
    from kerasish.kernels import cpu

    for module in pkgutil.iter_modules(cpu.__path__, f"{cpu.__name__}."):
        importlib.import_module(module.name)


def _load(path):
    from kerasish import models

    model = models.load_model(path)
    if not getattr(model, "compiled", False):
        model.compile("adam", "mse")
    yield model


def _common():
    """Small models that between them use the layers of most image networks."""
    from kerasish import Input, Model, Sequential, layers

    plain = Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(16, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    plain.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    yield plain
    image = Input((32, 32, 3))
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(image)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    y = layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(x))
    x = layers.GlobalAveragePooling2D()(layers.Add()([x, y]))
    residual = Model(image, layers.Dense(10)(x))
    residual.compile("sgd", "mse")
    yield residual


def _exercise(model):
    """A training step, an evaluation and a prediction, with one example (one thread) and with many (all threads)."""
    weights = model.get_weights()
    size = sum(math.prod(_closed(x.shape)) for x in model.inputs)
    for count in (1, max(2, min(_MANY, _LARGE // max(size, 1)))):
        x, y = _zeros(model.inputs, count), _zeros(model.outputs, count)
        if isinstance(model.loss, str) and model.loss.startswith("sparse"):
            y = np.zeros(count, "int32")
        model.train_on_batch(x, y)
        model.test_on_batch(x, y)
        model.predict_on_batch(x)
    model.set_weights(weights)


def _closed(shape):
    """The shape of an example, with a number for every open dimension."""
    return [_OPEN if n is None else n for n in shape[1:]]


def _zeros(tensors, count):
    """`count` examples for each tensor; a single array if there is one tensor."""
    arrays = [np.zeros((count, *_closed(x.shape)), x.dtype) for x in tensors]
    return arrays[0] if len(arrays) == 1 else arrays
