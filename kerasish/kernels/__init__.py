"""How a primitive is computed: twins with the same function names, one per place where an array can live.

`twin_of(array).conv2d` is the fast kernel where there is one for that place, else the reference twin's, which is plain
array code and runs anywhere.
"""

import functools
import importlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasish.device import on_card

FAMILIES = (
    "conv",
    "depthwise",
    "matmul",
    "pool",
    "pool3d",
    "batch_norm",
    "norm",
    "group_norm",
    "softmax",
    "elementwise",
    "reduce",
    "resize",
    "copying",
    "random",
    "update",
    "precision",
)


class Refused(Exception):
    """A pass that is not to be replayed; the message says why."""


class Busy(Refused):
    """One that may be replayed another time."""


class Twin:
    """The kernels of one place: `twin.name` finds the function, importing only the module that holds it."""

    def __init__(self, place: str):
        self.place, self._wrap, self._thread = place, None, None

    def __getattr__(self, name: str) -> Callable:
        function = None if name.startswith("_") else find(self.place, name)
        if function is None:
            raise AttributeError(f"no kernel named {name!r}")
        wrap = self._wrap
        function = wrap(function) if wrap else function
        setattr(self, name, function)
        if self._wrap is not wrap:  # another thread has come to the end of its context, or begun one
            vars(self).pop(name, None)
        return function

    def through(self, wrap: Callable[[Callable], Callable]) -> "_Through":
        """A context in which `wrap(function)` stands for each function."""
        return _Through(self, wrap)

    def wrap(self, wrap: Callable[[Callable], Callable]) -> None:
        """Have `wrap(function)` stand for each function, for this thread, until it abandons that."""
        self._wrap, self._thread = wrap, threading.get_ident()
        self._forget()

    def abandon(self) -> None:
        """End what an interrupt left of this thread's `through`."""
        if self._thread == threading.get_ident():
            self._wrap = self._thread = None
            self._forget()

    def _forget(self):
        for name in set(vars(self)) - {"place", "_wrap", "_thread", "xp"}:
            vars(self).pop(name, None)

    @functools.cached_property
    def xp(self) -> Any:
        """The array module of the place: NumPy on the host, CuPy on a card."""
        return importlib.import_module("cupy") if self.place == "cuda" else np

    def __repr__(self) -> str:
        return f"<kernels for {self.place}>"


class _Through:
    """The context of `Twin.through`; not a generator, for an interrupt may keep one from ending in time."""

    def __init__(self, twin: Twin, wrap: Callable[[Callable], Callable]):
        self._twin, self._wrap = twin, wrap

    def __enter__(self) -> None:
        self._twin.wrap(self._wrap)

    def __exit__(self, *error) -> None:
        self._twin.abandon()


def find(place: str, name: str) -> Callable | None:
    """The kernel `name` of `place`, else the reference's, else None."""
    for family in FAMILIES:
        if _defined(f"reference.{family}", name) is None:
            continue
        return _defined(f"{place}.{family}", name) or _defined(f"reference.{family}", name)
    return None


def _defined(module: str, name: str) -> Callable | None:
    found = getattr(_module(module), name, None)
    return found if callable(found) else None


@functools.cache
def _module(name: str) -> Any:
    """A module of this package, or None if there is none of that name."""
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith(__name__):
            return None
        raise


_cpu, _cuda = Twin("cpu"), Twin("cuda")


def twin_of(array: Any) -> Twin:
    """The kernels for where `array` lives."""
    return _cuda if on_card(array) else _cpu


def replays_of(array: Any) -> Any:
    """The module with `fastest`, `again` and `record_step`, which make replays where `array` lives; or None."""
    return _module("cpu.replay_choice") if isinstance(array, np.ndarray) else None


def abandon(array: Any) -> None:
    """End what an interrupt left of the recording that this thread made where `array` lives."""
    replays = replays_of(array)
    if replays is not None:
        replays.abandon()
        twin_of(array).abandon()
