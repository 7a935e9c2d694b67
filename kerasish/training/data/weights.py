"""Weights of samples: from classes, and whether they fit the targets."""

from typing import Any

import numpy as np
import optree

from kerasish.core.tensor import Tensor
from kerasish.device import array_module


def class_weight_to_sample_weights(y, class_weight: dict, output_rank: int | None = None) -> Any:
    """The weight of each sample from the weight of its class; classes that are not listed weigh 1.

    Args:
        y: An array of class numbers `(N,)`, `(N, 1)`, one for each place as in `(N, H, W)`, or rows on the last axis
            that are one-hot or hold probabilities.
        class_weight: Weights by class number.
        output_rank: The rank of the model's output, where it is known: targets of one axis less are class numbers.

    Raises:
        ValueError: If there are no targets, or several, or rows with more than one class.
    """
    leaves = optree.tree_leaves(y, none_is_leaf=True)
    if len(leaves) != 1:
        raise ValueError(
            f"`class_weight` is only supported for Models with a single output. Received {len(leaves)} arrays of "
            "targets; pass `sample_weight`, one array for each output, instead."
        )
    if leaves[0] is None:
        raise ValueError("`class_weight` needs targets, but y is None.")
    labels = leaves[0].value if isinstance(leaves[0], Tensor) else leaves[0]
    labels = array_module(labels).asarray(labels)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    elif labels.ndim > 1 and not _are_numbers(labels, output_rank):
        labels = labels.argmax(-1)
    labels = np.round(labels).astype("int32")
    weights = np.ones_like(labels, "float32")
    for label, weight in class_weight.items():
        weights[labels == int(label)] = weight
    return weights


def _are_numbers(labels, output_rank) -> bool:
    """Whether an array of two or more axes holds class numbers, not rows of one entry for each class."""
    if output_rank is not None and labels.ndim < output_rank:
        return True
    is_row = bool((labels.sum(axis=-1) <= 1 + 1e-3).all() and (labels >= 0).all())
    if is_row or (labels.ndim > 2 and output_rank is None):
        return not is_row
    raise ValueError(
        f"`class_weight` needs one class for each sample: y of shape {tuple(labels.shape)} has rows with several "
        "classes, or numbers that are no classes. Pass `sample_weight` instead."
    )


def check_sample_weight(sample_weight, y):
    """Sample weights in the structure of the targets: one array stands for all of them.

    Raises:
        ValueError: If the structures do not match.
    """
    targets, structure = optree.tree_flatten(y, none_is_leaf=True)
    weights, given = optree.tree_flatten(sample_weight, none_is_leaf=True)
    if len(targets) > 1 and len(weights) == 1 and given.is_leaf():
        return structure.unflatten(weights * len(targets))
    if len(targets) != len(weights) or given.entries() != structure.entries():
        raise ValueError(
            "You should provide one `sample_weight` array per output in `y`. The two structures did not match:\n"
            f"- y: {describe(y)}\n- sample_weight: {describe(sample_weight)}"
        )
    return sample_weight


def describe(structure) -> str:
    """A structure of arrays as text, each array by its shape."""
    shapes = optree.tree_map(_Raw, structure, none_is_leaf=True)
    return repr(shapes)


class _Raw:
    """Shows an array by its shape in the repr of its container."""

    def __init__(self, array):
        self.array = array

    def __repr__(self):
        return "None" if self.array is None else f"array{tuple(self.array.shape)}"
