"""Forward passes as the list of the native calls that they are: recorded once, then run without Python between them.

While a pass is recorded each call of `thread_pool.run` is noted with its plan, every array whose address a plan holds
is kept, and pooled memory comes from an arena that belongs to the recording. A replay copies new inputs to where the
old ones lie, puts the plans back as they were (kernels count in them), and calls. Whether a pass is nothing but native
calls is for the caller to know and to check.
"""

import contextlib
import functools
import itertools
import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasish.device import memory, raw, thread_pool, threads
from kerasish.device.engines import engine
from kerasish.device.natives import Native, compilation_off, njit
from kerasish.device.raw import address, call, copy_bytes, integers
from kerasish.kernels import Refused, twin_of
from kerasish.kernels.cpu.replay_watch import Watch
from kerasish.kernels.reference.precision import quiet

FIELDS = 5  # of a row of the table: function, plan, the plan as it was, its bytes, threads
_turn = threads.Turn()
Source = np.ndarray | None | tuple


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
        self.thread, self.entries, self.held, self.drawing = threading.get_ident(), [], [], []
        self.constant = {address(array) for array in constants}

    def note(self, native: Native, plan: np.ndarray, threads: int) -> None:
        """Keep a call."""
        if threading.get_ident() == self.thread:
            self.entries.append(Entry(native, plan, plan.copy(), threads))

    def foreign(self, function: Callable, *arrays: np.ndarray) -> None:
        """Keep a call of NumPy's, to be made again by Python."""
        if threading.get_ident() == self.thread:
            self.entries.append(functools.partial(function, *map(memory.unowned, arrays)))

    def draws(self) -> None:
        """The next call draws random numbers: its seed must change from replay to replay."""
        if threading.get_ident() == self.thread:
            self.drawing.append(len(self.entries))

    def hold(self, array: np.ndarray) -> None:
        """Keep an array whose address is taken; the arena's live there anyway."""
        if threading.get_ident() == self.thread and not memory.in_arena(array):
            self.held.append(array)

    def knows(self, source: Source) -> bool:
        """Whether an array, or each of several, stays as it is; None does."""
        sources = source if isinstance(source, tuple) else (source,)
        ours = threading.get_ident() == self.thread
        return ours and all(s is None or address(s) in self.constant for s in sources)

    def is_constant(self, source: Source, made: np.ndarray) -> bool:
        """Whether `made`, which is made of `source` alone, is made for good; then it is kept.

        What lies in the arena is not: earlier calls of a replay write there, too.
        """
        if not self.knows(source) or memory.in_arena(made):
            return False
        self.constant.add(address(made))
        self.held.append(made)
        return True


class Recording:
    """A pass that can be run again, by one thread at a time.

    Attributes:
        outputs: the arrays in which results lie after a run.
        strangers: kernels that were given arrays which no kernel made, and which are no constants.
    """

    def __init__(self, tape: "Tape", inputs: list, outputs: list):
        self.inputs, self.outputs, self.strangers = inputs, outputs, tape.watch.strangers
        self.recorder, self.arena = tape.recorder, tape.arena
        self._turn, self._calls = threads.Turn(), Calls(self.recorder.entries)

    @property
    def bytes(self) -> int:
        """How much memory the pass works in."""
        ends = sum(array.nbytes for array in (*self.inputs, *self.outputs))
        return ends + sum(block.nbytes for block in self.arena.blocks)

    def run(self, inputs: list[np.ndarray]) -> list[np.ndarray] | None:
        """Copies of the results for inputs of the recorded shapes; None if another thread is in it."""
        turn = self._turn.take()
        if turn is None:
            return None
        try:
            for place, x in zip(self.inputs, inputs):
                np.copyto(place, x)
            self._calls()
            return [y.copy() for y in self.outputs]
        finally:
            self._turn.give_back()


class Calls:
    """Calls to be made again: native ones in tables, foreign ones between them."""

    def __init__(self, entries: list):
        runs = itertools.groupby(entries, key=callable)
        self.parts = [part for foreign, run in runs for part in (map(quiet, run) if foreign else [table(list(run))])]
        self.threads = max((e.threads for e in entries if not callable(e)), default=1)

    def __call__(self) -> None:
        """Make them."""
        pool = thread_pool.state_for(self.threads)
        for part in self.parts:
            if callable(part):
                part()
            else:
                _replay.call(address(part), len(part), pool, thread_pool.launch_at())


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
    with recording(constants) as tape:
        if tape is None:
            return None
        places = [tape.place(x) for x in inputs]
        outputs = function(places)
    return Recording(tape, places, outputs)


def noise(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Arrays of the same shapes and dtypes to record with, which no user has."""
    random = np.random.default_rng([83, 89])
    return [random.standard_normal(a.shape).astype(a.dtype) for a in arrays]


class Tape(NamedTuple):
    """A recording that is going on."""

    recorder: Recorder
    arena: memory.Arena
    watch: Watch

    def place(self, x: np.ndarray) -> np.ndarray:
        """A copy of an array, in the recording's memory."""
        place = memory.empty(x.shape, x.dtype)
        np.copyto(place, x)
        self.watch.know(place)
        return place


class recording:
    """A context in which this thread's calls are noted: a Tape; None where that cannot be, or another thread's are.

    It refuses where kernels are not called by their addresses.

    Not a generator, for the reason that `memory.drawing_on` is none.
    """

    def __init__(self, constants: list[np.ndarray]):
        self._constants, self._stack, self._token = constants, contextlib.ExitStack(), None

    def __enter__(self) -> Tape | None:
        if engine() == "numba":
            raise Refused("plain Numba runs the kernels (`python -m kerasish doctor` says why): calls cannot be noted")
        self._token = None if compilation_off() else _turn.take()
        if self._token is None:
            return None
        raw.recorder = None  # with the turn, what is there was left by an interrupt
        recorder = Recorder(self._constants)
        arena = memory.Arena()
        tape = Tape(recorder, arena, Watch(recorder, arena))
        self._stack.callback(_turn.give_back)
        self._stack.enter_context(memory.drawing_on(tape.arena))
        self._stack.enter_context(_noting(recorder))
        self._stack.enter_context(twin_of(np.empty(0)).through(tape.watch.watched))
        return tape

    def __exit__(self, *error) -> None:
        self._stack.close()  # all of them, also where an interrupt comes into the end of one


class _noting:
    """A context in which native calls are noted by a recorder, or by none."""

    def __init__(self, recorder: Recorder | None):
        self._recorder, self._before = recorder, None

    def __enter__(self) -> None:
        self._before, raw.recorder = raw.recorder, self._recorder

    def __exit__(self, *error) -> None:
        raw.recorder = self._before


class paused:
    """A context within `recording` in which nothing is noted."""

    def __init__(self):
        self._noting, self._drawing = _noting(None), memory.drawing_on(None)

    def __enter__(self) -> None:
        self._noting.__enter__()
        self._drawing.__enter__()

    def __exit__(self, *error) -> None:
        self._drawing.__exit__(*error)
        self._noting.__exit__(*error)


class working_in:
    """A context in which this thread's memory comes from a recording's arena: True; False if another records."""

    def __init__(self, arena: memory.Arena):
        self._drawing, self._token = memory.drawing_on(arena), None

    def __enter__(self) -> bool:
        self._token = _turn.take()
        if self._token is not None:
            self._drawing.__enter__()
        return self._token is not None

    def __exit__(self, *error) -> None:
        if self._token is not None:
            self._drawing.__exit__(*error)
            _turn.give_back()


def abandon() -> None:
    """End what an interrupt left of this thread's recording: contexts end late, or with the traceback only."""
    if (noting := raw.recorder) is not None and noting.thread == threading.get_ident():
        raw.recorder = None
    memory.abandon()
    threads.abandon()


@njit("void(int64, int64, int64, int64)")
def _replay(table, count, pool, launch):
    """The calls of a table, one after the other."""
    for i in range(count):
        row = integers(table + i * (8 * FIELDS), FIELDS)
        copy_bytes(row[1], row[2], row[3])
        if row[4] > 1:
            call(launch, pool, row[0], row[1], row[4])
        else:
            call(row[0], row[1], 0)
