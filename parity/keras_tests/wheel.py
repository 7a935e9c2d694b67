"""The installed Keras wheel, its test files by group, and which of its tests count."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import json
import os
import re
from pathlib import Path

from parity.keras_tests import groups

HERE = Path(__file__).parent


def folder() -> Path:
    """The wheel's `keras` folder. Keras is not imported."""
    for file in importlib.metadata.files("keras") or ():
        if file.as_posix() == "keras/__init__.py":
            return Path(file.locate()).resolve().parent
    raise FileNotFoundError("the installed distribution `keras` has no file list; install it with pip")


def version() -> str:
    """Its version."""
    return re.search(r'__version__ = "([^"]+)"', (folder() / "src" / "version.py").read_text())[1]


def files() -> dict[str, list[str]]:
    """Test files, relative to `keras/src`, by group."""
    found: dict[str, list[str]] = {g: [] for g in groups.GROUPS}
    source = folder() / "src"
    for path in sorted(source.rglob("*_test.py")):
        name = path.relative_to(source).as_posix()
        group = groups.group_of(name)
        if group is not None and groups.excluded_file(name) is None:
            found[group].append(name)
    return {g: names for g, names in found.items() if names}


@functools.cache
def installed(package: str) -> bool:
    """Whether a package can be imported."""
    return importlib.util.find_spec(package) is not None


@functools.cache
def baseline() -> dict[str, str]:
    """Status by test: "count", "count:oracles", "internal", "n/a", "skipped", "unvalidated"."""
    data = json.loads((HERE / "baseline.json").read_text())
    if data["meta"]["keras"] != version():
        raise RuntimeError(f"the baseline is of Keras {data['meta']['keras']}; {version()} is installed")
    found = {}
    for file, classes in data["tests"].items():
        for cls, statuses in classes.items():
            for status, names in statuses.items():
                found.update({f"{file}::{cls}::{name}" if cls else f"{file}::{name}": status for name in names})
    return found


def counted(names: list[str]) -> list[str]:
    """The tests of some files that count here: their oracles (JAX for dtypes, TensorFlow for images) are installed."""
    wanted, found = set(names), []
    for test, status in baseline().items():
        kind, _, oracles = status.partition(":")
        if kind == "count" and file_of(test) in wanted and all(map(installed, filter(None, oracles.split("+")))):
            found.append(test)
    return found


def absent_oracles() -> dict[str, int]:
    """How many counted tests are left out because a package is not installed."""
    lacking: dict[str, int] = {}
    for status in baseline().values():
        for oracle in filter(None, status.partition(":")[2].split("+")):
            if not installed(oracle):
                lacking[oracle] = lacking.get(oracle, 0) + 1
    return lacking


def file_of(test: str) -> str:
    """The file of a test's name."""
    return test.partition("::")[0]


def stable(test: str) -> str:
    """A test's name without the addresses that some parameters hold."""
    return re.sub(r"0x[0-9a-f]{6,}", "0x", test)


def root() -> str:
    """The folder that holds the package `parity`."""
    return os.fspath(HERE.parent.parent)
