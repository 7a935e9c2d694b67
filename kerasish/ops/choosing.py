"""Ops between indices and masks: one-hot vectors, where something is not zero, choices by conditions."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes, shapes
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.tensor import Tensor, as_array
from kerasish.ops import reduce
from kerasish.ops.composite import composite
from kerasish.ops.elementwise import spec_dtype, where
from kerasish.ops.table import to_dtype


class OneHot(Op):
    """Rows with a one at each index."""

    module = "keras.src.ops.nn"
    differentiable = False

    def __init__(self, num_classes, axis=-1, dtype=None, sparse=False):
        self.num_classes, self.axis, self.dtype, self.sparse = num_classes, axis, dtype, sparse

    def infer(self, x):
        shape = list(x.shape)
        shape.insert(shapes.normal_axis(self.axis, len(shape) + 1), self.num_classes)
        return Spec(tuple(shape), dtypes.standardize_dtype(self.dtype))

    def forward(self, ctx, x):
        xp = ctx.kernels.xp
        with np.errstate(invalid="ignore"):  # NaN is no class
            x = x.astype(np.int64, copy=False)
        hot = xp.expand_dims(x, -1) == xp.arange(self.num_classes)
        return xp.moveaxis(hot, -1, self.axis).astype(dtypes.numpy_dtype(dtypes.standardize_dtype(self.dtype)))


def one_hot(x, num_classes: int, axis=-1, dtype=None, sparse: bool = False):
    """Indices as vectors with one 1; an index out of range gives zeros."""
    if sparse:
        raise ValueError("Unsupported value `sparse=True`: kerasish has no sparse tensors")
    return OneHot(num_classes, axis, dtype)(x)


@composite("keras.src.ops.nn")
def multi_hot(inputs, num_classes: int | None = None, axis=-1, dtype=None, sparse: bool = False, **kwargs):
    """A vector with a 1 for each index that occurs along the last axis; `num_tokens` is `num_classes`' old name."""
    tokens = kwargs.pop("num_tokens", None)
    num_classes = tokens if num_classes is None else num_classes
    if num_classes is None:
        raise ValueError("Argument `num_classes` must be specified.")
    if kwargs:
        raise TypeError(f"multi_hot got unexpected keyword arguments: {sorted(kwargs)}")
    hot = one_hot(inputs, num_classes, axis, dtype, sparse)
    axis = 1 if len(inputs.shape) > 1 else 0
    return reduce.max(hot, axis=axis, initial=0 if hot.shape[axis] == 0 else None)  # nothing is hot of no labels


def _nonzero_specs(x):
    return tuple(Spec((None,), "int32") for _ in x.shape)


@composite("keras.src.ops.numpy", infer=_nonzero_specs)
def nonzero(x):
    """The indices of what is not zero, a tensor for each axis."""
    return tuple(Tensor(i.astype(np.int32)) for i in np.nonzero(as_array(x)))


def _select_spec(condlist, choicelist, default=0):
    shape: tuple = ()
    for x in (*condlist, *choicelist, default):
        shape = shapes.broadcast(shape, spec_of(x).shape)
    return Spec(shape, _numpy_result([*choicelist, default]))


@composite("keras.src.ops.numpy", inputs=3, infer=_select_spec)
def select(condlist, choicelist, default=0):
    """From each place of the first choice whose condition holds there."""
    dtype = _numpy_result([*choicelist, default])
    out = to_dtype(default, dtype)
    for condition, choice in reversed(list(zip(condlist, choicelist))):
        out = where(condition, to_dtype(choice, dtype), out)
    return out


def _numpy_result(values) -> str:
    """The dtype that NumPy gives values in common; `select` is the one op in which Keras asks NumPy's rules."""
    numbers = [v for v in values if type(v) in (bool, int, float)]
    names = [spec_dtype(v) for v in values if type(v) not in (bool, int, float)]
    if "bfloat16" in names:
        return "float64" if float in map(type, numbers) else dtypes.result_type(*names)
    return np.result_type(*names, *numbers).name
