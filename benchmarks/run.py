"""The run: a fresh process for every measurement, never two at a time, the libraries taking turns."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benchmarks.libraries import LIBRARIES, ROOT, environment_of
from benchmarks.machine import load, machine, one_line
from benchmarks.workloads import WORKLOADS

SCRIPTS = ("script", "script-cold")
TIMEOUT = 600


class Job(NamedTuple):
    """One measurement: a round's turn of a library."""

    round: int
    workload: str
    library: str


@dataclass
class Plan:
    """What is measured.

    Attributes:
        rounds: how often the libraries take turns.
        workloads: names of models, "script" (a whole program) and "script-cold" (the same with nothing compiled).
        libraries: names.
        effort: of the workers, "full", "quick" or "smoke".
        minutes: no further round begins that would not end within so many.
        batch: images in a step, instead of the workloads' numbers.
    """

    rounds: int
    workloads: list[str]
    libraries: list[str]
    effort: str
    minutes: float
    batch: int | None = None

    def jobs(self, round: int) -> Iterator[Job]:
        """The jobs of a round."""
        for workload in self.workloads:
            for library in self.libraries:
                if workload in WORKLOADS or (workload == "script" and LIBRARIES[library].trains):
                    yield Job(round, workload, library)
            if workload == "script-cold" and "kerasish" in self.libraries:
                yield Job(round, workload, "kerasish")


@dataclass
class Results:
    """What was measured, kept in a file as it grows.

    Attributes:
        path: the file.
        machine: its kind.
        date: of the run.
        load: how many programs wanted a core when the run began; more than a little spoils it.
        records: a dictionary for every job that was done.
    """

    path: Path
    machine: dict = field(default_factory=machine)
    date: str = field(default_factory=lambda: str(datetime.date.today()))
    load: float = field(default_factory=load)
    records: list[dict] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Results:
        """The results in a file."""
        return cls(path, **json.loads(path.read_text(encoding="utf-8")))

    def add(self, record: dict) -> None:
        """Add a record and write the file."""
        self.records.append(record)
        content = {name: value for name, value in vars(self).items() if name != "path"}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".part")
        unfinished.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        unfinished.replace(self.path)

    def has(self, job: Job) -> bool:
        """Whether a job was done."""
        return any(_is_of(record, job) and "error" not in record for record in self.records)


def _is_of(record: dict, job: Job) -> bool:
    return (record["round"], record["workload"], record["library"]) == job


def run(plan: Plan, results: Results) -> None:
    """Measure what the results do not have yet.

    Args:
        plan: what is wanted.
        results: what is there; grows.
    """
    plan.libraries = [name for name in plan.libraries if _is_there(name)]
    say(f"{one_line(results.machine)}; {plan.rounds} rounds of {', '.join(plan.libraries)}")
    if results.load > 0.5:
        say(f"warning: other programs are busy (load {results.load:.1f}); figures will be wrong")
    began, longest = time.monotonic(), 0.0
    with tempfile.TemporaryDirectory(prefix="kerasish-benchmarks-") as folder:
        _prepare(plan, Path(folder))
        for round in range(plan.rounds):
            start = time.monotonic()
            if round and (start - began + longest) / 60 > plan.minutes:
                say(f"{plan.minutes:g} minutes would not do for another round; stopping after {round}")
                break
            for job in plan.jobs(round):
                if not results.has(job):
                    results.add(_record(job, plan, Path(folder)))
            longest = max(longest, time.monotonic() - start)


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def _is_there(name: str) -> bool:
    if LIBRARIES[name].is_installed:
        return True
    say(f"{name} is left out: {', '.join(LIBRARIES[name].packages)} must be installed (pip install '.[bench]')")
    return False


def _prepare(plan: Plan, folder: Path) -> None:
    """Graphs for those who walk them, and compiled kernels; outside all measurements."""
    for workload in plan.workloads:
        say(f"preparing {workload}")
        try:
            _prepare_workload(workload, plan, folder)
        except subprocess.SubprocessError as error:
            say(f"preparing {workload} FAILED: {error}")


def _prepare_workload(workload: str, plan: Plan, folder: Path) -> None:
    environment = environment_of(LIBRARIES["kerasish"])
    if workload in WORKLOADS:
        options = [*_batch(plan), *(["--onnx"] if "onnxruntime" in plan.libraries else [])]
        _output([sys.executable, "-m", "benchmarks.prepare", workload, str(folder), *options], environment)
    elif workload == "script" and "kerasish" in plan.libraries:
        _output(_script("kerasish"), environment)


def _batch(plan: Plan) -> list[str]:
    return ["--batch", str(plan.batch)] if plan.batch else []


def _record(job: Job, plan: Plan, folder: Path) -> dict:
    """Do a job; what went wrong is a record too."""
    start = time.time()
    try:
        found = _time_script(job) if job.workload in SCRIPTS else _ask_worker(job, plan, folder)
        told = "  ".join(f"{name} {value:.4g}" for name, value in found.items() if isinstance(value, float))
    except (subprocess.SubprocessError, ValueError) as error:
        found = {"error": str(error)}
        told = f"FAILED: {error}"
    say(f"round {job.round + 1}  {job.workload:12} {job.library:16} {time.time() - start:5.1f} s  {told}")
    return {**job._asdict(), **found}


def _ask_worker(job: Job, plan: Plan, folder: Path) -> dict:
    command = [sys.executable, "-m", "benchmarks.worker", job.library, job.workload, "--prepared", str(folder)]
    command += ["--effort", plan.effort, *_batch(plan), "--began", repr(time.time())]
    return json.loads(_output(command, environment_of(LIBRARIES[job.library])).splitlines()[-1])


def _time_script(job: Job) -> dict:
    """The seconds of a whole program, from its start to its end."""
    environment = environment_of(LIBRARIES[job.library])
    with contextlib.ExitStack() as stack:
        if job.workload == "script-cold":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="kerasish-cold-"))
            environment["KERASISH_CACHE_DIR"] = folder
        start = time.perf_counter()
        _output(_script(job.library), environment)
        return {"script_s": time.perf_counter() - start}


def _script(library: str) -> list[str]:
    folder = os.path.join("benchmarks", "scripts")
    if LIBRARIES[library].kind == "torch":
        return [sys.executable, os.path.join(folder, "torch_mnist.py")]
    return [sys.executable, os.path.join(folder, "keras_mnist.py"), LIBRARIES[library].module]


def _output(command: list[str], environment: dict[str, str]) -> str:
    """What a program printed; raises with the end of its complaints if it failed."""
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=TIMEOUT, check=False
    )
    if done.returncode:
        raise subprocess.SubprocessError(f"status {done.returncode}: {done.stderr.strip()[-600:]}")
    return done.stdout
