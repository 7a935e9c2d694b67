"""Two phases of tasks with one serial step between them, in a single launch.

Workers take tasks of the first phase until none is left; who finishes the last one does the step between, and all go on
with the second phase. A worker waits only for tasks that others are running at that moment: one that the system has not
scheduled holds up nobody.
"""

from collections.abc import Callable

import numpy as np

from kerasish.device.jit import FASTMATH, njit
from kerasish.device.natives import Family
from kerasish.device.raw import add, record, seen, take
from kerasish.device.thread_pool import run

ARRIVED, READY, TAKEN_AFTER = 8, 16, 24  # where they lie, in bytes


class Phases(Family):
    """`first(zero, plan, task)`, `between(zero, plan)` and `second(zero, plan, task)`; `zero` is a scalar of the dtype.

    Args:
        plan: a NamedTuple of integers; its first fields are taken, arrived, ready, taken_after, tasks and tasks_after.
    """

    def __init__(self, plan: type, first: Callable, between: Callable, second: Callable):
        super().__init__(first.__module__, first.__name__)
        self.functions = (first, between, second)
        self.plan_at = record(np.dtype([(name, np.int64) for name in plan._fields]))

    def __call__(self, dtype, plan, threads: int) -> None:
        """Run a plan."""
        run(self.native(dtype), np.fromiter(plan, np.int64), min(threads, max(plan.tasks, plan.tasks_after)))

    def entry(self, kind):
        return _entry(kind.type(0), self.plan_at, *(njit(function, fastmath=FASTMATH) for function in self.functions))


def _entry(zero, plan_at, first, between, second):
    def entry(plan, worker):
        p = plan_at(plan)
        task = take(plan)
        while task < p.tasks:
            first(zero, p, task)
            if add(plan + ARRIVED, 1) == p.tasks - 1:
                between(zero, p)
                add(plan + READY, 1)
            task = take(plan)
        while not seen(plan + READY):
            pass
        task = take(plan + TAKEN_AFTER)
        while task < p.tasks_after:
            second(zero, p, task)
            task = take(plan + TAKEN_AFTER)

    return entry
