"""Convolution, depthwise convolution and matmul: every twin against the reference, the reference against loops."""

import functools
import itertools

import numpy as np
import pytest

from kerasish.core.shapes import Window
from kerasish.device import memory
from kerasish.kernels import find, settings, twin_of
from kerasish.kernels.cpu import arrays

from . import cases
from .harness import TOLERANCE, array, check_adjoint, check_close, check_twins, read_only, strided

cpu = twin_of(np.zeros(1))
named = lambda rows: pytest.mark.parametrize("case", rows, ids=[row.name for row in rows])


def check_convolution(family, case, features):
    """The forward pass with its epilogue and both gradients, on every twin."""
    if case.name.startswith("winograd"):
        check = functools.partial(check_twins, tolerance={**TOLERANCE, "float32": 4e-6})
    else:
        check = check_twins
    x, w, bias = array(*case.x), array(*case.w), array(features)
    y = check(family, x, w, case.window)
    check(family, x, w, case.window, bias=bias, activation="relu")
    check(family, x, w * (9 / np.abs(y).max(initial=1)), case.window, bias=bias, activation="relu6")
    gy = array(*y.shape)
    gx = check(f"{family}_grad_input", gy, w, x.shape, case.window)
    gw = check(f"{family}_grad_kernel", x, gy, w.shape, case.window)
    forward = find("reference", family)
    check_adjoint(lambda v: forward(v, w, case.window), x, gy, gx)
    check_adjoint(lambda v: forward(x, v, case.window), w, gy, gw)


@named(cases.CONV2D)
def test_conv2d(case):
    check_convolution("conv2d", case, case.w[-1])


@named(cases.DEPTHWISE)
def test_depthwise_conv2d(case):
    check_convolution("depthwise_conv2d", case, case.w[-1] * case.w[-2])


@pytest.mark.parametrize("shape", [(4, 7, 6, 3), (5, 3, 96), (33, 200), (7, 1), (0, 5)])
@pytest.mark.parametrize("activation", [None, "relu", "relu6"])
def test_scale_shift(shape, activation):
    scale, shift = array(2, shape[-1])
    check_twins("scale_shift", array(*shape) * 5, scale, shift, activation)


@named(cases.CONV1D)
def test_conv1d(case):
    check_convolution("conv1d", case, case.w[-1])


@named(cases.CONV3D)
def test_conv3d(case):
    check_convolution("conv3d", case, case.w[-1])


@named(cases.MATMUL)
@pytest.mark.parametrize("transpose_a, transpose_b", list(itertools.product((False, True), repeat=2)))
def test_matmul(case, transpose_a, transpose_b):
    M, K, N = case.sizes
    a = array(*case.batch_a, *((K, M) if transpose_a else (M, K)))
    b = array(*case.batch_b, *((N, K) if transpose_b else (K, N)))
    check_twins("matmul", a, b, transpose_a, transpose_b)
    check_twins("matmul", a, b, transpose_a, transpose_b, bias=array(N), activation="relu")
    check_twins("matmul", a, b / max(1, K) ** 0.5 * 4, transpose_a, transpose_b, bias=array(N), activation="relu6")


def test_reference_is_the_definition():
    x, w = array(2, 6, 7, 4), array(3, 2, 2, 6)
    window = Window((2, 1), ((1, 0), (0, 2)), (1, 2), 2)
    padded = np.pad(x, ((0, 0), (1, 0), (0, 2), (0, 0)))
    want = np.zeros((2, 3, 7, 6))
    for n, oh, ow, f, kh, kw, c in np.ndindex(2, 3, 7, 6, 3, 2, 2):
        want[n, oh, ow, f] += padded[n, 2 * oh + kh, ow + 2 * kw, f // 3 * 2 + c] * w[kh, kw, c, f]
    np.testing.assert_allclose(find("reference", "conv2d")(x, w, window), want, atol=1e-12)


def test_reference_depthwise_is_the_definition():
    x, w = array(2, 6, 5, 3), array(2, 3, 3, 2)
    want = np.zeros((2, 5, 3, 6))
    for n, oh, ow, c, m, kh, kw in np.ndindex(2, 5, 3, 3, 2, 2, 3):
        want[n, oh, ow, 2 * c + m] += x[n, oh + kh, ow + kw, c] * w[kh, kw, c, m]
    np.testing.assert_allclose(find("reference", "depthwise_conv2d")(x, w, Window()), want, atol=1e-12)


@pytest.mark.parametrize("made", [strided, read_only])
def test_any_layout_of_inputs(made):
    x, w, window = made(2, 6, 7, 20), made(3, 3, 20, 18), Window()
    y = check_twins("conv2d", x, w, window)
    gy = made(*y.shape)
    check_twins("conv2d_grad_input", gy, w, x.shape, window)
    check_twins("conv2d_grad_kernel", x, gy, w.shape, window)
    check_twins("matmul", made(9, 20), made(20, 18))


def test_other_dtypes_fall_back_to_the_reference():
    y = cpu.matmul(array(3, 4).astype("float16"), array(4, 5).astype("float16"))
    check_close(y.astype("f4"), array(3, 4) @ array(4, 5), "float32", 1e-2, "float16")
    np.testing.assert_array_equal(cpu.matmul(np.arange(6).reshape(2, 3), np.arange(3).reshape(3, 1)), [[5], [14]])


@named([case for case in cases.CONV2D + cases.DEPTHWISE if case.name in ("whole vectors", "stride 2", "groups")])
def test_results_past_the_caches(case, monkeypatch):
    monkeypatch.setattr(arrays, "STREAM", 0)
    monkeypatch.setattr(memory, "SMALL", 0)  # everything is aligned, as large results are
    family = "depthwise_conv2d" if case in cases.DEPTHWISE else "conv2d"
    check_convolution(family, case, case.w[-1] * (case.w[-2] if case in cases.DEPTHWISE else 1))


@pytest.mark.parametrize("activation", ["relu", "relu6"])
def test_nan_stays_nan_through_activations(activation):
    x = np.full((1, 3, 3, 2), np.nan, "float32")
    assert np.isnan(cpu.conv2d(x, np.ones((1, 1, 2, 5), "float32"), Window(), activation=activation)).all()


def test_infinity_reaches_only_its_windows():
    x = np.zeros((1, 9, 9, 32), "float32")
    x[0, 0, 0] = np.inf
    y = cpu.conv2d(x, np.ones((3, 3, 32, 32), "float32"), Window(pads=cases.SAME3))
    assert np.isfinite(y[0, 6:, 6:]).all() and not np.isfinite(y[0, :2, :2]).any()


def test_winograd_can_be_switched_off():
    x, w, window = array(4, 16, 16, 32).astype("f4"), array(3, 3, 32, 32).astype("f4"), Window(pads=cases.SAME3)
    fast = cpu.conv2d(x, w, window)
    settings.set_winograd(False)
    try:
        exact = cpu.conv2d(x, w, window)
    finally:
        settings.set_winograd(True)
    assert (fast != exact).any()
    check_close(fast, exact.astype("f8"), "float32", 3e-6, "winograd")
    np.testing.assert_array_equal(fast, cpu.conv2d(x, w, window))
