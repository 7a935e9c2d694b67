"""Pooling of (N, H, W, C): a task is one row of the result; a window's elements are runs of C contiguous channels.

Four runs are compared in one pass over the channels, so that a 2x2 window is one pass. The backward passes gather:
a row of gx looks up the windows that cover it, so no two tasks write to the same place.
"""

import math

import numpy as np

from kerasish.core.shapes import Window
from kerasish.device import memory, threads
from kerasish.device.jit import helper, kernel, prange
from kerasish.kernels.cpu.layout import compiled
from kerasish.kernels.reference import pool as reference


def max_pool2d(x, size, window, need_where=True):
    """The largest element of each window; padding never wins, a NaN always does.

    x      (N, H, W, C), or (N, W, C)
    ->  y  (N, OH, OW, C), where (N, OH, OW, C): number of the first maximum in its window (None unless needed)
    """
    if x.ndim == 3:
        y, where = max_pool2d(x[:, None], *_lifted(size, window), need_where)
        return y[:, 0], where if where is None else where[:, 0]
    if not _ours(x, window):
        return reference.max_pool2d(x, size, window, need_where)
    x = np.ascontiguousarray(x)
    y = memory.empty(_output_shape(x, size, window), x.dtype)
    where = memory.empty(y.shape if need_where else (1, 1, 1, 1), reference.where_dtype(size))
    _max(x, _geometry(size, window), y, where, need_where, threads=_threads(y, size))
    return y, where if need_where else None


def max_pool2d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool2d`: each gy goes to the maximum that it came from."""
    if len(x_shape) == 3:
        lifted = (x_shape[0], 1, *x_shape[1:])
        return max_pool2d_grad(gy[:, None], where[:, None], lifted, *_lifted(size, window))[:, 0]
    if not _ours(gy, window):
        return reference.max_pool2d_grad(gy, where, x_shape, size, window)
    gx = memory.empty(x_shape, gy.dtype)
    where = np.ascontiguousarray(where)
    _max_grad(np.ascontiguousarray(gy), where, _geometry(size, window), gx, threads=_threads(gy, size))
    return gx


def average_pool2d(x, size, window):
    """The mean of each window, over the elements that lie inside the image."""
    if x.ndim == 3:
        return average_pool2d(x[:, None], *_lifted(size, window))[:, 0]
    if not _ours(x, window):
        return reference.average_pool2d(x, size, window)
    x = np.ascontiguousarray(x)
    y = memory.empty(_output_shape(x, size, window), x.dtype)
    _average(x, _geometry(size, window), y, threads=_threads(y, size))
    return y


def average_pool2d_grad(gy, x_shape, size, window):
    """dL/dx of `average_pool2d`: each gy spreads evenly over the part of its window that lies inside the image."""
    if len(x_shape) == 3:
        return average_pool2d_grad(gy[:, None], (x_shape[0], 1, *x_shape[1:]), *_lifted(size, window))[:, 0]
    if not _ours(gy, window):
        return reference.average_pool2d_grad(gy, x_shape, size, window)
    gx = memory.empty(x_shape, gy.dtype)
    _average_grad(np.ascontiguousarray(gy), _geometry(size, window), gx, threads=_threads(gy, size))
    return gx


def _ours(x, window):
    return x.ndim == 4 and compiled(x)


def _lifted(size, window):
    """A window over one axis as a window over two."""
    return (1, *size), Window((1, *window.strides), ((0, 0), *window.pads), (1, *window.dilation))


def _geometry(size, window):
    """KH, KW, strides, pads before, dilation: what the kernels need, as eight int64."""
    before = [lo for lo, _ in window.pads]
    return np.array([*size, *window.strides, *before, *window.dilation], np.int64)


def _output_shape(x, size, window):
    axes = zip(x.shape[1:-1], size, window.strides, window.pads, window.dilation)
    return (x.shape[0], *((n + lo + hi - d * (k - 1) - 1) // s + 1 for n, k, s, (lo, hi), d in axes), x.shape[-1])


def _threads(y, size):
    return threads.wanted(y.size * math.prod(size))


@kernel
def _max(x, geometry, y, where, need_where):
    N, H, W, C = x.shape
    _, OH, OW, _ = y.shape
    xs, ys, ws = x.reshape(-1), y.reshape(-1), where.reshape(-1)
    for row in prange(N * OH):
        _max_row(xs, H, W, C, geometry, row // OH, row % OH, OW, ys, ws, row * OW * C, need_where)


@helper
def _max_row(xs, H, W, C, geometry, n, oh, OW, ys, ws, out, need_where):
    """One row of results."""
    KH, KW, SH, SW, PH, PW, DH, DW = geometry
    taps, numbers = np.empty(KH * KW + 3, np.int64), np.empty(KH * KW + 3, np.int64)
    kept_from, kept_to = 0, 0  # the columns of the window that `taps` has now
    count = 0
    for ow in range(OW):
        left = ow * SW - PW
        first, last = _valid(left, KW, DW, W)
        if first != kept_from or last != kept_to:
            count = _list_taps(oh * SH - PH, H, W, C, KH, KW, DH, DW, first, last, taps, numbers)
            kept_from, kept_to = first, last
        at = (n * H * W + left) * C
        if need_where:
            _max_where(xs, at, C, taps, numbers, count, ys, ws, out + ow * C)
        else:
            _max_only(xs, at, C, taps, count, ys, out + ow * C)


@helper
def _valid(start, taps, dilation, n):
    """The taps first..last-1 of a window that begins at `start` that lie inside 0..n-1."""
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
def _max_only(xs, at, C, taps, count, ys, out):
    """ys[out : out + C] = the largest of the runs at the listed taps."""
    y = ys[out : out + C]
    for group in range(0, count, 4):
        p, q, r, s = at + taps[group], at + taps[group + 1], at + taps[group + 2], at + taps[group + 3]
        a, b, c, d = xs[p : p + C], xs[q : q + C], xs[r : r + C], xs[s : s + C]
        if group == 0:
            for i in range(C):
                y[i] = larger(larger(a[i], b[i]), larger(c[i], d[i]))
        else:
            for i in range(C):
                y[i] = larger(y[i], larger(larger(a[i], b[i]), larger(c[i], d[i])))


@helper(inline=True)
def larger(a, b):
    """The larger of two numbers, a NaN if one is."""
    return b if b > a or b != b else a


@helper
def _max_where(xs, at, C, taps, numbers, count, ys, ws, out):
    """`_max_only` that also notes the number of the winner; of equals, the earlier."""
    y, where = ys[out : out + C], ws[out : out + C]
    for group in range(0, count, 4):
        p, q, r, s = at + taps[group], at + taps[group + 1], at + taps[group + 2], at + taps[group + 3]
        a, b, c, d = xs[p : p + C], xs[q : q + C], xs[r : r + C], xs[s : s + C]
        na, nb = np.int32(numbers[group]), np.int32(numbers[group + 1])
        nc, nd = np.int32(numbers[group + 2]), np.int32(numbers[group + 3])
        for i in range(C):
            m, k = (a[i], na) if group == 0 else challenge(y[i], np.int32(where[i]), a[i], na)
            m, k = challenge(m, k, b[i], nb)
            m, k = challenge(m, k, c[i], nc)
            y[i], where[i] = challenge(m, k, d[i], nd)


@helper(inline=True)
def challenge(m, k, v, n):
    """The champion m of number k, or v of number n if it is larger, or the first NaN."""
    wins = v > m or (v != v and m == m)
    return v if wins else m, n if wins else k


@kernel
def _max_grad(gy, where, geometry, gx):
    N, OH, OW, C = gy.shape
    _, H, W, _ = gx.shape
    gs, ws, xs = gy.reshape(-1), where.reshape(-1), gx.reshape(-1)
    for row in prange(N * H):
        _max_grad_row(gs, ws, OH, OW, C, geometry, row // H, row % H, W, xs, row * W * C)


@helper
def _max_grad_row(gs, ws, OH, OW, C, geometry, n, h, W, gx, out):
    """One row of gx, from the windows that cover it."""
    KH, KW, SH, SW, PH, PW, DH, DW = geometry
    gx[out : out + W * C] = 0
    for kh in range(KH):
        top = h + PH - kh * DH
        if top < 0 or top % SH or top // SH >= OH:
            continue
        for ow in range(OW):
            at = ((n * OH + top // SH) * OW + ow) * C
            for kw in range(KW):
                w = ow * SW - PW + kw * DW
                if 0 <= w < W:
                    _add_where(gs, ws, at, C, kh * KW + kw, gx, out + w * C)


@helper
def _add_where(gs, ws, at, C, number, gx, out):
    """Adds the gradients whose maximum was element `number` of its window."""
    g, winner, to, k = gs[at : at + C], ws[at : at + C], gx[out : out + C], np.int32(number)
    for i in range(C):
        to[i] += g[i] if np.int32(winner[i]) == k else g.dtype.type(0)


@kernel
def _average(x, geometry, y):
    N, H, W, C = x.shape
    _, OH, OW, _ = y.shape
    xs, ys = x.reshape(-1), y.reshape(-1)
    for row in prange(N * OH):
        _average_row(xs, H, W, C, geometry, row // OH, row % OH, OW, ys, row * OW * C)


@helper
def _average_row(xs, H, W, C, geometry, n, oh, OW, ys, out):
    KH, KW, SH, SW, PH, PW, DH, DW = geometry
    ys[out : out + OW * C] = 0
    for ow in range(OW):
        y, taps = out + ow * C, 0
        for kh in range(KH):
            h = oh * SH - PH + kh * DH
            if 0 <= h < H:
                for kw in range(KW):
                    w = ow * SW - PW + kw * DW
                    if 0 <= w < W:
                        _add_scaled(xs, ((n * H + h) * W + w) * C, C, ys.dtype.type(1), ys, y)
                        taps += 1
        share = ys.dtype.type(1) / ys.dtype.type(taps)
        for i in range(y, y + C):
            ys[i] *= share


@helper
def _add_scaled(xs, at, C, scale, ys, out):
    x, y = xs[at : at + C], ys[out : out + C]
    for i in range(C):
        y[i] += x[i] * scale


@kernel
def _average_grad(gy, geometry, gx):
    N, OH, OW, C = gy.shape
    _, H, W, _ = gx.shape
    gs, xs = gy.reshape(-1), gx.reshape(-1)
    for row in prange(N * H):
        _average_grad_row(gs, OH, OW, C, geometry, row // H, row % H, H, W, xs, row * W * C)


@helper
def _average_grad_row(gs, OH, OW, C, geometry, n, h, H, W, gx, out):
    KH, KW, SH, SW, PH, PW, DH, DW = geometry
    gx[out : out + W * C] = 0
    for kh in range(KH):
        top = h + PH - kh * DH
        if top < 0 or top % SH or top // SH >= OH:
            continue
        rows = _inside(top // SH * SH - PH, KH, DH, H)
        for ow in range(OW):
            at = ((n * OH + top // SH) * OW + ow) * C
            taps = rows * _inside(ow * SW - PW, KW, DW, W)
            share = gx.dtype.type(1) / gx.dtype.type(taps)
            for kw in range(KW):
                w = ow * SW - PW + kw * DW
                if 0 <= w < W:
                    _add_scaled(gs, at, C, share, gx, out + w * C)


@helper
def _inside(start, taps, dilation, n):
    """How many of the taps that begin at `start` lie inside 0..n-1."""
    count = 0
    for k in range(taps):
        count += 0 <= start + k * dilation < n
    return count
