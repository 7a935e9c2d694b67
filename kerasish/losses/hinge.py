"""Maximum-margin losses."""

from typing import Any

from kerasish import ops
from kerasish.core.tensor import Tensor
from kerasish.losses.loss import LossFunctionWrapper
from kerasish.losses.regression import as_pair


def signed_labels(y_true: Tensor) -> Tensor:
    """Labels that are all 0 or 1 become -1 or 1; others stay."""
    is_zero, is_one = ops.equal(y_true, 0), ops.equal(y_true, 1)
    binary = ops.all(ops.logical_or(is_zero, is_one))
    return ops.where(binary, ops.subtract(ops.multiply(2, y_true), 1), y_true)


def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """`mean(maximum(1 - y_true * y_pred, 0), axis=-1)` for labels -1 and 1 (0 and 1 are converted)."""
    y_true, y_pred = as_pair(y_true, y_pred)
    margin = ops.subtract(1.0, ops.multiply(signed_labels(y_true), y_pred))
    return ops.mean(ops.maximum(margin, 0.0), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """`mean(square(maximum(1 - y_true * y_pred, 0)), axis=-1)` for labels -1 and 1 (0 and 1 are converted)."""
    y_true, y_pred = as_pair(y_true, y_pred)
    margin = ops.subtract(1.0, ops.multiply(signed_labels(y_true), y_pred))
    return ops.mean(ops.square(ops.maximum(margin, 0.0)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """`maximum(highest wrong score - right score + 1, 0)` for one-hot labels."""
    y_true, y_pred = as_pair(y_true, y_pred)
    right = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    wrong = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1.0), 0.0)


class Hinge(LossFunctionWrapper):
    """Hinge loss: linear below a margin of 1.

    Args:
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.
    """

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(hinge, reduction=reduction, name=name, dtype=dtype)


class SquaredHinge(LossFunctionWrapper):
    """Square of the hinge loss. Arguments as in `Hinge`."""

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(squared_hinge, reduction=reduction, name=name, dtype=dtype)


class CategoricalHinge(LossFunctionWrapper):
    """Hinge loss of one-hot classes. Arguments as in `Hinge`."""

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(categorical_hinge, reduction=reduction, name=name, dtype=dtype)
