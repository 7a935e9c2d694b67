"""Batch normalization: statistics, then the results, in one launch.

Rows of few channels are taken several at a time (`fold`), so that loops are long. Statistics are taken in chunks of
fixed size: mean and sum of squared deviations of each while it is in the first-level cache, joined in float64 (Chan,
Golub and LeVeque 1979). Their bits do not depend on the number of threads. The gradient finds out again from x what an
activation cut off, so outputs need be neither kept nor read.
"""

import math

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import EXACT, FASTMATH, njit, prange
from kerasish.device.pointer import number, view
from kerasish.device.records import as_record
from kerasish.kernels.cpu import fold
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.layout import chunks
from kerasish.kernels.cpu.tile import CUTS
from kerasish.kernels.reference import batch_norm as reference
from kerasish.kernels.reference.precision import quiet

MEAN, SCALE, SHIFT, LOW, HIGH, SLOPE, START, CHUNK = range(8)  # rows: vectors as wide as a fold; low and high are one
ROWS = 9  # number; two vectors are the sums of a chunk
RELU6 = CUTS["relu6"]
VARIANCE, INVERSE_STD = 1, 2  # of the statistics; the mean is the first


def batch_norm_train(x, gamma, beta, epsilon, activation=None):
    """Normalizes each channel over all other axes, then applies an elementwise function by name.

    x      (..., C)
    ->  y  (..., C), mean (C,), variance (C,) (biased, as in Keras), inverse_std (C,)
    """
    if not supported(x, gamma, beta) or activation not in CUTS:
        return reference.batch_norm_train(x, gamma, beta, epsilon, activation)
    y, statistics = memory.empty(x.shape, x.dtype), np.empty((3, x.shape[-1]), x.dtype)
    flat, split = np.ascontiguousarray(x).reshape(-1), chunks(x.size, x.shape[-1])
    sums, scratch = _sums(split), memory.empty((split.tasks, 2, split.width), x.dtype)
    rows, affine = np.empty((HIGH + 1, split.width), x.dtype), _given(gamma, beta, dtype=x.dtype)
    given = flat, *affine, float(epsilon), CUTS[activation], as_record(split)
    outputs, count = (y.reshape(-1), statistics, sums, scratch, rows), threads.wanted(x.size * 2)
    _train(split.tasks, -(-x.size // split.step), *given, *outputs, threads=count)
    return y, *statistics


def batch_norm_grad(gy, x, gamma, beta, mean, inverse_std, activation=None):
    """dL/dx, dL/dgamma and dL/dbeta of `batch_norm_train`, through its statistics and the activation, too."""
    if not supported(gy, x, gamma, beta, mean, inverse_std) or activation not in CUTS:
        return reference.batch_norm_grad(gy, x, gamma, beta, mean, inverse_std, activation)
    gx, affine_grad = memory.empty(x.shape, x.dtype), np.empty((2, x.shape[-1]), x.dtype)
    g, flat = (np.ascontiguousarray(a).reshape(-1) for a in (gy, x))
    split, vectors = chunks(x.size, x.shape[-1]), _given(gamma, beta, mean, inverse_std, dtype=x.dtype)
    sums, rows = _sums(split), memory.empty((split.tasks + 1, ROWS, split.width), x.dtype)
    given = g, flat, *vectors, CUTS[activation], as_record(split)
    outputs, count = (gx.reshape(-1), affine_grad, sums, rows), threads.wanted(x.size * 2)
    _gradient(split.tasks, -(-x.size // split.step), *given, *outputs, threads=count)
    return gx, *affine_grad


@quiet
def batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation=None):
    """Normalizes with given statistics, then applies an elementwise function by name."""
    if not supported(x, mean, variance, gamma, beta) or activation not in CUTS:
        return reference.batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation)
    x, y, C = np.ascontiguousarray(x), memory.empty(x.shape, x.dtype), x.shape[-1]
    split, scale = chunks(x.size, C), 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    rows = np.empty((HIGH + 1, split.width // C, C), x.dtype)
    values = mean, scale if gamma is None else scale * gamma, 0 if beta is None else beta, *_bounds(CUTS[activation])
    for row, value in zip(rows, values):
        row[:] = value
    flat, tasks = [a.reshape(-1) for a in (x, y)], -(-x.size // split.step)
    _affine_tasks(tasks, *flat, rows.reshape(len(rows), -1), split.step, threads=threads.wanted(x.size * 2))
    return y


def moving_average(average, value, momentum):
    """average = average * momentum + value * (1 - momentum), in place."""
    if not supported(average, value) or not (average.flags.c_contiguous and value.flags.c_contiguous):
        reference.moving_average(average, value, momentum)
        return
    shares = np.array((momentum, 1 - momentum), average.dtype)
    _move(1, average.reshape(-1), value.reshape(-1), shares, threads=1)


@njit(parallel=True, fastmath=EXACT, usual=("float32.1 float32.1 float32.1",))
def _move(tasks, average, value, shares):
    """average = average shares[0] + value shares[1], in one task"""
    for _ in prange(tasks):
        for i in range(average.size):
            average[i] = average[i] * shares[0] + value[i] * shares[1]


def _sums(split):
    """Two float64 vectors for each task, and two for all."""
    return memory.empty((split.tasks + 1, 2, split.width), np.float64)


def _given(*rows, dtype):
    """Rows of channels; an empty one for None."""
    return [np.empty(0, dtype) if row is None else np.ascontiguousarray(row) for row in rows]


@njit(fastmath=FASTMATH)
def _bounds(cut):
    """What an activation, one of `tile.CUTS`, cuts off at."""
    return 0.0 if cut else -math.inf, 6.0 if cut == RELU6 else math.inf


@njit(
    parallel=True,
    fastmath=FASTMATH,
    usual=(
        "int64 float32.1 float32.1 float32.1 float64 int64 Chunks.1 float32.1 float32.2 float64.3 float32.3 float32.2",
    ),
)
def _train(tasks, tasks_after, x, gamma, beta, epsilon, cut, split, y, statistics, sums, scratch, rows):
    """`batch_norm_train`: the statistics of each task's folds; all of them; then y.

    x, y        (size), gamma and beta (C) or (0), split `layout.Chunks`
    statistics  (3, C): mean, variance, inverse_std
    sums        (tasks + 1, 2, width), scratch (tasks, 2, width), rows (HIGH + 1, width)
    """
    cuts, C = split[0], statistics.shape[1]
    for task in prange(tasks):
        own, part = view(sums, 2 * task * cuts.width), view(scratch, 2 * task * cuts.width)
        moments(
            view(x, 0), own, part, cuts.width, cuts.folds, task * cuts.span, min(cuts.count, (task + 1) * cuts.span)
        )
    _join_moments(x, view(sums, 0), C, tasks, cuts)
    _keep(view(sums, 2 * tasks * cuts.width), view(statistics, 0), cuts.width, C, x.size // C, epsilon)
    _affine_rows(view(rows, 0), view(statistics, 0), view(statistics, INVERSE_STD * C), gamma, beta, cut, cuts.width, C)
    for task in prange(tasks_after):
        _affine(
            view(x, 0), view(rows, 0), view(y, 0), cuts.width, task * cuts.step, min(x.size, (task + 1) * cuts.step)
        )


@njit(fastmath=FASTMATH)
def moments(x, sums, scratch, width, folds, first, last):
    """For each place in a fold: the mean over some folds, and the sum of squared deviations from it, in float64.

    They go to sums (2, width); scratch likewise.
    """
    mean, square, center, deviation = sums, view(sums, width), scratch, view(scratch, width)
    for i in range(width):
        mean[i] = square[i] = 0.0
    for start in range(first, last, folds):
        stop = min(last, start + folds)
        before, share = float(start - first), (stop - start) / (stop - first)
        here = view(x, start * width)
        fold.total(here, center, width, stop - start)
        for i in range(width):
            center[i] = center[i] / number(center[i], stop - start)
        fold.squares(here, center, deviation, width, stop - start)
        for i in range(width):
            shift = center[i] - mean[i]
            mean[i] += shift * share
            square[i] += deviation[i] + shift * shift * share * before


@njit(fastmath=FASTMATH)
def _join_moments(x, sums, C, tasks, cuts):
    """The sums of all tasks and of the elements after the last whole fold: means, and squared deviations from them.

    sums  (tasks + 1, 2, width), of which the last are those of all
    """
    width, n = cuts.width, x.size // C
    tail, left = view(x, cuts.count * width), x.size - cuts.count * width
    total, square = view(sums, 2 * tasks * width), view(sums, (2 * tasks + 1) * width)
    for i in range(width):
        total[i] = square[i] = 0.0
    for task in range(tasks):
        mean, folds = view(sums, 2 * task * width), float(min(cuts.span, cuts.count - task * cuts.span))
        for i in range(width):
            total[i] += mean[i] * folds
    _fold_up(total, width, C)
    for i in range(left):
        total[i % C] += tail[i]
    for c in range(C):
        total[c] /= n
    repeat(total, width, C)
    for task in range(tasks):
        mean, squares = view(sums, 2 * task * width), view(sums, (2 * task + 1) * width)
        folds = float(min(cuts.span, cuts.count - task * cuts.span))
        for i in range(width):
            square[i] += squares[i] + (mean[i] - total[i]) * (mean[i] - total[i]) * folds
    _fold_up(square, width, C)
    for i in range(left):
        square[i % C] += (tail[i] - total[i]) * (tail[i] - total[i])


@njit(fastmath=FASTMATH)
def _fold_up(sums, width, C):
    """Adds to the first C places what belongs to the same channels."""
    for k in range(C, width, C):
        for c in range(C):
            sums[c] += sums[k + c]


@njit(fastmath=FASTMATH)
def repeat(row, width, C):
    """Copies the first C places into the others."""
    for i in range(C, width):
        row[i] = row[i - C]


@njit(fastmath=FASTMATH)
def _keep(sums, statistics, width, C, n, epsilon):
    """Writes the statistics of n rows down, from sums (2, width) to statistics (3, C)."""
    total, square = sums, view(sums, width)
    mean, variance, inverse_std = statistics, view(statistics, VARIANCE * C), view(statistics, INVERSE_STD * C)
    for c in range(C):
        mean[c] = total[c]
        variance[c] = square[c] / n
        inverse_std[c] = 1.0 / math.sqrt(square[c] / n + epsilon)


@njit(fastmath=FASTMATH)
def _affine_rows(rows, middle, inverse_std, gamma, beta, cut, width, C):
    """The rows that lead from x to y: mean, scale, shift, and the bounds."""
    mean, scale, shift = view(rows, MEAN * width), view(rows, SCALE * width), view(rows, SHIFT * width)
    weight, level = view(gamma, 0), view(beta, 0)
    for c in range(C):
        mean[c] = middle[c]
        scale[c] = inverse_std[c] * weight[c] if gamma.size else inverse_std[c]
        shift[c] = level[c] if beta.size else number(mean[c], 0)
    rows[LOW * width], rows[HIGH * width] = _bounds(cut)
    repeat(mean, width, C)
    repeat(scale, width, C)
    repeat(shift, width, C)


@njit(parallel=True, fastmath=FASTMATH, usual=("float32.1 float32.1 float32.2 int64",))
def _affine_tasks(tasks, x, y, rows, step):
    """x, y (size), and rows (HIGH + 1, width) that are there"""
    for task in prange(tasks):
        ends = task * step, min(x.size, (task + 1) * step)
        _affine(view(x, 0), view(rows, 0), view(y, 0), rows.shape[1], *ends)


@njit(fastmath=FASTMATH)
def _affine(x, rows, y, width, first, last):
    """y = (x - mean) scale + shift, cut off at low and high."""
    mean, scale, shift = view(rows, MEAN * width), view(rows, SCALE * width), view(rows, SHIFT * width)
    low, high = rows[LOW * width], rows[HIGH * width]
    for at in range(first, last, width):
        u, v = view(x, at), view(y, at)
        for i in range(min(width, last - at)):
            normal = (u[i] - mean[i]) * scale[i] + shift[i]
            normal = low if normal < low else normal
            v[i] = high if normal > high else normal


@njit(
    parallel=True,
    fastmath=FASTMATH,
    usual=("int64" + 6 * " float32.1" + " int64 Chunks.1 float32.1 float32.2 float64.3 float32.3",),
)
def _gradient(
    tasks, tasks_after, gy, x, gamma, beta, mean, inverse_std, cut, split, gx, affine_grad, sums, rows
):  # fmt: skip
    """`batch_norm_grad`: the sums of each task's folds; all of them; then gx.

    gy, x, gx    (size), gamma and beta (C) or (0), mean and inverse_std (C), split `layout.Chunks`
    affine_grad  (2, C): of gamma, of beta
    sums         (tasks + 1, 2, width), rows (tasks + 1, ROWS, width)
    """
    cuts, C = split[0], mean.size
    for task in prange(tasks):
        own, lines = view(sums, 2 * task * cuts.width), view(rows, task * ROWS * cuts.width)
        ends = (task * cuts.span, min(cuts.count, (task + 1) * cuts.span))
        _affine_rows(lines, view(mean, 0), view(inverse_std, 0), gamma, beta, cut, cuts.width, C)
        _gradient_sums(view(gy, 0), view(x, 0), lines, own, cut, cuts.width, cuts.folds, *ends)
    lines = view(rows, tasks * ROWS * cuts.width)
    _affine_rows(lines, view(mean, 0), view(inverse_std, 0), gamma, beta, cut, cuts.width, C)
    _join_gradient(gy, x, lines, view(sums, 0), cut, C, tasks, cuts)
    total = view(sums, 2 * tasks * cuts.width)
    _gradient_rows(lines, total, view(inverse_std, 0), view(affine_grad, 0), cuts.width, C, x.size // C)
    for task in prange(tasks_after):
        lines, ends = view(rows, tasks * ROWS * cuts.width), (task * cuts.step, min(x.size, (task + 1) * cuts.step))
        _combine(view(gy, 0), view(x, 0), lines, view(gx, 0), cuts.width, *ends)


@njit(fastmath=FASTMATH)
def _gradient_sums(gy, x, rows, sums, cut, width, folds, first, last):
    """For each place in a fold: the float64 sums of gy (where nothing was cut off) and of gy (x - mean)."""
    gbeta, ggamma, plain, weighted = sums, view(sums, width), view(rows, CHUNK * width), view(rows, (CHUNK + 1) * width)
    for i in range(width):
        gbeta[i] = ggamma[i] = 0.0
    for start in range(first, last, folds):
        a, b, some = view(x, start * width), view(gy, start * width), min(last, start + folds) - start
        if cut:
            fold.passed(a, b, rows, plain, width, some)
        else:
            fold.products(a, b, rows, plain, width, some)
        for i in range(width):
            gbeta[i] += plain[i]
            ggamma[i] += weighted[i]


@njit(fastmath=FASTMATH)
def _join_gradient(gy, x, rows, sums, cut, C, tasks, cuts):
    """The sums of all tasks and of the elements after the last whole fold."""
    width, gbeta, ggamma = cuts.width, view(sums, 2 * tasks * cuts.width), view(sums, (2 * tasks + 1) * cuts.width)
    u, g, left = view(x, cuts.count * width), view(gy, cuts.count * width), x.size - cuts.count * width
    for i in range(width):
        gbeta[i] = ggamma[i] = 0.0
    for task in range(tasks):
        plain, weighted = view(sums, 2 * task * width), view(sums, (2 * task + 1) * width)
        for i in range(width):
            gbeta[i] += plain[i]
            ggamma[i] += weighted[i]
    _fold_up(gbeta, width, C)
    _fold_up(ggamma, width, C)
    for i in range(left):
        kept = _passed(view(rows, i), rows[LOW * width], rows[HIGH * width], cut, width, u[i], g[i])
        gbeta[i % C] += kept
        ggamma[i % C] += kept * (u[i] - rows[i])


@njit(fastmath=FASTMATH)
def _passed(rows, low, high, cut, width, x, g):
    """g, or 0 where the activation cut off what x became; mean, scale and shift are the first of the rows."""
    normal = (x - rows[MEAN * width]) * rows[SCALE * width] + rows[SHIFT * width]
    return g if not cut or (normal > low and normal < high) else number(g, 0)


@njit(fastmath=FASTMATH)
def _gradient_rows(rows, sums, inverse_std, affine_grad, width, C, n):
    """gx = scale gy + slope (x - mean) + start; the gradients of gamma and beta, from sums over n rows."""
    gbeta, ggamma, to_gamma, to_beta = sums, view(sums, width), affine_grad, view(affine_grad, C)
    scale, slope, start = view(rows, SCALE * width), view(rows, SLOPE * width), view(rows, START * width)
    for c in range(C):
        std = float(inverse_std[c])
        to_beta[c] = gbeta[c]
        to_gamma[c] = ggamma[c] * std
        slope[c] = -scale[c] * std * std * ggamma[c] / n
        start[c] = -scale[c] * gbeta[c] / n
    repeat(slope, width, C)
    repeat(start, width, C)


@njit(fastmath=FASTMATH)
def _combine(gy, x, rows, gx, width, first, last):
    """gx = scale gy (where nothing was cut off) + slope (x - mean) + start."""
    mean, scale, shift = view(rows, MEAN * width), view(rows, SCALE * width), view(rows, SHIFT * width)
    slope, start, low, high = (
        view(rows, SLOPE * width),
        view(rows, START * width),
        rows[LOW * width],
        rows[HIGH * width],
    )
    for at in range(first, last, width):
        g, u, to = view(gy, at), view(x, at), view(gx, at)
        for i in range(min(width, last - at)):
            apart = u[i] - mean[i]
            normal = apart * scale[i] + shift[i]
            to[i] = scale[i] * _between(g[i], normal, low, high) + slope[i] * apart + start[i]


@njit(fastmath=FASTMATH, forceinline=True)
def _between(g, normal, low, high):
    """g where low < normal < high; with all at hand the choice is no branch."""
    g = g if normal > low else number(g, 0)
    return g if normal < high else number(g, 0)
