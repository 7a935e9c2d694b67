"""Searching many subjects in processes that may die."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from parity.differential.outcome import JOURNAL
from parity.differential.search import Result, shares
from parity.differential.subject import Subject

DEATHS = 3  # of real Keras in one subject, before it is left


def search_all(subjects: list[Subject], cases: int, seed: int, workers: int = 2) -> Iterator[Result]:
    """The results of so many cases, shared among subjects, as they come."""
    jobs = [[str(s), count, seed] for s, count in zip(subjects, shares(subjects, cases))]
    results: queue.Queue = queue.Queue()
    hands = [threading.Thread(target=_work, args=(jobs[i::workers], results), daemon=True) for i in range(workers)]
    for hand in hands:
        hand.start()
    for _ in hands:
        while (result := results.get()) is not None:
            yield result


def _work(jobs: list, results: queue.Queue) -> None:
    """Search jobs in one process after another, as they die; None at the end."""
    deaths = 0
    while jobs:
        with tempfile.TemporaryDirectory() as folder:
            done, journal, error = _process(jobs, results, Path(folder))
        if done == len(jobs):
            break
        (name, cases, seed), *jobs = jobs[done:]
        died, data = journal[-1:], next((line for line in reversed(journal) if ": " in line), "").partition(": ")[2]
        if died != ["keras"]:
            results.put(Result(name, 1, 0, data, [f"the process died\n{error[-1500:]}"]))
            continue
        results.put(Result(name, died=data))
        deaths = 1 if done else deaths + 1
        if deaths < DEATHS:
            jobs = [[name, cases, seed + 1], *jobs]
    results.put(None)


def _process(jobs: list, results: queue.Queue, folder: Path) -> tuple[int, list[str], str]:
    """(the jobs that are done, the journal's last lines, standard error) of a worker."""
    journal, errors, done = folder / "journal", folder / "errors", 0
    environment = {**os.environ, JOURNAL: str(journal), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "parity.differential.worker", json.dumps(jobs)]
    with open(errors, "w") as err:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True, env=environment) as process:
            for line in process.stdout:
                results.put(Result(**json.loads(line)))
                done += 1
    lines = []
    with contextlib.suppress(FileNotFoundError):
        lines = journal.read_text(encoding="utf-8").splitlines()[-4:]
    return done, lines, errors.read_text(errors="replace")
