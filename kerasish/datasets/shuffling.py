"""Shuffling and splitting as Keras does it, so that the same seed gives the same rows."""

import numpy as np


def shuffled(seed: int | None, *arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays with their rows in one random order."""
    return reorder(np.random.RandomState(seed), *arrays)


def reorder(rng: np.random.RandomState, *arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays with their rows in the order that `rng` gives next."""
    order = np.arange(len(arrays[0]))
    rng.shuffle(order)
    return [array[order] for array in arrays]


def split(x, y, test_split: float):
    """`(x_train, y_train), (x_test, y_test)`, the last `test_split` of the rows being the test part."""
    cut = int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])
