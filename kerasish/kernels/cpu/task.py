"""Thin kernels: a serial function of addresses and sizes, compiled once for each dtype, run for many tasks at once."""

import functools
import hashlib
import inspect

import numpy as np
from llvmlite import ir

from kerasish.device.jit import Native, helper, intrinsic
from kerasish.device.lazy import types
from kerasish.kernels.cpu.raw import integers, take
from kerasish.kernels.cpu.thread_pool import run


class Tasks:
    """`function(zero, task, *arguments)` on a number of tasks, shared among threads.

    `zero` is a scalar of the dtype, for `pointer` and `number`; a kernel on arrays of two dtypes has two of them.
    `task` counts from 0. All arguments are integers: addresses, sizes, codes. Real constants go through memory.
    """

    def __init__(self, function, exact):
        self.function, self.exact, self.natives = function, exact, {}
        functools.update_wrapper(self, function)

    def __call__(self, dtypes, tasks, *arguments, threads):
        """Run tasks 0..tasks-1; `dtypes` is that of the arrays, or a tuple of two."""
        native = self.natives.get(dtypes) or self._native(dtypes)
        run(native, np.array([0, tasks, *arguments], np.int64), min(threads, tasks))

    def _native(self, dtypes):
        kinds = dtypes if isinstance(dtypes, tuple) else (dtypes,)
        count = len(inspect.signature(self.function).parameters) - len(kinds) - 1
        entry = _entry(helper(self.function, exact=self.exact), kinds, _loader(count))
        entry.__module__, entry.__name__ = self.function.__module__, self.function.__name__
        variant = "-".join([*(kind.name for kind in kinds), _digest(inspect.getfile(self.function))])
        return self.natives.setdefault(dtypes, Native(entry, 2, variant))


def tasks(function=None, *, exact=False):
    """Decorate the function of a thin kernel; `exact` keeps sums in the order written and divisions as they are."""
    return functools.partial(Tasks, exact=exact) if function is None else Tasks(function, exact)


def _entry(body, kinds, load):
    """The function of (address of the plan, worker) around a body: takes tasks until none is left.

    The plan: a counter of the tasks taken, their number, the arguments.
    """
    zero, other = kinds[0].type(0), kinds[-1].type(0)

    def one(plan, worker):
        task = take(plan)
        while task < integers(plan, 2)[1]:
            body(zero, task, *load(plan + 16))
            task = take(plan)

    def two(plan, worker):
        task = take(plan)
        while task < integers(plan, 2)[1]:
            body(zero, other, task, *load(plan + 16))
            task = take(plan)

    return one if len(kinds) == 1 else two


@functools.cache
def _loader(count):
    """An intrinsic that reads `count` integers from an address, as a tuple."""

    @intrinsic(lambda place: tuple(integers(place, count).tolist()))
    def load(typingctx, place):
        def codegen(context, at, signature, args):
            base = at.inttoptr(args[0], ir.IntType(64).as_pointer())
            values = [at.load(at.gep(base, [ir.IntType(64)(i)])) for i in range(count)]
            return context.make_tuple(at, signature.return_type, values)

        return types.UniTuple(types.int64, count)(types.int64), codegen

    return load


@functools.cache
def _digest(path):
    """Stands for a source file's content in the names of what is compiled from it."""
    with open(path, "rb") as source:
        return hashlib.sha256(source.read()).hexdigest()[:12]
