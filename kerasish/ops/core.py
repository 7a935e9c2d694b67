"""Conversion, shape, control flow: the ops of `keras.ops` that are not mathematics."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from kerasish.core import dtypes, shapes
from kerasish.core.autodiff import custom_gradient
from kerasish.core.op import Op, Spec
from kerasish.core.operators import bind
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import as_array, holds_tensors, is_tensor
from kerasish.core.tensor import convert_to_tensor as _convert
from kerasish.ops.composite import composite
from kerasish.ops.elementwise import clip, spec_dtype, where
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
    return _convert(x, dtype)


def convert_to_numpy(x):
    """A copy of x as a NumPy array."""
    if isinstance(x, KerasTensor):
        return np.array(x)
    if not hasattr(x, "dtype") and not holds_tensors(x):
        return np.array(x)  # Python's numbers in NumPy's dtypes
    array = as_array(x)
    return array.copy() if isinstance(array, np.ndarray) else array.get()


def shape(x):
    """The shape as a tuple; None for a symbolic tensor's open dimensions."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


@composite("keras.src.ops.numpy", infer=lambda x: Spec((), "int32"))
def size(x):
    """The number of elements, as a tensor."""
    return _convert(shapes.size(shape(x)), "int32")


def ndim(x):
    """The number of axes."""
    return len(shape(x))


def dtype(x):
    """The dtype's name."""
    return dtypes.standardize_dtype(spec_dtype(x))


def _bounds(source, target):
    """The least and the largest number of `target`, held to the range of `source`, as it can be written in `source`."""
    (least, most), (own_least, own_most) = _limits(target), _limits(source)
    least, most = max(least, own_least), min(most, own_most)
    if not dtypes.is_float(source):
        return int(least), int(most)
    kind = dtypes.numpy_dtype(source).type
    return tuple(
        float(v if abs(float(v := kind(end))) <= abs(end) else np.nextafter(v, kind(0))) for end in (least, most)
    )


def _limits(dtype):
    if dtype == "bool":
        return 0, 1
    if dtypes.is_int(dtype):
        info = np.iinfo(dtype)
        return int(info.min), int(info.max)
    info = ml_dtypes.finfo(dtypes.numpy_dtype(dtype))
    return float(info.min), float(info.max)


@composite("keras.src.ops.core", infer=lambda x, dtype: Spec(x.shape, dtypes.standardize_dtype(dtype)))
def saturate_cast(x, dtype):
    """x as another dtype, values beyond its range held at its ends."""
    x = x if hasattr(x, "dtype") else _convert(x)
    name, source = dtypes.standardize_dtype(dtype), dtypes.standardize_dtype(spec_dtype(x))
    if source == "bool" or "complex" in name + source:
        return cast(x, name)
    least, most = _bounds(source, name)
    y = cast(clip(x, least, most), name)
    if dtypes.is_float(source) and dtypes.is_int(name):  # the largest integer may lie between two floats
        y = where(x > most, as_array(min(_limits(name)[1], int(_limits(source)[1])), name), y)
    return y


bind("stop_gradient", stop_gradient)
