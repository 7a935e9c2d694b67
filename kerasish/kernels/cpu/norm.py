"""Layer normalization: each row by itself."""

import math

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import helper
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.pointer import number, pointer
from kerasish.kernels.cpu.raw import address, by_numpy
from kerasish.kernels.cpu.task import tasks
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

    by_numpy(fill, (gamma, beta), rows)
    constants = np.array([epsilon], x.dtype)
    at = [address(a) for a in (x, rows, constants, y, mean, inverse_std)]
    _layer(x.dtype, -(-mean.size // LAYER_ROWS), *at, mean.size, C, threads=threads.wanted(x.size * 3))
    return y, mean, inverse_std


def layer_norm_grad(gy, x, gamma, mean, inverse_std):
    """dL/dx, dL/dgamma and dL/dbeta of `layer_norm`."""
    if not supported(gy, x, gamma, mean, inverse_std):
        return reference.layer_norm_grad(gy, x, gamma, mean, inverse_std)
    C, count = x.shape[-1], -(-mean.size // LAYER_ROWS)
    gx, partial, sums = memory.empty(x.shape, x.dtype), np.empty((count, 2, C), x.dtype), np.empty((2, C), x.dtype)
    by_numpy(lambda: partial.fill(0))
    gamma = np.ones(C, x.dtype) if gamma is None else gamma
    kept = [np.ascontiguousarray(a) for a in (gy, x, gamma, mean, inverse_std, gx, partial)]
    at = [address(a) for a in kept]
    _layer_grad(x.dtype, count, *at, mean.size, C, threads=threads.wanted(x.size * 5))
    by_numpy(lambda: np.copyto(sums, partial.sum(0, dtype=np.float64), casting="same_kind"))
    return gx, *sums


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
