"""Splitting data in two."""

import random

import numpy as np

from kerasish.core import nest
from kerasish.utils.dataset import ArrayDataset, Dataset, rows_of


def split_dataset(
    dataset,
    left_size: int | float | None = None,
    right_size: int | float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Splits data into a left part (training, say) and a right part (validation).

    Args:
        dataset: A NumPy array, a tuple or list of arrays, or a `keras.utils.Dataset`.
        left_size: Number of samples (int) or fraction (float) of the left part, by default what `right_size` leaves.
        right_size: The same of the right part.
        shuffle: Whether to shuffle before splitting.
        seed: Seed of the shuffling.
        preferred_backend: Accepted if `None`: the result is always a `keras.utils.Dataset`.

    Returns:
        Two datasets of samples.

    Raises:
        TypeError: If `dataset` is of another type, or a size is no number.
        ValueError: If the sizes do not fit the number of samples.

    Example:

    >>> left, right = keras.utils.split_dataset(np.random.random((100, 4)), left_size=0.8)
    >>> len(left), len(right)
    (80, 20)
    """
    if preferred_backend is not None:
        raise ValueError(
            f"preferred_backend={preferred_backend!r}: kerasish has one kind of dataset (keras.utils.Dataset); "
            "leave the argument out."
        )
    samples = _samples(dataset)
    total = len(nest.flatten(samples)[0])
    left, right = _sizes(left_size, right_size, total)
    order = list(range(total))
    if shuffle:
        random.seed(random.randint(0, 10**6) if seed is None else seed)  # for whoever draws next, too, as in Keras
        random.shuffle(order)
    parts = np.asarray(order[:left], dtype=int), np.asarray(order[total - right :], dtype=int)
    return tuple(ArrayDataset(rows_of(samples, part)) for part in parts)


def _samples(dataset):
    if isinstance(dataset, np.ndarray):
        return dataset
    if isinstance(dataset, Dataset):
        elements = list(dataset.as_numpy_iterator())
        if not elements:
            raise ValueError("The dataset to split is empty.")
        return nest.map_structure(lambda *leaves: np.stack(leaves), *elements)
    if not isinstance(dataset, (tuple, list)):
        raise TypeError(
            f"Unsupported dataset type: {type(dataset)}. Expected a NumPy array, a tuple or list of NumPy arrays, "
            "or a keras.utils.Dataset."
        )
    for index, array in enumerate(dataset):
        if not isinstance(array, np.ndarray):
            raise ValueError(
                f"Expected a {type(dataset).__name__} of `numpy.ndarray` objects, "
                f"Received: {type(array)} at index {index}."
            )
    if len({len(array) for array in dataset}) != 1:
        raise ValueError(
            f"Expected all arrays to have the same length. Received lengths: {[len(array) for array in dataset]}"
        )
    return tuple(dataset)


def _sizes(left_size, right_size, total):
    """Numbers of samples left and right."""
    if left_size is None and right_size is None:
        raise ValueError(
            "At least one of the `left_size` or `right_size` must be specified. "
            "Received: left_size=None and right_size=None"
        )
    left = _check_size("left_size", left_size, total)
    right = _check_size("right_size", right_size, total)
    if left is None:
        left = total - right
    if right is None:
        right = total - left
    if left + right > total:
        raise ValueError(
            f"The sum of `left_size` and `right_size` should be smaller than the {total}. "
            f"Received: left_size + right_size = {left + right} and total_length = {total}"
        )
    for side, count in (("left", left), ("right", right)):
        if count == 0:
            raise ValueError(
                f"With `dataset` of length={total}, `left_size`={left_size} and `right_size`={right_size}, "
                f"the {side} part would be empty. Adjust the sizes."
            )
    return left, right


def _check_size(name, size, total):
    """The size as a number of samples; the left part is rounded, the right part too."""
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, (int, float)):
        raise TypeError(f"Invalid `{name}` Type. Expected: int or float or None, Received: type({name})={type(size)}.")
    fits = 0 < size < total if isinstance(size, int) else 0 < size < 1
    if not fits:
        raise ValueError(
            f"`{name}` should be either a positive integer smaller than {total}, or a float within the range "
            f"`[0, 1]`. Received: {name}={size}"
        )
    return size if isinstance(size, int) else round(size * total)
