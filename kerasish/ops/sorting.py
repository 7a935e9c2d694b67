"""Order: sorting, searching, counting. Gradients pass through the chosen elements."""

from __future__ import annotations

import numpy as np

from kerasish.core import shapes
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import Tensor, as_array
from kerasish.device import array_module
from kerasish.ops.elementwise import cast
from kerasish.ops.indexing import take_along_axis


class Argsort(Op):
    """The order of x's elements."""

    differentiable = False

    def __init__(self, axis=-1):
        self.axis = axis

    def infer(self, x):
        return Spec(x.shape if self.axis is not None else (shapes.size(x.shape),), "int32")

    def forward(self, ctx, x):
        return ctx.kernels.xp.argsort(x, self.axis, kind="stable").astype(np.int32)


def argsort(x, axis=-1):
    """The indices that would sort x along `axis`; equal elements keep their order."""
    return Argsort(axis)(x)


class Sort(Op):
    """x in ascending order."""

    def __init__(self, axis=-1):
        self.axis = axis

    def infer(self, x):
        return Spec(x.shape if self.axis is not None else (shapes.size(x.shape),), x.dtype)

    def call(self, x):
        return take_along_axis(x, argsort(x, self.axis), self.axis)


def sort(x, axis=-1):
    """x sorted along `axis`, ascending."""
    return Sort(axis)(x)


class TopK(Op):
    """The k largest along the last axis."""

    module = "keras.src.ops.math"

    def __init__(self, k, sorted=True):
        self.k, self.sorted = k, sorted

    def infer(self, x):
        shape = (*x.shape[:-1], self.k)
        return Spec(shape, x.dtype), Spec(shape, "int32")

    def call(self, x):
        array = as_array(x)
        order = np.argsort(-array if array.dtype.kind != "u" else array.max() - array, -1, kind="stable")
        index = Tensor(order[..., : self.k].astype(np.int32))
        return take_along_axis(x, index, -1), index


def top_k(x, k, sorted: bool = True):
    """The k largest along the last axis, and their indices; of equal ones the first come first."""
    return TopK(k, sorted)(x)


def in_top_k(targets, predictions, k):
    """Whether each target's prediction is among the k largest of its row; ties count, NaN does not."""
    targets, predictions = as_array(targets), as_array(predictions)
    rows = array_module(predictions).arange(len(targets))
    inside = (targets >= 0) & (targets < predictions.shape[-1])
    own = predictions[rows, np.where(inside, targets, 0)]
    above = (predictions > own[:, None]).sum(-1)
    return Tensor(inside & np.isfinite(own) & (above < k))


def searchsorted(sorted_sequence, values, side: str = "left"):
    """Where values would have to be put to keep a sequence sorted."""
    sequence = as_array(sorted_sequence)
    if sequence.ndim != 1:
        raise ValueError(
            f"`searchsorted` only supports 1-D sorted sequences. Received: sorted_sequence.shape={sequence.shape}"
        )
    return Tensor(np.searchsorted(sequence, as_array(values), side).astype(np.int32))


def digitize(x, bins):
    """The bin of each element."""
    return Tensor(np.digitize(as_array(x), as_array(bins)).astype(np.int32))


def bincount(x, weights=None, minlength: int = 0, sparse: bool = False):
    """How often each integer occurs along the last axis, or the weights' sums."""
    if sparse:
        raise ValueError("Unsupported value `sparse=True`: kerasish has no sparse tensors")
    x, w = as_array(x), None if weights is None else as_array(weights)
    length = max(int(x.max()) + 1 if x.size else 0, minlength)
    rows = x.reshape(-1, x.shape[-1]) if x.ndim else x.reshape(1, 1)
    weight_rows = [None] * len(rows) if w is None else w.reshape(rows.shape)
    counts = np.stack([np.bincount(r, v, length) for r, v in zip(rows, weight_rows)])
    return Tensor(counts.reshape(*x.shape[:-1], -1).astype(np.int32 if w is None else w.dtype))


def unique(
    x,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value=None,
):
    """The different elements of x, in ascending order.

    Args:
        x: the tensor.
        sorted: of no effect: they always are.
        return_index: whether to give where each occurs first.
        return_inverse: whether to give the number of each element of x among the different ones.
        return_counts: whether to give how often each occurs.
        axis: compare slices along an axis; None compares elements.
        size: how many to give; what lacks is filled up.
        fill_value: what to fill with; 0 by default.

    Returns:
        The elements, or a tuple of them and what was asked for.
    """
    values, *more = np.unique(as_array(x), return_index=True, return_inverse=True, return_counts=True, axis=axis)
    index, inverse, counts = more
    if size is not None:
        values, index, counts = _resized(values, index, counts, size, axis or 0, fill_value)
    asked = ((index, return_index), (inverse, return_inverse), (counts, return_counts))
    out = [Tensor(values), *(Tensor(v.astype(np.int32)) for v, wanted in asked if wanted)]
    return out[0] if len(out) == 1 else tuple(out)


def _resized(values, index, counts, size, axis, fill_value):
    """The results of `unique` cut or filled up to `size`; what is filled up has index 1 and count 0, as in Keras."""
    lack = max(size - values.shape[axis], 0)
    fill = 0 if fill_value is None else fill_value
    width = [(0, lack if i == axis else 0) for i in range(values.ndim)]
    values = np.take(np.pad(values, width, constant_values=fill), range(size), axis)
    return values, np.pad(index, (0, lack), constant_values=1)[:size], np.pad(counts, (0, lack))[:size]


def median(x, axis=None, keepdims: bool = False):
    """The middle value."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


def quantile(x, q, axis=None, method: str = "linear", keepdims: bool = False):
    """The values below which fractions q of the elements lie."""
    array = as_array(x)
    array = array if array.dtype.kind == "f" else as_array(cast(x, "float32"))
    found = np.quantile(array, as_array(q).astype(array.dtype), axis, method=method, keepdims=keepdims)
    return Tensor(array_module(array).asarray(found, array.dtype))
