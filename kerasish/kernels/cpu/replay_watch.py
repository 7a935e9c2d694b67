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

from kerasish.device import memory
from kerasish.kernels.cpu import raw


class Watch:
    """Looks at each kernel that a recorded pass calls.

    Attributes:
        strangers: kernels that were given arrays which no kernel made, and which are no constants.
    """

    def __init__(self, recorder):
        self.recorder, self.strangers = recorder, []
        self._known: dict[int, weakref.ref] = {}
        self._random = np.random.default_rng([97, 101])

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
            if not draws and not (native and (in_place or self._faithful(count, again, varying, result))):
                recorder.entries[count:] = [lambda: _renew(result, again())]
            for y in _arrays([result]):
                self.know(y)
            return result

        return call

    def _faithful(self, count: int, function: Callable, varying: list[np.ndarray], result) -> bool:
        """Whether the calls noted from `count` on do for other numbers what the function does."""
        from kerasish.kernels.cpu.replay import Calls

        changed = [a for a in varying if a.dtype.kind == "f" and a.flags.writeable]
        places, calls = [*changed, *_arrays([result])], Calls(self.recorder.entries[count:])
        before = [a.copy() for a in places]
        noise = [self._random.standard_normal(a.shape).astype(a.dtype) for a in changed]
        raw.recorder = None
        try:
            with memory.drawing_on(None), np.errstate(all="ignore"):
                _write(changed, noise)
                calls()
                got = [a.copy() for a in places]
                _write(places, before)
                _write(changed, noise)
                found = function()
                want = [*changed, *_arrays([found])]
                return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(got, want, strict=True))
        finally:
            _write(places, before)
            raw.recorder = self.recorder


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
