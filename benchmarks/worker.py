"""One library, one workload, one fresh process: `python -m benchmarks.worker LIBRARY WORKLOAD --prepared FOLDER`.

Prints one line of JSON. Up to the library's import nothing heavy is imported here, so that its cost is its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.contestants import Contestant, contestant
from benchmarks.libraries import LIBRARIES
from benchmarks.workloads import WORKLOADS


class Effort(NamedTuple):
    """How long to measure.

    Attributes:
        call: seconds that one call of fit or predict should last, by the number of its batches; and about what all
            predictions of one image may take.
        seconds: what all calls of fit or predict should last together.
        calls: at least so many of them.
        images: at most so many predictions of one image.
    """

    call: float
    seconds: float
    calls: int
    images: int


EFFORTS = {"full": Effort(0.5, 1.5, 3, 50), "quick": Effort(0.2, 0.4, 2, 10), "smoke": Effort(0.0, 0.0, 1, 1)}


def main() -> None:
    """Read the command line, measure, print."""
    began = time.time()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker", description=__doc__.split("\n")[0])
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--prepared", type=Path, required=True, help="the folder that benchmarks.prepare filled")
    parser.add_argument("--effort", choices=EFFORTS, default="full")
    parser.add_argument("--batch", type=int, help="images in a step, instead of the workload's number")
    parser.add_argument("--began", type=float, default=began, help="when the process was started, in seconds")
    args = parser.parse_args()
    subject = contestant(LIBRARIES[args.library], WORKLOADS[args.workload], args.prepared / args.workload)
    found = measure(subject, EFFORTS[args.effort], args.batch or subject.workload.batch, args.began)
    print(json.dumps(found))


def measure(subject: Contestant, effort: Effort, batch: int, began: float) -> dict:
    """All the measures of a contestant, in the order in which a user meets them.

    Args:
        subject: who is measured.
        effort: how long.
        batch: images in a step.
        began: when the process was started, as `time.time()` has it.

    Returns:
        Seconds `*_s`, milliseconds `*_ms`, MB `*_mb` by name, the batch, and `outputs`, by which contestants can be
        compared.
    """
    found = {"batch": batch, "import_s": elapsed(subject.load)}
    subject.build()
    workload = subject.workload
    x, y = workload.data(batch)
    if subject.library.trains:
        subject.fit(x, y, batch)
        found["first_batch_s"] = time.time() - began
    x, y = workload.data(batch * workload.steps)
    if subject.library.trains:
        found["fit_ms"] = per_step(lambda n: subject.fit(x[: n * batch], y[: n * batch], batch), workload.steps, effort)
        found["memory_mb"] = peak_memory()
    subject.reset()
    found["outputs"] = [round(float(v), 7) for v in subject.predict(x[:2], 2)[:, :8].ravel()]
    found["predict_ms"] = per_step(lambda n: subject.predict(x[: n * batch], batch), workload.steps, effort)
    found["image_ms"] = typical(lambda: subject.predict(x[:1], 1), effort)
    found["call_ms"] = typical(lambda: subject.call(x[:1]), effort)
    return found


def elapsed(work: Callable, *args) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    work(*args)
    return time.perf_counter() - start


def per_step(work: Callable[[int], None], most: int, effort: Effort) -> float:
    """Milliseconds a step of `work(steps)`: the median of calls long enough that their own cost counts little."""
    work(1)
    steps = max(1, min(most, round(effort.call / elapsed(work, 1))))
    times: list[float] = []
    while len(times) < effort.calls or sum(times) < effort.seconds:
        times.append(elapsed(work, steps))
    return 1000 * statistics.median(times) / steps


def typical(work: Callable[[], None], effort: Effort) -> float:
    """The median milliseconds of a short call, after two that may compile."""
    work()
    work()
    times: list[float] = []
    while len(times) < effort.images and sum(times) < effort.call + 0.2:
        times.append(elapsed(work))
    return 1000 * statistics.median(times)


def peak_memory() -> float:
    """The most memory that this process has had, in MB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


if __name__ == "__main__":
    main()
