"""Pooling over the array module, for any number of spatial axes: x (N, *S, C), size and window per spatial axis.

A window's elements are numbered in C order; each is a strided view of the padded image, and pooling is a loop over
these few views.
"""

import itertools
import math

import numpy as np

from kerasish.device import array_module
from kerasish.kernels.reference.precision import accumulator, quiet


def max_pool2d(x, size, window, need_where=True, activation=None):
    """The largest element of each window; padding never wins, a NaN always does.

    x      (N, *S, C)
    ->  y  (N, *O, C), where (N, *O, C): number of the first maximum in its window (None unless needed)

    With "relu" as activation, y is at least 0, and where no element is above 0 the number is none of the window's.
    """
    xp = array_module(x)
    padded = _padded(x, window, _lowest(x.dtype))
    first, *others = _taps(padded.shape, size, window)
    y = padded[first].copy()
    where = xp.zeros(y.shape, where_dtype(size)) if need_where else None
    for k, tap in enumerate(others, 1):
        v = padded[tap]
        wins = (v > y) | ((v != v) & (y == y))
        y = xp.where(wins, v, y)
        if need_where:
            where[wins] = k
    if activation == "relu":
        if need_where:
            where[y <= 0] = np.iinfo(where.dtype).max
        y = xp.maximum(y, 0)
    return y, where


def max_pool2d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool2d`: each gy goes to the maximum that it came from."""
    xp = array_module(gy)
    return _scatter((xp.where(where == k, gy, 0) for k in range(math.prod(size))), x_shape, size, window, gy)


@quiet
def average_pool2d(x, size, window):
    """The mean of each window, over the elements that lie inside the image."""
    padded = _padded(x.astype(accumulator(x.dtype)), window, 0)
    total = sum(padded[tap] for tap in _taps(padded.shape, size, window))
    return (total / _counts(x, x.shape, size, window)).astype(x.dtype)


@quiet
def average_pool2d_grad(gy, x_shape, size, window):
    """dL/dx of `average_pool2d`: each gy spreads evenly over the part of its window that lies inside the image."""
    share = gy / _counts(gy, x_shape, size, window)
    return _scatter(itertools.repeat(share), x_shape, size, window, gy)


def where_dtype(size):
    """The smallest dtype that can number the elements of a window, and has a number left."""
    return np.min_scalar_type(math.prod(size))


def _lowest(dtype):
    return np.iinfo(dtype).min if dtype.kind in "iu" else -math.inf


def _padded(x, window, value):
    xp = array_module(x)
    inside = tuple(slice(lo, lo + n) for (lo, _), n in zip(window.pads, x.shape[1:-1]))
    spatial = tuple(lo + n + hi for (lo, hi), n in zip(window.pads, x.shape[1:-1]))
    padded = xp.full((x.shape[0], *spatial, x.shape[-1]), value, x.dtype)
    padded[(slice(None), *inside)] = x
    return padded


def _taps(padded_shape, size, window):
    """One index of the padded image per element of the window: that element in every window."""
    outs = [
        (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(padded_shape[1:], size, window.strides, window.dilation)
    ]
    for offsets in itertools.product(*map(range, size)):
        axes = zip(offsets, outs, window.strides, window.dilation)
        yield (slice(None), *(slice(k * d, k * d + (out - 1) * s + 1, s) for k, out, s, d in axes))


def _counts(like, x_shape, size, window):
    """How many elements of each window lie inside the image: (1, *O, 1)."""
    ones = array_module(like).ones((1, *x_shape[1:-1], 1), accumulator(like.dtype))
    padded = _padded(ones, window, 0)
    return sum(padded[tap] for tap in _taps(padded.shape, size, window))


def _scatter(parts, x_shape, size, window, gy):
    """Adds part k to element k of every window, and cuts off the padding."""
    spatial = [lo + n + hi for (lo, hi), n in zip(window.pads, x_shape[1:-1])]
    gx = array_module(gy).zeros((x_shape[0], *spatial, x_shape[-1]), accumulator(gy.dtype))
    for part, tap in zip(parts, list(_taps(gx.shape, size, window))):
        gx[tap] += part
    inside = (slice(lo, lo + n) for (lo, _), n in zip(window.pads, x_shape[1:-1]))
    return gx[(slice(None), *inside)].astype(gy.dtype)
