"""Adaptive pooling: windows as large as a wanted output size needs, axis by axis."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes
from kerasish.core.op import Op, Spec
from kerasish.ops.conv import NN
from kerasish.ops.convolve import channels_last, per_axis
from kerasish.ops.indexing import take, take_along_axis
from kerasish.ops.linalg import matmul
from kerasish.ops.reduce import argmax
from kerasish.ops.shaping import as_tensor, moveaxis, reshape, squeeze


def sections(length: int, parts: int) -> list[tuple[int, int]]:
    """The first and (exclusive) last elements of `parts` windows that cover an axis; neighbours may share one."""
    return [(i * length // parts, -(-(i + 1) * length // parts)) for i in range(parts)]


class _Door(Op):
    """Pools one axis of space after the other."""

    module = NN

    def __init__(self, output_size, data_format=None):
        self.output_size, self.data_format = output_size, data_format

    def infer(self, x):
        sizes = self._sizes(x.shape)
        last = channels_last(self.data_format)
        return Spec((x.shape[0], *sizes, x.shape[-1]) if last else (*x.shape[:2], *sizes), x.dtype)

    def _sizes(self, shape) -> tuple:
        """The output's size along each axis of space.

        Raises:
            ValueError: if there are not one to three axes of space, one of them is empty, or the sizes do not fit them.
        """
        if not 3 <= len(shape) <= 5:
            raise ValueError(f"{self._name} supports 1D, 2D, or 3D inputs only. Received: inputs.shape={tuple(shape)}")
        sizes = tuple(per_axis(self.output_size, len(shape) - 2))
        if len(sizes) != len(shape) - 2 or any(n < 1 for n in sizes):
            raise ValueError(
                f"{self._name}: `output_size` must be a positive integer, or one for each of the {len(shape) - 2} axes "
                f"of space. Received: output_size={self.output_size} and inputs.shape={tuple(shape)}"
            )
        first = 1 if channels_last(self.data_format) else 2
        if 0 in shape[first : first + len(sizes)]:
            raise ValueError(f"{self._name}: an axis of space is empty. Received: inputs.shape={tuple(shape)}")
        return sizes

    def call(self, x):
        pooled = x = as_tensor(x)
        first = 1 if channels_last(self.data_format) else 2
        for axis, parts in enumerate(self._sizes(x.shape), first):
            pooled = pooled if x.shape[axis] == parts else self.pool(pooled, axis, parts)
        return reshape(x, tuple(x.shape)) if pooled is x else pooled  # what hangs on x is not the result's


class AdaptiveAveragePool(_Door):
    """The mean of each window."""

    _name = "adaptive_average_pool"

    def pool(self, x, axis, parts):
        weights = np.zeros((x.shape[axis], parts), dtypes.numpy_dtype(x.dtype))
        for column, (first, last) in enumerate(sections(x.shape[axis], parts)):
            weights[first:last, column] = 1 / (last - first)
        return moveaxis(matmul(moveaxis(x, axis, -1), weights), -1, axis)


class AdaptiveMaxPool(_Door):
    """The largest of each window, the first of equal ones: it alone has the gradient."""

    _name = "adaptive_max_pool"

    def pool(self, x, axis, parts):
        bounds = sections(x.shape[axis], parts)
        widest = max(last - first for first, last in bounds)
        index = np.array([np.minimum(np.arange(first, first + widest), last - 1) for first, last in bounds])
        windows = take(x, index, axis)
        first = argmax(windows, axis + 1, keepdims=True)
        return squeeze(take_along_axis(windows, first, axis + 1), axis + 1)


def adaptive_average_pool(inputs, output_size: int | tuple, data_format: str | None = None):
    """The means of (N, *S, C) over windows that leave `output_size` places along each axis of space.

    Args:
        inputs: (N, *S, C), or (N, C, *S) for "channels_first".
        output_size: an int, or one for each axis of space.
        data_format: where the channels are; None means the configured format.
    """
    return AdaptiveAveragePool(output_size, data_format)(inputs)


def adaptive_max_pool(inputs, output_size: int | tuple, data_format: str | None = None):
    """The maxima of (N, *S, C) over windows that leave `output_size` places along each axis of space.

    Args:
        inputs: (N, *S, C), or (N, C, *S) for "channels_first".
        output_size: an int, or one for each axis of space.
        data_format: where the channels are; None means the configured format.
    """
    return AdaptiveMaxPool(output_size, data_format)(inputs)
