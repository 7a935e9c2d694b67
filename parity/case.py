"""A case: a function of the module, and how close its results have to be."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

CASES: list[Case] = []


@dataclass
class Case:
    """One row of the table.

    Attributes:
        name: what it shows.
        family: the group it is printed with.
        run: `run(case)` gives a list of Findings.
        build: the function of the module.
        options: what the kind of case reads, tolerances with their reasons among it.
    """

    name: str
    family: str
    run: Callable
    build: Callable
    options: dict = field(default_factory=dict)

    def __str__(self):
        return f"{self.family}: {self.name}"


@dataclass
class Finding:
    """One comparison: what was compared, whether it held, and by how much it missed."""

    what: str
    holds: bool
    error: float = 0.0
    detail: str = ""


def register(run: Callable, family: str, name: str | None = None, **options):
    """Add a builder to the suite, as a decorator.

    Args:
        run: how to check it.
        family: its group.
        name: the function's name with spaces by default.
        **options: for the check.
    """

    def decorate(build):
        CASES.append(Case(name or build.__name__.strip("_").replace("_", " "), family, run, build, options))
        return build

    return decorate


def load_all() -> list[Case]:
    """Every case, from every module of `parity.cases`."""
    cases = importlib.import_module("parity.cases")
    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"parity.cases.{module.name}")
    return CASES
