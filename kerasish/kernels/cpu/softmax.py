"""Softmax and cross-entropy of float32 rows: each row is read three times while it is in the first-level cache.

Only sums may be reordered: (x - largest) - log(sum) must not become x - (largest + log(sum)).
"""

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import EXACT, FASTMATH, njit, prange
from kerasish.kernels.cpu import vecmath
from kerasish.kernels.reference import softmax as reference

SOFTMAX, LOG_SOFTMAX = 0, 1
ELEMENTS = 4096  # of a task, about
COST = 20  # multiply-adds that an element's exponential is worth
exp, log = vecmath.exp, vecmath.log


def softmax(x):
    return _forward(x, SOFTMAX) if _ours(x) else reference.softmax(x)


def log_softmax(x):
    return _forward(x, LOG_SOFTMAX) if _ours(x) else reference.log_softmax(x)


def softmax_grad(gy, y):
    return _backward(gy, y, SOFTMAX) if _ours(gy, y) else reference.softmax_grad(gy, y)


def log_softmax_grad(gy, y):
    return _backward(gy, y, LOG_SOFTMAX) if _ours(gy, y) else reference.log_softmax_grad(gy, y)


def cross_entropy_logits(labels, logits):
    """-sum(labels * log_softmax(logits)): labels and logits (..., K) -> (...)."""
    if not _ours(logits, labels) or labels.shape != logits.shape:
        return reference.cross_entropy_logits(labels, logits)
    return _over_rows(_cross_entropy, np.empty(logits.shape[:-1], np.float32), logits, labels)


def cross_entropy_logits_grad(g, labels, logits):
    """dL/dlogits, g (...): TensorFlow's p - t, which is the derivative where each row of labels sums to 1."""
    if not _ours(logits, labels) or labels.shape != logits.shape:
        return reference.cross_entropy_logits_grad(g, labels, logits)
    return _over_rows(_minus_labels, _forward(logits, SOFTMAX), logits, labels, _scales(g, logits))


def sparse_cross_entropy_logits(labels, logits):
    """-log_softmax(logits)[label]: labels (...) of integers, logits (..., K) -> (...); NaN for a label out of range."""
    if not _ours(logits):
        return reference.sparse_cross_entropy_logits(labels, logits)
    labels = np.asarray(labels, np.int64)
    return _over_rows(_sparse_cross_entropy, np.empty(logits.shape[:-1], np.float32), logits, labels)


def sparse_cross_entropy_logits_grad(g, labels, logits):
    """dL/dlogits of `sparse_cross_entropy_logits`, g (...)."""
    if not _ours(logits):
        return reference.sparse_cross_entropy_logits_grad(g, labels, logits)
    labels = np.asarray(labels, np.int64)
    return _over_rows(_minus_hits, _forward(logits, SOFTMAX), logits, labels, _scales(g, logits))


def _ours(*arrays):
    return all(type(a) is np.ndarray and a.dtype == np.float32 and a.size for a in arrays)


def _scales(g, logits):
    """The gradient of each row's loss."""
    return np.asarray(np.broadcast_to(g, logits.shape[:-1]), np.float32)


def _forward(x, kind):
    return _over_rows(_softmax, memory.empty(x.shape, np.float32), x, options=(kind,))


def _backward(gy, y, kind):
    return _over_rows(_softmax_grad, memory.empty(y.shape, np.float32), y, gy, options=(kind,))


def _over_rows(kernel, out, x, *others, options=()):
    """Runs a kernel that writes `out`, over blocks of the rows of x (N, K)."""
    K = x.shape[-1]
    rows, step = x.size // K, max(1, ELEMENTS // K)
    arrays = [np.ascontiguousarray(a).reshape((rows, K) if a.shape == x.shape else rows) for a in (out, x, *others)]
    kernel(-(-rows // step), *arrays, *options, step, threads=threads.wanted(x.size * COST))
    return out


@njit(parallel=True, fastmath=EXACT, usual=("float32.2 float32.2 int64 int64",))
def _softmax(tasks, y, x, kind, step):
    """y, x (N, K); a task is `step` rows."""
    N, K = x.shape
    for task in prange(tasks):
        for n in range(task * step, min(N, (task + 1) * step)):
            u, v = x[n], y[n]
            m = largest(u, K)
            if kind == SOFTMAX:
                for i in range(K):
                    v[i] = exp(u[i] - m)
                share = np.float32(1) / _sum(v, K)
                for i in range(K):
                    v[i] *= share
            else:
                scale = log(_sum_exp(u, K, m))
                for i in range(K):
                    v[i] = (u[i] - m) - scale


@njit(fastmath=FASTMATH)
def largest(x, n):
    """The largest element: as integers of the same order, whose maximum is vector code. A NaN may be passed over, but
    every caller goes on to add up e**(x - largest)."""
    top = np.int32(-(2**31))
    for i in range(n):
        b = vecmath.bits(x[i])
        top = max(top, np.int32(b ^ ((b >> np.int32(31)) & np.int32(0x7FFFFFFF))))
    return vecmath.floating(top ^ ((top >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@njit(fastmath=FASTMATH)
def _sum_exp(x, n, m):
    total = np.float32(0)
    for i in range(n):
        total += exp(x[i] - m)
    return total


@njit(fastmath=FASTMATH)
def _sum(x, n):
    total = np.float32(0)
    for i in range(n):
        total += x[i]
    return total


@njit(fastmath=FASTMATH)
def _dot(x, y, n):
    total = np.float32(0)
    for i in range(n):
        total += x[i] * y[i]
    return total


@njit(fastmath=FASTMATH)
def _entropy(t, x, n, m, scale):
    total = np.float32(0)
    for i in range(n):
        total += _term(t[i], x[i], m, scale)
    return total


@njit(fastmath=EXACT, forceinline=True)
def _term(t, x, m, scale):
    return t * (scale - (x - m))


@njit(parallel=True, fastmath=EXACT, usual=("float32.2 float32.2 float32.2 int64 int64",))
def _softmax_grad(tasks, gx, y, gy, kind, step):
    """gx, y, gy (N, K)"""
    N, K = y.shape
    for task in prange(tasks):
        for n in range(task * step, min(N, (task + 1) * step)):
            u, v, w = y[n], gy[n], gx[n]
            if kind == SOFTMAX:
                total = _dot(v, u, K)
                for i in range(K):
                    w[i] = u[i] * (v[i] - total)
            else:
                total = _sum(v, K)
                for i in range(K):
                    w[i] = v[i] - exp(u[i]) * total


@njit(parallel=True, fastmath=EXACT, usual=("float32.1 float32.2 float32.2 int64",))
def _cross_entropy(tasks, loss, logits, labels, step):
    """loss (N), logits and labels (N, K)"""
    N, K = logits.shape
    for task in prange(tasks):
        for n in range(task * step, min(N, (task + 1) * step)):
            u = logits[n]
            m = largest(u, K)
            loss[n] = _entropy(labels[n], u, K, m, log(_sum_exp(u, K, m)))


@njit(parallel=True, fastmath=EXACT, usual=("float32.1 float32.2 int64.1 int64",))
def _sparse_cross_entropy(tasks, loss, logits, labels, step):
    """loss and labels (N), logits (N, K); a label out of range gives NaN"""
    N, K = logits.shape
    for task in prange(tasks):
        for n in range(task * step, min(N, (task + 1) * step)):
            u, k = logits[n], labels[n]
            m = largest(u, K)
            loss[n] = log(_sum_exp(u, K, m)) - (u[k] - m) if 0 <= k < K else np.float32(np.nan)


@njit(parallel=True, fastmath=EXACT, usual=("float32.2 float32.2 float32.2 float32.1 int64",))
def _minus_labels(tasks, p, logits, labels, scales, step):
    """p = g (p - labels), row by row: p and labels (N, K), scales g (N)"""
    N, K = p.shape
    for task in prange(tasks):
        for n in range(task * step, min(N, (task + 1) * step)):
            u, t, g = p[n], labels[n], scales[n]
            for i in range(K):
                u[i] = g * (u[i] - t[i])


@njit(parallel=True, fastmath=EXACT, usual=("float32.2 float32.2 int64.1 float32.1 int64",))
def _minus_hits(tasks, p, logits, labels, scales, step):
    """p = g (p - one_hot(labels)), row by row: p (N, K), labels and scales g (N)"""
    N, K = p.shape
    for task in prange(tasks):
        for n in range(task * step, min(N, (task + 1) * step)):
            u, k, g = p[n], labels[n], scales[n]
            if 0 <= k < K:
                u[k] -= np.float32(1)
            else:
                g = np.float32(np.nan)
            for i in range(K):
                u[i] *= g
