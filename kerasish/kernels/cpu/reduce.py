"""Sums and means of large arrays.

What is summed is brought to the middle of (A, R, B): that covers sums over leading axes (biases), over an image (global
pooling), over trailing axes and over everything.

Float32 sums run over fixed chunks, which are joined in float64: accurate, and the same bits on any number of threads.
"""

import math

import numpy as np

from kerasish.core import shapes
from kerasish.device import raw, threads
from kerasish.device.jit import FASTMATH, njit, prange
from kerasish.device.pointer import view
from kerasish.device.raw import by_numpy
from kerasish.kernels.cpu import fold
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.layout import chunks
from kerasish.kernels.reference import reduce as reference
from kerasish.kernels.reference.precision import quiet

LARGE = 1 << 14  # elements from which a launch pays
SAMPLE = 1 << 20  # elements of an image that one thread sums up
DEEP = 64  # elements a sum, below which NumPy does as well


@quiet
def sum(x, axis=None, keepdims=False):
    return _reduced(x, axis, keepdims, reference.sum, lambda R: 1)


@quiet
def mean(x, axis=None, keepdims=False):
    return _reduced(x, axis, keepdims, reference.mean, lambda R: R)


def max(x, axis=None, keepdims=False):
    """The largest element; a NaN is larger than all numbers."""
    middle = _middle(x, axis)
    if middle is None or not _is_image(x, *middle):
        return reference.max(x, axis, keepdims)
    A, R, B = middle
    y = np.empty((A, B), x.dtype)
    _largest(A, np.ascontiguousarray(x).reshape(A, R, B), y, threads=threads.wanted(x.size))
    return y.reshape(shapes.reduce(x.shape, axis, keepdims))


def sum_of_rows(x):
    """The sum over all axes but the last: (..., C) -> (C,)."""
    return sum(x, tuple(range(x.ndim - 1)))


def _reduced(x, axis, keepdims, plain, divisor):
    """Sums over `divisor(R)`, R being the number of elements in each."""
    middle = _middle(x, axis)
    if middle is None or not (_is_image(x, *middle) or x.size >= LARGE and middle[1] >= DEEP):
        return _plainly(plain, x, axis, keepdims)
    by = divisor(middle[1])
    y = _image_sums(x, *middle, by) if _is_image(x, *middle) else _sums(x, *middle, by)
    return y.reshape(shapes.reduce(x.shape, axis, keepdims))


def _plainly(plain, x, axis, keepdims):
    """The reference's result, which replays work out again."""
    y = plain(x, axis, keepdims)
    if (noting := raw.recorder) is not None and type(x) is np.ndarray:
        y = np.asarray(y)
        noting.foreign(lambda y, x: np.copyto(y, plain(x, axis, keepdims)), y, x)
    return y


def _middle(x, axis):
    """(A, R, B) of a reduction over one run of axes, or None."""
    if type(x) is not np.ndarray or not supported(x):
        return None
    axes = shapes.axes(axis, x.ndim)
    if not axes or axes[-1] - axes[0] != len(axes) - 1:
        return None
    A, R, B = (
        math.prod(part) for part in (x.shape[: axes[0]], x.shape[axes[0] : axes[-1] + 1], x.shape[axes[-1] + 1 :])
    )
    return A, R, B


def _is_image(x, A, R, B):
    """Whether this is global pooling: float32 samples of two axes or more, none so large that threads share it."""
    return x.ndim > 2 and x.dtype == np.float32 and x.shape[0] <= A and 1 < B < R * B <= SAMPLE


def _image_sums(x, A, R, B, divisor):
    """(A, R, B) -> (A, B), without leaving compiled code."""
    x, y, split = np.ascontiguousarray(x).reshape(A, R * B), np.empty((A, B), x.dtype), chunks(R * B, B)
    sums, scratch = np.empty((A, split.width)), np.empty((A, split.width), x.dtype)
    _samples(A, x, y, sums, scratch, split.folds, split.count, divisor, threads=threads.wanted(x.size))
    return y


def _sums(x, A, R, B, divisor):
    """(A, R, B) -> (A, B), joined in float64."""
    x, split, y = np.ascontiguousarray(x).reshape(A, R * B), chunks(R * B, B), np.empty((A, B), x.dtype)
    sums = np.empty((A * split.tasks, split.width))
    scratch, (_, *cut, _) = np.empty(sums.shape, x.dtype), split
    _columns(A * split.tasks, x, sums, scratch, *cut, threads=threads.wanted(x.size))
    tail = x[:, split.count * split.width :].reshape(A, -1, B)

    def join(y, sums, tail):
        y[...] = (sums.reshape(A, -1, B).sum(1) + tail.sum(1, dtype=np.float64)) / divisor

    by_numpy(quiet(join), y, sums, tail)
    return y


@njit(parallel=True, fastmath=FASTMATH, usual=("float32.2 float64.2 float32.2" + 4 * " int64",))
def _columns(tasks, x, sums, scratch, folds, count, span, parts):
    """For each task (a part of a row of x) and place in a fold: the sum.

    x  (A, size)
    sums, scratch  (A parts, width)
    """
    width = sums.shape[1]
    for task in prange(tasks):
        out, total, row = sums[task], scratch[task], task // parts * x.shape[1]
        first = task % parts * span
        last = min(count, first + span)
        for i in range(width):
            out[i] = 0.0
        for start in range(first, last, folds):
            n = min(last, start + folds) - start
            fold.total(view(x, row + start * width), view(total, 0), width, n)
            for i in range(width):
                out[i] += total[i]


@njit(parallel=True, fastmath=FASTMATH, usual=("float32.2 float32.2 float64.2 float32.2" + 3 * " int64",))
def _samples(tasks, x, y, sums, scratch, folds, count, divisor):
    """Task: a row of x; the sum of what lies B apart, divided.

    x  (A, size), y (A, B)
    sums, scratch  (A, width)
    """
    size, B, width = x.shape[1], y.shape[1], sums.shape[1]
    for task in prange(tasks):
        u, out, total, to = x[task], sums[task], scratch[task], y[task]
        for i in range(width):
            out[i] = 0.0
        for start in range(0, count, folds):
            n = min(count, start + folds) - start
            fold.total(view(u, start * width), view(total, 0), width, n)
            for i in range(width):
                out[i] += total[i]
        for row in range(count * width, size, B):
            more = view(u, row)
            for i in range(B):
                out[i] += more[i]
        for row in range(B, width, B):
            more_sums = view(out, row)
            for i in range(B):
                out[i] += more_sums[i]
        for i in range(B):
            to[i] = out[i] / divisor


@njit(parallel=True, fastmath=FASTMATH, usual=("float32.3 float32.2",))
def _largest(tasks, x, y):
    """Task: a slab of x (A, R, B); the largest of each column, y (A, B)"""
    R, B = x.shape[1:]
    for task in prange(tasks):
        to, slab = y[task], x[task]
        for i in range(B):
            to[i] = slab[0, i]
        for r in range(1, R):
            for i in range(B):
                to[i] = larger(to[i], slab[r, i])


@njit(fastmath=FASTMATH, forceinline=True)
def larger(a, b):
    """The larger one, or a NaN; with both at hand the choice is no branch."""
    return a if a >= b or a != a else b
