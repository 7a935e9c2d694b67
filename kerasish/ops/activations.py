"""Activation functions of `keras.ops`."""

from __future__ import annotations

import math
import warnings

from kerasish.core import shapes
from kerasish.core.autodiff import recording
from kerasish.core.op import Op, Spec
from kerasish.core.operators import bind
from kerasish.core.tensor import Tensor, as_array
from kerasish.ops import reduce
from kerasish.ops.elementwise import absolute, erf, exp, minimum, square, tanh, where
from kerasish.ops.shaping import moveaxis, reshape
from kerasish.ops.table import binary, cast, float_of, int_of_bool, tensor_of, to_dtype, unary

NN = "keras.src.ops.nn"
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

# fmt: off
relu_grad = binary("relu_grad", (lambda g, a, b, y: relu_grad(g, b), None), "b", doc="x1 where x2 is positive, else 0.")
relu6_grad = binary("relu6_grad", (lambda g, a, b, y: relu6_grad(g, b), None), "b", doc="x1 where x2 is between 0 and 6, else 0.")
sigmoid_grad = binary("sigmoid_grad", (lambda g, a, b, y: g * b * (1.0 - b), lambda g, a, b, y: g * a * (1.0 - 2.0 * b)), "ab", doc="x1 * x2 * (1 - x2)")
relu = unary("relu", lambda g, x, y: relu_grad(g, y), "y", dtype_rule=int_of_bool, module=NN, doc="max(x, 0); its derivative at 0 is 0.")
relu6 = unary("relu6", lambda g, x, y: relu6_grad(g, y), "y", dtype_rule=int_of_bool, module=NN, doc="min(max(x, 0), 6); integers stay integers.")
sigmoid = unary("sigmoid", lambda g, x, y: sigmoid_grad(g, y), "y", module=NN, doc="1 / (1 + exp(-x))")
log_sigmoid = unary("log_sigmoid", lambda g, x, y: g * sigmoid(-x), "x", module=NN, doc="log(sigmoid(x))")
softplus = unary("softplus", lambda g, x, y: g * sigmoid(x), "x", module=NN, doc="log(1 + exp(x))")
softsign = unary("softsign", lambda g, x, y: g / square(absolute(x) + 1.0), "x", module=NN, doc="x / (1 + |x|)")
hard_sigmoid = unary("hard_sigmoid", lambda g, x, y: g * cast((y > 0) & (y < 1), g.dtype) * (1 / 6), "y", module=NN, doc="relu6(x + 3) / 6")
# fmt: on
CUT_GRADIENTS = {"relu": relu_grad, "relu6": relu6_grad}  # of the activations that kernels end with, by gy and y


class _Shaped(Op):
    """An activation with parameters; it keeps x and y, and differentiates by `slope(x)`.

    Attributes:
        fused: the kernel that gives gy * slope in one pass, if there is one; it is out of the reach of tapes.
        fused_reads: which of "x", "y" that kernel reads.
    """

    module = NN
    fused: str | None = None
    fused_reads = "y"

    def prepare(self, inputs):
        x = tensor_of(inputs[0])
        return (to_dtype(x, float_of(x.dtype)),)

    def infer(self, x):
        return Spec(x.shape, float_of(x.dtype))

    def forward(self, ctx, x):
        y = self.kernel(ctx.kernels, x)
        ctx.save(x, y)
        return y

    def backward(self, ctx, gy):
        x, y = ctx.saved
        if self.fused is None or recording():
            return gy * self.slope(x)
        seen = y if self.fused_reads == "y" else x
        return Tensor(getattr(ctx.kernels, self.fused)(gy.value, seen.value, *self.parameters()))

    def parameters(self):
        """What the kernels take besides arrays."""
        return tuple(v for k, v in self.__dict__.items() if k != "name" and not k.startswith("_"))


def _number(name, value):
    """A parameter that must be given. NumPy would take None for NaN.

    Raises:
        ValueError: if it is None.
    """
    if value is None:
        raise ValueError(f"`{name}` must be a number. Received: {name}=None")
    return value


class LeakyRelu(_Shaped):
    """x where positive, negative_slope * x elsewhere."""

    def __init__(self, negative_slope=0.2):
        self.negative_slope = 0.2 if negative_slope is None else negative_slope  # as TensorFlow

    def kernel(self, k, x):
        return k.leaky_relu(x, self.negative_slope)

    def slope(self, x):
        return where(x > 0, as_array(1, x.dtype), as_array(self.negative_slope, x.dtype))


class Elu(_Shaped):
    """x where positive, alpha * (exp(x) - 1) elsewhere."""

    def __init__(self, alpha=1.0):
        self.alpha = _number("alpha", alpha)

    def kernel(self, k, x):
        return k.elu(x, self.alpha)

    def slope(self, x):
        return where(x <= 0, self.alpha * exp(minimum(x, 0.0)), as_array(1, x.dtype))


class Silu(_Shaped):
    """x * sigmoid(x)."""

    fused, fused_reads = "silu_grad", "x"

    def kernel(self, k, x):
        return k.silu(x)

    def slope(self, x):
        s = sigmoid(x)
        return s * (1.0 + x * (1.0 - s))


class Celu(_Shaped):
    """max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)."""

    def __init__(self, alpha=1.0):
        self.alpha = _number("alpha", alpha)

    def kernel(self, k, x):
        zero, alpha = (k.xp.asarray(value, x.dtype) for value in (0, self.alpha))
        low = k.multiply(k.expm1(k.divide(k.minimum(x, zero), alpha)), alpha)
        return k.add(k.maximum(x, zero), low)

    def slope(self, x):
        # 2 at 0, where TensorFlow adds the derivatives of both halves
        low = exp(minimum(x, 0.0) / self.alpha) + cast(x == 0, x.dtype)
        return where(x <= 0, low, cast(x > 0, x.dtype))


class Selu(_Shaped):
    """x where positive, alpha * (exp(x) - 1) elsewhere, times a scale."""

    def kernel(self, k, x):
        return k.multiply(k.elu(x, SELU_ALPHA), k.xp.asarray(SELU_SCALE, x.dtype))

    def slope(self, x):
        low = SELU_SCALE * SELU_ALPHA * exp(minimum(x, 0.0))
        return where(x < 0, low, as_array(SELU_SCALE, x.dtype))


class Gelu(_Shaped):
    """x times the normal distribution function of x (Hendrycks and Gimpel 2016), or its tanh approximation."""

    fused, fused_reads = "gelu_grad", "x"

    def __init__(self, approximate=True):
        self.approximate = approximate

    def kernel(self, k, x):
        return k.gelu(x, self.approximate)

    def slope(self, x):
        if not self.approximate:
            density = exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
            return 0.5 * (1.0 + erf(x * math.sqrt(0.5))) + x * density
        c = math.sqrt(2 / math.pi)
        t = tanh(c * (x + 0.044715 * x * x * x))
        return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * c * (1.0 + 3 * 0.044715 * x * x)


def silu(x):
    """x * sigmoid(x)."""
    return Silu()(x)


def leaky_relu(x, negative_slope: float = 0.2):
    """x where positive, `negative_slope * x` elsewhere."""
    return LeakyRelu(negative_slope)(x)


def elu(x, alpha: float = 1.0):
    """x where positive, `alpha * (exp(x) - 1)` elsewhere."""
    return Elu(alpha)(x)


def celu(x, alpha: float = 1.0):
    """The continuously differentiable ELU."""
    return Celu(alpha)(x)


def selu(x):
    """The scaled exponential linear unit (Klambauer et al. 2017)."""
    return Selu()(x)


def gelu(x, approximate: bool = True):
    """The Gaussian error linear unit; by tanh if `approximate`, else by erf."""
    return Gelu(approximate)(x)


class _LastAxis(Op):
    """An op along one axis whose kernel works along the last."""

    module = NN

    def __init__(self, axis=-1):
        self.axis = axis

    prepare = _Shaped.prepare

    def infer(self, x):
        shapes.normal_axis(self.axis, len(x.shape))
        return Spec(x.shape, float_of(x.dtype))

    def forward(self, ctx, x):
        xp = ctx.kernels.xp
        shapes.normal_axis(self.axis, x.ndim)
        y = xp.moveaxis(self.kernel(ctx.kernels, xp.moveaxis(x, self.axis, -1)), -1, self.axis)
        ctx.save(y)
        return y


class Softmax(_LastAxis):
    """exp(x) / sum(exp(x))."""

    def kernel(self, k, x):
        return k.softmax(x)

    def backward(self, ctx, gy):
        (y,) = ctx.saved
        if not recording() and self.axis in (-1, len(y.shape) - 1):
            return Tensor(ctx.kernels.softmax_grad(gy.value, y.value))
        gy_y = gy * y
        return gy_y - y * reduce.sum(gy_y, self.axis, keepdims=True)


class LogSoftmax(_LastAxis):
    """x - log(sum(exp(x)))."""

    def kernel(self, k, x):
        return k.log_softmax(x)

    def backward(self, ctx, gy):
        (y,) = ctx.saved
        return gy - exp(y) * reduce.sum(gy, self.axis, keepdims=True)


def _along(cls, x, axis):
    """Apply an op along one axis, several, or all (None)."""
    if isinstance(axis, int):
        return cls(axis)(x)
    rank = len(x.shape)
    gone = shapes.axes(axis, rank)
    last = tuple(range(rank - len(gone), rank))
    moved = moveaxis(x, gone, last)
    kept, lengths = moved.shape[: rank - len(gone)], moved.shape[rank - len(gone) :]
    flat = reshape(moved, (*kept, -1 if None in lengths else shapes.size(lengths)))
    return moveaxis(reshape(cls(-1)(flat), moved.shape), last, gone)


def softmax(x, axis=-1):
    """Non-negative numbers that sum to 1 along `axis` (an int, a tuple, or None for all axes)."""
    if isinstance(axis, int) and len(getattr(x, "shape", ())) > 0:
        _warn_of_one(x.shape, axis)
    return _along(Softmax, x, axis)


def _warn_of_one(shape, axis):
    """Warn if an axis has length 1."""
    if -len(shape) <= axis < len(shape) and shape[axis] == 1:
        warnings.warn(
            f"You are using a softmax over axis {axis} of a tensor of shape {tuple(shape)}. This axis has size 1. The "
            "softmax operation will always return the value 1, which is likely not what you intended. "
            "Did you mean to use a sigmoid instead?",
            stacklevel=3,
        )


def log_softmax(x, axis=-1):
    """log(softmax(x)), without overflow."""
    return _along(LogSoftmax, x, axis)


swish = silu
for _function in (leaky_relu, elu, gelu, softmax, log_softmax):
    bind(_function.__name__, _function)
