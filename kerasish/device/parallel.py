"""Parallel kernels: the tasks of their loop, shared among this library's threads (`thread_pool.py`).

A launch writes the arguments into a row of 64-bit words, the plan: a counter of the tasks taken, their number, then a
word for each number, and for each array its address and its shape. Machine code for the kinds of the arguments reads
them and takes tasks until none is left.

A kernel of two loops is one launch, too, whose plan has three more counters: who finishes the last task of the first
loop does what lies between, and all go on with the second. A thread waits only for tasks that others are running at
that moment: one that the system has not scheduled holds up nobody.
"""

import functools
import struct
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from kerasish.device import thread_pool, threads
from kerasish.device.engines import Broken, engine, fall_back
from kerasish.device.fingerprint import fingerprint
from kerasish.device.lazy import numba, types
from kerasish.device.natives import Family, intrinsic, njit
from kerasish.device.outline import AFTER, outlined
from kerasish.device.raw import add, address, integers, relax, seen, take
from kerasish.device.records import dtype_of, name_of

I64 = ir.IntType(64)
INTEGERS = (int, np.integer, np.bool_)
ARRIVED, READY, TAKEN_AFTER, ARGUMENTS_AFTER = 16, 24, 32, 40  # where they lie in a plan of two loops, in bytes


class Kernel(Family):
    """What `@njit(parallel=True)` makes of a function `kernel(tasks, *arguments)`.

    The first argument of one with two loops is `tasks_after`, the number of the second's tasks. Arguments are integers,
    Python floats (float64) and C-contiguous arrays. Each set of kinds that comes is compiled.
    """

    def __init__(self, function: Callable, fastmath: frozenset, usual: tuple[str, ...]):
        super().__init__(function.__module__ or "__main__", function.__name__)
        self.function, self.fastmath = function, fastmath
        self.two_loops = function.__code__.co_varnames[1:2] == (AFTER,)
        self.usual = tuple(tuple(kinds.split()) for kinds in usual)
        functools.update_wrapper(self, function)

    def __call__(self, tasks: int, *arguments: Any, threads: int = 0) -> None:
        """Run tasks 0..tasks-1 on so many threads; on all by default."""
        self._run(thread_pool.run, tasks, arguments, threads)

    def prepare(self, source: np.ndarray, made: np.ndarray, tasks: int, *arguments: Any, threads: int = 0) -> None:
        """Run where `made` is made of `source` alone: replays leave it out if that is a constant."""
        self._run(functools.partial(thread_pool.prepare, source=source, made=made), tasks, arguments, threads)

    def _run(self, run, tasks, arguments, threads):
        words, kinds = [0, tasks, 0, 0, 0] if self.two_loops else [0, tasks], []
        for value in arguments:
            if type(value) is np.ndarray:
                kinds.append(_kind(value))
                words.append(address(value))
                words.extend(value.shape)
            elif type(value) is float:
                kinds.append("float64")
                words.append(_bits(value))
            elif type(value) is int or isinstance(value, INTEGERS):
                kinds.append("int64")
                words.append(value)
            else:
                raise TypeError(
                    f"kernel {self.name}: takes arrays, integers and Python floats; received {type(value).__name__} "
                    f"{value!r}"
                )
        chosen = engine()
        if chosen == "pool":
            most = max(tasks, arguments[0]) if self.two_loops else tasks
            try:
                run(self.native(tuple(kinds)), np.frombuffer(array("q", words), np.int64), min(threads or _all(), most))
                return
            except Broken as error:  # the compiler, before anything ran
                fall_back(error)
        if chosen == "python":
            self.function(tasks, *arguments)
        else:
            from kerasish.device import plain

            plain.run(self, kinds, tasks, arguments, threads or _all())

    def entry(self, *kinds: str) -> Callable:
        """The function of (address of the plan, worker) for arguments of these kinds."""
        bodies = [njit(body, fastmath=self.fastmath) for body in outlined(self.function)]
        return (_entry_of_two if self.two_loops else _entry)(*bodies, _loader(kinds))

    def stamp(self) -> list[str]:
        """What names must hold of a user's kernel: its code, and what that uses."""
        if self.module.startswith("kerasish."):
            return []
        return [fingerprint(self.function, sorted(self.fastmath))]


_all = threads.get_num_threads


@functools.cache
def _kind_of(dtype, ndim):
    return f"{name_of(dtype)}.{ndim}"


def _kind(array) -> str:
    """Of an array: its dtype and its number of axes."""
    if not array.flags.c_contiguous:
        raise ValueError(f"kernels take C-contiguous arrays; received shape {array.shape}, strides {array.strides}")
    return _kind_of(array.dtype, array.ndim)


def _bits(value: float) -> int:
    return struct.unpack("q", struct.pack("d", value))[0]


def _entry(body, load):
    def entry(plan, worker):
        tasks, arguments = integers(plan, 2)[1], load(plan + 16)
        task = take(plan)
        while task < tasks:
            body(task, worker, tasks, *arguments)
            task = take(plan)

    return entry


def _entry_of_two(first, between, second, load):
    def entry(plan, worker):
        tasks, arguments = integers(plan, 2)[1], load(plan + ARGUMENTS_AFTER)
        turns, turn = max(tasks, 1), take(plan)
        while turn < turns:
            if turn < tasks:
                first(turn, worker, tasks, *arguments)
            if add(plan + ARRIVED, 1) == turns - 1:
                between(tasks, *arguments)
                add(plan + READY, 1)
            turn = take(plan)
        while not seen(plan + READY):
            relax()
        task = take(plan + TAKEN_AFTER)
        while task < arguments[0]:
            second(task, worker, tasks, *arguments)
            task = take(plan + TAKEN_AFTER)

    return entry


def _loader(kinds: tuple[str, ...]) -> Callable:
    """An intrinsic that makes a tuple of the arguments whose words lie at an address."""

    def load(typingctx, place):
        kinds_there = [_numba_type(kind) for kind in kinds]

        def codegen(context, at, signature, args):
            words = _Words(at, args[0])
            return context.make_tuple(at, signature.return_type, [words.read(context, kind) for kind in kinds_there])

        return types.Tuple(kinds_there)(types.int64), codegen

    return intrinsic(None)(load)


def _numba_type(kind: str):
    dtype, _, ndim = kind.partition(".")
    element = numba.from_dtype(dtype_of(dtype))
    return types.Array(element, int(ndim), "C") if ndim else element


class _Words:
    """Reads the plan's words one after the other, in LLVM IR."""

    def __init__(self, at, place):
        self.at, self.base, self.count = at, at.inttoptr(place, I64.as_pointer()), 0

    def next(self):
        """The next word."""
        value = self.at.load(self.at.gep(self.base, [I64(self.count)]))
        self.count += 1
        return value

    def read(self, context, kind):
        """The next argument."""
        if kind == types.float64:
            return self.at.bitcast(self.next(), ir.DoubleType())
        return self._array(context, kind) if isinstance(kind, types.Array) else self.next()

    def _array(self, context, kind):
        from kerasish.device import compiler

        element = context.get_data_type(kind.dtype)
        data, shape = self.at.inttoptr(self.next(), element.as_pointer()), [self.next() for _ in range(kind.ndim)]
        size = I64(context.get_abi_sizeof(element))
        strides = [size]
        for length in reversed(shape[1:]):
            strides.insert(0, self.at.mul(strides[0], length))
        return compiler.array_value(context, self.at, kind, data, shape, strides[: kind.ndim], size)
