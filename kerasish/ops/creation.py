"""Tensors from nothing: constants, ranges, grids."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes, scopes
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, as_array
from kerasish.device import array_module, put
from kerasish.ops.composite import composite
from kerasish.ops.elementwise import spec_dtype


def _make(shape, value, dtype) -> Tensor:
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(int(d) for d in shape)
    value = as_array(value)
    return Tensor(array_module(value).full(shape, value, dtypes.numpy_dtype(dtypes.standardize_dtype(dtype))))


def zeros(shape, dtype=None):
    """Zeros."""
    return _make(shape, 0, dtype)


def ones(shape, dtype=None):
    """Ones."""
    return _make(shape, 1, dtype)


def full(shape, fill_value, dtype=None):
    """One value everywhere."""
    return _make(shape, fill_value, dtype)


def empty(shape, dtype=None):
    """A tensor whose values do not matter (zeros)."""
    return zeros(shape, dtype)


def _like(x, value, dtype):
    dtype = dtype or spec_dtype(x)
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


def full_like(x, fill_value, dtype=None):
    """One value in x's shape."""
    return _like(x, fill_value, dtype)


empty_like = zeros_like


def arange(start, stop=None, step=None, dtype=None):
    """Numbers from start (0 if it stands alone) up to but without stop."""
    given = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = dtypes.result_type(*(type(v) if type(v) in (int, float) else spec_dtype(v) for v in given))
    start, stop, step = (
        v if v is None or isinstance(v, (int, float)) else as_array(v).item() for v in (start, stop, step)
    )
    values = np.arange(start) if stop is None else np.arange(start, stop, 1 if step is None else step)
    return Tensor(put(values.astype(dtypes.numpy_dtype(dtypes.standardize_dtype(dtype)))))


def linspace(start, stop, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype=None, axis=0):
    """`num` evenly spaced numbers from start to stop."""
    start, stop = as_array(start), as_array(stop)
    dtype = dtype or dtypes.result_type(dtypes.name_of(start), dtypes.name_of(stop), float)
    values, step = np.linspace(start, stop, num, endpoint, True, axis=axis)
    values = Tensor(values.astype(dtypes.numpy_dtype(dtypes.standardize_dtype(dtype))))
    return (values, step) if retstep else values


def logspace(start, stop, num: int = 50, endpoint: bool = True, base=10, dtype=None, axis=0):
    """`num` numbers evenly spaced on a logarithmic scale."""
    exponents = linspace(start, stop, num, endpoint, dtype="float64", axis=axis)
    dtype = dtype or dtypes.result_type(spec_dtype(start), spec_dtype(stop), float)
    return Tensor((as_array(base, "float64") ** exponents.value).astype(dtypes.numpy_dtype(dtype)))


def eye(N: int, M: int | None = None, k=0, dtype=None):
    """Ones on the k-th diagonal."""
    return Tensor(put(np.eye(N, M, k, dtypes.numpy_dtype(dtypes.standardize_dtype(dtype)))))


def identity(n, dtype=None):
    """The identity matrix."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k=0, dtype=None):
    """Ones on and below the k-th diagonal."""
    return Tensor(put(np.tri(N, M, k, dtypes.numpy_dtype(dtypes.standardize_dtype(dtype)))))


def array(x, dtype=None):
    """A tensor of x."""
    return Tensor(as_array(x, dtypes.standardize_dtype(dtype) if dtype else None).copy())
