"""Forward passes as the list of the native calls that they are: recorded once, then run without Python between them.

While a pass is recorded each call of `thread_pool.run` is noted with its plan, every array whose address a plan holds
is kept, and pooled memory comes from an arena that belongs to the recording. A replay copies new inputs to where the
old ones lie, puts the plans back as they were (kernels count in them), and calls. Whether a pass is nothing but native
calls is for the caller to know and to check.
"""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kerasish.device import memory
from kerasish.device.jit import Native, compilation_off
from kerasish.kernels.cpu import raw, thread_pool
from kerasish.kernels.cpu.raw import address, call, copy_bytes, integers

FIELDS = 5  # of a row of the table: function, plan, the plan as it was, its bytes, threads
_lock = threading.Lock()


class Entry(NamedTuple):
    """A native call as it was noted."""

    native: Native
    plan: np.ndarray
    before: np.ndarray
    threads: int


class Recorder:
    """Notes the native calls of its thread.

    Args:
        constants: arrays that stay as they are; what is made of them alone is made once.
    """

    def __init__(self, constants: list[np.ndarray]):
        self.thread, self.entries, self.held = threading.get_ident(), [], []
        self.constant = {address(array) for array in constants}

    def note(self, native: Native, plan: np.ndarray, threads: int) -> None:
        """Keep a call."""
        if threading.get_ident() == self.thread:
            self.entries.append(Entry(native, plan, plan.copy(), threads))

    def hold(self, array: np.ndarray) -> None:
        """Keep an array whose address is taken; pooled ones live in the arena anyway."""
        if threading.get_ident() == self.thread and not memory.is_pooled(array):
            self.held.append(array)

    def is_constant(self, source: np.ndarray, made: np.ndarray) -> bool:
        """Whether `made`, which is made of `source` alone, is made for good; then it is kept."""
        if threading.get_ident() != self.thread or address(source) not in self.constant:
            return False
        self.constant.add(address(made))
        self.held.append(made)
        return True


class Recording:
    """A pass that can be run again, by one thread at a time.

    Attributes:
        outputs: the arrays in which results lie after a run.
    """

    def __init__(self, recorder: Recorder, arena: memory.Arena, inputs: list, outputs: list):
        self.inputs, self.outputs, self.recorder, self.arena = inputs, outputs, recorder, arena
        self._lock, self._table = threading.Lock(), table(recorder.entries)
        self._threads = max((e.threads for e in recorder.entries), default=1)

    @property
    def bytes(self) -> int:
        """How much memory the pass works in."""
        ends = sum(array.nbytes for array in (*self.inputs, *self.outputs))
        return ends + sum(block.nbytes for block in self.arena.blocks)

    def run(self, inputs: list[np.ndarray]) -> list[np.ndarray] | None:
        """Copies of the results for inputs of the recorded shapes; None if another thread is in it."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            for place, x in zip(self.inputs, inputs):
                np.copyto(place, x)
            pool = thread_pool.state_for(self._threads)
            replay_native.call(address(self._table), len(self._table), pool, thread_pool.launch_native.address)
            return [y.copy() for y in self.outputs]
        finally:
            self._lock.release()


def table(entries: list[Entry]) -> np.ndarray:
    """Calls as `_replay` reads them."""
    rows = [(e.native.address, address(e.plan), address(e.before), e.plan.nbytes, e.threads) for e in entries]
    return np.array(rows, np.int64).reshape(-1, FIELDS)


def record(function: Callable, inputs: list[np.ndarray], constants: list[np.ndarray]) -> Recording | None:
    """Run a function of arrays and keep its native calls.

    Args:
        function: takes a list of arrays, returns a list of arrays.
        inputs: what to run it on.
        constants: arrays that it reads and nobody changes.

    Returns:
        The recording, or None where calls cannot be recorded or another recording is going on.
    """
    if compilation_off() or not _lock.acquire(blocking=False):
        return None
    try:
        arena, recorder = memory.Arena(), Recorder(constants)
        places: list[Any] = [memory.empty(x.shape, x.dtype) for x in inputs]
        for place, x in zip(places, inputs):
            np.copyto(place, x)
        with memory.drawing_on(arena):
            raw.recorder = recorder
            try:
                outputs = function(places)
            finally:
                raw.recorder = None
        return Recording(recorder, arena, places, outputs)
    finally:
        _lock.release()


def _replay(table, count, pool, launch):
    """The calls of a table, one after the other."""
    for i in range(count):
        row = integers(table + i * (8 * FIELDS), FIELDS)
        copy_bytes(row[1], row[2], row[3])
        if row[4] > 1:
            call(launch, pool, row[0], row[1], row[4])
        else:
            call(row[0], row[1], 0)


replay_native = Native(_replay, 4, "")
