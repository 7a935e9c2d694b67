"""Elementwise functions on a card that are worth one kernel where CuPy would launch several."""

from numba import cuda, float32, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import template
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.asm import load, store
from kerasish.kernels.cuda.columns import SUM, reduced
from kerasish.kernels.reference import elementwise as reference
from kerasish.kernels.reference.precision import widened

THREADS = 256
ADD_RELU, RELU_GRAD, RELU6_GRAD, SIGMOID_GRAD, TANH_GRAD = range(5)
NAMES = ("add_relu", "relu_grad", "relu6_grad", "sigmoid_grad", "tanh_grad")


@template("FFF i")
def pairwise(a, b, y, n):
    """y = a function of a and b; of a gradient and a result, where it is a gradient."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        u, v = load(a, i), load(b, i)
        if KIND == ADD_RELU:
            u += v
            if u < float32(0):
                u = float32(0)
        if KIND == RELU_GRAD and not v > float32(0):
            u = float32(0)
        if KIND == RELU6_GRAD and not (v > float32(0) and v < float32(6)):
            u = float32(0)
        if KIND == SIGMOID_GRAD:
            u = u * v * (float32(1) - v)
        if KIND == TANH_GRAD:
            u = u * (float32(1) - v * v)
        store(y, i, u)


KINDS = dict(zip(("ADD_RELU", "RELU_GRAD", "RELU6_GRAD", "SIGMOID_GRAD", "TANH_GRAD"), range(5)))
KERNELS = [pairwise(name, THREADS, KIND=kind, THREADS=THREADS, **KINDS) for kind, name in enumerate(NAMES)]


def _pairwise(kind):
    @widened
    def function(a, b):
        if not supported(a, b) or a.shape != b.shape:
            return getattr(reference, NAMES[kind])(a, b)
        y = array_module(a).empty(a.shape, a.dtype)
        KERNELS[kind]((blocks(y.size, THREADS),), contiguous(a), contiguous(b), y, y.size)
        return y

    function.__name__ = function.__qualname__ = NAMES[kind]
    function.__doc__ = getattr(reference, NAMES[kind]).__doc__
    return function


add_relu, relu_grad, relu6_grad, sigmoid_grad, tanh_grad = map(_pairwise, range(5))


@widened
def bias_grad(gy):
    """The sum over all axes but the last: (..., F) -> (F,)."""
    if not supported(gy) or not gy.size:
        return reference.bias_grad(gy)
    gy = contiguous(gy)
    return reduced(SUM, gy, gy, gy.size // gy.shape[-1], gy.shape[-1])[0]
