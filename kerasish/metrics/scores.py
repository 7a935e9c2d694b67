"""F-scores and the coefficient of determination."""

import warnings
from typing import Any

import numpy as np

from kerasish import config
from kerasish.core.tensor import Tensor, as_array
from kerasish.core.whole import whole
from kerasish.metrics.arrays import same_rank
from kerasish.metrics.metric import Metric


class FBetaScore(Metric):
    """Weighted harmonic mean of precision and recall.

    Args:
        average: `None` for a score per class, `"micro"` for one over all decisions, `"macro"` for the mean of the
            classes' scores, `"weighted"` for their mean weighted by how often they occur.
        beta: How much more recall weighs than precision.
        threshold: Above it, a prediction is positive; if `None`, the highest of each sample is.
        name: Name of the metric.
        dtype: Dtype of state and result.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                "Invalid `average` argument value. Expected one of: {None, 'micro', 'macro', 'weighted'}. "
                f"Received: average={average}"
            )
        self._check_beta(beta)
        self._check_threshold(threshold)
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    @staticmethod
    def _check_beta(beta: Any) -> None:
        if not isinstance(beta, float):
            raise ValueError(
                "Invalid `beta` argument value. It should be a Python float. "
                f"Received: beta={beta} of type '{type(beta)}'"
            )
        if beta <= 0:
            raise ValueError(f"Invalid `beta` argument value. It should be > 0. Received: beta={beta}")

    @staticmethod
    def _check_threshold(threshold: Any) -> None:
        if threshold is None:
            return
        if not isinstance(threshold, float):
            raise ValueError(
                "Invalid `threshold` argument value. It should be a Python float. "
                f"Received: threshold={threshold} of type '{type(threshold)}'"
            )
        if threshold > 1.0 or threshold <= 0.0:
            raise ValueError(
                "Invalid `threshold` argument value. It should verify 0 < threshold <= 1. "
                f"Received: threshold={threshold}"
            )

    @whole
    def _build(self, y_true_shape: tuple, y_pred_shape: tuple) -> None:
        if len(y_pred_shape) != 2 or len(y_true_shape) != 2:
            raise ValueError(
                "FBetaScore expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                f"y_pred.shape={y_pred_shape} and y_true.shape={y_true_shape}."
            )
        shape = () if self.average == "micro" else (y_pred_shape[-1],)
        for name in ("true_positives", "false_positives", "false_negatives", "intermediate_weights"):
            setattr(self, name, self.add_variable(shape, None, self.dtype, name=name))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels (N, C), 0 or 1.
            y_pred: Predictions (N, C).
            sample_weight: Weights (N,).
        """
        y_true, y_pred = as_array(y_true, self.dtype), as_array(y_pred, self.dtype)
        if not self._built:
            self._build(y_true.shape, y_pred.shape)
        if self.threshold is None:
            positive = (y_pred >= y_pred.max(axis=-1, keepdims=True)) & (np.abs(y_pred) > 1e-9)
        else:
            positive = y_pred > self.threshold
        positive = positive.astype(self.dtype)
        weight = 1 if sample_weight is None else self._column(as_array(sample_weight, self.dtype))
        axis = None if self.average == "micro" else 0
        for variable, values in (
            (self.true_positives, positive * y_true),
            (self.false_positives, positive * (1 - y_true)),
            (self.false_negatives, (1 - positive) * y_true),
            (self.intermediate_weights, y_true),
        ):
            variable.mutable_array()[...] += (values * weight).sum(axis=axis)

    def _column(self, weight: Any) -> Any:
        if not weight.ndim:
            raise ValueError(f"Metric '{self.name}': sample_weight must have an axis of samples. Received a scalar.")
        return weight[:, None]

    def result(self) -> Tensor:
        right, epsilon = self.true_positives.array, config.epsilon()
        precision = right / (right + self.false_positives.array + epsilon)
        recall = right / (right + self.false_negatives.array + epsilon)
        square = self.beta**2
        score = precision * recall * (1 + square) / (square * precision + recall + epsilon)
        if self.average == "weighted":
            weights = self.intermediate_weights.array
            score = (score * weights / (weights.sum() + epsilon)).sum()
        elif self.average is not None:
            score = score.mean()
        return Tensor(as_array(score, self.dtype))

    def reset_state(self) -> None:
        for variable in self.variables:
            variable.mutable_array()[...] = 0

    def get_config(self) -> dict[str, Any]:
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return super().get_config() | own


class F1Score(FBetaScore):
    """Harmonic mean of precision and recall. Arguments as in `FBetaScore`, without `beta`."""

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ):
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "beta"}


class R2Score(Metric):
    """Coefficient of determination: 1 less the share of the targets' variance that predictions leave.

    Args:
        class_aggregation: `None` for a score per output, `"uniform_average"`, or `"variance_weighted_average"`.
        num_regressors: Number of independent variables, for the adjusted score; 0 for the plain one.
        name: Name of the metric.
        dtype: Dtype of state and result.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ValueError(
                f"Invalid value for argument `class_aggregation`. Expected one of {known}. "
                f"Received: class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ValueError(
                "Invalid value for argument `num_regressors`. Expected a value >= 0. "
                f"Received: num_regressors={num_regressors}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), None, name="num_samples")
        self._built = False

    @whole
    def _build(self, y_true_shape: tuple, y_pred_shape: tuple) -> None:
        if len(y_pred_shape) != 2 or len(y_true_shape) != 2 or y_pred_shape[-1] != y_true_shape[-1]:
            raise ValueError(
                "R2Score expects 2D inputs with shape (batch_size, output_dim), of equal output_dim. Received input "
                f"shapes: y_pred.shape={y_pred_shape} and y_true.shape={y_true_shape}."
            )
        for attribute, name in (
            ("squared_sum", "squared_sum"),
            ("sum", "sum"),
            ("total_mse", "residual"),
            ("count", "count"),
        ):
            setattr(self, attribute, self.add_variable((y_pred_shape[-1],), None, name=name))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: Targets (N, D).
            y_pred: Predictions (N, D).
            sample_weight: Weights (N,) or (N, 1).
        """
        y_true, y_pred = same_rank(as_array(y_true, self.dtype), as_array(y_pred, self.dtype))
        if not self._built:
            self._build(y_true.shape, y_pred.shape)
        weight = np.ones_like(y_true[:, :1]) if sample_weight is None else as_array(sample_weight, self.dtype)
        weight = np.broadcast_to(weight[:, None] if weight.ndim == 1 else weight, y_true.shape)
        for variable, values in (
            (self.squared_sum, y_true * (y_true * weight)),
            (self.sum, y_true * weight),
            (self.total_mse, (y_true - y_pred) ** 2 * weight),
            (self.count, weight),
        ):
            variable.mutable_array()[...] += values.sum(axis=0)
        self.num_samples.mutable_array()[...] += y_true.size

    def result(self) -> Tensor:
        with np.errstate(all="ignore"):
            mean = self.sum.array / self.count.array
            total = self.squared_sum.array - self.sum.array * mean
            score = 1 - self.total_mse.array / total
            score = np.where(np.isinf(score), 0, score)
            if self.class_aggregation == "uniform_average":
                score = score.mean()
            elif self.class_aggregation == "variance_weighted_average":
                score = (total * score).sum() / total.sum()
        return Tensor(as_array(self._adjusted(score), self.sum.dtype))

    def _adjusted(self, score: Any) -> Any:
        free = float(self.num_samples.array) - self.num_regressors - 1
        if self.num_regressors == 0:
            return score
        if free <= 0:
            reason = "More independent predictors than datapoints" if free < 0 else "Division by zero"
            warnings.warn(f"{reason} in Adjusted R2 score. Falling back to standard R2 score.", stacklevel=3)
            return score
        return 1 - (1 - score) * (float(self.num_samples.array) - 1) / free

    def get_config(self) -> dict[str, Any]:
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return super().get_config() | own
