"""What a row's kernel is given: descriptions of arrays, drawn when they are needed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Given(NamedTuple):
    """An array to be drawn.

    Attributes:
        shape: its shape.
        kind: "normal", "positive", "integers" below `limit`, "mask", or "probabilities" (rows that sum to 1).
        limit: of integers.
        dtype: of integers.
    """

    shape: tuple[int, ...]
    kind: str = "normal"
    limit: int = 0
    dtype: str = "float32"


def normal(*shape: int) -> Given:
    """Normally distributed numbers."""
    return Given(shape)


def positive(*shape: int) -> Given:
    """Numbers above 0.1."""
    return Given(shape, "positive")


def integers(shape: tuple[int, ...], limit: int, dtype: str = "int32") -> Given:
    """Integers below a limit."""
    return Given(shape, "integers", limit, dtype)


def mask(*shape: int) -> Given:
    """True or False, as often."""
    return Given(shape, "mask")


def probabilities(*shape: int) -> Given:
    """Rows that sum to 1."""
    return Given(shape, "probabilities")


@functools.lru_cache(8)  # a row's arrays are drawn for its check, for its clock and for the next row of that size
def drawn(given: Given, seed: int) -> np.ndarray:
    """The array on the host, not to be written to; the same seed draws the same numbers."""
    rng = np.random.default_rng(seed)
    if given.kind == "integers":
        return rng.integers(0, given.limit, given.shape).astype(given.dtype)
    if given.kind == "mask":
        return rng.random(given.shape, "float32") < 0.5
    values = rng.standard_normal(given.shape, "float32")
    if given.kind == "positive":
        return np.abs(values) + np.float32(0.1)
    if given.kind == "probabilities":
        shares = np.exp(values)
        return shares / shares.sum(-1, keepdims=True)
    return values


def arrays(inputs: tuple) -> list:
    """The inputs with every description drawn, on the host."""
    counter = iter(range(10_000))
    return [_each(value, lambda given: drawn(given, next(counter)), Given) for value in inputs]


def moved(inputs: list, function: Callable[[np.ndarray], Any]) -> list:
    """The inputs with a function applied to every array in them."""
    return [_each(value, function, np.ndarray) for value in inputs]


def _each(value: Any, function: Callable, kind: type) -> Any:
    if isinstance(value, kind):
        return function(value)
    return [_each(part, function, kind) for part in value] if isinstance(value, list) else value
