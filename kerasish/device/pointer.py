"""Arrays by address: a kernel can walk many arrays in one launch, and an offset costs an addition, not a slice."""

import ctypes
import functools
import inspect
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
from llvmlite import ir

from kerasish.device import llvm_ir
from kerasish.device.lazy import types
from kerasish.device.natives import intrinsic

I64 = ir.IntType(64)


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
    """The elements of a C-contiguous array, or of a view, from number `start` on, flat: one pointer, unchecked.

    Numba counts negative indices from the end; where it cannot see that there are none, a loop is no vector code. Here
    no index wraps around, and `start` is not negative.
    """

    def codegen(context, builder, signature, args):
        data = args[0] if isinstance(x, types.CPointer) else context.make_array(x)(context, builder, args[0]).data
        return builder.gep(data, [args[1]])

    return types.CPointer(x.dtype)(x, types.int64), codegen


def _copy_python(to, source, count):
    to[: max(count, 0)] = source[: max(count, 0)].copy()


@intrinsic(_copy_python)
def copy(typingctx, to, source, count):
    """Copy so many elements from one view to another; none, if the count is negative."""

    def codegen(context, builder, signature, args):
        bytes_ = _bytes(context, builder, to, args[2])
        llvm_ir.raw_memcpy(builder, args[0], args[1], bytes_, ir.IntType(64)(1))
        return context.get_dummy_value()

    return types.void(to, source, types.int64), codegen


def _clear_python(to, count):
    to[: max(count, 0)] = 0


@intrinsic(_clear_python)
def clear(typingctx, to, count):
    """Set so many elements of a view to zero; none, if the count is negative."""

    def codegen(context, builder, signature, args):
        place = builder.bitcast(args[0], ir.IntType(8).as_pointer())
        llvm_ir.memset(builder, place, _bytes(context, builder, to, args[1]), 0)
        return context.get_dummy_value()

    return types.void(to, types.int64), codegen


def _bytes(context, builder, pointer, count):
    count = builder.select(builder.icmp_signed("<", count, count.type(0)), count.type(0), count)
    return builder.mul(count, count.type(context.get_abi_sizeof(context.get_data_type(pointer.dtype))))


@intrinsic(lambda like, value: type(like)(value))
def number(typingctx, like, value):
    """An integer as a number of the type of the scalar `like`; Numba's float32 + int64 would be a float64."""

    def codegen(context, builder, signature, args):
        return context.cast(builder, args[1], value, like)

    return like(like, value), codegen


def in_llvm(write: Callable) -> Callable:
    """Decorate a function of integers and views that says in NumPy what `write` writes in LLVM IR: an intrinsic.

    `write(builder, given, elements)` finds under each parameter's name the integer, or the address that a view begins
    at, in `given`, and in `elements` the type of a view's elements.
    """

    def decorate(function):
        parameters = inspect.signature(function).parameters

        def typed(typingctx, *arguments):
            kinds = [a if isinstance(a, types.CPointer) else types.int64 for a in arguments]

            def codegen(context, builder, signature, args):
                given, elements = SimpleNamespace(), {}
                for name, kind, value in zip(parameters, kinds, args, strict=True):
                    if isinstance(kind, types.CPointer):
                        value, elements[name] = builder.ptrtoint(value, I64), context.get_data_type(kind.dtype)
                    setattr(given, name, value)
                write(builder, given, elements)
                return context.get_dummy_value()

            return types.void(*kinds), codegen

        context = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        functools.update_wrapper(typed, function)
        vars(typed)["__signature__"] = inspect.Signature([context, *parameters.values()])
        return intrinsic(function)(typed)

    return decorate


def strided(x: np.ndarray, *axes: tuple[int, int]) -> np.ndarray:
    """For what is done in Python: the elements from the first of x on, along axes of (length, step)."""
    lengths, steps = zip(*axes)
    return np.lib.stride_tricks.as_strided(x, lengths, [int(step) * x.itemsize for step in steps])
