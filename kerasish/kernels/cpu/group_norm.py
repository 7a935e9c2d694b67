"""Group normalization: a task for each sample, its sums down the columns of a few rows at a time (`fold.py`).

Statistics are taken as batch normalization takes them: mean and sum of squared deviations of each chunk while it is in
the first-level cache, joined in float64; then the channels of a group are joined. A sample that fits the second-level
cache comes from memory once.
"""

import math

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, njit, prange
from kerasish.device.pointer import number, place, pointer, view
from kerasish.device.raw import by_numpy
from kerasish.kernels.cpu import fold
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.layout import chunks
from kerasish.kernels.reference import group_norm as reference

VECTORS = 6  # as wide as a fold, for each task: two of a chunk's sums, then those below
MEAN, SCALE, SLOPE, SHIFT = range(2, 6)


def group_norm(x, gamma, beta, groups, epsilon):
    """Normalizes each group of neighbouring channels of each sample.

    x      (N, ..., C)
    ->  y  (N, ..., C), mean (N, G), inverse_std (N, G)
    """
    if not supported(x, gamma, beta):
        return reference.group_norm(x, gamma, beta, groups, epsilon)
    x, C, y = np.ascontiguousarray(x), x.shape[-1], memory.empty(x.shape, x.dtype)
    mean, inverse_std = (np.empty((x.shape[0], groups), x.dtype) for _ in range(2))
    affine = np.empty((2, C), x.dtype)

    def fill():
        affine[0], affine[1] = 1 if gamma is None else gamma, 0 if beta is None else beta

    by_numpy(fill, (gamma, beta), affine)
    _run(_group, x, [_samples(x), affine, np.array([epsilon], np.float64), _samples(y), mean, inverse_std], 3)
    return y, mean, inverse_std


def group_norm_grad(gy, x, gamma, mean, inverse_std):
    """dL/dx, dL/dgamma and dL/dbeta of `group_norm`."""
    if not supported(gy, x, gamma, mean, inverse_std):
        return reference.group_norm_grad(gy, x, gamma, mean, inverse_std)
    C, gx = x.shape[-1], memory.empty(x.shape, x.dtype)
    gamma = np.ones(C, x.dtype) if gamma is None else gamma
    partial, sums = np.empty((x.shape[0], 2, C)), np.empty((2, C), x.dtype)
    dy, u, gamma, *moments = (np.ascontiguousarray(a) for a in (gy, x, gamma, mean, inverse_std))
    _run(_group_grad, x, [_samples(dy), _samples(u), gamma, *moments, _samples(gx), partial], 5)
    by_numpy(lambda: np.copyto(sums, partial.sum(0), casting="same_kind"))
    return gx, *sums


def _samples(x):
    """(N, ...) as (N, size)."""
    return x.reshape(x.shape[0], -1)


def _run(kernel, x, arrays, cost):
    N, size, C = x.shape[0], x.size // x.shape[0], x.shape[-1]
    split = chunks(size, C)
    sums = memory.empty((N, 2, split.width), np.float64)
    scratch = memory.empty((N, VECTORS, split.width), x.dtype)
    kernel(N, *arrays, sums, scratch, split.folds, split.count, threads=threads.wanted(x.size * cost))


@njit(
    parallel=True,
    fastmath=FASTMATH,
    usual=("float32.2 float32.2 float64.1 float32.2 float32.2 float32.2 float64.3 float32.3 int64 int64",),
)
def _group(tasks, x, affine, epsilon, y, mean, inverse_std, sums, scratch, folds, count):
    """Task: a sample of `group_norm`.

    x, y  (N, size), affine (2, C) gamma and beta, epsilon (1), mean and inverse_std (N, G)
    sums  (N, 2, width), scratch (N, VECTORS, width)
    """
    size, C, G, width, zero = x.shape[1], affine.shape[1], mean.shape[1], sums.shape[2], x.dtype.type(0)
    means, scales, gammas = place(mean, 0), place(inverse_std, 0), place(affine, 0)
    for task in prange(tasks):
        at, own, joined = place(x, task * size), place(scratch, task * VECTORS * width), place(sums, task * 2 * width)
        _moments(zero, at, own, joined, width, folds, count)
        _statistics(zero, at, joined, place(epsilon, 0), means, scales, C, G, size, width, count, task)
        _rows(zero, own, gammas, means, scales, C, G, width, task)
        u, v, middle, scale, shift = x[task], y[task], scratch[task, MEAN], scratch[task, SCALE], scratch[task, SHIFT]
        for c in range(C):
            shift[c] = affine[1, c]
        _repeat(shift, C, width)
        for start in range(0, size, width):
            a, b = view(u, start), view(v, start)
            for i in range(min(width, size - start)):
                b[i] = (a[i] - middle[i]) * scale[i] + shift[i]


@njit(fastmath=FASTMATH)
def _moments(zero, x, own, sums, width, folds, count):
    """For each place in a fold: the mean over the folds, and the sum of squared deviations from it, in float64."""
    center, deviation = pointer(zero, own, 0, width), pointer(zero, own, width, width)
    mean, square = pointer(0.0, sums, 0, width), pointer(0.0, sums, width, width)
    for i in range(width):
        mean[i] = square[i] = 0.0
    for start in range(0, count, folds):
        stop = min(count, start + folds)
        before, share = float(start), (stop - start) / stop
        here = pointer(zero, x, start * width, (stop - start) * width)
        fold.total(here, center, width, stop - start)
        for i in range(width):
            center[i] = center[i] / number(zero, stop - start)
        fold.squares(here, center, deviation, width, stop - start)
        for i in range(width):
            shift = center[i] - mean[i]
            mean[i] += shift * share
            square[i] += deviation[i] + shift * shift * share * before


@njit(fastmath=FASTMATH)
def _statistics(zero, x, sums, constants, mean, inverse_std, C, G, size, width, count, task):
    """Joins the places of each group, and the elements after the last whole fold."""
    middle, square = pointer(0.0, sums, 0, width), pointer(0.0, sums, width, width)
    left, J, epsilon = size - count * width, C // G, pointer(0.0, constants, 0, 1)[0]
    tail = pointer(zero, x, count * width, left)
    to_mean, to_scale = pointer(zero, mean, task * G, G), pointer(zero, inverse_std, task * G, G)
    for g in range(G):
        total, apart = 0.0, 0.0
        for row in range(g * J, width, C):
            for i in range(row, row + J):
                total += middle[i] * count
        for row in range(g * J, left, C):
            for i in range(row, row + J):
                total += tail[i]
        m = total / (size // G)
        for row in range(g * J, width, C):
            for i in range(row, row + J):
                apart += square[i] + (middle[i] - m) * (middle[i] - m) * count
        for row in range(g * J, left, C):
            for i in range(row, row + J):
                apart += (tail[i] - m) * (tail[i] - m)
        to_mean[g] = m
        to_scale[g] = 1.0 / math.sqrt(apart / (size // G) + epsilon)


@njit(fastmath=FASTMATH)
def _rows(zero, own, gamma, mean, inverse_std, C, G, width, task):
    """The mean at each place of a fold, and what results are multiplied by."""
    middle, scale = pointer(zero, own, MEAN * width, width), pointer(zero, own, SCALE * width, width)
    m, s, weight = pointer(zero, mean, task * G, G), pointer(zero, inverse_std, task * G, G), pointer(zero, gamma, 0, C)
    for g in range(G):
        for c in range(g * (C // G), (g + 1) * (C // G)):
            middle[c], scale[c] = m[g], s[g] * weight[c]
    _repeat(middle, C, width)
    _repeat(scale, C, width)


@njit(fastmath=FASTMATH)
def _repeat(row, C, width):
    """Copies the first C places into the others."""
    for i in range(C, width):
        row[i] = row[i - C]


@njit(
    parallel=True,
    fastmath=FASTMATH,
    usual=("float32.2 float32.2 float32.1 float32.2 float32.2 float32.2 float64.3 float64.3 float32.3 int64 int64",),
)
def _group_grad(tasks, gy, x, gamma, mean, inverse_std, gx, partial, sums, scratch, folds, count):
    """Task: a sample of `group_norm_grad`.

    gy, x, gx  (N, size), gamma (C), mean and inverse_std (N, G), partial (N, 2, C)
    sums  (N, 2, width), scratch (N, VECTORS, width)
    """
    size, C, G, width, zero = x.shape[1], gamma.size, mean.shape[1], sums.shape[2], x.dtype.type(0)
    means, scales, gammas, parts = place(mean, 0), place(inverse_std, 0), place(gamma, 0), place(partial, 0)
    for task in prange(tasks):
        own, joined = place(scratch, task * VECTORS * width), place(sums, task * 2 * width)
        given = place(gy, task * size), place(x, task * size)
        _rows(zero, own, gammas, means, scales, C, G, width, task)
        _gradient_sums(zero, *given, own, joined, C, size, width, folds, count)
        _gradient_rows(zero, own, joined, gammas, scales, parts, C, G, size, width, task)
        g, u, to = gy[task], x[task], gx[task]
        middle, scale = scratch[task, MEAN], scratch[task, SCALE]
        slope, shift = scratch[task, SLOPE], scratch[task, SHIFT]
        for start in range(0, size, width):
            dy, a, da = view(g, start), view(u, start), view(to, start)
            for i in range(min(width, size - start)):
                da[i] = scale[i] * dy[i] + slope[i] * (a[i] - middle[i]) + shift[i]


@njit(fastmath=FASTMATH)
def _gradient_sums(zero, gy, x, own, sums, C, size, width, folds, count):
    """For each channel: the float64 sums of gy and of gy (x - mean)."""
    plain, weighted = pointer(zero, own, 0, width), pointer(zero, own, width, width)
    gbeta, ggamma = pointer(0.0, sums, 0, width), pointer(0.0, sums, width, width)
    middle, left = pointer(zero, own, MEAN * width, width), size - count * width
    g, u = pointer(zero, gy, count * width, left), pointer(zero, x, count * width, left)
    for i in range(width):
        gbeta[i] = ggamma[i] = 0.0
    for start in range(0, count, folds):
        at, some = start * width, min(count, start + folds) - start
        a, b = pointer(zero, x, at, some * width), pointer(zero, gy, at, some * width)
        fold.products(a, b, middle, plain, width, some)
        for i in range(width):
            gbeta[i] += plain[i]
            ggamma[i] += weighted[i]
    for i in range(left):
        gbeta[i] += g[i]
        ggamma[i] += g[i] * (u[i] - middle[i])
    for row in range(C, width, C):
        for c in range(C):
            gbeta[c] += gbeta[row + c]
            ggamma[c] += ggamma[row + c]


@njit(fastmath=FASTMATH)
def _gradient_rows(zero, own, sums, gamma, inverse_std, partial, C, G, size, width, task):
    """The sample's share of the gradients of gamma and beta; gx = scale gy + slope (x - mean) + shift."""
    gbeta, ggamma = pointer(0.0, sums, 0, C), pointer(0.0, sums, width, C)
    to_gamma, to_beta = pointer(0.0, partial, 2 * task * C, C), pointer(0.0, partial, (2 * task + 1) * C, C)
    slope, shift = pointer(zero, own, SLOPE * width, width), pointer(zero, own, SHIFT * width, width)
    weight, J = pointer(zero, gamma, 0, C), C // G
    for g in range(G):
        s, level, steep = float(pointer(zero, inverse_std, task * G + g, 1)[0]), 0.0, 0.0
        for c in range(g * J, (g + 1) * J):
            level += weight[c] * gbeta[c]
            steep += weight[c] * ggamma[c]
            to_beta[c], to_gamma[c] = gbeta[c], ggamma[c] * s
        for c in range(g * J, (g + 1) * J):
            slope[c], shift[c] = -s * s * s * steep / (size // G), -s * level / (size // G)
    _repeat(slope, C, width)
    _repeat(shift, C, width)
