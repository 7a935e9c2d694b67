"""Reductions over the array module: `axis` is None, an integer or a tuple; sums of 16-bit floats in float32."""

import math

from kerasish.core import shapes
from kerasish.device import array_module
from kerasish.kernels.reference.precision import accumulator, quiet


@quiet
def sum(x, axis=None, keepdims=False):
    return x.sum(axis, dtype=accumulator(x.dtype), keepdims=keepdims).astype(x.dtype)


@quiet
def mean(x, axis=None, keepdims=False):
    total = x.sum(axis, dtype=accumulator(x.dtype), keepdims=keepdims)
    return array_module(x).asarray(total / total.dtype.type(count(x.shape, axis))).astype(x.dtype)


@quiet
def prod(x, axis=None, keepdims=False):
    return x.prod(axis, dtype=accumulator(x.dtype), keepdims=keepdims).astype(x.dtype)


@quiet
def max(x, axis=None, keepdims=False):
    return x.max(axis, keepdims=keepdims)


@quiet
def min(x, axis=None, keepdims=False):
    return x.min(axis, keepdims=keepdims)


def argmax(x, axis=None, keepdims=False):
    """Index of the first maximum, int32 as in Keras."""
    return x.argmax(axis, keepdims=keepdims).astype("int32")


def argmin(x, axis=None, keepdims=False):
    return x.argmin(axis, keepdims=keepdims).astype("int32")


def any(x, axis=None, keepdims=False):
    return x.astype(bool).any(axis, keepdims=keepdims)


def all(x, axis=None, keepdims=False):
    return x.astype(bool).all(axis, keepdims=keepdims)


def count(shape, axis):
    """How many elements a reduction over `axis` joins into one."""
    return math.prod(shape[a] for a in shapes.axes(axis, len(shape)))
