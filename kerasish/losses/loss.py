"""Loss: the base class, its reductions, and the rules by which weights and masks enter them."""

import math
from collections.abc import Callable
from typing import Any

from kerasish import config, dtype_policies, ops
from kerasish.core.scopes import auto_name
from kerasish.core.tensor import Tensor, convert_to_tensor
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss:
    """Base class of losses: `call` gives a value per sample, `__call__` weights and reduces them.

    Args:
        name: Name of the loss; by default made from the class's name.
        reduction: `"sum_over_batch_size"` (also spelled `"mean"`), `"sum"`, `"mean_with_sample_weight"`,
            or `"none"` (or `None`) to keep one value per sample.
        dtype: Dtype or policy in which the loss is computed; `keras.config.floatx()` by default.

    Raises:
        ValueError: If `reduction` is none of these.

    Example:

    ```python
    class Median(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return ops.median(ops.abs(y_true - y_pred), axis=-1)
    ```
    """

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"Invalid value for argument `reduction`. Expected one of {REDUCTIONS}. Received: reduction={reduction}"
            )
        self.name = name or auto_name(type(self).__name__)
        self.reduction = reduction
        self._dtype = dtype_policies.get(dtype or config.floatx()).compute_dtype

    @property
    def dtype(self) -> str:
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Computes the reduced loss.

        Args:
            y_true: True values, one per prediction.
            y_pred: Predictions. A Keras mask that they carry leaves the masked steps out.
            sample_weight: Optional weights: one per sample, or anything that broadcasts to the values of `call`.
        """
        in_mask = get_mask(y_pred)
        y_true, y_pred = as_tensors(y_true, self.dtype), as_tensors(y_pred, self.dtype)
        losses = self.call(y_true, y_pred)
        out_mask = get_mask(losses)
        if in_mask is not None and out_mask is not None:
            mask = ops.logical_and(in_mask, out_mask)
        else:
            mask = out_mask if in_mask is None else in_mask
        return reduce_weighted_values(losses, self.reduction, sample_weight, mask, self.dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The loss of each sample; subclasses say how."""
        raise NotImplementedError(f"{type(self).__name__} must implement `call(self, y_true, y_pred)`.")

    def get_config(self) -> dict:
        """The arguments that make an equal loss."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict) -> "Loss":
        return cls(**config)

    def _obj_type(self) -> str:
        return "Loss"


class LossFunctionWrapper(Loss):
    """A loss made of a function of `(y_true, y_pred, **kwargs)`.

    Args:
        fn: The function; it returns one value per sample.
        reduction: See `Loss`.
        name: See `Loss`.
        dtype: See `Loss`.
        **kwargs: Passed to `fn` in every call.
    """

    hidden_from_config: tuple[str, ...] = ()  # arguments that Keras's own class leaves out of its config

    def __init__(
        self,
        fn: Callable,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if isinstance(y_true, Tensor) and isinstance(y_pred, Tensor):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict:
        config = super().get_config()
        if type(self) is LossFunctionWrapper:
            config["fn"] = serialize_keras_object(self.fn)
        return config | {k: v for k, v in self._fn_kwargs.items() if k not in self.hidden_from_config}

    @classmethod
    def from_config(cls, config: dict) -> "LossFunctionWrapper":
        if isinstance(config.get("fn"), dict):
            config = config | {"fn": deserialize_keras_object(config["fn"])}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._fn_kwargs})>"


def get_mask(x: Any) -> Any:
    """The Keras mask that a tensor carries, or None."""
    return getattr(x, "_keras_mask", None)


def as_tensors(x: Any, dtype: str) -> Any:
    """Tensors in the structure of `x`; a nest of plain numbers is one tensor."""
    if isinstance(x, dict):
        return type(x)((key, as_tensors(value, dtype)) for key, value in x.items())
    if isinstance(x, (list, tuple)) and any(hasattr(item, "shape") or isinstance(item, dict) for item in x):
        items = [as_tensors(item, dtype) for item in x]
        return x._make(items) if hasattr(x, "_make") else type(x)(items)
    return convert_to_tensor(x, dtype=dtype)


def same_rank(x1: Tensor, x2: Tensor, expand_rank_1: bool = True) -> tuple[Tensor, Tensor]:
    """Adds or drops a last axis of length 1 where the ranks differ by one."""
    difference = len(x1.shape) - len(x2.shape)
    if difference == 1 and x1.shape[-1] == 1:
        if len(x2.shape) == 1 and expand_rank_1:
            return x1, ops.expand_dims(x2, axis=-1)
        return ops.squeeze(x1, axis=-1), x2
    if difference == -1 and x2.shape[-1] == 1:
        x2, x1 = same_rank(x2, x1, expand_rank_1)
    return x1, x2


def reduce_weighted_values(
    values: Any,
    reduction: str | None = "sum_over_batch_size",
    sample_weight: Any = None,
    mask: Any = None,
    dtype: str | None = None,
) -> Tensor:
    """Multiplies values by weights and mask, then reduces them; the fraction masked out does not dilute a mean."""
    values = convert_to_tensor(values, dtype=dtype)
    if mask is not None:
        sample_weight = masked_weight(sample_weight, mask, values.dtype, reduction)
    if sample_weight is not None:
        sample_weight = ops.cast(convert_to_tensor(sample_weight), values.dtype)
        values, sample_weight = same_rank(values, sample_weight)
        values = ops.multiply(values, sample_weight)
    return reduce_values(values, sample_weight, reduction)


def masked_weight(sample_weight: Any, mask: Any, dtype: str, reduction: str | None) -> Tensor:
    """Sample weights times the mask; for a mean, scaled up by total / valid."""
    mask = ops.cast(convert_to_tensor(mask), dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        scale = ops.divide_no_nan(ops.cast(float(math.prod(mask.shape)), dtype), ops.sum(mask))
        mask = ops.where(ops.cast(mask, "bool"), scale, ops.zeros_like(mask))
    if sample_weight is None:
        return mask
    sample_weight, mask = same_rank(ops.cast(convert_to_tensor(sample_weight), dtype), mask)
    return ops.multiply(sample_weight, mask)


def reduce_values(values: Tensor, sample_weight: Tensor | None, reduction: str | None) -> Tensor:
    """Sum, mean or nothing, as `reduction` says; a scalar is left alone, and the mean of nothing is 0."""
    if reduction in (None, "none") or values.shape in ((), (0,)):
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return ops.divide_no_nan(ops.sum(values), ops.sum(sample_weight))
    return ops.mean(values) if math.prod(values.shape) else ops.sum(values)
