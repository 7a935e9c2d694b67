"""Arrays by address: a kernel can walk many arrays in one launch, and an offset costs an addition, not a slice."""

import ctypes
import functools

import numpy as np
from llvmlite import ir

from kerasish.device.lazy import types
from kerasish.device.natives import intrinsic, serial


def _python(like, address, start, size):
    """The elements as an array, for `NUMBA_DISABLE_JIT=1`."""
    dtype = np.dtype(type(like))
    place = int(address) + int(start) * dtype.itemsize
    return np.frombuffer((ctypes.c_char * (int(size) * dtype.itemsize)).from_address(place), dtype)


@intrinsic(_python)
def pointer(typingctx, like, address, start, size):
    """`size` elements of the type of the scalar `like`, from element `start` after `address` on; nothing is checked."""

    def codegen(context, builder, signature, args):
        base = builder.inttoptr(args[1], ir.PointerType(context.get_data_type(like)))
        return builder.gep(base, [args[2]])

    return types.CPointer(like)(like, types.int64, types.int64, types.int64), codegen


@intrinsic(lambda x, start: x.reshape(-1)[int(start) :])
def view(typingctx, x, start):
    """The elements of a C-contiguous array from number `start` on, flat; nothing is checked, no index wraps around.

    Numba counts negative indices from the end; where it cannot see that there are none, a loop is no vector code.
    """

    def codegen(context, builder, signature, args):
        array = context.make_array(x)(context, builder, args[0])
        return builder.gep(array.data, [args[1]])

    return types.CPointer(x.dtype)(x, types.int64), codegen


@functools.partial(serial, fastmath=frozenset())
def place(x, i):
    """The address of element i of a C-contiguous array."""
    return np.int64(x.ctypes.data) + i * x.itemsize


@intrinsic(lambda like, value: type(like)(value))
def number(typingctx, like, value):
    """An integer as a number of the type of the scalar `like`; Numba's float32 + int64 would be a float64."""

    def codegen(context, builder, signature, args):
        return context.cast(builder, args[1], value, like)

    return like(like, value), codegen
