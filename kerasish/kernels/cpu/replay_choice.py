"""Which recording of a pass to replay: that of the whole batch or of its parts, whichever is fastest here."""

import time
from collections.abc import Callable

import numpy as np

from kerasish.device import threads
from kerasish.kernels import Busy, Refused
from kerasish.kernels.cpu.replay import Recording, abandon, noise, record
from kerasish.kernels.cpu.replay_parts import Parts
from kerasish.kernels.cpu.replay_step import record_step

__all__ = ["abandon", "again", "fastest", "record_step"]
PARTS = (1, 2, 4, 8, 16, 32)  # images of a part
# bytes of a part's working memory: below the least calls cost too much, above the most the caches end
LEAST, MOST = 1 << 18, 1 << 23
WHOLE = 0  # stands for a batch that is not cut
WRONG = "replayed, the pass gives other results"

Pass = Callable[[list[np.ndarray]], list[np.ndarray]]


def again(function: Pass, inputs: list[np.ndarray], constants: list[np.ndarray], rows: int) -> Recording | Parts:
    """What `fastest` chose before, recorded anew because constants have changed; raises as it does."""
    if rows == WHOLE:
        return _recorded(function, inputs, constants)
    with threads.alone():
        recording = _recorded(function, [x[:rows] for x in inputs], constants)
    if any(map(callable, recording.recorder.entries)):
        raise Busy("what could be cut into parts before has changed meanwhile")
    return Parts(recording, len(inputs[0]), threads.get_num_threads())


def fastest(
    function: Pass, inputs: list[np.ndarray], results: list[np.ndarray], constants: list[np.ndarray]
) -> tuple[Recording | Parts, int]:
    """A replay of a pass that gives, bit for bit, the results of the function itself.

    Args:
        function: the pass, of arrays to arrays.
        inputs: a batch.
        results: what the function gives for it.
        constants: arrays that the function reads and nobody changes.

    Returns:
        What has `run(inputs)`, and the images of a part or `WHOLE`.

    Raises:
        Refused: If the pass cannot be replayed, or (`Busy`) not now.
    """
    others = noise(inputs)
    whole = _recorded(function, others, constants)
    _check_for_others(whole, inputs, results)
    if not _divisible(inputs, results):
        return whole, WHOLE
    best, chosen, least = whole, WHOLE, _seconds(whole, inputs)
    for rows in PARTS:
        if 2 * rows > len(inputs[0]):
            break
        parts = _parts(function, inputs, results, constants, others, rows)
        if parts is None:
            continue
        seconds = _seconds(parts, inputs)
        if seconds < least:
            best, chosen, least = parts, rows, seconds
        elif seconds > 1.1 * least or parts.recording.bytes > MOST:
            break
    return best, chosen


def _recorded(function, inputs, constants):
    recording = record(function, inputs, constants)
    if recording is None:
        raise Busy("another thread records a pass")
    return recording


def _parts(function, inputs, results, constants, others, rows):
    """The pass in parts, if it is worth a try and each worker alone computes the results."""
    with threads.alone():
        recording = record(function, [x[:rows] for x in others], constants)
    if (
        recording is None
        or any(map(callable, recording.recorder.entries))
        or (rows < PARTS[-1] and recording.bytes < LEAST and 4 * rows <= len(inputs[0]))
    ):
        return None
    parts = Parts(recording, len(inputs[0]), threads.get_num_threads())
    found = (parts.run(inputs, worker) for worker in range(len(parts.workers)))
    return parts if all(_equal(outputs, results) for outputs in found) else None


def _check_for_others(recording, inputs, results):
    """Refuse a recording that was made with other inputs and does not give the results for these."""
    if recording.strangers and any(map(np.array_equal, recording.outputs, results)):
        kernels = ", ".join(sorted(set(recording.strangers)))
        raise Refused(f"an output is the same for noise as for the inputs, and not all that {kernels} got is known")
    for i, (y, want) in enumerate(zip(recording.run(inputs), results, strict=True)):
        if not np.array_equal(y, want):
            off = np.max(np.abs(np.subtract(y, want, dtype=np.float64)))
            raise Refused(f"{WRONG}: output {i} is off by {off:.3g}")


def _divisible(inputs, results):
    """Whether all arrays have the batch's rows."""
    return all(a.ndim and len(a) == len(inputs[0]) for a in (*inputs, *results))


def _equal(outputs, results):
    return outputs is not None and all(map(np.array_equal, outputs, results))


def _seconds(replay, inputs):
    """The shortest of three runs."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        replay.run(inputs)
        times.append(time.perf_counter() - began)
    return min(times)
