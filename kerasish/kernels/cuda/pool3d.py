"""Pooling on a card, in one launch: a thread takes one channel or four of a pixel; gradients gather.

An element knows its first and its last window along each axis, so a gradient meets no window in vain. Numbers of pixels
and strides are divided by with products (`gather.reciprocal`).
"""

import math

from numpy import float32, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import cuda, unroll
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.asm import inside
from kerasish.kernels.cuda.conv import output_shape
from kerasish.kernels.cuda.gather import reciprocal
from kerasish.kernels.cuda.product import divided
from kerasish.kernels.cuda.warp import LOWEST
from kerasish.kernels.cuda.wide import keep, several, width
from kerasish.kernels.reference import pool as reference
from kerasish.kernels.reference.precision import widened

THREADS = 256
NO_TAP = 255  # the number of no element of a window
GEOMETRY = 19 * "i4, "  # sizes of image, result, window; strides, first pads, dilation
PLACES = 4 * "u4, i4, "  # how to divide by channels (in WIDEs), columns, rows and planes of what threads walk
STRIDES = 3 * "u4, i4, "


@cuda.jit(device=True)
def place(i, quads, columns, rows, planes, CR, CS, WR, WS, HR, HS, DR, DS):
    """Element i's first channel, its column, row, plane and image."""
    at = divided(i, CR, CS)
    line = divided(at, WR, WS)
    plane = divided(line, HR, HS)
    image = divided(plane, DR, DS)
    c, column = int32((i - at * quads) * WIDE), int32(at - line * columns)
    return c, column, int32(line - plane * rows), int32(plane - image * planes), image


@cuda.jit(device=True)
def first_window(at, taps, stride, pad, dilation, R, S):
    """The first window that may hold an element."""
    least = int32(at + pad - (taps - 1) * dilation + stride - 1)
    return divided(max(least, int32(0)), R, S)


@cuda.jit(device=True)
def windows_end(at, count, pad, R, S):
    """The number after that of the last window that may hold an element."""
    return min(count, int32(divided(int32(at + pad), R, S) + 1))


@cuda.jit(device=True)
def tap_of(at, window, stride, pad, dilation):
    """Which tap of a window meets an element; negative if none does."""
    away = int32(at + pad - window * stride)
    if dilation > 1:
        tap = int32(away // dilation)
        away = tap if tap * dilation == away else int32(-1)
    return away


@cuda.jit(device=True)
def within(window, taps, stride, pad, dilation, size):
    """How many taps of a window lie inside of the image."""
    count = int32(0)
    for tap in range(taps):
        count = int32(count + (1 if inside(int32(window * stride - pad + tap * dilation), size) else 0))
    return count


@cuda.jit(f"void(CPointer(f4), CPointer(f4), CPointer(u1), i4, {GEOMETRY} {PLACES} i4, i4)", launch_bounds=THREADS)
def _max_forward(
    x, y, where, n,
    D, H, W, C, OD, OH, OW, KD, KH, KW, SD, SH, SW, PD, PH, PW, DD, DH, DW,
    CR, CS, WR, WS, HR, HS, DR, DS, NEEDED, RELU,
):  # fmt: skip
    """y = the first maximum of each window, where = its number there."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        c, column, row, plane, image = place(i, C // WIDE, OW, OH, OD, CR, CS, WR, WS, HR, HS, DR, DS)
        best, found = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, int32)
        for j in unroll(WIDE):
            best[j], found[j] = float32(LOWEST), int32(0)
        for d in range(KD):
            deep = int32(plane * SD - PD + d * DD)
            if inside(deep, D):
                for h in range(KH):
                    down = int32(row * SH - PH + h * DH)
                    if inside(down, H):
                        for w in range(KW):
                            across = int32(column * SW - PW + w * DW)
                            if inside(across, W):
                                v = several(x, int32((((image * D + deep) * H + down) * W + across) * C + c))
                                tap = int32((d * KH + h) * KW + w)
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


@cuda.jit(f"void(CPointer(f4), CPointer(u1), CPointer(f4), i4, {GEOMETRY} {PLACES} {STRIDES})", launch_bounds=THREADS)
def _max_backward(
    gy, where, gx, n,
    D, H, W, C, OD, OH, OW, KD, KH, KW, SD, SH, SW, PD, PH, PW, DD, DH, DW,
    CR, CS, WR, WS, HR, HS, DR, DS, SDR, SDS, SHR, SHS, SWR, SWS,
):  # fmt: skip
    """gx = the sum of gy over the windows whose maximum this is."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        c, column, row, plane, image = place(i, C // WIDE, W, H, D, CR, CS, WR, WS, HR, HS, DR, DS)
        total = cuda.local.array(WIDE, float32)
        for j in unroll(WIDE):
            total[j] = float32(0)
        rows = first_window(row, KH, SH, PH, DH, SHR, SHS), windows_end(row, OH, PH, SHR, SHS)
        columns = first_window(column, KW, SW, PW, DW, SWR, SWS), windows_end(column, OW, PW, SWR, SWS)
        for deep in range(first_window(plane, KD, SD, PD, DD, SDR, SDS), windows_end(plane, OD, PD, SDR, SDS)):
            d = tap_of(plane, int32(deep), SD, PD, DD)
            for down in range(rows[0], rows[1]):
                h = tap_of(row, int32(down), SH, PH, DH)
                for across in range(columns[0], columns[1]):
                    w = tap_of(column, int32(across), SW, PW, DW)
                    if d >= 0 and h >= 0 and w >= 0:
                        start = int32((((image * OD + deep) * OH + down) * OW + across) * C + c)
                        g, tap = several(gy, start), int32((d * KH + h) * KW + w)
                        for j in unroll(WIDE):
                            if where[start + j] == tap:
                                total[j] += g[j]
        keep(gx, int32(i * WIDE), total)


@cuda.jit(f"void(CPointer(f4), CPointer(f4), i4, {GEOMETRY} {PLACES})", launch_bounds=THREADS)
def _mean_forward(
    x, y, n,
    D, H, W, C, OD, OH, OW, KD, KH, KW, SD, SH, SW, PD, PH, PW, DD, DH, DW,
    CR, CS, WR, WS, HR, HS, DR, DS,
):  # fmt: skip
    """y = the mean of each window, over the elements inside of the image."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        c, column, row, plane, image = place(i, C // WIDE, OW, OH, OD, CR, CS, WR, WS, HR, HS, DR, DS)
        total, count = cuda.local.array(WIDE, float32), int32(0)
        for j in unroll(WIDE):
            total[j] = float32(0)
        for d in range(KD):
            deep = int32(plane * SD - PD + d * DD)
            if inside(deep, D):
                for h in range(KH):
                    down = int32(row * SH - PH + h * DH)
                    if inside(down, H):
                        for w in range(KW):
                            across = int32(column * SW - PW + w * DW)
                            if inside(across, W):
                                v = several(x, int32((((image * D + deep) * H + down) * W + across) * C + c))
                                count = int32(count + 1)
                                for j in unroll(WIDE):
                                    total[j] += v[j]
        for j in unroll(WIDE):
            total[j] /= float32(count)
        keep(y, int32(i * WIDE), total)


@cuda.jit(f"void(CPointer(f4), CPointer(f4), i4, {GEOMETRY} {PLACES} {STRIDES})", launch_bounds=THREADS)
def _mean_backward(
    gy, gx, n,
    D, H, W, C, OD, OH, OW, KD, KH, KW, SD, SH, SW, PD, PH, PW, DD, DH, DW,
    CR, CS, WR, WS, HR, HS, DR, DS, SDR, SDS, SHR, SHS, SWR, SWS,
):  # fmt: skip
    """gx = the sum of gy over the windows that hold this, each divided by how much of it lies inside of the image."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        c, column, row, plane, image = place(i, C // WIDE, W, H, D, CR, CS, WR, WS, HR, HS, DR, DS)
        total = cuda.local.array(WIDE, float32)
        for j in unroll(WIDE):
            total[j] = float32(0)
        rows = first_window(row, KH, SH, PH, DH, SHR, SHS), windows_end(row, OH, PH, SHR, SHS)
        columns = first_window(column, KW, SW, PW, DW, SWR, SWS), windows_end(column, OW, PW, SWR, SWS)
        for deep in range(first_window(plane, KD, SD, PD, DD, SDR, SDS), windows_end(plane, OD, PD, SDR, SDS)):
            thick = within(int32(deep), KD, SD, PD, DD, D)
            d = tap_of(plane, int32(deep), SD, PD, DD)
            for down in range(rows[0], rows[1]):
                tall = int32(thick * within(int32(down), KH, SH, PH, DH, H))
                h = tap_of(row, int32(down), SH, PH, DH)
                for across in range(columns[0], columns[1]):
                    w = tap_of(column, int32(across), SW, PW, DW)
                    if d >= 0 and h >= 0 and w >= 0:
                        g = several(gy, int32((((image * OD + deep) * OH + down) * OW + across) * C + c))
                        share = float32(1) / float32(int32(tall * within(int32(across), KW, SW, PW, DW, W)))
                        for j in unroll(WIDE):
                            total[j] += g[j] * share
        keep(gx, int32(i * WIDE), total)


def _kernels(kernel, name):
    return {wide: kernel.specialize(f"{name}_{wide}", WIDE=wide) for wide in (1, 4)}


MAX, MAX_BACK = _kernels(_max_forward, "max_pool"), _kernels(_max_backward, "max_pool_gradient")
MEAN, MEAN_BACK = _kernels(_mean_forward, "average_pool"), _kernels(_mean_backward, "average_pool_gradient")


@widened
def max_pool3d(x, size, window, need_where=True, activation=None):
    """The largest element of each window; padding never wins, a NaN always does.

    x      (N, D, H, W, C)
    ->  y  (N, OD, OH, OW, C), where (N, OD, OH, OW, C): number of the first maximum in its window (None unless needed)

    With "relu" as activation, y is at least 0, and where no element is above 0 the number is none of the window's.
    """
    if not _ours(x, size):
        return reference.max_pool2d(x, size, window, need_where, activation)
    xp, shape = array_module(x), output_shape(x.shape, (*size, x.shape[-1]), window)
    y, where = xp.empty(shape, x.dtype), xp.empty(shape if need_where else (1,), "uint8")
    _launch(MAX, y, (contiguous(x), y, where), x.shape, shape, size, window, int(need_where), int(activation == "relu"))
    return y, where if need_where else None


def max_pool3d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool3d`: each gy goes to the maximum that it came from."""
    if not _ours(gy, size) or where.dtype != "uint8" or not math.prod(x_shape):
        return reference.max_pool2d_grad(gy, where, x_shape, size, window)
    gx = array_module(gy).empty(tuple(x_shape), gy.dtype)
    given = (contiguous(gy), contiguous(where), gx)
    _launch(MAX_BACK, gx, given, x_shape, gy.shape, size, window, *_reciprocals(window.strides))
    return gx


@widened
def average_pool3d(x, size, window):
    """The mean of each window, over the elements that lie inside the image."""
    if not _ours(x, size):
        return reference.average_pool2d(x, size, window)
    y = array_module(x).empty(output_shape(x.shape, (*size, x.shape[-1]), window), x.dtype)
    _launch(MEAN, y, (contiguous(x), y), x.shape, y.shape, size, window)
    return y


@widened
def average_pool3d_grad(gy, x_shape, size, window):
    """dL/dx of `average_pool3d`: each gy spreads evenly over the part of its window that lies inside the image."""
    if not _ours(gy, size) or not math.prod(x_shape):
        return reference.average_pool2d_grad(gy, x_shape, size, window)
    gx = array_module(gy).empty(tuple(x_shape), gy.dtype)
    _launch(MEAN_BACK, gx, (contiguous(gy), gx), x_shape, gy.shape, size, window, *_reciprocals(window.strides))
    return gx


def _ours(x, size):
    return supported(x) and x.size and math.prod(size) <= NO_TAP


def _reciprocals(sizes):
    return tuple(number for size in sizes for number in reciprocal(size))


def _launch(kernels, out, arrays, x_shape, y_shape, size, window, *more):
    """Runs a kernel whose threads walk `out`."""
    *_, planes, rows, columns, C = out.shape
    wide, firsts = width(C), tuple(before for before, _ in window.pads)
    geometry = (*x_shape[1:], *y_shape[1:4], *size, *window.strides, *firsts, *window.dilation)
    places = _reciprocals((C // wide, columns, rows, planes))
    n = out.size // wide
    kernels[wide][blocks(n, THREADS), THREADS](*arrays, n, *geometry, *places, *more)
