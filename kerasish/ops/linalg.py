"""Products of matrices and tensors, and norms."""

from __future__ import annotations

import string

import numpy as np

from kerasish import names as _names
from kerasish.config import epsilon as default_epsilon
from kerasish.core import dtypes, shapes
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.operators import bind
from kerasish.core.tensor import Tensor, as_array
from kerasish.device import put
from kerasish.ops import reduce
from kerasish.ops.broadcasting import broadcast_to, sum_to
from kerasish.ops.composite import composite
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.elementwise import maximum, multiply, rsqrt, spec_dtype, square
from kerasish.ops.matrix import norm, qr  # noqa: F401
from kerasish.ops.shaping import expand_dims, reshape, squeeze, transpose
from kerasish.ops.table import cast, to_dtype
from kerasish.ops.tiling import diagonal


def product_dtype(*found) -> str:
    """The dtype of sums of products: bytes add up to int32."""
    return "int32" if set(found) == {"int8"} else dtypes.result_type(*found)


class Matmul(Op):
    """a @ b over the last two axes, each optionally transposed."""

    def __init__(self, transpose_a=False, transpose_b=False):
        self._flip = transpose_a, transpose_b

    def prepare(self, inputs):
        dtype = product_dtype(*(spec_dtype(x) for x in inputs))
        return [to_dtype(x, dtype) for x in inputs]

    def infer(self, a, b):
        return Spec(shapes.matmul(a.shape, b.shape), product_dtype(a.dtype, b.dtype))

    def forward(self, ctx, a, b):
        ctx.save(a, b)
        return ctx.kernels.matmul(a, b, *self._flip)

    def backward(self, ctx, gy):
        a, b = ctx.saved
        flip_a, flip_b = self._flip
        need_a, need_b = ctx.needs
        ga = gb = None
        if need_a:
            ga = _product(b, gy, flip_b, True) if flip_a else _product(gy, b, False, not flip_b)
            ga = sum_to(ga, a.shape)
        if need_b:
            gb = _product(gy, a, True, flip_a) if flip_b else _product(a, gy, not flip_a, False)
            gb = sum_to(gb, b.shape)
        return ga, gb


def _product(a, b, flip_a=False, flip_b=False):
    return Matmul(flip_a, flip_b)(a, b)


def matmul(x1, x2):
    """The matrix product over the last two axes, the others broadcasting; vectors as in NumPy."""
    rank1, rank2 = (len(x.shape) if hasattr(x, "shape") else np.ndim(x) for x in (x1, x2))
    if rank1 > 1 and rank2 > 1 or any(hasattr(x, "_keras_history") for x in (x1, x2)):
        return Matmul()(x1, x2)
    shapes.matmul(
        np.shape(x1) if not hasattr(x1, "shape") else x1.shape, np.shape(x2) if not hasattr(x2, "shape") else x2.shape
    )
    left = expand_dims(x1, 0) if rank1 == 1 else x1
    right = expand_dims(x2, -1) if rank2 == 1 else x2
    y = Matmul()(left, right)
    gone = tuple(a for a, rank in ((-2, rank1), (-1, rank2)) if rank == 1)
    return squeeze(y, gone)


def _rank(x) -> int:
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


def _tensordot_axes(axes, shape1, shape2):
    """The axes of each side that are summed over.

    Raises:
        ValueError: if an axis is out of range, or the two sides' lengths differ.
    """
    rank1, rank2 = len(shape1), len(shape2)
    if isinstance(axes, int):
        if axes > min(rank1, rank2):
            raise ValueError(f"`axes={axes}` exceeds the rank of shape {tuple(shape1)} or {tuple(shape2)}")
        left, right = list(range(rank1 - axes, rank1)), list(range(axes))
    else:
        left, right = (
            [shapes.normal_axis(a, r) for a in (v if hasattr(v, "__iter__") else (v,))]
            for v, r in zip(axes, (rank1, rank2))
        )
    found = [shape1[a] for a in left], [shape2[a] for a in right]
    if len(left) != len(right) or any(None not in (m, n) and m != n for m, n in zip(*found)):
        raise ValueError(
            f"Shape mismatch on `x1[axes[0]]` and `x2[axes[1]]`, received {found[0]} and {found[1]} "
            f"(shapes {tuple(shape1)} and {tuple(shape2)}, axes={axes})."
        )
    return left, right


def _kept(shape, gone):
    return [d for i, d in enumerate(shape) if i not in gone]


def _tensordot_spec(x1, x2, axes=2):
    a, b = spec_of(x1), spec_of(x2)
    if isinstance(axes, int):  # whether lengths agree is found out at the run, as in Keras
        kept = (*a.shape[: len(a.shape) - max(axes, 0)], *b.shape[max(axes, 0) :])
        return Spec(kept, dtypes.result_type(a.dtype, b.dtype))
    left, right = _tensordot_axes(axes, a.shape, b.shape)
    return Spec((*_kept(a.shape, left), *_kept(b.shape, right)), dtypes.result_type(a.dtype, b.dtype))


@composite("keras.src.ops.numpy", inputs=2, infer=_tensordot_spec)
def tensordot(x1, x2, axes=2):
    """The sum of products over axes: the last `axes` of x1 with the first of x2, or two lists of them."""
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    left, right = _tensordot_axes(axes, x1.shape, x2.shape)
    kept1, kept2 = _kept(range(len(x1.shape)), left), _kept(range(len(x2.shape)), right)
    inner = shapes.size(x2.shape[i] for i in right)
    rows, columns = _kept(x1.shape, left), _kept(x2.shape, right)
    a = reshape(_ordered(x1, kept1 + left), (shapes.size(rows), inner))
    b = reshape(_ordered(x2, right + kept2), (inner, shapes.size(columns)))
    return cast(reshape(matmul(a, b), (*rows, *columns)), dtypes.result_type(x1.dtype, x2.dtype))


def _ordered(x, order):
    return x if order == list(range(len(order))) else transpose(x, order)


def _dot_spec(x1, x2):
    a, b = spec_of(x1), spec_of(x2)
    dtype = dtypes.result_type(a.dtype, b.dtype)
    if not a.shape or not b.shape:
        return Spec((*a.shape, *b.shape), dtype)
    if len(b.shape) <= 2:
        return Spec(shapes.matmul(a.shape, b.shape), dtype)
    return _tensordot_spec(a, b, [[len(a.shape) - 1], [len(b.shape) - 2]])


@composite("keras.src.ops.numpy", inputs=2, infer=_dot_spec)
def dot(x1, x2):
    """NumPy's dot product."""
    rank1, rank2 = _rank(x1), _rank(x2)
    if rank1 == 0 or rank2 == 0:
        return multiply(x1, x2)
    if rank2 > 2:
        return tensordot(x1, x2, [[rank1 - 1], [rank2 - 2]])
    return cast(matmul(x1, x2), dtypes.result_type(spec_dtype(x1), spec_dtype(x2)))


def _vdot_spec(x1, x2):
    return Spec((), dtypes.result_type(spec_of(x1).dtype, spec_of(x2).dtype))


@composite("keras.src.ops.numpy", inputs=2, infer=_vdot_spec)
def vdot(x1, x2):
    """The dot product of the flattened tensors; of halves, too, summed in float32."""
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    if x1.dtype.startswith("complex"):
        x1 = to_dtype(as_array(x1).conj(), x1.dtype)
    return dot(reshape(x1, (-1,)), reshape(x2, (-1,)))


def _inner_spec(x1, x2):
    a, b = spec_of(x1), spec_of(x2)
    if not a.shape or not b.shape:
        return Spec((*a.shape, *b.shape), dtypes.result_type(a.dtype, b.dtype))
    if None not in (a.shape[-1], b.shape[-1]) and a.shape[-1] != b.shape[-1]:
        raise ValueError(
            "`inner` requires the last dimension of `x1` and `x2` to match. Received: x1.shape="
            f"{tuple(a.shape)}, x2.shape={tuple(b.shape)}."
        )
    return _tensordot_spec(a, b, [[-1], [-1]])


@composite("keras.src.ops.numpy", inputs=2, infer=_inner_spec)
def inner(x1, x2):
    """Products summed over the last axes; with a scalar, its multiples.

    Raises:
        ValueError: if these axes have other lengths.
    """
    if _rank(x1) == 0 or _rank(x2) == 0:
        return multiply(x1, x2)
    _inner_spec(x1, x2)
    return tensordot(x1, x2, [[-1], [-1]])


@composite("keras.src.ops.numpy", inputs=2)
def outer(x1, x2):
    """All products of two vectors' elements."""
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


class Einsum(Op):
    """Products summed as a formula says."""

    def __init__(self, subscripts):
        self.subscripts = subscripts

    def infer(self, *specs):
        inputs, output = einsum_terms(self.subscripts, [len(s.shape) for s in specs])
        sizes: dict = {}
        for written, term, spec in zip(einsum_written(self.subscripts), inputs, specs):
            for letter, d in _lengths(written, term, spec.shape).items():
                known = sizes.get(letter, 1)
                if None not in (known, d) and 1 not in (known, d) and known != d:
                    raise ValueError(
                        f"einsum({self.subscripts!r}): letter {letter!r} has the lengths {known} and {d} in operands "
                        f"of shapes {[tuple(s.shape) for s in specs]}"
                    )
                sizes[letter] = d if known == 1 or (known is None and d != 1) else known
        return Spec(tuple(sizes[c] for c in output), product_dtype(*(s.dtype for s in specs)))

    prepare = Matmul.prepare

    def forward(self, ctx, *arrays):
        ctx.save(*arrays)
        inputs, output = einsum_terms(self.subscripts, [a.ndim for a in arrays])
        return ctx.kernels.einsum(f"{','.join(inputs)}->{output}", *arrays)

    def backward(self, ctx, gy):
        arrays = ctx.saved
        inputs, output = einsum_terms(self.subscripts, [a.ndim for a in arrays])
        return [self._gradient(i, inputs, output, arrays, gy) if need else None for i, need in enumerate(ctx.needs)]

    @staticmethod
    def _gradient(i, inputs, output, arrays, gy):
        terms = [output] + [t for j, t in enumerate(inputs) if j != i]
        others = [a for j, a in enumerate(arrays) if j != i]
        letters = "".join(dict.fromkeys(inputs[i]))  # each once, though a diagonal has one twice
        sizes = dict(zip(inputs[i], arrays[i].shape))
        there = "".join(c for c in letters if any(c in t for t in terms))
        g = einsum(f"{','.join(terms)}->{there}", gy, *others)
        if there != letters:
            shape = [sizes[c] if c in there else 1 for c in letters]
            g = broadcast_to(reshape(g, shape), [sizes[c] for c in letters])
        g = _on_diagonals(g, letters, inputs[i], sizes) if letters != inputs[i] else g
        return sum_to(g, arrays[i].shape)


def _lengths(written, term, shape) -> dict:
    """The length of each letter of an operand, of those that it has several of as in Keras: the first one's, but the
    last one's behind an ellipsis.
    """
    behind = len(written.partition("...")[2])
    ahead = len(term) - behind
    pairs = list(zip(term, shape))
    return dict([*pairs[ahead:], *reversed(pairs[:ahead])])


def _on_diagonals(g, letters, term, sizes):
    """g, which has each letter once, on the diagonals of a tensor whose axes `term` names, zeros elsewhere."""
    spare = iter(c for c in string.ascii_letters if c not in term)
    axes, pairs, seen = "", [], set()
    for c in term:
        axes += next(spare) if c in seen else c
        if c in seen:
            pairs.append((c, axes[-1]))
        seen.add(c)
    masks = [Tensor(put(np.eye(sizes[c], dtype=dtypes.numpy_dtype(g.dtype)), g.value)) for c, _ in pairs]
    return einsum(f"{','.join([letters, *(a + b for a, b in pairs)])}->{axes}", g, *masks)


def einsum_written(subscripts: str) -> list[str]:
    """The operands' parts of Einstein's formula."""
    return subscripts.replace(" ", "").partition("->")[0].split(",")


def einsum_terms(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    """Einstein's formula with its ellipses and its implicit output written out.

    Raises:
        ValueError: if the formula does not fit the number of operands or their ranks.
    """
    _, arrow, right = subscripts.replace(" ", "").partition("->")
    if "->" in right:
        raise ValueError(f"At most one '->' is supported in `einsum` subscripts, but received {subscripts}.")
    written = einsum_written(subscripts)
    if len(written) != len(ranks):
        raise ValueError(
            f"Number of operands ({len(ranks)}) does not match the number of input specs ({len(written)}) in "
            f"`einsum`, received subscripts={subscripts}."
        )
    free = [c for c in string.ascii_letters if c not in subscripts]
    inputs, widest = [], 0
    for term, rank in zip(written, ranks):
        named = len(term.replace("...", ""))
        if named > rank or (named < rank and "..." not in term):
            raise ValueError(
                f"Number of dimensions in the subscript does not match the number of dimensions in the operand, "
                f"received subscript `{term}` and an operand of rank {rank}."
            )
        extra = rank - len(term.replace("...", ""))
        widest = max(widest, extra) if "..." in term else widest
        inputs.append(term.replace("...", "".join(free[:extra][::-1])))
    dots = "".join(free[:widest][::-1])
    if arrow:
        return inputs, right.replace("...", dots)
    letters = "".join(inputs)
    return inputs, dots + "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in dots))


def einsum(subscripts: str, *operands, **kwargs):
    """Products of the operands, summed as Einstein's formula `subscripts` says.

    Args:
        subscripts: such as "bij,jk->bik".
        *operands: tensors.
        **kwargs: TensorFlow's `name`, `optimize` and `greedy`, of no effect: the order of products is always optimized.

    Raises:
        TypeError: for other keyword arguments.
    """
    unknown = kwargs.keys() - {"name", "optimize", "greedy"}
    if unknown:
        raise TypeError(f"Invalid keyword arguments for einsum: {', '.join(sorted(unknown))}")
    return Einsum(subscripts)(*operands)


@composite("keras.src.ops.nn")
def normalize(x, axis=-1, order: int = 2, epsilon=None):
    """x divided by its norm along `axis`.

    Args:
        x: a tensor.
        axis: an int or a tuple.
        order: of the norm, an int from 1.
        epsilon: the least norm by which x is divided; the configured one by default.

    Raises:
        ValueError: for another order.
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order}")
    x = convert_to_tensor(x)
    x = x if x.shape else expand_dims(x, 0)
    epsilon = default_epsilon() if epsilon is None else epsilon
    if order == 2:
        return x * rsqrt(maximum(reduce.sum(square(x), axis, keepdims=True), epsilon**2))
    return x / maximum(norm(x, order, axis, keepdims=True), epsilon)


@composite("keras.src.ops.numpy")
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of the diagonal."""
    shapes.two_axes(axis1, axis2, _rank(x))
    return reduce.sum(diagonal(x, offset, axis1, axis2), -1)


bind("matmul", matmul)

_names.explain(__name__)
