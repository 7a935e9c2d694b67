"""Norms and factors of matrices."""

from __future__ import annotations

import numpy as np

from kerasish.core import shapes
from kerasish.core.autodiff import recording
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import Tensor
from kerasish.ops import reduce
from kerasish.ops.composite import composite
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.elementwise import absolute, not_equal, power, sqrt, square
from kerasish.ops.shaping import expand_dims, moveaxis, squeeze, transpose
from kerasish.ops.table import cast, float_of

LINALG = "keras.src.ops.linalg"


class SingularValues(Op):
    """x (..., M, N) -> (..., min(M, N)), descending."""

    keeps_constants = True  # the singular vectors: there is no second derivative

    def infer(self, x):
        rows, columns = x.shape[-2:]
        least = None if rows is None or columns is None else min(rows, columns)
        return Spec((*x.shape[:-2], least), x.dtype)

    def forward(self, ctx, x):
        u, s, vt = ctx.kernels.xp.linalg.svd(x, full_matrices=False)
        ctx.save(u, vt)
        return s

    def backward(self, ctx, gy):
        _refuse_second("norm with ord 2, -2 or 'nuc'")
        u, vt = ctx.saved
        return (u * expand_dims(gy, -2)) @ vt


def _refuse_second(what):
    if recording():
        raise NotImplementedError(f"the second derivative of ops.{what} is not supported by kerasish yet")


def _transposed(x):
    rank = len(x.shape)
    return transpose(x, (*range(rank - 2), rank - 1, rank - 2))


class Qr(Op):
    """x (..., M, N) -> q (..., M, K), r (..., K, N); K is min(M, N), or M if the mode is "complete"."""

    module = LINALG

    def __init__(self, mode="reduced"):
        if mode not in ("reduced", "complete"):
            raise ValueError(
                f"`mode` argument value not supported. Expected one of {{'reduced', 'complete'}}. Received: mode={mode}"
            )
        self.mode = mode

    def infer(self, x):
        if len(x.shape) < 2:
            raise ValueError(f"Input should have rank >= 2. Received: input.shape = {tuple(x.shape)}")
        rows, columns = x.shape[-2:]
        if rows is None or columns is None:
            raise ValueError(
                f"Input should have its last 2 dimensions fully-defined. Received: input.shape = {tuple(x.shape)}"
            )
        inner = rows if self.mode == "complete" else min(rows, columns)
        return Spec((*x.shape[:-2], rows, inner), x.dtype), Spec((*x.shape[:-2], inner, columns), x.dtype)

    def forward(self, ctx, x):
        self.infer(x)
        q, r = ctx.kernels.xp.linalg.qr(x, self.mode)
        ctx.save(q, r)
        return q, r

    def backward(self, ctx, gq, gr):
        """By Walter and Lehmann, 2018: symmetric and triangular parts of what a change of x does to q and r."""
        q, r = ctx.saved
        (rows, inner), columns = q.shape[-2:], r.shape[-1]
        if rows < columns or inner != columns:
            raise NotImplementedError(
                f"the gradient of ops.qr is supported by kerasish for mode='reduced' and at least as many rows as "
                f"columns; received mode={self.mode!r} and matrices of {rows} rows and {columns} columns"
            )
        _refuse_second("qr")
        gq, gr = (0.0 * y if g is None else g for g, y in ((gq, q), (gr, r)))
        mixed = r @ _transposed(gr) - _transposed(gq) @ q
        lower = np.tril(np.ones((columns, columns)), -1).astype(q.dtype)
        even = mixed * (lower + np.eye(columns, dtype=q.dtype)) + _transposed(mixed * lower)
        inverse = ctx.kernels.xp.linalg.inv(r.value)
        return (gq + q @ even) @ _transposed(Tensor(inverse))


def qr(x, mode: str = "reduced"):
    """The orthogonal and the triangular factor of the matrices in x (..., M, N).

    Args:
        x: the matrices.
        mode: "reduced" for factors (M, K) and (K, N), K being min(M, N); "complete" for (M, M) and (M, N).

    Raises:
        ValueError: for other modes, and for tensors of less than two axes.
    """
    return Qr(mode)(x)


def _norm_axes(axis, rank):
    axes = tuple(range(rank)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    if any(not -rank <= a < rank for a in axes):
        raise ValueError(
            f"All `axis` values must be in the range [-ndim, ndim). Received inputs with ndim={rank}, while axis={axes}"
        )
    return tuple(a % rank for a in axes)


@composite(LINALG)
def norm(x, ord=None, axis=None, keepdims: bool = False):
    """A vector's or matrix's norm, as NumPy's `linalg.norm`.

    Args:
        x: a tensor.
        ord: of vectors a number or an infinity; of matrices 1, 2, an infinity, their negatives, "fro" or "nuc".
        axis: one axis for vectors, two for matrices, None for all axes of x.
        keepdims: whether these axes stay, with length 1.

    Raises:
        ValueError: for other orders and numbers of axes.
    """
    x = convert_to_tensor(x)
    x, axes = cast(x, float_of(x.dtype)), _norm_axes(axis, len(x.shape))
    if isinstance(ord, str) and ord not in ("fro", "nuc"):
        raise ValueError(
            f"Invalid `ord` argument. Expected one of {{'fro', 'nuc'}} when using string. Received: ord={ord}"
        )
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError(f"Invalid axis values. Received: axis={axes}")


def _vector_norm(x, ord, axis, keepdims):
    if isinstance(ord, str):
        raise ValueError(f"Invalid `ord` argument for vector norm. Received: ord={ord}")
    if ord is None or ord == 2:
        return sqrt(reduce.sum(square(x), axis, keepdims))
    if ord in (np.inf, -np.inf):
        return (reduce.max if ord > 0 else reduce.min)(absolute(x), axis, keepdims)
    if ord == 0:
        return reduce.sum(cast(not_equal(x, 0), x.dtype), axis, keepdims)
    if ord == 1:
        return reduce.sum(absolute(x), axis, keepdims)
    return power(reduce.sum(power(absolute(x), float(ord)), axis, keepdims), 1.0 / ord)


def _matrix_norm(x, ord, axes, keepdims):
    if ord is None or ord == "fro":
        return sqrt(reduce.sum(square(x), axes, keepdims))
    if ord in (1, -1, np.inf, -np.inf):
        across, along = axes if abs(ord) == 1 else axes[::-1]
        sums = reduce.sum(absolute(x), across, keepdims=True)
        y = (reduce.max if ord > 0 else reduce.min)(sums, along, keepdims=True)
    elif ord in (2, -2, "nuc"):
        values = SingularValues()(moveaxis(x, axes, (-2, -1)))
        y = reduce.sum(values, -1) if ord == "nuc" else (reduce.max if ord > 0 else reduce.min)(values, -1)
        return expand_dims(y, shapes.axes(axes, len(x.shape))) if keepdims else y
    else:
        raise ValueError(f"Invalid `ord` argument for matrix norm. Received: ord={ord}")
    return y if keepdims else squeeze(y, axes)
