"""Control flow: branches, loops, and functions mapped over the first axis. In a graph each is one node."""

from __future__ import annotations

import numpy as np

from kerasish.core import nest, scopes
from kerasish.core.operation import trace_shapes
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import as_array
from kerasish.ops.composite import composite
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.elementwise import where
from kerasish.ops.shaping import stack

CORE = "keras.src.ops.core"


def cond(pred, true_fn, false_fn):
    """true_fn() if pred holds, else false_fn().

    In a model's graph both are computed, and `pred` chooses between their results.

    Raises:
        ValueError: if they return other shapes, dtypes or structures, in a graph.
    """
    if not isinstance(pred, KerasTensor):
        return true_fn() if bool(as_array(pred)) else false_fn()
    held, other = true_fn(), false_fn()
    if _specs(held) != _specs(other):
        raise ValueError(
            "`true_fn` and `false_fn` should return outputs of the same kind (struct, dtype and shape). "
            f"Got {held} and {other} instead."
        )
    if scopes.shapes_only():
        return held
    return nest.map_structure(lambda a, b: None if a is None else where(pred, a, b), held, other)


def _specs(x):
    """What two branches have in common: structure, shapes and dtypes."""
    if isinstance(x, dict):
        return {key: _specs(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x), [_specs(value) for value in x]
    if x is None:
        return None
    x = x if isinstance(x, KerasTensor) else convert_to_tensor(x)
    return tuple(x.shape), x.dtype


def _loop_specs(loop_vars, **_):
    return nest.map_structure(_as_symbol, loop_vars)


def _as_symbol(x):
    x = x if isinstance(x, KerasTensor) else convert_to_tensor(x)
    return KerasTensor(x.shape, x.dtype)


@composite(CORE, inputs=("loop_vars",), infer=_loop_specs)
def while_loop(cond, body, loop_vars, maximum_iterations: int | None = None):
    """loop_vars carried through body as long as cond holds.

    Args:
        cond: a function of the loop variables.
        body: likewise; it returns them anew.
        loop_vars: one tensor, or a list or tuple of structures, which come as separate arguments.
        maximum_iterations: after how many rounds to stop in any case.
    """
    many = isinstance(loop_vars, (tuple, list))
    state = tuple(loop_vars) if many else (loop_vars,)
    state = nest.map_structure(convert_to_tensor, state)
    steps = 0
    while (maximum_iterations is None or steps < maximum_iterations) and bool(as_array(cond(*state))):
        state = body(*state)
        state = tuple(state) if isinstance(state, (tuple, list)) else (state,)
        steps += 1
    return state if many else state[0]


@composite(CORE, inputs=("init_val",), infer=lambda init_val, **_: _as_symbol(init_val))
def fori_loop(lower, upper, body_fun, init_val):
    """val carried through body_fun(i, val) for i from lower to upper - 1."""
    value = nest.map_structure(lambda x: None if x is None else convert_to_tensor(x), init_val)
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def _switch_specs(index, branches, *operands):
    return trace_shapes(branches[0], *operands)


@composite(CORE, inputs=2, infer=_switch_specs)
def switch(index, branches, *operands):
    """The branch number `index` (held to the range) called on the operands."""
    return branches[int(np.clip(int(as_array(index)), 0, len(branches) - 1))](*operands)


def _scan_specs(f, init, xs=None, length=None, **_):
    count = _steps(f, xs, length)
    first = None if xs is None else nest.map_structure(_first, xs)
    carry, y = trace_shapes(f, nest.map_structure(_as_symbol, init), first)
    return carry, None if y is None else _stacked(y, count)


def _steps(f, xs, length):
    """How many steps a scan takes.

    Raises:
        TypeError: if f cannot be called.
        ValueError: if nothing tells the number, or two things tell two numbers.
    """
    if not callable(f):
        raise TypeError(f"`f` should be a callable. Received: f={f}")
    if xs is None and length is None:
        raise ValueError("Got no `xs` to scan over and `length` not provided.")
    counts = [] if xs is None else [x.shape[0] for x in nest.flatten(nest.map_structure(_with_shape, xs))]
    if length is not None:
        counts.insert(0, int(length))
    if len({n for n in counts if n is not None}) > 1:
        raise ValueError(f"`length` and the first axes of `xs` must agree. Received: length={length}, axes of {counts}")
    return counts[0]


def _with_shape(x):
    return x if hasattr(x, "shape") else convert_to_tensor(x)


@composite(CORE, inputs=3, infer=_scan_specs)
def scan(f, init, xs=None, length: int | None = None, reverse: bool = False, unroll=1):
    """The final carry and the stacked outputs of f(carry, x) -> (carry, y) along the first axis of xs.

    Args:
        f: the step.
        init: the first carry.
        xs: tensors in any structure, or None for steps without input.
        length: the number of steps; the length of xs by default.
        reverse: whether to go from the last to the first.
        unroll: True, False or a positive number; of no effect: no loop is compiled.

    Raises:
        TypeError: if f cannot be called.
        ValueError: if neither `xs` nor `length` is given, or they differ, or `unroll` is no such thing.
    """
    count = _steps(f, xs, length)
    if not isinstance(unroll, bool) and (not isinstance(unroll, int) or unroll < 1):
        raise ValueError(f"`unroll` must be an positive integer or boolean. Received: unroll={unroll}")
    carry, ys = nest.map_structure(lambda x: None if x is None else convert_to_tensor(x), init), []
    for i in reversed(range(count)) if reverse else range(count):
        carry, y = f(carry, None if xs is None else nest.map_structure(lambda v, i=i: v[i], xs))
        ys.append(y)
    if reverse:
        ys.reverse()
    if not ys or ys[0] is None:
        return carry, None
    return carry, nest.map_structure(lambda *v: None if v[0] is None else stack(v), *ys)


def _first(x):
    """What a function sees of a tensor that it is mapped over."""
    return KerasTensor(x.shape[1:], x.dtype) if isinstance(x, KerasTensor) else convert_to_tensor(x)[0]


def _stacked(y, count):
    return nest.map_structure(lambda v: None if v is None else KerasTensor((count, *v.shape), v.dtype), y)


def _map_specs(f, xs):
    count = nest.flatten(xs)[0].shape[0]
    return _stacked(trace_shapes(f, nest.map_structure(_first, xs)), count)


def _vectorized_map_specs(function, elements):
    return _map_specs(function, elements)


@composite(CORE, inputs=2, infer=_map_specs)
def map(f, xs):
    """f on each element along the first axis, results stacked."""
    leaves = nest.flatten(xs)
    if not leaves:
        raise ValueError(f"ops.map needs a tensor or a structure of tensors to map over; received {xs}")
    if not leaves[0].shape[0]:
        raise ValueError(f"ops.map needs at least one element to map over; received shape {tuple(leaves[0].shape)}")
    results = [f(nest.map_structure(lambda v, i=i: v[i], xs)) for i in range(leaves[0].shape[0])]
    return nest.map_structure(lambda *v: stack([convert_to_tensor(x) for x in v]), *results)


@composite(CORE, inputs=("elements",), infer=_vectorized_map_specs)
def vectorized_map(function, elements):
    """f on each element along the first axis, results stacked."""
    return map(function, elements)
