"""Order: sorting, the largest, quantiles. Gradients pass through the chosen elements."""

from __future__ import annotations

import numpy as np

from kerasish.core import shapes
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import as_array
from kerasish.ops.elementwise import isnan, where
from kerasish.ops.indexing import take, take_along_axis
from kerasish.ops.shaping import moveaxis, reshape
from kerasish.ops.table import float_of, tensor_of, to_dtype


def _flat_or_same(shape, axis) -> tuple:
    """The shape of what is ordered along an axis, or flattened first (None)."""
    if axis is not None:
        shapes.normal_axis(axis, len(shape))
        return tuple(shape)
    return (None if None in shape else shapes.size(shape),)


class Argsort(Op):
    """The order of x's elements."""

    differentiable = False

    def __init__(self, axis=-1):
        self.axis = axis

    def infer(self, x):
        return Spec(_flat_or_same(x.shape, self.axis), "int32")

    def forward(self, ctx, x):
        return ctx.kernels.xp.argsort(x, self.axis, kind="stable").astype(np.int32)


def argsort(x, axis=-1):
    """The indices that would sort x along `axis`; equal elements keep their order, NaN comes last."""
    return Argsort(axis)(x)


class Sort(Op):
    """x in ascending order."""

    def __init__(self, axis=-1):
        self.axis = axis

    def infer(self, x):
        return Spec(_flat_or_same(x.shape, self.axis), x.dtype)

    def call(self, x):
        return take_along_axis(x, argsort(x, self.axis), self.axis)


def sort(x, axis=-1):
    """x sorted along `axis`, ascending, NaN last."""
    return Sort(axis)(x)


class _Largest(Op):
    """The indices of the k largest along the last axis."""

    differentiable = False

    def __init__(self, k):
        self.k = k

    def forward(self, ctx, x):
        # the bits of an integer turned are its order turned: -128 has no negative in int8
        falling = ~x if x.dtype.kind in "iub" else -x
        return ctx.kernels.xp.argsort(falling, -1, kind="stable")[..., : self.k].astype(np.int32)


class TopK(Op):
    """The k largest along the last axis."""

    module = "keras.src.ops.math"

    def __init__(self, k, sorted=True):
        self.k, self.sorted = k, sorted

    def infer(self, x):
        self._check(x.shape)
        shape = (*x.shape[:-1], self.k)
        return Spec(shape, x.dtype), Spec(shape, "int32")

    def call(self, x):
        self._check(x.shape if hasattr(x, "shape") else np.shape(x))
        index = _Largest(self.k)(x)
        return take_along_axis(x, index, -1), index

    def _check(self, shape):
        if not shape:
            raise ValueError("ops.top_k needs at least one axis. Received: x.shape=()")
        if shape[-1] is not None and shape[-1] < self.k:
            raise ValueError(f"input must have at least k columns. Received: x.shape={tuple(shape)} and k={self.k}")


def top_k(x, k, sorted: bool = True):
    """The k largest along the last axis, and their indices; of equal ones the first come first.

    Raises:
        ValueError: if the axis is shorter than k.
    """
    return TopK(k, sorted)(x)


class Median(Op):
    """The middle value."""

    def __init__(self, axis=None, keepdims=False):
        self.axis, self.keepdims = axis, keepdims

    def infer(self, x):
        return Spec(shapes.reduce(x.shape, self.axis, self.keepdims), float_of(x.dtype))

    def call(self, x):
        return quantile(x, 0.5, self.axis, keepdims=self.keepdims)


def median(x, axis=None, keepdims: bool = False):
    """The middle value over `axis` (None: all), or the mean of both middle ones."""
    return Median(axis, keepdims)(x)


# The places of a quantile among sorted elements, and how much the second weighs, by the exact place.
_PLACES = {
    "linear": lambda at: (np.floor(at), np.ceil(at), at - np.floor(at)),
    "lower": lambda at: (np.floor(at), np.floor(at), np.zeros_like(at)),
    "higher": lambda at: (np.ceil(at), np.ceil(at), np.zeros_like(at)),
    "midpoint": lambda at: (np.floor(at), np.ceil(at), np.full_like(at, 0.5)),
    "nearest": lambda at: (np.round(at), np.round(at), np.zeros_like(at)),
}


class Quantile(Op):
    """The values below which fractions q of the elements lie."""

    def __init__(self, axis=None, method="linear", keepdims=False):
        self.axis, self.method, self.keepdims = axis, method, keepdims

    def infer(self, x, q):
        return Spec((*q.shape, *shapes.reduce(x.shape, self.axis, self.keepdims)), float_of(x.dtype))

    def call(self, x, q):
        x = tensor_of(x)
        x = to_dtype(x, float_of(x.dtype))
        rank, gone = len(x.shape), shapes.axes(self.axis, len(x.shape))
        kept = [d for i, d in enumerate(x.shape) if i not in gone]
        count = shapes.size(x.shape[a] for a in gone)
        rows = reshape(moveaxis(x, gone, range(rank - len(gone), rank)), (*kept, count))
        found = self._of_rows(sort(rows), as_array(q, "float64", like=x.value))
        return reshape(found, (*np.shape(q), *shapes.reduce(x.shape, self.axis, True))) if self.keepdims else found

    def _of_rows(self, rows, q):
        """rows (..., M), sorted -> (*q.shape, ...)."""
        length = rows.shape[-1]
        if length == 0:
            raise ValueError(f"an empty axis has no quantiles. Received: no elements along axis={self.axis}")
        low, high, weight = _PLACES[self.method]((length - 1) * q)
        low, high = (np.clip(place, 0, length - 1).astype(np.int32) for place in (low, high))
        exact, weight = weight == 0, as_array(weight, rows.dtype)
        found = take(rows, low, -1)
        if not exact.all():
            found = where(exact, found, found * (1 - weight) + take(rows, high, -1) * weight)
        last = rows[..., -1]
        found = where(isnan(reshape(last, (*last.shape, *[1] * q.ndim))), as_array(np.nan, rows.dtype), found)
        outer = len(last.shape)
        return moveaxis(found, range(outer, outer + q.ndim), range(q.ndim)) if q.ndim else found


def quantile(x, q, axis=None, method: str = "linear", keepdims: bool = False):
    """The values below which fractions q of the elements lie; NaN where one is among them.

    Args:
        x: the tensor.
        q: fractions from 0 to 1, a number or a tensor of them.
        axis: an axis or several; None for all.
        method: what to give between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: whether to keep the axes, with length 1.

    Returns:
        Floats of shape `q.shape` and then what is left of x's.

    Raises:
        ValueError: for another method, a fraction out of range, or an empty axis.
    """
    if method not in _PLACES:
        raise ValueError(f"Invalid method: {method}. Expected one of {tuple(_PLACES)}")
    if isinstance(axis, list):
        axis = tuple(axis)
    return Quantile(axis, method, keepdims)(x, tensor_of(q))
