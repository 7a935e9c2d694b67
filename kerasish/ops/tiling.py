"""Tiles, borders, diagonals, triangles, grids: ops that repeat elements or leave some out."""

from __future__ import annotations

import numpy as np

from kerasish.core import shapes
from kerasish.core.errors import not_yet
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.tensor import as_array
from kerasish.ops import reduce
from kerasish.ops.broadcasting import broadcast_to
from kerasish.ops.composite import composite
from kerasish.ops.elementwise import spec_dtype, where
from kerasish.ops.indexing import scatter_add_along, take
from kerasish.ops.shaping import as_tensor, expand_dims, moveaxis, reshape, swapaxes


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
        self.repeats = repeats if isinstance(repeats, int) else [int(n) for n in np.ravel(as_array(repeats))]
        self.axis = axis

    def _counts(self, length):
        """One count for all elements of an axis, or a list with one for each.

        Raises:
            ValueError: if there are neither one nor as many as elements.
        """
        counts = self.repeats
        if isinstance(counts, int) or len(counts) == 1:
            return counts if isinstance(counts, int) else counts[0]
        if length is not None and len(counts) != length:
            raise ValueError(
                f"Size of `repeats` and the repeated dimension of `x` should be compatible. Received: {len(counts)} "
                f"and {length}"
            )
        return counts

    def prepare(self, inputs):
        """A single number is a row of one where an axis is named, as in NumPy."""
        x = as_tensor(inputs[0])
        return (reshape(x, (1,)) if self.axis in (0, -1) and not x.shape else x,)

    def infer(self, x):
        if self.axis is None:
            return Spec((self._length(None if None in x.shape else shapes.size(x.shape)),), x.dtype)
        axis = shapes.normal_axis(self.axis, len(x.shape))
        return Spec((*x.shape[:axis], self._length(x.shape[axis]), *x.shape[axis + 1 :]), x.dtype)

    def _length(self, length):
        """How many elements come of an axis."""
        counts = self._counts(length)
        return None if length is None else length * counts if isinstance(counts, int) else sum(counts)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        length = x.size if self.axis is None else x.shape[shapes.normal_axis(self.axis, x.ndim)]
        return ctx.kernels.xp.repeat(x, self._counts(length), self.axis)

    def backward(self, ctx, gy):
        (shape,) = ctx.saved
        length = shapes.size(shape) if self.axis is None else shape[self.axis]
        counts = self._counts(length)
        if isinstance(counts, int):
            axis = shapes.normal_axis(self.axis, len(shape)) if self.axis is not None else len(shape) - 1
            return reduce.sum(reshape(gy, (*shape[: axis + 1], counts, *shape[axis + 1 :])), axis + 1)
        index = np.repeat(np.arange(length), counts)
        return reshape(scatter_add_along(gy, index, length, self.axis or 0), shape)


def repeat(x, repeats, axis=None):
    """Each element of x repeated along `axis` (None: in the flattened tensor)."""
    return Repeat(repeats, axis)(x)


_COPYING = ("reflect", "symmetric", "edge", "wrap")  # borders of elements of x


class Pad(Op):
    """x with a border."""

    def __init__(self, pad_width, mode="constant"):
        self.pad_width, self.mode = pad_width, mode

    def widths(self, rank):
        """A (before, after) pair for each axis."""
        width = np.asarray(self.pad_width, int)
        if width.ndim == 2 and len(width) not in (1, rank):
            raise ValueError(
                f"`pad_width` must have the same length as `x.shape`. Received: pad_width={self.pad_width} (of length "
                f"{len(width)}) for a tensor of rank {rank}"
            )
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
        if self.mode == "constant":
            return gy[tuple(slice(a, a + d) for d, (a, _) in zip(ctx.saved[0], self.widths(gy.ndim)))]
        if self.mode not in _COPYING:
            raise not_yet(f"the gradient of ops.pad with mode={self.mode!r}", f"use one of {('constant', *_COPYING)}")
        for axis, (length, width) in enumerate(zip(ctx.saved[0], self.widths(gy.ndim))):
            if any(width):
                gy = scatter_add_along(gy, np.pad(np.arange(length), width, self.mode), length, axis)
        return gy


def _pad_spec(x, pad_width, mode="constant", constant_values=None):
    _check_pad(mode, constant_values)
    return Pad(pad_width, mode).infer(spec_of(x))


def _check_pad(mode, constant_values):
    if constant_values is not None and mode != "constant":
        raise ValueError(
            f"Argument `constant_values` can only be provided when `mode == 'constant'`. Received: mode={mode}"
        )


@composite("keras.src.ops.numpy", keywords=("constant_values",), infer=_pad_spec)
def pad(x, pad_width, mode: str = "constant", constant_values=None):
    """x with a border of `pad_width` ((before, after) for each axis), filled as NumPy's `pad` does."""
    _check_pad(mode, constant_values)
    op = Pad(pad_width, mode)
    return op(x) if constant_values is None else op(x, as_array(constant_values, spec_dtype(x)))


class Diagonal(Op):
    """The diagonal of the last two of the given axes."""

    def __init__(self, offset=0, axis1=0, axis2=1):
        self.offset, self.axis1, self.axis2 = offset, axis1, axis2

    def infer(self, x):
        gone = shapes.two_axes(self.axis1, self.axis2, len(x.shape))
        m, n = (x.shape[a] for a in gone)
        length = None if m is None or n is None else len(np.diagonal(np.empty((m, n), bool), self.offset))
        return Spec((*(d for i, d in enumerate(x.shape) if i not in gone), length), x.dtype)

    def forward(self, ctx, x):
        shapes.two_axes(self.axis1, self.axis2, x.ndim)
        ctx.save(x.shape)
        return ctx.kernels.xp.diagonal(x, self.offset, self.axis1, self.axis2)

    def backward(self, ctx, gy):
        (shape,) = ctx.saved
        if not gy.shape[-1]:
            return broadcast_to(as_array(0, gy.dtype, gy.value), shape)
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


def _triangle_spec(x, k=0):
    return Spec(x.shape, spec_of(x).dtype)


@composite("keras.src.ops.numpy", infer=_triangle_spec)
def tril(x, k=0):
    """x with zeros above its k-th diagonal."""
    return _triangle(as_tensor(x), k, True)


@composite("keras.src.ops.numpy", infer=_triangle_spec)
def triu(x, k=0):
    """x with zeros below its k-th diagonal."""
    return _triangle(as_tensor(x), k, False)


def _meshgrid_specs(*x, indexing="xy"):
    _check_indexing(indexing)
    found = [spec_of(v) for v in x]
    shape = [None if None in s.shape else shapes.size(s.shape) for s in found]
    if indexing == "xy":
        shape[:2] = shape[:2][::-1]
    return [Spec(tuple(shape), s.dtype) for s in found]


def _check_indexing(indexing):
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Valid values for `indexing` are 'xy' and 'ij', but received {indexing}.")


@composite("keras.src.ops.numpy", inputs=(), infer=_meshgrid_specs)
def meshgrid(*x, indexing="xy"):
    """Coordinate grids of vectors; other tensors are taken flat.

    Args:
        *x: the tensors.
        indexing: "xy" for grids (len(x2), len(x1), ...), "ij" for (len(x1), len(x2), ...).

    Raises:
        ValueError: for another `indexing`.
    """
    _check_indexing(indexing)
    grids = [reshape(v, [-1 if i == j else 1 for j in range(len(x))]) for i, v in enumerate(x)]
    shape = tuple(g.shape[i] for i, g in enumerate(grids))
    grids = [broadcast_to(g, shape) for g in grids]
    return [swapaxes(g, 0, 1) for g in grids] if indexing == "xy" and len(x) > 1 else grids
