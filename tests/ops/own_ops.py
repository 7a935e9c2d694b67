"""Ops of users' functions for the tests, each in every form in which they may be written, with what NumPy says of them.

`python -m tests.ops.own_ops WHAT` runs some from threads, or in forked children.
"""

import multiprocessing
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from kerasish.device import jit
from kerasish.ops import numba_op

# y = x tanh(x), elementwise


def gate_python(x):
    return x * np.tanh(x)


def gate_grad_python(gy, x):
    return gy * (np.tanh(x) + x * (1 - np.tanh(x) ** 2))


@numba.njit(parallel=True)
def gate_numba(x):
    y = np.empty_like(x)
    u, v = x.reshape(-1), y.reshape(-1)
    for i in numba.prange(u.size):
        v[i] = u[i] * np.tanh(u[i])
    return y


@numba.njit
def gate_grad_numba(gy, x):
    return gy * (np.tanh(x) + x * (1 - np.tanh(x) ** 2))


@jit.njit(parallel=True)
def gate_kernel(tasks, y, x):
    for row in jit.prange(tasks):
        for j in range(x.shape[1]):
            y[row, j] = x[row, j] * squash(x[row, j])


@jit.njit(parallel=True)
def gate_grad_kernel(tasks, gx, gy, x):
    for row in jit.prange(tasks):
        for j in range(x.shape[1]):
            t = squash(x[row, j])
            gx[row, j] = gy[row, j] * (t + x[row, j] * (1 - t * t))


@jit.njit
def squash(x):
    e = np.exp(-2 * abs(x))
    return (1 - e) / (1 + e) * (1 if x > 0 else -1)


@jit.njit
def gate_serial(x):
    return x * np.tanh(x)


# y = softmax of rows, whose gradient wants the result


def rows_python(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def rows_grad_python(gy, x, y):
    return y * (gy - (gy * y).sum(-1, keepdims=True))


# y, z = x w + b, |x w|: two results, three inputs


@numba.njit
def affine(x, w, b):
    y = np.empty((x.shape[0], w.shape[1]), x.dtype)
    for n in range(x.shape[0]):
        for f in range(w.shape[1]):
            total = x.dtype.type(0)
            for c in range(x.shape[1]):
                total += x[n, c] * w[c, f]
            y[n, f] = total
    return y + b, np.abs(y)


def affine_grad(gy, gz, x, w, b, y, z):
    inner = gy + gz * np.sign(y - b)
    return inner @ w.T if x.size else x, x.T @ inner, gy.sum(0)


# y = x[i]: numbers without gradient


def taken(x, numbers):
    return x[numbers]


def taken_grad(gy, x, numbers):
    gx = np.zeros_like(x)
    np.add.at(gx, numbers, gy)
    return gx, None


# the mean of (a - b)^2, a number


@numba.njit
def distance(a, b):
    total = a.dtype.type(0)
    for p, q in zip(a.flat, b.flat):
        total += (p - q) ** 2
    return total / a.size


def distance_grad(gy, a, b):
    gx = gy * 2 * (a - b) / np.array(a.size, a.dtype)
    return gx, -gx


RNG = np.random.default_rng(3)


def real(*shape):
    return RNG.standard_normal(shape)


same = lambda x: x.shape
X, W, B = real(5, 4), real(4, 3), real(3)
# name: the op, what NumPy says, inputs
ROWS = {
    "python": (numba_op(gate_python, gate_grad_python), gate_python, [X]),
    "numba, parallel": (numba_op(gate_numba, gate_grad_numba), gate_python, [X]),
    "kernel": (numba_op(gate_kernel, gate_grad_kernel, output_spec=same), gate_python, [X]),
    "serial": (numba_op(gate_serial, gate_grad_python, output_spec=same), gate_python, [X]),
    "wants results": (numba_op(rows_python, rows_grad_python), rows_python, [X]),
    "several results": (numba_op(affine, affine_grad), lambda x, w, b: (x @ w + b, np.abs(x @ w)), [X, W, B]),
    "integers": (numba_op(taken, taken_grad), lambda x, i: x[i], [X, np.array([[0, 4], [4, 1]])]),
    "a number": (numba_op(distance, distance_grad), lambda a, b: np.mean((a - b) ** 2), [X, real(5, 4)]),
    "one row": (numba_op(gate_kernel, gate_grad_kernel, output_spec=same), gate_python, [real(1, 1)]),
    "axes turned": (numba_op(gate_numba, gate_grad_numba), gate_python, [X.T]),
}
PARALLEL = [ROWS["numba, parallel"], ROWS["kernel"]]


def check(_=None):
    for op, oracle, inputs in PARALLEL:
        np.testing.assert_allclose(op(*inputs).numpy(), oracle(*inputs), rtol=1e-12)


def in_threads():
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(check, range(200)))


def in_forks():
    check()
    for children in range(2):
        if (child := os.fork()) == 0:
            check()
            in_threads()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0, children
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(check, range(4))
    check()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
