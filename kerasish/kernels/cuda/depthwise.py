"""Depthwise convolution on a card: a thread takes one channel or four of a pixel, and goes over the taps."""

import math

from numpy import float32, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import cuda, unroll
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.asm import inside, load, store
from kerasish.kernels.cuda.batch_norm import normalized
from kerasish.kernels.cuda.conv import lifted, output_shape
from kerasish.kernels.cuda.outer import sum_parts
from kerasish.kernels.cuda.product import CUTS, cut
from kerasish.kernels.cuda.wide import keep, pixel, several, width
from kerasish.kernels.reference import depthwise as reference
from kerasish.kernels.reference.precision import widened

THREADS, LANES = 256, 32
PARTS = 64  # of the pixels, at most, in a gradient of filters
GEOMETRY = 14 * "i4, "  # sizes of image, multiplier, result, window; strides, first pads, dilation


@cuda.jit("void(" + 4 * "CPointer(f4), " + 3 * "i4, " + GEOMETRY + ")", launch_bounds=THREADS)
def _forward(x, w, bias, y, n, BIAS, CUT, H, W, C, M, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW):
    """y[f] = sum over taps of x[f // M] * w[tap, f]; WIDE is 4 only if M is 1."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        F = int32(C * M)
        image, row, column, f = pixel(i, OH, OW, F)
        sums = cuda.local.array(WIDE, float32)
        for j in unroll(WIDE):
            sums[j] = load(bias, int32(f + j)) if BIAS != 0 else float32(0)
        c = int32(f // M)
        for h in range(KH):
            down = int32(row * SH - PH + h * DH)
            if inside(down, H):
                for k in range(KW):
                    across = int32(column * SW - PW + k * DW)
                    if inside(across, W):
                        u = several(x, int32(((image * H + down) * W + across) * C + c))
                        v = several(w, int32((h * KW + k) * F + f))
                        for j in unroll(WIDE):
                            sums[j] += u[j] * v[j]
        for j in unroll(WIDE):
            sums[j] = cut(sums[j], CUT)
        keep(y, int32(i * WIDE), sums)


@cuda.jit("void(" + 3 * "CPointer(f4), " + "i4, " + GEOMETRY + ")", launch_bounds=THREADS)
def _backward(gy, w, gx, n, H, W, C, M, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW):
    """gx[c] = sum over the taps that meet this pixel, and the channel's filters, of gy * w."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        F = int32(C * M)
        image, row, column, c = pixel(i, H, W, C)
        sums = cuda.local.array(WIDE, float32)
        for j in unroll(WIDE):
            sums[j] = float32(0)
        for h in range(KH):
            up = int32(row + PH - h * DH)
            down = int32(up // SH)
            if inside(down, OH) and down * SH == up:
                for k in range(KW):
                    left = int32(column + PW - k * DW)
                    across = int32(left // SW)
                    if inside(across, OW) and across * SW == left:
                        for m in range(M):
                            u = several(gy, int32(((image * OH + down) * OW + across) * F + c * M + m))
                            v = several(w, int32((h * KW + k) * F + c * M + m))
                            for j in unroll(WIDE):
                                sums[j] += u[j] * v[j]
        keep(gx, int32(i * WIDE), sums)


@cuda.jit("void(" + 3 * "CPointer(f4), " + 2 * "i4, " + GEOMETRY + ")", launch_bounds=THREADS)
def _depthwise_filters(x, gy, parts, pixels, share, H, W, C, M, OH, OW, KH, KW, SH, SW, PH, PW, DH, DW):
    """parts[z, tap, f] = the sum of x * gy over `share` pixels; a block takes 32 filters of a tap."""
    rows = cuda.shared.array(THREADS, float32)
    thread, tap = int32(cuda.threadIdx.x), int32(cuda.blockIdx.y)
    F, lane = int32(C * M), int32(thread % LANES)
    f = int32(int32(cuda.blockIdx.x) * LANES + lane)
    h, k = int32(tap // KW), int32(tap % KW)
    begin = int32(int32(cuda.blockIdx.z) * share)
    total = float32(0)
    if f < F:
        c = int32(f // M)
        for pixel in range(int32(begin + thread // LANES), min(pixels, int32(begin + share)), THREADS // LANES):
            at, column = int32(pixel // OW), int32(pixel % OW)
            image, row = int32(at // OH), int32(at % OH)
            down, across = int32(row * SH - PH + h * DH), int32(column * SW - PW + k * DW)
            if inside(down, H) and inside(across, W):
                total += load(x, int32(((image * H + down) * W + across) * C + c)) * load(gy, int32(pixel * F + f))
    store(rows, thread, total)
    cuda.syncthreads()
    if thread < LANES and f < F:
        total = float32(0)
        for i in range(THREADS // LANES):
            total += load(rows, int32(i * LANES + lane))
        store(parts, int32((int32(cuda.blockIdx.z) * KH * KW + tap) * F + f), total)


FORWARD = {wide: _forward.specialize(f"depthwise_{wide}", WIDE=wide) for wide in (1, 4)}
BACKWARD = {wide: _backward.specialize(f"depthwise_gradient_{wide}", WIDE=wide) for wide in (1, 4)}


@widened
def depthwise_conv2d(x, w, window, bias=None, activation=None):
    """Cross-correlation channel by channel.

    x (N, H, W, C), w (KH, KW, C, M), bias (C * M,) -> y (N, OH, OW, C * M)
    """
    if not supported(x, w, bias):
        return reference.depthwise_conv2d(x, w, window, bias, activation)
    C, M = w.shape[2:]
    xp, shape = array_module(x), output_shape(x.shape, (*w.shape[:2], C * M), window)
    y = xp.empty(shape, x.dtype)
    if y.size:
        wide = _wide(C, M)
        n, given = y.size // wide, (contiguous(x), contiguous(w), y if bias is None else contiguous(bias), y)
        options = (n, int(bias is not None), CUTS[activation])
        FORWARD[wide][blocks(n, THREADS), THREADS](*given, *options, *_geometry(x.shape, shape, w.shape, window))
    return y


@widened
def scale_shift(x, scale, shift, activation=None):
    """activation(x * scale + shift), by channels: x (..., C), scale, shift (C,)."""
    if not supported(x, scale, shift) or not x.size or x.dtype != scale.dtype:
        return reference.scale_shift(x, scale, shift, activation)
    nothing = array_module(x).zeros(scale.shape, scale.dtype)
    return normalized(contiguous(x), nothing, scale, None, shift, -1.0, activation)


@widened
def depthwise_conv2d_grad_input(gy, w, x_shape, window):
    """dL/dx of `depthwise_conv2d`.

    gy (N, OH, OW, C * M), w (KH, KW, C, M) -> gx (N, H, W, C)
    """
    if not supported(gy, w) or not math.prod(x_shape) or not gy.size:
        return reference.depthwise_conv2d_grad_input(gy, w, x_shape, window)
    wide, gx = _wide(*w.shape[2:]), array_module(gy).empty(tuple(x_shape), gy.dtype)
    n, geometry = gx.size // wide, _geometry(x_shape, gy.shape, w.shape, window)
    BACKWARD[wide][blocks(n, THREADS), THREADS](contiguous(gy), contiguous(w), gx, n, *geometry)
    return gx


@widened
def depthwise_conv2d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `depthwise_conv2d`, summed in a fixed order.

    x (N, H, W, C), gy (N, OH, OW, C * M) -> gw (KH, KW, C, M)
    """
    if not supported(x, gy) or not x.size or not gy.size:
        return reference.depthwise_conv2d_grad_kernel(x, gy, w_shape, window)
    xp, (KH, KW, C, M) = array_module(x), w_shape
    pixels = gy.size // gy.shape[-1]
    share = max(blocks(pixels, PARTS), 64)
    splits = blocks(pixels, share)
    parts, gw = xp.empty((splits, KH * KW, C * M), x.dtype), xp.empty(tuple(w_shape), x.dtype)
    grid, geometry = (blocks(C * M, LANES), KH * KW, splits), _geometry(x.shape, gy.shape, w_shape, window)
    _depthwise_filters[grid, THREADS](contiguous(x), contiguous(gy), parts, pixels, share, *geometry)
    sum_parts(parts, gw, splits)
    return gw


def depthwise_conv1d(x, w, window, bias=None, activation=None):
    """Cross-correlation along one axis: x (N, W, C), w (KW, C, M) -> y (N, OW, C * M)."""
    return depthwise_conv2d(x[:, None], w[None], lifted(window), bias, activation)[:, 0]


def depthwise_conv1d_grad_input(gy, w, x_shape, window):
    """dL/dx of `depthwise_conv1d`."""
    return depthwise_conv2d_grad_input(gy[:, None], w[None], (x_shape[0], 1, *x_shape[1:]), lifted(window))[:, 0]


def depthwise_conv1d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `depthwise_conv1d`."""
    return depthwise_conv2d_grad_kernel(x[:, None], gy[:, None], (1, *w_shape), lifted(window))[0]


def _wide(C, M):
    """How many channels a thread takes."""
    return width(C) if M == 1 else 1


def _geometry(x_shape, y_shape, w_shape, window):
    firsts = tuple(before for before, _ in window.pads)
    sizes = (*x_shape[1:3], *w_shape[2:], *y_shape[1:3], *w_shape[:2])
    return (*sizes, *window.strides, *firsts, *window.dilation)
