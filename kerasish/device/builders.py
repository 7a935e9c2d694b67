"""Processes that compile kernels for this one, several at a time, and ahead of what it asks for.

They start when a kernel is not in the cache, take orders on a pipe and answer with object code; this process alone
writes to the cache, and waits only for what it needs now. Whatever goes wrong with them, it compiles for itself. They
end when nothing was ordered for a while, or when this process does. KERASISH_COMPILE_PROCESSES says how many: 0 turns
them off; without it there is one for each processor, up to 4.
"""

import atexit
import contextlib
import os
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future
from pathlib import Path

from kerasish.device import cache, waiting
from kerasish.device.companions import companions
from kerasish.device.sources import kept_name, there

PATIENCE = 1.0  # seconds without an order after which processes end
TOO_LONG = 60.0  # seconds to wait for a kernel; most take less than one
MOST = 4
PROGRAM = "from kerasish.device.builders import serve; serve()"

_state: dict = {"lock": threading.Lock(), "crew": None, "over": False}


def build(names: list[str], key: str) -> dict[str, bytes]:
    """The machine code of kernels of this package, by name, without those that must be compiled here."""
    names = [name for name in names if name.startswith("kerasish.")]
    if not names:
        return {}
    with _state["lock"]:
        crew = _state["crew"]
        if crew is None or not crew.hands:
            crew = _state["crew"] = Crew(_wanted(), key)
    return {name: code for name, code in zip(names, crew.order(names)) if code}


def _wanted() -> int:
    """How many processes to start: none where they cannot share the work, or are not to be had."""
    if _state["over"]:
        return 0
    asked = os.environ.get("KERASISH_COMPILE_PROCESSES", "")
    if asked.isdigit():
        return int(asked)
    from kerasish.device import threads

    count = min(MOST, threads.available())
    is_python = Path(sys.executable or "").name.lower().startswith(("python", "pypy"))
    pools = sys.modules.get("multiprocessing.process")  # a pool's workers have it, and would each start theirs
    among_others = pools is not None and pools.parent_process() is not None
    return count if is_python and count > 1 and not among_others else 0


class Crew:
    """The processes, each with a thread that hands it orders.

    Args:
        count: How many.
        key: What they must find as `natives.cache_key()`, or they compile something else.
    """

    def __init__(self, count: int, key: str):
        self.key, self.hands, self.processes = key, count, []
        self.jobs, self.urgent, self.ahead = {}, deque(), deque()
        self.changed, self.waiting, self.asked = threading.Condition(), 0, time.monotonic()
        for _ in range(count):
            try:
                threading.Thread(target=self._lead, name="kerasish-builder", daemon=True).start()
            except RuntimeError:  # no more threads are to be had
                self.hands -= 1

    def order(self, names: list[str]) -> list[bytes | None]:
        """Have kernels compiled before all others, and wait for them."""
        with self.changed:
            if not self.hands:
                return []
            for name in names:
                if name not in self.jobs:
                    self._look_ahead(name)
                    self.jobs[name] = Future()
                    self.urgent.append(name)
            self.changed.notify_all()
            self.waiting += 1
        try:
            return [self._result(name) for name in names]
        finally:
            with self.changed:
                self.waiting, self.asked = self.waiting - 1, time.monotonic()

    def _result(self, name):
        with contextlib.suppress(TimeoutError):
            return self.jobs[name].result(TOO_LONG)

    def _look_ahead(self, name):
        known = {*self.jobs, *self.ahead, *there(self.key)}
        ahead = [other for other in companions(name) if other not in known and other != name]
        self.ahead.extend(ahead)
        waiting.expect([name, *ahead])

    def _lead(self):
        """The life of a thread: start a process and hand it orders."""
        name = None
        try:
            with self._process() as process:
                while name := self._next():
                    self._done(name, _exchange(process, self.key, name))
        except (OSError, ValueError):
            self._give_up(name)

    def _process(self):
        import subprocess  # which takes longer than the rest of this module

        path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", PROGRAM],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self.processes.append(process)
        return process

    def _next(self):
        """The name of the next kernel to compile; None after some time without an order."""
        with self.changed:
            while self.waiting or time.monotonic() < self.asked + PATIENCE:
                if self.urgent:
                    return self.urgent.popleft()
                while self.ahead:
                    name = self.ahead.popleft()
                    if name not in self.jobs:
                        self.jobs[name] = Future()
                        return name
                self.changed.wait(PATIENCE)
            self.hands -= 1
        return None

    def _done(self, name, code):
        if code:
            cache.save(self.key, kept_name(name), code)
        with self.changed:
            waiting.done(name, bool(code))
        self.jobs[name].set_result(code)

    def _give_up(self, name):
        """What this thread had, and all that waits if it was the last, must be compiled elsewhere."""
        with self.changed:
            self.hands -= 1
            lost = [name] if name else []
            while self.urgent and not self.hands:
                lost.append(self.urgent.popleft())
        for name in lost:
            self.jobs[name].set_result(None)


def _exchange(process, key, name):
    """The object code of a kernel from a process; empty if it could not compile it."""
    process.stdin.write(f"{key} {kept_name(name)}\n".encode())
    return _read(process.stdout, int.from_bytes(_read(process.stdout, 8), "little"))


def _read(pipe, size):
    found = b""
    while len(found) < size:
        part = pipe.read(size - len(found))
        if not part:
            raise ValueError("the process is gone")
        found += part
    return found


def serve() -> None:
    """What a process does: compile the kernels that standard input names, and write each one's size and object code."""
    from kerasish.device import natives

    sys.modules.setdefault("scipy", None)  # Numba would import it, and much with it, for what no kernel uses
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else may write there
    for line in sys.stdin.buffer:
        key, kept = line.decode().split()
        name = kept.partition("@")[0]
        try:
            code = natives.find(name).compile() if (key, kept) == (natives.cache_key(), kept_name(name)) else b""
        except Exception:  # who ordered it will meet the error, and can tell the user
            code = b""
        out.write(len(code).to_bytes(8, "little") + code)
        out.flush()


def _end() -> None:
    _state["over"] = True
    for process in _state["crew"].processes if _state["crew"] else ():
        process.kill()
        process.wait()


def _after_fork_in_child() -> None:
    for process in _state["crew"].processes if _state["crew"] else ():
        process.stdin.close()
        process.stdout.close()
    _state.update(lock=threading.Lock(), crew=None, parents=_state["crew"])


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
