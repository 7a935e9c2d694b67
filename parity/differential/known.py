"""Differences that stay, each with its reason. The list may only shrink."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


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


KNOWN: list[Known] = [
    Known(
        "ops/hypot ops/logaddexp",
        _gradient,
        "Keras differentiates through a maximum: for equal arguments all of the gradient goes to one of them",
    ),
    Known(
        "losses/CategoricalGeneralizedCrossEntropy",
        lambda data, difference: len(data["y_true"]["shape"]) == len(data["y_pred"]["shape"]),
        "Keras broadcasts labels of shape (n, 1) against all rows",
    ),
]


def reason(subject, data, difference) -> str | None:
    """Why a difference stays; None if nobody knows."""
    for entry in KNOWN:
        if str(subject).startswith(tuple(entry.subjects.split())) and entry.holds(data, difference):
            return entry.reason
    return None
