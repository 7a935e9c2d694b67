"""Layer normalization: each row by itself."""

import math

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, njit, prange
from kerasish.device.raw import by_numpy
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.reference import norm as reference

LAYER_ROWS = 16  # rows of a task of the layer norms


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
    rows = np.empty((2, C), x.dtype)

    def fill():
        rows[0], rows[1] = 1 if gamma is None else gamma, 0 if beta is None else beta

    by_numpy(fill, source=(gamma, beta), made=rows)
    epsilon, (u, v), (m, s) = np.array([epsilon], x.dtype), _rows(x, y), _flat(mean, inverse_std)
    _layer(-(-m.size // LAYER_ROWS), u, rows, epsilon, v, m, s, threads=threads.wanted(x.size * 3))
    return y, mean, inverse_std


def layer_norm_grad(gy, x, gamma, mean, inverse_std):
    """dL/dx, dL/dgamma and dL/dbeta of `layer_norm`."""
    if not supported(gy, x, gamma, mean, inverse_std):
        return reference.layer_norm_grad(gy, x, gamma, mean, inverse_std)
    C, count = x.shape[-1], -(-mean.size // LAYER_ROWS)
    gx, partial, sums = memory.empty(x.shape, x.dtype), np.empty((count, 2, C), x.dtype), np.empty((2, C), x.dtype)
    by_numpy(lambda: partial.fill(0))
    gamma = np.ones(C, x.dtype) if gamma is None else gamma
    (dy, u, du), (w, m, s) = _rows(gy, x, gx), _flat(gamma, mean, inverse_std)
    _layer_grad(count, dy, u, w, m, s, du, partial, threads=threads.wanted(x.size * 5))
    by_numpy(lambda: np.copyto(sums, partial.sum(0, dtype=np.float64), casting="same_kind"))
    return gx, *sums


def _rows(*arrays):
    """Arrays (..., C) as (N, C)."""
    return [np.ascontiguousarray(a).reshape(-1, a.shape[-1]) for a in arrays]


def _flat(*arrays):
    return [np.ascontiguousarray(a).reshape(-1) for a in arrays]


@njit(parallel=True, fastmath=FASTMATH, usual=("float32.2 float32.2 float32.1 float32.2 float32.1 float32.1",))
def _layer(tasks, x, rows, epsilon, y, mean, inverse_std):
    """Rows of `layer_norm`, LAYER_ROWS to a task: x and y (N, C), rows (2, C) gamma and beta, epsilon (1)"""
    N, C = x.shape
    gamma, beta = rows[0], rows[1]
    for task in prange(tasks):
        for n in range(task * LAYER_ROWS, min((task + 1) * LAYER_ROWS, N)):
            mean[n], inverse_std[n] = _layer_row(x[n], gamma, beta, epsilon[0], y[n], C)


@njit(fastmath=FASTMATH)
def _layer_row(x, gamma, beta, epsilon, y, C):
    number = x.dtype.type
    total, squares = number(0), number(0)
    for i in range(C):
        total += x[i]
    m = total / number(C)
    for i in range(C):
        squares += (x[i] - m) * (x[i] - m)
    s = number(1) / math.sqrt(squares / number(C) + epsilon)
    for i in range(C):
        y[i] = (x[i] - m) * s * gamma[i] + beta[i]
    return m, s


@njit(
    parallel=True,
    fastmath=FASTMATH,
    usual=("float32.2 float32.2 float32.1 float32.1 float32.1 float32.2 float32.3",),
)
def _layer_grad(tasks, gy, x, gamma, mean, inverse_std, gx, partial):
    """gy, x and gx (N, C), partial (tasks, 2, C): each task's part of dL/dgamma and dL/dbeta"""
    N, C = x.shape
    for task in prange(tasks):
        for n in range(task * LAYER_ROWS, min((task + 1) * LAYER_ROWS, N)):
            _layer_grad_row(gy[n], x[n], gamma, mean[n], inverse_std[n], gx[n], partial[task, 0], partial[task, 1], C)


@njit(fastmath=FASTMATH)
def _layer_grad_row(gy, x, gamma, m, s, gx, ggamma, gbeta, C):
    number = x.dtype.type
    plain, weighted = number(0), number(0)
    for i in range(C):
        normal = (x[i] - m) * s
        plain += gy[i] * gamma[i]
        weighted += gy[i] * gamma[i] * normal
        ggamma[i] += gy[i] * normal
        gbeta[i] += gy[i]
    plain, weighted = plain / number(C), weighted / number(C)
    for i in range(C):
        gx[i] = (gy[i] * gamma[i] - plain - (x[i] - m) * s * weighted) * s
