"""Programs for the tests of what is said while kernels compile: `python -m tests.device.waits WHAT`."""

import sys

import numpy as np

import kerasish as keras

X, Y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")


def model():
    found = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    found.compile("sgd", "mse")
    return found


WHAT = {
    "op": lambda: keras.ops.relu6(np.linspace(-1, 1, 1 << 18, dtype="float32")),
    "call": lambda: model()(X),
    "fit": lambda: model().fit(X, Y, verbose=0),
    "evaluate": lambda: model().evaluate(X, Y, verbose=0),
    "predict": lambda: model().predict(X, verbose=0),
}

if __name__ == "__main__":
    WHAT[sys.argv[1]]()
