"""What a recording does not see of a kernel: the work that Python and NumPy do in it.

Each kernel's calls are tried as soon as they are noted: with other numbers in its arguments they must give what the
kernel itself gives. A kernel that NumPy does, or that does some of its work in Python, is kept as a whole, to be run
again by Python.
"""

import functools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from kerasish.device import memory, raw, threads
from kerasish.kernels import settings

VERDICTS = 4096  # trials that are remembered
_verdicts: dict[tuple, bool] = {}
NOISE = 65_521  # numbers, a prime: what repeats in them has no stride that an image has
LARGE, EVERY = 16 * NOISE, 4  # of a large array every fourth piece is changed, so that little has to be kept


class Watch:
    """Looks at each kernel that a recorded pass calls.

    Attributes:
        strangers: kernels that were given arrays which no kernel made, and which are no constants.
    """

    def __init__(self, recorder, arena: memory.Arena):
        self.recorder, self.arena, self.strangers = recorder, arena, []
        self._known: dict[int, weakref.ref] = {}
        self._noise, self._drawn = np.random.default_rng([97, 101]).standard_normal(NOISE).astype(np.float32), 0

    def know(self, array: np.ndarray) -> None:
        """Note an array of the pass, whose numbers differ from run to run."""
        owner = _owner(array)
        self._known[id(owner)] = weakref.ref(owner)

    def knows(self, array: np.ndarray) -> bool:
        """Whether an array is one of those, or a view of one."""
        owner = _owner(array)
        found = self._known.get(id(owner))
        return found is not None and found() is owner

    def watched(self, function: Callable) -> Callable:
        """A kernel whose calls are noted, and tried."""
        draws = function.__module__.endswith(".random")  # with seeds that must change

        @functools.wraps(function)
        def call(*args, **kwargs):
            recorder, count = self.recorder, len(self.recorder.entries)
            if raw.recorder is not recorder or threading.get_ident() != recorder.thread:
                return function(*args, **kwargs)
            given = list(_arrays((*args, *kwargs.values())))
            result = function(*args, **kwargs)
            varying = [a for a in given if self.knows(a)]
            if any(a.size > 1 and not self.knows(a) and not recorder.knows(a) for a in given):
                self.strangers.append(function.__name__)
            again, native = functools.partial(function, *args, **kwargs), len(recorder.entries) > count
            in_place = result is None  # of variables, which are not to be tried
            if not draws and not (native and (in_place or self._judged(count, again, varying, result))):
                args, kwargs, place = _unowned((args, kwargs, result))
                recorder.entries[count:] = [lambda: _renew(place, function(*args, **kwargs))]
            for y in _arrays([result]):
                self.know(y)
            return result

        return call

    def _judged(self, count: int, again: functools.partial, varying: list[np.ndarray], result) -> bool:
        """What a trial says of a call, or said of one with the same function, shapes and options."""
        given = tuple(self._described(v) for v in (*again.args, *sorted(again.keywords.items())))
        key = again.func, given, settings.version(), threads.get_num_threads()
        if key not in _verdicts:
            if len(_verdicts) >= VERDICTS:
                _verdicts.clear()
            _verdicts[key] = self._faithful(count, again, varying, result)
        return _verdicts[key]

    def _described(self, value):
        """Of an argument, all that a kernel may look at before it computes: of an array not its numbers."""
        if isinstance(value, np.ndarray):
            return value.shape, value.dtype.str, value.strides, self.knows(value), self.recorder.knows(value)
        if isinstance(value, (list, tuple)):
            return type(value), tuple(map(self._described, value))
        return repr(value)

    def _faithful(self, count: int, function: functools.partial, varying: list[np.ndarray], result) -> bool:
        """Whether the calls noted from `count` on do for other numbers what the function does, and no more."""
        from kerasish.kernels.cpu.replay import Calls

        changed = [a for a in varying if a.dtype.kind == "f" and a.flags.writeable]
        results, calls = list(_arrays([result])), Calls(self.recorder.entries[count:])
        before, raw.recorder = self._kept(changed), None
        guest = memory.Guest(self.arena)
        try:
            with memory.drawing_on(guest), np.errstate(all="ignore"):
                self._disturb(changed)
                calls()
                same = self._disturbed(changed)
                same = same and self._agrees(function, results, guest) and self._disturbed(changed)
                _write(self._pieces(changed), before)
                del before
                if same:
                    calls()
                else:
                    _write(results, _arrays([function()]))
                return same
        finally:
            self._drawn += len(changed)
            raw.recorder = self.recorder
            guest.leave()  # last: it may refuse

    def _agrees(self, function: functools.partial, results: list[np.ndarray], guest: memory.Guest) -> bool:
        """Whether the function gives these results, in whose place it may write its own."""
        shapes, kept = [(r.shape, r.dtype) for r in results], self._kept(results)
        given = {id(_owner(a)) for a in _arrays((*function.args, *function.keywords.values()))}
        guest.lend([r for r in results if id(_owner(r)) not in given])
        found = list(_arrays([function()]))
        same = [(f.shape, f.dtype) for f in found] == shapes
        same = same and all(map(_same, self._pieces(found), kept))
        del found
        guest.leave()
        return same

    def _pieces(self, arrays: list[np.ndarray]) -> Iterator[np.ndarray]:
        """What `_disturb` would change."""
        return (piece for piece, _ in self._beside_noise(arrays))

    def _kept(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Copies of that, in memory of their own: the calls' scratch may lie in what is free."""
        return [piece.copy() for piece in self._pieces(arrays)]

    def _disturb(self, arrays: list[np.ndarray]) -> None:
        """Write noise into arrays."""
        for piece, noise in self._beside_noise(arrays):
            piece[...] = noise

    def _disturbed(self, arrays: list[np.ndarray]) -> bool:
        """Whether arrays hold just that noise."""
        return all(np.array_equal(piece, noise.astype(piece.dtype)) for piece, noise in self._beside_noise(arrays))

    def _beside_noise(self, arrays: list[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Arrays in pieces, and noise for each: each array's beginning elsewhere in it."""
        for i, array in enumerate(arrays):
            begin = -(7919 * (self._drawn + i) % NOISE)
            if not array.flags.c_contiguous:
                yield array, np.resize(np.roll(self._noise, begin), array.shape)
                continue
            flat, every = array.reshape(-1), EVERY if array.size > LARGE else 1
            last = (array.size - begin - 1) // NOISE
            for number in (*range(0, last, every), last):
                piece = flat[max(start := begin + number * NOISE, 0) : start + NOISE]
                yield piece, self._noise[max(-start, 0) :][: piece.size]


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays hold the same numbers, NaN in the same places; by their bits, where those are equal."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype == np.float32 and np.array_equal(a.view(np.uint32), b.view(np.uint32)):
        return True
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _owner(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _arrays(values: Iterable) -> Iterator[np.ndarray]:
    for value in values:
        if isinstance(value, np.ndarray):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _arrays(value)


def _unowned(value):
    """A value with `memory.unowned` for each of its arrays."""
    if isinstance(value, np.ndarray):
        return memory.unowned(value)
    if isinstance(value, dict):
        return {key: _unowned(v) for key, v in value.items()}
    return type(value)(map(_unowned, value)) if type(value) in (list, tuple) else value


def _write(places, values):
    for place, value in zip(places, values, strict=True):
        np.copyto(place, value)


def _renew(place, result):
    """Write what was found anew to where the recording has it."""
    _write(_arrays([place]), _arrays([result]))
