"""Reductions of rows that share a segment id."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from kerasish.core.op import Op, Spec
from kerasish.ops.elementwise import equal, greater_equal, maximum
from kerasish.ops.indexing import take
from kerasish.ops.shaping import reshape
from kerasish.ops.table import cast


class _Segments(Op):
    """data (N, ...), ids (N,) -> (num_segments, ...). Rows with a negative id are left out.

    Attributes:
        how: how rows are combined.
    """

    module = "keras.src.ops.math"
    how: str

    def __init__(self, num_segments=None, sorted=False):
        self.num_segments, self.sorted = num_segments, sorted

    def infer(self, data, ids):
        _check(data.shape, ids.shape)
        return Spec((self.num_segments, *data.shape[1:]), data.dtype)

    def forward(self, ctx, data, ids):
        _check(data.shape, ids.shape)
        xp = ctx.kernels.xp
        last = int(ids.max()) if ids.size else -1
        count = last + 1 if self.num_segments is None else self.num_segments
        if last >= count:
            raise ValueError(f"segment id {last} is out of range: with num_segments={count} the last is {count - 1}")
        kept = ids >= 0
        out = xp.full((count, *data.shape[1:]), self.neutral(data.dtype), data.dtype)
        y = ctx.kernels.combine_at(out, ids[kept], data[kept], self.how)
        if self.sorted and self.num_segments is None:  # what TensorFlow knows to be sorted is 0 where there are no rows
            y[xp.bincount(ids[kept], minlength=count) == 0] = 0
        ctx.save(data, ids, y)
        return y

    @staticmethod
    def neutral(dtype):
        """What combines with a value to that value."""
        return 0


def _check(data_shape, ids_shape):
    if len(ids_shape) != 1:
        raise ValueError(
            f"Argument `segment_ids` should be an 1-D vector, got shape: {tuple(ids_shape)}. Flatten it, and the axes "
            "of `data` that it counts, by ops.reshape"
        )
    if not data_shape:
        raise IndexError("Argument `data` needs at least one axis, of rows. Received: data.shape=()")
    if None not in (ids_shape[0], data_shape[0]) and ids_shape[0] != data_shape[0]:
        raise ValueError(
            "Argument `segment_ids` and `data` should have same leading dimension. Got "
            f"{tuple(ids_shape)} v.s. {tuple(data_shape)}."
        )


def _rows(values, ids):
    """The row of `values` for each id, and 0 for those that were left out."""
    kept = reshape(cast(greater_equal(ids, 0), values.dtype), (-1, *[1] * (len(values.shape) - 1)))
    return take(values, maximum(ids, 0), 0) * kept


class SegmentSum(_Segments):
    """The sums."""

    how = "add"

    def backward(self, ctx, gy):
        _, ids, _ = ctx.saved
        return _rows(gy, ids), None


class _SegmentExtreme(_Segments):
    """The largest or smallest; the gradient is shared among ties."""

    def backward(self, ctx, gy):
        data, ids, y = ctx.saved
        held = cast(equal(data, take(y, maximum(ids, 0), 0)), gy.dtype)
        ties = SegmentSum(y.shape[0])(held, ids)
        return held * _rows(gy / maximum(ties, 1), ids), None


class SegmentMax(_SegmentExtreme):
    """The largest."""

    how = "maximum"

    @staticmethod
    def neutral(dtype):
        return _limits(dtype).min


class SegmentMin(_SegmentExtreme):
    """The smallest."""

    how = "minimum"

    @staticmethod
    def neutral(dtype):
        return _limits(dtype).max


def _limits(dtype):
    return np.iinfo(dtype) if dtype.kind in "iu" else ml_dtypes.finfo(dtype)


def segment_sum(data, segment_ids, num_segments: int | None = None, sorted: bool = False):
    """The sum of the rows that share a segment id.

    Args:
        data: (N, ...).
        segment_ids: (N,), integers; rows with a negative one are left out.
        num_segments: how many segments there are; one more than the largest id by default.
        sorted: whether ids are in order.

    Returns:
        (num_segments, ...), zeros where a segment has no rows.

    Raises:
        ValueError: for an id beyond `num_segments`, or shapes that do not fit.
    """
    return SegmentSum(num_segments, sorted)(data, segment_ids)


def segment_max(data, segment_ids, num_segments: int | None = None, sorted: bool = False):
    """The largest of the rows that share a segment id; arguments as those of `segment_sum`.

    Returns:
        (num_segments, ...), the dtype's lowest number where a segment has no rows.
    """
    return SegmentMax(num_segments, sorted)(data, segment_ids)


def segment_min(data, segment_ids, num_segments: int | None = None, sorted: bool = False):
    """The smallest of the rows that share a segment id; arguments as those of `segment_sum`.

    Returns:
        (num_segments, ...), the dtype's highest number where a segment has no rows.
    """
    return SegmentMin(num_segments, sorted)(data, segment_ids)
