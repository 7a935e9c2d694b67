"""Activations made of other ops."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np

from kerasish.core import shapes
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import as_array
from kerasish.ops import reduce
from kerasish.ops.activations import NN, hard_sigmoid, sigmoid
from kerasish.ops.elementwise import absolute, clip, greater, maximum, multiply, sqrt, square, tanh, where
from kerasish.ops.scans import cumsum
from kerasish.ops.shaping import moveaxis, split
from kerasish.ops.sorting import sort
from kerasish.ops.table import camel, cast, float_of, int_of_bool, tensor_of, to_dtype

REQUIRED = inspect.Parameter.empty


def composed(name: str, function: Callable, doc: str, dtype_rule: Callable | None = None, **parameters) -> Callable:
    """An op whose forward pass is made of other ops: one node in a graph, differentiated through its parts.

    Args:
        name: the public name.
        function: `function(x, **parameters)`, in ops; x is a tensor.
        doc: one line.
        dtype_rule: `dtype_rule(dtype, **parameters)`, the result's dtype where it is not simply a float.
        **parameters: names and defaults.
    """

    dtype_rule = dtype_rule or (lambda dtype, **_: float_of(dtype))

    def init(self, **given):
        self.__dict__.update({**parameters, **given})

    def call(self, x):
        return function(tensor_of(x), **{p: getattr(self, p) for p in parameters})

    def infer(self, x):
        if "axis" in parameters:
            shapes.normal_axis(self.axis, len(x.shape))
        return Spec(x.shape, dtype_rule(x.dtype, **{p: getattr(self, p) for p in parameters}))

    cls = type(camel(name), (Op,), {"__init__": init, "call": call, "infer": infer, "module": NN, "__doc__": doc})

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    given = [inspect.Parameter(p, kind, default=default) for p, default in {"x": REQUIRED, **parameters}.items()]
    signature = inspect.Signature(given)

    def public(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        x, *values = bound.args
        return cls(**dict(zip(parameters, values)))(x)

    public.__signature__ = signature
    public.__name__ = public.__qualname__ = name
    public.__doc__ = doc
    public.op = cls
    return public


def _float(x):
    return to_dtype(x, float_of(x.dtype))


def _zero(x):
    return as_array(0, x.dtype)


def _shrunk_dtype(dtype, threshold):
    """The dtype of x beside a threshold: integers stay integers unless it is a float."""
    return dtype if isinstance(threshold, int) else float_of(dtype)


def _hard_shrink(x, threshold):
    x = to_dtype(x, _shrunk_dtype(x.dtype, threshold))
    return where(absolute(x) > threshold, x, _zero(x))


def _soft_shrink(x, threshold):
    dtype = _shrunk_dtype(x.dtype, threshold)
    x = to_dtype(x, int_of_bool(dtype))
    inside = where(x < -threshold, x + threshold, _zero(x))
    return to_dtype(where(x > threshold, x - threshold, inside), dtype)


def _threshold_dtype(dtype, threshold, default_value):
    """x's, which is only compared with the threshold; a float if it has to hold one."""
    return float_of(dtype) if isinstance(default_value, float) else dtype


def _threshold(x, threshold, default_value):
    x = to_dtype(x, _threshold_dtype(x.dtype, threshold, default_value))
    return where(greater(x, threshold), x, to_dtype(default_value, x.dtype))


def _sparse_plus(x):
    x = _float(x)
    return where(x <= -1.0, _zero(x), where(x < 1.0, square(x + 1.0) * 0.25, x))


def _sparse_sigmoid(x):
    x = _float(x)
    return where(x <= -1, _zero(x), where(x >= 1, as_array(1, x.dtype), (x + 1.0) * 0.5))


def _sparsemax(x, axis):
    x = moveaxis(_float(x), axis, -1)
    z = -sort(-x, axis=-1)
    k = np.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    total = cumsum(z, axis=-1)
    support = cast(1.0 + k * z > total, x.dtype)
    count = reduce.sum(support, axis=-1, keepdims=True)
    tau = (reduce.sum(z * support, axis=-1, keepdims=True) - 1.0) / count
    return moveaxis(maximum(x - tau, 0.0), -1, axis)


hard_silu = composed("hard_silu", lambda x: multiply(x, hard_sigmoid(x)), "x * hard_sigmoid(x)")
hard_tanh = composed("hard_tanh", lambda x: clip(_float(x), -1.0, 1.0), "x held between -1 and 1.")
tanh_shrink = composed("tanh_shrink", lambda x: x - tanh(x), "x - tanh(x)")
squareplus = composed(
    "squareplus", lambda x, b: (x + sqrt(square(_float(x)) + b)) * 0.5, "(x + sqrt(x^2 + b)) / 2", b=4
)
hard_shrink = composed(
    "hard_shrink",
    _hard_shrink,
    "x where |x| > threshold, else 0.",
    _shrunk_dtype,
    threshold=0.5,
)
soft_shrink = composed(
    "soft_shrink",
    _soft_shrink,
    "x moved towards 0 by threshold.",
    _shrunk_dtype,
    threshold=0.5,
)
threshold = composed(
    "threshold",
    _threshold,
    "x where above `threshold`, else `default_value`.",
    _threshold_dtype,
    threshold=REQUIRED,
    default_value=REQUIRED,
)
sparse_plus = composed(
    "sparse_plus",
    _sparse_plus,
    "0 up to -1, a parabola up to 1, then x.",
)
sparse_sigmoid = composed("sparse_sigmoid", _sparse_sigmoid, "The sigmoid's piecewise linear likeness.")
sparsemax = composed(
    "sparsemax", _sparsemax, "The projection onto the simplex (Martins and Astudillo 2016, algorithm 1).", axis=-1
)


class Glu(Op):
    """a * sigmoid(b), for the two halves of x along an axis."""

    module = NN

    def __init__(self, axis=-1):
        self.axis = axis

    def infer(self, x):
        axis = shapes.normal_axis(self.axis, len(x.shape))
        half = None if x.shape[axis] is None else x.shape[axis] // 2
        return Spec((*x.shape[:axis], half, *x.shape[axis + 1 :]), float_of(x.dtype))

    def call(self, x):
        if x.shape[self.axis] % 2:
            raise ValueError(f"axis size must be divisible by 2. Received: x.shape={x.shape} with axis={self.axis}")
        a, b = split(_float(x), 2, self.axis)
        return a * sigmoid(b)


def glu(x, axis=-1):
    """The first half of x times the sigmoid of the second."""
    return Glu(axis)(x)


hard_swish = hard_silu
