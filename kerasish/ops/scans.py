"""What runs along an axis: cumulative sums and products."""

from __future__ import annotations

from kerasish.core import dtypes, shapes
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import as_array
from kerasish.ops.elementwise import equal, logical_and, where
from kerasish.ops.shaping import flip, reshape
from kerasish.ops.table import cast, int_of_bool, tensor_of, to_dtype


class Cumsum(Op):
    """The running sum."""

    kernel = "cumsum"

    def __init__(self, axis=None, dtype=None):
        self.axis, self.dtype = axis, dtype

    def infer(self, x):
        if self.axis is None:
            return Spec((None if None in x.shape else shapes.size(x.shape),), self._dtype(x))
        shapes.normal_axis(self.axis, len(x.shape))
        return Spec(x.shape, self._dtype(x))

    def _dtype(self, x) -> str:
        return dtypes.standardize_dtype(self.dtype) if self.dtype else int_of_bool(x.dtype)

    def prepare(self, inputs):
        x = tensor_of(inputs[0])
        return (to_dtype(x, self._dtype(x)),)

    def forward(self, ctx, x):
        if self.axis is not None:
            shapes.normal_axis(self.axis, x.ndim)
        ctx.save(x)
        return getattr(ctx.kernels.xp, self.kernel)(x, self.axis, dtype=x.dtype)

    def backward(self, ctx, gy):
        (x,) = ctx.saved
        return reshape(_sum_of_later(gy, self.axis or 0), x.shape)


def _sum_of_later(x, axis):
    """Each element and all that follow it."""
    return flip(cumsum(flip(x, axis), axis), axis)


class Cumprod(Cumsum):
    """The running product."""

    kernel = "cumprod"

    def backward(self, ctx, gy):
        # Exact with zeros: for the first of a line, the products of the others; those after it do not count.
        (x,) = ctx.saved
        shape, axis = x.shape, self.axis or 0
        x = x if self.axis is not None else reshape(x, (-1,))
        zero, one = equal(x, 0), as_array(1, x.dtype)
        first = logical_and(zero, equal(cumsum(cast(zero, "int32"), axis), 1))
        others = _sum_of_later(gy * cumprod(where(first, one, x), axis), axis)
        g = where(first, others, _sum_of_later(gy * cumprod(x, axis), axis) / where(zero, one, x))
        return reshape(g, shape)


def cumsum(x, axis=None, dtype=None):
    """The running sum along `axis`."""
    return Cumsum(axis, dtype)(x)


def cumprod(x, axis=None, dtype=None):
    """The running product along `axis`."""
    return Cumprod(axis, dtype)(x)
