"""Windows of zeros give the bias alone in Winograd's convolution too, so a ReLU lets no gradient through there."""

import itertools

import numpy as np
import pytest

import kerasish as keras
from kerasish.core.shapes import Window
from kerasish.device import threads
from kerasish.kernels import find, settings, twin_of
from kerasish.kernels.cpu import empty, winograd
from kerasish.kernels.cpu.simd import VECTOR_BYTES

from . import cases
from .harness import array, check_close

cpu = twin_of(np.zeros(1))
V = VECTOR_BYTES // 4
FEW = max(V, winograd.FEW_CHANNELS)
PLACES = list(itertools.product(range(4), range(4)))


@pytest.fixture(autouse=True)
def on():
    settings.set_winograd(True)
    yield
    settings.set_winograd(True)


def convolved(x, w, window, bias=None, activation=None):
    """y, which Winograd's algorithm has made."""
    y = cpu.conv2d(x, w, window, bias, activation)
    assert winograd.worthwhile(x.shape, w.shape, y.shape[1:3], window)
    return y


def windows(x, window):
    """Every window of an image: (N, OH, OW, C, 3, 3)."""
    padded = np.pad(x, ((0, 0), *window.pads, (0, 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))


def empties(x, window):
    """Where windows hold nothing but zeros: (N, OH, OW)."""
    return (windows(x, window) == 0).all((-1, -2, -3))


def patchy(N, H, W, C):
    """Pictures of patches of noise on zeros."""
    rng, x = np.random.default_rng(0), np.zeros((N, H, W, C), "f4")
    for n in range(N):
        for _ in range(4):
            i, j = rng.integers(-2, (H, W))
            height, width = rng.integers(1, 6, 2)
            patch = x[n, max(i, 0) : i + height, max(j, 0) : j + width]
            patch[...] = rng.standard_normal(patch.shape)
    return x


def check_empty(case):
    """What windows of zeros in patchy pictures give, and that all results are right."""
    x, w, bias = patchy(*case.x), array(*case.w) / np.sqrt(9 * case.x[-1]), array(case.w[-1]).astype("f4")
    w = w.astype("f4")
    where = empties(x, case.window)
    assert where.sum() > 50 and not where.all((1, 2)).any()
    for b, activation in ((None, None), (bias, None), (bias, "relu"), (bias * 9, "relu6")):
        y = convolved(x, w, case.window, b, activation)
        nothing = np.zeros(case.w[-1], "f4") if b is None else b
        if activation:
            nothing = np.clip(nothing, 0, 6 if activation == "relu6" else None)
        np.testing.assert_array_equal(y[where], np.broadcast_to(nothing, y[where].shape))
        want = find("reference", "conv2d")(x.astype("f8"), w.astype("f8"), case.window, b, activation)
        check_close(y, want, "float32", 4e-6, case.name)


@pytest.mark.parametrize("case", [c for c in cases.CONV2D if c.name.startswith("winograd")], ids=lambda c: c.name)
def test_patchy_pictures(case):
    check_empty(case)


@pytest.mark.parametrize("channels", [V, 3 * V])
def test_windows_of_a_tile(channels):
    """Each single one, some together, of both signs of zeros; where one number is another it is no such window."""
    rng = np.random.default_rng(0)
    for trial in range(200):
        x = rng.standard_normal((6, 6, channels)).astype("f4")
        for i, j in [PLACES[trial]] if trial < 16 else rng.integers(0, 4, (rng.integers(1, 9), 2)):
            x[i : i + 3, j : j + 3] *= 0
        if trial % 3 == 2:
            x[tuple(rng.integers(0, 6, 2))][-1] = 5
        want = sum(1 << (6 * i + j) for i, j in PLACES if not x[i : i + 3, j : j + 3].any())
        assert empty.empty_windows(x, x.strides[0] // 4, x.strides[1] // 4, channels) == want


@pytest.mark.parametrize("channels", [FEW, 3 * FEW])
def test_each_single_window(channels):
    """One an image; where one of its numbers is another, the result is that number's."""
    x, w = array(16, 6, 6, channels).astype("f4"), array(3, 3, channels, FEW).astype("f4")
    for n, (i, j) in enumerate(PLACES):
        x[n, i : i + 3, j : j + 3] *= 0
    y = convolved(x, w, Window())
    for n, (i, j) in enumerate(PLACES):
        assert not y[n, i, j].any(), (i, j)
    for down, across in itertools.product(range(3), range(3)):
        near = x.copy()
        for n, (i, j) in enumerate(PLACES):
            near[n, i + down, j + across, -1] = 5
        want = find("reference", "conv2d")(near.astype("f8"), w.astype("f8"), Window())
        check_close(convolved(near, w, Window()), want, "float32", 4e-6, "no empty windows")


def test_the_same_bits_on_any_threads_and_in_any_batch():
    x, w = patchy(6, 24, 20, FEW), array(3, 3, FEW, 2 * FEW).astype("f4")
    whole = convolved(x, w, Window(pads=cases.SAME3))
    for images in (1, 2, 3):
        np.testing.assert_array_equal(convolved(x[:images], w, Window(pads=cases.SAME3)), whole[:images])
    threads.set_num_threads(1)
    try:
        np.testing.assert_array_equal(convolved(x, w, Window(pads=cases.SAME3)), whole)
    finally:
        threads.set_num_threads(threads.available())


def test_a_filter_that_is_no_number():
    """Its results are none either, also where there is nothing but zeros."""
    x, w = patchy(2, 24, 24, FEW), array(3, 3, FEW, FEW).astype("f4")
    w[1, 1, 2, 3] = np.nan
    for activation in (None, "relu"):
        y = convolved(x, w, Window(), activation=activation)
        assert np.isnan(y[..., 3]).all() and np.isfinite(np.delete(y, 3, -1)).all()


def test_a_pixel_that_is_no_number():
    x, w = patchy(2, 24, 24, FEW), array(3, 3, FEW, FEW).astype("f4")
    x[0, 4:8, 4:8] = x[1, 5, 5, 1] = np.nan
    y, has = convolved(x, w, Window()), np.isnan(windows(x, Window())).any((-1, -2, -3))
    assert has.any() and np.isnan(y[has]).all()


def test_a_model_gets_the_gradients_of_direct_sums():
    """A step on pictures with nothing in places: biases start at 0, so a ReLU's input is exactly 0 there."""
    L, found = keras.layers, []
    x, y = patchy(8, 20, 20, FEW), np.arange(8) % 3
    for winograd_on in (True, False):
        settings.set_winograd(winograd_on)
        keras.utils.set_random_seed(0)
        layers = [L.Conv2D(FEW, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(3)]
        model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.train_on_batch(x, y)
        found.append(model.get_weights())
    for fast, direct in zip(*found):
        np.testing.assert_allclose(fast, direct, rtol=1e-5, atol=1e-6)
