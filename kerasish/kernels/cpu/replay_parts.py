"""A recorded pass over a few images, replayed for the parts of a batch, each thread taking parts for itself.

A part's results never leave the caches between layers, and threads meet once a batch instead of once a kernel. Each
worker has a copy of all that the recording writes; filters and what is made of them they share.
"""

import bisect
import ctypes
from typing import NamedTuple

import numpy as np

from kerasish.device import thread_pool, threads
from kerasish.device.natives import njit
from kerasish.device.raw import address, call, copy_bytes, integers, record, take
from kerasish.kernels.cpu.replay import FIELDS, Entry, Recording, table

LINE = 64  # bytes: copies lie as the originals lie to the cache lines


class Worker(NamedTuple):
    """What a worker computes a part with: its calls, the places of inputs and outputs, and what must stay alive."""

    table: np.ndarray
    inputs: list[int]
    outputs: list[int]
    kept: tuple


class Plan(NamedTuple):
    """The replay of a batch: addresses, and sizes in bytes."""

    taken: int = 0
    parts: int = 0
    rows: int = 0  # of a part
    total: int = 0  # rows of the batch
    calls: int = 0
    ends: int = 0  # inputs and outputs together
    inputs: int = 0
    batch: int = 0  # for each end: where the batch lies, and the bytes of a row
    workers: int = 0  # for each worker: its table, and the places of its ends


plan_at = record(np.dtype([(name, np.int64) for name in Plan._fields]))


class Parts:
    """A batch's pass in parts.

    Args:
        recording: a recording of one part, of kernels that ran on one thread; axis 0 counts the rows of all its ends.
        total: rows of the batch.
        count: workers.
    """

    def __init__(self, recording: Recording, total: int, count: int):
        self.rows, self.total, self.recording = len(recording.inputs[0]), total, recording
        own = Worker(table(recording.recorder.entries), *_places(recording), (recording,))
        self.workers = [own, *(_copy_of(recording) for _ in range(count - 1))]
        self._turn, ends = threads.Turn(), (*recording.inputs, *recording.outputs)
        self._bytes = [a.nbytes // self.rows for a in ends]
        self._places = np.array([[address(w.table), *w.inputs, *w.outputs] for w in self.workers], np.int64)

    def run(self, inputs: list[np.ndarray], worker: int | None = None) -> list[np.ndarray] | None:
        """The results for a batch, by all workers or by one; None if another thread is in it."""
        turn = self._turn.take()
        if turn is None:
            return None
        try:
            inputs = [np.ascontiguousarray(x) for x in inputs]
            outputs = [np.empty((self.total, *y.shape[1:]), y.dtype) for y in self.recording.outputs]
            at = [address(array) for array in (*inputs, *outputs)]
            batch = np.array([*zip(at, self._bytes)], np.int64)
            given = Plan(
                parts=-(-self.total // self.rows), rows=self.rows, total=self.total, calls=len(self.workers[0].table),
                ends=len(batch), inputs=len(inputs), batch=address(batch), workers=address(self._places),
            )  # fmt: skip
            plan = np.array(given, np.int64)
            if worker is None:
                thread_pool.run(_run_parts, plan, len(self.workers))
            else:
                _run_parts.call(address(plan), worker)
            return outputs
        finally:
            self._turn.give_back()


def _places(recording):
    return [address(x) for x in recording.inputs], [address(y) for y in recording.outputs]


def _copy_of(recording):
    """A worker that does what the recording does, in memory of its own."""
    spans, shift = _spans(recording), {}
    room = np.zeros(sum(high - low + LINE for low, high in spans), np.uint8)
    free = address(room)
    for low, high in spans:
        place = free + (low - free) % LINE
        ctypes.memmove(place, low, high - low)
        shift[low], free = place - low, place + high - low
    starts = [low for low, _ in spans]

    def moved(words):
        found = words.copy()
        for i, word in enumerate(words.tolist()):
            span = bisect.bisect_right(starts, word) - 1
            if span >= 0 and word < spans[span][1]:
                found[i] = word + shift[starts[span]]
        return found

    entries = [Entry(e.native, moved(e.before), moved(e.before), e.threads) for e in recording.recorder.entries]
    inputs, outputs = (moved(np.array(places, np.int64)).tolist() for places in _places(recording))
    return Worker(table(entries), inputs, outputs, (recording, entries, room))


def _spans(recording):
    """The pieces of memory, in order and apart, that a recording may write."""
    constant = recording.recorder.constant
    arrays = [
        a for a in (*recording.recorder.held, *recording.inputs, *recording.outputs) if address(a) not in constant
    ]
    spans: list[list[int]] = []
    for low, high in sorted(_bounds(array) for array in (*arrays, *recording.arena.blocks)):
        if spans and low < spans[-1][1]:
            spans[-1][1] = max(high, spans[-1][1])
        elif high > low:
            spans.append([low, high])
    return spans


def _bounds(array):
    """Where an array's memory begins and ends."""
    start, reaches = array.__array_interface__["data"][0], [(n - 1) * s for n, s in zip(array.shape, array.strides)]
    if not array.size:
        return start, start
    return start + sum(min(r, 0) for r in reaches), start + sum(max(r, 0) for r in reaches) + array.itemsize


@njit("void(int64, int64)")
def _run_parts(plan, worker):
    """Take parts of the batch, until none is left: inputs in, all calls, results out."""
    p = plan_at(plan)
    own = p.workers + worker * (p.ends + 1) * 8
    part = take(plan)
    while part < p.parts:
        first = min(part * p.rows, p.total - p.rows)
        for i in range(p.inputs):
            whole, place = integers(p.batch + i * 16, 2), integers(own, i + 2)[i + 1]
            copy_bytes(place, whole[0] + first * whole[1], p.rows * whole[1])
        for i in range(p.calls):
            row = integers(integers(own, 1)[0] + i * (8 * FIELDS), FIELDS)
            copy_bytes(row[1], row[2], row[3])
            call(row[0], row[1], 0)
        for i in range(p.inputs, p.ends):
            whole, place = integers(p.batch + i * 16, 2), integers(own, i + 2)[i + 1]
            copy_bytes(whole[0] + first * whole[1], place, p.rows * whole[1])
        part = take(plan)
