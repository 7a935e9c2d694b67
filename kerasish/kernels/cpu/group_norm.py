"""Group normalization: a task for each sample, its sums down the columns of a few rows at a time (`fold.py`).

Statistics are taken as batch normalization takes them: mean and sum of squared deviations of each chunk while it is in
the first-level cache, joined in float64; then the channels of a group are joined. A sample that fits the second-level
cache comes from memory once.
"""

import math

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, njit, prange
from kerasish.device.pointer import view
from kerasish.device.raw import by_numpy
from kerasish.kernels.cpu import fold
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.batch_norm import moments, repeat
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

    by_numpy(fill, source=(gamma, beta), made=affine)
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
    (size, width), C, G = (x.shape[1], sums.shape[2]), affine.shape[1], mean.shape[1]
    for task in prange(tasks):
        u, v, own = view(x, task * size), view(y, task * size), view(scratch, task * VECTORS * width)
        joined, m, s = view(sums, task * 2 * width), view(mean, task * G), view(inverse_std, task * G)
        moments(u, joined, own, width, folds, 0, count)
        _statistics(u, joined, epsilon[0], m, s, C, G, size, width, count)
        _rows(own, view(affine, 0), m, s, C, G, width)
        middle, scale, shift = view(own, MEAN * width), view(own, SCALE * width), view(own, SHIFT * width)
        for c in range(C):
            shift[c] = affine[1, c]
        repeat(shift, width, C)
        for start in range(0, size, width):
            a, b = view(u, start), view(v, start)
            for i in range(min(width, size - start)):
                b[i] = (a[i] - middle[i]) * scale[i] + shift[i]


@njit(fastmath=FASTMATH)
def _statistics(x, sums, epsilon, mean, inverse_std, C, G, size, width, count):
    """Joins the places of each group, and the elements after the last whole fold."""
    middle, square, tail, left, J = sums, view(sums, width), view(x, count * width), size - count * width, C // G
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
        mean[g] = m
        inverse_std[g] = 1.0 / math.sqrt(apart / (size // G) + epsilon)


@njit(fastmath=FASTMATH)
def _rows(own, gamma, mean, inverse_std, C, G, width):
    """The mean at each place of a fold, and what results are multiplied by."""
    middle, scale = view(own, MEAN * width), view(own, SCALE * width)
    for g in range(G):
        for c in range(g * (C // G), (g + 1) * (C // G)):
            middle[c], scale[c] = mean[g], inverse_std[g] * gamma[c]
    repeat(middle, width, C)
    repeat(scale, width, C)


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
    (size, width), C, G = (x.shape[1], sums.shape[2]), gamma.size, mean.shape[1]
    for task in prange(tasks):
        g, u, to = view(gy, task * size), view(x, task * size), view(gx, task * size)
        own, joined, s = (
            view(scratch, task * VECTORS * width),
            view(sums, task * 2 * width),
            view(inverse_std, task * G),
        )
        _rows(own, view(gamma, 0), view(mean, task * G), s, C, G, width)
        _gradient_sums(g, u, own, joined, C, size, width, folds, count)
        _gradient_rows(own, joined, view(gamma, 0), s, view(partial, 2 * task * C), C, G, size, width)
        middle, scale = view(own, MEAN * width), view(own, SCALE * width)
        slope, shift = view(own, SLOPE * width), view(own, SHIFT * width)
        for start in range(0, size, width):
            dy, a, da = view(g, start), view(u, start), view(to, start)
            for i in range(min(width, size - start)):
                da[i] = scale[i] * dy[i] + slope[i] * (a[i] - middle[i]) + shift[i]


@njit(fastmath=FASTMATH)
def _gradient_sums(gy, x, own, sums, C, size, width, folds, count):
    """For each channel: the float64 sums of gy and of gy (x - mean)."""
    plain, weighted, gbeta, ggamma = own, view(own, width), sums, view(sums, width)
    middle, left = view(own, MEAN * width), size - count * width
    g, u = view(gy, count * width), view(x, count * width)
    for i in range(width):
        gbeta[i] = ggamma[i] = 0.0
    for start in range(0, count, folds):
        at, some = start * width, min(count, start + folds) - start
        fold.products(view(x, at), view(gy, at), middle, plain, width, some)
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
def _gradient_rows(own, sums, gamma, inverse_std, partial, C, G, size, width):
    """The sample's share of the gradients of gamma and beta; gx = scale gy + slope (x - mean) + shift."""
    gbeta, ggamma, to_gamma, to_beta = sums, view(sums, width), partial, view(partial, C)
    slope, shift, J = view(own, SLOPE * width), view(own, SHIFT * width), C // G
    for g in range(G):
        s, level, steep = float(inverse_std[g]), 0.0, 0.0
        for c in range(g * J, (g + 1) * J):
            level += gamma[c] * gbeta[c]
            steep += gamma[c] * ggamma[c]
            to_beta[c], to_gamma[c] = gbeta[c], ggamma[c] * s
        for c in range(g * J, (g + 1) * J):
            slope[c], shift[c] = -s * s * s * steep / (size // G), -s * level / (size // G)
    repeat(slope, width, C)
    repeat(shift, width, C)
