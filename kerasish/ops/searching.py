"""Searching and counting; none of these ops has a derivative, but for the weights of `bincount`."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes, shapes
from kerasish.core.op import Op, Spec
from kerasish.ops.indexing import take, take_along_axis
from kerasish.ops.table import tensor_of, to_dtype


class InTopK(Op):
    """targets (N,), predictions (N, C) -> (N,), whether each target is among the k largest."""

    module = "keras.src.ops.math"
    differentiable = False

    def __init__(self, k):
        self.k = k

    def infer(self, targets, predictions):
        return Spec(targets.shape, "bool")

    def forward(self, ctx, targets, predictions):
        xp = ctx.kernels.xp
        if targets.ndim != 1 or predictions.ndim != 2:
            raise ValueError(
                "ops.in_top_k takes targets of shape (N,) and predictions of shape (N, C). "
                f"Received: targets.shape={targets.shape}, predictions.shape={predictions.shape}"
            )
        inside = (targets >= 0) & (targets < predictions.shape[-1])
        own = predictions[xp.arange(len(targets)), xp.where(inside, targets, 0)]
        above = (predictions > own[:, None]).sum(-1)
        return inside & xp.isfinite(predictions).all(-1) & (above < self.k)


def in_top_k(targets, predictions, k):
    """Whether each target's prediction is among the k largest of its row; ties count, a row with NaN does not."""
    return InTopK(k)(targets, predictions)


def _comparable(x):
    """x in a dtype that NumPy orders: it searches among bfloat16's as if NaN were between them."""
    return x.astype(np.float32) if dtypes.name_of(x) == "bfloat16" else x


class SearchSorted(Op):
    """Where values would have to be put to keep a sequence sorted."""

    differentiable = False

    def __init__(self, side="left"):
        self.side = side

    def infer(self, sorted_sequence, values):
        self._check(sorted_sequence.shape)
        return Spec(values.shape, "int64" if sorted_sequence.shape[0] is None else "int32")

    def forward(self, ctx, sorted_sequence, values):
        self._check(sorted_sequence.shape)
        xp = ctx.kernels.xp
        limits, values = (_comparable(x) for x in (sorted_sequence, values))
        found = xp.searchsorted(limits, values, self.side).astype(np.int32)
        if self.side == "right" or values.dtype.kind != "f":
            return found
        return xp.where(xp.isnan(values), np.int32(0), found)  # no limit is less than NaN

    @staticmethod
    def _check(shape):
        if len(shape) != 1:
            raise ValueError(
                "`searchsorted` only supports 1-D sorted sequences. You can use `keras.ops.vectorized_map` to extend "
                f"it to N-D sequences. Received: sorted_sequence.shape={tuple(shape)}"
            )


def searchsorted(sorted_sequence, values, side: str = "left"):
    """Where values would have to be put to keep a sequence sorted.

    Args:
        sorted_sequence: (M,), in ascending order.
        values: of any shape.
        side: "left" or "right" of equal elements.

    Raises:
        ValueError: for a sequence of more axes, or another side.
    """
    if side not in ("left", "right"):
        raise ValueError(f"Argument `side` must be either 'right' or 'left'. Received: `side` = {side!r}.")
    return SearchSorted(side)(sorted_sequence, values)


class Digitize(Op):
    """The bin of each element."""

    differentiable = False

    def infer(self, x, bins):
        if len(bins.shape) != 1:
            raise ValueError(f"`bins` must have one axis. Received: bins.shape={tuple(bins.shape)}")
        return Spec(x.shape, "int32")

    def forward(self, ctx, x, bins):
        if bins.ndim != 1:
            raise TypeError(f"`bins` must have one axis. Received: bins.shape={bins.shape}")
        return ctx.kernels.xp.digitize(_comparable(x), _comparable(bins)).astype(np.int32)


def digitize(x, bins):
    """The bin of each element: the number of `bins`, which ascend, that are not above it."""
    return Digitize()(x, bins)


class Bincount(Op):
    """x (..., M) -> (..., L), how often each integer occurs along the last axis, or the sums of its weights."""

    def __init__(self, minlength=0):
        self.minlength = minlength

    def infer(self, x, weights=None):
        return Spec((*x.shape[:-1], None), self._dtype(x, weights))

    @staticmethod
    def _dtype(x, weights) -> str:
        return "int32" if weights is None else dtypes.result_type(x.dtype, weights.dtype)

    def prepare(self, inputs):
        x, *weights = (tensor_of(v) for v in inputs)
        return (to_dtype(x, "int32"), *(to_dtype(w, self._dtype(x, w)) for w in weights))

    def forward(self, ctx, x, weights=None):
        xp = ctx.kernels.xp
        if weights is not None and weights.shape != x.shape:
            raise ValueError(f"`weights` must have x's shape. Received: {weights.shape} and x.shape={x.shape}")
        if x.size and int(x.min()) < 0:
            raise ValueError(f"ops.bincount counts non-negative integers. Received: {int(x.min())} among them")
        length = max(int(x.max()) + 1 if x.size else 0, self.minlength)
        counts = xp.zeros((*x.shape[:-1], length), np.int32 if weights is None else weights.dtype)
        key = (*xp.ix_(*map(xp.arange, x.shape))[:-1], x)
        ctx.save(x)
        return ctx.kernels.combine_at(counts, key, 1 if weights is None else weights, "add")

    def backward(self, ctx, gy):
        (x,) = ctx.saved
        if len(ctx.needs) == 1:
            return (None,)
        return None, take(gy, x, 0) if len(x.shape) == 1 else take_along_axis(gy, x, -1)


def bincount(x, weights=None, minlength: int = 0, sparse: bool = False):
    """How often each integer occurs along the last axis, or the weights' sums.

    Args:
        x: non-negative integers.
        weights: what each counts, in x's shape; 1 by default.
        minlength: the least number of counts.
        sparse: must be False: there are no sparse tensors.

    Raises:
        ValueError: for a negative integer, or `sparse`.
    """
    if sparse:
        raise ValueError("Unsupported value `sparse=True`: kerasish has no sparse tensors")
    return Bincount(minlength)(x) if weights is None else Bincount(minlength)(x, weights)


class Unique(Op):
    """The different elements of x, or slices along an axis."""

    differentiable = False

    def __init__(
        self,
        sorted=True,
        return_index=False,
        return_inverse=False,
        return_counts=False,
        axis=None,
        size=None,
        fill_value=None,
    ):
        self.sorted, self.axis, self.size, self.fill_value = sorted, axis, size, fill_value
        self.return_index, self.return_inverse, self.return_counts = return_index, return_inverse, return_counts

    def _asked(self, index, inverse, counts) -> list:
        asked = ((index, self.return_index), (inverse, self.return_inverse), (counts, self.return_counts))
        return [v for v, wanted in asked if wanted]

    def infer(self, x):
        if self.axis is None:
            shape, inverse = (self.size,), x.shape
        else:
            axis = shapes.normal_axis(self.axis, len(x.shape))
            shape, inverse = (*x.shape[:axis], self.size, *x.shape[axis + 1 :]), (x.shape[axis],)
        number = Spec((self.size,), "int32")
        more = self._asked(number, Spec(inverse, "int32"), number)
        return (Spec(shape, x.dtype), *more) if more else Spec(shape, x.dtype)

    def forward(self, ctx, x):
        xp = ctx.kernels.xp
        values, index, inverse, counts = xp.unique(x, True, True, True, axis=self.axis, equal_nan=False)
        if not self.sorted:
            order = xp.argsort(index)
            values, index, counts = xp.take(values, order, self.axis or 0), index[order], counts[order]
            inverse = xp.argsort(order)[inverse]
        if self.size is not None:
            values, index, counts = self._resized(values, index, counts)
        more = [v.astype(np.int32) for v in self._asked(index, inverse, counts)]
        return (values, *more) if more else values

    def _resized(self, values, index, counts):
        """Results cut or filled up to `size`; what is filled up has index 1 and count 0, as in Keras."""
        axis, size = self.axis or 0, self.size
        lack = max(size - values.shape[axis], 0)
        width = [(0, lack if i == axis % values.ndim else 0) for i in range(values.ndim)]
        values = np.pad(values, width, constant_values=0 if self.fill_value is None else self.fill_value)
        values = np.take(values, range(size), axis)
        return values, np.pad(index, (0, lack), constant_values=1)[:size], np.pad(counts, (0, lack))[:size]


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
    """The different elements of x.

    Args:
        x: the tensor.
        sorted: whether in ascending order; if not, in the order in which they occur first.
        return_index: whether to give where each occurs first.
        return_inverse: whether to give the number of each element of x among the different ones.
        return_counts: whether to give how often each occurs.
        axis: compare slices along an axis; None compares elements.
        size: how many to give; what lacks is filled up.
        fill_value: what to fill with; 0 by default.

    Returns:
        The elements, or a tuple of them and what was asked for.
    """
    return Unique(sorted, return_index, return_inverse, return_counts, axis, size, fill_value)(x)
