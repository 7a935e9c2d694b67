"""Tiles, borders, diagonals, triangles, grids: ops that repeat elements or leave some out."""

from __future__ import annotations

import numpy as np

from kerasish.core import shapes
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import as_array
from kerasish.ops import reduce
from kerasish.ops.broadcasting import broadcast_to
from kerasish.ops.composite import composite
from kerasish.ops.elementwise import spec_dtype, where
from kerasish.ops.indexing import scatter_add_along, take
from kerasish.ops.shaping import expand_dims, moveaxis, reshape, swapaxes


class Tile(Op):
    """x repeated as a whole."""

    def __init__(self, repeats):
        self.repeats = tuple(repeats) if hasattr(repeats, "__iter__") else (repeats,)

    def _both(self, shape):
        rank = max(len(shape), len(self.repeats))
        return (1,) * (rank - len(shape)) + tuple(shape), (1,) * (rank - len(self.repeats)) + self.repeats

    def infer(self, x):
        return Spec(tuple(None if d is None else d * r for d, r in zip(*self._both(x.shape))), x.dtype)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return ctx.kernels.xp.tile(x, self.repeats)

    def backward(self, ctx, gy):
        shape, repeats = self._both(ctx.saved[0])
        pairs = [n for d, r in zip(shape, repeats) for n in (r, d)]
        return reshape(reduce.sum(reshape(gy, pairs), tuple(range(0, len(pairs), 2))), ctx.saved[0])


def tile(x, repeats):
    """x repeated `repeats` times along each axis."""
    return Tile(repeats)(x)


class Repeat(Op):
    """Each element repeated."""

    def __init__(self, repeats, axis=None):
        self.repeats, self.axis = repeats, axis

    def infer(self, x):
        if self.axis is None:
            return Spec((self._length(None if None in x.shape else shapes.size(x.shape)),), x.dtype)
        axis = shapes.normal_axis(self.axis, len(x.shape))
        return Spec((*x.shape[:axis], self._length(x.shape[axis]), *x.shape[axis + 1 :]), x.dtype)

    def _length(self, length):
        """How many elements come of an axis."""
        if length is None:
            return None
        return length * self.repeats if isinstance(self.repeats, int) else int(np.sum(self.repeats))

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return ctx.kernels.xp.repeat(x, self.repeats, self.axis)

    def backward(self, ctx, gy):
        (shape,) = ctx.saved
        if isinstance(self.repeats, int):
            axis = shapes.normal_axis(self.axis, len(shape)) if self.axis is not None else len(shape) - 1
            return reduce.sum(reshape(gy, (*shape[: axis + 1], self.repeats, *shape[axis + 1 :])), axis + 1)
        length = shape[self.axis] if self.axis is not None else shapes.size(shape)
        index = np.repeat(np.arange(length), self.repeats)
        return reshape(scatter_add_along(gy, index, length, self.axis or 0), shape)


def repeat(x, repeats, axis=None):
    """Each element of x repeated along `axis` (None: in the flattened tensor)."""
    return Repeat(repeats, axis)(x)


class Pad(Op):
    """x with a border."""

    def __init__(self, pad_width, mode="constant"):
        self.pad_width, self.mode = pad_width, mode

    def widths(self, rank):
        """A (before, after) pair for each axis."""
        width = np.asarray(self.pad_width, int)
        return [tuple(int(v) for v in pair) for pair in np.broadcast_to(width, (rank, 2))]

    def infer(self, x, value=None):
        pairs = self.widths(len(x.shape))
        return Spec(tuple(None if d is None else d + a + b for d, (a, b) in zip(x.shape, pairs)), x.dtype)

    def forward(self, ctx, x, value=None):
        ctx.save(x.shape)
        if self.mode == "constant" and value is None:
            return ctx.kernels.zero_pad(x, self.widths(x.ndim))
        extra = {"constant_values": value} if value is not None else {}
        return ctx.kernels.xp.pad(x, self.widths(x.ndim), self.mode, **extra)

    def backward(self, ctx, gy):  # the border's value gets none: it is a constant
        if self.mode != "constant":
            raise NotImplementedError(
                f"the gradient of ops.pad with mode={self.mode!r} is not supported by kerasish yet; use mode='constant'"
            )
        return gy[tuple(slice(a, a + d) for d, (a, _) in zip(ctx.saved[0], self.widths(gy.ndim)))]


@composite("keras.src.ops.numpy", keywords=("constant_values",))
def pad(x, pad_width, mode: str = "constant", constant_values=None):
    """x with a border of `pad_width` ((before, after) for each axis), filled as NumPy's `pad` does."""
    if constant_values is not None and mode != "constant":
        raise ValueError(
            f"Argument `constant_values` can only be provided when `mode == 'constant'`. Received: mode={mode}"
        )
    op = Pad(pad_width, mode)
    return op(x) if constant_values is None else op(x, as_array(constant_values, spec_dtype(x)))


class Diagonal(Op):
    """The diagonal of the last two of the given axes."""

    def __init__(self, offset=0, axis1=0, axis2=1):
        self.offset, self.axis1, self.axis2 = offset, axis1, axis2

    def infer(self, x):
        m, n = x.shape[self.axis1], x.shape[self.axis2]
        gone = shapes.axes((self.axis1, self.axis2), len(x.shape))
        length = None if m is None or n is None else len(np.diagonal(np.empty((m, n), bool), self.offset))
        return Spec((*(d for i, d in enumerate(x.shape) if i not in gone), length), x.dtype)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return ctx.kernels.xp.diagonal(x, self.offset, self.axis1, self.axis2)

    def backward(self, ctx, gy):
        (shape,) = ctx.saved
        m, n = shape[self.axis1], shape[self.axis2]
        rows = np.arange(m)[:, None] + self.offset == np.arange(n)[None, :]
        index = np.where(rows.any(1), np.cumsum(rows.any(1)) - 1, 0)
        spread = expand_dims(take(gy, index, -1), -1) * rows.astype(gy.dtype)
        return moveaxis(spread, (-2, -1), (self.axis1, self.axis2))


def diagonal(x, offset=0, axis1=0, axis2=1):
    """The diagonal of x in the plane of two axes."""
    return Diagonal(offset, axis1, axis2)(x)


def _triangle(x, k, lower):
    mask = np.tri(*x.shape[-2:], k if lower else k - 1, dtype=bool)
    return where(mask if lower else ~mask, x, as_array(0, spec_dtype(x)))


@composite("keras.src.ops.numpy")
def tril(x, k=0):
    """x with zeros above its k-th diagonal."""
    return _triangle(x, k, True)


@composite("keras.src.ops.numpy")
def triu(x, k=0):
    """x with zeros below its k-th diagonal."""
    return _triangle(x, k, False)


def meshgrid(*x, indexing="xy"):
    """Coordinate grids of vectors."""
    grids = [reshape(v, [-1 if i == j else 1 for j in range(len(x))]) for i, v in enumerate(x)]
    shape = tuple(v.shape[0] for v in x)
    grids = [broadcast_to(g, shape) for g in grids]
    return [swapaxes(g, 0, 1) for g in grids] if indexing == "xy" and len(x) > 1 else grids
