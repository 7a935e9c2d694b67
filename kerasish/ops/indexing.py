"""Ops that pick elements by index; their gradients add up where an index was picked."""

from __future__ import annotations

import builtins

import numpy as np

from kerasish.core import shapes
from kerasish.core.op import Op, Spec
from kerasish.core.operators import bind
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, as_array, as_own_array
from kerasish.core.variable import Variable
from kerasish.ops.composite import holds_symbolic
from kerasish.ops.shaping import ravel, reshape


def _plain(key):
    """An index in NumPy's terms."""
    if isinstance(key, tuple):
        return tuple(_plain(k) for k in key)
    if isinstance(key, builtins.slice):
        return builtins.slice(*(None if v is None else int(v) for v in (key.start, key.stop, key.step)))
    return as_array(key) if isinstance(key, (Tensor, Variable)) else key


def _is_basic(key) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return all(k is None or k is Ellipsis or isinstance(k, (int, np.integer, builtins.slice)) for k in parts)


class GetItem(Op):
    """x[key]."""

    def __call__(self, x, key):
        if isinstance(x, KerasTensor):
            return self.symbolic_call(x, key)
        if holds_symbolic(key):
            raise ValueError(f"A tensor cannot be indexed by a KerasTensor, which has no value. Received: {key}")
        picker = GetItem()
        picker._key = _plain(key)
        return picker.call(x)

    def compute_output_spec(self, x, key):
        return KerasTensor(indexed_shape(x.shape, key), x.dtype)

    def get_config(self):
        return {"name": self.name}

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return ctx.kernels.picked(x, self._key)

    def backward(self, ctx, gy):
        return PutBack(self._key, ctx.saved[0])(gy)


class PutBack(Op):
    """Zeros of a shape, with x added at a key: the transpose of indexing."""

    def __init__(self, key, shape):
        self._key, self._shape = key, shape

    def forward(self, ctx, x):
        out = ctx.kernels.xp.zeros(self._shape, x.dtype)
        if _is_basic(self._key):
            out[self._key] = x
        else:
            out = ctx.kernels.combine_at(out, self._key, x, "add")
        return out

    def backward(self, ctx, gy):
        return get_item(gy, self._key)


def indexed_shape(shape, key) -> tuple:
    """The shape of an indexed tensor with open dimensions.

    Raises:
        ValueError: for more indices than axes, an index beyond a known dimension, two ellipses, an array of indices, or
            a symbolic index.
    """
    parts = list(key) if isinstance(key, tuple) else [key]
    if any(getattr(k, "shape", ()) for k in parts if not isinstance(k, KerasTensor)):
        raise ValueError(f"A symbolic tensor cannot be indexed by an array, use ops.take. Received: {key}")
    if sum(k is Ellipsis for k in parts) > 1 or any(isinstance(k, KerasTensor) for k in parts):
        raise ValueError(f"A symbolic tensor cannot be indexed by {key}: it may hold one Ellipsis and no KerasTensor")
    used = sum(k is not None and k is not Ellipsis for k in parts)
    if used > len(shape):
        raise ValueError(f"Too many indices: {key} for a tensor of shape {tuple(shape)}")
    if Ellipsis not in [k for k in parts if not hasattr(k, "shape")]:
        parts.append(Ellipsis)
    out, left = [], list(shape)
    for k in parts:
        if k is None:
            out.append(1)
        elif k is Ellipsis:
            rest = len(left) - sum(v is not None for v in parts[parts.index(Ellipsis) + 1 :])
            out, left = out + left[:rest], left[rest:]
        elif isinstance(k, builtins.slice):
            d = left.pop(0)
            out.append(None if d is None else len(range(*_plain(k).indices(d))))
        elif isinstance(k, (int, np.integer)):
            d = left.pop(0)
            if d is not None and not -d <= k < d:
                raise ValueError(f"Index {k} is out of bounds for a dimension of {d} in shape {tuple(shape)}")
        else:
            left.pop(0)
            out.extend(np.shape(k) if not hasattr(k, "shape") else k.shape)
    return tuple(out)


def get_item(x, key):
    """x[key]."""
    return GetItem()(x, key)


class Take(Op):
    """Elements of x along an axis, by index."""

    def __init__(self, axis=None):
        self.axis = axis

    def infer(self, x, indices):
        if self.axis is None:
            return Spec(indices.shape, x.dtype)
        axis = shapes.normal_axis(self.axis, len(x.shape))
        return Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)

    def forward(self, ctx, x, indices):
        ctx.save(x.shape, indices)
        return ctx.kernels.xp.take(x, indices, self.axis)

    def backward(self, ctx, gy):
        shape, indices = ctx.saved
        if self.axis is None:
            return reshape(
                scatter_add_along(reshape(gy, (-1,)), indices.value.reshape(-1), shapes.size(shape), 0), shape
            ), None
        axis = shapes.normal_axis(self.axis, len(shape))
        flat = reshape(gy, (*shape[:axis], indices.value.size, *shape[axis + 1 :]))
        return scatter_add_along(flat, indices.value.reshape(-1), shape[axis], axis), None


def take(x, indices, axis=None):
    """Elements of x at `indices` along `axis` (None: of the flattened tensor); negative ones count from the end."""
    return Take(axis)(x, _indices(indices))


def _indices(x):
    """Indices as a tensor: an empty list is one of integers."""
    if isinstance(x, (KerasTensor, Tensor)):
        return x
    array = as_own_array(x)
    return Tensor(array if array.size or hasattr(x, "dtype") else array.astype("int32"))


class ScatterAddAlong(Op):
    """Zeros, with slices of x along an axis added at indices."""

    def __init__(self, index, length, axis):
        self._index, self._length, self._axis = index, length, axis

    def forward(self, ctx, x):
        moved = np.moveaxis(x, self._axis, 0)
        out = ctx.kernels.xp.zeros((self._length, *moved.shape[1:]), x.dtype)
        return np.moveaxis(ctx.kernels.combine_at(out, self._index, moved, "add"), 0, self._axis)

    def backward(self, ctx, gy):
        return take(gy, self._index, self._axis)


def scatter_add_along(x, index, length: int | None, axis):
    """Zeros of `length` along `axis`, with x's slices added at `index`."""
    return ScatterAddAlong(index, length, axis)(x)


def _along_axis_shape(shape, index_shape, axis) -> tuple:
    """The shape of elements taken along an axis; the other dimensions of x and the indices broadcast.

    Raises:
        ValueError: if they do not, or the ranks differ.
    """
    if len(shape) != len(index_shape):
        raise ValueError(
            f"`x` and `indices` must have the same number of dimensions, but receive shape {tuple(shape)} and "
            f"{tuple(index_shape)}."
        )
    axis, shape = shapes.normal_axis(axis, len(shape)), list(shape)
    shape[axis] = index_shape[axis]
    return shapes.broadcast(shape, index_shape)


class TakeAlongAxis(Op):
    """Elements of x along an axis, an index for each place."""

    def __init__(self, axis=None):
        self.axis = axis

    def infer(self, x, indices):
        if self.axis is None:
            return Spec(_along_axis_shape((None,), indices.shape, 0), x.dtype)
        return Spec(_along_axis_shape(x.shape, indices.shape, self.axis), x.dtype)

    def call(self, x, indices):
        if self.axis is None:
            return TakeAlongAxis(0)(ravel(x), indices)
        return super().call(x, indices)

    def forward(self, ctx, x, indices):
        _along_axis_shape(x.shape, indices.shape, self.axis)
        ctx.save(x.shape, indices)
        return ctx.kernels.xp.take_along_axis(x, indices, self.axis)

    def backward(self, ctx, gy):
        shape, indices = ctx.saved
        rank = len(shape)
        grids = [np.arange(d).reshape([-1 if i == j else 1 for j in range(rank)]) for i, d in enumerate(gy.shape)]
        axis = shapes.normal_axis(self.axis, rank)
        grids[axis] = indices.value
        for i, d in enumerate(shape):  # a dimension of 1 of x was read again and again
            if i != axis and d == 1:
                grids[i] = np.zeros_like(grids[i])
        return PutBack(tuple(grids), shape)(gy), None


def take_along_axis(x, indices, axis=None):
    """Elements of x at `indices`, which has x's rank, along `axis` (None: of the flattened tensor).

    Raises:
        ValueError: if the shapes of x and the indices do not broadcast but for this axis.
    """
    return TakeAlongAxis(axis)(x, _indices(indices))


bind("get_item", get_item)
