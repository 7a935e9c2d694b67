"""Elementwise functions on a card that are worth one kernel where CuPy would launch several."""

from numpy import float32, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import cuda
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.asm import load, load4, store, store4
from kerasish.kernels.cuda.columns import SUM, reduced
from kerasish.kernels.reference import elementwise as reference
from kerasish.kernels.reference.precision import widened

THREADS = 256
ADD_RELU, RELU_GRAD, RELU6_GRAD, SIGMOID_GRAD, TANH_GRAD = range(5)
NAMES = ("add_relu", "relu_grad", "relu6_grad", "sigmoid_grad", "tanh_grad")


@cuda.jit(device=True)
def combined(u, v):
    """A function of two floats; of a gradient and a result, where it is a gradient."""
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
    return u


@cuda.jit("void(CPointer(f4), CPointer(f4), CPointer(f4), i4)", launch_bounds=THREADS)
def _pairwise(a, b, y, n):
    """y = a function of a and b, four elements a thread; what is left over is shared by the first threads."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n // 4:
        u, v = load4(a, int32(4 * i)), load4(b, int32(4 * i))
        store4(
            y, int32(4 * i), (combined(u[0], v[0]), combined(u[1], v[1]), combined(u[2], v[2]), combined(u[3], v[3]))
        )
    if i < n % 4:
        at = int32(n // 4 * 4 + i)
        store(y, at, combined(load(a, at), load(b, at)))


KERNELS = [_pairwise.specialize(name, KIND=kind) for kind, name in enumerate(NAMES)]


def _function(kind):
    @widened
    def function(a, b):
        if not supported(a, b) or a.shape != b.shape:
            return getattr(reference, NAMES[kind])(a, b)
        y = array_module(a).empty(a.shape, a.dtype)
        KERNELS[kind][blocks(blocks(y.size, 4), THREADS), THREADS](contiguous(a), contiguous(b), y, y.size)
        return y

    function.__name__ = function.__qualname__ = NAMES[kind]
    function.__doc__ = getattr(reference, NAMES[kind]).__doc__
    return function


add_relu, relu_grad, relu6_grad, sigmoid_grad, tanh_grad = map(_function, range(5))


@widened
def bias_grad(gy):
    """The sum over all axes but the last: (..., F) -> (F,)."""
    if not supported(gy) or not gy.size:
        return reference.bias_grad(gy)
    gy = contiguous(gy)
    return reduced(SUM, gy, gy, gy.size // gy.shape[-1], gy.shape[-1])[0]
