"""What is said while kernels compile, and how many did.

A terminal shows a line that moves, and goes when the wait is over. Where stderr is no terminal one line says, once,
that kernels compile, where they are kept, and which copy of the package does it; on a terminal it is said when nothing
was kept yet. Where all kernels are in the cache nothing is said. KERASISH_QUIET=1 turns all of it off.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from kerasish.device import cache

GRACE = 0.3  # seconds that pass, in all waits together, before a terminal shows the line
BEAT = 0.1

_report = {"count": 0, "seconds": 0.0}
_expected: set[str] = set()  # kernels that will be compiled: ordered, or known to follow
_state: dict = {"lock": threading.RLock(), "waits": 0, "line": None, "told": False}


def report() -> tuple[int, float]:
    """Kernels compiled (not loaded from the cache) for this process so far, and the seconds it waited for them."""
    return _report["count"], _report["seconds"]


def expect(names: Iterable[str]) -> None:
    """These kernels will be compiled."""
    _expected.update(names)


def done(name: str, compiled: bool = True) -> None:
    """A kernel was compiled, or could not be."""
    _expected.discard(name)
    _report["count"] += compiled


@contextlib.contextmanager
def waiting(key: str) -> Iterator[None]:
    """Count the time of a wait for kernels, and show it.

    Args:
        key: The cache's key, to say where kernels are kept.
    """
    began = time.perf_counter()
    with _state["lock"]:
        _state["waits"] += 1
        if _state["waits"] == 1 and not _quiet():
            _say_where(key)
            _state["line"] = _Line(began) if _is_terminal() else None
    try:
        yield
    finally:
        with _state["lock"]:
            _report["seconds"] += time.perf_counter() - began
            _state["waits"] -= 1
            if _state["waits"] == 0 and _state["line"] is not None:
                _state["line"].clear()
                _state["line"] = None


def tell(count: int, seconds: float) -> None:
    """One line on what compiling cost."""
    if not _quiet():
        kernels = "1 kernel" if count == 1 else f"{count} kernels"
        sys.stderr.write(f"kerasish: compiled {kernels} in {seconds:.1f} s (cached for next time)\n")


def _quiet() -> bool:
    return sys.stderr is None or os.environ.get("KERASISH_QUIET", "0") not in ("", "0")


def _is_terminal() -> bool:
    isatty = getattr(sys.stderr, "isatty", None)
    return bool(isatty and isatty())


def _say_where(key: str) -> None:
    """One line, once: which copy of the package compiles, and where it keeps what it compiled."""
    folder = cache.cache_folder(key)
    if _state["told"] or (_is_terminal() and cache.kernels(folder)):
        return
    _state["told"] = True
    kept = f"kept in {folder}" if folder else "kept nowhere: set KERASISH_CACHE_DIR to a directory that can be written"
    _write(f"kerasish in {Path(__file__).parents[1]}: compiling kernels for this machine, once; {kept}\n")


def _write(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # a closed stream is no reason to stop
        sys.stderr.write(text)
        sys.stderr.flush()


class _Line:
    """The line that a terminal shows, drawn by a thread of its own.

    Args:
        began: When the wait began.
    """

    def __init__(self, began: float):
        self.began, self.before, self.drawn = began, _report["seconds"], 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._draw, name="kerasish-waiting", daemon=True)
        with contextlib.suppress(RuntimeError):  # no more threads are to be had
            self.thread.start()

    def text(self) -> str:
        """How many kernels of how many are compiled, and how long that has taken."""
        count = _report["count"]
        total = count + max(len(_expected), 1)
        seconds = self.before + time.perf_counter() - self.began
        return f"kerasish: compiling kernels, {count} of {total}, {seconds:.0f} s"

    def clear(self) -> None:
        """Stop, and leave nothing."""
        self.over.set()
        if self.thread.is_alive():
            self.thread.join()
        if self.drawn:
            _write(f"\r{' ' * self.drawn}\r")

    def _draw(self):
        if self.over.wait(max(GRACE - self.before, 0)):
            return
        while not self.over.is_set():
            text = self.text()[: _columns() - 1]
            _write(f"\r{text.ljust(self.drawn)}")
            self.drawn = len(text)
            self.over.wait(BEAT)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _after_fork_in_child() -> None:
    _state.update(lock=threading.RLock(), waits=0, line=None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
