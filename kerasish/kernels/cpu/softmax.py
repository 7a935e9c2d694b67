"""Softmax and cross-entropy of float32 rows: each row is read three times while it is in the first-level cache."""

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import helper, kernel, prange
from kerasish.kernels.cpu import vecmath
from kerasish.kernels.reference import softmax as reference

SOFTMAX, LOG_SOFTMAX = 0, 1
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
    logits, labels = np.ascontiguousarray(logits), np.ascontiguousarray(labels)
    loss = np.empty(logits.shape[:-1], np.float32)
    _cross_entropy(_rows(labels), _rows(logits), loss.reshape(-1), threads=_threads(logits))
    return loss


def cross_entropy_logits_grad(g, labels, logits):
    """dL/dlogits, g (...): TensorFlow's p - t, which is the derivative where each row of labels sums to 1."""
    if not _ours(logits, labels) or labels.shape != logits.shape:
        return reference.cross_entropy_logits_grad(g, labels, logits)
    p = _forward(logits, SOFTMAX)
    _minus_labels(_scales(g, logits), _rows(np.ascontiguousarray(labels)), _rows(p), threads=_threads(logits))
    return p


def sparse_cross_entropy_logits(labels, logits):
    """-log_softmax(logits)[label]: labels (...) of integers, logits (..., K) -> (...); NaN for a label out of range."""
    if not _ours(logits):
        return reference.sparse_cross_entropy_logits(labels, logits)
    logits = np.ascontiguousarray(logits)
    loss = np.empty(logits.shape[:-1], np.float32)
    _sparse_cross_entropy(_labels(labels), _rows(logits), loss.reshape(-1), threads=_threads(logits))
    return loss


def sparse_cross_entropy_logits_grad(g, labels, logits):
    """dL/dlogits of `sparse_cross_entropy_logits`, g (...)."""
    if not _ours(logits):
        return reference.sparse_cross_entropy_logits_grad(g, labels, logits)
    p = _forward(logits, SOFTMAX)
    _minus_hits(_scales(g, logits), _labels(labels), _rows(p), threads=_threads(logits))
    return p


def _ours(*arrays):
    return all(type(a) is np.ndarray and a.dtype == np.float32 and a.size for a in arrays)


def _rows(x):
    return x.reshape(-1, x.shape[-1])


def _labels(labels):
    return np.ascontiguousarray(labels, np.int64).reshape(-1)


def _scales(g, logits):
    """The gradient of each row's loss, (rows,)."""
    return np.ascontiguousarray(np.broadcast_to(g, logits.shape[:-1]), np.float32).reshape(-1)


def _threads(x):
    return threads.wanted(x.size * COST)


def _forward(x, kind):
    x = np.ascontiguousarray(x)
    y = memory.empty(x.shape, np.float32)
    _softmax(_rows(x), kind, _rows(y), threads=_threads(x))
    return y


def _backward(gy, y, kind):
    gy, y = np.ascontiguousarray(gy), np.ascontiguousarray(y)
    gx = memory.empty(y.shape, np.float32)
    _softmax_grad(_rows(gy), _rows(y), kind, _rows(gx), threads=_threads(y))
    return gx


@kernel
def _softmax(x, kind, y):
    for r in prange(x.shape[0]):
        _softmax_row(x[r], kind, y[r])


@helper
def _softmax_row(x, kind, y):
    m = largest(x)
    if kind == SOFTMAX:
        for i in range(x.size):
            y[i] = exp(x[i] - m)
        share = np.float32(1) / _sum(y)
        for i in range(x.size):
            y[i] *= share
    else:
        scale = log(_sum_exp(x, m))
        for i in range(x.size):
            y[i] = (x[i] - m) - scale


@helper
def largest(x):
    """The largest element: as integers of the same order, whose maximum is vector code. A NaN may be passed over, but
    every caller goes on to add up e**(x - largest)."""
    top = np.int32(-(2**31))
    for i in range(x.size):
        b = vecmath.bits(x[i])
        top = max(top, np.int32(b ^ ((b >> np.int32(31)) & np.int32(0x7FFFFFFF))))
    return vecmath.floating(top ^ ((top >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@helper
def _sum(y):
    total = np.float32(0)
    for i in range(y.size):
        total += y[i]
    return total


@helper
def _sum_exp(x, m):
    total = np.float32(0)
    for i in range(x.size):
        total += exp(x[i] - m)
    return total


@kernel
def _softmax_grad(gy, y, kind, gx):
    for r in prange(y.shape[0]):
        _softmax_grad_row(gy[r], y[r], kind, gx[r])


@helper
def _softmax_grad_row(gy, y, kind, gx):
    if kind == SOFTMAX:
        dot = np.float32(0)
        for i in range(y.size):
            dot += gy[i] * y[i]
        for i in range(y.size):
            gx[i] = y[i] * (gy[i] - dot)
    else:
        total = _sum(gy)
        for i in range(y.size):
            gx[i] = gy[i] - exp(y[i]) * total


@kernel
def _cross_entropy(labels, logits, loss):
    for r in prange(loss.size):
        x, t = logits[r], labels[r]
        m = largest(x)
        scale = log(_sum_exp(x, m))
        total = np.float32(0)
        for i in range(x.size):
            total += t[i] * (scale - (x[i] - m))
        loss[r] = total


@kernel
def _sparse_cross_entropy(labels, logits, loss):
    for r in prange(loss.size):
        x, k = logits[r], labels[r]
        m = largest(x)
        loss[r] = log(_sum_exp(x, m)) - (x[k] - m) if 0 <= k < x.size else np.float32(np.nan)


@kernel
def _minus_labels(g, labels, p):
    """p = g (p - labels), row by row."""
    for r in prange(g.size):
        for i in range(p.shape[1]):
            p[r, i] = g[r] * (p[r, i] - labels[r, i])


@kernel
def _minus_hits(g, labels, p):
    """p = g (p - one_hot(labels)), row by row."""
    for r in prange(g.size):
        scale = g[r] if 0 <= labels[r] < p.shape[1] else np.float32(np.nan)
        for i in range(p.shape[1]):
            p[r, i] = scale * (p[r, i] - np.float32(i == labels[r]))
