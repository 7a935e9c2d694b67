"""All or nothing: what builds state leaves none behind when it does not come to its end."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from kerasish import device


@contextlib.contextmanager
def all_or_nothing(thing: Any) -> Iterator[None]:
    """A context out of which an error or an interrupt brings an object's attributes, and scopes, as they were before.

    Lists and dictionaries among the attributes get their entries back; what else is in them is not looked into.
    """
    scopes = open_scopes()
    before = {name: (value, _entries(value)) for name, value in vars(thing).items()}
    try:
        yield
    except BaseException:
        vars(thing).clear()
        for name, (value, entries) in before.items():
            vars(thing)[name] = value
            _give_back(value, entries)
        restore_scopes(scopes)
        raise


def whole(build: Callable) -> Callable:
    """A method that makes state of its object, all or nothing."""

    @functools.wraps(build)
    def run(self, *args, **kwargs):
        with all_or_nothing(self):
            return build(self, *args, **kwargs)

    return run


def _entries(value):
    return list(value) if isinstance(value, list) else dict(value) if isinstance(value, dict) else None


def _give_back(value, entries):
    """By the methods of the plain containers: those of tracking ones would take note."""
    if isinstance(value, list):
        list.__setitem__(value, slice(None), entries)
    elif isinstance(value, dict):
        dict.clear(value)
        dict.update(value, entries)


_ABSENT = object()
_contexts: list[tuple[Any, str]] = []


def restored_later(thread_local: Any, *names: str) -> None:
    """Have these attributes of a thread-local object noted by `open_scopes`."""
    _contexts.extend((thread_local, name) for name in names)


def open_scopes() -> list:
    """The scopes, tapes, calls and the device that are open on this thread, for `restore_scopes`."""
    values = [getattr(local, name, _ABSENT) for local, name in _contexts]
    return [device.chosen(), *((value, value[:] if value.__class__ is list else None) for value in values)]


def restore_scopes(before: list) -> None:
    """Leave those open that were when `open_scopes` noted them.

    Each of them is a context that closes itself; but an interrupt may come just before it does.
    """
    device.choose(before[0])
    for (local, name), (value, entries) in zip(_contexts, before[1:]):
        if value is _ABSENT:
            vars(local).pop(name, None)
        else:
            vars(local)[name] = value
            _give_back(value, entries)
