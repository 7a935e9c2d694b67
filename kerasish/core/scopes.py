"""Thread-local state of the engine: names, name scopes, and the scope in which only shapes are computed."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable

from kerasish import device
from kerasish.core.whole import restored_later

_state = threading.local()
restored_later(_state, "names", "shapes_only")
_on_clear: list[Callable[[], None]] = []


def _get(name: str, make: Callable):
    if not hasattr(_state, name):
        setattr(_state, name, make())
    return getattr(_state, name)


def open_names() -> list:
    """The open name scopes of this thread, the innermost last."""
    return _get("names", list)


def get_global(name: str, make: Callable):
    """The value that this thread keeps under `name` until the session is cleared, made at the first call."""
    store = _get("globals", dict)
    if name not in store:
        store[name] = make()
    return store[name]


def on_clear_session(action: Callable[[], None]) -> Callable[[], None]:
    """Have `action` called by `clear_session`; usable as a decorator."""
    _on_clear.append(action)
    return action


def clear_session(free_memory: bool = True) -> None:
    """Forget automatic names and other global state; give pooled memory back if `free_memory`."""
    _get("globals", dict).clear()
    _get("counters", lambda: defaultdict(int)).clear()
    if free_memory:
        device.release()
        for action in _on_clear:
            action()


def snake_case(name: str) -> str:
    """`MaxPooling2D` -> `max_pooling2d`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def uniquify(name: str) -> str:
    """`name`, then `name_1`, `name_2`, ..."""
    counters = _get("counters", lambda: defaultdict(int))
    count = counters[name]
    counters[name] += 1
    return f"{name}_{count}" if count else name


def get_uid(prefix: str = "") -> int:
    """The next number for `prefix`, from 1."""
    counters = _get("counters", lambda: defaultdict(int))
    counters[prefix] += 1
    return counters[prefix]


def auto_name(prefix: str) -> str:
    """A fresh name made from a class name."""
    return uniquify(snake_case(prefix))


class name_scope:
    """A context whose name prefixes the paths of the variables made within.

    Args:
        name: a string without `/`.
        caller: the object that opens the scope; with `deduplicate`, one that opens it again directly adds nothing.
        override_parent: the path to be used instead of the enclosing scopes'.
    """

    def __init__(self, name: str, caller=None, deduplicate: bool = True, override_parent: str | None = None):
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name}"
            )
        self.name, self.caller, self.deduplicate, self.override_parent = name, caller, deduplicate, override_parent

    def __enter__(self):
        stack = open_names()
        top = stack[-1] if stack else None
        again = self.deduplicate and self.caller is not None and top is not None and top.caller is self.caller
        self._pushed = not again
        if self._pushed:
            stack.append(self)
        return self

    def __exit__(self, *exc):
        if self._pushed:
            _state.names.pop()


def current_path() -> str:
    """The names of the open scopes, joined by `/`."""
    parts: list[str] = []
    for scope in open_names():
        if scope.override_parent is not None:
            parts = [scope.override_parent] if scope.override_parent else []
        parts.append(scope.name)
    return "/".join(parts)


class shape_scope:
    """Within, symbolic calls compute shapes alone: they leave no nodes, and nothing is assigned to a variable."""

    def __enter__(self):
        _state.shapes_only = getattr(_state, "shapes_only", 0) + 1
        return self

    def __exit__(self, *exc):
        _state.shapes_only -= 1


class graph_scope:
    """Within, symbolic calls leave nodes again, though a `shape_scope` is open: for a model that is built meanwhile."""

    def __enter__(self):
        self._outer, _state.shapes_only = getattr(_state, "shapes_only", 0), 0
        return self

    def __exit__(self, *exc):
        _state.shapes_only = self._outer


def shapes_only() -> bool:
    """Whether a `shape_scope` is open."""
    return getattr(_state, "shapes_only", 0) > 0
