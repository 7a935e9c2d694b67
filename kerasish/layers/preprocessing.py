"""Layers that prepare data: scaling, standardizing, encoding."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasish import config, ops, saving
from kerasish.layers import arguments
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.utils.dataset import Dataset

SMALLEST_STDDEV = 1e-7


class Rescaling(Layer):
    """`inputs * scale + offset`.

    Args:
        scale: a number, or one per channel.
        offset: a number, or one per channel.

    Example:

    >>> keras.layers.Rescaling(1 / 255)(np.array([[0, 255]]))
    [[0.0, 1.0]]
    """

    _recordable = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs):
        scale, offset = (ops.convert_to_tensor(v, dtype=self.compute_dtype) for v in (self.scale, self.offset))
        if scale.shape and config.image_data_format() == "channels_first":
            scale = ops.reshape(scale, (*scale.shape, *(1,) * (3 - len(scale.shape))))
        return ops.add(ops.multiply(ops.cast(inputs, self.compute_dtype), scale), offset)

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        values = {name: saving.serialize_keras_object(getattr(self, name)) for name in ("scale", "offset")}
        return {**super().get_config(), **values}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None):
        values = {name: saving.deserialize_keras_object(config[name]) for name in ("scale", "offset")}
        return cls(**{**config, **values})


class Normalization(Layer):
    """Brings features to mean 0 and standard deviation 1, by statistics of the training data.

    Args:
        axis: the axis, or axes, of the features, each of which has its own mean and variance; None for one of all.
        mean, variance: the statistics, if they are known; otherwise `adapt` finds them.
        invert: whether the layer goes back from standardized to raw features.

    Example:

    >>> layer = keras.layers.Normalization()
    >>> layer.adapt(np.array([[1.0], [3.0]]))
    >>> layer(np.array([[5.0]]))
    [[3.0]]
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            message = "When setting values directly, both `mean` and `variance` must be set."
            raise arguments.invalid(self, f"{message} Received: mean={mean} and variance={variance}")
        if mean is not None:
            self._check_shapes(np.shape(mean), np.shape(variance))
        self.input_mean = mean
        self.input_variance = variance
        self.invert = invert
        self.supports_masking = True

    def _check_shapes(self, mean, variance):
        if mean != variance:
            message = "When setting values directly, `mean` and `variance` must have the same shape."
            raise arguments.invalid(self, f"{message} Received: mean shape {mean} and variance shape {variance}")
        if len(mean) > len(self.axis):
            message = f"The rank of `mean` must be less than or equal to the number of axes ({len(self.axis)})."
            raise arguments.invalid(self, f"{message} Received: mean shape {mean} for axis {self.axis}")

    def build(self, input_shape) -> None:
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            message = "All `axis` values must be in the range [-ndim, ndim)."
            raise arguments.invalid(self, f"{message} Received inputs with ndim={rank}, while axis={self.axis}")
        self._kept = sorted({axis % rank for axis in self.axis})
        if any(input_shape[axis] is None for axis in self._kept):
            message = "All `axis` values to be kept must have a known shape."
            raise arguments.invalid(self, f"{message} Received axis={self.axis}, inputs.shape={tuple(input_shape)}")
        sizes = [arguments.known_dim(self, input_shape, axis) for axis in self._kept]
        self._broadcast = tuple(input_shape[i] if i in self._kept else 1 for i in range(rank))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(name="mean", shape=sizes, initializer="zeros", trainable=False)
            self.adapt_variance = self.add_weight(name="variance", shape=sizes, initializer="ones", trainable=False)
            # Keras keeps this weight in its files, and never changes it.
            self.count = self.add_weight(name="count", shape=(), dtype="int", initializer="zeros", trainable=False)
        self.input_spec = InputSpec(axes={i - rank: input_shape[i] for i in self._kept})

    @property
    def mean(self):
        """The mean in use, in a shape that broadcasts against the inputs; None before the layer is built."""
        return self._statistic(self.input_mean, "adapt_mean")

    @property
    def variance(self):
        """The variance in use, in a shape that broadcasts against the inputs; None before the layer is built."""
        return self._statistic(self.input_variance, "adapt_variance")

    def _statistic(self, given, weight):
        if not self.built:
            return None
        if given is None:
            return ops.reshape(getattr(self, weight), self._broadcast)
        values = ops.convert_to_tensor(given, dtype=self.compute_dtype)
        if values.shape:  # fewer axes than are kept: they are the last of these
            aligned = [1] * len(self._broadcast)
            for axis, size in zip(reversed(self._kept), reversed(values.shape)):
                aligned[axis] = size
            values = ops.reshape(values, aligned)
        return ops.broadcast_to(values, self._broadcast)

    def adapt(self, data: Any) -> None:
        """Finds mean and variance of the data; statistics of an earlier call are forgotten.

        Args:
            data: an array, or batches of arrays: a list of them, a generator, a `PyDataset`, a dataset. Of a batch
                `(x, y)` or `(x, y, sample_weight)` the x counts. A dataset of single rows is taken in batches.

        Raises:
            ValueError: if there are no batches, or they have other sizes along the axes that are kept.
            TypeError: if the batches are no arrays.
        """
        if self.input_mean is not None:
            message = (
                "adapt() was called, but `mean` and `variance` were given to the constructor; leave one of the two out"
            )
            raise arguments.invalid(self, message, AttributeError)
        count, mean, variance = 0, 0.0, 0.0
        for batch in self._batches(data):
            batch = np.asarray(batch, dtype="float64")
            if not self.built:
                self.build(batch.shape)
                self.built = True
            if batch.ndim != len(self._broadcast) or any(batch.shape[i] != self._broadcast[i] for i in self._kept):
                message = (
                    f"The layer was built with input_shape={self._build_shapes.get('input_shape')}, but adapt() is "
                    f"being called with data with an incompatible shape, data.shape={batch.shape}"
                )
                raise arguments.invalid(self, message)
            axes = tuple(i for i in range(batch.ndim) if i not in self._kept)
            count, mean, variance = _joined(count, mean, variance, batch, axes)
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)

    def _batches(self, data):
        """The arrays of what `adapt` was given."""
        if hasattr(data, "__array__") or _is_numbers(data):
            return [data]
        if not hasattr(data, "__iter__") and not hasattr(data, "__getitem__"):
            message = f"Unsupported data type: {type(data)}. `adapt` takes an array, or an iterable of batches"
            raise arguments.invalid(self, message, TypeError)
        if isinstance(data, Dataset):
            first = _inputs(next(iter(data), None))
            data = data if first is None or len(first.shape) > 1 else data.batch(128)
        batches = map(_inputs, data)
        first = list(itertools.islice(batches, 1))
        if not first:
            message = (
                "adapt() received an empty iterable (no batches). Pass an array or a non-empty iterable of arrays, "
                "e.g. layer.adapt([x])"
            )
            raise arguments.invalid(self, message)
        if not hasattr(first[0], "shape"):
            message = (
                "adapt() expects an iterable that yields arrays or tensors with a `.shape` attribute. Got an element "
                f"of type {type(first[0]).__name__}"
            )
            raise arguments.invalid(self, message, TypeError)
        return itertools.chain(first, batches)

    def finalize_state(self) -> None:
        """Does nothing: the weights are read at each call."""

    def call(self, inputs):
        inputs = ops.cast(inputs, self.compute_dtype)
        mean = ops.cast(self.mean, inputs.dtype)
        stddev = ops.cast(ops.maximum(ops.sqrt(self.variance), SMALLEST_STDDEV), inputs.dtype)
        if self.invert:
            return ops.add(mean, ops.multiply(inputs, stddev))
        return ops.divide(ops.subtract(inputs, mean), stddev)

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "axis": self.axis, "invert": self.invert}
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {**config, **{k: v if v is None else _listed(v) for k, v in given.items()}}


def _inputs(batch):
    """The x of a batch (x, y) or (x, y, sample_weight)."""
    return batch[0] if isinstance(batch, tuple) else batch


def _is_numbers(data):
    """Whether it is a list of numbers, or of lists of them."""
    if not isinstance(data, (list, tuple)):
        return False
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return isinstance(data, (bool, int, float, np.generic))


def _listed(value):
    """Numbers as lists that JSON knows."""
    return np.asarray(value).tolist() if hasattr(value, "shape") else value


def _joined(count, mean, variance, batch, axes):
    """Number, mean and variance of earlier data with a batch added, by the differences of the means."""
    more = math.prod(batch.shape[axis] for axis in axes)
    total = count + more
    batch_mean, batch_variance = batch.mean(axis=axes), batch.var(axis=axes)
    weight = more / max(total, 1)
    new_mean = mean + (batch_mean - mean) * weight
    spread = variance * (1 - weight) + batch_variance * weight + (batch_mean - mean) ** 2 * weight * (1 - weight)
    return total, new_mean, spread


class CategoryEncoding(Layer):
    """Turns whole numbers from 0 to `num_tokens - 1` into rows with one place per number.

    Args:
        num_tokens: how many numbers there are.
        output_mode: `"one_hot"` gives a row for each number; `"multi_hot"` one row for each sample, 1 where a number
            occurs; `"count"` one row for each sample with how often each number occurs.
        sparse: False: tensors are dense here.

    Call arguments:
        inputs: whole numbers, one or several for each sample.
        count_weights: how much each occurrence counts, for `output_mode="count"`.

    Example:

    >>> keras.layers.CategoryEncoding(4, output_mode="one_hot")(np.array([3, 0]))
    [[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]]
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if sparse:
            raise arguments.invalid(self, "Unsupported value `sparse=True`: kerasish has no sparse tensors")
        if output_mode not in ("count", "one_hot", "multi_hot"):
            message = f"Unknown arg for output_mode: {output_mode}; expected 'count', 'one_hot' or 'multi_hot'"
            raise arguments.invalid(self, message)
        if num_tokens is None:
            raise arguments.invalid(self, "num_tokens must be set to use this layer: how many categories there are")
        if num_tokens < 1:
            raise arguments.invalid(self, f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}.")
        self.num_tokens = num_tokens
        self.output_mode = output_mode

    def call(self, inputs, count_weights=None):
        if count_weights is not None and self.output_mode != "count":
            message = "`count_weights` is not used when `output_mode` is not `'count'`."
            raise arguments.invalid(self, f"{message} Received `count_weights={count_weights}`.")
        if not inputs.shape:
            inputs = ops.reshape(inputs, (1,))
        if self.output_mode == "one_hot" and inputs.shape[-1] == 1 and len(inputs.shape) > 1:
            inputs = ops.squeeze(inputs, -1)
        rows = ops.one_hot(inputs, self.num_tokens, dtype=self.compute_dtype)
        if count_weights is not None:
            rows = ops.multiply(rows, ops.expand_dims(ops.cast(count_weights, rows.dtype), -1))
        if self.output_mode == "one_hot":
            return rows
        return (ops.max if self.output_mode == "multi_hot" else ops.sum)(rows, axis=-2)

    def compute_output_shape(self, input_shape) -> tuple:
        if self.output_mode == "one_hot":
            kept = input_shape[:-1] if len(input_shape) > 1 and input_shape[-1] == 1 else input_shape or (1,)
            return (*kept, self.num_tokens)
        return (*input_shape[:-1], self.num_tokens)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "num_tokens", "output_mode")}
