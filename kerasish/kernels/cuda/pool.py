"""Pooling on a card for one and two spatial axes: a thread takes one channel or four of a pixel; gradients gather."""

import math

from numba import cuda, float32, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import template
from kerasish.device.cuda_source import unroll
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.asm import inside
from kerasish.kernels.cuda.warp import LOWEST
from kerasish.kernels.cuda.wide import keep, pixel, several, width
from kerasish.kernels.reference import pool as reference
from kerasish.kernels.reference.precision import widened

THREADS = 256
NO_TAP = 255  # the number of no element of a window
GEOMETRY = "iii ii ii ii ii ii"  # sizes of image, result, window; strides, first pads, dilation


@template(f"FFU i {GEOMETRY} ii")
def max_forward(x, y, where, n, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW, NEEDED, RELU):
    """y = the first maximum of each window, where = its number there."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        image, row, column, c = pixel(i, OH, OW, C)
        best, found = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, int32)
        for j in unroll(WIDE):
            best[j], found[j] = float32(LOWEST), int32(0)
        for h in range(KH):
            for w in range(KW):
                down, across = int32(row * SH - PH + h * DH), int32(column * SW - PW + w * DW)
                if inside(down, H) and inside(across, W):
                    start, tap = int32(((image * H + down) * W + across) * C + c), int32(h * KW + w)
                    v = several(x, start)
                    for j in unroll(WIDE):
                        if v[j] > best[j] or (v[j] != v[j] and best[j] == best[j]):
                            best[j], found[j] = v[j], tap
        for j in unroll(WIDE):
            if RELU != 0 and best[j] <= float32(0):
                best[j], found[j] = float32(0), int32(NO_TAP)
        start = int32(i * WIDE)
        keep(y, start, best)
        if NEEDED != 0:
            for j in unroll(WIDE):
                where[start + j] = found[j]


@template(f"FUF i {GEOMETRY}")
def max_backward(gy, where, gx, n, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW):
    """gx = the sum of gy over the windows whose maximum this is."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        image, row, column, c = pixel(i, H, W, C)
        total = cuda.local.array(WIDE, float32)
        for j in unroll(WIDE):
            total[j] = float32(0)
        for h in range(KH):
            up = int32(row + PH - h * DH)
            down = int32(up // SH)
            if inside(down, OH) and down * SH == up:
                for w in range(KW):
                    left = int32(column + PW - w * DW)
                    across = int32(left // SW)
                    if inside(across, OW) and across * SW == left:
                        start = int32(((image * OH + down) * OW + across) * C + c)
                        g, tap = several(gy, start), int32(h * KW + w)
                        for j in unroll(WIDE):
                            if where[start + j] == tap:
                                total[j] += g[j]
        keep(gx, int32(i * WIDE), total)


@template(f"FF i {GEOMETRY}")
def mean_forward(x, y, n, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW):
    """y = the mean of each window, over the elements inside of the image."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        image, row, column, c = pixel(i, OH, OW, C)
        total, count = cuda.local.array(WIDE, float32), int32(0)
        for j in unroll(WIDE):
            total[j] = float32(0)
        for h in range(KH):
            for w in range(KW):
                down, across = int32(row * SH - PH + h * DH), int32(column * SW - PW + w * DW)
                if inside(down, H) and inside(across, W):
                    v = several(x, int32(((image * H + down) * W + across) * C + c))
                    for j in unroll(WIDE):
                        total[j] += v[j]
                    count = int32(count + 1)
        for j in unroll(WIDE):
            total[j] /= float32(count)
        keep(y, int32(i * WIDE), total)


@template(f"FF i {GEOMETRY}")
def mean_backward(gy, gx, n, H, W, C, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW):
    """gx = the sum of gy over the windows that hold this, each divided by how much of it lies inside of the image."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        image, row, column, c = pixel(i, H, W, C)
        total = cuda.local.array(WIDE, float32)
        for j in unroll(WIDE):
            total[j] = float32(0)
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
                        g, size = several(gy, start), float32(int32(tall * wide))
                        for j in unroll(WIDE):
                            total[j] += g[j] / size
        keep(gx, int32(i * WIDE), total)


def _kernels(source, name):
    constants = {"THREADS": THREADS, "LOWEST": LOWEST, "NO_TAP": NO_TAP}
    return {wide: source(f"{name}_{wide}", THREADS, WIDE=wide, **constants) for wide in (1, 4)}


_max, _max_back = _kernels(max_forward, "max_pool"), _kernels(max_backward, "max_pool_gradient")
_mean, _mean_back = _kernels(mean_forward, "average_pool"), _kernels(mean_backward, "average_pool_gradient")


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
    given = (contiguous(x), y, where if need_where else xp.empty(1, "uint8"))
    options = (*_geometry(x.shape, shape, size, window), int(need_where), int(activation == "relu"))
    _launch(_max, y, given, options)
    return y, where


def max_pool2d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool2d`: each gy goes to the maximum that it came from."""
    if not _ours(gy, size) or where.dtype != "uint8" or not math.prod(x_shape):
        return reference.max_pool2d_grad(gy, where, x_shape, size, window)
    gx = array_module(gy).empty(tuple(x_shape), gy.dtype)
    _launch(_max_back, gx, (contiguous(gy), contiguous(where), gx), _geometry(x_shape, gy.shape, size, window))
    return gx


@widened
def average_pool2d(x, size, window):
    """The mean of each window, over the elements that lie inside the image."""
    if not _ours(x, size):
        return reference.average_pool2d(x, size, window)
    y = array_module(x).empty(_output_shape(x.shape, size, window), x.dtype)
    _launch(_mean, y, (contiguous(x), y), _geometry(x.shape, y.shape, size, window))
    return y


@widened
def average_pool2d_grad(gy, x_shape, size, window):
    """dL/dx of `average_pool2d`: each gy spreads evenly over the part of its window that lies inside the image."""
    if not _ours(gy, size) or not math.prod(x_shape):
        return reference.average_pool2d_grad(gy, x_shape, size, window)
    gx = array_module(gy).empty(tuple(x_shape), gy.dtype)
    _launch(_mean_back, gx, (contiguous(gy), gx), _geometry(x_shape, gy.shape, size, window))
    return gx


def _launch(kernels, out, arrays, options):
    """Runs the kernel of as many channels a thread as there can be, over the elements of `out`."""
    wide = width(out.shape[-1])
    n = out.size // wide
    kernels[wide]((blocks(n, THREADS),), *arrays, n, *options)


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
