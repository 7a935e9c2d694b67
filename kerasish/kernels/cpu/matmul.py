"""Matrix products; the engines are in `product.py`."""

import contextlib
import math

import numpy as np

from kerasish.device import blas, memory
from kerasish.kernels.cpu.arrays import flat, supported
from kerasish.kernels.cpu.outer import correlate
from kerasish.kernels.cpu.pack import packed
from kerasish.kernels.cpu.plan import JOB, plan_walk
from kerasish.kernels.cpu.product import convolve
from kerasish.kernels.cpu.simd import lanes
from kerasish.kernels.reference import matmul as reference
from kerasish.kernels.reference.conv import finish
from kerasish.kernels.reference.precision import quiet

FEW_ROWS = 48  # up to so many rows B is read where it lies: packing it would cost more than it saves
SMALL = 1 << 21  # multiply-adds below which NumPy is done before our panels are packed
TINY = 8192  # multiply-adds that no BLAS shares among threads
THIN = 4  # rows or columns that are no work for tiles


def matmul(a, b, transpose_a=False, transpose_b=False, bias=None, activation=None):
    """Matrix product over the last two axes; the axes before them broadcast.

    a (..., M, K) or (..., K, M) transposed, b (..., K, N) or (..., N, K) transposed, bias (N,) -> y (..., M, N)
    """
    if a.ndim < 2 or b.ndim < 2 or not supported(a, b, bias):
        return reference.matmul(a, b, transpose_a, transpose_b, bias, activation)
    M, K = a.shape[-2:][::-1] if transpose_a else a.shape[-2:]
    N = b.shape[-2] if transpose_b else b.shape[-1]
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    y = memory.empty((*batch, M, N), a.dtype)
    few = M * math.prod(batch) <= FEW_ROWS and transpose_b
    if few or math.prod(batch) * M * K * N < SMALL or min(M, N) <= THIN:
        return numpy_matmul(a, b, transpose_a, transpose_b, bias, activation, y)
    if math.prod(b.shape[:-2]) == 1 and not transpose_a:
        images, M = 1, M * math.prod(batch)
    else:
        images = math.prod(batch)
        a, b = np.broadcast_to(a, (*batch, *a.shape[-2:])), np.broadcast_to(b, (*batch, *b.shape[-2:]))
    if transpose_a and images == 1 and not transpose_b and bias is None and activation is None and sums_deep(M, N, K):
        return correlate(row_plan(1, K, M, N, a.itemsize, JOB), flat(a), flat(b), y)
    plan = row_plan(images, M, K, N, a.itemsize)._replace(y_image=M * N, y_pixel=N)
    if transpose_a:
        plan = plan._replace(pixel=1, step=M)
    panels = columns_of(b, K, N, transpose_b, images, M)
    plan = plan._replace(b_image=panels.size // images if images > 1 else 0)
    return convolve(plan, flat(a), panels, y, bias=bias, activation=activation)


@quiet
def numpy_matmul(a, b, transpose_a, transpose_b, bias, activation, y):
    """The product by NumPy's BLAS."""
    tiny = y.size * a.shape[-2 if transpose_a else -1] < TINY
    with contextlib.nullcontext() if tiny else blas.one_thread():
        np.matmul(a.swapaxes(-1, -2) if transpose_a else a, b.swapaxes(-1, -2) if transpose_b else b, out=y)
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


def columns_of(b, K, N, transposed, images, M):
    """B as `products` wants it: packed in panels, or as it lies when few rows meet it."""
    if images == 1 and M <= FEW_ROWS and not transposed and N % lanes(b.dtype) == 0:
        return flat(b).reshape(K, N)
    steps = (1, K) if transposed else (N, 1)
    return packed(flat(b), [0], K, steps[0], N, steps[1], image_step=K * N, images=images)
