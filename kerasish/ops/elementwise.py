"""Elementwise ops of `keras.ops`: each is a row with its gradient."""

from __future__ import annotations

import math

import numpy as np

from kerasish.core import dtypes, shapes
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.operators import bind
from kerasish.core.tensor import Tensor, as_array
from kerasish.device import array_module
from kerasish.ops.broadcasting import sum_to
from kerasish.ops.composite import composite
from kerasish.ops.table import binary, float_of, int_of_bool, tensor_of, to_dtype, unary


def wide_float_of(dtype) -> str:
    """The dtype of the few functions in which Keras makes int64 float64."""
    return "float64" if dtype == "int64" else float_of(dtype)


# fmt: off
# one argument: arithmetic
negative = unary("negative", lambda g, x, y: -g, floating=False, doc="-x")
absolute = unary("absolute", lambda g, x, y: g * sign(x), "x", kernel=lambda k, x: k.abs(x), floating=False, doc="|x|")
square = unary("square", lambda g, x, y: g * (x + x), "x", dtype_rule=int_of_bool, doc="x * x")
sqrt = unary("sqrt", lambda g, x, y: g / (y + y), "y", doc="Square root.")
rsqrt = unary("rsqrt", lambda g, x, y: g * y * y * y * -0.5, "y", module="keras.src.ops.math", doc="1 / sqrt(x)")
reciprocal = unary("reciprocal", lambda g, x, y: -g * y * y, "y", doc="1 / x")
cbrt = unary("cbrt", lambda g, x, y: g / (3.0 * y * y), "y", dtype_rule=wide_float_of, kernel=lambda k, x: k.xp.cbrt(x), doc="Cube root.")
sign = unary("sign", lambda g, x, y: _nothing(g), floating=False, doc="-1, 0 or 1.")
floor = unary("floor", doc="Largest integer not above x.")
ceil = unary("ceil", doc="Smallest integer not below x.")
trunc = unary("trunc", floating=False, kernel=lambda k, x: x if x.dtype.kind in "iub" else k.trunc(x), doc="x without its fraction.")

# one argument: exponentials and logarithms
exp = unary("exp", lambda g, x, y: g * y, "y", doc="e to the x.")
exp2 = unary("exp2", lambda g, x, y: g * y * math.log(2), "y", doc="2 to the x.")
expm1 = unary("expm1", lambda g, x, y: g * (y + 1.0), "y", doc="exp(x) - 1, exact near 0.")
log = unary("log", lambda g, x, y: g / x, "x", doc="Natural logarithm.")
log1p = unary("log1p", lambda g, x, y: g / (x + 1.0), "x", doc="log(1 + x), exact near 0.")
log2 = unary("log2", lambda g, x, y: g / (x * math.log(2)), "x", doc="Logarithm to base 2.")
log10 = unary("log10", lambda g, x, y: g / (x * math.log(10)), "x", doc="Logarithm to base 10.")

# one argument: circular and hyperbolic
sin = unary("sin", lambda g, x, y: g * cos(x), "x", doc="Sine.")
cos = unary("cos", lambda g, x, y: -g * sin(x), "x", doc="Cosine.")
tan = unary("tan", lambda g, x, y: g * (y * y + 1.0), "y", doc="Tangent.")
arcsin = unary("arcsin", lambda g, x, y: g * rsqrt(1.0 - x * x), "x", doc="Inverse sine.")
arccos = unary("arccos", lambda g, x, y: -g * rsqrt(1.0 - x * x), "x", doc="Inverse cosine.")
arctan = unary("arctan", lambda g, x, y: g / (x * x + 1.0), "x", doc="Inverse tangent.")
sinh = unary("sinh", lambda g, x, y: g * cosh(x), "x", doc="Hyperbolic sine.")
cosh = unary("cosh", lambda g, x, y: g * sinh(x), "x", doc="Hyperbolic cosine.")
tanh = unary("tanh", lambda g, x, y: tanh_grad(g, y), "y", doc="Hyperbolic tangent.")
arcsinh = unary("arcsinh", lambda g, x, y: g * rsqrt(x * x + 1.0), "x", doc="Inverse hyperbolic sine.")
arccosh = unary("arccosh", lambda g, x, y: g / sinh(y), "y", doc="Inverse hyperbolic cosine.")
arctanh = unary("arctanh", lambda g, x, y: g / (1.0 - x * x), "x", doc="Inverse hyperbolic tangent.")
deg2rad = unary("deg2rad", lambda g, x, y: g * (math.pi / 180), dtype_rule=wide_float_of, kernel=lambda k, x: k.xp.deg2rad(x), doc="Degrees to radians.")
rad2deg = unary("rad2deg", lambda g, x, y: g * (180 / math.pi), dtype_rule=wide_float_of, kernel=lambda k, x: k.xp.rad2deg(x), doc="Radians to degrees.")

# one argument: error function
_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
erf = unary("erf", lambda g, x, y: g * _TWO_OVER_ROOT_PI * exp(-x * x), "x", module="keras.src.ops.math", doc="Error function.")
erfc = unary("erfc", lambda g, x, y: -g * _TWO_OVER_ROOT_PI * exp(-x * x), "x", module="keras.src.ops.math", doc="1 - erf(x).")

# one argument: questions
isfinite = unary("isfinite", floating=False, out_dtype="bool", doc="Whether x is neither infinite nor NaN.")
isinf = unary("isinf", floating=False, out_dtype="bool", doc="Whether x is infinite.")
isnan = unary("isnan", floating=False, out_dtype="bool", doc="Whether x is NaN.")
isposinf = unary("isposinf", floating=False, out_dtype="bool", kernel=lambda k, x: k.xp.isposinf(x), doc="Whether x is +infinity.")
isneginf = unary("isneginf", floating=False, out_dtype="bool", kernel=lambda k, x: k.xp.isneginf(x), doc="Whether x is -infinity.")
signbit = unary("signbit", floating=False, out_dtype="bool", kernel=lambda k, x: k.xp.signbit(x), doc="Whether x's sign bit is set.")
logical_not = unary("logical_not", floating=False, out_dtype="bool", doc="Not x.")
bitwise_not = unary("bitwise_not", floating=False, kernel=lambda k, x: k.xp.invert(x), doc="x with every bit turned.")

# two arguments: arithmetic
add = binary("add", (lambda g, a, b, y: g, lambda g, a, b, y: g), doc="x1 + x2")
subtract = binary("subtract", (lambda g, a, b, y: g, lambda g, a, b, y: -g), doc="x1 - x2")
multiply = binary("multiply", (lambda g, a, b, y: g * b, lambda g, a, b, y: g * a), "ab", doc="x1 * x2")
divide = binary("divide", (lambda g, a, b, y: g / b, lambda g, a, b, y: -g * y / b), "by", floating=True, doc="x1 / x2")
floor_divide = binary("floor_divide", kernel=lambda k, a, b: k.floor_divide(a, b) if a.dtype.kind in "iu" else k.floor(k.divide(a, b)), dtype_rule=int_of_bool, doc="x1 / x2, rounded down.")
mod = binary("mod", (lambda g, a, b, y: g, lambda g, a, b, y: -g * floor(a / b)), "ab", weak=False, dtype_rule=int_of_bool, doc="x1 modulo x2, with the sign of x2.")
fmod = binary("fmod", (lambda g, a, b, y: g, lambda g, a, b, y: -g * trunc(a / b)), "ab", kernel=lambda k, a, b: k.xp.fmod(a, b), weak=False, dtype_rule=int_of_bool, doc="x1 modulo x2, with the sign of x1.")
power = binary("power", (lambda g, a, b, y: g * b * power(a, b - 1.0), lambda g, a, b, y: g * y * _log_or_zero(a)), "aby", dtype_rule=int_of_bool, doc="x1 to the x2.")
maximum = binary("maximum", (lambda g, a, b, y: where(a >= b, g, 0.0), lambda g, a, b, y: where(a >= b, 0.0, g)), "ab", doc="The larger one; NaN if either is.")
minimum = binary("minimum", (lambda g, a, b, y: where(a <= b, g, 0.0), lambda g, a, b, y: where(a <= b, 0.0, g)), "ab", doc="The smaller one; NaN if either is.")
arctan2 = binary("arctan2", (lambda g, a, b, y: g * b / (a * a + b * b), lambda g, a, b, y: -g * a / (a * a + b * b)), "ab", floating=True, weak=False, doc="The angle of the point (x2, x1).")
hypot = binary("hypot", (lambda g, a, b, y: _over(g * a, y), lambda g, a, b, y: _over(g * b, y)), "aby", weak=False, dtype_rule=wide_float_of, doc="sqrt(x1^2 + x2^2)")
logaddexp = binary("logaddexp", (lambda g, a, b, y: g / (exp(b - a) + 1.0), lambda g, a, b, y: g / (exp(a - b) + 1.0)), "ab", floating=True, weak=False, doc="log(exp(x1) + exp(x2))")

# two arguments: comparison, logic, bits
equal = binary("equal", weak=False, out_dtype="bool", doc="x1 == x2")
not_equal = binary("not_equal", weak=False, out_dtype="bool", doc="x1 != x2")
less = binary("less", weak=False, out_dtype="bool", doc="x1 < x2")
less_equal = binary("less_equal", weak=False, out_dtype="bool", doc="x1 <= x2")
greater = binary("greater", weak=False, out_dtype="bool", doc="x1 > x2")
greater_equal = binary("greater_equal", weak=False, out_dtype="bool", doc="x1 >= x2")
logical_and = binary("logical_and", out_dtype="bool", doc="x1 and x2")
logical_or = binary("logical_or", out_dtype="bool", doc="x1 or x2")
logical_xor = binary("logical_xor", out_dtype="bool", doc="Either x1 or x2.")
bitwise_and = binary("bitwise_and", kernel=lambda k, a, b: k.xp.bitwise_and(a, b), weak=False, letters=True, doc="The bits set in both.")
bitwise_or = binary("bitwise_or", kernel=lambda k, a, b: k.xp.bitwise_or(a, b), weak=False, letters=True, doc="The bits set in either.")
bitwise_xor = binary("bitwise_xor", kernel=lambda k, a, b: k.xp.bitwise_xor(a, b), weak=False, letters=True, doc="The bits set in one.")
left_shift = binary("left_shift", kernel=lambda k, a, b: k.xp.left_shift(a, b), weak=(False, True), letters=True, dtype_rule=int_of_bool, doc="x1 << x2")
right_shift = binary("right_shift", kernel=lambda k, a, b: k.xp.right_shift(a, b), weak=(False, True), letters=True, dtype_rule=int_of_bool, doc="x1 >> x2")

# gradients worth a kernel of their own
tanh_grad = binary("tanh_grad", (lambda g, a, b, y: g * (1.0 - b * b), lambda g, a, b, y: g * a * b * -2.0), "ab", doc="x1 * (1 - x2^2)")
# fmt: on

abs = absolute
true_divide = binary("true_divide", divide.op.gradients, "by", kernel=divide.op.kernel, floating=True, doc="x1 / x2")
bitwise_invert = bitwise_not
bitwise_left_shift, bitwise_right_shift = left_shift, right_shift


def _over(a, b):
    """a / b, and 0 where b is 0."""
    zero = equal(b, 0)
    return where(zero, 0.0, a / where(zero, 1.0, b))


def _nothing(g):
    """A gradient of zeros."""
    return Tensor(array_module(g.value).zeros_like(g.value))


def _log_or_zero(x):
    """log(x), and 0 where x is not positive: the derivative of x**p by p as TensorFlow has it."""
    return where(x > 0, log(where(x > 0, x, 1.0)), 0.0)


class Where(Op):
    """x1 where condition holds, x2 elsewhere."""

    def prepare(self, inputs):
        condition, a, b = inputs
        dtype = dtypes.result_type(*(type(v) if type(v) in (int, float) else spec_dtype(v) for v in (a, b)))
        return to_dtype(condition, "bool"), to_dtype(a, dtype), to_dtype(b, dtype)

    def infer(self, condition, a, b):
        shape = shapes.broadcast(condition.shape, shapes.broadcast(a.shape, b.shape))
        return Spec(shape, dtypes.result_type(a.dtype, b.dtype))

    def forward(self, ctx, condition, a, b):
        ctx.save(condition, a.shape, b.shape)
        return ctx.kernels.xp.where(condition, a, b)

    def backward(self, ctx, gy):
        condition, shape_a, shape_b = ctx.saved
        zero = as_array(0, gy.dtype)
        _, need_a, need_b = ctx.needs
        ga = sum_to(where(condition, gy, zero), shape_a) if need_a else None
        gb = sum_to(where(condition, zero, gy), shape_b) if need_b else None
        return None, ga, gb


def spec_dtype(x) -> str:
    """The dtype name of anything array-like."""
    return x.dtype if isinstance(getattr(x, "dtype", None), str) else dtypes.name_of(as_array(x))


def where(condition, x1=None, x2=None):
    """x1 where condition holds, x2 elsewhere; with condition alone, the indices where it holds."""
    if (x1 is None) != (x2 is None):
        raise ValueError("`x1` and `x2` either both should be `None` or both should have non-None value.")
    if x1 is None:
        from kerasish.ops.choosing import nonzero

        return nonzero(condition)
    return Where()(condition, x1, x2)


class Clip(Op):
    """x held between two numbers."""

    def __init__(self, x_min, x_max):
        self.x_min, self.x_max = x_min, x_max

    def infer(self, x):
        return Spec(x.shape, int_of_bool(x.dtype))

    def prepare(self, inputs):
        (x,) = inputs
        dtype = int_of_bool(spec_dtype(x))
        for bound in (self.x_min, self.x_max):
            if isinstance(bound, float) and not dtypes.is_float(dtype):
                raise TypeError(
                    f"ops.clip: the bound {bound} is a float, x is of dtype {dtype}; cast x to a float first"
                )
        return (to_dtype(x, dtype),)

    def forward(self, ctx, x):
        ctx.save(x)
        y = x
        # the upper bound first, as TensorFlow: where they cross, the lower one counts
        for bound, hold in ((self.x_max, ctx.kernels.xp.minimum), (self.x_min, ctx.kernels.xp.maximum)):
            y = y if bound is None else hold(y, as_array(bound, dtypes.name_of(x), like=x))
        return y

    def backward(self, ctx, gy):
        (x,) = ctx.saved
        inside = None
        for bound, compare in ((self.x_min, greater_equal), (self.x_max, less_equal)):
            if bound is not None:
                held = compare(x, as_array(bound, x.dtype))
                inside = held if inside is None else logical_and(inside, held)
        return gy if inside is None else where(inside, gy, as_array(0, gy.dtype))  # 0 also of what is infinite


def clip(x, x_min, x_max):
    """x held between x_min and x_max, numbers or tensors."""
    if all(bound is None or isinstance(bound, (int, float)) for bound in (x_min, x_max)):
        return Clip(x_min, x_max)(x)
    # Bounds that are tensors have gradients, too.
    x = to_dtype(x, int_of_bool(spec_dtype(x)))
    y = x if x_max is None else minimum(x, to_dtype(x_max, x.dtype, x))
    y = y if x_min is None else maximum(y, to_dtype(x_min, x.dtype, x))
    if tuple(y.shape) != tuple(x.shape):
        raise ValueError(f"ops.clip: bounds must broadcast to x.shape={tuple(x.shape)}, not it to {tuple(y.shape)}")
    return y


class Round(Op):
    """x rounded to a number of decimals, halves to even."""

    differentiable = False

    def __init__(self, decimals=0):
        self.decimals = decimals

    def infer(self, x):
        return Spec(x.shape, "int32" if x.dtype == "bool" else x.dtype)

    def forward(self, ctx, x):
        return ctx.kernels.xp.round(x if x.dtype != bool else x.astype(np.int32), self.decimals)


def round(x, decimals: int = 0):
    """x rounded to `decimals` places, halves to even."""
    return Round(decimals)(x)


class DivideNoNan(Op):
    """x1 / x2, and 0 where x2 is 0."""

    def infer(self, a, b):
        return divide.op().infer(a, b)

    def call(self, x1, x2):
        dtype = self.infer(spec_of(x1), spec_of(x2)).dtype
        return _over(to_dtype(x1, dtype, x2), to_dtype(x2, dtype, x1))


def divide_no_nan(x1, x2):
    """x1 / x2, and 0 where x2 is 0."""
    return DivideNoNan()(x1, x2)


@composite("keras.src.ops.numpy")
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with NaN and infinities replaced by numbers (the largest ones by default)."""
    x = tensor_of(x)
    dtype = x.dtype
    if not dtypes.is_float(dtype):
        return x
    limits = np.finfo(dtype) if dtype != "bfloat16" else np.finfo("float32")
    x = where(isnan(x), nan, x)
    x = where(isposinf(x), float(limits.max) if posinf is None else posinf, x)
    return where(isneginf(x), float(limits.min) if neginf is None else neginf, x)


for _name, _function in (("where", where), ("round", round), ("clip", clip)):
    bind(_name, _function)
