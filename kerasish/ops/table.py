"""Elementwise ops as rows: a name, the gradient, and what the gradient needs of the forward pass."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from kerasish.core import dtypes, shapes
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.operators import Operators, bind
from kerasish.core.tensor import Tensor, as_own_array, convert_to_tensor, holds_tensors
from kerasish.core.variable import Variable
from kerasish.ops.broadcasting import sum_to

NO_GRADIENT = None


def camel(name: str) -> str:
    """`log_softmax` -> `LogSoftmax`."""
    return "".join(part.capitalize() for part in name.split("_"))


def tensor_of(x):
    """x itself if it is a Tensor, a Variable or symbolic, else a Tensor of it."""
    return x if isinstance(x, Operators) else convert_to_tensor(x)


def to_dtype(x, dtype: str, other=None):
    """x as a tensor or variable of a dtype, beside `other` if that is one; tapes follow the conversion."""
    if isinstance(x, Operators):
        return x if x.dtype == dtype else cast(x, dtype)
    if holds_tensors(x):
        return convert_to_tensor(x, dtype)
    like = other.value if isinstance(other, Tensor) else other.array if isinstance(other, Variable) else None
    return Tensor(as_own_array(x, dtype, like))


def float_of(dtype) -> str:
    """The dtype in which a function of real numbers works on arguments of `dtype`."""
    return dtypes.floatx() if dtype == "int64" else dtypes.result_type(dtype, float)


class Cast(Op):
    """x as another dtype."""

    module = "keras.src.ops.core"

    def __init__(self, dtype):
        self.dtype = dtypes.standardize_dtype(dtype)

    def infer(self, x):
        return Spec(x.shape, self.dtype)

    def forward(self, ctx, x):
        ctx.save(dtypes.name_of(x))
        with np.errstate(all="ignore"):  # what is out of range wraps, saturates or becomes infinite
            return x.astype(dtypes.numpy_dtype(self.dtype))

    def backward(self, ctx, gy):
        (source,) = ctx.saved
        return cast(gy, source) if dtypes.is_float(source) else None


def cast(x, dtype):
    """x converted to `dtype`."""
    dtype = dtypes.standardize_dtype(dtype)
    if isinstance(x, Operators) and x.dtype == dtype:
        return x.value if isinstance(x, Variable) else x
    return Cast(dtype)(x)


class Unary(Op):
    """y = f(x), elementwise. Rows fill in the class attributes."""

    kernel: Callable
    gradient: Callable | None
    keep = ""
    dtype_rule: Callable = staticmethod(lambda dtype: dtype)
    out_dtype: str | None = None

    def prepare(self, inputs):
        x = tensor_of(inputs[0])
        return (to_dtype(x, self.dtype_rule(x.dtype)),)

    def infer(self, x):
        return Spec(x.shape, self.out_dtype or self.dtype_rule(x.dtype))

    def forward(self, ctx, x):
        y = type(self).kernel(ctx.kernels, x)
        if ctx.recording:
            ctx.save(x if "x" in self.keep else None, y if "y" in self.keep else None)
        return y

    def backward(self, ctx, gy):
        return type(self).gradient(gy, *ctx.saved)


class Binary(Op):
    """y = f(a, b), elementwise with broadcasting. Rows fill in the class attributes."""

    kernel: Callable
    gradients: tuple = (None, None)
    keep = ""
    floating = False
    weak: tuple = (True, True)
    dtype_rule: Callable = staticmethod(lambda dtype: dtype)
    out_dtype: str | None = None

    def operand_dtype(self, a, b) -> str:
        """The dtype in which to compute, from two Specs."""
        first, second = (s.dtype if weak else _strong(s.dtype) for s, weak in zip((a, b), self.weak))
        found = dtypes.result_type(first, second, float) if self.floating else dtypes.result_type(first, second)
        return self.dtype_rule(found)

    def prepare(self, inputs):
        a, b = inputs
        if type(a) is Tensor and type(b) is Tensor and a.value.dtype == b.value.dtype and a.value.dtype.kind == "f":
            return inputs
        dtype = self.operand_dtype(spec_of(a), spec_of(b))
        return to_dtype(a, dtype, b), to_dtype(b, dtype, a)

    def infer(self, a, b):
        return Spec(shapes.broadcast(a.shape, b.shape), self.out_dtype or self.operand_dtype(a, b))

    def forward(self, ctx, a, b):
        y = type(self).kernel(ctx.kernels, a, b)
        if ctx.recording:
            keep = self.keep
            ctx.save(
                a.shape, b.shape, a if "a" in keep else None, b if "b" in keep else None, y if "y" in keep else None
            )
        return y

    def backward(self, ctx, gy):
        shape_a, shape_b, a, b, y = ctx.saved
        rules = type(self).gradients
        return [
            sum_to(rule(gy, a, b, y), shape) if need and rule is not None else None
            for rule, shape, need in zip(rules, (shape_a, shape_b), ctx.needs)
        ]


def _strong(dtype) -> str:
    """The dtype of a Python number that is made a tensor before it meets others."""
    return {int: "int32", float: dtypes.floatx(), complex: "complex64"}.get(dtype, dtype)


def int_of_bool(dtype) -> str:
    """The dtype in which to compute with numbers: int32 for bool."""
    return "int32" if dtype == "bool" else dtype


def _kernel(name: str) -> Callable:
    return staticmethod(lambda k, *arrays: getattr(k, name)(*arrays))


def _public(cls, function, name, doc):
    function.__name__ = function.__qualname__ = name
    function.__module__ = sys._getframe(2).f_globals["__name__"]  # the table's, where pickle looks for it
    function.__doc__ = doc
    function.op = cls
    bind(name, function)
    return function


def unary(
    name,
    gradient=NO_GRADIENT,
    keep="",
    *,
    kernel=None,
    floating=True,
    dtype_rule=None,
    out_dtype=None,
    module=None,
    doc="",
    class_name=None,
):
    """A row: an elementwise function of one argument.

    Args:
        name: the public name, and the kernel's.
        gradient: `gradient(gy, x, y)`, in ops; None where the derivative is zero or undefined.
        keep: which of "x", "y" the gradient reads.
        kernel: `kernel(k, x)`, if it is not `k.<name>(x)`.
        floating: integers become floats first.
        dtype_rule: the dtype in which to compute, by the argument's, where it is neither of these.
        out_dtype: the result's dtype where it is not the argument's.
        module: Keras's name for the module, in configs.
        doc: one line.
        class_name: the class's name in Keras, if it is not the function's in camel case.
    """
    body = {
        "kernel": staticmethod(kernel) if kernel else _kernel(name),
        "gradient": staticmethod(gradient) if gradient else None,
        "differentiable": gradient is not NO_GRADIENT,
        "keep": keep,
        "out_dtype": out_dtype,
        "__doc__": doc,
    }
    if dtype_rule or floating:
        body["dtype_rule"] = staticmethod(dtype_rule or float_of)
    if module:
        body["module"] = module
    cls = type(class_name or camel(name), (Unary,), body)

    def function(x):
        return cls()(x)

    return _public(cls, function, name, doc)


def binary(
    name,
    gradients=(None, None),
    keep="",
    *,
    kernel=None,
    floating=False,
    weak=True,
    dtype_rule=None,
    out_dtype=None,
    doc="",
    class_name=None,
    letters=False,
):
    """A row: an elementwise function of two arguments, which broadcast.

    Args:
        name: the public name, and the kernel's.
        gradients: a pair of `rule(gy, a, b, y)`, in ops; None for zero.
        keep: which of "a", "b", "y" the rules read.
        kernel: `kernel(k, a, b)`, if it is not `k.<name>(a, b)`.
        floating: integers become floats first.
        weak: whether Python numbers take the tensor's dtype, or a pair, for either argument; if not, they are int32 and
            float32 ones.
        dtype_rule: the dtype in which to compute, by the one that the operands have in common.
        out_dtype: the result's dtype where it is not the operands'.
        doc: one line.
        class_name: the class's name in Keras, if it is not the function's in camel case.
        letters: whether the arguments are x and y, not x1 and x2.
    """
    body = {
        "kernel": staticmethod(kernel) if kernel else _kernel(name),
        "gradients": gradients,
        "differentiable": gradients != (None, None),
        "keep": keep,
        "floating": floating,
        "weak": weak if isinstance(weak, tuple) else (weak, weak),
        "out_dtype": out_dtype,
        "__doc__": doc,
    }
    if dtype_rule:
        body["dtype_rule"] = staticmethod(dtype_rule)
    cls = type(class_name or camel(name), (Binary,), body)

    if letters:

        def function(x, y):
            return cls()(x, y)
    else:

        def function(x1, x2):
            return cls()(x1, x2)

    return _public(cls, function, name, doc)


bind("cast", cast)
