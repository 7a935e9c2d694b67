"""Pooling of (N, H, W, C): a task is one row of the result; a window's elements are runs of C contiguous channels.

A window's maximum is found in one pass over the channels, in registers (`peak.py`). The backward passes gather: a row
of gx looks up the windows that cover it, so no two tasks write to the same place. Names of arrays are addresses.
"""

import math

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import helper
from kerasish.kernels.cpu import peak
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.pointer import number, pointer
from kerasish.kernels.cpu.raw import address
from kerasish.kernels.cpu.task import tasks
from kerasish.kernels.reference import pool as reference


def max_pool2d(x, size, window, need_where=True):
    """The largest element of each window; padding never wins, a NaN always does.

    x      (N, H, W, C)
    ->  y  (N, OH, OW, C), where (N, OH, OW, C): number of the first maximum in its window (None unless needed)
    """
    if not _ours(x):
        return reference.max_pool2d(x, size, window, need_where)
    x = np.ascontiguousarray(x)
    y = memory.empty(_output_shape(x, size, window), x.dtype)
    where = memory.empty(y.shape if need_where else 1, reference.where_dtype(size))
    at = address(x), address(y), address(where) if need_where else 0
    shape = *_geometry(x.shape, y.shape, size, window), x.itemsize, where.itemsize
    tasks_, taps = y.shape[0] * y.shape[1], memory.empty((y.shape[0] * y.shape[1], 2 * math.prod(size)), np.int64)
    _max((x.dtype, where.dtype), tasks_, *at, address(taps), *shape, threads=_threads(y, size))
    return y, where if need_where else None


def max_pool2d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool2d`: each gy goes to the maximum that it came from."""
    if not _ours(gy):
        return reference.max_pool2d_grad(gy, where, x_shape, size, window)
    gy, where, gx = np.ascontiguousarray(gy), np.ascontiguousarray(where), memory.empty(x_shape, gy.dtype)
    at = [address(a) for a in (gy, where, gx)]
    shape = *_geometry(x_shape, gy.shape, size, window), gy.itemsize, where.itemsize
    _max_grad((gy.dtype, where.dtype), gx.shape[0] * gx.shape[1], *at, *shape, threads=_threads(gy, size))
    return gx


def average_pool2d(x, size, window):
    """The mean of each window, over the elements that lie inside the image."""
    if not _ours(x):
        return reference.average_pool2d(x, size, window)
    x = np.ascontiguousarray(x)
    y = memory.empty(_output_shape(x, size, window), x.dtype)
    shape = _geometry(x.shape, y.shape, size, window)
    _average(x.dtype, y.shape[0] * y.shape[1], address(x), address(y), *shape, threads=_threads(y, size))
    return y


def average_pool2d_grad(gy, x_shape, size, window):
    """dL/dx of `average_pool2d`: each gy spreads evenly over the part of its window that lies inside the image."""
    if not _ours(gy):
        return reference.average_pool2d_grad(gy, x_shape, size, window)
    gy, gx = np.ascontiguousarray(gy), memory.empty(x_shape, gy.dtype)
    shape = _geometry(x_shape, gy.shape, size, window)
    _average_grad(gy.dtype, gx.shape[0] * gx.shape[1], address(gy), address(gx), *shape, threads=_threads(gy, size))
    return gx


def _ours(x):
    return x.ndim == 4 and supported(x)


def _geometry(x_shape, y_shape, size, window):
    """H, W, C, OH, OW, and the window: KH, KW, strides, pads before, dilation."""
    before = (lo for lo, _ in window.pads)
    return *x_shape[1:], *y_shape[1:3], *size, *window.strides, *before, *window.dilation


def _output_shape(x, size, window):
    axes = zip(x.shape[1:-1], size, window.strides, window.pads, window.dilation)
    return (x.shape[0], *((n + lo + hi - d * (k - 1) - 1) // s + 1 for n, k, s, (lo, hi), d in axes), x.shape[-1])


def _threads(y, size):
    return threads.wanted(y.size * math.prod(size))


@tasks
def _max(zero, nought, task, x, y, where, lists, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW, size, number_size):
    """Task: a row of y."""
    image, oh, out = task // OH * H * W, task % OH, task * OW
    taps = pointer(0, lists, task * 2 * KH * KW, 2 * KH * KW)
    listed_from, listed_to, count = 0, 0, 0  # the columns of the window that `taps` has
    for ow in range(OW):
        left = ow * SW - PW
        first, last = _inside(left, KW, DW, W)
        if first != listed_from or last != listed_to:
            count = _list_taps(oh * SH - PH, H, W, C, KH, KW, DH, DW, first, last, taps)
            listed_from, listed_to = first, last
        names = where + (out + ow) * C * number_size if where else 0
        at, to = x + (image + left) * C * size, y + (out + ow) * C * size
        peak.largest(zero, nought, at, lists + task * 16 * KH * KW, count, to, names, C)


@helper
def _inside(start, taps, dilation, n):
    """The taps first..last-1 of a window that begins at `start` that lie inside 0..n-1."""
    if start >= 0 and start + (taps - 1) * dilation < n:  # nearly always: spares two divisions
        return 0, taps
    first = max(0, (dilation - 1 - start) // dilation)
    return first, max(first, min(taps, (n - 1 - start) // dilation + 1))


@helper
def _list_taps(top, H, W, C, KH, KW, DH, DW, first, last, taps):
    """Lists offsets, from the window's left edge in row 0, and numbers of the taps inside the image; their count."""
    count = 0
    for kh in range(KH):
        if 0 <= top + kh * DH < H:
            for kw in range(first, last):
                taps[2 * count], taps[2 * count + 1] = ((top + kh * DH) * W + kw * DW) * C, kh * KW + kw
                count += 1
    return count


@tasks
def _max_grad(zero, nought, task, gy, where, gx, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW, size, number_size):
    """Task: a row of gx, from the windows that cover it."""
    above, h, out = task // H * OH, task % H, task * W * C
    clear(zero, gx, out, W * C)
    for kh in range(KH):
        top = h + PH - kh * DH
        if top >= 0 and top % SH == 0 and top // SH < OH:
            for ow in range(OW):
                at, left = ((above + top // SH) * OW + ow) * C, ow * SW - PW
                first, last = _inside(left, KW, DW, W)
                g, names, to = gy + at * size, where + at * number_size, gx + (out + (left + first * DW) * C) * size
                peak.spread(zero, nought, g, names, to, DW * C, kh * KW + first, last - first, C)


@helper
def clear(zero, x, at, n):
    v = pointer(zero, x, at, n)
    for i in range(n):
        v[i] = zero


@tasks
def _average(zero, task, x, y, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW):
    """Task: a row of y."""
    image, oh, out = task // OH * H * W, task % OH, task * OW
    top = oh * SH - PH
    upper, lower = _inside(top, KH, DH, H)
    clear(zero, y, out * C, OW * C)
    for ow in range(OW):
        left = ow * SW - PW
        first, last = _inside(left, KW, DW, W)
        share = number(zero, 1) / number(zero, (lower - upper) * (last - first))
        for kh in range(upper, lower):
            for kw in range(first, last):
                at = (image + (top + kh * DH) * W + left + kw * DW) * C
                _add_scaled(zero, x, at, share, y, (out + ow) * C, C)


@helper
def _add_scaled(zero, x, at, scale, y, to, C):
    u, v = pointer(zero, x, at, C), pointer(zero, y, to, C)
    for i in range(C):
        v[i] += u[i] * scale


@tasks
def _average_grad(zero, task, gy, gx, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW):
    """Task: a row of gx, from the windows that cover it."""
    above, h, out = task // H * OH, task % H, task * W * C
    clear(zero, gx, out, W * C)
    for kh in range(KH):
        top = h + PH - kh * DH
        if top >= 0 and top % SH == 0 and top // SH < OH:
            upper, lower = _inside(top - PH, KH, DH, H)
            for ow in range(OW):
                at, left = ((above + top // SH) * OW + ow) * C, ow * SW - PW
                first, last = _inside(left, KW, DW, W)
                share = number(zero, 1) / number(zero, (lower - upper) * (last - first))
                for kw in range(first, last):
                    _add_scaled(zero, gy, at, share, gx, out + (left + kw * DW) * C, C)
