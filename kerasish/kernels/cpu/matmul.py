"""Matrix products; the engines are in `product.py`."""

import math

import numpy as np

from kerasish.device import memory
from kerasish.kernels.cpu.arrays import flat, supported
from kerasish.kernels.cpu.product import JOB, convolve, correlate, packed, walk_over
from kerasish.kernels.cpu.simd import lanes
from kerasish.kernels.reference import matmul as reference

FEW_ROWS = 48  # up to so many rows B is read where it lies: packing it would cost more than it saves


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
    if math.prod(b.shape[:-2]) == 1 and not transpose_a:
        images, M = 1, M * math.prod(batch)
    else:
        images = math.prod(batch)
        a, b = np.broadcast_to(a, (*batch, *a.shape[-2:])), np.broadcast_to(b, (*batch, *b.shape[-2:]))
    if transpose_a and images == 1 and not transpose_b and bias is None and activation is None and sums_deep(M, N, K):
        walk = walk_over((1, 1, K, M), (1, 1), (1, K), (1, 1), (0, 0), (1, 1), 1, N)
        return correlate(flat(a), flat(b), walk, y)
    walk = walk_over((images, 1, M, K), (1, 1), (1, M), (1, 1), (0, 0), (1, 1), 1, N, rows=1)
    if transpose_a:
        walk = walk._replace(pixel=1, step=M)
    panels = columns_of(b, K, N, transpose_b, images, M)
    b_image = panels.size // images if images > 1 else 0
    return convolve(flat(a), panels, walk, y, bias=bias, relu=activation == "relu", b_image=b_image)


def sums_deep(M, N, K):
    """Whether the result is so small and K so long that the sums are what must be shared among threads."""
    return K > 4 * JOB and M <= 8 * JOB


def columns_of(b, K, N, transposed, images, M):
    """B as `products` wants it: packed in panels, or as it lies when few rows meet it."""
    if images == 1 and M <= FEW_ROWS and not transposed and N % lanes(b.dtype) == 0:
        return flat(b).reshape(K, N)
    steps = (1, K) if transposed else (N, 1)
    return packed(flat(b), [0], K, steps[0], N, steps[1], image_step=K * N, images=images)
