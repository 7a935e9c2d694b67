"""Sums and means of large arrays.

What is summed is brought to the middle of (A, R, B): that covers sums over leading axes (biases), over an image (global
pooling), over trailing axes and over everything.

Float32 sums run over fixed chunks, which are joined in float64: accurate, and the same bits on any number of threads.
"""

import math

import numpy as np

from kerasish.core import shapes
from kerasish.device import threads
from kerasish.device.jit import helper
from kerasish.kernels.cpu import fold, raw
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.layout import chunks
from kerasish.kernels.cpu.pointer import pointer
from kerasish.kernels.cpu.raw import address, by_numpy
from kerasish.kernels.cpu.task import tasks
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
    x, y = np.ascontiguousarray(x), np.empty((A, B), x.dtype)
    _largest(x.dtype, A, address(x), address(y), R, B, threads=threads.wanted(x.size))
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
        noting.foreign(lambda: np.copyto(y, plain(x, axis, keepdims)))
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
    x, y, split = np.ascontiguousarray(x), np.empty((A, B), x.dtype), chunks(R * B, B)
    sums, scratch = np.empty((A, split.width)), np.empty((A, split.width), x.dtype)
    at = [address(a) for a in (x, y, sums, scratch)]
    sizes = x.itemsize, R * B, split.width, split.folds, split.count, B, divisor
    _samples(x.dtype, A, *at, *sizes, threads=threads.wanted(x.size))
    return y


def _sums(x, A, R, B, divisor):
    """(A, R, B) -> (A, B), joined in float64."""
    x, split, y = np.ascontiguousarray(x), chunks(R * B, B), np.empty((A, B), x.dtype)
    sums = np.empty((A, split.tasks, split.width))
    scratch = np.empty((A, split.tasks, split.width), x.dtype)
    at = [address(a) for a in (x, sums, scratch)]
    _columns(x.dtype, A * split.tasks, *at, x.itemsize, R * B, *split, threads=threads.wanted(x.size))
    tail = x.reshape(A, -1)[:, split.count * split.width :].reshape(A, -1, B)

    def join():
        y[...] = (sums.reshape(A, -1, B).sum(1) + tail.sum(1, dtype=np.float64)) / divisor

    by_numpy(quiet(join))
    return y


@tasks
def _columns(zero, task, x, sums, scratch, itemsize, size, width, folds, count, span, parts):
    """For each task (part of a slab of `size` elements) and place in a fold: the sum."""
    part, out = scratch + task * width * itemsize, pointer(0.0, sums, task * width, width)
    total = pointer(zero, part, 0, width)
    slab, first = task // parts * size, task % parts * span
    last = min(count, first + span)
    for i in range(width):
        out[i] = 0.0
    for start in range(first, last, folds):
        at = x + (slab + start * width) * itemsize
        fold.total(zero, at, 0, 0, part, width, min(last, start + folds) - start)
        for i in range(width):
            out[i] += total[i]


@tasks
def _samples(zero, task, x, y, sums, scratch, itemsize, size, width, folds, count, B, divisor):
    """Task: a slab of `size` elements; the sum of its rows of B, divided."""
    at, part = x + task * size * itemsize, scratch + task * width * itemsize
    out, total = pointer(0.0, sums, task * width, width), pointer(zero, part, 0, width)
    for i in range(width):
        out[i] = 0.0
    for start in range(0, count, folds):
        fold.total(zero, at + start * width * itemsize, 0, 0, part, width, min(count, start + folds) - start)
        for i in range(width):
            out[i] += total[i]
    tail = pointer(zero, at, count * width, size - count * width)
    for row in range(0, size - count * width, B):
        for i in range(B):
            out[i] += tail[row + i]
    for row in range(B, width, B):
        for i in range(B):
            out[i] += out[row + i]
    to = pointer(zero, y, task * B, B)
    for i in range(B):
        to[i] = out[i] / divisor


@tasks
def _largest(zero, task, x, y, R, B):
    """Task: a slab of R rows; the largest of each column."""
    to, first = pointer(zero, y, task * B, B), pointer(zero, x, task * R * B, B)
    for i in range(B):
        to[i] = first[i]
    for r in range(1, R):
        row = pointer(zero, x, (task * R + r) * B, B)
        for i in range(B):
            to[i] = larger(to[i], row[i])


@helper(inline=True)
def larger(a, b):
    """The larger one, or a NaN; with both at hand the choice is no branch."""
    return a if a >= b or a != a else b
