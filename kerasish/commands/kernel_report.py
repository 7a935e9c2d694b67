"""Which kernels a script runs: how often, how long, on which engine, and by what way they are reached.

While it looks, this library's own functions are replaced by ones that note their calls, on the way from op to twin to
kernel. Nobody else pays for that. Recordings are off meanwhile, for they call kernels where nobody sees it.
"""

import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

NUMPY = "NumPy"  # as an engine: the reference's own work, and what CuPy does on a card


class Row:
    """What is known of a kernel. The first call of each variety compiles or loads it, so its time stands apart."""

    def __init__(self):
        self.calls, self.first, self.rest, self.threads = 0, 0.0, 0.0, 1
        self.ways: dict[str, int] = {}
        self.varieties: set = set()

    def note(self, seconds: float, threads: int, way: str, variety: Any) -> None:
        """Count a call."""
        self.calls += 1
        self.threads, self.ways[way] = max(self.threads, threads), self.ways.get(way, 0) + 1
        if variety in self.varieties:
            self.rest += seconds
        else:
            self.varieties.add(variety)
            self.first += seconds

    @property
    def each(self) -> float:
        """Seconds of a call, as the later ones have it."""
        later = self.calls - len(self.varieties)
        return self.rest / later if later else self.first / self.calls

    @property
    def total(self) -> float:
        """Seconds of all calls, as if the first had been like the others."""
        return self.each * self.calls


class Notes:
    """The kernels that ran, by name and engine."""

    def __init__(self):
        self.rows: dict[tuple[str, str], Row] = {}
        self._lock, self._here = threading.Lock(), threading.local()

    def note(self, kernel: str, engine: str, seconds: float, threads: int = 1, variety: Any = None) -> None:
        """Count a call of a kernel, made on this thread's way; `variety` says for what it was compiled."""
        self._here.kernels = getattr(self._here, "kernels", 0) + 1
        with self._lock:
            self.rows.setdefault((kernel, engine), Row()).note(seconds, threads, " -> ".join(self._way()), variety)

    @contextmanager
    def through(self, station: str) -> Iterator[None]:
        """A context in which kernels are reached through an op or a twin."""
        way = self._way()
        way.append(station)
        try:
            yield
        finally:
            way.pop()

    def kernels_here(self) -> int:
        """How many kernels this thread has called."""
        return getattr(self._here, "kernels", 0)

    def _way(self) -> list[str]:
        if not hasattr(self._here, "way"):
            self._here.way = []
        return self._here.way


@contextmanager
def watching(notes: Notes) -> Iterator[None]:
    """A context in which all kernels are noted."""
    from kerasish import kernels
    from kerasish.core import autodiff
    from kerasish.core.op import Op
    from kerasish.device import cuda_jit, parallel

    find, call, record, run, launch = kernels.find, Op.call, autodiff.record, parallel.Kernel._run, cuda_jit.launch

    def found(place, name):
        function = find(place, name)
        return function if function is None else _noted_twin(notes, function)

    def op_call(op, *inputs):
        with notes.through(_op(op)):
            return call(op, *inputs)

    def recorded(watching, backward, *rest):
        return record(watching, _noted_backward(notes, backward), *rest)

    def kernel_run(kernel, how, tasks, arguments, threads):
        began = time.perf_counter()
        run(kernel, how, tasks, arguments, threads)
        seconds, most = time.perf_counter() - began, min(threads or parallel._all(), tasks)
        kinds = tuple((x.dtype.str, x.ndim) if hasattr(x, "ndim") else type(x) for x in arguments)
        notes.note(f"{_place(kernel.module)}.{kernel.name}", parallel.engine(), seconds, most, (kinds, most > 1))

    def card_launch(kernel, configuration, *arguments):
        finish = (lambda: None) if cuda_jit.simulated() else sys.modules["cupy"].cuda.runtime.deviceSynchronize
        finish()  # or only the launch were timed
        began = time.perf_counter()
        launch(kernel, configuration, *arguments)
        finish()
        notes.note(f"cuda.{kernel.name}", cuda_jit.engine(), time.perf_counter() - began)

    replaced = [
        (kernels, "find", found),
        (kernels, "replays_of", lambda array: None),
        (Op, "call", op_call),
        (autodiff, "record", recorded),
        (parallel.Kernel, "_run", kernel_run),
        (cuda_jit, "launch", card_launch),
    ]
    with ExitStack() as stack:
        stack.callback(_forget)
        for owner, name, function in replaced:
            stack.enter_context(mock.patch.object(owner, name, function))
        _forget()
        yield


def _forget():
    """Let twins look their functions up again."""
    from kerasish import kernels

    for twin in (kernels._cpu, kernels._cuda):
        twin._forget()


def _noted_twin(notes: Notes, function: Callable) -> Callable:
    name = f"{_place(function.__module__)}.{function.__name__}"

    @functools.wraps(function)
    def twin(*args: Any, **kwargs: Any) -> Any:
        before, began = notes.kernels_here(), time.perf_counter()
        with notes.through(name):
            result = function(*args, **kwargs)
        if notes.kernels_here() == before:
            notes.note(name, NUMPY, time.perf_counter() - began)
        return result

    return twin


def _noted_backward(notes: Notes, backward: Callable) -> Callable:
    op = getattr(backward, "__self__", None)
    name = f"{_op(op)}'s gradient" if op is not None else "custom_gradient"

    def noted(*args: Any) -> Any:
        with notes.through(name):
            return backward(*args)

    return noted


def _op(op: Any) -> str:
    functions = getattr(op, "_functions", None)  # of an op by `numba_op`
    return type(op).__name__.lstrip("_") if functions is None else f"numba_op {functions.name}"


def _place(module: str) -> str:
    return module.removeprefix("kerasish.kernels.")


def show(notes: Notes, seconds: float) -> None:
    """Print the table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    rows = sorted(notes.rows.items(), key=lambda item: -item[1].total)
    total = sum(row.total for _, row in rows)
    table = Table(box=box.SIMPLE_HEAD, title=None, pad_edge=False)
    table.add_column("kernel", overflow="fold")
    for name in ("engine", "threads", "calls", "total, ms", "one, ms", "first, ms", "%"):
        table.add_column(name, justify="left" if name == "engine" else "right", no_wrap=True)
    table.add_column("way", overflow="fold")
    for (kernel, engine), row in rows:
        share = 100 * row.total / total if total else 0
        times = [f"{1e3 * row.total:.1f}", f"{1e3 * row.each:.3f}", f"{1e3 * row.first:.1f}", f"{share:.0f}"]
        table.add_row(kernel, engine, str(row.threads), str(row.calls), *times, _ways(row))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160, highlight=False)
    console.print(table)
    figures = f"{len(rows)} kernels, {sum(row.calls for _, row in rows)} calls, {total:.2f} s of {seconds:.2f} s."
    console.print(
        f"{figures} A kernel's first calls compile or load it, so they count in the total as the others do. "
        "Nothing was replayed, so that all calls are seen: a script runs faster without this report."
    )


def _ways(row: Row) -> str:
    ways = sorted(row.ways, key=lambda way: -row.ways[way])
    text = ways[0] or "called directly"
    return text if len(ways) == 1 else f"{text}, and {len(ways) - 1} more"


def run(script: list[str]) -> int:
    """Run a script as `python -m kerasish` does, and print what kernels it ran."""
    from kerasish.__main__ import main

    notes, began = Notes(), time.perf_counter()
    code = 0
    with watching(notes):
        try:
            code = main(script)
        except SystemExit as end:  # a script may end itself
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                sys.stderr.write(f"{end.code}\n")
    show(notes, time.perf_counter() - began)
    return code
