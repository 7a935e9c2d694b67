"""A model in threads, forks and spawned processes: `python -m tests.device.models WHAT`."""

import multiprocessing
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import kerasish as keras
from kerasish import layers

RNG = np.random.default_rng(0)
X, Y = RNG.random((64, 28, 28, 1), "float32"), RNG.integers(0, 10, 64)


def trained():
    """A small convnet after two steps; the same bits in every process."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for layer in (layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(), layers.Conv2D(64, 3), layers.ReLU()):
        model.add(layer)
    for layer in (layers.BatchNormalization(), layers.Flatten(), layers.Dropout(0.5), layers.Dense(10)):
        model.add(layer)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, Y, batch_size=32, verbose=0)
    return model


def predicted(model, _=None):
    return model.predict(X, batch_size=32, verbose=0)


def spawned(_):
    return predicted(trained())


def in_threads():
    """Eight threads predict with one model at once."""
    model = trained()
    want = predicted(model)
    with ThreadPoolExecutor(8) as pool:
        for got in pool.map(lambda _: predicted(model), range(40)):
            np.testing.assert_array_equal(got, want)


def in_fork():
    """A child forked after its parent trained predicts and trains, and so does the parent afterwards."""
    model = trained()
    want = predicted(model)
    child = os.fork()
    if child == 0:
        np.testing.assert_array_equal(predicted(model), want)
        model.train_on_batch(X, Y)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: predicted(model), range(8)))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    np.testing.assert_array_equal(predicted(model), want)
    model.train_on_batch(X, Y)


def in_spawn():
    """Children that start anew come to the same bits."""
    want = spawned(0)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for got in pool.map(spawned, range(2)):
            np.testing.assert_array_equal(got, want)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
