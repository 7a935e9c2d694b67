"""Metrics of regression."""

from typing import Any

import numpy as np

from kerasish import config, ops
from kerasish.core.tensor import Tensor, as_array
from kerasish.losses.regression import (
    as_matched_pair,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from kerasish.losses.regression import cosine_similarity as negative_cosine_similarity
from kerasish.metrics.arrays import matched
from kerasish.metrics.reduction import Mean, MeanMetricWrapper


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Cosine of the angle between targets and predictions along an axis."""
    return ops.negative(negative_cosine_similarity(y_true, y_pred, axis=axis))


def _moments(y_true: Any, y_pred: Any, axis: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Both means, both deviations' mean squares, and the mean product of the deviations."""
    y_true, y_pred = as_matched_pair(y_true, y_pred)
    mean_true, mean_pred = (ops.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred))
    true, pred = ops.subtract(y_true, mean_true), ops.subtract(y_pred, mean_pred)
    squares = (ops.mean(ops.square(true), axis=axis), ops.mean(ops.square(pred), axis=axis))
    means = (ops.squeeze(mean_true, axis=axis), ops.squeeze(mean_pred, axis=axis))
    return (*means, *squares, ops.mean(ops.multiply(true, pred), axis=axis))


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Pearson's coefficient of correlation along an axis: from -1 to 1.

    Args:
        y_true: Targets.
        y_pred: Predictions.
        axis: The axis of the series.
    """
    _, _, var_true, var_pred, covariance = _moments(y_true, y_pred, axis)
    return ops.divide(covariance, ops.sqrt(ops.multiply(var_true, var_pred)))


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Lin's coefficient of concordance along an axis: correlation that also wants equal mean and scale.

    Args:
        y_true: Targets.
        y_pred: Predictions.
        axis: The axis of the series.
    """
    mean_true, mean_pred, var_true, var_pred, covariance = _moments(y_true, y_pred, axis)
    distance = ops.square(ops.subtract(mean_true, mean_pred))
    scale = ops.add(ops.add(var_true, var_pred), ops.add(distance, config.epsilon()))
    return ops.divide(ops.multiply(2.0, covariance), scale)


class MeanSquaredError(MeanMetricWrapper):
    """Mean of squared errors.

    Args:
        name: Name of the metric.
        dtype: Dtype of state and result.

    Example:

    >>> metric = keras.metrics.MeanSquaredError()
    >>> float(metric([[0, 1], [0, 0]], [[1, 1], [0, 0]]))
    0.25
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None):
        super().__init__(mean_squared_error, name=name, dtype=dtype)


class RootMeanSquaredError(Mean):
    """Root of the mean of squared errors. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account."""
        y_true, y_pred = matched(y_true, y_pred, self.dtype)
        super().update_state((y_pred - y_true) ** 2, sample_weight)

    def result(self) -> Tensor:
        return Tensor(as_array(np.sqrt(self.mean()), self.dtype))


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of absolute errors. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None):
        super().__init__(mean_absolute_error, name=name, dtype=dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of absolute errors in percent of the targets. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None):
        super().__init__(mean_absolute_percentage_error, name=name, dtype=dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of squared differences of `log(y + 1)`. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None):
        super().__init__(mean_squared_logarithmic_error, name=name, dtype=dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of the logarithm of the hyperbolic cosine of errors. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "logcosh", dtype: Any = None):
        super().__init__(log_cosh, name=name, dtype=dtype)


class CosineSimilarity(MeanMetricWrapper):
    """Mean cosine of the angle between targets and predictions.

    Args:
        name: Name of the metric.
        dtype: Dtype of state and result.
        axis: The axis that holds the vectors.
    """

    hidden_from_config = ("axis",)

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1):
        super().__init__(cosine_similarity, name=name, dtype=dtype, axis=axis)


class PearsonCorrelation(MeanMetricWrapper):
    """Mean of Pearson's coefficient of correlation.

    Args:
        name: Name of the metric.
        dtype: Dtype of state and result.
        axis: The axis of the series.
    """

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1):
        super().__init__(pearson_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """Mean of Lin's coefficient of concordance. Arguments as in `PearsonCorrelation`."""

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1):
        super().__init__(concordance_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis
