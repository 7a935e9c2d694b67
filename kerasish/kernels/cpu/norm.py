"""Batch and layer normalization. Rows of few channels are taken several at a time (`fold`), so that loops are long.

Statistics are taken in chunks of fixed size: mean and sum of squared deviations of each while it is in the first-level
cache, joined in float64 (Chan, Golub and LeVeque 1979). Their bits do not depend on the number of threads.
"""

import math

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import helper
from kerasish.kernels.cpu import fold
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.layout import chunks
from kerasish.kernels.cpu.pointer import number, pointer
from kerasish.kernels.cpu.raw import address
from kerasish.kernels.cpu.task import tasks
from kerasish.kernels.reference import norm as reference
from kerasish.kernels.reference.precision import quiet

BOUNDS = {None: (-np.inf, np.inf), "relu": (0, np.inf), "relu6": (0, 6)}  # activations that only cut off
LAYER_ROWS = 16  # rows of a task of the layer norms


@quiet
def batch_norm_train(x, gamma, beta, epsilon, activation=None):
    """Normalizes each channel over all other axes, then applies an elementwise function by name.

    x      (..., C)
    ->  y  (..., C), mean (C,), variance (C,) (biased, as in Keras), inverse_std (C,)
    """
    if not supported(x, gamma, beta) or activation not in BOUNDS:
        return reference.batch_norm_train(x, gamma, beta, epsilon, activation)
    x = np.ascontiguousarray(x)
    mean, variance = _statistics(x, x.shape[-1])
    inverse_std = 1 / np.sqrt(variance + epsilon)
    scale = inverse_std if gamma is None else inverse_std * gamma
    y = _scaled(x, mean, scale, beta, activation)
    return y, *(a.astype(x.dtype) for a in (mean, variance, inverse_std))


@quiet
def batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation=None):
    """Normalizes with given statistics, then applies an elementwise function by name."""
    if not supported(x, mean, variance, gamma, beta) or activation not in BOUNDS:
        return reference.batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation)
    scale = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    return _scaled(x, mean, scale if gamma is None else scale * gamma, beta, activation)


@quiet
def batch_norm_grad(gy, x, gamma, mean, inverse_std, y=None):
    """dL/dx, dL/dgamma and dL/dbeta of `batch_norm_train`, through its statistics too; y: what relu made of it."""
    if not supported(gy, x, gamma, mean, inverse_std, y):
        return reference.batch_norm_grad(gy, x, gamma, mean, inverse_std, y)
    C, (gy, x, y) = x.shape[-1], (a if a is None else np.ascontiguousarray(a) for a in (gy, x, y))
    masks = 0 if y is None else address(y)
    split = chunks(x.size, C)
    rows = _widened((mean, inverse_std), split.width, C, x.dtype)
    sums = np.zeros((split.tasks, 2, split.width))
    scratch = np.empty((split.tasks, 2, split.width), x.dtype)
    at = [masks, *(address(a) for a in (gy, x, rows, sums, scratch))]
    _gradient_sums(x.dtype, split.tasks, *at, *split[:4], x.itemsize, threads=threads.wanted(x.size * 2))
    gbeta, ggamma = sums.transpose(1, 0, 2).reshape(2, -1, C).sum(1) + _tail_sums(gy, x, y, mean, inverse_std, split)
    scale = inverse_std.astype(np.float64) if gamma is None else inverse_std.astype(np.float64) * gamma
    n = x.size // C
    gx = memory.empty(x.shape, x.dtype)
    rows = _widened((scale, -scale * inverse_std * ggamma / n, mean, -scale * gbeta / n), split.width, C, x.dtype)
    at = [masks, *(address(a) for a in (gy, x, rows, gx))]
    sizes = x.size, split.width, split.step
    _combine(x.dtype, -(-x.size // split.step), *at, *sizes, threads=threads.wanted(x.size * 3))
    return gx, ggamma.astype(x.dtype), gbeta.astype(x.dtype)


def _tail_sums(gy, x, y, mean, inverse_std, split):
    """The sums of gy and of gy times the normalized x over what is left of the last fold: (2, C)."""
    g, v = (_tail(a, split).astype(np.float64) for a in (gy, x))
    g = g if y is None else np.where(_tail(y, split) > 0, g, 0)
    return np.stack([g.sum(0), (g * (v - mean) * inverse_std).sum(0)])


def _tail(x, split):
    """The rows after the last whole fold."""
    return x.reshape(-1)[split.count * split.width :].reshape(-1, x.shape[-1])


def layer_norm(x, gamma, beta, epsilon):
    """Normalizes each row over the last axis.

    x      (..., C)
    ->  y  (..., C), mean (..., 1), inverse_std (..., 1)
    """
    if not supported(x, gamma, beta):
        return reference.layer_norm(x, gamma, beta, epsilon)
    C, x = x.shape[-1], np.ascontiguousarray(x)
    y = memory.empty(x.shape, x.dtype)
    mean, inverse_std = (np.empty((*x.shape[:-1], 1), x.dtype) for _ in range(2))
    rows = _widened((1 if gamma is None else gamma, 0 if beta is None else beta), C, C, x.dtype)
    constants = np.array([epsilon], x.dtype)
    at = [address(a) for a in (x, rows, constants, y, mean, inverse_std)]
    _layer(x.dtype, -(-mean.size // LAYER_ROWS), *at, mean.size, C, threads=threads.wanted(x.size * 3))
    return y, mean, inverse_std


@quiet
def layer_norm_grad(gy, x, gamma, mean, inverse_std):
    """dL/dx, dL/dgamma and dL/dbeta of `layer_norm`."""
    if not supported(gy, x, gamma, mean, inverse_std):
        return reference.layer_norm_grad(gy, x, gamma, mean, inverse_std)
    C, count = x.shape[-1], -(-mean.size // LAYER_ROWS)
    gx, partial = memory.empty(x.shape, x.dtype), np.zeros((count, 2, C), x.dtype)
    gamma = np.ones(C, x.dtype) if gamma is None else gamma
    kept = [np.ascontiguousarray(a) for a in (gy, x, gamma, mean, inverse_std, gx, partial)]
    at = [address(a) for a in kept]
    _layer_grad(x.dtype, count, *at, mean.size, C, threads=threads.wanted(x.size * 5))
    ggamma, gbeta = partial.sum(0, dtype=np.float64).astype(x.dtype)
    return gx, ggamma, gbeta


def _statistics(x, C):
    """Mean and biased variance of each channel, float64, joined from those of the tasks and of the tail."""
    split = chunks(x.size, C)
    means, squares = np.zeros((2, split.tasks, split.width))
    scratch = np.empty((split.tasks, 2, split.width), x.dtype)
    at = [address(a) for a in (x, means, squares, scratch)]
    _moments(x.dtype, split.tasks, *at, *split[:4], x.itemsize, threads=threads.wanted(x.size * 2))
    tail = _tail(x, split).astype(np.float64)
    counts = np.minimum(split.span, split.count - np.arange(split.tasks) * split.span)
    counts = np.append(np.repeat(counts, split.width // C), np.ones(len(tail)))[:, None]
    means = np.concatenate([means.reshape(-1, C), tail])
    mean = (means * counts).sum(0) / counts.sum()
    return mean, (squares.reshape(-1, C).sum(0) + ((means - mean) ** 2 * counts).sum(0)) / counts.sum()


def _scaled(x, mean, scale, beta, activation):
    """activation((x - mean) * scale + beta)."""
    x, split = np.ascontiguousarray(x), chunks(x.size, x.shape[-1])
    y = memory.empty(x.shape, x.dtype)
    rows = _widened((mean, scale, 0 if beta is None else beta, *BOUNDS[activation]), split.width, x.shape[-1], x.dtype)
    sizes = x.size, split.width, split.step
    at = [address(a) for a in (x, rows, y)]
    _affine(x.dtype, -(-x.size // split.step), *at, *sizes, threads=threads.wanted(x.size * 2))
    return y


def _widened(vectors, width, C, dtype):
    """Per-channel vectors, repeated to the width of a fold: (vectors, width)."""
    rows = np.empty((len(vectors), width // C, C), dtype)
    for row, vector in zip(rows, vectors):
        row[:] = vector
    return rows


@tasks
def _moments(zero, task, x, means, squares, scratch, width, folds, count, span, size):
    """For each task and place in a fold: the mean, and the sum of squared deviations from it, in float64."""
    middle, apart = scratch + 2 * task * width * size, scratch + (2 * task + 1) * width * size
    center, deviation = pointer(zero, middle, 0, width), pointer(zero, apart, 0, width)
    mean, square = pointer(0.0, means, task * width, width), pointer(0.0, squares, task * width, width)
    first, last = task * span, min(count, (task + 1) * span)
    for start in range(first, last, folds):
        stop = min(last, start + folds)
        before, share = float(start - first), (stop - start) / (stop - first)
        at = x + start * width * size
        fold.total(zero, at, 0, 0, 0, middle, width, stop - start)
        for i in range(width):
            center[i] = center[i] / number(zero, stop - start)
        fold.squares(zero, at, 0, 0, middle, apart, width, stop - start)
        for i in range(width):
            shift = center[i] - mean[i]
            mean[i] += shift * share
            square[i] += deviation[i] + shift * shift * share * before


@tasks
def _affine(zero, task, x, rows, y, size, width, step):
    """y = (x - mean) scale + beta, cut off at low and high: the five rows."""
    mean, scale, beta = (
        pointer(zero, rows, 0, width),
        pointer(zero, rows, width, width),
        pointer(zero, rows, 2 * width, width),
    )
    low, high = pointer(zero, rows, 3 * width, 1)[0], pointer(zero, rows, 4 * width, 1)[0]
    for at in range(task * step, min(size, (task + 1) * step), width):
        n = min(width, size - at)
        u, v = pointer(zero, x, at, n), pointer(zero, y, at, n)
        for i in range(n):
            normal = (u[i] - mean[i]) * scale[i] + beta[i]
            normal = low if normal < low else normal
            v[i] = high if normal > high else normal


@tasks
def _gradient_sums(zero, task, y, gy, x, rows, sums, scratch, width, folds, count, span, size):
    """For each task and place in a fold: the sums of gy (where y > 0) and of gy times the normalized x, in float64."""
    out, inverse_std = scratch + 2 * task * width * size, pointer(zero, rows, width, width)
    plain, weighted = pointer(zero, out, 0, width), pointer(zero, out, width, width)
    gbeta, ggamma = pointer(0.0, sums, 2 * task * width, width), pointer(0.0, sums, (2 * task + 1) * width, width)
    first, last = task * span, min(count, (task + 1) * span)
    for start in range(first, last, folds):
        at, some = start * width * size, min(last, start + folds) - start
        if y:
            fold.passed(zero, x + at, gy + at, y + at, rows, out, width, some)
        else:
            fold.products(zero, x + at, gy + at, 0, rows, out, width, some)
        for i in range(width):
            gbeta[i] += plain[i]
            ggamma[i] += weighted[i] * inverse_std[i]


@helper(inline=True)
def only(zero, g, y):
    """g where y > 0; with both at hand the choice is no branch."""
    return g if y > zero else zero


@tasks
def _combine(zero, task, y, gy, x, rows, gx, size, width, step):
    """gx = a gy (where y > 0) + b (x - mean) + c, with rows a, b, mean and c."""
    a, b = pointer(zero, rows, 0, width), pointer(zero, rows, width, width)
    mean, c = pointer(zero, rows, 2 * width, width), pointer(zero, rows, 3 * width, width)
    for at in range(task * step, min(size, (task + 1) * step), width):
        n = min(width, size - at)
        g, v, to = pointer(zero, gy, at, n), pointer(zero, x, at, n), pointer(zero, gx, at, n)
        if y:
            u = pointer(zero, y, at, n)
            for i in range(n):
                to[i] = a[i] * only(zero, g[i], u[i]) + b[i] * (v[i] - mean[i]) + c[i]
        else:
            for i in range(n):
                to[i] = a[i] * g[i] + b[i] * (v[i] - mean[i]) + c[i]


@tasks
def _layer(zero, task, x, rows, constants, y, mean, inverse_std, count, C):
    """Rows of `layer_norm`, LAYER_ROWS to a task; constants: epsilon."""
    for r in range(task * LAYER_ROWS, min((task + 1) * LAYER_ROWS, count)):
        _layer_row(zero, x, rows, pointer(zero, constants, 0, 1)[0], y, mean, inverse_std, r, C)


@helper
def _layer_row(zero, x, rows, epsilon, y, mean, inverse_std, r, C):
    n, v, to = number(zero, C), pointer(zero, x, r * C, C), pointer(zero, y, r * C, C)
    gamma, beta = pointer(zero, rows, 0, C), pointer(zero, rows, C, C)
    total, squares = zero, zero
    for i in range(C):
        total += v[i]
    m = total / n
    for i in range(C):
        squares += (v[i] - m) * (v[i] - m)
    s = number(zero, 1) / math.sqrt(squares / n + epsilon)
    for i in range(C):
        to[i] = (v[i] - m) * s * gamma[i] + beta[i]
    pointer(zero, mean, r, 1)[0] = m
    pointer(zero, inverse_std, r, 1)[0] = s


@tasks
def _layer_grad(zero, task, gy, x, gamma, mean, inverse_std, gx, partial, count, C):
    for r in range(task * LAYER_ROWS, min((task + 1) * LAYER_ROWS, count)):
        _layer_grad_row(zero, gy, x, gamma, mean, inverse_std, gx, partial, r, C, task)


@helper
def _layer_grad_row(zero, gy, x, gamma, mean, inverse_std, gx, partial, r, C, task):
    dy, v, to = pointer(zero, gy, r * C, C), pointer(zero, x, r * C, C), pointer(zero, gx, r * C, C)
    ggamma, gbeta = pointer(zero, partial, 2 * task * C, C), pointer(zero, partial, (2 * task + 1) * C, C)
    w, m, s = pointer(zero, gamma, 0, C), pointer(zero, mean, r, 1)[0], pointer(zero, inverse_std, r, 1)[0]
    plain, weighted, n = zero, zero, number(zero, C)
    for i in range(C):
        normal = (v[i] - m) * s
        plain += dy[i] * w[i]
        weighted += dy[i] * w[i] * normal
        ggamma[i] += dy[i] * normal
        gbeta[i] += dy[i]
    plain, weighted = plain / n, weighted / n
    for i in range(C):
        to[i] = (dy[i] * w[i] - plain - (v[i] - m) * s * weighted) * s
