"""Optimizer steps on all parameters in one launch, in place: a table of addresses, a block a chunk of 1024 elements."""

import functools
from math import sqrt

import numpy as np
from numpy import float32, int32, int64

from kerasish.device import array_module
from kerasish.device.cuda_jit import cuda
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.asm import floats_at, load, store
from kerasish.kernels.cuda.warp import warp_sum
from kerasish.kernels.reference import update as reference

THREADS, CHUNK = 256, 1024
SGD, MOMENTUM, NESTEROV, ADAM, RMSPROP, ADAGRAD = range(6)
NAMES = ("sgd", "momentum", "nesterov", "adam", "rmsprop", "adagrad")
LISTS_OF = {SGD: 2, ADAM: 4}  # parameters, gradients and slots; of the others 3


@cuda.jit(device=True)
def piece(chunk, ends, arrays):
    """The array that a chunk belongs to."""
    low, high = int32(0), int32(arrays - 1)
    while low < high:
        middle = int32((low + high) // 2)
        if ends[middle] <= chunk:
            low = int32(middle + 1)
        else:
            high = middle
    return low


@cuda.jit("void(CPointer(i8), CPointer(i8), CPointer(i8), i4, " + 5 * "f4, " + ")", launch_bounds=THREADS)
def _update(table, sizes, ends, arrays, lr, decay, a, b, c):
    """table (lists, arrays): addresses of parameters, gradients and slots."""
    chunk = int32(cuda.blockIdx.x)
    which = piece(chunk, ends, arrays)
    before = ends[which - 1] if which > 0 else int64(0)
    start = int32((int64(chunk) - before) * CHUNK)
    end = min(int32(sizes[which]), int32(start + CHUNK))
    p, g = floats_at(table, which), floats_at(table, int32(arrays + which))
    m = floats_at(table, int32((2 if LISTS > 2 else 0) * arrays + which))
    v = floats_at(table, int32((3 if LISTS > 3 else 0) * arrays + which))
    for i in range(int32(start + int32(cuda.threadIdx.x)), end, THREADS):
        w, d = load(p, i) * decay, load(g, i)
        if RULE == SGD:
            w -= lr * d
        if RULE == MOMENTUM or RULE == NESTEROV:
            s = load(m, i) * a - lr * d
            store(m, i, s)
            w += s * a - lr * d if RULE == NESTEROV else s
        if RULE == ADAM:
            s, t = load(m, i), load(v, i)
            s += (d - s) * a
            t += (d * d - t) * b
            store(m, i, s)
            store(v, i, t)
            w -= s * lr / (sqrt(t) + c)
        if RULE == RMSPROP:
            s = load(m, i) * a + d * d * b
            store(m, i, s)
            w -= d * lr / sqrt(s + c)
        if RULE == ADAGRAD:
            s = load(m, i) + d * d
            store(m, i, s)
            w -= d * lr / sqrt(s + a)
        store(p, i, w)


@cuda.jit("void(CPointer(i8), CPointer(i8), CPointer(i8), CPointer(f4), i4)", launch_bounds=THREADS)
def _sum_of_squares(table, sizes, ends, parts, arrays):
    """parts[chunk] = the sum of the chunk's squares."""
    shared = cuda.shared.array(THREADS // 32, float32)
    chunk, thread = int32(cuda.blockIdx.x), int32(cuda.threadIdx.x)
    which = piece(chunk, ends, arrays)
    before = ends[which - 1] if which > 0 else int64(0)
    start = int32((int64(chunk) - before) * CHUNK)
    x, total = floats_at(table, which), float32(0)
    for i in range(int32(start + thread), min(int32(sizes[which]), int32(start + CHUNK)), THREADS):
        total += load(x, i) * load(x, i)
    total = warp_sum(total)
    if thread & 31 == 0:
        store(shared, int32(thread >> 5), total)
    cuda.syncthreads()
    if thread == 0:
        total = float32(0)
        for i in range(THREADS // 32):
            total += load(shared, i)
        store(parts, chunk, total)


UPDATES = [
    _update.specialize(f"update_{name}", RULE=rule, LISTS=LISTS_OF.get(rule, 3)) for rule, name in enumerate(NAMES)
]


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
    if not arrays or not supported(*arrays):
        return reference.sum_of_squares(arrays)
    kept = [contiguous(a) for a in arrays]
    xp, (table, sizes, ends, chunks) = array_module(*arrays), _tables([kept])
    parts = xp.empty(chunks, "float32")
    _sum_of_squares[chunks, THREADS](table, sizes, ends, parts, len(arrays))
    return float(parts.sum(dtype="float64")) if chunks else 0.0


def _launch(rule, lists, constants):
    """Runs the kernel on lists of arrays (parameters first, gradients second), or returns False if it cannot."""
    params, grads, *slots = lists
    in_place = [a for arrays in (params, *slots) for a in arrays]
    if not params or not supported(*in_place, *grads) or not all(a.flags.c_contiguous for a in in_place):
        return False
    kept = [params, [contiguous(g) for g in grads], *slots]
    table, sizes, ends, chunks = _tables(kept)
    UPDATES[rule][chunks, THREADS](table, sizes, ends, len(params), *constants)
    return True


def _tables(lists):
    """On the card: addresses, sizes, the number of the chunk where each array ends; and the number of chunks."""
    xp = array_module(lists[0][0])
    addresses = _addresses(tuple(a.data.ptr for arrays in lists for a in arrays), xp)
    return addresses, *_chunks(tuple(a.size for a in lists[0]), xp)


@functools.lru_cache(64)
def _addresses(addresses, xp):
    """A step's gradients mostly lie where the last step's lay: the pool gives the same memory out again."""
    return xp.asarray(np.array(addresses, np.int64))


@functools.lru_cache(64)
def _chunks(sizes, xp):
    ends = np.cumsum([blocks(size, CHUNK) for size in sizes], dtype=np.int64)
    return xp.asarray(np.array(sizes, np.int64)), xp.asarray(ends), int(ends[-1]) if len(ends) else 0
