"""The only module that touches Numba's decorators: flags, disk cache, lazy compilation, counting.

`@kernel` marks an entry that wrappers call, `@helper` a serial function that is compiled into each kernel that
calls it, `Native` one that is compiled once, `@intrinsic` a piece of LLVM IR with a Python fallback. Importing this
module costs nothing; decorating a helper or an intrinsic imports Numba, and calling a kernel for the first time
compiles it or loads it from the disk cache.
"""

import ctypes
import functools
import hashlib
import importlib
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerasish.device import threads as _threads

FLAGS = {"error_model": "numpy", "nogil": True, "boundscheck": None}
FASTMATH = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})  # never nnan or ninf: a NaN stays a NaN
EXACT = FASTMATH - {"reassoc", "arcp", "afn"}  # sums in the order written
LAYOUT = 2  # of the cache: what older ones hold is not to be loaded

functions: dict[int, Callable] = {}  # by address, where compilation is off
_natives: list["Native"] = []
_report = {"count": 0, "seconds": 0.0, "depth": 0, "began": 0.0}


def kernel(function: Callable | None = None, *, parallel: bool = True, exact: bool = False) -> Any:
    """Mark an entry: compiled at its first call for each set of argument types, cached on disk.

    Args:
        function: Plain Python; loops over `prange` run on all threads when `parallel`.
        parallel: Whether `prange` means threads.
        exact: Keep sums in the order written (no reassociation).

    Returns:
        A `Kernel`, called like the function, with `threads=1` for work too small to share.
    """
    if function is None:
        return functools.partial(kernel, parallel=parallel, exact=exact)
    return Kernel(function, parallel, exact)


def helper(function: Callable | None = None, *, exact: bool = False, inline: bool = False) -> Any:
    """Mark a serial function that kernels call; `inline` forces LLVM to inline it."""
    if function is None:
        return functools.partial(helper, exact=exact, inline=inline)
    return _numba().njit(**_options(exact), forceinline=inline)(function)


def intrinsic(fallback: Callable) -> Callable:
    """Decorate a Numba intrinsic; where compilation is off (`NUMBA_DISABLE_JIT=1`) the name means `fallback`."""

    def decorate(function: Callable) -> Callable:
        if compilation_off():
            return fallback
        return importlib.import_module("numba.extending").intrinsic(function)

    return decorate


class Native:
    """A serial function of 64-bit integers with machine code of its own, which kernels call by `address`.

    What many kernels share is compiled once this way, not once in each of them. `variant` tells functions of one name
    apart.
    """

    def __init__(self, function: Callable, arguments: int, variant: str):
        self.function, self.arguments, self.variant = function, arguments, variant
        _natives.append(self)

    @functools.cached_property
    def call(self) -> Callable:
        """The function, to be called from Python on this thread alone, without the interpreter's lock."""
        if compilation_off():
            return self.function
        return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * self.arguments)(self.address)

    @functools.cached_property
    def address(self) -> int:
        """Where the machine code lies; where compilation is off, a number that stands for the function."""
        if compilation_off():
            functions[id(self.function)] = self.function
            return id(self.function)
        from numba import types
        from numba.core.ccallback import CFunc

        from kerasish.device import cache

        int64 = types.int64
        self.compiled = CFunc(self.function, ((int64,) * self.arguments, types.void), {}, _options(exact=False))
        cache.attach(self.compiled, cache_key(), tag=self.variant)
        before, began = _report["seconds"], time.perf_counter()
        self.compiled.compile()
        if not self.compiled.cache_hits:
            _report["count"] += 1
            _report["seconds"] = before + time.perf_counter() - began
        return self.compiled.address


class Kernel:
    """A function that is compiled when it is first needed: threaded, and serial where threads are not to be had."""

    def __init__(self, function: Callable, parallel: bool, exact: bool):
        self.function, self.parallel, self.exact = function, parallel, exact
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, threads: int | None = None) -> Any:
        """Run on `threads` threads (1, or None for all of them)."""
        if not self.parallel or not _threads.may_launch(threads):
            return self.serial(*args)
        lock = _threads.launch_lock()
        if lock is None:
            _threads.use(threads)
            return self.threaded(*args)
        with lock:
            _threads.use(threads)
            return self.threaded(*args)

    @functools.cached_property
    def threaded(self) -> Callable:
        """The dispatcher compiled with threads."""
        return _compiled(self.function, self.exact, parallel=True)

    @functools.cached_property
    def serial(self) -> Callable:
        """The dispatcher compiled without threads; `prange` is `range` there."""
        return _compiled(self.function, self.exact, parallel=False)


def warmup() -> None:
    """Compile, or load from the cache, every `Native` that imported modules define, for float32."""
    for native in _natives:
        if "float64" not in native.variant:
            _ = native.call


def compile_report() -> tuple[int, float]:
    """Kernels compiled (not loaded from the cache) in this process so far, and the seconds that took."""
    return _report["count"], _report["seconds"]


def compilation_off() -> bool:
    """Whether kernels run as plain Python (`NUMBA_DISABLE_JIT=1`)."""
    return bool(_numba().config.DISABLE_JIT)


def __getattr__(name: str) -> Any:
    """`prange`, taken from Numba at its first use."""
    if name == "prange":
        return _numba().prange
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _numba():
    """Numba, imported at first use, with the listener that counts compilations."""
    import numba

    if not numba.config.DISABLE_JIT:
        from numba.core import event

        _number_symbols_apart()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_number_symbols_apart)

        class Counter(event.Listener):
            def on_start(self, event):
                if _report["depth"] == 0:
                    _report["began"] = time.perf_counter()
                _report["depth"] += 1

            def on_end(self, event):
                _report["depth"] -= 1
                _report["count"] += getattr(event.data["dispatcher"], "is_kernel", False)
                if _report["depth"] == 0:
                    _report["seconds"] += time.perf_counter() - _report["began"]

        event.register("numba:compile", Counter())
    return numba


def _options(exact: bool) -> dict:
    return {**FLAGS, "fastmath": set(EXACT if exact else FASTMATH)}


def _compiled(function: Callable, exact: bool, parallel: bool) -> Callable:
    """The Numba dispatcher of a kernel, with the disk cache where there is one."""
    dispatcher = _numba().njit(**_options(exact), parallel=parallel)(function)
    if dispatcher is not function:
        dispatcher.is_kernel = True
        from kerasish.device import cache

        cache.attach(dispatcher, cache_key(), tag=f"{'p' if parallel else 's'}{'x' if exact else ''}")
    return dispatcher


def _number_symbols_apart() -> None:
    """Let Numba number its functions from a random start.

    The number is all that tells the symbols of two closures of one factory apart. Counted from 1 in each process, two
    of them compiled by different processes get one symbol, and who loads both from the cache runs one as the other.
    """
    from numba.core.bytecode import FunctionIdentity

    FunctionIdentity._unique_ids = itertools.count(int.from_bytes(os.urandom(6)))


@functools.cache
def cache_key() -> str:
    """What must change when compiled code would: our version, the flags, and the sources of all kernels."""
    from kerasish import version

    digest = hashlib.sha256(repr((LAYOUT, sorted(FASTMATH), sorted(EXACT), sorted(FLAGS.items()))).encode())
    for path in sorted((Path(__file__).parent.parent / "kernels" / "cpu").glob("*.py")):
        digest.update(path.read_bytes())
    return f"{version()}-{digest.hexdigest()[:12]}"
