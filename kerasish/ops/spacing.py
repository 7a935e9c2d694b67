"""Evenly spaced numbers, and copies."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes, shapes
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.tensor import as_array, convert_to_tensor
from kerasish.ops.broadcasting import broadcast_to
from kerasish.ops.elementwise import floor, power, where
from kerasish.ops.shaping import copy, expand_dims
from kerasish.ops.table import cast, to_dtype


class Linspace(Op):
    """Evenly spaced numbers from start to stop."""

    def __init__(self, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
        self.num, self.endpoint, self.retstep, self.dtype, self.axis = int(num), endpoint, retstep, dtype, axis

    def _dtype(self, start, stop) -> str:
        return dtypes.standardize_dtype(self.dtype) if self.dtype else dtypes.result_type(start, stop, float)

    def infer(self, start, stop):
        ends = shapes.broadcast(start.shape, stop.shape)
        axis = shapes.normal_axis(self.axis, len(ends) + 1)
        numbers = Spec((*ends[:axis], self.num, *ends[axis:]), self._dtype(start.dtype, stop.dtype))
        return (numbers, Spec(ends, numbers.dtype)) if self.retstep else numbers

    def call(self, start, stop):
        """In TensorFlow's steps, each rounded to the dtype: halves tell one order from another."""
        dtype = self._dtype(*(spec_of(v).dtype for v in (start, stop)))
        inner = dtype if dtypes.is_float(dtype) else _quotient_dtype(dtype)
        start, stop = (to_dtype(to_dtype(v, dtype), inner) for v in (start, stop))
        intervals = self.num - 1 if self.endpoint else self.num
        step = (stop - start) / intervals if intervals > 0 else convert_to_tensor(np.nan, dtypes.floatx())
        numbers = self._between(start, stop if self.endpoint or self.num < 2 else stop - step)
        numbers = numbers if inner == dtype else cast(floor(numbers), dtype)
        return (numbers, step) if self.retstep else numbers

    def _between(self, first, last):
        """`num` numbers of which the first and the last are exact."""
        ends = shapes.broadcast(first.shape, last.shape)
        axis = shapes.normal_axis(self.axis, len(ends) + 1)
        steps = max(self.num - 1, 1)
        index = np.arange(self.num).reshape([self.num if i == axis else 1 for i in range(len(ends) + 1)])
        first, last = (expand_dims(broadcast_to(v, ends), axis) for v in (first, last))
        inside = first + (last - first) / steps * as_array(index, first.dtype)
        return where(as_array(index == 0), first, where(as_array(index == steps), last, inside))


def _quotient_dtype(dtype: str) -> str:
    """The floats in which TensorFlow divides integers of a dtype."""
    return "float64" if dtype.endswith(("32", "64")) else "float32"


def linspace(start, stop, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype=None, axis=0):
    """`num` evenly spaced numbers from start to stop.

    Args:
        start, stop: the ends, numbers or tensors that broadcast.
        num: how many.
        endpoint: whether `stop` is the last one.
        retstep: whether to give the distance, too.
        dtype: the result's; by default the ends', floats at least. Integers are rounded down.
        axis: where the numbers go when the ends are tensors.

    Returns:
        The numbers, or they and their distance.

    Raises:
        ValueError: for a negative `num`.
    """
    _check(num)
    return Linspace(num, endpoint, retstep, dtype, axis)(start, stop)


def _check(num):
    if num < 0:
        raise ValueError(f"`num` must be a non-negative integer. Received: num={num}")


class Logspace(Op):
    """Numbers evenly spaced on a logarithmic scale."""

    def __init__(self, num=50, endpoint=True, base=10, dtype=None, axis=0):
        self.num, self.endpoint, self.base, self.dtype, self.axis = int(num), endpoint, base, dtype, axis

    def infer(self, start, stop):
        return Linspace(self.num, self.endpoint, False, self.dtype, self.axis).infer(start, stop)

    def call(self, start, stop):
        exponents = linspace(start, stop, self.num, self.endpoint, dtype=self.dtype, axis=self.axis)
        return power(to_dtype(self.base, exponents.dtype), exponents)


def logspace(start, stop, num: int = 50, endpoint: bool = True, base=10, dtype=None, axis=0):
    """`base` to the power of `num` evenly spaced numbers; arguments as those of `linspace`."""
    _check(num)
    return Logspace(num, endpoint, base, dtype, axis)(start, stop)


class Array(Op):
    """A copy of x, of a dtype."""

    def __init__(self, dtype=None):
        self.dtype = dtypes.standardize_dtype(dtype) if dtype else None

    def infer(self, x):
        return Spec(x.shape, self.dtype or x.dtype)

    def call(self, x):
        return copy(x if self.dtype is None else to_dtype(x, self.dtype))


def array(x, dtype=None):
    """A tensor of x, in memory of its own."""
    return Array(dtype)(x)
