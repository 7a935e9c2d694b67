"""Pooling: twins, gradients, Keras."""

import numpy as np
import pytest

from kerasish.core.shapes import Window, window_pads
from kerasish.kernels import find, twin_of

from . import thin
from .harness import array, check_adjoint, strided
from .thin import check_results, check_slope, named, same_bits

cpu = twin_of(np.zeros(1))
POOL2 = Window((2, 2))


@named(thin.POOLS)
def test_max(case):
    x = array(*case.x)
    y, where = check_results("max_pool2d", x, case.size, case.window)
    np.testing.assert_array_equal(cpu.max_pool2d(x, case.size, case.window, need_where=False)[0], y)
    gy = array(*y.shape, seed=1)
    gx = check_results("max_pool2d_grad", gy, where, x.shape, case.size, case.window)
    forward = find("reference", "max_pool2d")
    check_slope(lambda v: forward(v, case.size, case.window)[0], x, gy, gx)


@named(thin.POOLS)
def test_max_of_relu(case):
    """Values and gradients are those of the pooled relu."""
    x = array(*case.x) - 0.7
    y, where = check_results("max_pool2d", x, case.size, case.window, activation="relu")
    want, at = find("reference", "max_pool2d")(np.maximum(x, 0), case.size, case.window)
    np.testing.assert_array_equal(y, want)
    gy = array(*y.shape, seed=1)
    gx = check_results("max_pool2d_grad", gy, where, x.shape, case.size, case.window)
    np.testing.assert_allclose(
        gx, find("reference", "max_pool2d_grad")(gy, at, x.shape, case.size, case.window) * (x > 0), atol=1e-12
    )


@named(thin.POOLS)
def test_average(case):
    x = array(*case.x)
    y = check_results("average_pool2d", x, case.size, case.window)
    gy = array(*y.shape, seed=1)
    gx = check_results("average_pool2d_grad", gy, x.shape, case.size, case.window)
    check_adjoint(lambda v: find("reference", "average_pool2d")(v, case.size, case.window), x, gy, gx)


@named(thin.POOLS3D)
@pytest.mark.parametrize("activation", [None, "relu"])
def test_max_in_space(case, activation):
    x = np.round(array(*case.x), 1) - (0.5 if activation else 0)  # ties: the first maximum wins
    y, where = check_results("max_pool3d", x, case.size, case.window, activation=activation)
    np.testing.assert_array_equal(cpu.max_pool3d(x, case.size, case.window, False, activation)[0], y)
    gy = array(*y.shape, seed=1)
    check_results("max_pool3d_grad", gy, where, x.shape, case.size, case.window)


@named(thin.POOLS3D)
def test_average_in_space(case):
    x = array(*case.x)
    y = check_results("average_pool3d", x, case.size, case.window)
    gy = array(*y.shape, seed=1)
    gx = check_results("average_pool3d_grad", gy, x.shape, case.size, case.window)
    check_adjoint(lambda v: find("reference", "average_pool3d")(v, case.size, case.window), x, gy, gx)


def test_bits_in_space_do_not_depend_on_threads():
    x, window = array(3, 8, 40, 40, 24).astype("float32"), Window((2, 2, 2), ((0, 1),) * 3, (1, 1, 1))
    y, where = cpu.max_pool3d(x, (3, 3, 3), window)
    same_bits(lambda: cpu.max_pool3d(x, (3, 3, 3), window))
    same_bits(lambda: cpu.max_pool3d_grad(y, where, x.shape, (3, 3, 3), window))


def test_a_nan_in_space_wins():
    x = array(2, 5, 6, 6, 3).astype("float32")
    x[0, 1, 2, 3, 1], x[0, 2, 2, 2, 1], x[1, 4, 5, 5, 0] = np.nan, np.nan, np.inf
    window = Window((1, 2, 2), ((1, 1), (0, 1), (0, 0)), (1, 1, 1))
    got, want = (find(place, "max_pool3d")(x, (3, 3, 2), window) for place in ("cpu", "reference"))
    np.testing.assert_array_equal(got[0], want[0])
    np.testing.assert_array_equal(got[1], want[1])


@pytest.mark.parametrize("size", [(2, 2), (3, 3)])
def test_nan_stays_and_the_first_of_equals_wins(size):
    x = np.round(strided(2, 9, 9, 20)).astype("float32")
    x[0, 2, 3, 4], x[1, 4:6, 4:6, 7], x[0, 8, 8, 1] = np.nan, np.nan, np.inf
    got, want = cpu.max_pool2d(x, size, POOL2), find("reference", "max_pool2d")(x, size, POOL2)
    np.testing.assert_array_equal(got[0], want[0])
    np.testing.assert_array_equal(got[1], want[1])
    assert np.isnan(got[0]).sum() >= 2


def test_reads_any_layout():
    x = array(2, 9, 5, 8).transpose(0, 2, 1, 3).astype("float32")
    a = cpu.max_pool2d(x, (2, 2), POOL2)
    b = cpu.max_pool2d(np.ascontiguousarray(x), (2, 2), POOL2)
    np.testing.assert_array_equal(a[0], b[0])
    np.testing.assert_array_equal(a[1], b[1])


def test_other_dtypes():
    x = (array(2, 6, 6, 3) * 10).astype("int32")
    y, _ = cpu.max_pool2d(x, (2, 2), POOL2)
    assert y.dtype == "int32" and y[0, 0, 0, 0] == x[0, :2, :2, 0].max()
    half = cpu.average_pool2d(array(2, 6, 6, 3).astype("float16"), (3, 3), Window((3, 3)))
    assert half.dtype == "float16"


def test_bits_do_not_depend_on_threads():
    x = array(8, 40, 40, 64).astype("float32")
    y, where = cpu.max_pool2d(x, (3, 3), POOL2)
    same_bits(lambda: cpu.max_pool2d(x, (3, 3), POOL2))
    same_bits(lambda: cpu.max_pool2d_grad(y, where, x.shape, (3, 3), POOL2))
    same_bits(lambda: cpu.average_pool2d_grad(y, x.shape, (3, 3), POOL2))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["max", "average"])
def test_keras(kind, padding):
    import tensorflow as tf
    from keras import ops

    x, size, strides = array(2, 7, 8, 3).astype("float32"), (3, 2), (2, 2)
    window = Window(strides, tuple(window_pads(n, k, s, padding) for n, k, s in zip((7, 8), size, strides)))
    with tf.GradientTape() as tape:
        v = tf.constant(x)
        tape.watch(v)
        want = getattr(ops, f"{kind}_pool")(v, size, strides, padding)
    gy = array(*want.shape).astype("float32")
    y, *where = thin.as_tuple(getattr(cpu, f"{kind}_pool2d")(x, size, window))
    gx = getattr(cpu, f"{kind}_pool2d_grad")(gy, *where, x.shape, size, window)
    np.testing.assert_allclose(y, want.numpy(), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(gx, tape.gradient(want, v, gy).numpy(), rtol=1e-6, atol=1e-6)
