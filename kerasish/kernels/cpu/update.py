"""Optimizer steps on all parameters in one launch, in place: a table of addresses, cut into chunks of one length."""

import math

import numpy as np

from kerasish.device import threads
from kerasish.device.jit import helper, kernel, prange
from kerasish.kernels.cpu.layout import COMPILED
from kerasish.kernels.cpu.pointer import address, pointer
from kerasish.kernels.reference import update as reference

CHUNK = 1 << 13  # elements of one task
SGD, MOMENTUM, NESTEROV, ADAM, RMSPROP, ADAGRAD = range(6)


def sgd(params, grads, lr, decay=1.0):
    """p -= lr * g."""
    if not _launch(SGD, [params, grads], (lr, decay)):
        reference.sgd(params, grads, lr, decay)


def sgd_momentum(params, grads, moms, lr, momentum, nesterov=False, decay=1.0):
    """m = momentum * m - lr * g; p += m, or momentum * m - lr * g with Nesterov's look ahead."""
    if not _launch(NESTEROV if nesterov else MOMENTUM, [params, grads, moms], (lr, decay, momentum)):
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
    if not _launch(ADAGRAD, [params, grads, accumulators], (lr, decay, epsilon)):
        reference.adagrad(params, grads, accumulators, lr, epsilon, decay)


def sum_of_squares(arrays):
    """The sum of all squared elements, as a Python float: the global norm is its root."""
    if not _ours(arrays[:1], arrays):
        return reference.sum_of_squares(arrays)
    kept, table, ends, count = _table([arrays])
    partial = np.empty(count)
    _squares(arrays[0].dtype.type(0), table, _sizes(arrays), ends, partial, threads=threads.wanted(count * CHUNK))
    return math.fsum(partial)


def _launch(rule, lists, constants):
    """Runs the kernel on lists of arrays (parameters first, gradients second), or returns False if it cannot."""
    params, grads, *slots = lists
    if not _ours(params[:1], params, *slots, writable=True) or not _ours(params[:1], grads):
        return False
    kept, table, ends, count = _table(lists)
    constants = np.array([*constants, 0, 0, 0, 0][:6], params[0].dtype)
    _update(rule, table, _sizes(params), ends, count, constants, threads=threads.wanted(4 * count * CHUNK))
    return True


def _ours(first, *lists, writable=False):
    """Whether all are host arrays of one compiled dtype, in place where they will be written."""
    if not first or type(first[0]) is not np.ndarray or first[0].dtype not in COMPILED:
        return False
    dtype = first[0].dtype
    fits = lambda a: type(a) is np.ndarray and a.dtype == dtype
    in_place = lambda a: a.flags.c_contiguous and a.flags.writeable
    return all(fits(a) and (not writable or in_place(a)) for arrays in lists for a in arrays)


def _sizes(arrays):
    return np.array([a.size for a in arrays], np.int64)


def _table(lists):
    """Contiguous arrays (to be kept alive), addresses (lists, arrays), where each ends in chunks, the last end."""
    kept = [[np.ascontiguousarray(a) for a in arrays] for arrays in lists]
    ends = np.cumsum([-(-a.size // CHUNK) for a in kept[0]])
    return kept, np.array([[address(a) for a in arrays] for arrays in kept], np.int64), ends, int(ends[-1])


@helper
def _piece(chunk, sizes, ends):
    """Which array a chunk belongs to, its first element there, its length."""
    low, high = 0, ends.size - 1
    while low < high:
        middle = (low + high) // 2
        if ends[middle] <= chunk:
            low = middle + 1
        else:
            high = middle
    start = (chunk - (ends[low - 1] if low else 0)) * CHUNK
    return low, start, min(CHUNK, sizes[low] - start)


@kernel
def _update(rule, table, sizes, ends, count, constants):
    for chunk in prange(count):
        which, start, length = _piece(chunk, sizes, ends)
        _update_chunk(rule, table, which, start, length, constants)


@helper(exact=True)  # an estimated reciprocal would turn x / inf into NaN
def _update_chunk(rule, table, which, start, n, constants):
    lr, decay, a, b, c, _ = constants
    p, g = pointer(lr, table[0, which], start, n), pointer(lr, table[1, which], start, n)
    m = pointer(lr, table[min(2, len(table) - 1), which], start, n)
    v = pointer(lr, table[min(3, len(table) - 1), which], start, n)
    if decay != constants.dtype.type(1):
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


@kernel
def _squares(zero, table, sizes, ends, partial):
    for chunk in prange(partial.size):
        which, start, n = _piece(chunk, sizes, ends)
        partial[chunk] = _sum_squares(zero, table[0, which], start, n)


@helper
def _sum_squares(zero, base, start, n):
    """In float64 over runs of 256, each in the element type."""
    total = 0.0
    for block in range(start, start + n, 256):
        run = min(256, start + n - block)
        x = pointer(zero, base, block, run)
        part = zero
        for i in range(run):
            part += x[i] * x[i]
        total += part
    return total
