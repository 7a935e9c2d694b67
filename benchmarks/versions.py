"""This version beside another: `python -m benchmarks.versions REF [WORKLOAD ...] [--rounds N]`.

One process of each version lives as long as the comparison lasts, and the two take turns every few steps, in either
order: where the machine's speed drifts, it drifts for both. A figure is the median of the ratios of neighbours, with
its quartiles. Both run this version's workloads; each compiles into a cache of its own before it is measured.

REF is anything that git knows as a commit; the working tree is compared as it is. With `.` for REF and
`--engine numba` it is compared with itself, its kernels run by plain Numba ("before").
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.contestants import contestant
from benchmarks.libraries import LIBRARIES, ROOT, environment_of
from benchmarks.memory import peak
from benchmarks.workloads import WORKLOADS

STEPS, CALLS, WARM = 4, 40, 12  # steps in a turn; calls in one; steps after which a model is recorded
ROWS = {
    "fit": "a step of fit, ms",
    "memory": "peak memory of training, MB",
    "predict": "a step of predict, ms",
    "image": "predict of one image, ms",
    "call": "a call with one image, ms",
    "start": "a new process up to its first step, s",
}


def main(arguments: list[str] | None = None) -> int:
    """Compare, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=__doc__.split("\n")[0])
    parser.add_argument("ref", help="a commit; . for the working tree")
    parser.add_argument("workloads", nargs="*", help=f"some of {', '.join(WORKLOADS)}; all by default")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--engine", choices=("pool", "numba"), help="what runs the kernels of REF")
    options = parser.parse_args(arguments)
    if unknown := set(options.workloads) - set(WORKLOADS):
        parser.error(f"no workloads: {', '.join(sorted(unknown))}")
    print("| workload | what | before | now | now / before | its quartiles |\n|---|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory(prefix="kerasish-versions-") as folder:
        before = ROOT if options.ref == "." else _checked_out(options.ref, Path(folder, "before"))
        sides = [_environment(before, Path(folder, "cache-before")), _environment(ROOT, Path(folder, "cache-now"))]
        if options.engine:
            sides[0]["KERASISH_ENGINE"] = options.engine
        for workload in options.workloads or WORKLOADS:
            for what, ratios, medians in compare(sides, workload, options.rounds):
                low, middle, high = statistics.quantiles(ratios, n=4)
                figures = " | ".join(f"{m:.4g}" for m in medians)
                print(f"| {workload} | {ROWS[what]} | {figures} | {middle:.3f} | {low:.3f} to {high:.3f} |", flush=True)
    return 0


def _checked_out(ref: str, folder: Path) -> Path:
    """The package as it was at a commit."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", ref, "kerasish"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return folder


def _environment(package: Path, cache: Path) -> dict[str, str]:
    ours = environment_of(LIBRARIES["kerasish"])
    path = os.pathsep.join([str(package), ours["PYTHONPATH"]])
    cache.mkdir()
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(cache)}  # as for a package that is installed
    return {**ours, **bytecode, "PYTHONPATH": path, "KERASISH_CACHE_DIR": str(cache), "KERASISH_QUIET": "1"}


def compare(sides: list[dict], workload: str, rounds: int) -> Iterator[tuple[str, list[float], list[float]]]:
    """(what, ratios of neighbours, medians of both sides) for each row of a workload.

    Args:
        sides: the environments of both versions.
        workload: its name.
        rounds: turns of each side.
    """
    with contextlib.ExitStack() as stack:
        asks = [stack.enter_context(_process(side, workload)) for side in sides]
        for what in list(ROWS)[:-1]:
            measures = [functools.partial(ask, what) for ask in asks]
            for measure in measures * 2:
                measure()  # not counted: what is recorded is recorded now
            yield what, *_in_turns(measures, 2 if what == "memory" else rounds)
    starts = [functools.partial(_start, side, workload) for side in sides]
    yield "start", *_in_turns(starts, max(2, rounds // 2))


def _in_turns(measures: list[Callable[[], float]], rounds: int) -> tuple[list[float], list[float]]:
    """Ratios of the second measure to the first, and the medians of both."""
    found: list[list[float]] = [[], []]
    for round in range(rounds):
        for side in (0, 1) if round % 2 else (1, 0):
            found[side].append(measures[side]())
    return [b / a for a, b in zip(*found)], [statistics.median(side) for side in found]


@contextlib.contextmanager
def _process(environment: dict, workload: str) -> Iterator[Callable[[str], float]]:
    """A process that measures what it is asked for."""
    command = [sys.executable, "-c", "from benchmarks.versions import answer; answer()", workload]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(command, **pipes, cwd=environment["KERASISH_CACHE_DIR"]) as process:

        def ask(what: str) -> float:
            process.stdin.write(what + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


def _start(environment: dict, workload: str) -> float:
    """Seconds from the start of a process to the end of its first training step."""
    began = time.time()
    with _process(environment, workload) as ask:
        return ask("now") - began


def answer() -> None:
    """Build the model named on the command line, take its first step, and measure what the standard input asks for."""
    workload = WORKLOADS[sys.argv[1]]
    ours = contestant(LIBRARIES["kerasish"], workload, Path())
    ours.load()
    ours.build()
    x, y = workload.data(STEPS * workload.batch)
    first = x[: workload.batch], y[: workload.batch], workload.batch
    ours.fit(*first)
    began = time.time()
    for number, line in enumerate(sys.stdin):
        what = line.strip()
        for _ in range(WARM if number == 0 and what != "now" else 0):
            ours.fit(*first)
        print(json.dumps(_measured(what, ours, x, y, began)), flush=True)


def _measured(what: str, ours, x, y, began: float) -> float:
    match what:
        case "now":
            return began
        case "memory":
            return peak()
        case "fit":
            return _milliseconds(lambda: ours.fit(x, y, ours.workload.batch)) / STEPS
        case "predict":
            return _milliseconds(lambda: ours.predict(x, ours.workload.batch)) / STEPS
        case "image":
            return statistics.median(_milliseconds(lambda: ours.predict(x[:1], 1)) for _ in range(CALLS))
        case _:
            return statistics.median(_milliseconds(lambda: ours.call(x[:1])) for _ in range(CALLS))


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())
