"""Sums over the rows of a matrix, a result for each column: blocks share the rows, their parts are added in order."""

from math import sqrt

from numpy import float32, float64, int32

from kerasish.device import array_module
from kerasish.device.cuda import multiprocessors
from kerasish.device.cuda_jit import cuda, unroll
from kerasish.kernels.cuda.arrays import blocks
from kerasish.kernels.cuda.asm import load, store
from kerasish.kernels.cuda.wide import keep, several, width

THREADS, LANES = 256, 32
SUM, MOMENTS, BATCH, LAYER = range(4)
RESIDENT = 8  # blocks of a multiprocessor, which it takes to keep memory busy


@cuda.jit(device=True)
def share_of(share, shift):
    """The thread's number, its first column, and the first row of its block's share; see `column_grid`."""
    thread = int32(cuda.threadIdx.x)
    column = int32((int32(cuda.blockIdx.x) << shift) + (thread & ((int32(1) << shift) - 1)))
    return thread, int32(column * WIDE), int32(int32(cuda.blockIdx.y) * share)


@cuda.jit(device=True)
def add_up(sums, a, b, thread, shift):
    """Adds the a's and b's of the threads that share columns, in order, for the first 2**shift threads."""
    keep(sums, int32(thread * WIDE), a)
    keep(sums, int32((THREADS + thread) * WIDE), b)
    cuda.syncthreads()
    if thread < (int32(1) << shift):
        for j in unroll(WIDE):
            a[j], b[j] = float32(0), float32(0)
        for i in range(int32(THREADS >> shift)):
            u = several(sums, int32(((i << shift) + thread) * WIDE))
            v = several(sums, int32((THREADS + (i << shift) + thread) * WIDE))
            for j in unroll(WIDE):
                a[j] += u[j]
                b[j] += v[j]


@cuda.jit(device=True)
def passed(g, value, ACTIVATION):
    """The gradient that relu (1) or relu6 (2) of a value lets through."""
    if ACTIVATION != 0 and not (value > float32(0) and (ACTIVATION == 1 or value < float32(6))):
        g = float32(0)
    return g


@cuda.jit("void(" + 7 * "CPointer(f4), " + 5 * "i4, " + ")", launch_bounds=THREADS)
def _column_sums(x, g, y, mean, scale, slope, level, rows, C, share, shift, ACTIVATION):
    """Writes (parts, 2, C) sums to y: of d and d * d (d = x less the first row), or of g and g times normalized x.

    A block is 2**shift times WIDE columns wide. For BATCH and LAYER, `mean` and `scale` normalize x by column and by
    row; for BATCH, g is what an activation of normal * slope + level has let through.
    """
    sums = cuda.shared.array(2 * WIDE * THREADS, float32)
    a, b = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    middle, factor = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    steep, high = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    thread, column, begin = share_of(share, shift)
    end = min(rows, int32(begin + share))
    for j in unroll(WIDE):
        a[j], b[j] = float32(0), float32(0)
    if column < C:
        for j in unroll(WIDE):
            if KIND == MOMENTS:
                middle[j] = load(x, int32(column + j))
            if KIND == BATCH:
                middle[j], factor[j] = load(mean, int32(column + j)), load(scale, int32(column + j))
                steep[j], high[j] = load(slope, int32(column + j)), load(level, int32(column + j))
        for row in range(int32(begin + (thread >> shift)), end, int32(THREADS >> shift)):
            at = int32(row * C + column)
            if KIND != MOMENTS:
                v = several(g, at)
            if KIND != SUM:
                u = several(x, at)
            for j in unroll(WIDE):
                if KIND == SUM:
                    a[j] += v[j]
                if KIND == MOMENTS:
                    d = u[j] - middle[j]
                    a[j] += d
                    b[j] += d * d
                if KIND == BATCH:
                    normal = (u[j] - middle[j]) * factor[j]
                    let = passed(v[j], normal * steep[j] + high[j], ACTIVATION)
                    a[j] += let
                    b[j] += let * normal
                if KIND == LAYER:
                    a[j] += v[j]
                    b[j] += v[j] * ((u[j] - load(mean, row)) * load(scale, row))
    add_up(sums, a, b, thread, shift)
    if thread < (int32(1) << shift) and column < C:
        at = int32(2 * int32(cuda.blockIdx.y) * C + column)
        keep(y, at, a)
        keep(y, int32(at + C), b)


@cuda.jit("void(" + 5 * "CPointer(f4), " + "i4, i4, i4, f4)", launch_bounds=THREADS)
def _finish_sums(parts, x, first, second, third, count, C, rows, epsilon):
    """Adds up the parts, 32 columns a block; for MOMENTS to mean, variance and the standard deviation's inverse."""
    sums = cuda.shared.array(2 * THREADS, float64)
    thread = int32(cuda.threadIdx.x)
    column = int32(int32(cuda.blockIdx.x) * LANES + thread % LANES)
    a, b = float64(0), float64(0)
    if column < C:
        for i in range(int32(thread // LANES), count, THREADS // LANES):
            a += float64(load(parts, int32(2 * i * C + column)))
            b += float64(load(parts, int32((2 * i + 1) * C + column)))
    store(sums, thread, a)
    store(sums, int32(THREADS + thread), b)
    cuda.syncthreads()
    if thread < LANES and column < C:
        a, b = float64(0), float64(0)
        for i in range(THREADS // LANES):
            a += load(sums, int32(i * LANES + thread))
            b += load(sums, int32(THREADS + i * LANES + thread))
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


NAMES = ("sum", "moments", "batch", "layer")
SUMS = {
    (kind, wide): _column_sums.specialize(f"column_sums_{name}_{wide}", KIND=kind, WIDE=wide)
    for kind, name in enumerate(NAMES)
    for wide in (1, 4)
}
FINISH = {kind: _finish_sums.specialize(f"finish_{NAMES[kind]}", KIND=kind) for kind in (SUM, MOMENTS)}


def column_grid(rows, C):
    """The grid for a matrix, how many rows a block takes, the logarithm of how many threads share a row."""
    across = C // width(C)
    shift = min(5, max(0, (across - 1).bit_length()))
    wide = blocks(across, 1 << shift)
    share = max(blocks(rows, blocks(RESIDENT * multiprocessors(), wide)), 4 * (THREADS >> shift))
    return (wide, blocks(rows, share)), share, shift


def reduced(kind, x, g, rows, C, mean=None, scale=None, slope=None, level=None, activation=0, epsilon=0.0):
    """The results of `_column_sums` and `_finish_sums`, as a list of arrays (C,)."""
    xp = array_module(x)
    grid, share, shift = column_grid(rows, C)
    parts = xp.empty((grid[1], 2, C), x.dtype)
    given = [x if a is None else a for a in (mean, scale, slope, level)]
    SUMS[kind, width(C)][grid, THREADS](x, g, parts, *given, rows, C, share, shift, activation)
    out = [xp.empty(C, x.dtype) for _ in range(3)]
    finish = FINISH[MOMENTS if kind == MOMENTS else SUM]
    finish[blocks(C, LANES), THREADS](parts, x, *out, grid[1], C, rows, epsilon)
    return out
