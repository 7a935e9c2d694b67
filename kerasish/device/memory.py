"""Reuse of large buffers: a fresh 10 MB array costs its page faults every step, a used one costs nothing.

`empty` hands out arrays over pooled, 64-byte aligned memory. Each array's base is a `_Lease`; when the last view of it
is gone the lease dies and its memory returns to the pool, so a view that a user keeps can never dangle.
"""

import math
import threading
from collections import deque
from typing import Any

import numpy as np

ALIGNMENT = 64
SMALL = 1 << 16  # bytes below which the allocator is as fast as the pool
LIMIT = 1 << 30  # bytes kept for reuse

_free: dict[int, deque] = {}
_kept = {"bytes": 0}
_arena: "Arena | None" = None


def empty(shape: tuple[int, ...] | int, dtype: Any = np.float32) -> np.ndarray:
    """An uninitialized C-contiguous array; large ones are 64-byte aligned and reuse memory."""
    dtype = np.dtype(dtype)
    size = dtype.itemsize * (math.prod(shape) if isinstance(shape, tuple) else shape)
    if size < SMALL or dtype.hasobject:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, np.asarray(_Lease(size)))


def lasting(shape: tuple[int, ...] | int, dtype: Any = np.float32) -> np.ndarray:
    """`empty` with memory of nobody's arena: what is written to it stays while the array lives."""
    with drawing_on(None):
        return empty(shape, dtype)


def zeros(shape: tuple[int, ...] | int, dtype: Any = np.float32) -> np.ndarray:
    """`empty`, filled with zeros."""
    out = empty(shape, dtype)
    out.fill(0)
    return out


def release() -> None:
    """Give all unused memory back to the system."""
    _free.clear()
    _kept["bytes"] = 0


def kept_bytes() -> int:
    """Bytes that wait in the pool for reuse."""
    return _kept["bytes"]


class Arena:
    """A pool of its own, for what must stay where it is while it is unused: its memory goes back to no other user."""

    def __init__(self):
        self.thread, self.free = threading.get_ident(), {}
        self.blocks: list[np.ndarray] = []

    @property
    def used(self) -> int:
        """How many pieces of its memory belong to an array that lives."""
        return len(self.blocks) - sum(map(len, self.free.values()))


class Guest(Arena):
    """An arena that uses what is free of another one; what it had to add is gone when it is."""

    def __init__(self, host: Arena):
        super().__init__()
        self.free, self._lent = host.free, []

    def lend(self, arrays: list[np.ndarray]) -> None:
        """Use the memory of arrays of the host's, too, whose numbers are of no use any more."""
        for lease in {array.base.base for array in arrays if in_arena(array)}:
            self.free.setdefault(lease.room, deque()).append(lease.memory)
            self._lent.append(lease.memory)

    def leave(self) -> None:
        """Take its own memory, and what was lent, out of the host's.

        Raises:
            RuntimeError: if an array that lives has memory that was lent.
        """
        lent = set(map(id, self._lent))
        ours, there = lent.union(map(id, self.blocks)), {id(b) for blocks in self.free.values() for b in blocks}
        for room, blocks in self.free.items():
            self.free[room] = deque(block for block in blocks if id(block) not in ours)
        self._lent = []
        if not lent <= there:
            raise RuntimeError("what a kernel made is kept somewhere beside its result")


class drawing_on:
    """A context in which `empty` takes this thread's memory from an arena, or the pool's; for one thread at a time.

    No generator: what an interrupt keeps one from doing is done when its traceback goes, and what it undoes is others'.
    """

    def __init__(self, arena: Arena | None):
        self._arena, self._before = arena, None

    def __enter__(self) -> None:
        global _arena
        self._before, _arena = _arena, self._arena

    def __exit__(self, *error) -> None:
        global _arena
        _arena = self._before


def abandon() -> None:
    """End what an interrupt left of this thread's `drawing_on`."""
    global _arena
    if _arena is not None and _arena.thread == threading.get_ident():
        _arena = None


def in_arena(array: np.ndarray) -> bool:
    """Whether an array, or what it is a view of, lies in the arena that is being drawn on."""
    lease = getattr(array.base, "base", None)
    return _arena is not None and isinstance(lease, _Lease) and lease.home is _arena.free


def unowned(array: np.ndarray) -> np.ndarray:
    """An array of the arena that is being drawn on as a view that does not keep its memory from others; or the array.

    For what is done again where the memory holds the same once more.
    """
    if not in_arena(array):
        return array
    block = array.base.base.memory
    offset = array.__array_interface__["data"][0] - block.__array_interface__["data"][0]
    return np.ndarray(array.shape, array.dtype, block, offset, array.strides)


class _Lease:
    """Owner of one piece of pooled memory; its end is the memory's return."""

    __slots__ = ("__array_interface__", "memory", "room", "home")

    def __init__(self, size: int):
        self.memory, self.room = None, _rounded(size)
        arena = _arena
        self.home = arena.free if arena is not None and arena.thread == threading.get_ident() else _free
        try:
            self.memory = self.home[self.room].pop()
            if self.home is _free:
                _kept["bytes"] -= self.room
        except (KeyError, IndexError):
            self.memory = np.empty(self.room + ALIGNMENT, np.uint8)
            if self.home is not _free:
                arena.blocks.append(self.memory)
        address = -(-self.memory.__array_interface__["data"][0] // ALIGNMENT) * ALIGNMENT
        self.__array_interface__ = {"data": (address, False), "shape": (size,), "typestr": "|u1", "version": 3}

    def __del__(self, free=_free, kept=_kept, limit=LIMIT, queue=deque):  # bound here: globals are gone at exit
        if self.memory is None:  # there was none to be had
            return
        if self.home is not free:
            self.home.setdefault(self.room, queue()).append(self.memory)
        elif kept["bytes"] + self.room <= limit:
            kept["bytes"] += self.room
            free.setdefault(self.room, queue()).append(self.memory)


def _rounded(size: int) -> int:
    """`size` rounded up to one of four steps an octave, so that close sizes share memory."""
    step = 1 << max(12, size.bit_length() - 3)
    return -(-size // step) * step
