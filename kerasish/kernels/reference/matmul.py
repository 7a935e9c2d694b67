"""Matrix products over the array module."""

from kerasish.device import array_module, blas
from kerasish.kernels.reference.conv import finish
from kerasish.kernels.reference.precision import widened


@widened
def matmul(a, b, transpose_a=False, transpose_b=False, bias=None, activation=None):
    """Matrix product over the last two axes; the axes before them broadcast.

    a (..., M, K) or (..., K, M) transposed, b (..., K, N) or (..., N, K) transposed, bias (N,) -> y (..., M, N)
    """
    a = a.swapaxes(-1, -2) if transpose_a else a
    b = b.swapaxes(-1, -2) if transpose_b else b
    with blas.one_thread():
        return finish(array_module(a).matmul(a, b), bias, activation)


@widened
def einsum(formula, *arrays):
    """Products summed as Einstein's formula says, its output written out."""
    with blas.one_thread():
        return array_module(*arrays).einsum(formula, *arrays, optimize=True)
