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
        dtype = self._dtype(*(spec_of(v).dtype for v in (start, stop)))
        inner = dtype if dtypes.is_float(dtype) else "float64"
        start, stop = (to_dtype(to_dtype(v, dtype), inner) for v in (start, stop))
        numbers = self._between(start, stop)
        numbers = numbers if inner == dtype else cast(floor(numbers), dtype)
        return (numbers, self._step(start, stop)) if self.retstep else numbers

    def _between(self, start, stop):
        """From each end half of the numbers, so that both are exact."""
        ends = shapes.broadcast(start.shape, stop.shape)
        axis = shapes.normal_axis(self.axis, len(ends) + 1)
        part = np.arange(self.num) / max(self.num - 1 if self.endpoint else self.num, 1)
        part = as_array(part.reshape([self.num if i == axis else 1 for i in range(len(ends) + 1)]))
        first, last = (expand_dims(broadcast_to(v, ends), axis) for v in (start, stop))
        way, near = last - first, part < 0.5
        return where(near, first + way * as_array(part, first.dtype), last - way * as_array(1 - part, first.dtype))

    def _step(self, start, stop):
        intervals = self.num - 1 if self.endpoint else self.num
        return (stop - start) / intervals if intervals > 0 else convert_to_tensor(np.nan, dtypes.floatx())


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
