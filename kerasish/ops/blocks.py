"""Ops that write elements, and that read and write blocks of a tensor."""

from __future__ import annotations

import builtins

import numpy as np

from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, as_array
from kerasish.device import bring
from kerasish.ops.composite import composite, holds_symbolic
from kerasish.ops.elementwise import spec_dtype, where
from kerasish.ops.indexing import get_item
from kerasish.ops.shaping import as_tensor, concatenate, reshape
from kerasish.ops.table import to_dtype


class ScatterUpdate(Op):
    """x with values put, or combined, at indices."""

    module = "keras.src.ops.core"

    def __init__(self, reduction=None):
        if reduction not in (None, "add", "max", "min", "mul"):
            raise ValueError(f"Invalid reduction: {reduction}. Supported values are: None, 'add', 'max', 'min', 'mul'.")
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
        if self.reduction in (None, "add"):
            ctx.save(indices)
        else:
            ctx.save(indices, x, updates, y)
        return y

    def backward(self, ctx, gy):
        indices, *values = ctx.saved
        key = tuple(indices.value[..., i] for i in range(indices.shape[-1]))
        if self.reduction in ("max", "min"):
            return _shared(ctx, gy, key, *values)
        if self.reduction == "mul":
            return _of_product(ctx, gy, indices.value, *values[:2])
        rest = _without(ctx, gy, key) if self.reduction is None else gy
        return rest, None, get_item(gy, key)


def _without(ctx, gy, key):
    """gy, 0 at the elements of a key; also of what is infinite there."""
    kept = ctx.kernels.xp.ones(gy.shape, bool)
    kept[key] = False
    return where(Tensor(kept), gy, as_array(0, gy.dtype))


def _shared(ctx, gy, key, x, updates, y):
    """The gradients of the greatest or least, in equal parts to all that are it, as TensorFlow has it."""
    kept = (x.value == y.value).astype(gy.dtype)
    put = (updates.value == y.value[key]).astype(gy.dtype)
    share = gy / Tensor(ctx.kernels.combine_at(kept.copy(), key, put, "add"))
    return share * Tensor(kept), None, get_item(share, key) * Tensor(put)


def _of_product(ctx, gy, indices, x, updates):
    """The gradients of x times all updates of a place; the first ones of all places are one factor, and so on.

    So no factor is divided by, which might be 0.
    """
    turns = _turns(bring(indices) % np.array(x.shape[: indices.shape[-1]]))
    ones = ctx.kernels.xp.ones(x.shape, x.dtype)
    flat = reshape(updates, (len(turns), *updates.shape[indices.ndim - 1 :]))
    rows = [np.flatnonzero(turns == turn) for turn in range(turns.max(initial=-1) + 1)]
    places = indices.reshape(-1, indices.shape[-1])
    factors = [scatter_update(ones, places[r], get_item(flat, (r,))) for r in rows]
    before = [gy]
    for factor in factors:
        before.append(before[-1] * factor)
    found, behind = [], x
    for r, factor, product in reversed(list(zip(rows, factors, before))):
        found.append(get_item(product * behind, tuple(places[r].T)))
        behind = behind * factor
    if not found:
        return before[-1], None, None
    order = np.argsort(np.concatenate(rows[::-1]))
    return before[-1], None, reshape(get_item(concatenate(found, axis=0), (order,)), updates.shape)


def _turns(indices):
    """How many times each index, of (..., rank), has come before."""
    places = indices.reshape(-1, indices.shape[-1])
    _, which = np.unique(places, axis=0, return_inverse=True)
    which = which.reshape(-1)
    order = np.argsort(which, kind="stable")
    firsts = np.searchsorted(which[order], which[order])
    turns = np.empty(len(which), int)
    turns[order] = np.arange(len(which)) - firsts
    return turns


def scatter_update(inputs, indices, updates, reduction: str | None = None):
    """inputs with `updates` put (or combined by `reduction`) at `indices` of shape (..., rank)."""
    return ScatterUpdate(reduction)(inputs, indices, updates)


def _scatter_spec(indices, values, shape):
    return Spec(tuple(shape), spec_of(values).dtype)


@composite("keras.src.ops.core", inputs=2, infer=_scatter_spec)
def scatter(indices, values, shape):
    """Zeros of `shape` with `values` added at `indices`."""
    return scatter_update(np.zeros([int(d) for d in shape], spec_dtype(values)), indices, values, "add")


def _slice_spec(inputs, start_indices, shape):
    _check_slice(inputs.shape, start_indices, shape)
    told = not holds_symbolic(start_indices)
    lengths = [None if n == -1 and (d is None or not told) else int(n) for n, d in zip(shape, inputs.shape)]
    starts = start_indices if told else ()
    lengths = [int(d) - int(s) if n == -1 else n for n, d, s in zip(lengths, inputs.shape, starts)] if told else lengths
    return Spec(tuple(lengths), spec_of(inputs).dtype)


def _check_slice(x_shape, start_indices, shape):
    starts = start_indices.shape[0] if isinstance(start_indices, KerasTensor) else len(start_indices)
    for name, other, found in (("inputs", "shape", len(shape)), ("start_indices", "inputs", starts)):
        if found is not None and found != len(x_shape):
            raise ValueError(
                f"The number of dimensions in `{name}` must match the number of dimensions in `{other}`. Received "
                f"inputs.shape={tuple(x_shape)}, start_indices={start_indices} and shape={shape}"
            )


@composite("keras.src.ops.core", inputs=2, infer=_slice_spec)
def slice(inputs, start_indices, shape):
    """The block of `inputs` that starts at `start_indices` and has shape `shape`; -1 stands for all that is left.

    Raises:
        ValueError: if there are not as many starts and lengths as axes, or the block does not lie inside.
    """
    inputs = inputs if hasattr(inputs, "shape") else as_tensor(inputs)
    _check_slice(inputs.shape, start_indices, shape)
    starts = [int(i) for i in as_array(start_indices)]
    lengths = [d - s if n == -1 else int(n) for s, n, d in zip(starts, shape, inputs.shape)]
    if any(s < 0 or n < 0 or s + n > d for s, n, d in zip(starts, lengths, inputs.shape)):
        raise ValueError(
            f"A block of shape {tuple(lengths)} from {tuple(starts)} on does not lie inside of shape "
            f"{tuple(inputs.shape)}"
        )
    return get_item(inputs, tuple(builtins.slice(s, s + n) for s, n in zip(starts, lengths)))


class SliceUpdate(Op):
    """x with a block replaced."""

    module = "keras.src.ops.core"

    def infer(self, x, starts, updates):
        return Spec(x.shape, x.dtype)

    def prepare(self, inputs):
        x, starts, updates = inputs
        return x, as_array(starts), to_dtype(updates, spec_dtype(x))

    def forward(self, ctx, x, starts, updates):
        if updates.ndim != x.ndim or starts.shape != (x.ndim,):
            raise ValueError(
                f"`start_indices` and the shape of `updates` must have as many entries as `inputs` has axes. Received: "
                f"inputs.shape={x.shape}, start_indices of shape {starts.shape}, updates.shape={updates.shape}"
            )
        # a block that would reach over the end is moved back, as XLA does
        starts = [min(max(int(s), 0), d - n) for s, d, n in zip(starts, x.shape, updates.shape)]
        key = tuple(builtins.slice(s, s + n) for s, n in zip(starts, updates.shape))
        y = x.copy()
        y[key] = updates
        ctx.save(key)
        return y

    def backward(self, ctx, gy):
        (key,) = ctx.saved
        return _without(ctx, gy, key), None, get_item(gy, key)


def slice_update(inputs, start_indices, updates):
    """inputs with `updates` written at `start_indices`.

    Raises:
        ValueError: if `updates` has another rank.
    """
    return SliceUpdate()(inputs, start_indices, updates)
