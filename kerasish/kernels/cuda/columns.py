"""Sums over the rows of a matrix, a result for each column: 256 threads share the rows, parts are added in order."""

from math import sqrt

from numba import cuda, float32, float64, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import device, template
from kerasish.kernels.cuda.arrays import blocks
from kerasish.kernels.cuda.asm import load, store

THREADS = 256
SUM, MOMENTS, BATCH, LAYER = range(4)
PARTS = 128  # of the rows, at most


@device
def passed(g, value, ACTIVATION):
    """The gradient that relu (1) or relu6 (2) of a value lets through."""
    if ACTIVATION != 0 and not (value > float32(0) and (ACTIVATION == 1 or value < float32(6))):
        g = float32(0)
    return g


@template("FFFFFFF iiiii")
def column_sums(x, g, y, mean, scale, slope, level, rows, C, share, shift, ACTIVATION):
    """Writes (parts, 2, C) sums to y: of d and d * d (d = x less the first row), or of g and g times normalized x.

    A block is 2**shift columns wide. For BATCH and LAYER, `mean` and `scale` normalize x by column and by row; for
    BATCH, g is what an activation of normal * slope + level has let through.
    """
    first, second = cuda.shared.array(THREADS, float32), cuda.shared.array(THREADS, float32)
    thread = int32(cuda.threadIdx.x)
    column = int32((int32(cuda.blockIdx.x) << shift) + (thread & ((int32(1) << shift) - 1)))
    begin = int32(int32(cuda.blockIdx.y) * share)
    end = min(rows, int32(begin + share))
    a, b = float32(0), float32(0)
    if column < C:
        middle, width, steep, high = float32(0), float32(1), float32(0), float32(0)
        if KIND == MOMENTS:
            middle = load(x, column)
        if KIND == BATCH:
            middle, width = load(mean, column), load(scale, column)
            steep, high = load(slope, column), load(level, column)
        for row in range(int32(begin + (thread >> shift)), end, int32(THREADS >> shift)):
            at = int32(row * C + column)
            if KIND == SUM:
                a += load(g, at)
            if KIND == MOMENTS:
                d = load(x, at) - middle
                a += d
                b += d * d
            if KIND == BATCH:
                normal = (load(x, at) - middle) * width
                v = passed(load(g, at), normal * steep + high, ACTIVATION)
                a += v
                b += v * normal
            if KIND == LAYER:
                v = load(g, at)
                a += v
                b += v * ((load(x, at) - load(mean, row)) * load(scale, row))
    store(first, thread, a)
    store(second, thread, b)
    cuda.syncthreads()
    if thread < (int32(1) << shift) and column < C:
        a, b = float32(0), float32(0)
        for i in range(int32(THREADS >> shift)):
            a += load(first, int32((i << shift) + thread))
            b += load(second, int32((i << shift) + thread))
        at = int32(2 * int32(cuda.blockIdx.y) * C + column)
        store(y, at, a)
        store(y, int32(at + C), b)


@template("FFFFF iiif")
def finish_sums(parts, x, first, second, third, count, C, rows, epsilon):
    """Adds up the parts; for MOMENTS to mean, variance and the inverse of the standard deviation."""
    column = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if column < C:
        a, b = float64(0), float64(0)
        for i in range(count):
            a += float64(load(parts, int32(2 * i * C + column)))
            b += float64(load(parts, int32((2 * i + 1) * C + column)))
        if KIND == MOMENTS:
            n = float64(rows)
            a, b = a / n, b / n
            variance = b - a * a
            if variance < float64(0):
                variance = float64(0)
            store(first, column, float32(float64(load(x, column)) + a))
            store(second, column, float32(variance))
            store(third, column, float32(float64(1) / sqrt(float64(float32(variance)) + float64(epsilon))))
        else:
            store(first, column, float32(a))
            store(second, column, float32(b))


def _kernels(kind, name):
    kinds = {"SUM": SUM, "MOMENTS": MOMENTS, "BATCH": BATCH, "LAYER": LAYER, "KIND": kind, "THREADS": THREADS}
    sums = column_sums(f"column_sums_{name}", THREADS, **kinds)
    if kind in (SUM, MOMENTS):
        FINISH[kind] = finish_sums(f"finish_{name}", THREADS, **kinds)
    return sums


FINISH = {}
SUMS = {kind: _kernels(kind, name) for kind, name in enumerate(("sum", "moments", "batch", "layer"))}


def width_shift(C):
    """The logarithm of a block's width: the least power of two that covers C, up to 32."""
    return min(5, max(0, (C - 1).bit_length()))


def column_grid(rows, C):
    """The grid, how many rows a block takes, the logarithm of its width."""
    shift = width_shift(C)
    share = max(blocks(rows, PARTS), 4 * (THREADS >> shift))
    return (blocks(C, 1 << shift), blocks(rows, share)), share, shift


def reduced(kind, x, g, rows, C, mean=None, scale=None, slope=None, level=None, activation=0, epsilon=0.0):
    """The results of `column_sums` and `finish_sums`, as a list of arrays (C,)."""
    xp = array_module(x)
    grid, share, shift = column_grid(rows, C)
    parts = xp.empty((grid[1], 2, C), x.dtype)
    given = [x if a is None else a for a in (mean, scale, slope, level)]
    SUMS[kind](grid, x, g, parts, *given, rows, C, share, shift, activation)
    out = [xp.empty(C, x.dtype) for _ in range(3)]
    finish = FINISH[MOMENTS if kind == MOMENTS else SUM]
    finish((blocks(C, THREADS),), parts, x, *out, grid[1], C, rows, epsilon)
    return out
