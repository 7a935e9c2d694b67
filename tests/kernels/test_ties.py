"""Equal windows give equal results in Winograd's convolution too: in a tile, flat ones everywhere, zeros the bias."""

import itertools

import numpy as np
import pytest

import kerasish as keras
from kerasish.core.shapes import Window
from kerasish.device import threads
from kerasish.kernels import find, settings, twin_of
from kerasish.kernels.cpu import ties, winograd
from kerasish.kernels.cpu.raw import address
from kerasish.kernels.cpu.simd import VECTOR_BYTES

from . import cases
from .harness import array, check_close

cpu = twin_of(np.zeros(1))
V = VECTOR_BYTES // 4
FEW = max(V, winograd.FEW_CHANNELS)
PLACES = list(itertools.product(range(4), range(4)))
PATTERNS = [
    *(("flat", i, j) for i, j in PLACES),
    *(("left", i, j) for i, j in PLACES if j),
    *(("above", i, j) for i, j in PLACES if i),
]


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
    """Every window of an image: (N, OH, OW, 9 C)."""
    padded = np.pad(x, ((0, 0), *window.pads, (0, 0)))
    found = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    return found.transpose(0, 1, 2, 4, 5, 3).reshape(*found.shape[:3], -1)


def patterned(kind, i, j, channels):
    """A tile of which just one window is flat, or equals its neighbour."""
    x = array(6, 6, channels, seed=1).astype("f4")
    rows, columns = slice(i, i + 3), slice(j, j + 3)
    if kind == "flat":
        x[rows, columns] = x[i, j]
    elif kind == "left":
        x[rows, j - 1 : j + 3] = x[rows, j - 1 : j]
    else:
        x[i - 1 : i + 3, columns] = x[i - 1 : i, columns]
    return x


@pytest.mark.parametrize("channels", [V, 3 * V])
def test_each_single_tie_is_found(channels):
    for kind, i, j in PATTERNS:
        x = patterned(kind, i, j, channels)
        found = ties.ties_of(address(x), x.strides[0], x.strides[1], channels * 4)
        assert found == 1 << (getattr(ties, kind.upper()) + 4 * i + j), (kind, i, j)


@pytest.mark.parametrize("channels", [FEW, 3 * FEW])
def test_each_single_tie_is_kept(channels):
    """One tile an image; and where a window's last number differs it is no tie: the result is another."""
    x = np.stack([patterned(*pattern, channels) for pattern in PATTERNS])
    colours = [np.broadcast_to(x[n, i, j], (6, 6, channels)) for n, (_, i, j) in enumerate(PATTERNS[:16])]
    w, n = array(3, 3, channels, FEW).astype("f4"), len(PATTERNS)
    y = convolved(np.concatenate([x, colours]), w, Window())
    for k, (kind, i, j) in enumerate(PATTERNS):
        other = {"flat": y[n + k, 0, 0] if kind == "flat" else None, "left": y[k, i, j - 1], "above": y[k, i - 1, j]}
        np.testing.assert_array_equal(y[k, i, j], other[kind], err_msg=f"{kind} {i, j}")
    for down, across in itertools.product(range(3), range(3)):
        near = x.copy()
        for k, (_, i, j) in enumerate(PATTERNS):
            near[k, i + down, j + across, -1] += 5
        want = find("reference", "conv2d")(near.astype("f8"), w.astype("f8"), Window())
        check_close(convolved(near, w, Window()), want, "float32", 4e-6, "no ties")


def test_ties_of_any_tiles():
    """Tiles of few colours, against the definition."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        colours = array(2, V, seed=2).astype("f4")
        x = colours[(rng.random((6, 6)) < rng.choice([0.04, 0.1])).astype(int)]
        seen, want = windows(x[None], Window())[0], 0
        for i, j in PLACES:
            flat = (seen[i, j].reshape(9, V) == seen[i, j, :V]).all()
            want |= int(flat) << (ties.FLAT + 4 * i + j)
            want |= int(j > 0 and (seen[i, j] == seen[i, j - 1]).all()) << (ties.LEFT + 4 * i + j)
            want |= int(i > 0 and (seen[i, j] == seen[i - 1, j]).all()) << (ties.ABOVE + 4 * i + j)
        assert ties.ties_of(address(x), x.strides[0], x.strides[1], V * 4) == want


def blocky(N, H, W, C):
    """Pictures of patches of one colour, some of zeros; with columns or rows that are all the same in parts."""
    rng, x = np.random.default_rng(0), np.zeros((N, H, W, C), "f4")
    for n in range(N):
        for _ in range(12):
            i, j = rng.integers(-2, (H, W))
            height, width = rng.integers(1, 9, 2)
            x[n, max(i, 0) : i + height, max(j, 0) : j + width] = rng.standard_normal(C) * (rng.random() < 0.7)
        if n % 2:
            x[n, :, W // 2 :] = rng.standard_normal((H, 1, C))
        if n % 3 == 0:
            x[n, H // 2 :] = rng.standard_normal((W, C))
    return x


def check_ties(case):
    """All that is promised of the results of blocky pictures, and that they are right."""
    x, w, bias = blocky(*case.x), array(*case.w).astype("f4"), array(case.w[-1]).astype("f4")
    for b, activation in ((None, None), (bias, "relu")):
        y, seen = convolved(x, w, case.window, b, activation), windows(x, case.window)
        colour, flat = {}, 0
        for n, i, j in np.ndindex(*y.shape[:3]):
            first = seen[n, i, j, : x.shape[-1]]
            if (seen[n, i, j].reshape(9, -1) == first).all():
                np.testing.assert_array_equal(y[n, i, j], colour.setdefault(first.tobytes(), y[n, i, j]))
                flat += 1
            if j % 4 and (seen[n, i, j] == seen[n, i, j - 1]).all():
                np.testing.assert_array_equal(y[n, i, j], y[n, i, j - 1])
            if i % 4 and (seen[n, i, j] == seen[n, i - 1, j]).all():
                np.testing.assert_array_equal(y[n, i, j], y[n, i - 1, j])
        nothing = np.zeros(case.w[-1], "f4") if b is None else np.maximum(b, 0)
        np.testing.assert_array_equal(colour[np.zeros(x.shape[-1], "f4").tobytes()], nothing)
        assert flat > 100 and len(colour) > 3
        want = find("reference", "conv2d")(x.astype("f8"), w.astype("f8"), case.window, b, activation)
        check_close(y, want, "float32", 4e-6, case.name)


@pytest.mark.parametrize("case", [c for c in cases.CONV2D if c.name.startswith("winograd")], ids=lambda c: c.name)
def test_blocky_pictures(case):
    check_ties(case)


def test_the_same_bits_on_any_threads_and_in_any_batch():
    x, w = blocky(6, 24, 20, FEW), array(3, 3, FEW, 2 * FEW).astype("f4")
    whole = convolved(x, w, Window(pads=cases.SAME3))
    for images in (1, 2, 3):
        np.testing.assert_array_equal(convolved(x[:images], w, Window(pads=cases.SAME3)), whole[:images])
    threads.set_num_threads(1)
    try:
        np.testing.assert_array_equal(convolved(x, w, Window(pads=cases.SAME3)), whole)
    finally:
        threads.set_num_threads(threads.available())


def test_minus_zero_is_zero():
    """As masks make it of negative numbers: pictures that differ in signs of zeros have the same results."""
    x, w = blocky(2, 24, 24, FEW), array(3, 3, FEW, FEW).astype("f4")
    signs = np.where((x == 0) & (np.random.default_rng(0).random(x.shape) < 0.5), np.float32(-1), 1)
    got, want = convolved(x * signs, w, Window()), convolved(x, w, Window())
    flat = (windows(x, Window()) == 0).all(-1)
    assert flat.any() and (got[flat] == 0).all() and (want[flat] == 0).all()
    np.testing.assert_allclose(got, want, atol=1e-4)


def test_what_is_no_number():
    """A NaN reaches every window that has it, flat or not, and no flat one without it."""
    x, w = blocky(2, 24, 24, FEW), array(3, 3, FEW, FEW).astype("f4")
    x[:, :, :12] = x[0, 0, 0]
    x[0, 4:8, 4:8] = x[1, 5, 5] = np.nan
    y, seen = convolved(x, w, Window()), windows(x, Window())
    has = np.isnan(seen).any(-1)
    flat = (seen.reshape(*seen.shape[:3], 9, -1) == seen[..., None, :FEW]).all((-1, -2))
    assert has.any() and np.isnan(y[has]).all()
    assert flat.any() and np.isfinite(y[flat]).all()


@pytest.mark.parametrize("size, strides", [(2, 2), (3, 2)])
def test_pooling_takes_the_first_of_equals(size, strides):
    """Where the maximum lies is what direct sums say: of flat windows, and of all that a tile holds together."""
    x, w = np.zeros((8, 24, 24, FEW), "f4"), array(3, 3, FEW, FEW).astype("f4")
    for n in range(8):
        x[n, 5 + n : 14, 3 : 20 - n] = array(FEW, seed=n) if size == 2 else array(9 - n, 17 - n, FEW)
    found = []
    for winograd_on in (True, False):
        settings.set_winograd(winograd_on)
        y = cpu.conv2d(x, w, Window(pads=cases.SAME3), activation="relu")
        window = Window((strides, strides), ((0, size - 2), (0, size - 2)))
        found.append((y > 0, cpu.max_pool2d(y, (size, size), window)[1]))
    for fast, direct in zip(*found):
        np.testing.assert_array_equal(fast, direct)


def test_a_model_gets_the_gradients_of_direct_sums():
    """A step on pictures with flat parts: biases start at 0, so a ReLU's input is exactly 0 where there is nothing."""
    L, found = keras.layers, []
    x, y = blocky(8, 20, 20, FEW), np.arange(8) % 3
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
