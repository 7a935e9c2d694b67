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
from kerasish.kernels import Refused, settings

VERDICTS = 4096  # trials that are remembered
_verdicts: dict[tuple, bool] = {}
NOISE = 65_521  # numbers, a prime: what repeats in them has no stride that an image has
NEAR = 3  # powers of two from one, of the largest number of an array that is not scaled


class Watch:
    """Looks at each kernel that a recorded pass calls.

    Attributes:
        strangers: kernels that were given arrays which no kernel made, and which are no constants.
    """

    def __init__(self, recorder):
        self.recorder, self.strangers = recorder, []
        self._known: dict[int, weakref.ref] = {}
        self._drawn = 0

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
            given, again = list(_arrays((*args, *kwargs.values()))), functools.partial(function, *args, **kwargs)
            varying = [a for a in given if self.knows(a)]
            result = again()
            if any(a.size > 1 and not self.knows(a) and not recorder.knows(a) for a in given):
                self.strangers.append(function.__name__)
            native, in_place = len(recorder.entries) > count, result is None  # of variables, which are not to be tried
            if not draws and not (native and (in_place or self._judged(count, again, varying, result))):
                recorder.entries[count:] = [lambda: _renew(result, again())]
            for y in _arrays([result]):
                self.know(y)
            return result

        return call

    def _judged(self, count: int, again: functools.partial, varying: list[np.ndarray], result) -> bool:
        """What a trial says of a call, or said of one with the same function, shapes and options."""
        given = tuple(self._described(v) for v in (*again.args, *sorted(again.keywords.items())))
        owners = [id(_owner(a)) for a in varying]
        shared = tuple(map(owners.index, owners))  # which of them share memory
        key = again.func, given, shared, settings.version(), threads.get_num_threads()
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

    def _faithful(self, count: int, function: Callable, varying: list[np.ndarray], result) -> bool:
        """Whether the calls noted from `count` on do for other numbers what the function does, and no more."""
        from kerasish.kernels.cpu.replay import Calls

        floats = [a for a in varying if a.dtype.kind == "f" and a.flags.writeable]
        changed = [Disguise(a, self._drawn + i) for i, a in enumerate(floats)]
        results, calls = list(_arrays([result])), Calls(self.recorder.entries[count:])
        self._drawn, raw.recorder = self._drawn + len(floats), None
        try:
            with memory.drawing_on(memory.Arena()), np.errstate(all="ignore"):  # which gives its memory back
                for disguise in changed:
                    disguise.put_on()
                worn = sums(floats)
                calls()
                same = _agrees(function, results)
                if sums(floats) != worn:
                    raise Refused(f"{function.func.__name__} writes to its arguments")
                for disguise in reversed(changed):
                    disguise.take_off()
                if same:
                    calls()
                else:
                    _write(results, _arrays([function()]))
                return same
        finally:
            raw.recorder = self.recorder


class Disguise:
    """Other numbers for an array, made of its own in place, so that they can be made back into those.

    Signs and mantissas are mixed with noise. All are scaled so that the largest is about one, and what is zero changes
    places with one number of that size. Finite numbers stay finite.

    Args:
        array: of floats, writeable.
        number: arrays with other numbers get other noise.
    """

    def __init__(self, array: np.ndarray, number: int):
        digits, self._bits = np.finfo(array.dtype).nmant, _bits(array)
        one, self._end, self._stranger = _bits(np.array([1, np.inf, np.log(2)], array.dtype))
        self._magnitude = self._bits.dtype.type(np.iinfo(self._bits.dtype).max >> 1)
        begin = 7919 * number % NOISE
        self._noise = _random()[begin : begin + min(array.size, NOISE)].astype(self._bits.dtype) & ~self._end
        largest = max(((piece & self._magnitude).max() for piece in _pieces(self._bits) if piece.size), default=one)
        shift = (int(one) >> digits) - (int(largest) >> digits)
        far = 0 < largest < self._end and abs(shift) > NEAR
        self._shift = self._bits.dtype.type((shift << digits) % int(self._end) if far else 0)

    def put_on(self) -> None:
        """Change the array."""
        for piece in _pieces(self._bits):
            self._scale(piece, self._shift)
            self._mix(piece)

    def take_off(self) -> None:
        """Change it back."""
        for piece in _pieces(self._bits):
            self._mix(piece, back=True)
            self._scale(piece, self._end - self._shift)

    def _scale(self, piece, shift):
        """Powers of two, in a ring."""
        if self._shift:
            signs = piece & ~self._magnitude
            piece ^= signs
            piece += shift
            piece -= (piece >= self._end) * self._end
            piece |= signs

    def _mix(self, piece, back=False):
        noise = self._noise[: piece.size]
        if back:
            piece ^= noise
        magnitudes = piece & self._magnitude
        places = (magnitudes == self._shift) | (magnitudes == self._stranger)
        if places.any():
            piece ^= places * (self._shift ^ self._stranger)
        if not back:
            piece ^= noise


def sums(arrays: list[np.ndarray]) -> list[int]:
    """What tells whether any number in arrays of floats has changed, or changed places: sums of bits, weighted."""
    return [_sum(piece) for array in arrays for piece in _pieces(_bits(array))]


def _sum(piece):
    weighted = piece * _weights()[: piece.size]  # odd ones: each single change shows
    return int(np.add.reduce(weighted, dtype=weighted.dtype))


def _bits(array: np.ndarray) -> np.ndarray:
    return array.view(f"u{array.dtype.itemsize}")


def _pieces(bits: np.ndarray) -> Iterator[np.ndarray]:
    """An array in pieces, to be read and written, whatever its strides are."""
    flags = ["external_loop", "buffered", "zerosize_ok"]
    with np.nditer(bits, flags, [["readwrite"]], order="C", buffersize=NOISE) as pieces:
        yield from pieces


@functools.lru_cache(1)
def _random() -> np.ndarray:
    """Twice the same random bits, so that they can begin at any of them."""
    return np.tile(np.random.default_rng([97, 101]).integers(0, 2**64, NOISE, np.uint64), 2)


@functools.lru_cache(1)
def _weights() -> np.ndarray:
    return _random()[:NOISE].astype(np.uint32) | np.uint32(1)


def _agrees(function: Callable, results: list[np.ndarray]) -> bool:
    found = list(_arrays([function()]))
    return len(found) == len(results) and all(map(_same, results, found))


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


def _write(places, values):
    for place, value in zip(places, values, strict=True):
        np.copyto(place, value)


def _renew(place, result):
    """Write what was found anew to where the recording has it."""
    _write(_arrays([place]), _arrays([result]))
