"""Batch normalization: statistics, then the results, in one launch.

Rows of few channels are taken several at a time (`fold`), so that loops are long. Statistics are taken in chunks of
fixed size: mean and sum of squared deviations of each while it is in the first-level cache, joined in float64 (Chan,
Golub and LeVeque 1979). Their bits do not depend on the number of threads. The gradient finds out again from x what an
activation cut off, so outputs need be neither kept nor read.
"""

import math
from typing import NamedTuple

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import EXACT, FASTMATH, njit, prange
from kerasish.device.pointer import number, place, pointer
from kerasish.device.raw import address
from kerasish.kernels.cpu import fold
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.layout import chunks
from kerasish.kernels.cpu.phases import Phases
from kerasish.kernels.reference import batch_norm as reference
from kerasish.kernels.reference.precision import quiet

BOUNDS = {None: (-np.inf, np.inf), "relu": (0, np.inf), "relu6": (0, 6)}  # activations that only cut off
MEAN, SCALE, SHIFT, LOW, HIGH, SLOPE, START = range(7)  # rows: vectors as wide as a fold; low and high are one number
ROWS = 7


class Plan(NamedTuple):
    """A normalization or its gradient: addresses, and sizes in elements (`itemsize` in bytes)."""

    taken: int = 0
    arrived: int = 0
    ready: int = 0
    taken_after: int = 0
    tasks: int = 0
    tasks_after: int = 0
    x: int = 0
    gy: int = 0
    out: int = 0  # y, or the gradient of x
    gamma: int = 0
    beta: int = 0
    mean: int = 0
    variance: int = 0
    inverse_std: int = 0
    ggamma: int = 0
    gbeta: int = 0
    constants: int = 0  # float64: epsilon, low, high
    sums: int = 0  # float64: two vectors for each task, and two for all
    rows: int = 0  # ROWS vectors for all
    scratch: int = 0  # 2 + ROWS vectors for each task
    bounded: int = 0  # whether an activation cuts off
    C: int = 0
    size: int = 0
    width: int = 0
    folds: int = 0
    count: int = 0
    span: int = 0
    step: int = 0
    itemsize: int = 0


def batch_norm_train(x, gamma, beta, epsilon, activation=None):
    """Normalizes each channel over all other axes, then applies an elementwise function by name.

    x      (..., C)
    ->  y  (..., C), mean (C,), variance (C,) (biased, as in Keras), inverse_std (C,)
    """
    if not supported(x, gamma, beta) or activation not in BOUNDS:
        return reference.batch_norm_train(x, gamma, beta, epsilon, activation)
    y, (mean, variance, inverse_std) = memory.empty(x.shape, x.dtype), np.empty((3, x.shape[-1]), x.dtype)
    found = {"out": y, "mean": mean, "variance": variance, "inverse_std": inverse_std}
    _run(_train, {"x": x, "gamma": gamma, "beta": beta}, found, epsilon, activation)
    return y, mean, variance, inverse_std


def batch_norm_grad(gy, x, gamma, beta, mean, inverse_std, activation=None):
    """dL/dx, dL/dgamma and dL/dbeta of `batch_norm_train`, through its statistics and the activation, too."""
    if not supported(gy, x, gamma, beta, mean, inverse_std) or activation not in BOUNDS:
        return reference.batch_norm_grad(gy, x, gamma, beta, mean, inverse_std, activation)
    gx, (ggamma, gbeta) = memory.empty(x.shape, x.dtype), np.empty((2, x.shape[-1]), x.dtype)
    given = {"x": x, "gy": gy, "gamma": gamma, "beta": beta, "mean": mean, "inverse_std": inverse_std}
    _run(_gradient, given, {"out": gx, "ggamma": ggamma, "gbeta": gbeta}, 0.0, activation)
    return gx, ggamma, gbeta


@quiet
def batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation=None):
    """Normalizes with given statistics, then applies an elementwise function by name."""
    if not supported(x, mean, variance, gamma, beta) or activation not in BOUNDS:
        return reference.batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation)
    x, y, C = np.ascontiguousarray(x), memory.empty(x.shape, x.dtype), x.shape[-1]
    split, scale = chunks(x.size, C), 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    rows = np.empty((HIGH + 1, split.width // C, C), x.dtype)
    values = mean, scale if gamma is None else scale * gamma, 0 if beta is None else beta, *BOUNDS[activation]
    for row, value in zip(rows, values):
        row[:] = value
    flat = [a.reshape(-1) for a in (x, rows, y)]
    _affine_tasks(-(-x.size // split.step), *flat, split.width, split.step, threads=threads.wanted(x.size * 2))
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


def _run(phases, given, results, epsilon, activation):
    x = given["x"]
    C, split = x.shape[-1], chunks(x.size, x.shape[-1])
    kept = {name: np.ascontiguousarray(array) for name, array in given.items() if array is not None}
    kept["constants"] = np.array((epsilon, *BOUNDS[activation]))
    kept["sums"] = memory.empty((2 * split.tasks + 2) * split.width, np.float64)
    kept["rows"] = np.empty(ROWS * split.width, x.dtype)
    kept["scratch"] = memory.empty(split.tasks * (2 + ROWS) * split.width, x.dtype)
    places = {name: address(array) for name, array in kept.items()}
    places |= {name: address(array) for name, array in results.items()}
    plan = Plan(
        tasks=split.tasks, tasks_after=-(-x.size // split.step), bounded=int(activation is not None), C=C,
        size=x.size, width=split.width, folds=split.folds, count=split.count, span=split.span, step=split.step,
        itemsize=x.itemsize, **places,
    )  # fmt: skip
    phases(x.dtype, plan, threads.wanted(x.size * 2))


@njit(fastmath=FASTMATH)
def _sums(p, task):
    """The two float64 vectors of a task; of all together, if task is their number."""
    return pointer(0.0, p.sums, 2 * task * p.width, p.width), pointer(0.0, p.sums, (2 * task + 1) * p.width, p.width)


@njit(fastmath=FASTMATH)
def _scratch(p, task):
    """Where the two sums of a chunk and the rows of a task lie, one vector after the other."""
    return p.scratch + task * (2 + ROWS) * p.width * p.itemsize


@njit(fastmath=FASTMATH)
def _fold_up(p, sums):
    """Adds to the first C places what belongs to the same channels."""
    for k in range(p.C, p.width, p.C):
        for c in range(p.C):
            sums[c] += sums[k + c]


@njit(fastmath=FASTMATH)
def _repeat(p, row):
    """Copies the first C places into the others."""
    for i in range(p.C, p.width):
        row[i] = row[i - p.C]


@njit(fastmath=FASTMATH)
def _tail(zero, p, array):
    """The elements after the last whole fold, and their number."""
    first = p.count * p.width
    return pointer(zero, array, first, p.size - first), p.size - first


def _moments(zero, p, task):
    """For each place in a fold: the mean over a task's folds, and the sum of squared deviations from it, in float64."""
    middle, apart = _scratch(p, task), _scratch(p, task) + p.width * p.itemsize
    center, deviation = pointer(zero, middle, 0, p.width), pointer(zero, apart, 0, p.width)
    mean, square = _sums(p, task)
    first, last = task * p.span, min(p.count, (task + 1) * p.span)
    for i in range(p.width):
        mean[i] = square[i] = 0.0
    for start in range(first, last, p.folds):
        stop = min(last, start + p.folds)
        before, share = float(start - first), (stop - start) / (stop - first)
        at = p.x + start * p.width * p.itemsize
        fold.total(zero, at, 0, 0, middle, p.width, stop - start)
        for i in range(p.width):
            center[i] = center[i] / number(zero, stop - start)
        fold.squares(zero, at, 0, middle, apart, p.width, stop - start)
        for i in range(p.width):
            shift = center[i] - mean[i]
            mean[i] += shift * share
            square[i] += deviation[i] + shift * shift * share * before


def _join_moments(zero, p):
    """The statistics of all tasks and of the tail, and the rows of `_affine`."""
    total, square = _sums(p, p.tasks)
    tail, left = _tail(zero, p, p.x)
    n = p.size // p.C
    for i in range(p.width):
        total[i] = square[i] = 0.0
    for task in range(p.tasks):
        mean, folds = _sums(p, task)[0], float(min(p.span, p.count - task * p.span))
        for i in range(p.width):
            total[i] += mean[i] * folds
    _fold_up(p, total)
    for i in range(left):
        total[i % p.C] += tail[i]
    for c in range(p.C):
        total[c] /= n
    _repeat(p, total)
    for task in range(p.tasks):
        (mean, squares), folds = _sums(p, task), float(min(p.span, p.count - task * p.span))
        for i in range(p.width):
            square[i] += squares[i] + (mean[i] - total[i]) * (mean[i] - total[i]) * folds
    _fold_up(p, square)
    for i in range(left):
        square[i % p.C] += (tail[i] - total[i]) * (tail[i] - total[i])
    _keep(zero, p, total, square, n)
    _affine_rows(zero, p, p.rows)


@njit(fastmath=FASTMATH)
def _keep(zero, p, total, square, n):
    """Writes the statistics down."""
    epsilon = pointer(0.0, p.constants, 0, 1)[0]
    mean, variance = pointer(zero, p.mean, 0, p.C), pointer(zero, p.variance, 0, p.C)
    inverse_std = pointer(zero, p.inverse_std, 0, p.C)
    for c in range(p.C):
        mean[c] = total[c]
        variance[c] = square[c] / n
        inverse_std[c] = 1.0 / math.sqrt(square[c] / n + epsilon)


@njit(fastmath=FASTMATH)
def _affine_rows(zero, p, rows):
    """The rows that lead from x to y: mean, scale, shift, and the bounds."""
    mean, scale = pointer(zero, rows, MEAN * p.width, p.width), pointer(zero, rows, SCALE * p.width, p.width)
    shift, low = pointer(zero, rows, SHIFT * p.width, p.width), pointer(zero, rows, LOW * p.width, 1)
    high, bounds = pointer(zero, rows, HIGH * p.width, 1), pointer(0.0, p.constants, 1, 2)
    middle, inverse_std = pointer(zero, p.mean, 0, p.C), pointer(zero, p.inverse_std, 0, p.C)
    gamma, beta = pointer(zero, p.gamma, 0, p.C), pointer(zero, p.beta, 0, p.C)
    for c in range(p.C):
        mean[c] = middle[c]
        scale[c] = inverse_std[c] * gamma[c] if p.gamma else inverse_std[c]
        shift[c] = beta[c] if p.beta else zero
    low[0], high[0] = bounds[0], bounds[1]
    _repeat(p, mean)
    _repeat(p, scale)
    _repeat(p, shift)


def _affine(zero, p, task):
    """A task's part of y."""
    _affine_part(zero, p.x, p.rows, p.out, p.width, task * p.step, min(p.size, (task + 1) * p.step))


@njit(parallel=True, fastmath=FASTMATH, usual=("float32.1 float32.1 float32.1 int64 int64",))
def _affine_tasks(tasks, x, rows, y, width, step):
    """`_affine` with rows that are there."""
    for task in prange(tasks):
        ends = task * step, min(x.size, (task + 1) * step)
        _affine_part(x.dtype.type(0), place(x, 0), place(rows, 0), place(y, 0), width, *ends)


@njit(fastmath=FASTMATH)
def _affine_part(zero, x, rows, y, width, first, last):
    """y = (x - mean) scale + shift, cut off at low and high."""
    mean, scale = pointer(zero, rows, MEAN * width, width), pointer(zero, rows, SCALE * width, width)
    shift, low = pointer(zero, rows, SHIFT * width, width), pointer(zero, rows, LOW * width, 1)[0]
    high = pointer(zero, rows, HIGH * width, 1)[0]
    for at in range(first, last, width):
        n = min(width, last - at)
        u, v = pointer(zero, x, at, n), pointer(zero, y, at, n)
        for i in range(n):
            normal = (u[i] - mean[i]) * scale[i] + shift[i]
            normal = low if normal < low else normal
            v[i] = high if normal > high else normal


def _gradient_sums(zero, p, task):
    """For each task and place in a fold: the float64 sums of gy (where nothing was cut off) and of gy (x - mean)."""
    out = _scratch(p, task)
    rows = out + 2 * p.width * p.itemsize
    plain, weighted = pointer(zero, out, 0, p.width), pointer(zero, out, p.width, p.width)
    gbeta, ggamma = _sums(p, task)
    first, last = task * p.span, min(p.count, (task + 1) * p.span)
    _affine_rows(zero, p, rows)
    for i in range(p.width):
        gbeta[i] = ggamma[i] = 0.0
    for start in range(first, last, p.folds):
        at, some = start * p.width * p.itemsize, min(last, start + p.folds) - start
        if p.bounded:
            fold.passed(zero, p.x + at, p.gy + at, rows, out, p.width, some)
        else:
            fold.products(zero, p.x + at, p.gy + at, rows, out, p.width, some)
        for i in range(p.width):
            gbeta[i] += plain[i]
            ggamma[i] += weighted[i]


def _join_gradient(zero, p):
    """The gradients of gamma and beta, and the rows of `_combine`."""
    gbeta, ggamma = _sums(p, p.tasks)
    for i in range(p.width):
        gbeta[i] = ggamma[i] = 0.0
    for task in range(p.tasks):
        plain, weighted = _sums(p, task)
        for i in range(p.width):
            gbeta[i] += plain[i]
            ggamma[i] += weighted[i]
    _fold_up(p, gbeta)
    _fold_up(p, ggamma)
    _affine_rows(zero, p, p.rows)
    mean = pointer(zero, p.rows, MEAN * p.width, p.width)
    (x, left), (gy, _) = _tail(zero, p, p.x), _tail(zero, p, p.gy)
    for i in range(left):
        g = _passed(zero, p, x[i], gy[i], i)
        gbeta[i % p.C] += g
        ggamma[i % p.C] += g * (x[i] - mean[i])
    _gradient_rows(zero, p, gbeta, ggamma)


@njit(fastmath=FASTMATH)
def _passed(zero, p, x, g, i):
    """g, or 0 where the activation cut off what x at place i of a fold became."""
    mean, scale = pointer(zero, p.rows, MEAN * p.width, p.width), pointer(zero, p.rows, SCALE * p.width, p.width)
    shift, low = pointer(zero, p.rows, SHIFT * p.width, p.width), pointer(zero, p.rows, LOW * p.width, 1)[0]
    normal, high = (x - mean[i]) * scale[i] + shift[i], pointer(zero, p.rows, HIGH * p.width, 1)[0]
    return g if not p.bounded or (normal > low and normal < high) else zero


@njit(fastmath=FASTMATH)
def _gradient_rows(zero, p, gbeta, ggamma):
    """gx = scale gy + slope (x - mean) + start."""
    to_gamma, to_beta = pointer(zero, p.ggamma, 0, p.C), pointer(zero, p.gbeta, 0, p.C)
    scale, inverse_std = pointer(zero, p.rows, SCALE * p.width, p.width), pointer(zero, p.inverse_std, 0, p.C)
    slope, start = pointer(zero, p.rows, SLOPE * p.width, p.width), pointer(zero, p.rows, START * p.width, p.width)
    n = p.size // p.C
    for c in range(p.C):
        std = float(inverse_std[c])
        to_beta[c] = gbeta[c]
        to_gamma[c] = ggamma[c] * std
        slope[c] = -scale[c] * std * std * ggamma[c] / n
        start[c] = -scale[c] * gbeta[c] / n
    _repeat(p, slope)
    _repeat(p, start)


def _combine(zero, p, task):
    """gx = scale gy (where nothing was cut off) + slope (x - mean) + start."""
    mean, scale = pointer(zero, p.rows, MEAN * p.width, p.width), pointer(zero, p.rows, SCALE * p.width, p.width)
    shift, low = pointer(zero, p.rows, SHIFT * p.width, p.width), pointer(zero, p.rows, LOW * p.width, 1)[0]
    slope, start = pointer(zero, p.rows, SLOPE * p.width, p.width), pointer(zero, p.rows, START * p.width, p.width)
    high = pointer(zero, p.rows, HIGH * p.width, 1)[0]
    for at in range(task * p.step, min(p.size, (task + 1) * p.step), p.width):
        n = min(p.width, p.size - at)
        g, x, gx = pointer(zero, p.gy, at, n), pointer(zero, p.x, at, n), pointer(zero, p.out, at, n)
        for i in range(n):
            apart = x[i] - mean[i]
            normal = apart * scale[i] + shift[i]
            kept = _between(zero, g[i], normal, low, high)
            gx[i] = scale[i] * kept + slope[i] * apart + start[i]


@njit(fastmath=FASTMATH, forceinline=True)
def _between(zero, g, normal, low, high):
    """g where low < normal < high; with all at hand the choice is no branch."""
    g = g if normal > low else zero
    return g if normal < high else zero


_train = Phases(Plan, _moments, _join_moments, _affine)
_gradient = Phases(Plan, _gradient_sums, _join_gradient, _combine)
