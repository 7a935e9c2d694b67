"""Accuracies: how often predictions are right."""

from typing import Any

import numpy as np

from kerasish import config
from kerasish.core.tensor import Tensor
from kerasish.metrics.arrays import arrays, matched
from kerasish.metrics.reduction import MeanMetricWrapper


def _rights(right: Any) -> Tensor:
    """Truth values as ones and zeros."""
    return Tensor(
        np.asarray(right).astype(config.floatx()) if isinstance(right, np.bool_) else right.astype(config.floatx())
    )


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where `y_pred` equals `y_true`."""
    y_true, y_pred = matched(y_true, y_pred)
    return _rights(y_true == y_pred)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """1 where `y_pred > threshold` says what `y_true`, 0 or 1, says."""
    y_true, y_pred = matched(y_true, y_pred)
    return _rights(y_true == (y_pred > threshold))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the highest prediction stands at the highest of `y_true`, one value per sample."""
    y_true, y_pred = arrays(y_true, y_pred)
    return _rights(y_true.argmax(axis=-1) == y_pred.argmax(axis=-1))


def _without_last(labels: Any, y_pred: Any) -> Any:
    """Labels without a last axis of length 1."""
    return labels[..., 0] if labels.ndim == y_pred.ndim and labels.shape[-1] == 1 else labels


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the highest prediction stands at the integer label, one value per sample."""
    y_true, y_pred = arrays(y_true, y_pred)
    return _rights(_without_last(y_true, y_pred) == y_pred.argmax(axis=-1))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """1 where the highest of `y_true` is among the `k` highest predictions."""
    y_true, y_pred = arrays(y_true, y_pred)
    return _rights(_in_top(y_true.argmax(axis=-1), y_pred, k))


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Tensor:
    """1 where the integer label is among the `k` highest predictions.

    Args:
        y_true: Integer labels.
        y_pred: Predictions, or with `from_sorted_ids` the labels in the order of their predictions.
        k: How many count.
        from_sorted_ids: See `y_pred`.
    """
    y_true, y_pred = arrays(y_true, y_pred)
    labels = _without_last(y_true, y_pred)
    if from_sorted_ids:
        return _rights((labels[..., None] == y_pred[..., :k]).any(axis=-1))
    return _rights(_in_top(labels.astype("int64"), y_pred, k))


def _in_top(labels: Any, y_pred: Any, k: int) -> Any:
    """Whether fewer than `k` predictions are higher than the label's; a NaN is never right."""
    possible = (labels >= 0) & (labels < y_pred.shape[-1])
    own = np.take_along_axis(y_pred, np.where(possible, labels, 0)[..., None], axis=-1)
    return possible & np.isfinite(own[..., 0]) & ((y_pred > own).sum(axis=-1) < k)


class Accuracy(MeanMetricWrapper):
    """How often predictions equal labels.

    Args:
        name: Name of the metric.
        dtype: Dtype of state and result.

    Example:

    >>> metric = keras.metrics.Accuracy()
    >>> float(metric([[1], [2], [3], [4]], [[0], [2], [3], [4]]))
    0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None):
        super().__init__(accuracy, name=name, dtype=dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often thresholded predictions equal labels 0 and 1.

    Args:
        name: Name of the metric.
        dtype: Dtype of state and result.
        threshold: Above it, a prediction counts as 1.

    Raises:
        ValueError: If `threshold` is neither `None` nor a number.
    """

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float | None = 0.5):
        if threshold is None:
            threshold = 0.5
        super().__init__(binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the highest prediction stands at the label, one-hot labels.

    Args:
        name: Name of the metric.
        dtype: Dtype of state and result.
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None):
        super().__init__(categorical_accuracy, name=name, dtype=dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the highest prediction stands at the label, integer labels.

    Args:
        name: Name of the metric.
        dtype: Dtype of state and result.

    Example:

    >>> metric = keras.metrics.SparseCategoricalAccuracy()
    >>> float(metric([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]]))
    0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None):
        super().__init__(sparse_categorical_accuracy, name=name, dtype=dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the label is among the `k` highest predictions, one-hot labels.

    Args:
        k: How many count.
        name: Name of the metric.
        dtype: Dtype of state and result.
    """

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(top_k_categorical_accuracy, name=name, dtype=dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the label is among the `k` highest predictions, integer labels.

    Args:
        k: How many count.
        name: Name of the metric.
        dtype: Dtype of state and result.
        from_sorted_ids: Whether predictions are labels, in the order of their scores.
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ):
        options = {"from_sorted_ids": True} if from_sorted_ids else {}
        super().__init__(sparse_top_k_categorical_accuracy, name=name, dtype=dtype, k=k, **options)
        self.k = k
        self.from_sorted_ids = from_sorted_ids
