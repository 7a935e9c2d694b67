"""Matrix products; the engines are in `product.py`."""

import contextlib
import functools
import math
from typing import NamedTuple

import numpy as np

from kerasish.device import blas, memory
from kerasish.device.raw import by_numpy
from kerasish.kernels.cpu.arrays import flat, supported
from kerasish.kernels.cpu.outer import correlate
from kerasish.kernels.cpu.pack import packed
from kerasish.kernels.cpu.plan import JOB, Plan, plan_walk
from kerasish.kernels.cpu.product import convolve
from kerasish.kernels.cpu.simd import VECTOR_BYTES
from kerasish.kernels.reference import matmul as reference
from kerasish.kernels.reference.conv import finish
from kerasish.kernels.reference.precision import quiet

FEW_ROWS = 48  # up to so many rows B is read where it lies: packing it would cost more than it saves
SMALL = 1 << 21  # multiply-adds below which NumPy multiplies transposed matrices before our panels are packed
TINY = 8192  # multiply-adds that no BLAS shares among threads
THIN = 4  # rows or columns of transposed matrices that are no work for tiles
BY_BLAS, BY_SUMS, BY_ROWS = range(3)


def matmul(a, b, transpose_a=False, transpose_b=False, bias=None, activation=None):
    """Matrix product over the last two axes; the axes before them broadcast.

    a (..., M, K) or (..., K, M) transposed, b (..., K, N) or (..., N, K) transposed, bias (N,) -> y (..., M, N)
    """
    if a.ndim < 2 or b.ndim < 2 or not supported(a, b, bias):
        return reference.matmul(a, b, transpose_a, transpose_b, bias, activation)
    ended = bias is not None or activation is not None
    work = setup(a.shape, b.shape, transpose_a, transpose_b, ended, a.itemsize)
    y = memory.empty(work.shape, a.dtype)
    if work.way == BY_BLAS:
        return numpy_matmul(a, b, transpose_a, transpose_b, bias, activation, y)
    if work.images > 1:
        a, b = (np.broadcast_to(m, (*work.shape[:-2], *m.shape[-2:])) for m in (a, b))
    if work.way == BY_SUMS:
        return correlate(work.plan, flat(a), flat(b), y)
    return convolve(work.plan, flat(a), columns_of(b, work, transpose_b), y, bias=bias, activation=activation)


class Work(NamedTuple):
    """How a product is computed."""

    shape: tuple  # of the result
    way: int
    images: int = 1  # products of one shape
    K: int = 0
    N: int = 0
    in_place: bool = False  # whether B is read where it lies
    plan: Plan | None = None


@functools.lru_cache(4096)
def setup(a_shape, b_shape, transpose_a, transpose_b, ended, size):
    """What a product needs to know, worked out once for each shape; `ended` if it has a bias or an activation."""
    M, K = a_shape[-2:][::-1] if transpose_a else a_shape[-2:]
    N = b_shape[-2] if transpose_b else b_shape[-1]
    batch = np.broadcast_shapes(a_shape[:-2], b_shape[:-2])
    images, shape = math.prod(batch), (*batch, M, N)
    if better_by_blas(M, K, N, images, transpose_a, transpose_b):
        return Work(shape, BY_BLAS)
    if math.prod(b_shape[:-2]) == 1 and not transpose_a:
        images, M = 1, M * images
    if transpose_a and images == 1 and not transpose_b and not ended and sums_deep(M, N, K):
        return Work(shape, BY_SUMS, plan=row_plan(1, K, M, N, size, JOB))
    wide = VECTOR_BYTES // size
    in_place = images == 1 and not transpose_b and (M <= FEW_ROWS or N <= 2 * wide)
    steps = {"pixel": 1, "step": M} if transpose_a else {}
    panels = -(-N // wide) * wide * K if images > 1 else 0
    plan = row_plan(images, M, K, N, size)._replace(y_image=M * N, y_pixel=N, b_image=panels, **steps)
    return Work(shape, BY_ROWS, images, K, N, in_place, plan)


def better_by_blas(M, K, N, images, transpose_a, transpose_b):
    """Whether NumPy is done before panels of transposed matrices are packed."""
    if not transpose_a and (images > 1 or not transpose_b):
        return False
    few = M * images <= FEW_ROWS and transpose_b
    return few or images * M * K * N < SMALL or min(M, N) <= THIN


@quiet
def numpy_matmul(a, b, transpose_a, transpose_b, bias, activation, y):
    """The product by NumPy's BLAS."""
    tiny = y.size * a.shape[-2 if transpose_a else -1] < TINY
    a, b = (m.swapaxes(-1, -2) if turned else m for m, turned in ((a, transpose_a), (b, transpose_b)))

    def multiply(a, b, y):
        with contextlib.nullcontext() if tiny else blas.one_thread():
            np.matmul(a, b, out=y)

    by_numpy(multiply, a, b, y)
    if bias is not None:
        np.add(y, bias, out=y)
    return finish(y, None, activation)


def row_plan(images, M, K, N, size, job=0):
    """The plan of images of (M, K) @ (K, N): each row is a pixel of K channels; no job spans two images."""
    sizes = (images, 1, M, K), (1, 1), (1, M), (1, 1), (0, 0), (1, 1)
    plan = plan_walk(*sizes, 1, N, size, job=job)
    return plan._replace(rows=1, jobs=images * -(-M // plan.columns))


def sums_deep(M, N, K):
    """Whether the result is so small and K so long that the sums are what must be shared among threads."""
    return K > 4 * JOB and M <= 8 * JOB


def columns_of(b, work, transposed):
    """B as `products` wants it: packed in panels, or as it lies."""
    K, N = work.K, work.N
    if work.in_place:
        return flat(b).reshape(K, N)
    steps = (1, K) if transposed else (N, 1)
    return packed(flat(b), (0,), K, steps[0], N, steps[1], image_step=K * N, images=work.images)
