"""Elements moved about as they are: runs of bytes, whatever the dtype."""

import math

import numpy as np

from kerasish.device import memory, raw, threads
from kerasish.device.jit import njit, prange
from kerasish.device.raw import address, clear_bytes, copy_bytes
from kerasish.kernels.reference import copying as reference

BYTES = 1 << 16  # of a task of `concatenate`, about


def zero_pad(x, pads):
    """x with zeros around it: (before, after) for each axis."""
    if type(x) is not np.ndarray or x.dtype.hasobject or x.ndim < 2 or not x.size:
        return reference.zero_pad(x, pads)
    left = list(pads)
    while any(any(pair) for pair in left):
        if len(left) == 1:
            return _pad_two(np.ascontiguousarray(x)[None], 1, (0, 0), left[0])[0]
        if any(left[-1]):  # with its neighbour, in one pass
            x = _pad_two(np.ascontiguousarray(x), len(left) - 1, *left[-2:])
            left.pop()
        left.pop()
    return x


def picked(x, key):
    """x[key]; for a recording, which is read by address, in memory of its own."""
    y = x[key]
    if raw.recorder is None or type(y) is not np.ndarray:
        return y
    own = memory.empty(y.shape, y.dtype)
    raw.by_numpy(lambda own, x: np.copyto(own, x[key]), own, x)
    return own


def _pad_two(x, axis, rows, columns):
    """Zeros before and after `axis` and the axis before it."""
    shape = list(x.shape)
    shape[axis - 1], shape[axis] = shape[axis - 1] + sum(rows), shape[axis] + sum(columns)
    y, place = memory.empty(tuple(shape), x.dtype), math.prod(shape[axis + 1 :]) * x.itemsize
    count = math.prod(shape[:axis])
    sizes = x.shape[axis - 1], shape[axis - 1], rows[0], x.shape[axis] * place, *(n * place for n in columns)
    _pad(count, address(x), address(y), *sizes, threads=threads.wanted(y.size))
    return y


def concatenate(arrays, axis):
    """Arrays of one dtype, one after the other along an axis."""
    first = arrays[0]
    same = all(type(a) is np.ndarray and a.dtype == first.dtype and a.ndim == first.ndim and a.size for a in arrays)
    if not same or first.dtype.hasobject or first.ndim < 2:
        return reference.concatenate(arrays, axis)
    axis %= first.ndim
    lengths = [a.shape[axis] for a in arrays]
    rest = {a.shape[:axis] + a.shape[axis + 1 :] for a in arrays}
    if len(rest) > 1:
        return reference.concatenate(arrays, axis)
    y = memory.empty((*first.shape[:axis], sum(lengths), *first.shape[axis + 1 :]), first.dtype)
    rows, place = math.prod(y.shape[:axis]), math.prod(y.shape[axis + 1 :]) * y.itemsize
    to = address(y)
    for array, length in zip(arrays, lengths):
        array, size = np.ascontiguousarray(array), length * place
        step = max(1, BYTES // size)
        sizes = rows, step, size, sum(lengths) * place
        _copy(-(-rows // step), address(array), to, *sizes, threads=threads.wanted(array.size))
        to += size
    return y


@njit(parallel=True, usual=(" ".join(8 * ["int64"]),))
def _pad(tasks, x, y, height, out_height, top, row, left, right):
    """Task: a row of y; x and y are addresses, sizes along a row are in bytes."""
    for task in prange(tasks):
        image, h = task // out_height, task % out_height - top
        to = y + task * (left + row + right)
        if 0 <= h < height:
            clear_bytes(to, left)
            copy_bytes(to + left, x + (image * height + h) * row, row)
            clear_bytes(to + left + row, right)
        else:
            clear_bytes(to, left + row + right)


@njit(parallel=True, usual=(" ".join(6 * ["int64"]),))
def _copy(tasks, x, y, rows, step, size, apart):
    """Rows of `size` bytes, side by side at address x, `apart` at y; `step` of them to a task."""
    for task in prange(tasks):
        for r in range(task * step, min(rows, (task + 1) * step)):
            copy_bytes(y + r * apart, x + r * size, size)
