"""How many threads kernels use, and what keeps a user's own threads and forks from killing the process.

Numba's threading layers have sharp edges: `workqueue` aborts when two Python threads enter it at once, GNU `omp` ends a
forked child at its first parallel kernel. So under `workqueue` entries take a lock, and a child forked after the first
parallel launch under `omp` runs the serial twin of each kernel.
"""

import functools
import math
import os
import threading
from contextlib import AbstractContextManager

SLOW_LAUNCH = {"workqueue"}  # layers whose launch costs tens of microseconds even on one thread
SMALL_WORK = 200_000  # multiply-adds, or elements times their cost, that one thread finishes before another has woken

_state = {"layer": None, "count": None, "forked": False, "lock": threading.Lock()}
_local = threading.local()


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
    return 1 if work < SMALL_WORK else get_num_threads()


@functools.cache
def available() -> int:
    """CPUs this process may use: affinity, Numba's own limit, and a container's quota."""
    import numba

    return max(1, min(numba.config.NUMBA_NUM_THREADS, _quota()))


def _quota() -> int:
    """CPUs that the control group allows, rounded up."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        return os.cpu_count() or 1


def layer() -> str:
    """Numba's threading layer, started if it was not yet; "none" if there is none to be had."""
    if _state["layer"] is None:
        import numba

        try:
            numba.get_num_threads()
            _state["layer"] = numba.threading_layer()
        except (ValueError, ImportError):
            _state["layer"] = "none"
    return _state["layer"]


def may_launch(threads: int | None) -> bool:
    """Whether a kernel may (and should) enter the threading layer here and now."""
    if _state["forked"] or layer() == "none":
        return False
    return not (layer() in SLOW_LAUNCH and (threads or get_num_threads()) == 1)


def launch_lock() -> AbstractContextManager | None:
    """The lock to hold around a parallel launch, where the layer needs one."""
    return _state["lock"] if layer() == "workqueue" else None


def use(threads: int | None) -> None:
    """Tell Numba how many threads the next launch of this Python thread uses."""
    count = get_num_threads() if threads is None else min(threads, get_num_threads())
    if getattr(_local, "count", None) != count:
        import numba

        numba.set_num_threads(count)
        _local.count = count


def _after_fork_in_child() -> None:
    _state["lock"] = threading.Lock()
    _local.__dict__.clear()
    _state["forked"] = _state["layer"] == "omp"
    if not _state["forked"]:
        _state["layer"] = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
