"""Small array functions of the metrics, which work on arrays (NumPy's or CuPy's) for speed."""

from typing import Any

import numpy as np

from kerasish.core.tensor import as_array


def same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Adds or drops a last axis of length 1 where the ranks differ by one."""
    difference = x1.ndim - x2.ndim
    if difference == 1 and x1.shape[-1] == 1:
        if x2.ndim == 1 and expand_rank_1:
            return x1, x2[..., None]
        return x1[..., 0], x2
    if difference == -1 and x2.shape[-1] == 1:
        x2, x1 = same_rank(x2, x1, expand_rank_1)
    return x1, x2


def arrays(*values: Any, dtype: str | None = None) -> list[Any]:
    """The arrays behind tensors, variables or lists."""
    return [as_array(value, dtype) for value in values]


def matched(y_true: Any, y_pred: Any, dtype: str | None = None) -> tuple[Any, Any]:
    """Both as arrays of the same rank; `y_true` has the dtype of `y_pred` unless one is given."""
    y_pred = as_array(y_pred, dtype)
    y_true = as_array(y_true)
    return same_rank(y_true if y_true.dtype == y_pred.dtype else y_true.astype(y_pred.dtype), y_pred)


def ratio(x: Any, y: Any) -> Any:
    """`x / y`, or 0 where `y` is 0."""
    with np.errstate(all="ignore"):
        return np.where(y == 0, np.zeros_like(x), x / y)


def as_mask(x: Any) -> Any:
    """The array of the Keras mask that a tensor carries, or None."""
    mask = getattr(x, "_keras_mask", None)
    return None if mask is None else as_array(mask)


def masked_weight(sample_weight: Any, mask: Any, dtype: str) -> Any:
    """Weights times mask; None without either."""
    if mask is None:
        return None if sample_weight is None else as_array(sample_weight, dtype)
    if sample_weight is None:
        return mask.astype(dtype)
    sample_weight, mask = same_rank(as_array(sample_weight, dtype), mask.astype(dtype))
    return sample_weight * mask
