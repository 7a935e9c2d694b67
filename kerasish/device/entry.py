"""What a kernel's machine code does when a thread enters it, in LLVM IR: it takes tasks until none is left.

    def entry(plan, worker):
        while (task := take(plan)) < tasks:
            first(task, worker, tasks, *arguments)

    def entry_of_two(plan, worker):
        while (turn := take(plan)) < max(tasks, 1):
            if turn < tasks:
                first(turn, worker, tasks, *arguments)
            if this was the last turn to end:
                between(tasks, *arguments)
        while `between` is not done:
            relax()
        while (task := take(after)) < tasks_after:
            second(task, worker, tasks, *arguments)

The plan holds counters, `tasks` and the arguments (`parallel.py`). It would take Numba longer to compile this than most
kernels' own functions.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from kerasish.device import llvm_ir
from kerasish.device.lazy import numba, types
from kerasish.device.records import dtype_of

I64 = ir.IntType(64)
TASKS, ARGUMENTS = 1, 2  # where they lie in a plan, in words; the first word counts the tasks taken
ARRIVED, READY, TAKEN_AFTER, ARGUMENTS_AFTER = 2, 3, 4, 5  # in a plan of two loops


class Entry:
    """The function of (address of the plan, number of the thread) that a kernel's machine code is.

    Args:
        bodies: the kernel's functions, as `outline.outlined` makes them.
        kinds: of the arguments behind the number of tasks, such as "float32.2".
        fastmath: what LLVM may do with floats in them.
    """

    def __init__(self, bodies: tuple[Callable, ...], kinds: tuple[str, ...], fastmath: frozenset):
        self.bodies, self.types, self.fastmath = bodies, tuple(map(_numba_type, kinds)), fastmath

    def parts(self) -> list[tuple[Callable, tuple]]:
        """The functions that it calls, each with the types of its arguments."""
        given = (types.int64, *self.types)
        with_task = (types.int64, types.int64, *given)
        return [(body, given if i == 1 else with_task) for i, body in enumerate(self.bodies)]

    def write(self, at: ir.IRBuilder, plan: Any, worker: Any, calls: list[Callable], array: Callable) -> None:
        """Write it down.

        Args:
            at: where to.
            plan, worker: the arguments.
            calls: what writes a call of each part with the arguments that it is given.
            array: what makes an array of a type, an address and a shape.
        """
        two_loops = len(calls) > 1
        base = at.inttoptr(plan, I64.as_pointer())
        cell = lambda number: at.gep(base, [I64(number)])
        words = _Words(at, cell(ARGUMENTS_AFTER if two_loops else ARGUMENTS), array)
        tasks, given = at.load(cell(TASKS)), [words.read(kind) for kind in self.types]
        if not two_loops:
            with llvm_ir.taken(at, base, tasks) as task:
                calls[0](task, worker, tasks, *given)
            return
        first, between, second = calls
        turns = at.select(at.icmp_signed(">", tasks, I64(1)), tasks, I64(1))
        with llvm_ir.taken(at, base, turns) as turn:
            with at.if_then(at.icmp_signed("<", turn, tasks)):
                first(turn, worker, tasks, *given)
            before = at.atomic_rmw("add", cell(ARRIVED), I64(1), "seq_cst")
            with at.if_then(at.icmp_signed("==", at.add(before, I64(1)), turns)):
                between(tasks, *given)
                at.atomic_rmw("add", cell(READY), I64(1), "seq_cst")
        llvm_ir.wait_for(at, cell(READY))
        with llvm_ir.taken(at, cell(TAKEN_AFTER), given[0]) as task:
            second(task, worker, tasks, *given)


def _numba_type(kind: str):
    dtype, _, ndim = kind.partition(".")
    element = numba.from_dtype(dtype_of(dtype))
    return types.Array(element, int(ndim), "C") if ndim else element


class _Words:
    """Reads the plan's words one after the other."""

    def __init__(self, at, base, array):
        self.at, self.base, self.array, self.count = at, base, array, 0

    def next(self):
        """The next word."""
        value = self.at.load(self.at.gep(self.base, [I64(self.count)]))
        self.count += 1
        return value

    def read(self, kind):
        """The next argument."""
        if isinstance(kind, types.Array):
            return self.array(kind, self.next(), [self.next() for _ in range(kind.ndim)])
        return self.at.bitcast(self.next(), ir.DoubleType()) if kind == types.float64 else self.next()
