"""Thin kernels: a serial function of addresses and sizes, compiled once for each dtype, run for many tasks at once."""

import functools
import inspect

import numpy as np
from llvmlite import ir

from kerasish.device.jit import Family, helper, intrinsic
from kerasish.device.lazy import types
from kerasish.kernels.cpu.raw import integers, take
from kerasish.kernels.cpu.thread_pool import run


class Tasks(Family):
    """`function(zero, task, *arguments)` on a number of tasks, shared among threads.

    `zero` is a scalar of the dtype, for `pointer` and `number`; a kernel on arrays of two dtypes has two of them.
    `task` counts from 0. All arguments are integers: addresses, sizes, codes. Real constants go through memory.
    """

    def __init__(self, function, exact=False, usual=("float32",)):
        super().__init__(function.__module__, function.__name__)
        self.function, self.exact = function, exact
        self.usual = [tuple(map(np.dtype, kinds.split())) if " " in kinds else np.dtype(kinds) for kinds in usual]
        functools.update_wrapper(self, function)

    def __call__(self, dtypes, tasks, *arguments, threads):
        """Run tasks 0..tasks-1; `dtypes` is that of the arrays, or a tuple of two."""
        run(self.native(dtypes), np.array([0, tasks, *arguments], np.int64), min(threads, tasks))

    def entry(self, *kinds):
        count = len(inspect.signature(self.function).parameters) - len(kinds) - 1
        return _entry(helper(self.function, exact=self.exact), kinds, _loader(count))


def tasks(function=None, **options):
    """Decorate the function of a thin kernel.

    Args:
        exact: Keep sums in the order written and divisions as they are.
        usual: Names of the dtypes that the kernel is commonly called for; with a blank between them, of two arrays.
    """
    return functools.partial(Tasks, **options) if function is None else Tasks(function, **options)


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
