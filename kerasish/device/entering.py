"""Who may enter Numba's own threads, and when.

Its simplest threading layer, "workqueue", ends the process when two Python threads enter it at once; "omp" ends a
forked child whose parent had entered it. So one Python thread at a time enters, unless the layer is known to bear
more, and such a child does all its work alone.
"""

import os
import sys
import threading

_state = {"lock": threading.RLock(), "alone": False}


def layer() -> str | None:
    """Numba's threading layer; None while it has none."""
    numba = sys.modules.get("numba")
    try:
        return numba.threading_layer() if numba is not None else None
    except (AttributeError, ValueError):  # it is chosen by the first parallel call
        return None


def forbidden() -> bool:
    """Whether this process must not enter Numba's threads: it was forked from one that had."""
    return _state["alone"]


class Turn:
    """The turn to enter, as a context; all may enter where the layer bears it.

    Args:
        wait: whether to wait for another thread's turn to end.

    Attributes:
        taken: whether it was had.
    """

    def __init__(self, wait: bool):
        self._wait, self._lock, self.taken = wait, None, False

    def __enter__(self) -> "Turn":
        if forbidden():
            return self
        if layer() not in ("tbb", "omp"):
            lock = _state["lock"]
            if not lock.acquire(blocking=self._wait):
                return self
            self._lock = lock
        self.taken = True
        return self

    def __exit__(self, *error) -> None:
        if self._lock is not None:
            self._lock.release()


def _before_fork() -> None:
    _state["layer"] = layer()


def _after_fork_in_child() -> None:
    _state["lock"] = threading.RLock()
    _state["alone"] = _state["alone"] or _state.pop("layer", None) == "omp"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
