"""Reductions: sums, extremes, moments."""

from __future__ import annotations

import builtins

import numpy as np

from kerasish.core import dtypes, shapes
from kerasish.core.autodiff import stop_gradient
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import as_array
from kerasish.ops.broadcasting import broadcast_to
from kerasish.ops.composite import composite
from kerasish.ops.elementwise import (
    clip,
    equal,
    exp,
    isfinite,
    isnan,
    log,
    logical_not,
    maximum,
    multiply,
    spec_dtype,
    sqrt,
    square,
    where,
)
from kerasish.ops.shaping import reshape
from kerasish.ops.table import cast, float_of, tensor_of, to_dtype


def _sum_dtype(dtype: str) -> str:
    return {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}.get(dtype, dtype)


class Reduction(Op):
    """A reduction over `axis`."""

    def __init__(self, axis=None, keepdims=False):
        self.axis, self.keepdims = axis, keepdims

    dtype_rule = staticmethod(lambda dtype: dtype)

    def prepare(self, inputs):
        x = tensor_of(inputs[0])
        return (to_dtype(x, self.dtype_rule(x.dtype)),)

    def infer(self, x):
        return Spec(shapes.reduce(x.shape, self.axis, self.keepdims), self.dtype_rule(x.dtype))

    def gone(self, x):
        return shapes.axes(self.axis, len(x.shape))

    def spread(self, g, shape):
        """A result's gradient repeated over the axes that were reduced."""
        kept = shapes.reduce(shape, self.axis, True)
        return broadcast_to(_reshape(g, kept), shape)


def _reshape(x, shape):
    return x if tuple(x.shape) == tuple(shape) else reshape(x, shape)


class Sum(Reduction):
    """The sum."""

    dtype_rule = staticmethod(_sum_dtype)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return ctx.kernels.sum(x, self.gone(x), self.keepdims).astype(x.dtype, copy=False)

    def backward(self, ctx, gy):
        return self.spread(gy, ctx.saved[0])


class Mean(Reduction):
    """The arithmetic mean."""

    dtype_rule = staticmethod(float_of)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return ctx.kernels.mean(x, self.gone(x), self.keepdims).astype(x.dtype, copy=False)

    def backward(self, ctx, gy):
        (shape,) = ctx.saved
        count = shapes.size(shape[a] for a in shapes.axes(self.axis, len(shape)))
        return self.spread(gy * (1.0 / builtins.max(count, 1)), shape)


class Prod(Reduction):
    """The product."""

    dtype_rule = staticmethod(_sum_dtype)

    def forward(self, ctx, x):
        ctx.save(x)
        return ctx.kernels.prod(x, self.gone(x), self.keepdims).astype(x.dtype, copy=False)

    def backward(self, ctx, gy):
        (x,) = ctx.saved
        return self.spread(gy, x.shape) * _product_of_others(x, self.gone(x))


def _product_of_others(x, gone):
    """For each element the product of the others in its reduction, exact with zeros among them."""
    zero = cast(equal(x, 0), x.dtype)
    zeros = sum(zero, gone, keepdims=True)
    without = prod_of(where(equal(x, 0), as_array(1, x.dtype), x), gone)
    alone = where(equal(x, 0), without, without / where(equal(x, 0), as_array(1, x.dtype), x))
    hidden = equal(zeros - zero, 0)
    return where(hidden, alone, as_array(0, x.dtype))


def prod_of(x, gone):
    """The product over `gone`, kept as axes of length 1; differentiated through logarithms' rule."""
    return Prod(gone, True)(x)


class _Extreme(Reduction):
    """The largest or smallest; the gradient is shared among ties, as TensorFlow does."""

    kernel = "max"

    def __init__(self, axis=None, keepdims=False, initial=None):
        super().__init__(axis, keepdims)
        self.initial = initial

    def forward(self, ctx, x):
        xp, gone, dtype = ctx.kernels.xp, self.gone(x), x.dtype
        if self.initial is not None and dtype.kind == "b":  # an initial number is an integer, as in Keras
            x = x.astype(np.int32)
        initial = None if self.initial is None else as_array(self.initial, dtypes.name_of(x), like=x)
        if 0 in [x.shape[a] for a in gone]:
            if initial is None:
                raise ValueError(
                    f"Cannot compute the {self.kernel} of an empty tensor. Received: x.shape={x.shape}, "
                    f"axis={self.axis}; pass `initial`"
                )
            y = xp.full(shapes.reduce(x.shape, gone, self.keepdims), initial, x.dtype)
        else:
            y = getattr(ctx.kernels, self.kernel)(x, gone, self.keepdims)
            y = y if initial is None else getattr(xp, self.kernel + "imum")(y, initial)
        y = y.astype(dtype, copy=False)
        ctx.save(x, y)
        return y

    def backward(self, ctx, gy):
        x, y = ctx.saved
        extreme = _reshape(y, shapes.reduce(x.shape, self.axis, True))
        held = cast(equal(x, extreme), x.dtype)
        ties = sum(held, self.axis, keepdims=True)
        if self.initial is not None:  # where it is the extreme, no element is
            ties = maximum(ties, cast(equal(extreme, extreme), x.dtype))
        return self.spread(gy, x.shape) * (held / ties)  # NaN where the extreme is NaN, which nothing equals


class Max(_Extreme):
    """The largest."""


class Min(_Extreme):
    """The smallest."""

    kernel = "min"


class _Index(Op):
    """The index of an extreme."""

    differentiable = False

    def __init__(self, axis=None, keepdims=False):
        self.axis, self.keepdims = axis, keepdims

    def infer(self, x):
        return Spec(shapes.reduce(x.shape, self.axis, self.keepdims), "int32")

    worst: float

    def forward(self, ctx, x):
        # TensorFlow passes NaN by. On the host, where looking is cheap, only what holds some is copied.
        xp = ctx.kernels.xp
        shapes.axes(self.axis, x.ndim)
        if x.dtype.kind in "fV" and (xp is not np or np.isnan(x.sum())):
            x = xp.where(xp.isnan(x), xp.asarray(self.worst, x.dtype), x)
        y = getattr(ctx.kernels, type(self).__name__.lower())(x, self.axis, self.keepdims)
        return y.astype(np.int32)


class Argmax(_Index):
    """The index of the largest."""

    worst = -np.inf


class Argmin(_Index):
    """The index of the smallest."""

    worst = np.inf


class _Logical(Reduction):
    """A question to all elements."""

    differentiable = False
    dtype_rule = staticmethod(lambda dtype: "bool")

    def forward(self, ctx, x):
        return getattr(ctx.kernels, type(self).__name__.lower())(x, self.gone(x), self.keepdims)


class Any(_Logical):
    """Whether one holds."""


class All(_Logical):
    """Whether all hold."""


def sum(x, axis=None, keepdims: bool = False):
    """The sum over `axis` (None: all)."""
    return Sum(axis, keepdims)(x)


def mean(x, axis=None, keepdims: bool = False):
    """The mean over `axis` (None: all)."""
    return Mean(axis, keepdims)(x)


@composite("keras.src.ops.numpy")
def prod(x, axis=None, keepdims: bool = False, dtype=None):
    """The product over `axis`."""
    return Prod(axis, keepdims)(x if dtype is None else cast(x, dtype))


def max(x, axis=None, keepdims: bool = False, initial=None):
    """The largest over `axis`."""
    return Max(axis, keepdims, initial)(x)


def min(x, axis=None, keepdims: bool = False, initial=None):
    """The smallest over `axis`."""
    return Min(axis, keepdims, initial)(x)


def argmax(x, axis=None, keepdims: bool = False):
    """The index of the largest along `axis` (None: in the flattened tensor)."""
    return Argmax(axis, keepdims)(x)


def argmin(x, axis=None, keepdims: bool = False):
    """The index of the smallest along `axis`."""
    return Argmin(axis, keepdims)(x)


def any(x, axis=None, keepdims: bool = False):
    """Whether any element along `axis` is true."""
    return Any(axis, keepdims)(x)


def all(x, axis=None, keepdims: bool = False):
    """Whether all elements along `axis` are true."""
    return All(axis, keepdims)(x)


@composite("keras.src.ops.numpy")
def count_nonzero(x, axis=None):
    """How many elements along `axis` are not zero."""
    return sum(cast(logical_not(equal(x, 0)), "int32"), axis)


@composite("keras.src.ops.numpy")
def var(x, axis=None, keepdims: bool = False):
    """The (biased) variance."""
    x = x if isinstance(x, KerasTensor) else to_dtype(x, float_of(spec_dtype(x)))
    return mean(square(x - mean(x, axis, keepdims=True)), axis, keepdims)


@composite("keras.src.ops.numpy")
def std(x, axis=None, keepdims: bool = False):
    """The (biased) standard deviation."""
    return sqrt(var(x, axis, keepdims))


@composite("keras.src.ops.math")
def logsumexp(x, axis=None, keepdims: bool = False):
    """log(sum(exp(x))), without overflow."""
    x = tensor_of(x)
    x = to_dtype(x, float_of(x.dtype))
    # the least number, for axes without elements
    top = stop_gradient(max(x, axis, keepdims=True, initial=-np.inf))
    top = where(isfinite(top), top, as_array(0, top.dtype))
    total = log(sum(exp(x - top), axis, keepdims=True)) + top
    return total if keepdims else _reshape(total, shapes.reduce(x.shape, axis))


class Average(Op):
    """The weighted mean."""

    def __init__(self, axis=None):
        self.axis = axis

    def infer(self, x, weights=None):
        if weights is None:
            return Spec(shapes.reduce(x.shape, self.axis), dtypes.result_type(x.dtype, float))
        one = self.axis is not None and len(weights.shape) == 1
        shapes.broadcast((x.shape[shapes.normal_axis(self.axis, len(x.shape))],) if one else x.shape, weights.shape)
        return Spec(shapes.reduce(x.shape, self.axis), dtypes.result_type(x.dtype, weights.dtype, float))

    def call(self, x, weights):
        x, weights = tensor_of(x), tensor_of(weights)
        dtype = dtypes.result_type(x.dtype, weights.dtype, float)
        x, weights = to_dtype(x, dtype), to_dtype(weights, dtype)
        rank = len(x.shape)
        if self.axis is not None and len(weights.shape) == 1 and rank > 1:
            axis = shapes.normal_axis(self.axis, rank)
            weights = reshape(weights, [-1 if i == axis else 1 for i in range(rank)])
        return sum(multiply(x, weights), self.axis) / sum(broadcast_to(weights, x.shape), self.axis)


def _average_spec(x, axis=None, weights=None):
    return Average(axis).infer(spec_of(x), None if weights is None else spec_of(weights))


@composite("keras.src.ops.numpy", keywords=("weights",), infer=_average_spec)
def average(x, axis=None, weights=None):
    """The mean, weighted if `weights` are given, in x's shape or for each place along `axis`."""
    return mean(x, axis) if weights is None else Average(axis)(x, weights)


@composite("keras.src.ops.nn")
def moments(x, axes, keepdims: bool = False, synchronized: bool = False):
    """The mean and the variance over `axes`."""
    if synchronized:
        raise NotImplementedError("synchronized moments need several devices; call ops.moments with synchronized=False")
    x = tensor_of(x)
    if x.dtype not in ("float16", "bfloat16"):
        return mean(x, axes, keepdims), var(x, axes, keepdims)
    # in float32, and held to float16's range: as Keras, for bfloat16 too
    wide, limit = to_dtype(x, "float32"), float(np.finfo("float16").max)
    found = mean(wide, axes, keepdims), var(wide, axes, keepdims)
    return tuple(cast(clip(v, -limit, limit), x.dtype) for v in found)


def nansum(x, axis=None, keepdims: bool = False):
    """The sum of what is not NaN."""
    return sum(where(isnan(x), as_array(0, spec_dtype(x)), x), axis, keepdims)


def nanmean(x, axis=None, keepdims: bool = False):
    """The mean of what is not NaN."""
    x = tensor_of(x)
    if not dtypes.is_float(x.dtype):
        return mean(to_dtype(x, "float32"), axis, keepdims)
    there = cast(logical_not(isnan(x)), spec_dtype(x))
    return nansum(x, axis, keepdims) / sum(there, axis, keepdims)


def amax(x, axis=None, keepdims: bool = False):
    """The largest over `axis`."""
    return max(x, axis, keepdims)


def amin(x, axis=None, keepdims: bool = False):
    """The smallest over `axis`."""
    return min(x, axis, keepdims)
