"""Sums and maxima over the 32 threads of a warp, always in the same order."""

from numpy import float32, int32

from kerasish.device.cuda_jit import cuda

WARPS = 4  # of a block, a row each
ALL = 0xFFFFFFFF  # every thread takes part
LOWEST = float("-inf")


@cuda.jit(device=True)
def warp_row():
    """The row of a warp and the thread's number in the warp."""
    thread = int32(cuda.threadIdx.x)
    return int32(int32(cuda.blockIdx.x) * WARPS + (thread >> 5)), int32(thread & 31)


@cuda.jit(device=True)
def warp_sum(value):
    """The sum of everybody's value, for everybody."""
    value += cuda.shfl_xor_sync(ALL, value, 16)
    value += cuda.shfl_xor_sync(ALL, value, 8)
    value += cuda.shfl_xor_sync(ALL, value, 4)
    value += cuda.shfl_xor_sync(ALL, value, 2)
    return float32(value + cuda.shfl_xor_sync(ALL, value, 1))


@cuda.jit(device=True)
def warp_max(value):
    """The largest value, for everybody; a NaN may be passed over."""
    value = max(value, cuda.shfl_xor_sync(ALL, value, 16))
    value = max(value, cuda.shfl_xor_sync(ALL, value, 8))
    value = max(value, cuda.shfl_xor_sync(ALL, value, 4))
    value = max(value, cuda.shfl_xor_sync(ALL, value, 2))
    return float32(max(value, cuda.shfl_xor_sync(ALL, value, 1)))
