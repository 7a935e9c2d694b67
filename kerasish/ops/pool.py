"""Pooling, by kernels of two and three axes; one axis is lifted to two."""

from __future__ import annotations

import functools
import itertools

import numpy as np

from kerasish.config import image_data_format
from kerasish.core import shapes
from kerasish.core.op import Op, Spec
from kerasish.core.operators import Operators
from kerasish.core.shapes import Window
from kerasish.core.tensor import convert_to_tensor
from kerasish.ops.conv import NN
from kerasish.ops.convolve import channels_last, per_axis
from kerasish.ops.elementwise import equal
from kerasish.ops.shaping import expand_dims, moveaxis, squeeze
from kerasish.ops.table import cast, tensor_of
from kerasish.ops.tiling import pad


def _kernel(ctx, name, size):
    """The kernel for windows of this size."""
    return getattr(ctx.kernels, name.format(len(size)))


class PoolMax(Op):
    """x (N, H, W, C) -> the largest of each window (N, OH, OW, C), and at least 0 if the activation is "relu".

    Here and below, D and OD may come before H and OH.
    """

    def __init__(self, size, window, activation=None):
        self.size, self.window, self.activation = size, window, activation

    def forward(self, ctx, x):
        y, where = _kernel(ctx, "max_pool{}d", self.size)(x, self.size, self.window, ctx.recording, self.activation)
        ctx.save(where, x.shape)
        return y

    def backward(self, ctx, gy):
        where, x_shape = ctx.saved
        return PoolMaxGrad(self.size, self.window, x_shape, where.value)(gy)


class PoolMaxGrad(Op):
    """gy sent to the maxima."""

    def __init__(self, size, window, x_shape, where):
        self._args = size, window, x_shape, where

    def forward(self, ctx, gy):
        size, window, x_shape, where = self._args
        return _kernel(ctx, "max_pool{}d_grad", size)(gy, where, x_shape, size, window)

    def backward(self, ctx, ggx):
        size, window, _, where = self._args
        total = None
        for number, tap in enumerate(_taps(ggx, size, window, where.shape)):
            part = tap * cast(equal(where, number), ggx.dtype)
            total = part if total is None else total + part
        return total


def _taps(x, size, window, out_shape):
    """For each place in the window, what it sees of x."""
    padded = pad(x, [(0, 0), *window.pads, (0, 0)]) if any(map(any, window.pads)) else x
    for first in itertools.product(*map(range, size)):
        axes = zip(first, out_shape[1:-1], window.strides)
        yield padded[(slice(None), *(slice(at, at + (n - 1) * s + 1, s) for at, n, s in axes))]


class PoolAverage(Op):
    """x (N, H, W, C) -> the mean of each window's part inside the image (N, OH, OW, C)."""

    def __init__(self, size, window):
        self.size, self.window = size, window

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return _kernel(ctx, "average_pool{}d", self.size)(x, self.size, self.window)

    def backward(self, ctx, gy):
        return PoolAverageGrad(self.size, self.window, ctx.saved[0])(gy)


class PoolAverageGrad(Op):
    """gy spread evenly over its window."""

    def __init__(self, size, window, x_shape):
        self.size, self.window, self._x_shape = size, window, x_shape

    def forward(self, ctx, gy):
        return _kernel(ctx, "average_pool{}d_grad", self.size)(gy, self._x_shape, self.size, self.window)

    def backward(self, ctx, ggx):
        return PoolAverage(self.size, self.window)(ggx)


def _pool(op, x, size, strides, padding):
    """Pooling of a channels-last tensor."""
    rank = len(x.shape) - 2
    pads = tuple(shapes.window_pads(d, k, s, padding) for d, k, s in zip(x.shape[1:-1], size, strides))
    if rank == 1:
        return squeeze(op((1, *size), Window((1, *strides), ((0, 0), *pads)))(expand_dims(x, 1)), 1)
    return op(size, Window(strides, pads, (1,) * rank))(x)


class _Door(Op):
    """The public op of a graph."""

    module = NN

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None):
        self.pool_size, self.strides, self.padding = pool_size, strides, padding.lower()
        self.data_format = data_format or image_data_format()
        if self.padding not in ("valid", "same"):
            raise ValueError(f"Invalid padding: {padding}. It must be 'valid' or 'same'")

    def _sizes(self, rank):
        size = per_axis(self.pool_size, rank)
        return size, size if self.strides is None else per_axis(self.strides, rank)

    def _check(self, shape, spatial, size):
        if self.padding == "valid" and any(d is not None and d < k for d, k in zip(spatial, size)):
            raise ValueError(
                f"Computed output size would be negative: an input of shape {tuple(shape)} is smaller than "
                f"pool_size={size}; use padding='same'"
            )

    def infer(self, x):
        last = channels_last(self.data_format)
        spatial = x.shape[1:-1] if last else x.shape[2:]
        size, strides = self._sizes(len(spatial))
        self._check(x.shape, spatial, size)
        lengths = [shapes.window_output(d, k, s, self.padding) for d, k, s in zip(spatial, size, strides)]
        return Spec((x.shape[0], *lengths, x.shape[-1]) if last else (*x.shape[:2], *lengths), x.dtype)

    def call(self, x):
        last = channels_last(self.data_format)
        x = x if hasattr(x, "shape") else tensor_of(x)
        x = x if last else moveaxis(x, 1, -1)
        size, strides = self._sizes(len(x.shape) - 2)
        self._check(x.shape, x.shape[1:-1], size)
        y = _pool(self.inner, x, size, strides, self.padding)
        return y if last else moveaxis(y, -1, 1)


class MaxPool(_Door):
    """The largest of each window."""

    inner = PoolMax

    def call(self, x):
        if len(np.shape(x)) == 4 and not isinstance(x, Operators) and channels_last(self.data_format):
            x = convert_to_tensor(x, "float32")  # as TensorFlow's kernel for images takes what is no tensor yet
        return super().call(x)


class MaxPoolRelu(_Door):
    """The largest of each window, or 0 if none is above it."""

    inner = staticmethod(functools.partial(PoolMax, activation="relu"))


class AveragePool(_Door):
    """The mean of each window."""

    inner = PoolAverage


def max_pool(
    inputs,
    pool_size: int | tuple,
    strides: int | tuple | None = None,
    padding: str = "valid",
    data_format: str | None = None,
):
    """The largest of each window.

    Args:
        inputs: (N, *S, C), or (N, C, *S) for "channels_first".
        pool_size: an int, or one for each axis of space.
        strides: likewise; the pool size by default.
        padding: "valid" or "same".
        data_format: where the channels are; None means the configured format.
    """
    return MaxPool(pool_size, strides, padding, data_format)(inputs)


def max_pool_relu(
    inputs,
    pool_size: int | tuple,
    strides: int | tuple | None = None,
    padding: str = "valid",
    data_format: str | None = None,
):
    """`max_pool` of relu, or relu of `max_pool`, which are the same, in one kernel."""
    return MaxPoolRelu(pool_size, strides, padding, data_format)(inputs)


def average_pool(
    inputs,
    pool_size: int | tuple,
    strides: int | tuple | None = None,
    padding: str = "valid",
    data_format: str | None = None,
):
    """The mean of each window, padding left out.

    Args:
        inputs: (N, *S, C), or (N, C, *S) for "channels_first".
        pool_size: an int, or one for each axis of space.
        strides: likewise; the pool size by default.
        padding: "valid" or "same".
        data_format: where the channels are; None means the configured format.
    """
    return AveragePool(pool_size, strides, padding, data_format)(inputs)


def upsample(inputs, factors):
    """Each pixel of (N, H, W, C) repeated `factors` times down and across."""
    return Upsample(tuple(factors))(inputs)


class Upsample(Op):
    """Nearest-neighbour upsampling."""

    def __init__(self, factors):
        self.factors = factors

    def infer(self, x):
        n, h, w, c = x.shape
        return Spec((n, *(None if d is None else d * f for d, f in zip((h, w), self.factors)), c), x.dtype)

    def forward(self, ctx, x):
        return ctx.kernels.upsample_nearest(x, self.factors)

    def backward(self, ctx, gy):
        return UpsampleGrad(self.factors)(gy)


class UpsampleGrad(Op):
    """Sums over blocks."""

    def __init__(self, factors):
        self.factors = factors

    def forward(self, ctx, gy):
        return ctx.kernels.upsample_nearest_grad(gy, self.factors)

    def backward(self, ctx, ggx):
        return upsample(ggx, self.factors)
