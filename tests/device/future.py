"""What becomes of kernels with a Numba that does not exist: `python -m tests.device.future CHANGE WHAT`."""

import atexit
import os
import shutil
import sys
import tempfile
import warnings
from types import ModuleType

import numba
import numpy as np

VERSION = "0.99.0"
CHANGES = {}  # what a Numba of the future lacks or does otherwise, in what this library's compiler uses


def change(function):
    CHANGES[function.__name__] = function
    return function


def seen(module, *gone, **changed):
    """Let who imports a module from now on see another one; Numba itself has what it needs of it."""
    assert numba.njit(lambda x: x + 1)(1) == 2
    before, after = sys.modules[module], ModuleType(module)
    vars(after).update({name: value for name, value in vars(before).items() if name not in gone} | changed)
    package, _, name = module.rpartition(".")
    sys.modules[module] = after
    setattr(sys.modules[package], name, after)
    return before


@change
def module_gone():
    import numba.core

    sys.modules["numba.core.codegen"] = None
    del numba.core.codegen


@change
def class_gone():
    seen("numba.core.typed_passes", "IRLegalization")


@change
def method_gone():
    class Codegen(sys.modules["numba.core.codegen"].JITCPUCodegen):
        @property
        def _module_pass_manager(self):
            raise AttributeError("_module_pass_manager")

    seen("numba.core.codegen", JITCPUCodegen=Codegen)


@change
def other_arguments():
    seen("numba.core.compiler", compile_extra=lambda function: None)


@change
def other_meaning():
    """It compiles, and something else."""

    def populate_array(array, data, shape, strides, itemsize, meminfo):
        return before.populate_array(array, data, [*shape[:-1], itemsize.type(2)], strides, itemsize, meminfo)

    before = seen("numba.np.arrayobj", populate_array=populate_array)


@change
def nothing():
    """Only the version is new."""


def pretend(name):
    place = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, place)
    os.mkdir(os.path.join(place, f"numba-{VERSION}.dist-info"))
    sys.path.insert(0, place)
    numba.__version__ = VERSION
    CHANGES[name]()


def train():
    """The MNIST convnet, on few pictures."""
    import kerasish as keras
    from kerasish import layers
    from kerasish.device.engines import engine

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        keras.utils.set_random_seed(0)
        (x, y), _ = keras.datasets.fashion_mnist_small.load_data()
        x, y = x[:96, ..., None] / np.float32(255), y[:96]
        model = keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dropout(0.5),
                layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        losses = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history["loss"]
        model.predict(x, verbose=0)
    print(engine(), len(caught), *map(repr, losses))
    for warning in caught:
        print(warning.category.__name__, warning.message)
    print(model._step_replays.refused)


def one_kernel():
    """A single one, softmax."""
    from kerasish.device.engines import engine
    from kerasish.kernels.cpu import softmax

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            y = softmax.softmax(np.ones((3, 4), np.float32))
    print(engine(), len(caught), bool((y == 0.25).all()))
    for warning in caught:
        print(warning.category.__name__, warning.message)


if __name__ == "__main__":
    pretend(sys.argv[1])
    globals()[sys.argv[2]]()
