"""Matrix products on a card: cuBLAS's, through CuPy, in the arithmetic of convolutions; one launch ends them."""

from numpy import float32, int32

from kerasish.device import cuda as card
from kerasish.device.cuda_jit import cuda, unroll
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.product import CUTS, finished
from kerasish.kernels.cuda.wide import keep, several, width
from kerasish.kernels.reference import matmul as reference

THREADS = 256


@cuda.jit("void(CPointer(f4), CPointer(f4), " + 4 * "i4, " + ")", launch_bounds=THREADS)
def _end(y, bias, n, F, BIAS, CUT):
    """y = the activation of y (..., F) + bias, in place."""
    out = cuda.local.array(WIDE, float32)
    at = int32(WIDE * (int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x)))
    if at < n:
        column, u = int32(at % F), several(y, at)
        for j in unroll(WIDE):
            out[j] = finished(u[j], bias, int32(column + j), BIAS, CUT)
        keep(y, at, out)


END = {wide: _end.specialize(f"matmul_end_{wide}", WIDE=wide) for wide in (1, 4)}


def matmul(a, b, transpose_a=False, transpose_b=False, bias=None, activation=None):
    """Matrix product over the last two axes; the axes before them broadcast.

    a (..., M, K) or (..., K, M) transposed, b (..., K, N) or (..., N, K) transposed, bias (N,) -> y (..., M, N)
    """
    if not supported(a, b, bias):
        return reference.matmul(a, b, transpose_a, transpose_b, bias, activation)
    with card.blas_arithmetic():
        y = reference.matmul(a, b, transpose_a, transpose_b)
    if y.size and (bias is not None or activation is not None):
        y, F = contiguous(y), y.shape[-1]
        wide, bias_there = width(F), y if bias is None else contiguous(bias)
        options = (int(bias is not None), CUTS[activation])
        END[wide][blocks(y.size // wide, THREADS), THREADS](y, bias_there, y.size, F, *options)
    return y


def einsum(formula, *arrays):
    """Products summed as Einstein's formula says, its output written out."""
    with card.blas_arithmetic():
        return reference.einsum(formula, *arrays)
