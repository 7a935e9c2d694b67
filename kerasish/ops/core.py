"""Conversion, shape, control flow: the ops of `keras.ops` that are not mathematics."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes, shapes
from kerasish.core.autodiff import custom_gradient
from kerasish.core.op import Op
from kerasish.core.operators import bind
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import as_array, is_tensor
from kerasish.core.tensor import convert_to_tensor as _convert
from kerasish.ops.elementwise import clip, spec_dtype
from kerasish.ops.shaping import unstack
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


bind("stop_gradient", stop_gradient)
