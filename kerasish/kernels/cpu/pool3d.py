"""Pooling in space by the kernels of the plane: each frame first, then the depth.

A maximum's number in its window is that of its frame, times the elements of a frame, and its number there: the first
maximum of all is the first one of the first frame that has it.
"""

import math

import numpy as np

from kerasish.core.shapes import Window
from kerasish.device import memory, threads
from kerasish.device.jit import njit, prange
from kerasish.kernels.cpu import pool
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.conv import flattened
from kerasish.kernels.reference import pool as reference


def max_pool3d(x, size, window, need_where=True, activation=None):
    """The largest element of each window; padding never wins, a NaN always does.

    x      (N, D, H, W, C)
    ->  y  (N, OD, OH, OW, C), where (N, OD, OH, OW, C): number of the first maximum in its window (None unless needed)

    With "relu" as activation, y is at least 0, and where no element is above 0 the number is none of the window's.
    """
    if not supported(x):
        return reference.max_pool2d(x, size, window, need_where, activation)
    highest, inner = pool.max_pool2d(_frames(x), size[1:], flattened(window), need_where)
    columns = _columns(highest, x.shape[0])
    y, outer = pool.max_pool2d(columns, *_deep(size, window), need_where, activation)
    y = y.reshape(*y.shape[:2], *highest.shape[1:])
    if not need_where:
        return y, None
    where = memory.empty(y.shape, reference.where_dtype(size))
    inner, outer = (np.ascontiguousarray(a, where.dtype) for a in (inner, outer))
    planes = [
        a.reshape(x.shape[0], depth, -1) for a, depth in ((inner, x.shape[1]), (outer, y.shape[1]), (where, y.shape[1]))
    ]
    _join(y.shape[0] * y.shape[1], *planes, *_meeting(where, size, window), threads=_threads(where))
    return y, where


def max_pool3d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool3d`: each gy goes to the maximum that it came from."""
    if not supported(gy):
        return reference.max_pool2d_grad(gy, where, x_shape, size, window)
    N, D, *_, C = x_shape
    _, OD, OH, OW, _ = gy.shape
    where = np.ascontiguousarray(where)
    outer, inner = memory.empty(where.shape, where.dtype), memory.zeros((N, D, OH, OW, C), where.dtype)
    planes = where.reshape(N, OD, -1), inner.reshape(N, D, -1), outer.reshape(N, OD, -1)
    _part(N, *planes, *_meeting(where, size, window), threads=_threads(where))
    outer, inner = _narrow(outer, (size[0], 1)), _narrow(inner, size[1:])
    columns = gy.reshape(N, OD, OH * OW, C), outer.reshape(N, OD, OH * OW, C), (N, D, OH * OW, C)
    g = pool.max_pool2d_grad(*columns, *_deep(size, window))
    planes = g.reshape(-1, OH, OW, C), inner.reshape(-1, OH, OW, C), (N * D, *x_shape[2:])
    return pool.max_pool2d_grad(*planes, size[1:], flattened(window)).reshape(x_shape)


def average_pool3d(x, size, window):
    """The mean of each window, over the elements that lie inside the image."""
    if not supported(x):
        return reference.average_pool2d(x, size, window)
    frames = pool.average_pool2d(_frames(x), size[1:], flattened(window))
    y = pool.average_pool2d(_columns(frames, x.shape[0]), *_deep(size, window))
    return y.reshape(*y.shape[:2], *frames.shape[1:])


def average_pool3d_grad(gy, x_shape, size, window):
    """dL/dx of `average_pool3d`: each gy spreads evenly over the part of its window that lies inside the image."""
    if not supported(gy) or not math.prod(x_shape):
        return reference.average_pool2d_grad(gy, x_shape, size, window)
    (N, OD, OH, OW, C), D = gy.shape, x_shape[1]
    g = pool.average_pool2d_grad(gy.reshape(N, OD, OH * OW, C), (N, D, OH * OW, C), *_deep(size, window))
    frames = g.reshape(-1, OH, OW, C), (N * D, *x_shape[2:])
    return pool.average_pool2d_grad(*frames, size[1:], flattened(window)).reshape(x_shape)


def _frames(x):
    """(N, D, H, W, C) as images (N * D, H, W, C)."""
    return x.reshape(-1, *x.shape[2:])


def _columns(frames, N):
    """Images (N * D, H, W, C) as (N, D, H * W, C)."""
    return frames.reshape(N, -1, frames.shape[1] * frames.shape[2], frames.shape[3])


def _narrow(where, size):
    """Numbers of elements of a window in the dtype that kernels expect for its size."""
    dtype = reference.where_dtype(size)
    return where if where.dtype == dtype else np.minimum(where, np.iinfo(dtype).max).astype(dtype)


def _deep(size, window):
    """The size and the window of `_columns`."""
    return (size[0], 1), Window((window.strides[0], 1), (window.pads[0], (0, 0)), (window.dilation[0], 1))


def _meeting(where, size, window):
    """What `_join` and `_part` need to know: which planes a window meets; the number of no maximum."""
    steps = window.strides[0], window.pads[0][0], window.dilation[0]
    return size[0], math.prod(size[1:]), *steps, np.iinfo(where.dtype).max


def _threads(where):
    return threads.wanted(where.size // 4)


@njit(parallel=True, usual=("uint8.3 uint8.3 uint8.3" + 6 * " int64",))
def _join(tasks, inner, outer, where, taps, frame, step, before, dilation, none):
    """Numbers of maxima from those in their frames, inner (N, D, P), and those of the frames, outer (N, OD, P).

    where  (N, OD, P)

    Task: a plane of windows.
    """
    (D, P), OD, number = inner.shape[1:], where.shape[1], where.dtype.type
    for task in prange(tasks):
        to, chosen = where[task // OD, task % OD], outer[task // OD, task % OD]
        for i in range(P):
            to[i] = number(none)
        for k in range(taps):
            deep = task % OD * step - before + k * dilation
            if 0 <= deep < D:
                least, tap, there = number(k * frame), number(k), inner[task // OD, deep]
                for i in range(P):
                    to[i] = there[i] + least if chosen[i] == tap else to[i]


@njit(parallel=True, usual=("uint8.3 uint8.3 uint8.3" + 6 * " int64",))
def _part(tasks, where, inner, outer, taps, frame, step, before, dilation, none):
    """The inverse of `_join`: whichever window meets it, a frame has one maximum at a place. Task: a sample."""
    (D, P), OD, number = inner.shape[1:], where.shape[1], where.dtype.type
    for task in prange(tasks):
        for row in range(OD):
            whole, to = where[task, row], outer[task, row]
            for i in range(P):
                to[i] = number(none)
            for k in range(taps):
                deep = row * step - before + k * dilation
                if 0 <= deep < D:
                    least, most, tap = number(k * frame), number(k * frame + frame - 1), number(k)
                    there = inner[task, deep]
                    for i in range(P):
                        here = (whole[i] >= least) & (whole[i] <= most)
                        to[i] = tap if here else to[i]
                        there[i] = whole[i] - least if here else there[i]
