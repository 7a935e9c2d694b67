"""Sums and means of large arrays.

What is summed is brought to the middle of (A, R, B): that covers sums over leading axes (biases), over an image (global
pooling), over trailing axes and over everything.

Float32 sums run over fixed chunks, which are joined in float64: accurate, and the same bits on any number of threads.
"""

import math

import numpy as np

from kerasish.core import shapes
from kerasish.device import threads
from kerasish.kernels.cpu import fold
from kerasish.kernels.cpu.arrays import supported
from kerasish.kernels.cpu.layout import chunks
from kerasish.kernels.cpu.pointer import pointer
from kerasish.kernels.cpu.raw import address
from kerasish.kernels.cpu.task import tasks
from kerasish.kernels.reference import reduce as reference
from kerasish.kernels.reference.precision import quiet

LARGE = 1 << 14  # elements from which a launch pays
DEEP = 64  # elements a sum, below which NumPy does as well


@quiet
def sum(x, axis=None, keepdims=False):
    middle = _middle(x, axis)
    if middle is None:
        return reference.sum(x, axis, keepdims)
    return _sums(x, *middle).astype(x.dtype).reshape(shapes.reduce(x.shape, axis, keepdims))


@quiet
def mean(x, axis=None, keepdims=False):
    middle = _middle(x, axis)
    if middle is None:
        return reference.mean(x, axis, keepdims)
    return (_sums(x, *middle) / middle[1]).astype(x.dtype).reshape(shapes.reduce(x.shape, axis, keepdims))


def sum_of_rows(x):
    """The sum over all axes but the last: (..., C) -> (C,)."""
    return sum(x, tuple(range(x.ndim - 1)))


def _middle(x, axis):
    """(A, R, B) of a reduction that the kernel takes: one run of axes, large and deep; else None."""
    if type(x) is not np.ndarray or not supported(x) or x.size < LARGE:
        return None
    axes = shapes.axes(axis, x.ndim)
    if not axes or axes[-1] - axes[0] != len(axes) - 1:
        return None
    A, R, B = (
        math.prod(part) for part in (x.shape[: axes[0]], x.shape[axes[0] : axes[-1] + 1], x.shape[axes[-1] + 1 :])
    )
    return (A, R, B) if R >= DEEP else None


def _sums(x, A, R, B):
    """(A, R, B) -> (A, B) in float64."""
    x, split = np.ascontiguousarray(x), chunks(R * B, B)
    sums = np.zeros((A, split.tasks, split.width))
    scratch = np.empty((A, split.tasks, split.width), x.dtype)
    at = [address(a) for a in (x, sums, scratch)]
    _columns(x.dtype, A * split.tasks, *at, x.itemsize, R * B, *split, threads=threads.wanted(x.size))
    tail = x.reshape(A, -1)[:, split.count * split.width :].reshape(A, -1, B)
    return sums.reshape(A, -1, B).sum(1) + tail.sum(1, dtype=np.float64)


@tasks
def _columns(zero, task, x, sums, scratch, itemsize, size, width, folds, count, span, parts):
    """For each task (part of a slab of `size` elements) and place in a fold: the sum."""
    part, out = scratch + task * width * itemsize, pointer(0.0, sums, task * width, width)
    total = pointer(zero, part, 0, width)
    slab, first = task // parts * size, task % parts * span
    last = min(count, first + span)
    for start in range(first, last, folds):
        at = x + (slab + start * width) * itemsize
        fold.total(zero, at, 0, 0, part, width, min(last, start + folds) - start)
        for i in range(width):
            out[i] += total[i]
