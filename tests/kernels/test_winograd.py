"""Winograd's convolution: what it is taken for, how exact it is, and the switch."""

import numpy as np
import pytest

import kerasish as keras
from kerasish.core.shapes import Window
from kerasish.kernels import find, settings, twin_of
from kerasish.kernels.cpu import conv, transform, winograd
from kerasish.kernels.cpu.simd import VECTOR_BYTES

from .cases import SAME3
from .harness import array

cpu = twin_of(np.zeros(1))
SAME, V = Window(pads=SAME3), VECTOR_BYTES // 4
FEW = max(V, winograd.FEW_CHANNELS)
MANY = 1 << (winograd.MANY_FILTERS.bit_length() // 2)  # channels and filters of which there are many, or just not


@pytest.fixture(autouse=True)
def on():
    settings.set_winograd(True)
    yield
    settings.set_winograd(True)


def given(x=(1, 16, 16, FEW), w=(3, 3, FEW, FEW), out=(16, 16), **window):
    """A convolution that is just worth it, with 16 tiles, or what is said otherwise."""
    return x, w, out, Window(**{"pads": SAME3, **window})


@pytest.mark.parametrize(
    "inside, outside",
    [
        (given(), given(w=(3, 1, FEW, FEW))),
        (given(), given(w=(5, 5, FEW, FEW), pads=((2, 2), (2, 2)))),
        (given(), given(w=(3, 3, FEW // 2, FEW), groups=2)),
        (given(), given(x=(1, 32, 16, FEW), strides=(2, 1))),
        (given(), given(x=(1, 16, 32, FEW), strides=(1, 2))),
        (given(), given(dilation=(2, 1), pads=((2, 2), (1, 1)))),
        (given(), given(dilation=(1, 2), pads=((1, 1), (2, 2)))),
        (given(), given(x=(1, 16, 16, FEW - V // 2), w=(3, 3, FEW - V // 2, FEW))),
        (given(), given(w=(3, 3, FEW, FEW - V // 2))),
        (given(w=(3, 3, FEW, FEW + V)), given(w=(3, 3, FEW, FEW + V // 2))),
        (given(w=(3, 3, FEW + V, FEW)), given(w=(3, 3, FEW + V // 2, FEW))),
        (given(), given(x=(1, 12, 20, FEW), out=(12, 20))),  # 15 tiles
        (given(x=(16, 4, 4, FEW), out=(4, 4)), given(x=(15, 4, 4, FEW), out=(4, 4))),
        (given(x=(3, 16, 16, MANY), w=(3, 3, MANY, MANY)), given(x=(2, 16, 16, MANY), w=(3, 3, MANY, MANY))),
        (given(x=(2, 16, 16, MANY), w=(3, 3, MANY, MANY // 2)), given(x=(2, 16, 16, MANY), w=(3, 3, MANY, MANY))),
        (given(x=(8, 5, 4, FEW), out=(5, 4)), given(x=(16, 3, 3, FEW), out=(3, 3))),  # 10 and 9 pixels a tile
    ],
)  # fmt: skip
def test_when_it_is_worthwhile(inside, outside):
    assert winograd.worthwhile(*inside) and not winograd.worthwhile(*outside)


def test_never_where_it_is_switched_off():
    settings.set_winograd(False)
    assert not winograd.worthwhile(*given())


@pytest.mark.parametrize("dilation", [(2, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("strides", [(1, 1), (2, 1), (1, 2)])
def test_what_only_looks_like_it(dilation, strides):
    """Enough tiles and channels, three by three, but dilated or strided: all three passes, against the definition."""
    window = Window(strides, tuple((d, d) for d in dilation), dilation)
    x, w = array(4, 17, 18, 2 * V), array(3, 3, 2 * V, 2 * V)
    want = find("reference", "conv2d")(x, w, window)
    gy = array(*want.shape)
    gx = find("reference", "conv2d_grad_input")(gy, w, x.shape, window)
    gw = find("reference", "conv2d_grad_kernel")(x, gy, w.shape, window)
    x4, w4, g4 = (a.astype("f4") for a in (x, w, gy))
    off(cpu.conv2d(x4, w4, window), want, 2e-6, 1e-6)
    off(cpu.conv2d_grad_input(g4, w4, x.shape, window), gx, 2e-6, 1e-6)
    off(cpu.conv2d_grad_kernel(x4, g4, w.shape, window), gw, 2e-6, 1e-6)


def test_dilated_plans_are_direct():
    assert conv.setup((4, 16, 16, FEW), (3, 3, FEW, FEW), SAME, 4)[1]
    assert not conv.setup((4, 16, 16, FEW), (3, 3, FEW, FEW), Window(pads=((2, 2), (2, 2)), dilation=(2, 2)), 4)[1]
    assert not conv.setup((4, 16, 16, FEW), (3, 3, FEW, FEW), SAME, 8)[1]


def off(got, want, largest, rms):
    """No element further off than `largest` of the largest one, and no more than `rms` of them all on the average."""
    error = got.astype("f8") - want
    assert np.abs(error).max() <= largest * np.abs(want).max()
    assert np.sqrt(np.mean(error**2)) <= rms * np.sqrt(np.mean(want**2))


@pytest.mark.parametrize(
    "name, x, filters, largest, rms",
    [
        ("normal", array(4, 16, 16, 32), 32, 1.6e-6, 8e-7),
        ("after a ReLU", np.maximum(array(8, 28, 28, 64), 0), 64, 2.4e-6, 1e-6),
        ("pictures", np.random.default_rng(0).random((16, 26, 26, 32)), 64, 2.4e-6, 1e-6),
    ],
    ids=["normal", "relu", "pictures"],
)
def test_rounding(name, x, filters, largest, rms):
    """Half of what the points 0, 1, -1, 2, -2 give (3.2e-6 to 6.2e-6 and 1.3e-6 to 1.8e-6), in all three passes."""
    C = x.shape[-1]
    w, gy = array(3, 3, C, filters) / np.sqrt(9 * C), array(*x.shape[:3], filters)
    x4, w4, g4 = (a.astype("f4") for a in (x, w, gy))
    x, w, gy = (a.astype("f8") for a in (x4, w4, g4))
    off(cpu.conv2d(x4, w4, SAME), cpu.conv2d(x, w, SAME), largest, rms)
    off(cpu.conv2d_grad_input(g4, w4, x.shape, SAME), cpu.conv2d_grad_input(gy, w, x.shape, SAME), largest, rms)
    got = cpu.conv2d_grad_kernel(x4, g4, w.shape, SAME)
    off(got, cpu.conv2d_grad_kernel(x, gy, w.shape, SAME), largest, rms)


class Counted:
    """A number that counts the instructions it takes."""

    def __init__(self, counts):
        self.counts = counts

    def _one(self, kind):
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return self

    def __add__(self, other):
        return self._one("add")

    __sub__ = __add__

    def __mul__(self, number):
        return self._one("multiply")


@pytest.mark.parametrize(
    "row, size, most", [("image", 6, 12), ("result", 6, 10), ("gradient", 4, 11), ("taps", 6, 9), ("filter", 3, 9)]
)
def test_the_points_cost_nothing(row, size, most, monkeypatch):
    """As many instructions as 0, 1, -1, 2, -2 take: 15, 10, 13, 9 and 11."""
    counts = {}
    monkeypatch.setattr(transform, "fused", lambda x, number, y: x._one("fused"))
    getattr(transform, f"{row}_row")(*(Counted(counts) for _ in range(size)))
    assert sum(counts.values()) <= most


@pytest.mark.parametrize("forward", [True, False], ids=["F(4, 3)", "F(3, 4)"])
def test_transforms_are_the_algorithm(forward):
    rows = (transform.filter_row, transform.result_row) if forward else (transform.gradient_row, transform.taps_row)
    d, g = array(6, 6), array(3, 3) if forward else array(4, 4)
    points = np.multiply(transform.both_ways(transform.image_row, d), transform.both_ways(rows[0], g))
    got, n = np.array(transform.both_ways(rows[1], points)), 7 - len(g)
    want = [[(d[i : i + len(g), j : j + len(g)] * g).sum() for j in range(n)] for i in range(n)]
    np.testing.assert_allclose(got, want, atol=1e-13)


def test_the_public_switch():
    version = settings.version()
    assert keras.config.is_winograd_enabled()
    keras.config.enable_winograd()
    assert settings.version() == version
    keras.config.disable_winograd()
    assert not keras.config.is_winograd_enabled() and settings.version() == version + 1


@pytest.mark.parametrize("word, want", [("0", False), ("off", False), ("1", True), ("", True), ("maybe", None)])
def test_the_environment(word, want, monkeypatch):
    monkeypatch.setitem(settings._state, "winograd", None)
    monkeypatch.setenv("KERASISH_WINOGRAD", word)
    if want is None:
        with pytest.raises(ValueError, match="KERASISH_WINOGRAD='maybe' in the environment: expected 0"):
            keras.config.is_winograd_enabled()
    else:
        assert keras.config.is_winograd_enabled() is want
