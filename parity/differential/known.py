"""Differences that stay, each with its reason. The list may only shrink."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from parity.differential import known_layers, known_ops
from parity.differential.draws import made

HALVES = ("float16", "bfloat16")


class Known(NamedTuple):
    """A difference that is explained.

    Attributes:
        subjects: the subjects' names, or patterns of them as the shell has them.
        holds: `holds(data, difference)`.
        reason: why it stays.
    """

    subjects: str
    holds: Callable
    reason: str

    def explains(self, subject) -> bool:
        """Whether it is about a subject."""
        return any(fnmatch.fnmatchcase(str(subject), pattern) for pattern in self.subjects.split())


def _gradient(data, difference) -> bool:
    return difference.what.startswith("gradient")


def _blank_inside(labels) -> bool:
    """Whether a blank, 0, stands among the first labels of a row, so many as Keras counts nonzeros."""
    return any(0 in row[: (row != 0).sum()] for row in labels)


def _of_halves(batch) -> bool:
    return batch["y_pred"]["dtype"] in HALVES


KNOWN: list[Known] = [
    *(Known(*row) for row in known_layers.ROWS),
    *(Known(*row) for row in known_ops.ROWS),
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
    Known(
        "optimizers/Nadam optimizers/Adafactor",
        lambda data, difference: data["wrapper"] == "scale" and difference.what.startswith(("state", "one more")),
        "Keras's LossScaleOptimizer does not see variables made without `add_variable`: they are not saved",
    ),
    Known(
        "metrics/AUC",
        lambda data, difference: data["arguments"].get("from_logits") and any(map(_of_halves, data["batches"])),
        "a sigmoid of halves is rounded otherwise by TensorFlow, and falls to the other side of a threshold",
    ),
    Known(
        "metrics/TruePositives metrics/TrueNegatives metrics/FalsePositives metrics/FalseNegatives",
        lambda data, difference: (
            difference.what.startswith("without state[1]") and np.size(data["arguments"].get("thresholds")) > 1
        ),
        "Keras's `stateless_result` of several thresholds is that of the metric's own state, not of the given one",
    ),
]


def reason(subject, data, difference) -> str | None:
    """Why a difference stays; None if nobody knows."""
    for entry in KNOWN:
        if entry.explains(subject) and entry.holds(data, difference):
            return entry.reason
    return None
