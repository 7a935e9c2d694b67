"""The threads that kernels run on.

Workers are Python threads that live in compiled code, without the interpreter's lock: they spin for a moment after each
launch, then sleep on a semaphore of the system. A launch opens a gate, wakes sleepers, and works itself; who comes
through the gate takes part, and the launch ends when all of those have left. Nobody waits for a worker that the system
has not scheduled: on busy processors a launch costs what one thread needs, not a time slice.

A launch that finds another one running (of another Python thread) does all its work itself. A forked child makes
threads of its own at its first launch.
"""

import atexit
import ctypes
import functools
import os
import sys
import threading
import time

import numpy as np

from kerasish.device import raw
from kerasish.device import threads as device_threads
from kerasish.device.natives import FASTMATH, compilation_off, njit
from kerasish.device.raw import add, address, call, integers, relax, seen, swap

SPIN = 300e-6  # seconds that a worker waits awake: longer than Python needs between two kernels
OPEN = 1 << 32  # the gate: this, while workers may enter, plus their number
LINE = 64  # bytes; what several threads write lies in cache lines of its own
EPOCH, GATE, TICKET, BUSY, STOP, SPINS, WAIT, POST, FUNCTION, PLAN, LIMIT, WORKERS = (LINE * i for i in range(12))
ASLEEP, SEMAPHORE = 0, 8  # in a worker's own line, the lines from WORKERS on


def run(native, plan, threads):
    """Call a `Native` as native(address of plan, worker) on so many threads; workers share out the plan's jobs."""
    if (noting := raw.recorder) is not None:
        noting.note(native, plan, threads)
    _call(native, plan, threads)


def _call(native, plan, threads):
    if threads > 1 and not compilation_off():
        function = native.address  # first: where it cannot be had, there is no need for threads
        _pool(threads).launch(function, address(plan), threads)
    else:
        native.call(address(plan), 0)


def prepare(native, plan, threads, source, made):
    """`run` for what makes the array `made` of the array `source` alone: replays leave it out if that is a constant."""
    if (noting := raw.recorder) is not None and not noting.is_constant(source, made):
        noting.note(native, plan, threads)
    _call(native, plan, threads)


def launch_at() -> int:
    """The address of what launches: launch(state, function, plan, threads)."""
    return _launch.address


def state_for(threads: int) -> int:
    """The address that it wants as its first argument, for launches on so many threads."""
    return _pool(threads).at if threads > 1 else 0


def stop() -> None:
    """End the workers; the next launch starts others."""
    pool = _state.pop("pool", None)
    if pool is not None:
        pool.stop()


class Pool:
    """The state that workers share, and the workers.

    Args:
        count: threads that may take part in a launch, the caller's among them.
    """

    def __init__(self, count: int):
        self.launch_native = _launch.call
        self.memory = np.zeros((WORKERS + (count + 1) * LINE) // 8, np.int64)
        self.at = -(-address(self.memory) // LINE) * LINE
        _forever.append(self.memory)  # a worker may look once more while the interpreter ends
        self.count, self.semaphores = count, Semaphores()
        self[WAIT], self[POST] = self.semaphores.wait, self.semaphores.post
        self[SPINS] = _spins()
        self.threads = [self.start(worker) for worker in range(1, count)]

    def __setitem__(self, place, value):
        ctypes.c_int64.from_address(self.at + place).value = value

    def start(self, worker):
        self[WORKERS + worker * LINE + SEMAPHORE] = self.semaphores.new()
        name, work = f"kerasish-{worker}", _serve.call
        thread = threading.Thread(target=work, args=(self.at, worker), name=name, daemon=True)
        thread.start()
        return thread

    def launch(self, function, plan, threads):
        """Call function(plan, worker) on up to so many threads; returns when all work is done."""
        self.launch_native(self.at, function, plan, min(threads, self.count))

    def stop(self):
        self[STOP] = 1
        self.launch(_idle.address, 0, self.count)
        for thread in self.threads:
            thread.join(0.2)


class Semaphores:
    """The system's semaphores: what makes one, and the addresses of what waits for one and of what wakes.

    All are called with integers: wait(semaphore, -1), post(semaphore, 1, 0); a system ignores what it does not know.
    """

    def __init__(self):
        if sys.platform == "win32":
            library = ctypes.WinDLL("kernel32")
            library.CreateSemaphoreW.restype = ctypes.c_void_p
            self.new = lambda: library.CreateSemaphoreW(None, 0, 1 << 30, None)
            wait, post = library.WaitForSingleObject, library.ReleaseSemaphore
        elif sys.platform == "darwin":
            library = ctypes.CDLL(None)
            library.dispatch_semaphore_create.restype = ctypes.c_void_p
            self.new = lambda: library.dispatch_semaphore_create(ctypes.c_long(0))
            wait, post = library.dispatch_semaphore_wait, library.dispatch_semaphore_signal
        else:
            library = ctypes.CDLL(None)
            self.new = functools.partial(self.posix, library)
            wait, post = library.sem_wait, library.sem_post
        self.wait, self.post = (ctypes.cast(function, ctypes.c_void_p).value for function in (wait, post))

    @staticmethod
    def posix(library):
        semaphore = ctypes.create_string_buffer(2 * LINE)  # a sem_t has 32 bytes or fewer
        _forever.append(semaphore)
        library.sem_init(semaphore, 0, 0)
        return ctypes.addressof(semaphore)


_state: dict = {"lock": threading.Lock()}
_forever: list = []  # memory that threads hold


def _pool(threads):
    """The pool, made at the first launch, and again for more threads."""
    pool = _state.get("pool")
    if pool is not None and pool.count >= threads:
        return pool
    with _state["lock"]:
        pool = _state.get("pool")
        if pool is None or pool.count < threads:
            stop()
            pool = _state["pool"] = Pool(max(threads, device_threads.get_num_threads()))
    return pool


def _after_fork_in_child() -> None:
    _state.clear()
    _state["lock"] = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(stop)


@functools.cache
def _spins() -> int:
    """Rounds of waiting awake that take about `SPIN` seconds."""
    idle = _idle.call
    began = time.perf_counter()
    idle(1000, 0)
    return max(100, int(1000 * SPIN / (time.perf_counter() - began)))


@njit("void(int64, int64)")
def _idle(rounds, _):
    """Wait awake."""
    for _ in range(rounds):
        relax()


@njit(fastmath=FASTMATH)
def _cell(place):
    return integers(place, 1)[0]


@njit("void(int64, int64)")
def _serve(state, worker):
    """The life of a worker: wait for the next launch, go through its gate if it is still open, work."""
    epoch, spins, own = 0, 0, state + WORKERS + worker * LINE
    while not seen(state + STOP):
        if seen(state + EPOCH) == epoch:
            if spins < _cell(state + SPINS):
                spins += 1
                relax()
            else:
                _sleep(state, own, epoch)
            continue
        epoch, spins = seen(state + EPOCH), 0
        if add(state + GATE, 1) >= OPEN:
            ticket = add(state + TICKET, 1)
            if ticket < _cell(state + LIMIT):
                call(_cell(state + FUNCTION), _cell(state + PLAN), ticket)
        add(state + GATE, -1)


@njit(fastmath=FASTMATH)
def _sleep(state, own, epoch):
    """Wait for a post, unless the next launch has begun meanwhile; who posts takes the flag away first."""
    swap(own + ASLEEP, 1)
    if seen(state + EPOCH) != epoch and swap(own + ASLEEP, 0) == 1:
        return
    call(_cell(state + WAIT), _cell(own + SEMAPHORE), -1)


@njit("void(int64, int64, int64, int64)")
def _launch(state, function, plan, limit):
    """Call function(plan, worker) here as worker 0, and on workers who come while the gate is open."""
    if swap(state + BUSY, 1):
        call(function, plan, 0)
        return
    swap(state + FUNCTION, function)
    swap(state + PLAN, plan)
    swap(state + LIMIT, limit)
    swap(state + TICKET, 1)
    add(state + GATE, OPEN)
    add(state + EPOCH, 1)
    for worker in range(1, limit):
        own = state + WORKERS + worker * LINE
        if seen(own + ASLEEP) and swap(own + ASLEEP, 0):
            call(_cell(state + POST), _cell(own + SEMAPHORE), 1, 0)
    call(function, plan, 0)
    add(state + GATE, -OPEN)
    while seen(state + GATE):
        relax()
    swap(state + BUSY, 0)
