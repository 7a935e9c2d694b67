"""Elementwise functions over the array module: the definition of what each one computes.

Names are those of `keras.ops`; `*_grad(gy, ...)` are the gradients that are worth fusing, written in what the forward
pass leaves behind (`y` where it suffices, else `x`).
"""

import math

import numpy as np

from kerasish.device import array_module
from kerasish.kernels.reference.precision import accumulator, quiet, widened

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017, section 2


def _ufunc(name):
    """The array module's own function `name`, quiet about NaN and infinity."""

    @quiet
    def function(x, *others):
        return getattr(array_module(x), name)(x, *others)

    function.__name__ = function.__qualname__ = name
    return function


abs = _ufunc("absolute")
broadcast_to = _ufunc("broadcast_to")
negative = _ufunc("negative")
sign = _ufunc("sign")
floor = _ufunc("floor")
ceil = _ufunc("ceil")
round = _ufunc("rint")
trunc = _ufunc("trunc")
square = _ufunc("square")
sqrt = _ufunc("sqrt")
reciprocal = _ufunc("reciprocal")
exp = _ufunc("exp")
exp2 = _ufunc("exp2")
expm1 = _ufunc("expm1")
log = _ufunc("log")
log2 = _ufunc("log2")
log10 = _ufunc("log10")
log1p = _ufunc("log1p")
sin = _ufunc("sin")
cos = _ufunc("cos")
tan = _ufunc("tan")
arcsin = _ufunc("arcsin")
arccos = _ufunc("arccos")
arctan = _ufunc("arctan")
sinh = _ufunc("sinh")
cosh = _ufunc("cosh")
tanh = _ufunc("tanh")
arcsinh = _ufunc("arcsinh")
arccosh = _ufunc("arccosh")
arctanh = _ufunc("arctanh")
isfinite = _ufunc("isfinite")
isinf = _ufunc("isinf")
isnan = _ufunc("isnan")
logical_not = _ufunc("logical_not")

add = _ufunc("add")
subtract = _ufunc("subtract")
multiply = _ufunc("multiply")
divide = _ufunc("true_divide")
floor_divide = _ufunc("floor_divide")
mod = _ufunc("mod")
power = _ufunc("power")
maximum = _ufunc("maximum")
minimum = _ufunc("minimum")
arctan2 = _ufunc("arctan2")
hypot = _ufunc("hypot")
logaddexp = _ufunc("logaddexp")
equal = _ufunc("equal")
not_equal = _ufunc("not_equal")
less = _ufunc("less")
less_equal = _ufunc("less_equal")
greater = _ufunc("greater")
greater_equal = _ufunc("greater_equal")
logical_and = _ufunc("logical_and")
logical_or = _ufunc("logical_or")
logical_xor = _ufunc("logical_xor")


@widened
def rsqrt(x):
    return 1 / array_module(x).sqrt(x)


@widened
def erf(x):
    return _special(x, "erf", math.erf)


@widened
def erfc(x):
    return _special(x, "erfc", math.erfc)


def _special(x, name, scalar):
    """A function that NumPy lacks: CuPy's own on the card, Python's `math` on the host."""
    if array_module(x) is not np:
        from cupyx.scipy import special

        return getattr(special, name)(x)
    return np.asarray(np.frompyfunc(scalar, 1, 1)(np.asarray(x)), x.dtype)


@widened
def sigmoid(x):
    xp = array_module(x)
    z = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1, z).astype(x.dtype) / (1 + z)


@widened
def log_sigmoid(x):
    return -softplus(-x)


@widened
def softplus(x):
    xp = array_module(x)
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x)))


@widened
def softsign(x):
    return x / (1 + array_module(x).abs(x))


@widened
def silu(x):
    return x * sigmoid(x)


@widened
def gelu(x, approximate=True):
    """Hendrycks and Gimpel 2016: x * P(N(0, 1) <= x), or its tanh approximation."""
    if not approximate:
        return 0.5 * x * erfc(x * -math.sqrt(0.5))
    return 0.5 * x * (1 + array_module(x).tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


@widened
def relu(x):
    return array_module(x).maximum(x, 0)


@widened
def relu6(x):
    return array_module(x).clip(x, 0, 6)


@widened
def hard_sigmoid(x):
    return relu6(x + 3) / 6


@widened
def hard_silu(x):
    return x * hard_sigmoid(x)


@widened
def leaky_relu(x, negative_slope=0.2):
    return array_module(x).where(x > 0, x, x * negative_slope)


@widened
def elu(x, alpha=1.0):
    xp = array_module(x)
    return xp.where(x > 0, x, alpha * xp.expm1(xp.minimum(x, 0)))


def selu(x):
    return SELU_SCALE * elu(x, SELU_ALPHA)


@widened
def add_relu(a, b):
    """relu(a + b): the end of a residual block."""
    return array_module(a).maximum(a + b, 0)


@widened
def relu_grad(gy, y):
    return array_module(y).where(y > 0, gy, 0).astype(gy.dtype)


@widened
def relu6_grad(gy, y):
    return array_module(y).where((y > 0) & (y < 6), gy, 0).astype(gy.dtype)


@widened
def sigmoid_grad(gy, y):
    return gy * y * (1 - y)


@widened
def tanh_grad(gy, y):
    return gy * (1 - y * y)


@widened
def silu_grad(gy, x):
    s = sigmoid(x)
    return gy * s * (1 + x * (1 - s))


@widened
def gelu_grad(gy, x, approximate=True):
    xp = array_module(x)
    if not approximate:
        return gy * (0.5 * erfc(x * -math.sqrt(0.5)) + x * xp.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))
    c = math.sqrt(2 / math.pi)
    t = xp.tanh(c * (x + 0.044715 * x * x * x))
    return gy * 0.5 * (1 + t + x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x))


@quiet
def bias_grad(gy):
    """The sum over all axes but the last: (..., F) -> (F,)."""
    rows = gy.reshape(-1, gy.shape[-1])
    return rows.sum(0, dtype=accumulator(gy.dtype)).astype(gy.dtype)
