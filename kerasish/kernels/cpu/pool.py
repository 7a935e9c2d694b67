"""Pooling of (N, H, W, C): a task is one row of the result; a window's elements are runs of C contiguous channels.

Four runs are compared in one pass over the channels, so that a 2x2 window is one pass. The backward passes gather:
a row of gx looks up the windows that cover it, so no two tasks write to the same place. Names of arrays are addresses.
"""

import math

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import helper
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
    at = [address(a) for a in (x, y, where)]
    shape = _geometry(x.shape, y.shape, size, window)
    _max((x.dtype, where.dtype), y.shape[0] * y.shape[1], need_where, *at, *shape, threads=_threads(y, size))
    return y, where if need_where else None


def max_pool2d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool2d`: each gy goes to the maximum that it came from."""
    if not _ours(gy):
        return reference.max_pool2d_grad(gy, where, x_shape, size, window)
    gy, where, gx = np.ascontiguousarray(gy), np.ascontiguousarray(where), memory.empty(x_shape, gy.dtype)
    at = [address(a) for a in (gy, where, gx)]
    shape = _geometry(x_shape, gy.shape, size, window)
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
def _max(zero, nought, task, need_where, x, y, where, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW):
    """Task: a row of y."""
    image, oh, out = task // OH * H * W, task % OH, task * OW
    taps, numbers = np.empty(KH * KW + 3, np.int64), np.empty(KH * KW + 3, np.int64)
    listed_from, listed_to, count = 0, 0, 0  # the columns of the window that `taps` has
    for ow in range(OW):
        left = ow * SW - PW
        first, last = _inside(left, KW, DW, W)
        if first != listed_from or last != listed_to:
            count = _list_taps(oh * SH - PH, H, W, C, KH, KW, DH, DW, first, last, taps, numbers)
            listed_from, listed_to = first, last
        at, to = (image + left) * C, (out + ow) * C
        for group in range(0, count, 4):
            p, q, r, s = at + taps[group], at + taps[group + 1], at + taps[group + 2], at + taps[group + 3]
            if need_where:
                _four_where(zero, nought, x, p, q, r, s, numbers, group, y, where, to, C)
            else:
                _four(zero, x, p, q, r, s, group == 0, y, to, C)


@helper
def _inside(start, taps, dilation, n):
    """The taps first..last-1 of a window that begins at `start` that lie inside 0..n-1."""
    if start >= 0 and start + (taps - 1) * dilation < n:  # nearly always: spares two divisions
        return 0, taps
    first = max(0, (dilation - 1 - start) // dilation)
    return first, max(first, min(taps, (n - 1 - start) // dilation + 1))


@helper
def _list_taps(top, H, W, C, KH, KW, DH, DW, first, last, taps, numbers):
    """Lists offsets, from the window's left edge in row 0, and numbers of the taps inside the image; pads to four."""
    count = 0
    for kh in range(KH):
        if 0 <= top + kh * DH < H:
            for kw in range(first, last):
                taps[count], numbers[count] = ((top + kh * DH) * W + kw * DW) * C, kh * KW + kw
                count += 1
    for extra in range(count, count + 3):  # a repeated tap never wins
        taps[extra], numbers[extra] = taps[count - 1], numbers[count - 1]
    return count


@helper
def _four(zero, x, p, q, r, s, first, y, to, C):
    """y = the largest of y (unless this is the first pass) and four runs of x."""
    a, b, c, d = pointer(zero, x, p, C), pointer(zero, x, q, C), pointer(zero, x, r, C), pointer(zero, x, s, C)
    best = pointer(zero, y, to, C)
    if first:
        for i in range(C):
            best[i] = larger(larger(a[i], b[i]), larger(c[i], d[i]))
    else:
        for i in range(C):
            best[i] = larger(best[i], larger(larger(a[i], b[i]), larger(c[i], d[i])))


@helper(inline=True)
def larger(a, b):
    """The larger of two numbers, a NaN if one is."""
    return b if b > a or b != b else a


@helper
def _four_where(zero, nought, x, p, q, r, s, numbers, group, y, where, to, C):
    """`_four` that also notes the number of the winner; of equals, the earlier."""
    a, b, c, d = pointer(zero, x, p, C), pointer(zero, x, q, C), pointer(zero, x, r, C), pointer(zero, x, s, C)
    best, winner = pointer(zero, y, to, C), pointer(nought, where, to, C)
    na, nb = np.int32(numbers[group]), np.int32(numbers[group + 1])
    nc, nd = np.int32(numbers[group + 2]), np.int32(numbers[group + 3])
    for i in range(C):
        m, k = (a[i], na) if group == 0 else challenge(best[i], np.int32(winner[i]), a[i], na)
        m, k = challenge(m, k, b[i], nb)
        m, k = challenge(m, k, c[i], nc)
        best[i], k = challenge(m, k, d[i], nd)
        winner[i] = number(nought, k)


@helper(inline=True)
def challenge(m, k, v, n):
    """The champion m of number k, or v of number n if it is larger, or the first NaN."""
    wins = v > m or (v != v and m == m)
    return v if wins else m, n if wins else k


@tasks
def _max_grad(zero, nought, task, gy, where, gx, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW):
    """Task: a row of gx, from the windows that cover it."""
    above, h, out = task // H * OH, task % H, task * W * C
    clear(zero, gx, out, W * C)
    for kh in range(KH):
        top = h + PH - kh * DH
        if top >= 0 and top % SH == 0 and top // SH < OH:
            for ow in range(OW):
                at, left = ((above + top // SH) * OW + ow) * C, ow * SW - PW
                first, last = _inside(left, KW, DW, W)
                for kw in range(first, last):
                    _add_won(zero, nought, gy, where, at, kh * KW + kw, gx, out + (left + kw * DW) * C, C)


@helper
def clear(zero, x, at, n):
    v = pointer(zero, x, at, n)
    for i in range(n):
        v[i] = zero


@helper
def _add_won(zero, nought, gy, where, at, tap, gx, to, C):
    """Adds the gradients whose maximum was element `tap` of its window."""
    g, winner, v = pointer(zero, gy, at, C), pointer(nought, where, at, C), pointer(zero, gx, to, C)
    k = number(nought, tap)
    for i in range(C):
        v[i] += g[i] if winner[i] == k else zero


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
