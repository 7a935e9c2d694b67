"""Activations made of other ops."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np

from kerasish.core import shapes
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import Tensor, as_array
from kerasish.core.variable import Variable
from kerasish.ops import reduce
from kerasish.ops.activations import NN, hard_sigmoid, sigmoid
from kerasish.ops.elementwise import absolute, clip, maximum, multiply, sqrt, square, tanh, where
from kerasish.ops.shaping import moveaxis, split
from kerasish.ops.sorting import sort
from kerasish.ops.table import camel, cast, float_of, to_dtype

REQUIRED = inspect.Parameter.empty


def composed(name: str, function: Callable, doc: str, **parameters) -> Callable:
    """An op whose forward pass is made of other ops: one node in a graph, differentiated through its parts.

    Args:
        name: the public name.
        function: `function(x, **parameters)`, in ops.
        doc: one line.
        **parameters: names and defaults.
    """

    def init(self, **given):
        self.__dict__.update({**parameters, **given})

    def call(self, x):
        return function(x, **{p: getattr(self, p) for p in parameters})

    def infer(self, x):
        return Spec(x.shape, float_of(x.dtype))

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
    x = x if isinstance(x, (Tensor, Variable)) else Tensor(as_array(x))
    return to_dtype(x, float_of(x.dtype))


def _zero(x):
    return as_array(0, x.dtype)


def _threshold(x, threshold, default_value):
    x = _float(x)
    return where(x > threshold, x, as_array(default_value, x.dtype))


def _sparsemax(x, axis):
    x = moveaxis(_float(x), axis, -1)
    z = -sort(-x, axis=-1)
    k = np.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    total = reduce.cumsum(z, axis=-1)
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
    lambda x, threshold: where(absolute(x) > threshold, _float(x), _zero(_float(x))),
    "x where |x| > threshold, else 0.",
    threshold=0.5,
)
soft_shrink = composed(
    "soft_shrink",
    lambda x, threshold: where(x > threshold, x - threshold, where(x < -threshold, x + threshold, _zero(_float(x)))),
    "x moved towards 0 by threshold.",
    threshold=0.5,
)
threshold = composed(
    "threshold",
    _threshold,
    "x where above `threshold`, else `default_value`.",
    threshold=REQUIRED,
    default_value=REQUIRED,
)
sparse_plus = composed(
    "sparse_plus",
    lambda x: where(x <= -1.0, _zero(_float(x)), where(x < 1.0, square(x + 1.0) * 0.25, _float(x))),
    "0 up to -1, a parabola up to 1, then x.",
)
sparse_sigmoid = composed(
    "sparse_sigmoid", lambda x: clip((_float(x) + 1.0) * 0.5, 0.0, 1.0), "The sigmoid's piecewise linear likeness."
)
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
