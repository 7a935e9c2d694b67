"""Counts copies between host and card, in two ways that do not know of each other.

`asked`: what Python asks CuPy for: `asarray` and `array` of a host array go up; `asnumpy`, and an array's `get`,
`item`, `tolist` and its conversions to a Python number, come down. `set` goes up. `driver`: the copies that CUPTI saw,
through PyTorch's profiler, whoever asked for them; None where that cannot be had.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

DOWN = ("get", "item", "tolist", "__float__", "__int__", "__bool__")
UP = ("asarray", "array", "ascontiguousarray")


class Asked:
    """What was asked for: copies and bytes, up and down."""

    def __init__(self):
        self.found: Counter = Counter()
        self._inside = False  # one copy may be asked for through several functions

    def wrap(self, function: Callable, direction: str, size: Callable[[tuple], int | None]) -> Callable:
        """The function, counted when `size` of its arguments gives a number of bytes."""

        def counted(*args, **options):
            bytes_ = None if self._inside else size(args)
            if bytes_ is None:
                return function(*args, **options)
            self.found[direction] += 1
            self.found[f"bytes_{direction}"] += bytes_
            self._inside = True
            try:
                return function(*args, **options)
            finally:
                self._inside = False

        return counted


def _of_host(args: tuple) -> int | None:
    """Bytes of a host array, a list or a number that goes up."""
    given = args[0] if args else None
    return None if hasattr(given, "__cuda_array_interface__") else np.asarray(given).nbytes


@contextlib.contextmanager
def asked(cupy: Any) -> Iterator[Counter]:
    """Count what is asked of CuPy meanwhile."""
    counter, kept = Asked(), []

    def patch(owner, name, direction, size):
        function = getattr(owner, name, None)
        if function is not None:
            kept.append((owner, name, owner.__dict__.get(name)))
            setattr(owner, name, counter.wrap(function, direction, size))

    for name in UP:
        patch(cupy, name, "up", _of_host)
    patch(cupy, "asnumpy", "down", lambda args: getattr(args[0], "nbytes", 0))
    for name in DOWN:
        patch(cupy.ndarray, name, "down", lambda args: args[0].nbytes)
    patch(cupy.ndarray, "set", "up", lambda args: args[0].nbytes)
    try:
        yield counter.found
    finally:
        for owner, name, own in reversed(kept):
            delattr(owner, name) if own is None else setattr(owner, name, own)


def driver(torch: Any, work: Callable[[], None]) -> dict | None:
    """The copies that CUPTI saw while something was done; None where it cannot look."""
    if torch is None:
        return None
    try:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            work()
            torch.cuda.synchronize()
        names = [event.name() for event in profile.profiler.kineto_results.events()]
    except (AssertionError, AttributeError, RuntimeError):  # how PyTorch says that it has no CUPTI, or moved its events
        return None
    return {"up": count(names, "HtoD"), "down": count(names, "DtoH")} if names else None


def count(names: list[str], way: str) -> int:
    """How many activities are copies of one way: "Memcpy HtoD (Pageable -> Device)"."""
    return sum(name.startswith("Memcpy") and way in name for name in names)


def a_step(
    work: Callable[[int], None], count: Callable[[Callable[[], None]], dict | None], few: int, many: int
) -> dict:
    """What a step adds: the difference between many steps and few, divided; `work(steps)` does some."""
    found = [count(lambda steps=steps: work(steps)) for steps in (few, many)]
    if None in found:
        return {}
    keys = sorted(set(found[0]) | set(found[1]))
    return {key: (found[1].get(key, 0) - found[0].get(key, 0)) / (many - few) for key in keys}
