"""Losses of regression: distances between targets and predictions."""

import math
from typing import Any

from kerasish import config, ops
from kerasish.core.tensor import Tensor, convert_to_tensor
from kerasish.losses.loss import LossFunctionWrapper, same_rank


def as_pair(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of the prediction's dtype."""
    y_pred = convert_to_tensor(y_pred)
    return convert_to_tensor(y_true, dtype=y_pred.dtype), y_pred


def as_matched_pair(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of the prediction's dtype and of the same rank."""
    return same_rank(*as_pair(y_true, y_pred))


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """`mean(square(y_true - y_pred), axis=-1)`."""
    y_true, y_pred = as_matched_pair(y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """`mean(abs(y_true - y_pred), axis=-1)`."""
    y_true, y_pred = as_matched_pair(y_true, y_pred)
    return ops.mean(ops.absolute(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """`100 * mean(abs((y_true - y_pred) / y_true), axis=-1)`, the divisor kept away from zero."""
    y_true, y_pred = as_matched_pair(y_true, y_pred)
    scale = ops.maximum(ops.absolute(y_true), config.epsilon())
    return ops.multiply(100.0, ops.mean(ops.absolute(ops.divide(ops.subtract(y_true, y_pred), scale)), axis=-1))


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """`mean(square(log(y_true + 1) - log(y_pred + 1)), axis=-1)`, negative values counting as zero.

    In the default float or a wider one: Keras's epsilon is a tensor here.
    """
    y_true, y_pred = as_matched_pair(y_true, y_pred)
    epsilon = ops.convert_to_tensor(config.epsilon(), dtype=config.floatx())
    log_true = ops.log(ops.add(ops.maximum(y_true, epsilon), 1.0))
    log_pred = ops.log(ops.add(ops.maximum(y_pred, epsilon), 1.0))
    return ops.mean(ops.square(ops.subtract(log_pred, log_true)), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Half the squared error up to `delta`, linear beyond it; averaged over the last axis."""
    y_true, y_pred = as_matched_pair(y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    size = ops.absolute(error)
    linear = ops.subtract(ops.multiply(delta, size), 0.5 * delta * delta)
    return ops.mean(ops.where(size <= delta, ops.multiply(0.5, ops.square(error)), linear), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """`mean(log(cosh(y_pred - y_true)), axis=-1)`, in a form that does not overflow."""
    y_true, y_pred = as_matched_pair(y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    value = ops.subtract(ops.add(error, ops.softplus(ops.multiply(error, -2.0))), math.log(2.0))
    return ops.mean(value, axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """`-sum(l2_normalize(y_true) * l2_normalize(y_pred), axis)`: -1 is the same direction."""
    y_true, y_pred = as_matched_pair(y_true, y_pred)
    product = ops.multiply(ops.normalize(y_true, axis=axis), ops.normalize(y_pred, axis=axis))
    return ops.negative(ops.sum(product, axis=axis))


def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """`mean(y_pred - y_true * log(y_pred), axis=-1)`."""
    y_true, y_pred = as_pair(y_true, y_pred)
    log_pred = ops.log(ops.add(y_pred, config.epsilon()))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, log_pred)), axis=-1)


def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """`sum(y_true * log(y_true / y_pred), axis=-1)`, both clipped to [epsilon, 1]."""
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = ops.clip(y_true, config.epsilon(), 1)
    y_pred = ops.clip(y_pred, config.epsilon(), 1)
    return ops.sum(ops.multiply(y_true, ops.log(ops.divide(y_true, y_pred))), axis=-1)


class MeanSquaredError(LossFunctionWrapper):
    """Mean of squared errors.

    Args:
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.

    Example:

    >>> keras.losses.MeanSquaredError()([[0., 2.]], [[1., 0.]])
    2.5
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(mean_squared_error, reduction=reduction, name=name, dtype=dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """Mean of absolute errors. Arguments as in `MeanSquaredError`."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(mean_absolute_error, reduction=reduction, name=name, dtype=dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """Mean of absolute errors in percent of the targets. Arguments as in `MeanSquaredError`."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        super().__init__(mean_absolute_percentage_error, reduction=reduction, name=name, dtype=dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """Mean of squared differences of `log(y + 1)`. Arguments as in `MeanSquaredError`."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(mean_squared_logarithmic_error, reduction=reduction, name=name, dtype=dtype)


class Huber(LossFunctionWrapper):
    """Squared error near zero, absolute error far from it.

    Args:
        delta: Where the square turns into a line.
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.
    """

    hidden_from_config = ("delta",)

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(huber, reduction=reduction, name=name, dtype=dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """Logarithm of the hyperbolic cosine of the error. Arguments as in `MeanSquaredError`."""

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(log_cosh, reduction=reduction, name=name, dtype=dtype)


class CosineSimilarity(LossFunctionWrapper):
    """Negative cosine of the angle between targets and predictions.

    Args:
        axis: The axis that holds the vectors.
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.
    """

    hidden_from_config = ("axis",)

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        super().__init__(cosine_similarity, reduction=reduction, name=name, dtype=dtype, axis=axis)


class Poisson(LossFunctionWrapper):
    """Poisson loss: predictions are rates of counted events. Arguments as in `MeanSquaredError`."""

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(poisson, reduction=reduction, name=name, dtype=dtype)


class KLDivergence(LossFunctionWrapper):
    """Kullback-Leibler divergence of the predictions from the targets. Arguments as in `MeanSquaredError`."""

    def __init__(self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        super().__init__(kl_divergence, reduction=reduction, name=name, dtype=dtype)
