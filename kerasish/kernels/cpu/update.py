"""Optimizer steps on all parameters in one launch, in place: a table of addresses, cut into chunks of one length."""

import math

import numpy as np

from kerasish.device import threads
from kerasish.device.jit import EXACT, FASTMATH, njit, prange
from kerasish.device.pointer import pointer
from kerasish.device.raw import address
from kerasish.kernels.cpu.arrays import FLOATS
from kerasish.kernels.reference import update as reference

CHUNK = 1 << 13  # elements of one task
SGD, MOMENTUM, NESTEROV, ADAM, RMSPROP, ADAGRAD = range(6)


def sgd(params, grads, lr, decay=1.0):
    """p -= lr * g."""
    if not _launch(SGD, [params, grads], (lr, decay, 0, 0, 0)):
        reference.sgd(params, grads, lr, decay)


def sgd_momentum(params, grads, moms, lr, momentum, nesterov=False, decay=1.0):
    """m = momentum * m - lr * g; p += m, or momentum * m - lr * g with Nesterov's look ahead."""
    if not _launch(NESTEROV if nesterov else MOMENTUM, [params, grads, moms], (lr, decay, momentum, 0, 0)):
        reference.sgd_momentum(params, grads, moms, lr, momentum, nesterov, decay)


def adam(params, grads, ms, vs, lr, beta_1, beta_2, epsilon, step, decay=1.0):
    """Kingma and Ba 2014, algorithm 1 in the order of section 2 (epsilon outside of the corrected root)."""
    alpha = reference.adam_rate(lr, beta_1, beta_2, step, params[0].dtype) if params else lr
    if not _launch(ADAM, [params, grads, ms, vs], (alpha, decay, 1 - beta_1, 1 - beta_2, epsilon)):
        reference.adam(params, grads, ms, vs, lr, beta_1, beta_2, epsilon, step, decay)


def rmsprop(params, grads, vs, lr, rho, epsilon, decay=1.0):
    """v = rho * v + (1 - rho) * g^2; p -= lr * g / sqrt(v + epsilon)."""
    if not _launch(RMSPROP, [params, grads, vs], (lr, decay, rho, 1 - rho, epsilon)):
        reference.rmsprop(params, grads, vs, lr, rho, epsilon, decay)


def adagrad(params, grads, accumulators, lr, epsilon, decay=1.0):
    """a += g^2; p -= lr * g / sqrt(a + epsilon)."""
    if not _launch(ADAGRAD, [params, grads, accumulators], (lr, decay, epsilon, 0, 0)):
        reference.adagrad(params, grads, accumulators, lr, epsilon, decay)


def sum_of_squares(arrays):
    """The sum of all squared elements, as a Python float: the global norm is its root."""
    if not _ours(arrays[:1], arrays):
        return reference.sum_of_squares(arrays)
    _kept, table, ends = _table([arrays])
    partial, one = np.empty(ends[-1]), np.ones(1, arrays[0].dtype)
    _squares(len(partial), table, _sizes(arrays), ends, partial, one, threads=threads.wanted(len(partial) * CHUNK))
    return math.fsum(partial)


def _launch(rule, lists, constants):
    """Runs the kernel on lists of arrays (parameters first, gradients second), or returns False if it cannot."""
    params, grads, *slots = lists
    if not _ours(params[:1], params, *slots, writable=True) or not _ours(params[:1], grads):
        return False
    _kept, table, ends = _table(lists)
    constants = np.array(constants, params[0].dtype)
    count = threads.wanted(4 * ends[-1] * CHUNK)
    _update(int(ends[-1]), rule, table, _sizes(params), ends, constants, threads=count)
    return True


def _ours(first, *lists, writable=False):
    """Whether all are host arrays of one compiled dtype, in place where they will be written."""
    if not first or type(first[0]) is not np.ndarray or first[0].dtype not in FLOATS:
        return False
    dtype = first[0].dtype
    fits = lambda a: type(a) is np.ndarray and a.dtype == dtype
    in_place = lambda a: a.flags.c_contiguous and a.flags.writeable
    return all(fits(a) and (not writable or in_place(a)) for arrays in lists for a in arrays)


def _sizes(arrays):
    return np.array([a.size for a in arrays], np.int64)


def _table(lists):
    """Contiguous arrays (to be kept alive), their addresses (lists, arrays), where each ends, in chunks."""
    kept = [[np.ascontiguousarray(a) for a in arrays] for arrays in lists]
    ends = np.cumsum([-(-a.size // CHUNK) for a in kept[0]])
    return kept, np.array([[address(a) for a in arrays] for arrays in kept], np.int64), ends


@njit(fastmath=FASTMATH)
def _piece(task, sizes, ends):
    """The array that a chunk belongs to, the chunk's first element there, its length."""
    low, high = 0, sizes.size - 1
    while low < high:
        middle = (low + high) // 2
        if ends[middle] <= task:
            low = middle + 1
        else:
            high = middle
    start = (task - (ends[low - 1] if low else 0)) * CHUNK
    return low, start, min(CHUNK, sizes[low] - start)


@njit(parallel=True, fastmath=EXACT, usual=("int64 int64.2 int64.1 int64.1 float32.1",))
def _update(tasks, rule, table, sizes, ends, constants):
    """A task is a chunk. table (lists, arrays) of addresses, sizes and ends (arrays), constants (5)

    `EXACT`, for an estimated reciprocal would turn x / inf into NaN.
    """
    last = table.shape[0] - 1
    lr, decay, a, b, c = constants[0], constants[1], constants[2], constants[3], constants[4]
    for task in prange(tasks):
        which, start, n = _piece(task, sizes, ends)
        p, g = pointer(lr, table[0, which], start, n), pointer(lr, table[1, which], start, n)
        m, v = pointer(lr, table[min(2, last), which], start, n), pointer(lr, table[min(3, last), which], start, n)
        _step(rule, n, p, g, m, v, lr, decay, a, b, c)


@njit(fastmath=EXACT)
def _step(rule, n, p, g, m, v, lr, decay, a, b, c):
    """One rule on n elements of a parameter, its gradient and its slots."""
    if decay != type(decay)(1):
        for i in range(n):
            p[i] *= decay
    if rule == SGD:
        for i in range(n):
            p[i] -= lr * g[i]
    elif rule == MOMENTUM:
        for i in range(n):
            m[i] = m[i] * a - lr * g[i]
            p[i] += m[i]
    elif rule == NESTEROV:
        for i in range(n):
            m[i] = m[i] * a - lr * g[i]
            p[i] += m[i] * a - lr * g[i]
    elif rule == ADAM:
        for i in range(n):
            m[i] += (g[i] - m[i]) * a
            v[i] += (g[i] * g[i] - v[i]) * b
            p[i] -= m[i] * lr / (math.sqrt(v[i]) + c)
    elif rule == RMSPROP:
        for i in range(n):
            m[i] = m[i] * a + g[i] * g[i] * b
            p[i] -= g[i] * lr / math.sqrt(m[i] + c)
    elif rule == ADAGRAD:
        for i in range(n):
            m[i] += g[i] * g[i]
            p[i] -= g[i] * lr / math.sqrt(m[i] + a)


@njit(parallel=True, fastmath=FASTMATH, usual=("int64.2 int64.1 int64.1 float64.1 float32.1",))
def _squares(tasks, table, sizes, ends, partial, one):
    """In float64 over runs of 256, each in the element type, which is that of `one`; partial (tasks)"""
    for task in prange(tasks):
        which, start, n = _piece(task, sizes, ends)
        total = 0.0
        for block in range(start, start + n, 256):
            total += _sum_of_squares(pointer(one[0], table[0, which], block, 256), min(256, start + n - block), one[0])
        partial[task] = total


@njit(fastmath=FASTMATH)
def _sum_of_squares(x, n, one):
    total = one - one
    for i in range(n):
        total += x[i] * x[i]
    return total
