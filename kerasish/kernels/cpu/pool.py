"""Pooling of (N, H, W, C) by the strips of depthwise convolutions: rows of neighbouring windows, lanes are channels.

Max pooling has strips of its own (`peak.py`). Average pooling is a depthwise convolution with filters that are constant
for a window; the borders' windows, which have fewer taps, take others. Gradients gather: each element of gx looks up
the windows that cover it, so no two jobs write to the same place.
"""

import functools

import numpy as np

from kerasish.device import memory
from kerasish.device.natives import Family
from kerasish.device.raw import address
from kerasish.kernels.cpu import depthwise, peak
from kerasish.kernels.cpu.arrays import flat, supported
from kerasish.kernels.cpu.conv import output_shape
from kerasish.kernels.reference import pool as reference

LARGEST, SPREAD = (tuple(peak.KINDS[name]) for name in ("largest", "spread"))


def max_pool2d(x, size, window, need_where=True, activation=None):
    """The largest element of each window; padding never wins, a NaN always does.

    x      (N, H, W, C)
    ->  y  (N, OH, OW, C), where (N, OH, OW, C): number of the first maximum in its window (None unless needed)

    With "relu" as activation, y is at least 0, and where no element is above 0 the number is none of the window's.
    """
    if not _ours(x):
        return reference.max_pool2d(x, size, window, need_where, activation)
    y = memory.empty(_windows(x.shape, size, window), x.dtype)
    where = memory.empty(y.shape, reference.where_dtype(size)) if need_where else None
    plan, tables = depthwise.forward_plan(x.shape, size, y.shape, window, LARGEST)
    plan = plan._replace(stream=peak.FLOOR if activation == "relu" else 0)
    native = _largest.native((x.dtype, reference.where_dtype(size)))
    depthwise.launch({x.dtype: native}, plan, tables, flat(x), None, y, where, address(y))
    return y, where


def max_pool2d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool2d`: each gy goes to the maximum that it came from."""
    if not _ours(gy):
        return reference.max_pool2d_grad(gy, where, x_shape, size, window)
    gx, gy, where = memory.empty(x_shape, gy.dtype), np.ascontiguousarray(gy), np.ascontiguousarray(where)
    plan, tables = depthwise.gradient_plan(gy.shape, size, gx.shape, window, SPREAD)
    native = _spread.native((gy.dtype, where.dtype))
    depthwise.launch({gy.dtype: native}, plan, tables, gy, None, gx, where, address(gy))
    return gx


def average_pool2d(x, size, window):
    """The mean of each window, over the elements that lie inside the image."""
    if not _ours(x):
        return reference.average_pool2d(x, size, window)
    y = memory.empty(_windows(x.shape, size, window), x.dtype)
    plan, tables, shares = _average_plan(x.shape, size, y.shape, window, x.dtype)
    depthwise.launch(depthwise.FORWARD, plan, tables, flat(x), shares, y)
    return y


def average_pool2d_grad(gy, x_shape, size, window):
    """dL/dx of `average_pool2d`: each gy spreads evenly over the part of its window that lies inside the image."""
    if not _ours(gy):
        return reference.average_pool2d_grad(gy, x_shape, size, window)
    filters, shares = _spreading(gy.shape, size, tuple(x_shape), window, gy.dtype)
    gy = gy if shares is None else gy * shares
    return depthwise.depthwise_conv2d_grad_input(gy, filters, x_shape, window)


def _ours(x):
    return x.ndim == 4 and supported(x)


def _windows(x_shape, size, window):
    return output_shape(x_shape, (*size, x_shape[-1]), window)


@functools.lru_cache(1024)
def _average_plan(x_shape, size, y_shape, window, dtype):
    """The plan of a depthwise convolution, its tables, and its filters: for each number of rows and of columns a window
    may have inside the image, the share of one element."""
    meetings = depthwise.axes_of(depthwise.forward_axis, x_shape, size, y_shape, window)
    counts = [sorted({m.taps for m in axis}) for axis in meetings]
    meetings = [[m._replace(tap=have.index(m.taps)) for m in axis] for axis, have in zip(meetings, counts)]
    shares = np.repeat(1 / np.maximum(np.outer(*counts), 1).astype(dtype), x_shape[-1])
    kernel = (len(counts[0]), len(counts[1]))
    plan, tables = depthwise.layout(x_shape, y_shape, kernel, meetings, window.dilation, (0, 0), window.strides[1], 1)
    return plan, tables, shares.astype(dtype)


@functools.lru_cache(1024)
def _spreading(gy_shape, size, x_shape, window, dtype):
    """What gradients of means are multiplied by: filters; before that (OH, OW, 1) shares, or None if all are equal."""
    down, across = depthwise.axes_of(depthwise.forward_axis, x_shape, size, gy_shape, window)
    counts = np.maximum(np.outer([m.taps for m in down], [m.taps for m in across]), 1)[..., None]
    even = counts.min() == counts.max()
    filters = np.full((*size, x_shape[-1], 1), 1 / counts[0, 0] if even else 1, dtype)
    return filters, None if even else (1 / counts).astype(dtype)


class Walk(Family):
    """All strips of a kind, for the dtypes of x and of the numbers."""

    usual = ((np.dtype("float32"), np.dtype("uint8")),)

    def entry(self, dtype, number):
        strip = peak.peak_of(self.name, dtype.name, number.name)
        return depthwise.walker(depthwise.walk_of(strip, dtype.itemsize, 1))


_largest, _spread = Walk(__name__, "largest"), Walk(__name__, "spread")
