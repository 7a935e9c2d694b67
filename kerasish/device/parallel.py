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

from kerasish.device import thread_pool, threads
from kerasish.device.engines import Broken, engine, fall_back
from kerasish.device.fingerprint import fingerprint
from kerasish.device.natives import Family
from kerasish.device.outline import AFTER, outlined
from kerasish.device.raw import address
from kerasish.device.records import name_of

INTEGERS = (int, np.integer, np.bool_)


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

    def entry(self, *kinds: str) -> Any:
        """The function of (address of the plan, worker) for arguments of these kinds."""
        from kerasish.device.entry import Entry

        return Entry(outlined(self.function), kinds, self.fastmath)

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
