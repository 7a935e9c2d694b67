"""Differences that stay, each with its reason. The list may only shrink."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from parity.differential import known_layers
from parity.differential.draws import made


class Known(NamedTuple):
    """A difference that is explained.

    Attributes:
        subjects: the subjects' names, or a family's with a slash.
        holds: `holds(data, difference)`.
        reason: why it stays.
    """

    subjects: str
    holds: Callable
    reason: str


def _gradient(data, difference) -> bool:
    return difference.what.startswith("gradient")


def _gradient_of_equals(data, difference) -> bool:
    """Whether a gradient differs where two arguments are of the same size."""
    a, b = (np.abs(np.asarray(made(x), "float64")) for x in data["inputs"])
    return _gradient(data, difference) and bool((a == b).any())


def _blank_inside(labels) -> bool:
    """Whether a blank, 0, stands among the first labels of a row, so many as Keras counts nonzeros."""
    return any(0 in row[: (row != 0).sum()] for row in labels)


def _values(data) -> np.ndarray:
    """The first array of a case of an op."""
    return made(data["inputs"][0])


def _several_in_the_support(data, difference) -> bool:
    """Whether sparsemax gives some row more than one number: Keras counts k(k + 1)/2 of them, not k."""
    axis = data["arguments"].get("axis", -1)
    x = np.moveaxis(_values(data).astype("float64"), axis, -1)
    z = -np.sort(-x, -1)
    k = np.arange(1, z.shape[-1] + 1)
    return bool(((1 + k * z > np.cumsum(z, -1)).sum(-1) > 1).any())


def _integers_by_a_fraction(data, difference) -> bool:
    whole = _values(data).dtype.kind in "iub"
    return data["as"] == "arrays" and whole and isinstance(data["arguments"].get("threshold", 0.5), float)


def _diagonal_of_another_length(data, difference) -> bool:
    """Whether Keras pads a diagonal that is longer than a matrix has: it forgets that k shortens one side only."""
    n, m, k = data["inputs"][0], data["arguments"].get("M"), data["arguments"].get("k", 0)
    m = n if m is None else m
    return k != 0 and min(m - k, n + k) != min(m - max(k, 0), n + min(k, 0))


KNOWN: list[Known] = [
    *(Known(*row) for row in known_layers.ROWS),
    Known("ops/eye", _diagonal_of_another_length, "Keras makes matrices of another shape than was asked for"),
    Known("ops/sparsemax", _several_in_the_support, "Keras sums the ranks of the support where it should count them"),
    Known(
        "ops/soft_shrink",
        _integers_by_a_fraction,
        "Keras refuses tensors of integers here, and lets NumPy shrink NumPy's arrays, to cut off the fractions",
    ),
    Known(
        "ops/vstack ops/hstack",
        lambda data, difference: all(len(x["shape"]) < (2 if data["op"] == "vstack" else 1) for x in data["inputs"]),
        "Keras on TensorFlow concatenates vectors where its documentation and its other back-ends make rows of them",
    ),
    Known(
        "ops/cbrt",
        lambda data, difference: difference.what == "gradient[0] values" and bool((_values(data) == 0).any()),
        "the slope at 0 is infinite; Keras multiplies it by sign(0)",
    ),
    Known(
        "ops/hypot ops/logaddexp",
        _gradient_of_equals,
        "Keras differentiates through a maximum: for equal arguments all of the gradient goes to one of them",
    ),
    Known(
        "losses/CategoricalGeneralizedCrossEntropy",
        lambda data, difference: (
            len(data["y_true"]["shape"]) == len(data["y_pred"]["shape"]) or data["y_pred"]["shape"][-1] == 1
        ),
        "Keras broadcasts labels of shape (n, 1) against all rows, and makes labels (n,) such ones for a single class",
    ),
    Known(
        "losses/CTC",
        lambda data, difference: _gradient(data, difference) and _blank_inside(made(data["y_true"])),
        "a blank among the labels that count: TensorFlow's gradient is not its loss's (by finite differences ours is)",
    ),
]


def reason(subject, data, difference) -> str | None:
    """Why a difference stays; None if nobody knows."""
    for entry in KNOWN:
        if str(subject).startswith(tuple(entry.subjects.split())) and entry.holds(data, difference):
            return entry.reason
    return None
