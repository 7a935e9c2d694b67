"""Addresses instead of arrays: what kernels that are called by address read, write, count and call with.

An array costs a compiled function seven machine words and a parallel region much compilation; an address costs
nothing. Each intrinsic has a fallback, so that `NUMBA_DISABLE_JIT=1` runs the kernels as Python.
"""

import ctypes
import functools
import sys
from types import SimpleNamespace

import numpy as np
from llvmlite import ir

from kerasish.device import llvm_ir, memory
from kerasish.device.lazy import numba, types
from kerasish.device.natives import functions, intrinsic

I8, I64 = ir.IntType(8), ir.IntType(64)


recorder = None  # notes what is called and read, while a forward pass is recorded (`replay.py`)


def address(array):
    """Where an array's first element lies."""
    if (noting := recorder) is not None:  # read once: another thread may end its recording
        noting.hold(array)
    return _pointer_at(id(array) + _HEADER).value


def _address_by_interface(array):
    if (noting := recorder) is not None:
        noting.hold(array)
    return array.__array_interface__["data"][0]


_pointer_at, _HEADER = (
    ctypes.c_ssize_t.from_address,
    object.__basicsize__,
)  # NumPy's ABI: the pointer is the first field
_probe = np.empty(1)
if sys.implementation.name != "cpython" or address(_probe) != _address_by_interface(_probe):
    address = _address_by_interface


def _call_python(function, *arguments):
    functions[int(function)](*(int(argument) for argument in arguments))


@intrinsic(_call_python)
def call(typingctx, function, *arguments):
    """Call the function at address `function`, a `Native`, with integers."""

    def codegen(context, at, signature, args):
        given = zip(llvm_ir.unpack_tuple(at, args[1]), signature.args[1])
        given = [context.cast(at, x, kind, types.int64) for x, kind in given]
        function_type = ir.FunctionType(ir.VoidType(), [I64] * len(given))
        at.call(at.inttoptr(args[0], function_type.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(types.int64, types.Tuple(arguments) if isinstance(arguments, tuple) else arguments), codegen


def room(shape, dtype, source):
    """Memory for what is made of the array `source` alone.

    An arena's memory is used again and again in a pass. What a replay will not make anew lies outside of it.
    """
    if recorder is not None and recorder.knows(source):
        return memory.lasting(shape, dtype)
    return memory.empty(shape, dtype)


def by_numpy(function, *arrays, source=None, made=None):
    """Do what NumPy does in `function(*arrays)`; replays do it again.

    Arrays that the function holds beside those keep their memory for the recording's life. If it makes `made` of
    `source` alone, an array or a tuple of some, replays leave it out where that is constant.
    """
    function(*arrays)
    if (noting := recorder) is not None and (made is None or not noting.is_constant(source, made)):
        noting.foreign(function, *arrays)


def _add_python(counter, amount):
    cell = ctypes.c_int64.from_address(int(counter))
    cell.value += amount
    return cell.value - amount


def _atomic(operation, order, fallback):
    """An intrinsic (address of an integer, operand) that gives the integer as it was before the operation.

    What a thread wrote before it is seen by those that find the integer changed, with it or with `seen`.
    """

    @intrinsic(fallback)
    def atomic(typingctx, place, operand):
        def codegen(context, at, signature, args):
            value = context.cast(at, args[1], operand, types.int64)
            return at.atomic_rmw(operation, at.inttoptr(args[0], I64.as_pointer()), value, order)

        return types.int64(types.int64, operand), codegen

    return atomic


def _swap_python(place, value):
    cell = ctypes.c_int64.from_address(int(place))
    before, cell.value = cell.value, value
    return before


add, swap = _atomic("add", "seq_cst", _add_python), _atomic("xchg", "seq_cst", _swap_python)


@intrinsic(lambda counter: _add_python(counter, 1))
def take(typingctx, counter):
    """The next number of the shared counter at an address: how workers divide jobs, each taking one when it is free."""

    def codegen(context, at, signature, args):
        return at.atomic_rmw("add", at.inttoptr(args[0], I64.as_pointer()), I64(1), "monotonic")

    return types.int64(types.int64), codegen


@intrinsic(lambda place: ctypes.c_int64.from_address(int(place)).value)
def seen(typingctx, place):
    """The integer at an address."""

    def codegen(context, at, signature, args):
        return at.load_atomic(at.inttoptr(args[0], I64.as_pointer()), "seq_cst", 8)

    return types.int64(types.int64), codegen


@intrinsic(lambda: None)
def relax(typingctx):
    """Wait for an instant, as the processor wishes it in loops that wait for another thread."""

    def codegen(context, at, signature, args):
        llvm_ir.pause(at)
        return context.get_dummy_value()

    return types.void(), codegen


def _elements_python(dtype, place, count):
    kind = np.dtype(dtype)
    return np.frombuffer((ctypes.c_char * (int(count) * kind.itemsize)).from_address(int(place)), kind)


def elements(dtype):
    """An intrinsic `(address, count)` that gives the elements there, to be read and written by index."""

    @intrinsic(functools.partial(_elements_python, dtype))
    def at_address(typingctx, place, count):
        kind = numba.from_dtype(np.dtype(dtype))
        codegen = lambda context, at, signature, args: at.inttoptr(
            args[0], context.get_value_type(types.CPointer(kind))
        )
        return types.CPointer(kind)(types.int64, types.int64), codegen

    return at_address


def record(dtype):
    """An intrinsic `(address)` that gives the record there, whose fields are attributes."""

    @intrinsic(lambda place: SimpleNamespace(**dict(zip(dtype.names, _elements_python(dtype, place, 1)[0].item()))))
    def at_address(typingctx, place):
        kind = numba.from_dtype(dtype)
        codegen = lambda context, at, signature, args: at.inttoptr(args[0], context.get_value_type(kind))
        return kind(types.int64), codegen

    return at_address


def _copy_python(to, source, count):
    ctypes.memmove(int(to), int(source), int(count))


@intrinsic(_copy_python)
def copy_bytes(typingctx, to, source, count):
    """Copy `count` bytes from one address to another."""

    def codegen(context, at, signature, args):
        to, source = (at.inttoptr(x, I8.as_pointer()) for x in args[:2])
        llvm_ir.raw_memcpy(at, to, source, args[2], I64(1))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


def _clear_python(to, count):
    ctypes.memset(int(to), 0, int(count))


@intrinsic(_clear_python)
def clear_bytes(typingctx, to, count):
    """Set `count` bytes to zero."""

    def codegen(context, at, signature, args):
        llvm_ir.memset(at, at.inttoptr(args[0], I8.as_pointer()), args[1], 0)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


integers = elements("int64")
