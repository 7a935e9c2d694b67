"""Several floats at a time, where channels come in fours: 16 bytes a thread keep memory four times as busy as 4.

WIDE, 4 or 1, is a constant of the kernel.
"""

from numpy import int32

from kerasish.device.cuda_jit import cuda
from kerasish.kernels.cuda.asm import load, load4, store, store4


@cuda.jit(device=True)
def several(x, at):
    """WIDE floats from x[at] on."""
    if WIDE == 4:
        return load4(x, at)
    else:
        return (load(x, at),)


@cuda.jit(device=True)
def keep(y, at, values):
    """y[at:] = WIDE values."""
    if WIDE == 4:
        store4(y, at, (values[0], values[1], values[2], values[3]))
    else:
        store(y, at, values[0])


@cuda.jit(device=True)
def pixel(i, H, W, C):
    """Element i * WIDE of an array (N, H, W, C): image, row, column, channel."""
    c, at = int32(i % (C // WIDE) * WIDE), int32(i // (C // WIDE))
    column, at = int32(at % W), int32(at // W)
    return int32(at // H), int32(at % H), column, c


def width(channels):
    """How many channels a thread takes."""
    return 4 if channels % 4 == 0 else 1
