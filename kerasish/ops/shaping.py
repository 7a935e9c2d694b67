"""Ops that move elements about: their gradients move them back."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes, shapes
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.operators import bind
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, convert_to_tensor
from kerasish.ops.composite import composite, holds_symbolic
from kerasish.ops.elementwise import spec_dtype
from kerasish.ops.table import to_dtype


def as_tensor(x):
    """A Tensor of x, or the KerasTensor that it is."""
    return x if isinstance(x, KerasTensor) else convert_to_tensor(x)


class Reshape(Op):
    """x's elements in another shape."""

    def __init__(self, newshape):
        self.newshape = shapes.reshape_target(newshape if hasattr(newshape, "__iter__") else (newshape,))

    def infer(self, x):
        return Spec(shapes.reshape(x.shape, self.newshape), x.dtype)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return x.reshape([-1 if d is None else d for d in self.newshape])

    def backward(self, ctx, gy):
        return reshape(gy, ctx.saved[0])


def reshape(x, newshape):
    """x's elements in the shape `newshape`; one dimension may be -1.

    Raises:
        ValueError: if x has another number of elements, or `newshape` is no shape.
    """
    return _reshape_as_told(x, newshape) if holds_symbolic(newshape) else Reshape(newshape)(x)


def _told_spec(x, newshape):
    if isinstance(newshape, KerasTensor):
        rank = newshape.shape[0] if len(newshape.shape) == 1 else 1
        return Spec((None,) * (rank or 1), spec_of(x).dtype)
    target = [None if isinstance(d, KerasTensor) else d for d in newshape]
    return Spec(shapes.reshape(spec_of(x).shape, target), spec_of(x).dtype)


@composite("kerasish.ops.shaping", inputs=2, class_name="ReshapeAsTold", infer=_told_spec)
def _reshape_as_told(x, newshape):
    """x in a shape that other tensors of the graph tell."""
    return reshape(x, newshape)


class Transpose(Op):
    """x with its axes in another order."""

    def __init__(self, axes=None):
        self.axes = axes

    def infer(self, x):
        return Spec(tuple(x.shape[a] for a in shapes.permutation(self.axes, len(x.shape))), x.dtype)

    def forward(self, ctx, x):
        return x.transpose(self.axes)

    def backward(self, ctx, gy):
        back = None if self.axes is None else [int(i) for i in np.argsort([a % gy.ndim for a in self.axes])]
        return transpose(gy, back)


def transpose(x, axes=None):
    """x with axes in the order `axes` (reversed by default).

    Raises:
        ValueError: if `axes` is no permutation.
    """
    return Transpose(axes)(x)


@composite("keras.src.ops.numpy")
def moveaxis(x, source, destination):
    """x with some axes moved, the others keeping their order.

    Raises:
        ValueError: if an axis is out of range, or there are more of one kind than of the other.
    """
    x = as_tensor(x)
    rank = len(x.shape)
    source, destination = (
        [shapes.normal_axis(a, rank) for a in (axes if hasattr(axes, "__iter__") else (axes,))]
        for axes in (source, destination)
    )
    if len(source) != len(destination):
        raise ValueError(
            f"Inconsistent number of `source` and `destination`. Received: source={source}, destination={destination}"
        )
    order = [a for a in range(rank) if a not in source]
    for to, a in sorted(zip(destination, source)):
        order.insert(to, a)
    return x if order == list(range(rank)) else transpose(x, order)


@composite("keras.src.ops.numpy")
def swapaxes(x, axis1, axis2):
    """x with two axes exchanged."""
    x = as_tensor(x)
    order = list(range(len(x.shape)))
    axis1, axis2 = (shapes.normal_axis(a, len(order)) for a in (axis1, axis2))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


class ExpandDims(Op):
    """x with new axes of length 1."""

    def __init__(self, axis):
        self.axis = axis

    def _axes(self, rank):
        given = self.axis if isinstance(self.axis, (tuple, list)) else (self.axis,)
        return sorted(shapes.normal_axis(a, rank + len(given)) for a in given)

    def infer(self, x):
        shape = list(x.shape)
        for a in self._axes(len(shape)):
            shape.insert(a, 1)
        return Spec(tuple(shape), x.dtype)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return x.reshape(self.infer(x).shape)

    def backward(self, ctx, gy):
        return reshape(gy, ctx.saved[0])


def expand_dims(x, axis):
    """x with a new axis of length 1 at `axis` (an int or a tuple)."""
    return ExpandDims(axis)(x)


class Squeeze(Op):
    """x without axes of length 1."""

    def __init__(self, axis=None):
        self.axis = axis

    def infer(self, x):
        ones = [i for i, d in enumerate(x.shape) if d == 1]
        gone = ones if self.axis is None else shapes.axes(self.axis, len(x.shape))
        for a in gone:
            if x.shape[a] != 1:
                raise ValueError(
                    f"Cannot squeeze axis {a}, because the dimension is not 1. Received: x.shape={tuple(x.shape)}"
                )
        return Spec(tuple(d for i, d in enumerate(x.shape) if i not in gone), x.dtype)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return x.reshape(self.infer(x).shape)

    def backward(self, ctx, gy):
        return reshape(gy, ctx.saved[0])


def squeeze(x, axis=None):
    """x without the axes of length 1 (all of them, or those in `axis`)."""
    return Squeeze(axis)(x)


@composite("keras.src.ops.numpy")
def ravel(x):
    """x's elements in one axis."""
    return reshape(x, (-1,))


class Concatenate(Op):
    """Tensors one after the other along an axis."""

    nary = True

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, xs):
        if not len(xs):
            raise ValueError(f"{type(self).__name__} needs at least one tensor; received an empty list")
        return super().__call__(xs)

    def prepare(self, inputs):
        dtype = dtypes.result_type(*(spec_dtype(x) for x in inputs))
        return [to_dtype(x, dtype) for x in inputs]

    def infer(self, *xs):
        return Spec(shapes.concatenate([x.shape for x in xs], self.axis), dtypes.result_type(*(x.dtype for x in xs)))

    def forward(self, ctx, *xs):
        axis = shapes.normal_axis(self.axis, xs[0].ndim)
        ctx.save(*[x.shape[axis] for x in xs])
        return ctx.kernels.concatenate(xs, self.axis)

    def backward(self, ctx, gy):
        return split(gy, list(np.cumsum(ctx.saved[:-1])), self.axis)


def concatenate(xs, axis=0):
    """Tensors one after the other along `axis`; their other dimensions agree.

    Raises:
        ValueError: if they do not, or `axis` is None.
    """
    if axis is None:
        raise ValueError("`axis` cannot be None for `concatenate`; flatten the tensors with `ops.ravel` for that")
    return Concatenate(axis)(list(xs))


class Stack(Concatenate):
    """Tensors along a new axis."""

    def infer(self, *xs):
        shape = list(xs[0].shape)
        for x in xs[1:]:
            if len(x.shape) != len(shape) or any(
                m is not None and n is not None and m != n for m, n in zip(shape, x.shape)
            ):
                received = [tuple(x.shape) for x in xs]
                raise ValueError(f"x_list and y_list must have the same shape to be stacked. Received: {received}")
        shape.insert(shapes.normal_axis(self.axis, len(shape) + 1), len(xs))
        return Spec(tuple(shape), dtypes.result_type(*(x.dtype for x in xs)))

    def forward(self, ctx, *xs):
        return ctx.kernels.xp.stack(xs, self.axis)

    def backward(self, ctx, gy):
        return unstack(gy, axis=self.axis)


def stack(x, axis=0):
    """Tensors of one shape along a new axis."""
    parts = list(x)
    if axis == 0 and all(type(p) is np.ndarray and p.dtype == parts[0].dtype for p in parts):
        return convert_to_tensor(parts or x)  # a list like any other, as in Keras
    return Stack(axis)(parts)


class Split(Op):
    """x cut along an axis."""

    def __init__(self, indices_or_sections, axis=0):
        given = indices_or_sections
        self.indices_or_sections = given if isinstance(given, int) else tuple(int(i) for i in given)
        self.axis = axis

    def _ends(self, length):
        given = self.indices_or_sections
        if isinstance(given, tuple):
            if length is not None and any(not -length <= i <= length for i in given):
                raise ValueError(f"Cannot split a dimension of {length} at indices_or_sections={given}")
            return [0, *given, length]
        if given < 1 or (length is not None and length % given):
            raise ValueError(
                f"x size on split dimension must be divisible by indices_or_sections. Received: {length} and {given}"
            )
        return [None if length is None else length // given * i for i in range(given + 1)]

    def infer(self, x):
        axis = shapes.normal_axis(self.axis, len(x.shape))
        ends = self._ends(x.shape[axis])
        lengths = [None if a is None or b is None else b - a for a, b in zip(ends, ends[1:])]
        return tuple(Spec((*x.shape[:axis], n, *x.shape[axis + 1 :]), x.dtype) for n in lengths)

    def forward(self, ctx, x):
        ends = self._ends(x.shape[shapes.normal_axis(self.axis, x.ndim)])
        parts = ctx.kernels.xp.split(x, ends[1:-1], self.axis)
        ctx.save(*[p.shape for p in parts], x.dtype.name)
        return tuple(parts)

    def backward(self, ctx, *gys):
        *part_shapes, dtype = ctx.saved
        parts = [Tensor(ctx.kernels.xp.zeros(s, dtype)) if g is None else g for g, s in zip(gys, part_shapes)]
        return concatenate(parts, self.axis)

    def compute_output_spec(self, x):
        return list(super().compute_output_spec(x))


def split(x, indices_or_sections, axis=0):
    """x cut along `axis` into equal sections, or at the given indices: a list of tensors.

    Raises:
        ValueError: if the axis has no such sections or indices.
    """
    return list(Split(indices_or_sections, axis)(x))


def _unstack_specs(x, num=None, axis=0):
    axis = shapes.normal_axis(axis, len(x.shape))
    length = x.shape[axis]
    if num is None and length is None:
        raise ValueError(
            f"Cannot infer argument `num` from shape {tuple(x.shape)}. Either provide a tensor with a concrete shape "
            "or explicitly pass `num`."
        )
    if num is not None and length not in (None, num):
        raise ValueError(f"Cannot unstack axis {axis} of shape {tuple(x.shape)} into num={num} tensors")
    part = Spec((*x.shape[:axis], *x.shape[axis + 1 :]), spec_of(x).dtype)
    return [part] * (length if num is None else num)


@composite("keras.src.ops.core", infer=_unstack_specs)
def unstack(x, num: int | None = None, axis=0):
    """The tensors that lie along `axis`, as a list.

    Raises:
        ValueError: if there are not `num` of them.
    """
    x = as_tensor(x)
    count = len(_unstack_specs(x, num, axis))
    return [squeeze(part, axis) for part in split(x, count, axis)] if count else []


class Flip(Op):
    """x backwards along axes."""

    def __init__(self, axis=None):
        self.axis = axis

    def infer(self, x):
        shapes.axes(self.axis, len(x.shape))
        return Spec(x.shape, x.dtype)

    def forward(self, ctx, x):
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return ctx.kernels.xp.flip(x, axis)

    def backward(self, ctx, gy):
        return flip(gy, self.axis)


def flip(x, axis=None):
    """x backwards along `axis` (None: along all)."""
    return Flip(axis)(x)


class Roll(Flip):
    """x shifted along an axis, what falls off coming back in front."""

    def __init__(self, shift, axis=None):
        self.shift, self.axis = shift, axis

    def forward(self, ctx, x):
        return ctx.kernels.xp.roll(x, self.shift, self.axis)

    def backward(self, ctx, gy):
        back = [-s for s in self.shift] if hasattr(self.shift, "__iter__") else -self.shift
        return roll(gy, back, self.axis)


def roll(x, shift, axis=None):
    """x shifted by `shift` along `axis`, cyclically."""
    return Roll(shift, axis)(x)


@composite("keras.src.ops.numpy")
def hstack(xs):
    """Tensors side by side; scalars as vectors of one element."""
    xs = [x if x.shape else reshape(x, (1,)) for x in (as_tensor(x) for x in xs)]
    return concatenate(xs, 0 if len(xs[0].shape) == 1 else 1)


@composite("keras.src.ops.numpy")
def vstack(xs):
    """Tensors one above the other; vectors and scalars as rows."""
    xs = [as_tensor(x) for x in xs]
    return concatenate([x if len(x.shape) > 1 else reshape(x, (1, -1)) for x in xs], 0)


class Copy(Op):
    """x, in memory of its own."""

    def infer(self, x):
        return x

    def forward(self, ctx, x):
        return x.copy()

    def backward(self, ctx, gy):
        return gy


def copy(x):
    """A copy of x."""
    return Copy()(x)


for _name, _function in (("reshape", reshape), ("transpose", transpose), ("squeeze", squeeze), ("stack", stack)):
    bind(_name, _function)
