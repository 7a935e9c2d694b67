"""Layers that rearrange the axes of their input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kerasish import ops
from kerasish.core.symbolic import KerasTensor
from kerasish.layers import arguments, calling
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


class Rearranging(Layer):
    """Gives the numbers of its input other places; they keep their dtype, whatever the layer's is."""

    def compute_output_spec(self, inputs):
        return KerasTensor(self.compute_output_shape(tuple(inputs.shape)), calling.dtype_seen(self, inputs.dtype))


class Flatten(Rearranging):
    """Turns each sample into one row of numbers.

    Args:
        data_format: with `"channels_first"` the channels are moved to the end first, so that the order of the numbers
            is the same for both formats; the default is `keras.config.image_data_format()`.

    Example:

    >>> keras.layers.Flatten()(np.random.rand(2, 10, 64)).shape
    (2, 640)
    """

    _recordable = True

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = arguments.data_format(self, data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 2:
            inputs = ops.transpose(inputs, (0, *range(2, rank), 1))
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))

    def compute_output_shape(self, input_shape) -> tuple:
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "data_format")}


class Reshape(Rearranging):
    """Gives each sample another shape with the same numbers in the same order.

    Args:
        target_shape: the shape without the batch axis; one size may be -1, which stands for what is left. None does,
            too, and stays open in a graph.

    Raises:
        ValueError: if the number of elements differs.

    Example:

    >>> keras.layers.Reshape((-1, 2))(np.random.rand(5, 12)).shape
    (5, 6, 2)
    """

    _recordable = True

    def __init__(self, target_shape: Sequence[int], **kwargs: Any):
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        received = f"Received: target_shape={self.target_shape}"
        if any(size is not None and size < -1 for size in self.target_shape):
            message = "Each dimension of `target_shape` must be a non-negative integer or -1."
            raise arguments.invalid(self, f"{message} {received}")
        if self.target_shape.count(-1) > 1:
            message = "There must be at most one unknown dimension (-1) in `target_shape`."
            raise arguments.invalid(self, f"{message} {received}")
        self.built = True

    def call(self, inputs):
        if isinstance(inputs, KerasTensor):
            return ops.reshape(inputs, self.compute_output_shape(inputs.shape))
        target = tuple(-1 if size is None else size for size in self.target_shape)
        return ops.reshape(inputs, (inputs.shape[0], *self._target(target, tuple(inputs.shape))))

    def _target(self, target, input_shape):
        """A target with its -1 worked out, or None for it where sizes are open."""
        if None in input_shape[1:] or None in target:
            return tuple(None if size == -1 else size for size in target)
        total, known = math.prod(input_shape[1:]), math.prod(size for size in target if size != -1)
        if target.count(-1) == 1 and known and total % known == 0:
            return tuple(total // known if size == -1 else size for size in target)
        if -1 in target or total != known:
            message = f"input of shape {input_shape} has {total} numbers per sample"
            advice = f"which cannot be arranged as target_shape={self.target_shape}; choose a shape for {total} numbers"
            raise arguments.invalid(self, f"{message}, {advice}")
        return target

    def compute_output_shape(self, input_shape) -> tuple:
        return (input_shape[0], *self._target(self.target_shape, tuple(input_shape)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "target_shape")}


class Permute(Rearranging):
    """Exchanges the axes of each sample.

    Args:
        dims: the old axis for each new one, counted from 1 (the batch axis stays).

    Example:

    >>> keras.layers.Permute((2, 1))(np.random.rand(5, 10, 64)).shape
    (5, 64, 10)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            message = (
                "Invalid permutation argument `dims` for Permute Layer. Expected each number from 1 to the rank once."
            )
            raise arguments.invalid(self, f"{message} Received dims={dims}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs):
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape) -> tuple:
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "dims")}


class RepeatVector(Layer):
    """Repeats each sample's vector `n` times.

    Args:
        n: how often.

    Example:

    >>> keras.layers.RepeatVector(3)(np.random.rand(5, 32)).shape
    (5, 3, 32)
    """

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.n = repetitions(self, n, "n")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def compute_output_shape(self, input_shape) -> tuple:
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "n")}


def repetitions(layer, value: Any, name: str) -> int:
    """How often something is repeated: a positive integer."""
    if not arguments.is_int(value):
        raise arguments.invalid(layer, f"Expected an integer value for `{name}`, got {type(value)}.", TypeError)
    if value <= 0:
        raise arguments.invalid(layer, f"Argument `{name}` should be a positive integer. Received: {name}={value}")
    return value
