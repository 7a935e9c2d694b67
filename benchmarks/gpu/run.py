"""Has the groups of jobs done in processes of their own, within a budget of time, and keeps every record at once."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.gpu.jobs import GROUPS, Group
from benchmarks.gpu.worker import MARK

ROOT = Path(__file__).resolve().parents[2]
START = 60  # seconds that a process may take until its first job begins


class Results:
    """Records, written to a file whenever one is added."""

    def __init__(self, path: Path, about: dict):
        self.path, self.about, self.records = path, about, []

    def add(self, group: str, record: dict) -> None:
        """Keep a record, and show it."""
        self.records.append({"group": group, **record})
        whole = json.dumps({**self.about, "records": self.records}, indent=1)
        partial = self.path.with_suffix(".partial")
        partial.write_text(whole, encoding="utf-8")
        partial.replace(self.path)
        print(line(self.records[-1]), flush=True)


def line(record: dict) -> str:
    """A record in a line."""
    shown = {key: value for key, value in record.items() if key not in ("group", "name", "launched", "tolerance")}
    text = ", ".join(f"{key} {_short(value)}" for key, value in shown.items() if value not in (None, False, ""))
    return f"[{record['group']}] {record['name']}: {text}"


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def run(results: Results, minutes: float, only: str = "", groups: dict[str, Group] | None = None) -> None:
    """Do every job whose name holds `only`: a share of the time for each group, then what is left over."""
    end = time.monotonic() + 60 * minutes
    groups = GROUPS if groups is None else groups
    waiting = {name: _named(results, name, group, only) for name, group in groups.items()}
    shares = {name: groups[name].share for name, jobs in waiting.items() if jobs}
    for name in list(shares):
        allowed = (end - time.monotonic()) * shares[name] / sum(shares.values())
        waiting[name] = done(results, name, groups[name], waiting[name], time.monotonic() + allowed)
        del shares[name]
    for name, jobs in waiting.items():
        for job in done(results, name, groups[name], jobs, end):
            results.add(name, {"name": job, "skipped": f"no time was left of {minutes:g} minutes"})


def _named(results: Results, name: str, group: Group, only: str) -> list[str]:
    """The names of a group's jobs, or none and a record if they cannot even be listed."""
    try:
        return [job for job in group.jobs() if only.lower() in f"{name} {job}".lower()]
    except Exception as failure:  # what one group lacks must not stop the others
        results.add(name, {"name": "its jobs", "failed": f"{type(failure).__name__}: {failure}"})
        return []


def done(results: Results, name: str, group: Group, jobs: list[str], end: float) -> list[str]:
    """Do a group's jobs until the time is over; the names of those that are left."""
    left = list(jobs)
    while left and time.monotonic() < end:
        batch = left[:1] if group.alone else left
        reached = _process(results, name, group, batch, end)
        if reached == 0:
            break
        left = left[reached:]
    return left


def _process(results: Results, name: str, group: Group, jobs: list[str], end: float) -> int:
    """Do jobs in one process until it ends; how many of them have a record now."""
    finished, running, began, asks = 0, None, False, False
    with Worker(name, jobs) as worker:
        while finished < len(jobs):
            limit = group.limit if running else START
            event = worker.event(min(limit, max(0.0, end - time.monotonic())))
            if event is None and (asks or time.monotonic() >= end):
                return finished  # a card that does not even say that it is lost, or no time left
            if event is None:
                results.add(name, {"name": running or jobs[finished], "failed": worker.ending(limit)})
                finished += 1
                return finished if began else finished + _hopeless(results, name, jobs[finished:])
            if "lost" in event:
                return finished
            running, began, asks = event.get("begin"), True, "asks" in event
            for record in event.get("records", ()):
                results.add(name, record)
            finished += "records" in event
    return finished


def _hopeless(results: Results, name: str, jobs: list[str]) -> int:
    """Records of jobs whose process did not even begin: it would not the next time."""
    for job in jobs:
        results.add(name, {"name": job, "skipped": "its process did not begin"})
    return len(jobs)


class Worker:
    """A process of `worker.py`, and its events."""

    command = [sys.executable, "-m", "benchmarks.gpu.worker"]

    def __init__(self, group: str, jobs: list[str]):
        self.group, self.jobs, self.events, self.closed = group, jobs, queue.Queue(), False

    def __enter__(self):
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors}
        self.process = subprocess.Popen(
            [*self.command, self.group],
            **pipes,
            text=True,
            encoding="utf-8",
            env=environment,
            cwd=ROOT,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.process.stdin.write(json.dumps(self.jobs))
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already; `ending` says how
        return self

    def __exit__(self, *_):
        self._end()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.errors.close()

    def _end(self) -> None:
        """End the process and those that it started: all that was to be told is told, or it hangs."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()

    def _read(self) -> None:
        for text in self.process.stdout:
            if text.startswith(MARK):
                self.events.put(json.loads(text[len(MARK) :]))
        self.closed = True
        self.events.put(None)

    def event(self, seconds: float) -> dict | None:
        """The next event; None if the process has ended, or if none came in time."""
        try:
            return self.events.get(timeout=seconds)
        except queue.Empty:
            return None

    def ending(self, limit: float) -> str:
        """Why no event came."""
        if not self.closed:
            return f"no answer in {limit:g} s; the process was stopped"
        code = self.process.wait()
        self.errors.seek(0)
        told = [text.strip() for text in self.errors.read().splitlines() if text.strip()]
        return f"the process ended with {code}: {' | '.join(told[-3:])}"[:800]
