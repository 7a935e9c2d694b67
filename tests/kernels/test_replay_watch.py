"""The trial of recorded kernels: numbers in disguise, and kernels that are not what their recorded calls are."""

import numpy as np
import pytest

from kerasish.device import natives, raw
from kerasish.kernels import Refused, twin_of
from kerasish.kernels.cpu.replay import recording
from kerasish.kernels.cpu.replay_watch import NOISE, Disguise, sums

rng = np.random.default_rng(0)
cpu = twin_of(np.zeros(1))
compiled = pytest.mark.skipif(natives.compilation_off(), reason="needs compiled kernels")


def numbers(size, scale=1.0):
    return rng.standard_normal(size) * scale


ARRAYS = {
    "more than the noise": numbers(2 * NOISE + 5),
    "zeros": np.zeros(1000),
    "half of them zeros, of both signs": numbers(1000) * rng.integers(0, 2, 1000),
    "tiny": numbers(1000, 1e-6),
    "large": numbers(1000, 5e3),
    "far apart": np.array([1e-38, 1e-45, -1e-20, 0.0, -0.0, 5e3]),
    "not finite": np.array([np.inf, -np.inf, np.nan, 0.0, 1.0]),
    "what zero changes places with": np.full(5, np.log(2)),
    "a scalar": np.array(2.5),
    "none": np.zeros(0),
    "strided": numbers((40, 60))[::3, ::-2],
    "transposed": numbers((300, 500)).T,
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ARRAYS)
def test_disguises_come_off(name, dtype):
    memory = ARRAYS[name].base if ARRAYS[name].base is not None else ARRAYS[name]
    array = memory.astype(dtype)
    if ARRAYS[name].base is not None:
        array = array[::3, ::-2] if name == "strided" else array.T
    before, finite = array.tobytes(), np.isfinite(array).all()
    disguises = [Disguise(array, 3)]
    disguises[0].put_on()
    worn = array.copy()
    assert finite == np.isfinite(worn).all()
    assert (worn != np.frombuffer(before, dtype).reshape(array.shape)).mean() >= 0.99 if array.size else True
    disguises.append(Disguise(array, 4))  # another on top of it, as where an array is given twice
    disguises[1].put_on()
    for disguise in reversed(disguises):
        disguise.take_off()
    assert array.tobytes() == before


@pytest.mark.parametrize("name", ["zeros", "half of them zeros, of both signs", "tiny", "large", "more than the noise"])
def test_numbers_in_disguise_say_something(name):
    """They have both signs, and sizes at which a sigmoid is neither flat nor 0.5 throughout."""
    array = ARRAYS[name].astype("float32")
    Disguise(array, 1).put_on()
    assert 0.3 < (array > 0).mean() < 0.7
    assert 0.25 <= np.median(np.abs(array)) < 8 and np.abs(array).max() < 32


def test_sums_tell():
    array = numbers(NOISE + 100).astype("float32")
    before = sums([array])
    assert sums([array.copy()]) == before
    for change in (lambda a: a.sort(), lambda a: a.__setitem__(7, -a[7]), lambda a: np.copyto(a, a[::-1].copy())):
        changed = array.copy()
        change(changed)
        assert sums([changed]) != before


def faithful(y, x):
    return cpu.relu_grad(y, x)


def reads_a_stale_copy(y, x):
    return cpu.relu_grad(y, x.copy())


def reads_the_end_of_a_stale_copy(y, x):
    return cpu.relu_grad(y, np.concatenate([x[:-1], x[-1:]]))


def confuses_its_arguments(y, x):
    """Half of the time."""
    confuses_its_arguments.calls += 1
    return cpu.relu_grad(y, x) if confuses_its_arguments.calls % 2 else cpu.relu_grad(x, y)


def chooses_by_numbers(y, x):
    return cpu.relu_grad(y, x) if x.min() >= 0 else cpu.relu_grad(x, y)


def writes_its_input(y, x):
    found = cpu.relu_grad(y, x)
    x *= 2
    return found


def sorts_its_input(y, x):
    found = cpu.relu_grad(y, x)
    x.reshape(-1).sort()
    return found


def clips_its_input(y, x):
    np.maximum(x, 0, out=x)
    return cpu.relu_grad(y, x)


def calls_of(kernel, *given):
    """What a recording keeps of a kernel's call, and what it has of its result and arguments afterwards."""
    confuses_its_arguments.calls = 0
    with recording([]) as tape:
        places = [tape.place(x) for x in given]
        result = tape.watch.watched(kernel)(*(places if len(places) == 2 else 2 * places))
    return tape.recorder.entries, result, places


GIVEN = {"normal": numbers((8, 70, 30, 40)), "tiny": numbers((8, 70, 30, 40), 1e-20), "small": numbers((24, 50))}
FAULTY = [reads_a_stale_copy, reads_the_end_of_a_stale_copy, confuses_its_arguments, chooses_by_numbers]


@compiled
@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("kernel", [faithful, *FAULTY])
def test_trials(kernel, given):
    x = np.abs(GIVEN[given].astype("float32"))
    y = numbers(x.shape).astype("float32")
    entries, result, places = calls_of(kernel, y, x)
    assert any(map(callable, entries)) == (kernel is not faithful)
    confuses_its_arguments.calls = 0
    after = [y.copy(), x.copy()]
    np.testing.assert_array_equal(result, kernel(*after))
    for place, want in zip(places, after, strict=True):
        np.testing.assert_array_equal(place, want)


@compiled
@pytest.mark.parametrize("x", [np.zeros((40, 50)), np.ones((40, 50))])
def test_a_stale_copy_of_what_is_all_the_same(x):
    entries, _, _ = calls_of(reads_a_stale_copy, x.astype("float32"), x.astype("float32"))
    assert any(map(callable, entries))


@compiled
def test_an_argument_that_is_given_twice():
    x = numbers((40, 50)).astype("float32")
    entries, result, _ = calls_of(faithful, x)
    assert not any(map(callable, entries))
    np.testing.assert_array_equal(result, cpu.relu_grad(x, x))
    entries, _, _ = calls_of(confuses_its_arguments, x, x + 1)  # of which the call before says nothing
    assert any(map(callable, entries))


@compiled
@pytest.mark.parametrize("kernel", [writes_its_input, sorts_its_input, clips_its_input])
def test_a_kernel_that_writes_its_input(kernel):
    """The last one only for some numbers, which are not the given ones."""
    x = np.abs(numbers((40, 50))).astype("float32")
    with pytest.raises(Refused, match=f"{kernel.__name__} writes to its arguments"):
        calls_of(kernel, x + 1, x)
    assert raw.recorder is None
