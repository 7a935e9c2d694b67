"""Who compiles and runs kernels: this library's compiler and threads ("pool"), plain Numba ("numba"), or Python.

The compiler (`compiler.py`) is bound to Numba's internals, which may change with any version. Where it does not work,
plain Numba takes over. Nobody asks while kernels come from the cache, whose key holds Numba's version.
"""

import contextlib
import ctypes
import functools
import os
import threading
import warnings

import numpy as np

from kerasish.device.installed import version

KNOWN = (0, 63), (0, 68)  # versions of Numba whose internals are known: others are tried out before they are used
_state: dict = {"works": None, "reason": None}
_lock = threading.RLock()


class Broken(NotImplementedError):
    """This library's compiler does not work with this Numba."""


@functools.cache  # asked by each call of a kernel
def engine() -> str:
    """Who runs kernels: "pool" or "numba" (`KERASISH_ENGINE`), or "python", which compiles none.

    Raises:
        ValueError: if the environment names another.
    """
    from kerasish.device.natives import compilation_off

    if compilation_off():
        return "python"
    name = os.environ.get("KERASISH_ENGINE", "pool")
    if name not in ("pool", "numba"):
        raise ValueError(f"KERASISH_ENGINE={name!r}: expected 'pool' or 'numba'")
    return "numba" if _state["works"] is False and not _insisting() else name


def why() -> str:
    """The engine, for people, and what has decided on it."""
    name = engine()
    if name == "pool" and not _is_known():
        with contextlib.suppress(Broken):
            require("for trial")
        engine.cache_clear()
        name = engine()
    if name == "python":
        return "python, uncompiled: NUMBA_DISABLE_JIT is set"
    if _state["works"] is False:
        taken = "numba, on Numba's threads" if name == "numba" else "none, though KERASISH_ENGINE=pool"
        return f"{taken}: {_state['reason']}"
    said = "KERASISH_ENGINE is set" if "KERASISH_ENGINE" in os.environ else "the default"
    return f"pool, on this library's threads: {said}" if name == "pool" else f"numba, on Numba's threads: {said}"


def fall_back(error: Broken) -> None:
    """Have plain Numba run kernels from now on; say so once.

    Raises:
        Broken: if the environment insists on this library's compiler.
    """
    if _insisting():
        raise error
    with _lock:
        if engine() != "pool":
            return
        engine.cache_clear()
        warnings.warn(
            f"kerasish: {_state['reason']}. Kernels are compiled by plain numba.njit and run on Numba's threads "
            f"instead, with the same results; small calls take longer. {_advice()}, or set KERASISH_ENGINE=numba to "
            "choose this without a warning",
            RuntimeWarning,
            stacklevel=2,
        )


def require(name: str, error: Exception | None = None) -> None:
    """See to it that this library's compiler works, before it compiles a kernel or after it has failed to.

    Raises:
        Broken: if it does not.
    """
    with _lock:
        if _state["works"] is None and (error is not None or not _is_known()):
            _state["works"], _state["reason"] = _tried()
    if _state["works"] is False:
        raise Broken(f"kernel {name} cannot be compiled: {_state['reason']}. {_advice()}") from error


def _insisting() -> bool:
    """Whether the environment wants this library's compiler and no other."""
    return os.environ.get("KERASISH_ENGINE") == "pool"


def _is_known() -> bool:
    return KNOWN[0] <= _version()[:2] <= KNOWN[1]


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in (version("numba") or "").split(".")[:2] if part.isdigit())


def _advice() -> str:
    low, high = (".".join(map(str, v)) for v in (KNOWN[0], (KNOWN[1][0], KNOWN[1][1] + 1)))
    return f"Install a Numba that is known to it (pip install 'numba>={low},<{high}')"


def _tried() -> tuple[bool, str | None]:
    """Whether a small kernel gets compiled and computes what it should; else why not."""
    found = "its own compiler does not work with Numba"
    try:
        import numba

        found = f"{found} {numba.__version__}"
        from kerasish.device import machine, trial

        native, plan, result, wanted = trial.prepared()
        address = machine.load(native.compile_here(), native.name)
        ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(address)(plan.ctypes.data, 0)
    except Exception as error:
        return False, f"{found}: {type(error).__name__}: {error}"
    right = bool(np.array_equal(result, wanted))
    return right, None if right else f"{found}: a kernel for trial gives wrong numbers"


def _after_fork_in_child() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
