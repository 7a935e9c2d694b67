"""Layers, and functions, that make one tensor of several."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from kerasish import ops
from kerasish.core import shapes
from kerasish.layers import arguments
from kerasish.layers.calling import get_mask
from kerasish.layers.layer import Layer


def is_list_of_shapes(shape: Any) -> bool:
    """Whether this is a list of shapes, and not a shape."""
    return isinstance(shape, (list, tuple)) and len(shape) > 0 and all(isinstance(s, (list, tuple)) for s in shape)


class Merge(Layer):
    """Combines its inputs element by element; those of lower rank get axes of size 1 after the batch axis."""

    combine: Callable

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape) -> None:
        if not is_list_of_shapes(input_shape):
            message = "A merge layer should be called on a list of inputs."
            raise arguments.invalid(self, f"{message} Received: input_shape={input_shape} (not a list of shapes)")
        self.compute_output_shape(input_shape)

    def call(self, inputs):
        if not isinstance(inputs, (list, tuple)):
            message = (
                f"A merge layer should be called on a list of inputs. Received: inputs={inputs} (not a list of tensors)"
            )
            raise arguments.invalid(self, message)
        return self._merge_function(self._aligned(inputs))

    def _merge_function(self, inputs):
        return functools.reduce(type(self).combine, inputs)

    def _aligned(self, inputs):
        """All inputs with the rank of the largest."""
        ranks = [len(x.shape) for x in inputs]
        if min(ranks) == max(ranks):
            return inputs
        return [ops.expand_dims(x, [*range(1, 1 + max(ranks) - rank)]) for x, rank in zip(inputs, ranks)]

    def compute_output_shape(self, input_shape) -> tuple:
        batches = {shape[0] for shape in input_shape if shape[0] is not None}
        if len(batches) > 1:
            message = "Cannot merge tensors with different batch sizes."
            raise arguments.invalid(self, f"{message} Received tensors with shapes {[*map(tuple, input_shape)]}")
        try:
            rest = functools.reduce(shapes.broadcast, [tuple(shape[1:]) for shape in input_shape])
        except ValueError:
            received = " and ".join(str(tuple(shape[1:])) for shape in input_shape)
            message = f"Inputs have incompatible shapes. Received shapes {received} (without the batch axis)"
            raise arguments.invalid(self, f"{message}; sizes must be equal, or 1") from None
        return (batches.pop() if batches else None, *rest)

    def compute_mask(self, inputs, mask=None):
        if mask is None:
            return None
        check_masks(self, inputs, mask)
        if any(m is None for m in mask):
            return None
        return functools.reduce(ops.logical_or, mask)

    def get_config(self) -> dict[str, Any]:
        return super().get_config()  # without the automatic one, which would hold `autocast`


def check_masks(layer, inputs, mask) -> None:
    """Refuse anything but one mask (or None) per input."""
    for name, value in (("mask", mask), ("inputs", inputs)):
        if not isinstance(value, (list, tuple)):
            raise arguments.invalid(layer, f"`{name}` should be a list. Received: {name}={value}")
    if len(mask) != len(inputs):
        message = f"The lists `inputs` and `mask` should have the same length. Received {len(inputs)} and {len(mask)}"
        raise arguments.invalid(layer, message)


class Add(Merge):
    """The sum of its inputs.

    Example:

    >>> keras.layers.Add()([np.ones((2, 3)), np.ones((2, 3))])
    """

    combine = staticmethod(ops.add)
    _role = "sum"
    _recordable = True


class Subtract(Merge):
    """The first input minus the second.

    Example:

    >>> keras.layers.Subtract()([np.ones((2, 3)), np.ones((2, 3))])
    """

    combine = staticmethod(ops.subtract)

    def build(self, input_shape) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            message = "A `Subtract` layer should be called on exactly 2 inputs."
            raise arguments.invalid(self, f"{message} Received: input_shape={input_shape}")


class Multiply(Merge):
    """The product of its inputs, element by element; masked steps count as 1, and as 0 where all are masked."""

    combine = staticmethod(ops.multiply)
    _recordable = True

    def _merge_function(self, inputs):
        masks = [_whole_mask(x) for x in inputs]
        product = super()._merge_function([x if m is None else _chosen(m, x, 1) for x, m in zip(inputs, masks)])
        if any(m is None for m in masks):
            return product
        mask = functools.reduce(ops.logical_or, masks)
        return _with_mask(_chosen(mask, product, 0), mask)


class Average(Merge):
    """The mean of its inputs, element by element."""

    combine = staticmethod(ops.add)
    _recordable = True

    def _merge_function(self, inputs):
        return ops.divide(super()._merge_function(inputs), len(inputs))


class _Extreme(Merge):
    """The largest or smallest of its inputs: a masked step gives way to what the other inputs have there."""

    def _merge_function(self, inputs):
        output, output_mask = inputs[0], _whole_mask(inputs[0])
        for x in inputs[1:]:
            mask = _whole_mask(x)
            x = x if mask is None else ops.where(mask, x, output)
            output = output if output_mask is None else ops.where(output_mask, output, x)
            output_mask = None if mask is None or output_mask is None else ops.logical_or(output_mask, mask)
            output = type(self).combine(output, x)
        return output if output_mask is None else _with_mask(output, output_mask)


class Maximum(_Extreme):
    """The largest of its inputs, element by element; masked steps give way to the other inputs'."""

    combine = staticmethod(ops.maximum)
    _recordable = True


class Minimum(_Extreme):
    """The smallest of its inputs, element by element; masked steps give way to the other inputs'."""

    combine = staticmethod(ops.minimum)
    _recordable = True


def _whole_mask(x):
    """The mask that travels with x, in the shape of x."""
    mask = get_mask(x)
    return None if mask is None else ops.broadcast_to(ops.expand_dims(mask, -1), x.shape)


def _chosen(mask, x, other):
    return ops.where(mask, x, ops.cast(other, x.dtype))


def _with_mask(x, whole_mask):
    x._keras_mask = ops.any(whole_mask, axis=-1)
    return x


class Concatenate(Merge):
    """Its inputs, one after the other.

    Args:
        axis: the axis along which they follow one another; they are alike along all others.

    Example:

    >>> keras.layers.Concatenate()([np.ones((2, 3)), np.ones((2, 5))]).shape
    (2, 8)
    """

    _recordable = True

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape) -> None:
        if not is_list_of_shapes(input_shape):
            message = "A `Concatenate` layer should be called on a list of at least 1 input."
            raise arguments.invalid(self, f"{message} Received: input_shape={input_shape}")
        self.compute_output_shape(input_shape)

    def _aligned(self, inputs):
        return inputs

    def _merge_function(self, inputs):
        return ops.concatenate(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape) -> tuple:
        if not -len(input_shape[0]) <= self.axis < len(input_shape[0]):
            message = f"axis={self.axis} does not exist in an input of shape {tuple(input_shape[0])}"
            raise arguments.invalid(self, message, IndexError)
        try:
            return shapes.concatenate([tuple(shape) for shape in input_shape], self.axis)
        except ValueError:
            message = "A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis."
            received = f"Received: input_shape={[*map(tuple, input_shape)]}, axis={self.axis}"
            raise arguments.invalid(self, f"{message} {received}") from None

    def compute_mask(self, inputs, mask=None):
        if mask is None:
            return None
        check_masks(self, inputs, mask)
        if all(m is None for m in mask):
            return None
        full = [self._full_mask(x, m) for x, m in zip(inputs, mask)]
        return ops.any(ops.concatenate(full, axis=self.axis), axis=-1)

    @staticmethod
    def _full_mask(x, mask):
        """A mask with the shape of its input."""
        if mask is None:
            return ops.ones_like(x, dtype="bool")
        missing = len(x.shape) - len(mask.shape)
        if missing == 0:
            return mask
        return ops.broadcast_to(ops.reshape(mask, (*mask.shape, *(1,) * missing)), tuple(x.shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "axis")}


class Dot(Merge):
    """The product of two inputs' samples along one axis of each.

    Args:
        axes: the axis of both, or (the first's, the second's); the batch axis, 0, cannot be one.
        normalize: whether the inputs are scaled to length 1 along the axes first, which gives the cosine.

    Example:

    >>> keras.layers.Dot(axes=(1, 2))([np.ones((2, 3, 4)), np.ones((2, 5, 3))]).shape
    (2, 4, 5)
    """

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(axes, (int, list, tuple)):
            message = f"Invalid type for argument `axes`: it should be a list or an int. Received: axes={axes}"
            raise arguments.invalid(self, message, TypeError)
        if not isinstance(axes, int) and (len(axes) != 2 or not all(isinstance(axis, int) for axis in axes)):
            message = f"Invalid format for argument `axes`: it should contain two elements. Received: axes={axes}"
            raise arguments.invalid(self, message)
        self.axes = axes
        self.normalize = normalize

    def build(self, input_shape) -> None:
        if not is_list_of_shapes(input_shape) or len(input_shape) != 2:
            message = "A `Dot` layer should be called on a list of 2 inputs."
            raise arguments.invalid(self, f"{message} Received: input_shape={input_shape}")
        self.compute_output_shape(input_shape)

    def _axes_of(self, input_shape):
        axes = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        for axis, shape in zip(axes, input_shape):
            if not -len(shape) <= axis < len(shape):
                message = f"axis {axis} does not exist in an input of shape {tuple(shape)}"
                raise arguments.invalid(self, message, IndexError)
        axes = tuple(axis % len(shape) for axis, shape in zip(axes, input_shape))
        if 0 in axes:
            message = f"axes={self.axes} includes the batch axis 0; choose an axis of the samples"
            raise arguments.invalid(self, message)
        return axes

    def call(self, inputs):
        x, y = inputs
        a, b = self._axes_of((x.shape, y.shape))
        if self.normalize:
            x, y = ops.normalize(x, axis=a), ops.normalize(y, axis=b)
        left, right = ops.moveaxis(x, a, -1), ops.moveaxis(y, b, 1)
        batch, shared = x.shape[0], x.shape[a]
        rows, columns = math.prod(left.shape[1:-1]), math.prod(right.shape[2:])
        product = ops.matmul(ops.reshape(left, (batch, rows, shared)), ops.reshape(right, (batch, shared, columns)))
        return ops.reshape(product, (batch, *(left.shape[1:-1] + right.shape[2:] or (1,))))

    def compute_output_shape(self, input_shape) -> tuple:
        first, second = (tuple(shape) for shape in input_shape)
        a, b = self._axes_of(input_shape)
        if first[a] != second[b]:  # an open size is not a known one
            message = f"Incompatible input shapes: axis values {first[a]} (at axis {a}) != {second[b]} (at axis {b})."
            raise arguments.invalid(self, f"{message} Full input shapes: {first}, {second}")
        rest = first[1:a] + first[a + 1 :] + second[1:b] + second[b + 1 :]
        return (first[0], *(rest or (1,)))

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "axes", "normalize")}


def add(inputs: Sequence, **kwargs: Any):
    """`keras.layers.Add` as a function."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence, **kwargs: Any):
    """`keras.layers.Subtract` as a function."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence, **kwargs: Any):
    """`keras.layers.Multiply` as a function."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence, **kwargs: Any):
    """`keras.layers.Average` as a function."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence, **kwargs: Any):
    """`keras.layers.Maximum` as a function."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence, **kwargs: Any):
    """`keras.layers.Minimum` as a function."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence, axis: int = -1, **kwargs: Any):
    """`keras.layers.Concatenate` as a function."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence, axes: int | Sequence[int] = -1, **kwargs: Any):
    """`keras.layers.Dot` as a function."""
    return Dot(axes=axes, **kwargs)(inputs)
