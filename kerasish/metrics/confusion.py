"""Counting true and false positives and negatives at thresholds, on arrays."""

from typing import Any, NamedTuple

import numpy as np

from kerasish.core.tensor import as_array
from kerasish.device import put
from kerasish.metrics.arrays import same_rank

NEVER_POSITIVE = -1e10  # what `keep_top` makes of predictions, and not above any threshold


class Counts(NamedTuple):
    """True positives, false positives, true negatives, false negatives: (T,), or (T, L) by label."""

    true_positives: Any
    false_positives: Any
    true_negatives: Any
    false_negatives: Any


def parse_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """Thresholds as a list.

    Raises:
        ValueError: If one is not in [0, 1].
    """
    if thresholds is None:
        return [default]
    listed = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    wrong = [t for t in listed if t is None or t < 0 or t > 1]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return listed


def evenly_spaced(thresholds: list[float]) -> bool:
    """Whether thresholds cut [0, 1] into equal parts."""
    if len(thresholds) < 3:
        return False
    return np.allclose(thresholds, np.arange(len(thresholds)) / (len(thresholds) - 1), atol=1e-7)


def count(
    y_true: Any,
    y_pred: Any,
    thresholds: list[float],
    dtype: str,
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    by_label: bool = False,
    label_weights: Any = None,
    even: bool = False,
) -> Counts:
    """Counts, weighted if wanted, what is right and wrong when `y_pred > threshold` is called positive.

    Args:
        y_true: Labels, (N,) or (N, ..., L).
        y_pred: Predictions of the same shape.
        thresholds: T thresholds.
        dtype: Dtype of the counts.
        sample_weight: Weights: one for all, or with axes that broadcast to those of the labels before the last one
            or to all of them.
        top_k: If set, only the `top_k` highest predictions of a sample can be positive.
        class_id: If set, the only label that counts.
        by_label: Whether each label is counted apart.
        label_weights: Weight of each label, where they are not counted apart.
        even: Whether `evenly_spaced(thresholds)` is known to hold, which allows a faster count.
    """
    y_true, y_pred = same_rank(as_array(y_true, dtype), as_array(y_pred, dtype))
    if sample_weight is not None:
        _, sample_weight = same_rank(y_true, as_array(sample_weight, dtype)[..., None], expand_rank_1=False)
    if top_k is not None:
        y_pred = keep_top(y_pred, top_k)
    if class_id is not None:
        if y_pred.ndim == 1:
            raise ValueError(
                "When class_id is provided, y_pred must be a 2D array with shape (num_samples, num_classes), "
                f"found shape: {y_pred.shape}"
            )
        y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
    if y_true.shape != y_pred.shape:
        raise ValueError(f"Shapes of y_true and y_pred must match. Received: {y_true.shape} and {y_pred.shape}")
    weights = _weights(sample_weight, None if by_label else label_weights, y_pred)
    labels = y_pred.shape[-1] if by_label else 1
    y_true, y_pred = y_true.reshape(-1, labels), y_pred.reshape(-1, labels)
    if weights is not None:
        weights = weights.reshape(-1, labels)
    counted = _count_in_buckets if even else _count_each
    counts = counted(y_true, y_pred, np.asarray(thresholds, dtype), weights)
    return counts if by_label else Counts(*(c[:, 0] for c in counts))


def keep_top(y_pred: Any, k: int) -> Any:
    """Predictions, all but the `k` highest of each sample made too small to be positive."""
    order = np.argsort(-y_pred, axis=-1, kind="stable")[..., :k]
    kept = np.zeros_like(y_pred, bool)
    np.put_along_axis(kept, order, True, axis=-1)
    return np.where(kept, y_pred, y_pred.dtype.type(NEVER_POSITIVE))


def _weights(sample_weight: Any, label_weights: Any, y_pred: Any) -> Any:
    weights = None
    if sample_weight is not None:
        weights = np.broadcast_to(sample_weight, y_pred.shape)
    if label_weights is not None:
        label_weights = np.broadcast_to(as_array(label_weights, y_pred.dtype.name), y_pred.shape)
        weights = label_weights if weights is None else weights * label_weights
    return weights


def _count_each(y_true: Any, y_pred: Any, thresholds: Any, weights: Any) -> Counts:
    """Compares every prediction with every threshold."""
    positive = y_pred > put(thresholds[:, None, None], like=y_pred)
    ones = np.ones_like(y_pred) if weights is None else weights
    in_label, out_label = _split(y_true, ones)
    true_positives, false_positives = (np.where(positive, w, 0).sum(axis=1) for w in (in_label, out_label))
    return _complete(true_positives, false_positives, in_label.sum(axis=0), out_label.sum(axis=0))


def _count_in_buckets(y_true: Any, y_pred: Any, thresholds: Any, weights: Any) -> Counts:
    """Sorts predictions into the intervals between even thresholds, then sums from the top."""
    last = len(thresholds) - 1
    known = np.where(np.isnan(y_pred), 0, np.clip(y_pred, 0, 1))  # NaN is above no threshold
    above = np.ceil(known * y_pred.dtype.type(last)).astype("int64")  # how many thresholds are below
    if thresholds[0] < 0:
        above = np.maximum(above, 1)
    ones = np.ones_like(y_pred) if weights is None else weights
    in_label, out_label = _split(y_true, ones)
    true_positives, false_positives = (_from_above(above, w, last + 1) for w in (in_label, out_label))
    return _complete(true_positives, false_positives, in_label.sum(axis=0), out_label.sum(axis=0))


def _split(y_true: Any, weights: Any) -> tuple[Any, Any]:
    """Weights in the label and out of it: a label that is a fraction counts as 1."""
    label = y_true != 0
    return np.where(label, weights, 0), np.where(label, 0, weights)


def _from_above(above: Any, weight: Any, length: int) -> Any:
    """For each of `length` thresholds, the weight of what is above it: (N, L) -> (length, L)."""
    columns = [np.bincount(a, w, minlength=length + 1) for a, w in zip(above.T, weight.T)]
    return np.cumsum(np.stack(columns, axis=1)[:0:-1], axis=0)[::-1].astype(weight.dtype)


def _complete(true_positives: Any, false_positives: Any, in_label: Any, out_label: Any) -> Counts:
    return Counts(true_positives, false_positives, out_label - false_positives, in_label - true_positives)
