"""Tensors from nothing: constants, ranges, grids."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes, scopes
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.operators import Operators
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, as_array
from kerasish.device import array_module, put
from kerasish.ops.broadcasting import broadcast_to
from kerasish.ops.composite import composite
from kerasish.ops.elementwise import spec_dtype
from kerasish.ops.table import to_dtype


def _sizes(shape) -> tuple:
    return (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(int(d) for d in shape)


def _make(shape, value, dtype) -> Tensor:
    value = as_array(value)
    return Tensor(array_module(value).full(_sizes(shape), value, dtypes.numpy_dtype(dtypes.standardize_dtype(dtype))))


def zeros(shape, dtype=None):
    """Zeros."""
    return _make(shape, 0, dtype)


def ones(shape, dtype=None):
    """Ones."""
    return _make(shape, 1, dtype)


def full(shape, fill_value, dtype=None):
    """One value everywhere, or a tensor of them that broadcasts."""
    if isinstance(fill_value, Operators):
        return broadcast_to(to_dtype(fill_value, dtypes.standardize_dtype(dtype)), _sizes(shape))
    return _make(shape, fill_value, dtype)


def empty(shape, dtype=None):
    """A tensor whose values do not matter (zeros)."""
    return zeros(shape, dtype)


def _like(x, value, dtype):
    dtype = dtypes.standardize_dtype(dtype) if dtype else spec_dtype(x)
    if isinstance(x, KerasTensor):
        if scopes.shapes_only():
            return KerasTensor(x.shape, dtype)
        return x * as_array(0, dtype) + as_array(value, dtype)
    return _make(np.shape(x) if not hasattr(x, "shape") else x.shape, value, dtype)


@composite("keras.src.ops.numpy")
def zeros_like(x, dtype=None):
    """Zeros of x's shape."""
    return _like(x, 0, dtype)


@composite("keras.src.ops.numpy")
def ones_like(x, dtype=None):
    """Ones of x's shape."""
    return _like(x, 1, dtype)


class FullLike(Op):
    """One value in x's shape."""

    def __init__(self, dtype=None):
        self.dtype = dtypes.standardize_dtype(dtype) if dtype else None

    def infer(self, x, fill_value):
        return Spec(x.shape, self.dtype or x.dtype)

    def call(self, x, fill_value):
        return broadcast_to(to_dtype(fill_value, self.dtype or spec_dtype(x)), spec_of(x).shape)


def full_like(x, fill_value, dtype=None):
    """One value in x's shape, or a tensor of them that broadcasts."""
    return FullLike(dtype)(x, fill_value)


empty_like = zeros_like


def arange(start, stop=None, step=None, dtype=None):
    """Numbers from start (0 if it stands alone) up to but without stop."""
    given = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = dtypes.result_type(*(type(v) if type(v) in (int, float) else spec_dtype(v) for v in given))
    start, stop, step = (
        v if v is None or isinstance(v, (int, float)) else as_array(v).item() for v in (start, stop, step)
    )
    if step is not None and not step:
        raise ValueError(f"ops.arange: a step other than 0 was expected. Received: step={step}")
    ends = (0, start) if stop is None else (start, stop)
    dtype = dtypes.standardize_dtype(dtype)
    between = _floats_between if dtypes.is_float(dtype) else _between
    return Tensor(put(between(*ends, 1 if step is None else step, dtypes.numpy_dtype(dtype))))


def _between(start, stop, step, dtype):
    return np.arange(start, stop, step).astype(dtype)


def _floats_between(start, stop, step, dtype):
    """A range of floats, as TensorFlow rounds: each step of computing it, to the dtype."""
    with np.errstate(over="ignore", invalid="ignore"):
        start, stop, step = (np.asarray(v).astype(dtype) for v in (start, stop, step))
        count = np.ceil((stop - start) / step)
        if not np.isfinite(count):
            raise ValueError(f"ops.arange: start={start}, stop={stop} and step={step} as {dtype} make no range")
        return start + np.arange(max(int(count), 0)).astype(dtype) * step


def eye(N: int, M: int | None = None, k=0, dtype=None):
    """Ones on the k-th diagonal."""
    return Tensor(put(np.eye(N, M, k, dtypes.numpy_dtype(dtypes.standardize_dtype(dtype)))))


def identity(n, dtype=None):
    """The identity matrix."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k=0, dtype=None):
    """Ones on and below the k-th diagonal."""
    return Tensor(put(np.tri(N, M, k, dtypes.numpy_dtype(dtypes.standardize_dtype(dtype)))))
