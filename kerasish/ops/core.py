"""Conversion, shape, control flow: the ops of `keras.ops` that are not mathematics."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes, nest, shapes
from kerasish.core.autodiff import custom_gradient
from kerasish.core.op import Op
from kerasish.core.operators import bind
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import as_array, is_tensor
from kerasish.core.tensor import convert_to_tensor as _convert
from kerasish.ops.elementwise import clip, spec_dtype
from kerasish.ops.shaping import stack, unstack
from kerasish.ops.table import cast

__all__ = ["cast", "custom_gradient", "is_tensor", "unstack"]


class StopGradient(Op):
    """x, without its past."""

    module = "keras.src.ops.core"
    differentiable = False

    def infer(self, x):
        return x

    def forward(self, ctx, x):
        return x


def stop_gradient(variable):
    """x as a constant: no gradient passes through the result."""
    return StopGradient()(variable)


def convert_to_tensor(x, dtype=None, sparse: bool | None = None, ragged: bool | None = None):
    """A tensor of x.

    Args:
        x: a tensor, variable, array, number or nested list.
        dtype: the wanted dtype; None keeps x's.
        sparse, ragged: False or None; others are not supported.
    """
    if sparse or ragged:
        raise ValueError("sparse and ragged tensors are not supported by kerasish; pass a dense one")
    return x if isinstance(x, KerasTensor) else _convert(x, dtype)


def convert_to_numpy(x):
    """x as a NumPy array."""
    if isinstance(x, KerasTensor):
        return np.array(x)
    array = as_array(x)
    return array if isinstance(array, np.ndarray) else array.get()


def shape(x):
    """The shape as a tuple; None for a symbolic tensor's open dimensions."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def size(x):
    """The number of elements; None if a dimension is open."""
    dims = shape(x)
    return None if None in dims else shapes.size(dims)


def ndim(x):
    """The number of axes."""
    return len(shape(x))


def dtype(x):
    """The dtype's name."""
    return dtypes.standardize_dtype(spec_dtype(x))


def saturate_cast(x, dtype):
    """x as another dtype, values beyond its range held at its ends."""
    name = dtypes.standardize_dtype(dtype)
    if dtypes.is_int(name):
        limits = np.iinfo(name)
        low, high = (np.iinfo(spec_dtype(x)) if dtypes.is_int(spec_dtype(x)) else limits).min, limits.max
        x = clip(x, max(limits.min, low), high)
    return cast(x, name)


def cond(pred, true_fn, false_fn):
    """true_fn() if pred holds, else false_fn()."""
    if isinstance(pred, KerasTensor):
        return true_fn()
    return true_fn() if bool(as_array(pred)) else false_fn()


def while_loop(cond, body, loop_vars, maximum_iterations: int | None = None):
    """loop_vars carried through body as long as cond holds."""
    many = isinstance(loop_vars, (tuple, list))
    state = tuple(loop_vars) if many else (loop_vars,)
    state = nest.map_structure(convert_to_tensor, state)
    steps = 0
    while (maximum_iterations is None or steps < maximum_iterations) and bool(as_array(cond(*state))):
        state = body(*state)
        state = tuple(state) if isinstance(state, (tuple, list)) else (state,)
        steps += 1
    return state if many else state[0]


def fori_loop(lower, upper, body_fun, init_val):
    """val carried through body_fun(i, val) for i from lower to upper - 1."""
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def switch(index, branches, *operands):
    """The branch number `index` (held to the range) called on the operands."""
    return branches[int(np.clip(int(as_array(index)), 0, len(branches) - 1))](*operands)


def scan(f, init, xs=None, length: int | None = None, reverse: bool = False, unroll=1):
    """The final carry and the stacked outputs of f(carry, x) -> (carry, y) along the first axis of xs.

    Args:
        f: the step.
        init: the first carry.
        xs: tensors in any structure, or None for steps without input.
        length: the number of steps; the length of xs by default.
        reverse: whether to go from the last to the first.
        unroll: of no effect: no loop is compiled.

    Raises:
        TypeError: if f cannot be called.
        ValueError: if neither `xs` nor `length` is given.
    """
    if not callable(f):
        raise TypeError(f"`f` should be a callable. Received: f={f}")
    if xs is None and length is None:
        raise ValueError("Got no `xs` to scan over and `length` not provided.")
    leaves = nest.flatten(xs) if xs is not None else []
    count = int(length) if length is not None else leaves[0].shape[0]
    carry, ys = init, []
    for i in reversed(range(count)) if reverse else range(count):
        carry, y = f(carry, None if xs is None else nest.map_structure(lambda v, i=i: v[i], xs))
        ys.append(y)
    if reverse:
        ys.reverse()
    if not ys or ys[0] is None:
        return carry, None
    return carry, nest.map_structure(lambda *v: None if v[0] is None else stack(v), *ys)


def map(f, xs):
    """f on each element along the first axis, results stacked."""
    leaves = nest.flatten(xs)
    results = [f(nest.map_structure(lambda v, i=i: v[i], xs)) for i in range(leaves[0].shape[0])]
    return nest.map_structure(lambda *v: stack([convert_to_tensor(x) for x in v]), *results)


def vectorized_map(function, elements):
    """f on each element along the first axis, results stacked."""
    return map(function, elements)


bind("stop_gradient", stop_gradient)
