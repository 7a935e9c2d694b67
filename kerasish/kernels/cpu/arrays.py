"""What wrappers do with arrays before a kernel sees them: one dtype, one layout, so that nothing is compiled twice."""

import numpy as np

from kerasish.device.raw import address, by_numpy
from kerasish.kernels.cpu.simd import VECTOR_BYTES

STREAM = 1 << 23  # bytes from which a result will have left the caches before it is read
FLOATS = {np.dtype("float32"), np.dtype("float64")}


def supported(*arrays):
    """Whether the kernels can take these arrays: all float32 or all float64, and none of them empty."""
    dtype = arrays[0].dtype
    if dtype not in FLOATS:
        return False
    for array in arrays:
        if array is not None and (array.dtype != dtype or not array.size):
            return False
    return True


def flat(array):
    """The array's elements in C order as one writable-looking axis; kernels write to their outputs only."""
    array = np.ascontiguousarray(array).reshape(-1)
    return array if array.flags.writeable else np.asarray(_Writable(array))


def repeated_row(row, times):
    """A row, so many times; replays take it anew, unless it is a constant."""
    if times == 1:
        return row
    out = np.empty((times, row.size), row.dtype)
    by_numpy(np.copyto, out, row, source=row, made=out)
    return out.reshape(-1)


def large(*arrays):
    """1 if one of the arrays fills the caches."""
    return int(max(array.nbytes for array in arrays) >= STREAM)


def streams(y, columns):
    """1 if y, rows of `columns`, is so large that it is written past the caches, and its rows are whole vectors."""
    return int(large(y) and columns * y.itemsize % VECTOR_BYTES == 0 and address(y) % VECTOR_BYTES == 0)


class _Writable:
    """The same memory without its read-only flag: a flag would mean another type, and another compilation."""

    def __init__(self, array):
        self.array = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}
