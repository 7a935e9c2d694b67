"""Subjects: what is drawn, and how it is run with a library."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis.strategies import SearchStrategy

FAMILIES = ("ops", "layers", "losses", "metrics", "optimizers", "models", "training")
SUBJECTS: list[Subject] = []


@dataclass
class Subject:
    """One thing that both libraries have.

    Attributes:
        family: its group.
        name: its name in the group.
        draw: the strategy of plain data (JSON but for tuples) that `run` understands.
        run: `run(keras, data)` gives a dict of results; with `exchanges`, `run(keras, data, folder)`.
        exchange: `exchange(keras, data, folder)` gives results from what the other library's `run` left in `folder`.
        width: how many cases it gets beside others of its family.
        tolerance: of float32 values, relative to the largest of an array.
        halves: whether everything may be as coarse as the coarsest dtype that the data names.
    """

    family: str
    name: str
    draw: SearchStrategy
    run: Callable[..., dict[str, Any]]
    exchange: Callable[..., dict[str, Any]] | None = None
    width: float = 1.0
    tolerance: float = 2e-5
    halves: bool = False

    def __str__(self):
        return f"{self.family}/{self.name}"


def subject(family: str, name: str, draw: SearchStrategy, run: Callable, **options) -> None:
    """Add a subject."""
    SUBJECTS.append(Subject(family, name, draw, run, **options))


def load_all() -> list[Subject]:
    """Every subject of every family."""
    if not SUBJECTS:
        for family in FAMILIES:
            importlib.import_module(f"parity.differential.{family}")
    return SUBJECTS


def named(name: str) -> Subject:
    """The subject that prints as `name`.

    Raises:
        KeyError: if there is none.
    """
    return {str(s): s for s in load_all()}[name]
