"""Ops that pick elements by index; their gradients add up where an index was picked."""

from __future__ import annotations

import builtins

import numpy as np

from kerasish.core import dtypes, shapes
from kerasish.core.op import Op, Spec
from kerasish.core.operators import bind
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, as_array
from kerasish.core.variable import Variable
from kerasish.ops import reduce
from kerasish.ops.composite import composite
from kerasish.ops.elementwise import spec_dtype, where
from kerasish.ops.shaping import ravel, reshape
from kerasish.ops.table import to_dtype


def _plain(key):
    """An index in NumPy's terms."""
    if isinstance(key, tuple):
        return tuple(_plain(k) for k in key)
    if isinstance(key, builtins.slice):
        return builtins.slice(*(None if v is None else int(v) for v in (key.start, key.stop, key.step)))
    return as_array(key) if isinstance(key, (Tensor, Variable)) else key


def _is_basic(key) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return all(k is None or k is Ellipsis or isinstance(k, (int, np.integer, builtins.slice)) for k in parts)


class GetItem(Op):
    """x[key]."""

    def __call__(self, x, key):
        if isinstance(x, KerasTensor):
            return self.symbolic_call(x, key)
        picker = GetItem()
        picker._key = _plain(key)
        return picker.call(x)

    def compute_output_spec(self, x, key):
        return KerasTensor(indexed_shape(x.shape, key), x.dtype)

    def get_config(self):
        return {"name": self.name}

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return ctx.kernels.picked(x, self._key)

    def backward(self, ctx, gy):
        return PutBack(self._key, ctx.saved[0])(gy)


class PutBack(Op):
    """Zeros of a shape, with x added at a key: the transpose of indexing."""

    def __init__(self, key, shape):
        self._key, self._shape = key, shape

    def forward(self, ctx, x):
        out = ctx.kernels.xp.zeros(self._shape, x.dtype)
        if _is_basic(self._key):
            out[self._key] = x
        else:
            out = ctx.kernels.combine_at(out, self._key, x, "add")
        return out

    def backward(self, ctx, gy):
        return get_item(gy, self._key)


def indexed_shape(shape, key) -> tuple:
    """The shape of an indexed tensor with open dimensions.

    Raises:
        ValueError: for more indices than axes, or an index beyond a known dimension.
    """
    parts = list(key) if isinstance(key, tuple) else [key]
    used = sum(k is not None and k is not Ellipsis for k in parts)
    if used > len(shape):
        raise ValueError(f"Too many indices: {key} for a tensor of shape {tuple(shape)}")
    if Ellipsis not in [k for k in parts if not hasattr(k, "shape")]:
        parts.append(Ellipsis)
    out, left = [], list(shape)
    for k in parts:
        if k is None:
            out.append(1)
        elif k is Ellipsis:
            rest = len(left) - sum(v is not None and v is not Ellipsis for v in parts[parts.index(Ellipsis) + 1 :])
            out, left = out + left[:rest], left[rest:]
        elif isinstance(k, builtins.slice):
            d = left.pop(0)
            out.append(None if d is None else len(range(*_plain(k).indices(d))))
        elif isinstance(k, (int, np.integer)):
            d = left.pop(0)
            if d is not None and not -d <= k < d:
                raise ValueError(f"Index {k} is out of bounds for a dimension of {d} in shape {tuple(shape)}")
        else:
            left.pop(0)
            out.extend(np.shape(k) if not hasattr(k, "shape") else k.shape)
    return tuple(out)


def get_item(x, key):
    """x[key]."""
    return GetItem()(x, key)


class Take(Op):
    """Elements of x along an axis, by index."""

    def __init__(self, axis=None):
        self.axis = axis

    def infer(self, x, indices):
        if self.axis is None:
            return Spec(indices.shape, x.dtype)
        axis = shapes.normal_axis(self.axis, len(x.shape))
        return Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)

    def forward(self, ctx, x, indices):
        ctx.save(x.shape, indices)
        return ctx.kernels.xp.take(x, indices, self.axis)

    def backward(self, ctx, gy):
        shape, indices = ctx.saved
        if self.axis is None:
            return reshape(
                scatter_add_along(reshape(gy, (-1,)), indices.value.reshape(-1), shapes.size(shape), 0), shape
            ), None
        axis = shapes.normal_axis(self.axis, len(shape))
        flat = reshape(gy, (*shape[:axis], -1, *shape[axis + 1 :]))
        return scatter_add_along(flat, indices.value.reshape(-1), shape[axis], axis), None


def take(x, indices, axis=None):
    """Elements of x at `indices` along `axis` (None: of the flattened tensor); negative ones count from the end."""
    return Take(axis)(x, indices if isinstance(indices, KerasTensor) else Tensor(as_array(indices)))


class ScatterAddAlong(Op):
    """Zeros, with slices of x along an axis added at indices."""

    def __init__(self, index, length, axis):
        self._index, self._length, self._axis = index, length, axis

    def forward(self, ctx, x):
        moved = np.moveaxis(x, self._axis, 0)
        out = ctx.kernels.xp.zeros((self._length, *moved.shape[1:]), x.dtype)
        return np.moveaxis(ctx.kernels.combine_at(out, self._index, moved, "add"), 0, self._axis)

    def backward(self, ctx, gy):
        return take(gy, self._index, self._axis)


def scatter_add_along(x, index, length: int | None, axis):
    """Zeros of `length` along `axis`, with x's slices added at `index`."""
    return ScatterAddAlong(index, length, axis)(x)


class TakeAlongAxis(Op):
    """Elements of x along an axis, an index for each place."""

    def __init__(self, axis=None):
        self.axis = axis

    def infer(self, x, indices):
        return Spec(indices.shape, x.dtype)

    def forward(self, ctx, x, indices):
        ctx.save(x.shape, indices)
        return ctx.kernels.xp.take_along_axis(x, indices, self.axis)

    def backward(self, ctx, gy):
        shape, indices = ctx.saved
        grids = list(np.ogrid[tuple(builtins.slice(d) for d in indices.shape)])
        axis = shapes.normal_axis(self.axis, len(shape))
        grids[axis] = indices.value
        return PutBack(tuple(grids), shape)(gy), None


def take_along_axis(x, indices, axis=None):
    """Elements of x at `indices`, which has x's rank, along `axis`."""
    if axis is None:
        return take_along_axis(ravel(x), np.ravel(as_array(indices)), 0)
    return TakeAlongAxis(axis)(x, indices)


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
    num_classes = kwargs.pop("num_tokens", num_classes)
    if kwargs:
        raise TypeError(f"multi_hot got unexpected keyword arguments: {sorted(kwargs)}")
    hot = one_hot(inputs, num_classes, axis, dtype, sparse)
    return reduce.max(hot, axis=1 if len(inputs.shape) > 1 else 0)


def nonzero(x):
    """The indices of what is not zero, a tensor for each axis."""
    return tuple(Tensor(i.astype(np.int32)) for i in np.nonzero(as_array(x)))


class ScatterUpdate(Op):
    """x with values put, or combined, at indices."""

    module = "keras.src.ops.core"

    def __init__(self, reduction=None):
        self.reduction = reduction

    def infer(self, x, indices, updates):
        return Spec(x.shape, x.dtype)

    def forward(self, ctx, x, indices, updates):
        y = x.copy()
        key = tuple(indices[..., i] for i in range(indices.shape[-1]))
        how = {"add": "add", "max": "maximum", "min": "minimum", "mul": "multiply"}.get(self.reduction)
        if how is None:
            y[key] = updates
        else:
            y = ctx.kernels.combine_at(y, key, updates, how)
        ctx.save(indices)
        return y

    def backward(self, ctx, gy):
        (indices,) = ctx.saved
        if self.reduction not in (None, "add"):
            raise NotImplementedError(
                f"the gradient of scatter_update with reduction={self.reduction!r} is not supported by kerasish yet"
            )
        key = tuple(indices.value[..., i] for i in range(indices.shape[-1]))
        mask = ctx.kernels.xp.ones(gy.shape, gy.dtype)
        if self.reduction is None:
            mask[key] = 0
        return gy * mask, None, get_item(gy, key)


def scatter_update(inputs, indices, updates, reduction: str | None = None):
    """inputs with `updates` put (or combined by `reduction`) at `indices` of shape (..., rank)."""
    return ScatterUpdate(reduction)(inputs, indices, updates)


def scatter(indices, values, shape):
    """Zeros of `shape` with `values` added at `indices`."""
    return scatter_update(np.zeros(shape, spec_dtype(values)), indices, values, "add")


def slice(inputs, start_indices, shape):
    """The block of `inputs` that starts at `start_indices` and has shape `shape`."""
    starts = [int(i) for i in start_indices]
    lengths = [d - s if n == -1 else n for s, n, d in zip(starts, shape, inputs.shape)]
    return get_item(inputs, tuple(builtins.slice(s, s + n) for s, n in zip(starts, lengths)))


class SliceUpdate(Op):
    """x with a block replaced."""

    module = "keras.src.ops.core"

    def __init__(self, start_indices):
        self._starts = tuple(int(i) for i in start_indices)

    def _key(self, updates):
        return tuple(builtins.slice(s, s + d) for s, d in zip(self._starts, updates.shape))

    def infer(self, x, updates):
        return Spec(x.shape, x.dtype)

    def forward(self, ctx, x, updates):
        y = x.copy()
        y[self._key(updates)] = updates
        ctx.save(updates.shape)
        return y

    def backward(self, ctx, gy):
        mask = ctx.kernels.xp.ones(gy.shape, gy.dtype)
        key = tuple(builtins.slice(s, s + d) for s, d in zip(self._starts, ctx.saved[0]))
        mask[key] = 0
        return gy * mask, get_item(gy, key)


def slice_update(inputs, start_indices, updates):
    """inputs with `updates` written at `start_indices`."""
    return SliceUpdate(start_indices)(
        inputs, to_dtype(updates, spec_dtype(inputs)) if not isinstance(updates, KerasTensor) else updates
    )


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


bind("get_item", get_item)
