"""Products of matrices and tensors, and norms."""

from __future__ import annotations

import string

import numpy as np

from kerasish import names as _names
from kerasish.config import epsilon as default_epsilon
from kerasish.core import dtypes, shapes
from kerasish.core.op import Op, Spec
from kerasish.core.operators import bind
from kerasish.core.tensor import Tensor, as_array
from kerasish.device import array_module
from kerasish.ops import reduce
from kerasish.ops.broadcasting import broadcast_to, sum_to
from kerasish.ops.composite import composite
from kerasish.ops.elementwise import absolute, maximum, power, rsqrt, spec_dtype, sqrt, square
from kerasish.ops.shaping import expand_dims, reshape, squeeze, transpose
from kerasish.ops.table import to_dtype
from kerasish.ops.tiling import diagonal


class Matmul(Op):
    """a @ b over the last two axes, each optionally transposed."""

    def __init__(self, transpose_a=False, transpose_b=False):
        self._flip = transpose_a, transpose_b

    def prepare(self, inputs):
        dtype = dtypes.result_type(*(spec_dtype(x) for x in inputs))
        return [to_dtype(x, dtype) for x in inputs]

    def infer(self, a, b):
        return Spec(shapes.matmul(a.shape, b.shape), dtypes.result_type(a.dtype, b.dtype))

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


@composite("keras.src.ops.numpy", inputs=2)
def tensordot(x1, x2, axes=2):
    """The sum of products over axes: the last `axes` of x1 with the first of x2, or two lists of them."""
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if isinstance(axes, int):
        left, right = list(range(rank1 - axes, rank1)), list(range(axes))
    else:
        left, right = ([a % r for a in (v if hasattr(v, "__iter__") else (v,))] for v, r in zip(axes, (rank1, rank2)))
    keep1 = [i for i in range(rank1) if i not in left]
    keep2 = [i for i in range(rank2) if i not in right]
    inner = shapes.size(x2.shape[i] for i in right)
    a = reshape(_ordered(x1, keep1 + left), (-1, inner))
    b = reshape(_ordered(x2, right + keep2), (inner, -1))
    out = [x1.shape[i] for i in keep1] + [x2.shape[i] for i in keep2]
    if out.count(None) == 1:
        out[out.index(None)] = -1
    return reshape(matmul(a, b), out)


def _ordered(x, order):
    return x if order == list(range(len(order))) else transpose(x, order)


@composite("keras.src.ops.numpy", inputs=2)
def dot(x1, x2):
    """NumPy's dot product."""
    rank1, rank2 = (len(x.shape) if hasattr(x, "shape") else np.ndim(x) for x in (x1, x2))
    if rank1 == 0 or rank2 == 0:
        return x1 * x2 if hasattr(x1, "__mul__") and not isinstance(x1, (int, float)) else x2 * x1
    return matmul(x1, x2) if rank2 <= 2 and rank1 >= 1 else tensordot(x1, x2, [[rank1 - 1], [rank2 - 2]])


def vdot(x1, x2):
    """The dot product of the flattened tensors."""
    return reduce.sum(reshape(x1, (-1,)) * reshape(x2, (-1,)))


@composite("keras.src.ops.numpy", inputs=2)
def inner(x1, x2):
    """Products summed over the last axes."""
    return tensordot(x1, x2, [[-1], [-1]])


@composite("keras.src.ops.numpy", inputs=2)
def outer(x1, x2):
    """All products of two vectors' elements."""
    return reshape(x1, (-1, 1)) * reshape(x2, (1, -1))


class Einsum(Op):
    """Products summed as a formula says."""

    def __init__(self, subscripts):
        self.subscripts = subscripts

    def infer(self, *specs):
        inputs, output = einsum_terms(self.subscripts, [len(s.shape) for s in specs])
        sizes: dict = {}
        for term, spec in zip(inputs, specs):
            for letter, d in zip(term, spec.shape):
                sizes[letter] = d if sizes.get(letter) in (None, 1) else sizes[letter]
        return Spec(tuple(sizes[c] for c in output), dtypes.result_type(*(s.dtype for s in specs)))

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
        there = "".join(c for c in inputs[i] if any(c in t for t in terms))
        g = einsum(f"{','.join(terms)}->{there}", gy, *others)
        if there != inputs[i]:
            shape = [d if c in there else 1 for c, d in zip(inputs[i], arrays[i].shape)]
            g = broadcast_to(reshape(g, shape), arrays[i].shape)
        return sum_to(g, arrays[i].shape)


def einsum_terms(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    """Einstein's formula with its ellipses and its implicit output written out."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    free = [c for c in string.ascii_letters if c not in subscripts]
    inputs, widest = [], 0
    for term, rank in zip(left.split(","), ranks):
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


@composite("keras.src.ops.linalg")
def norm(x, ord=None, axis=None, keepdims: bool = False):
    """A vector's or matrix's norm, as NumPy's `linalg.norm`."""
    if ord in (None, 2, "fro") and (ord != 2 or isinstance(axis, int) or len(x.shape) == 1):
        return sqrt(reduce.sum(square(x), axis, keepdims))
    if ord == np.inf and not isinstance(axis, (tuple, list)):
        return reduce.max(absolute(x), axis, keepdims)
    if ord == -np.inf and not isinstance(axis, (tuple, list)):
        return reduce.min(absolute(x), axis, keepdims)
    if ord == 1 and not isinstance(axis, (tuple, list)):
        return reduce.sum(absolute(x), axis, keepdims)
    if isinstance(ord, (int, float)) and not isinstance(axis, (tuple, list)):
        return power(reduce.sum(power(absolute(x), ord), axis, keepdims), 1.0 / ord)
    array = as_array(x)
    return Tensor(array_module(array).asarray(np.linalg.norm(array, ord, axis, keepdims)))


@composite("keras.src.ops.nn")
def normalize(x, axis=-1, order: int = 2, epsilon=None):
    """x divided by its norm along `axis`."""
    epsilon = default_epsilon() if epsilon is None else epsilon
    if order == 2:
        return x * rsqrt(maximum(reduce.sum(square(x), axis, keepdims=True), epsilon**2))
    return x / maximum(norm(x, order, axis, keepdims=True), epsilon)


def qr(x, mode: str = "reduced"):
    """The orthogonal and the triangular factor."""
    q, r = np.linalg.qr(as_array(x), mode)
    return Tensor(q), Tensor(r)


@composite("keras.src.ops.numpy")
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of the diagonal."""
    return reduce.sum(diagonal(x, offset, axis1, axis2), -1)


bind("matmul", matmul)

__getattr__ = _names.absent(__name__)
