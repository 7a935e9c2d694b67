"""Mean and Sum of values, and the mean of a function of targets and predictions."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kerasish.core.autodiff import no_recording
from kerasish.core.tensor import Tensor, as_array
from kerasish.metrics.arrays import as_mask, masked_weight, ratio, same_rank
from kerasish.metrics.metric import Metric
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


def samplewise(values: Any, sample_weight: Any, dtype: str, reduce: Callable = np.mean) -> tuple[Any, Any]:
    """One weighted value, and one weight, per sample.

    Args:
        values: Tensor or array; a Keras mask that it carries multiplies the weights, if there are any (as in Keras).
        sample_weight: Weights that fit the first axes of the values, or `None`.
        dtype: In which to compute.
        reduce: What happens to the axes behind the first.
    """
    mask = as_mask(values)
    values = as_array(values, dtype)
    if sample_weight is not None:
        sample_weight = masked_weight(sample_weight, mask, dtype)
        values, sample_weight = same_rank(values, sample_weight)
        if values.ndim > sample_weight.ndim:
            values = reduce(values, axis=tuple(range(sample_weight.ndim, values.ndim)))
        sample_weight = np.broadcast_to(sample_weight, values.shape)
        values = values * sample_weight
        if sample_weight.ndim > 1:
            sample_weight = reduce(sample_weight, axis=tuple(range(1, sample_weight.ndim)))
    if values.ndim > 1:
        values = reduce(values, axis=tuple(range(1, values.ndim)))
    return values, sample_weight


class Sum(Metric):
    """Weighted sum of values.

    Args:
        name: Name of the metric.
        dtype: Dtype of state and result.

    Example:

    >>> metric = keras.metrics.Sum()
    >>> metric.update_state([1, 3, 5, 7])
    >>> float(metric.result())
    16.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), None, self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values, times weights if given."""
        values, _ = samplewise(values, sample_weight, self.dtype, reduce=np.sum)
        self.total.mutable_array()[...] += values.sum()

    def result(self) -> Tensor:
        return self.total.value


class Mean(Metric):
    """Weighted mean of values.

    Args:
        name: Name of the metric.
        dtype: Dtype of state and result.

    Example:

    >>> metric = keras.metrics.Mean()
    >>> metric.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    >>> float(metric.result())
    2.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), None, self.dtype, name="total")
        self.count = self.add_variable((), None, self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes values into the mean, with weights if given."""
        values, sample_weight = samplewise(values, sample_weight, self.dtype)
        self.total.mutable_array()[...] += values.sum()
        if sample_weight is None:
            self.count.mutable_array()[...] += values.shape[0] if values.ndim else 1
        else:
            self.count.mutable_array()[...] += sample_weight.sum()

    def mean(self) -> Any:
        """The mean as an array."""
        return ratio(self.total.array, self.count.array)

    def result(self) -> Tensor:
        return Tensor(self.mean())


class MeanMetricWrapper(Mean):
    """Mean of a function of targets and predictions.

    Args:
        fn: Function of `(y_true, y_pred, **kwargs)` that returns a value per sample.
        name: Name of the metric.
        dtype: Dtype of state and result.
        **kwargs: Passed to `fn` in every call.
    """

    hidden_from_config: tuple[str, ...] = ()  # arguments that Keras's own class leaves out of its config

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: Targets.
            y_pred: Predictions; a Keras mask that they carry multiplies the weights.
            sample_weight: Weights, one per sample or per value.
        """
        with no_recording():
            values = self._fn(y_true, y_pred, **self._fn_kwargs)
        super().update_state(values, masked_weight(sample_weight, as_mask(y_pred), self.dtype))

    def get_config(self) -> dict[str, Any]:
        config = Metric.get_config(self)
        if type(self) is MeanMetricWrapper:
            config["fn"] = serialize_keras_object(self._fn)
        return config | {k: v for k, v in self._fn_kwargs.items() if k not in self.hidden_from_config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "MeanMetricWrapper":
        if isinstance(config.get("fn"), dict):
            config = config | {"fn": deserialize_keras_object(config["fn"])}
        return cls(**config)
