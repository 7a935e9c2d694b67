"""How many threads kernels use."""

import contextlib
import functools
import math
import os
import threading
import weakref
from collections.abc import Iterator

SMALL_WORK = 200_000  # multiply-adds, or elements times their cost, that one thread finishes before another has woken

_state = {"count": None}


def set_num_threads(count: int) -> None:
    """Set how many threads kernels use, in every Python thread.

    Args:
        count: 1 up to the number of CPUs the process may use.

    Raises:
        ValueError: If `count` is out of that range.
    """
    if not isinstance(count, int) or not 1 <= count <= available():
        raise ValueError(
            f"`count` of threads must be an integer from 1 to {available()} (the CPUs here). Received: {count!r}"
        )
    _state["count"] = count


def get_num_threads() -> int:
    """How many threads kernels use."""
    if _state["count"] is None:
        wanted = os.environ.get("KERASISH_NUM_THREADS", "")
        _state["count"] = max(1, min(available(), int(wanted))) if wanted.isdigit() else available()
    return _state["count"]


def wanted(work: float) -> int:
    """How many threads are worth waking for `work` multiply-adds (or elements times their cost)."""
    return 1 if work < SMALL_WORK or _local.alone else get_num_threads()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let all kernels of this Python thread run on it alone."""
    _local.alone = True
    try:
        yield
    finally:
        _local.alone = False


def abandon() -> None:
    """End what an interrupt left of `alone`."""
    _local.alone = False


class _Token:
    __slots__ = ("__weakref__",)


class Turn:
    """What one thread at a time may do, and no other waits for.

    An interrupt may come between taking a turn and the `try` that gives it back. Then the turn ends with the token,
    which nobody else holds.
    """

    def __init__(self):
        self._lock, self._holder = threading.Lock(), None

    def take(self) -> _Token | None:
        """A token to be held meanwhile; None if the turn is another's."""
        with self._lock:
            if self._holder is not None and self._holder() is not None:
                return None
            token = _Token()
            self._holder = weakref.ref(token)
        return token

    def give_back(self) -> None:
        """Let others take the turn."""
        self._holder = None


class _Local(threading.local):
    alone = False


_local = _Local()


@functools.cache
def available() -> int:
    """CPUs this process may use: affinity, or NUMBA_NUM_THREADS in its place, and a container's quota."""
    wanted = os.environ.get("NUMBA_NUM_THREADS", "")
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = int(wanted) if wanted.isdigit() else len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cpus, _quota()))


def _quota() -> int:
    """CPUs that the control group allows, rounded up."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        return os.cpu_count() or 1
