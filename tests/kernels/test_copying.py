"""Elements moved about: twins of every dtype, on views, in every position."""

import numpy as np
import pytest

from kerasish.kernels import find, twin_of
from kerasish.kernels.cpu import copying

from .harness import array

cpu = twin_of(np.zeros(1))
PADS = [
    ((2, 5, 6, 3), [(0, 0), (1, 2), (3, 0), (0, 0)]),
    ((2, 5, 6, 3), [(0, 0), (0, 0), (0, 2), (0, 0)]),
    ((2, 5, 6, 3), [(0, 0), (2, 0), (0, 0), (0, 0)]),
    ((2, 5, 6, 3), [(1, 0), (0, 0), (0, 0), (0, 2)]),
    ((2, 4, 3, 5, 2), [(0, 0), (1, 1), (2, 0), (0, 3), (0, 0)]),
    ((7, 3), [(0, 0), (2, 1)]),
    ((7, 3), [(2, 1), (0, 0)]),
    ((5,), [(2, 1)]),
    ((0, 3, 2), [(0, 0), (1, 1), (0, 0)]),
    ((3, 2), [(0, 0), (0, 0)]),
]
JOINS = [
    ([(2, 3, 4), (2, 1, 4)], 1),
    ([(2, 3, 4), (2, 3, 70), (2, 3, 1)], -1),
    ([(300, 40), (500, 40)], 0),
    ([(3,), (4,)], 0),
    ([(2, 0, 3), (2, 2, 3)], 1),
]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool", "float16", "complex64"])
@pytest.mark.parametrize("shape, pads", PADS)
def test_pad(shape, pads, dtype):
    x = (array(*shape) * 9).astype(dtype)
    for v in (x, x[::-1]):
        np.testing.assert_array_equal(cpu.zero_pad(v, pads), find("reference", "zero_pad")(v, pads), strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
@pytest.mark.parametrize("shapes, axis", JOINS)
def test_concatenate(shapes, axis, dtype):
    arrays = [(array(*shape, seed=i) * 9).astype(dtype) for i, shape in enumerate(shapes)]
    arrays[0] = arrays[0][::-1]
    want = find("reference", "concatenate")(arrays, axis)
    np.testing.assert_array_equal(cpu.concatenate(arrays, axis), want, strict=True)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="dimensions"):
        cpu.concatenate([np.zeros((2, 3)), np.zeros((3, 2))], 0)


@pytest.mark.parametrize(
    "pads, passes",
    [
        (((0, 0), (1, 1), (2, 0), (0, 0)), 1),
        (((0, 0), (0, 0), (0, 0), (3, 1)), 1),
        (((0, 0), (1, 0), (0, 0), (0, 0)), 1),
        (((2, 0), (0, 0), (0, 0), (0, 0)), 1),
        (((0, 0), (1, 1), (1, 1), (1, 1)), 2),
        (((1, 1), (0, 0), (0, 0), (1, 1)), 2),
        (((0, 0), (0, 0), (0, 0), (0, 0)), 0),
    ],
)
def test_two_neighbouring_axes_are_padded_in_one_pass(pads, passes, monkeypatch):
    x, kernel, calls = np.arange(2 * 3 * 4 * 5, dtype="float32").reshape(2, 3, 4, 5), copying._pad, []
    monkeypatch.setattr(copying, "_pad", lambda *args, **options: calls.append(kernel(*args, **options)))
    np.testing.assert_array_equal(copying.zero_pad(x, pads), np.pad(x, pads))
    assert len(calls) == passes
