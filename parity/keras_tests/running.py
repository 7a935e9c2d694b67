"""Running a group's test files in processes that may hang or die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from parity.keras_tests import wheel

TEST_SECONDS = 120  # a test's own alarm
RESTARTS = 20


@dataclass
class Run:
    """What a group gave.

    Attributes:
        results: by test, (outcome, reason, seconds).
        imports: by file, why it could not be imported.
        notes: restarts.
    """

    results: dict = field(default_factory=dict)
    imports: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def read(self, log: Path) -> tuple[str | None, bool]:
        """Take in a process's events; (the test that was running at the end, whether it ended by itself)."""
        current, ended = None, False
        for line in log.read_text(encoding="utf-8").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # cut off by a crash
            kind = event["ev"]
            if kind == "start":
                current = event["id"]
            elif kind == "result":
                self.results[wheel.stable(event["id"])] = (event["outcome"], event["reason"], event["t"])
                current = None
            elif kind == "import":
                self.imports[event["file"]] = event["reason"]
            ended = ended or kind == "end"
        return current, ended


def run(files: list[str], only: str | None = None, target: str = "kerasish") -> Run:
    """Run test files; a crash or a hang costs the test in which it happens.

    Args:
        files: relative to the wheel's `keras/src`.
        only: a regular expression on the tests' names.
        target: the package under test.
    """
    found, done = Run(), []
    for _ in range(RESTARTS):
        with tempfile.TemporaryDirectory(prefix="keras_tests_") as folder:
            log = Path(folder) / "events"
            log.touch()
            code = _process(files, Path(folder), log, {"only": only, "target": target, "done": done})
            current, ended = found.read(log)
        if ended and code is not None:
            return found
        if current is None:
            found.notes.append(f"the process ended outside of a test ({code})")
            return found
        what = "hang" if code is None else f"crash (exit {code})"
        found.results[wheel.stable(current)] = ("failed", what, 0.0)
        found.notes.append(f"restarted after {what} in {current}")
        done = [*done, *found.results, current]
    return found


def _process(files, folder, log, settings) -> int | None:
    """Run pytest on files; its exit code, None if it hung."""
    configuration = folder / "settings.json"
    configuration.write_text(
        json.dumps(
            {
                "log": str(log),
                "wheel": str(wheel.folder()),
                "backend_name": "numba",
                "test_timeout": TEST_SECONDS,
                **settings,
            }
        )
    )
    environment = {**os.environ, "KERASISH_KERAS_TESTS": str(configuration), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (wheel.root(), os.environ.get("PYTHONPATH"))))
    environment.pop("PYTEST_ADDOPTS", None)
    source = wheel.folder() / "src"
    command = [sys.executable, "-m", "pytest", "-p", "parity.keras_tests.plugin", "-q", "--rootdir", str(source)]
    command += ["-c", str(wheel.HERE / "pytest.ini"), "--noconftest", "-p", "no:cacheprovider", "--tb=no"]
    command += ["--disable-warnings", "--no-header", "--no-summary", *(str(source / f) for f in files)]
    with open(folder / "out", "w") as out:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            return _wait(process, log)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)
                process.wait()


def _wait(process, log) -> int | None:
    """The exit code; None if nothing is written for longer than a test's alarm takes: native code hangs."""
    size, since = -1, time.time()
    while process.poll() is None:
        time.sleep(0.1)
        if log.stat().st_size != size:
            size, since = log.stat().st_size, time.time()
        elif time.time() - since > TEST_SECONDS + 60:
            return None
    return process.returncode
