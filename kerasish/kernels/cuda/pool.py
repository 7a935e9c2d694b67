"""Pooling on a card for one and two spatial axes: a thread takes one channel or four of a pixel; gradients gather."""

import math

from numba import cuda, float32, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import template
from kerasish.device.cuda_source import unroll
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.asm import inside, load, load4, store, store4
from kerasish.kernels.cuda.warp import LOWEST
from kerasish.kernels.reference import pool as reference
from kerasish.kernels.reference.precision import widened

THREADS = 256
NO_TAP = 255  # the number of no element of a window
GEOMETRY = "i" * 14


@template("FFU i" + GEOMETRY)
def max_forward(x, y, where, n, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW, NEEDED):
    """y = the first maximum of each window, where = its number there."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        c, at = int32(i % (C // WIDE) * WIDE), int32(i // (C // WIDE))
        column, at = int32(at % OW), int32(at // OW)
        row, image = int32(at % OH), int32(at // OH)
        best, found = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, int32)
        for j in unroll(WIDE):
            best[j], found[j] = float32(LOWEST), int32(0)
        for h in range(KH):
            for w in range(KW):
                down, across = int32(row * SH - PH + h * DH), int32(column * SW - PW + w * DW)
                if inside(down, H) and inside(across, W):
                    start, tap = int32(((image * H + down) * W + across) * C + c), int32(h * KW + w)
                    if WIDE == 4:
                        v = load4(x, start)
                    else:
                        v = (load(x, start),)
                    for j in unroll(WIDE):
                        if v[j] > best[j] or (v[j] != v[j] and best[j] == best[j]):
                            best[j], found[j] = v[j], tap
        start = int32(i * WIDE)
        if WIDE == 4:
            store4(y, start, (best[0], best[1], best[2], best[3]))
        else:
            store(y, start, best[0])
        if NEEDED != 0:
            for j in unroll(WIDE):
                where[start + j] = found[j]


@template("FUF i" + GEOMETRY)
def max_backward(gy, where, gx, n, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW, UNUSED):
    """gx = the sum of gy over the windows whose maximum this is."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        c, at = int32(i % C), int32(i // C)
        column, at = int32(at % W), int32(at // W)
        row, image = int32(at % H), int32(at // H)
        total = float32(0)
        for h in range(KH):
            up = int32(row + PH - h * DH)
            down = int32(up // SH)
            if inside(down, OH) and down * SH == up:
                for w in range(KW):
                    left = int32(column + PW - w * DW)
                    across = int32(left // SW)
                    if inside(across, OW) and across * SW == left:
                        start = int32(((image * OH + down) * OW + across) * C + c)
                        if where[start] == h * KW + w:
                            total += load(gy, start)
        store(gx, i, total)


@template("FF i" + GEOMETRY)
def mean_forward(x, y, n, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW, UNUSED):
    """y = the mean of each window, over the elements inside of the image."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        c, at = int32(i % C), int32(i // C)
        column, at = int32(at % OW), int32(at // OW)
        row, image = int32(at % OH), int32(at // OH)
        total, count = float32(0), int32(0)
        for h in range(KH):
            for w in range(KW):
                down, across = int32(row * SH - PH + h * DH), int32(column * SW - PW + w * DW)
                if inside(down, H) and inside(across, W):
                    total += load(x, int32(((image * H + down) * W + across) * C + c))
                    count = int32(count + 1)
        store(y, i, total / float32(count))


@template("FF i" + GEOMETRY)
def mean_backward(gy, gx, n, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW, UNUSED):
    """gx = the sum of gy over the windows that hold this, each divided by how much of it lies inside of the image."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        c, at = int32(i % C), int32(i // C)
        column, at = int32(at % W), int32(at // W)
        row, image = int32(at % H), int32(at // H)
        total = float32(0)
        for h in range(KH):
            up = int32(row + PH - h * DH)
            down = int32(up // SH)
            if inside(down, OH) and down * SH == up:
                for w in range(KW):
                    left = int32(column + PW - w * DW)
                    across = int32(left // SW)
                    if inside(across, OW) and across * SW == left:
                        tall, wide = int32(0), int32(0)
                        for k in range(KH):
                            tall = int32(tall + (1 if inside(int32(down * SH - PH + k * DH), H) else 0))
                        for k in range(KW):
                            wide = int32(wide + (1 if inside(int32(across * SW - PW + k * DW), W) else 0))
                        start = int32(((image * OH + down) * OW + across) * C + c)
                        total += load(gy, start) / float32(int32(tall * wide))
        store(gx, i, total)


_max = {wide: max_forward(f"max_pool_{wide}", THREADS, THREADS=THREADS, WIDE=wide, LOWEST=LOWEST) for wide in (1, 4)}
_max_back = max_backward("max_pool_gradient", THREADS, THREADS=THREADS)
_mean = mean_forward("average_pool", THREADS, THREADS=THREADS)
_mean_back = mean_backward("average_pool_gradient", THREADS, THREADS=THREADS)


@widened
def max_pool2d(x, size, window, need_where=True, activation=None):
    """The largest element of each window; padding never wins, a NaN always does.

    x      (N, *S, C)
    ->  y  (N, *O, C), where (N, *O, C): number of the first maximum in its window (None unless needed)

    With "relu" as activation, y is at least 0, and where no element is above 0 the number is none of the window's.
    """
    if not _ours(x, size):
        return reference.max_pool2d(x, size, window, need_where, activation)
    xp, shape = array_module(x), _output_shape(x.shape, size, window)
    y = xp.empty(shape, x.dtype)
    where = xp.empty(shape, "uint8") if need_where else None
    wide = 4 if x.shape[-1] % 4 == 0 else 1
    n = y.size // wide
    given = (contiguous(x), y, where if need_where else xp.empty(1, "uint8"))
    _max[wide]((blocks(n, THREADS),), *given, n, *_geometry(x.shape, shape, size, window), int(need_where))
    if activation == "relu":
        where = xp.where(y <= 0, xp.uint8(NO_TAP), where) if need_where else None
        y = xp.maximum(y, 0)
    return y, where


def max_pool2d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool2d`: each gy goes to the maximum that it came from."""
    if not _ours(gy, size) or where.dtype != "uint8" or not math.prod(x_shape):
        return reference.max_pool2d_grad(gy, where, x_shape, size, window)
    gx = array_module(gy).empty(tuple(x_shape), gy.dtype)
    arguments = (contiguous(gy), contiguous(where), gx, gx.size)
    _max_back((blocks(gx.size, THREADS),), *arguments, *_geometry(x_shape, gy.shape, size, window), 0)
    return gx


@widened
def average_pool2d(x, size, window):
    """The mean of each window, over the elements that lie inside the image."""
    if not _ours(x, size):
        return reference.average_pool2d(x, size, window)
    y = array_module(x).empty(_output_shape(x.shape, size, window), x.dtype)
    _mean((blocks(y.size, THREADS),), contiguous(x), y, y.size, *_geometry(x.shape, y.shape, size, window), 0)
    return y


@widened
def average_pool2d_grad(gy, x_shape, size, window):
    """dL/dx of `average_pool2d`: each gy spreads evenly over the part of its window that lies inside the image."""
    if not _ours(gy, size) or not math.prod(x_shape):
        return reference.average_pool2d_grad(gy, x_shape, size, window)
    gx = array_module(gy).empty(tuple(x_shape), gy.dtype)
    _mean_back((blocks(gx.size, THREADS),), contiguous(gy), gx, gx.size, *_geometry(x_shape, gy.shape, size, window), 0)
    return gx


def _ours(x, size):
    return supported(x) and x.size and len(size) < 3 and math.prod(size) <= NO_TAP


def _output_shape(x_shape, size, window):
    axes = zip(x_shape[1:-1], size, window.strides, window.pads, window.dilation)
    return (x_shape[0], *((n + sum(pads) - d * (k - 1) - 1) // s + 1 for n, k, s, pads, d in axes), x_shape[-1])


def _geometry(x_shape, y_shape, size, window):
    """Sizes of image, result, window, then strides, first pads, dilation; one axis is the second of two."""
    one = len(size) == 1
    both = lambda pair, missing: (missing, *pair) if one else tuple(pair)
    firsts = tuple(before for before, _ in window.pads)
    sizes = (*both(x_shape[1:-1], 1), x_shape[-1], *both(y_shape[1:-1], 1), *both(size, 1))
    return (*sizes, *both(window.strides, 1), *both(firsts, 0), *both(window.dilation, 1))
