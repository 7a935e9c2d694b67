"""Pooling of (N, H, W, C) by the strips of depthwise convolutions: rows of neighbouring windows, lanes are channels.

Max pooling has strips of its own (`peak.py`). Average pooling is a depthwise convolution with filters that are constant
for a window; the borders' windows, which have fewer taps, take others. Gradients gather: each element of gx looks up
the windows that cover it, so no two jobs write to the same place.
"""

import functools

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, njit, prange
from kerasish.device.pointer import view
from kerasish.kernels.cpu import depthwise, peak
from kerasish.kernels.cpu.arrays import large, streams, supported
from kerasish.kernels.cpu.conv import output_shape
from kerasish.kernels.reference import pool as reference


def max_pool2d(x, size, window, need_where=True, activation=None):
    """The largest element of each window; padding never wins, a NaN always does.

    x      (N, H, W, C)
    ->  y  (N, OH, OW, C), where (N, OH, OW, C): number of the first maximum in its window (None unless needed)

    With "relu" as activation, y is at least 0, and where no element is above 0 the number is none of the window's.
    """
    if not _ours(x):
        return reference.max_pool2d(x, size, window, need_where, activation)
    y = memory.empty(_windows(x.shape, size, window), x.dtype)
    where = memory.empty(y.shape if need_where else (0,) * 4, reference.where_dtype(size))
    tasks, *layout = depthwise.forward_layout(x.shape, size, y.shape, window, peak.LARGEST)
    options = int(activation == "relu"), streams(y, y.shape[-1]), large(x, y)
    _largest(tasks, np.ascontiguousarray(x), y, where, *layout, *options, threads=threads.wanted(y.size))
    return y, where if need_where else None


def max_pool2d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool2d`: each gy goes to the maximum that it came from."""
    if not _ours(gy):
        return reference.max_pool2d_grad(gy, where, x_shape, size, window)
    gx, gy, where = memory.empty(x_shape, gy.dtype), np.ascontiguousarray(gy), np.ascontiguousarray(where)
    tasks, *layout = depthwise.gradient_layout(gy.shape, size, gx.shape, window, peak.SPREAD)
    options = streams(gx, gx.shape[-1]), large(gy, gx)
    _spread(tasks, gy, where, gx, *layout, *options, threads=threads.wanted(gx.size))
    return gx


def average_pool2d(x, size, window):
    """The mean of each window, over the elements that lie inside the image."""
    if not _ours(x):
        return reference.average_pool2d(x, size, window)
    y = memory.empty(_windows(x.shape, size, window), x.dtype)
    layout, shares = _average_layout(x.shape, size, y.shape, window, x.dtype)
    depthwise.convolve(layout, x, shares, y)
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
def _average_layout(x_shape, size, y_shape, window, dtype):
    """The layout of a depthwise convolution, and its filters: for each number of rows and of columns a window may have
    inside the image, the share of one element."""
    meetings = depthwise.axes_of(depthwise.forward_axis, x_shape, size, y_shape, window)
    counts = [sorted({m.taps for m in axis}) for axis in meetings]
    meetings = [[m._replace(tap=have.index(m.taps)) for m in axis] for axis, have in zip(meetings, counts)]
    shares = np.repeat(1 / np.maximum(np.outer(*counts), 1).astype(dtype), x_shape[-1])
    kernel = (len(counts[0]), len(counts[1]))
    layout = depthwise.layout(x_shape, y_shape, kernel, meetings, window.dilation, (0, 0), window.strides[1], 1)
    return layout, shares.astype(dtype)


@functools.lru_cache(1024)
def _spreading(gy_shape, size, x_shape, window, dtype):
    """What gradients of means are multiplied by: filters; before that (OH, OW, 1) shares, or None if all are equal."""
    down, across = depthwise.axes_of(depthwise.forward_axis, x_shape, size, gy_shape, window)
    counts = np.maximum(np.outer([m.taps for m in down], [m.taps for m in across]), 1)[..., None]
    even = counts.min() == counts.max()
    filters = np.full((*size, x_shape[-1], 1), 1 / counts[0, 0] if even else 1, dtype)
    return filters, None if even else (1 / counts).astype(dtype)


@njit(parallel=True, fastmath=FASTMATH, usual=(f"float32.4 float32.4 uint8.4 {depthwise.LAYOUT} int64 int64 int64",))
def _largest(tasks, x, y, where, walk, rows, columns, floor, stream, large):
    """x (N, H, W, C), y (N, OH, OW, C), where likewise or empty, and a `depthwise.Layout`. Task: a band of y's rows."""
    for task in prange(tasks):
        at = walk[0]
        image, first, count = depthwise.band_of(at, task)
        u, v, numbers = view(x, image * at.x_image), view(y, image * at.y_image), view(where, image * at.y_image)
        for i in range(count * at.strips):
            kind, in_x, tap, in_y, high, wide = depthwise.strip_at(at, rows, columns, first, count, i, large)
            peak.largest(
                kind, view(u, in_x), at.x_pixel, at.x_row, at.x_tap, tap, at.w_row, at.w_tap, view(v, in_y),
                at.y_pixel, high, wide, at.channels, view(numbers, in_y), min(1, where.size), floor, stream,
            )  # fmt: skip


@njit(parallel=True, fastmath=FASTMATH, usual=(f"float32.4 uint8.4 float32.4 {depthwise.LAYOUT} int64 int64",))
def _spread(tasks, gy, where, gx, walk, rows, columns, stream, large):
    """gy and where (N, OH, OW, C), gx (N, H, W, C), and a `depthwise.Layout`. Task: a band of gx's rows."""
    for task in prange(tasks):
        at = walk[0]
        image, first, count = depthwise.band_of(at, task)
        u, v, numbers = view(gy, image * at.x_image), view(gx, image * at.y_image), view(where, image * at.x_image)
        for i in range(count * at.strips):
            kind, in_gy, tap, in_gx, high, wide = depthwise.strip_at(at, rows, columns, first, count, i, large)
            peak.spread(
                kind, view(u, in_gy), at.x_pixel, at.x_row, at.x_tap, tap, at.w_row, at.w_tap, view(v, in_gx),
                at.y_pixel, high, wide, at.channels, view(numbers, in_gy), stream,
            )  # fmt: skip
