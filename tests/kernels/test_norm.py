"""Batch and layer normalization: twins, gradients, Keras."""

import numpy as np
import pytest

from kerasish.kernels import find, twin_of

from . import thin
from .harness import array
from .thin import check_results, check_slope, same_bits

cpu = twin_of(np.zeros(1))
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
EPSILON = 1e-3


@pytest.mark.parametrize("shape", thin.CHANNELS_LAST)
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm(shape, affine):
    x, gy = array(*shape) * 3 + 5, array(*shape, seed=1)
    gamma, beta = (array(shape[-1], seed=s) for s in (2, 3)) if affine else (None, None)
    _, mean, variance, inverse_std = check_results("batch_norm_train", x, gamma, beta, EPSILON, tolerance=TOLERANCE)
    gx, *_ = check_results("batch_norm_grad", gy, x, gamma, beta, mean, inverse_std, tolerance=TOLERANCE)
    for activation in (None, "relu", "relu6", "tanh"):
        given = (x, mean, variance, gamma, beta, EPSILON, activation)
        check_results("batch_norm_infer", *given, tolerance=TOLERANCE)
    forward = find("reference", "batch_norm_train")
    check_slope(lambda v: forward(v, gamma, beta, EPSILON)[0], x, gy, gx, step=1e-5)


@pytest.mark.parametrize("shape", thin.CHANNELS_LAST)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_batch_norm_with_activation(shape, activation):
    x, gamma, beta = array(*shape) * 3 + 5, array(shape[-1], seed=2), array(shape[-1], seed=3)
    check_results("batch_norm_train", x, gamma, beta, EPSILON, activation, tolerance=TOLERANCE)


@pytest.mark.parametrize("shape", thin.CHANNELS_LAST)
@pytest.mark.parametrize("activation", ["relu", "relu6", "tanh"])
def test_batch_norm_gradient_through_an_activation(shape, activation):
    x, gy, gamma, beta = array(*shape), array(*shape, seed=1), 3 * array(shape[-1], seed=2), array(shape[-1], seed=3)
    forward = find("reference", "batch_norm_train")
    _, mean, _, inverse_std = forward(x, gamma, beta, EPSILON)
    given = (gy, x, gamma, beta, mean, inverse_std, activation)
    gx, *_ = check_results("batch_norm_grad", *given, tolerance=TOLERANCE)
    check_slope(lambda v: forward(v, gamma, beta, EPSILON, activation)[0], x, gy, gx, step=1e-7)


def test_batch_norm_parameters_gradients():
    x, gy, gamma, beta = array(30, 7), array(30, 7, seed=1), array(7, seed=2), array(7, seed=3)
    forward = find("reference", "batch_norm_train")
    _, mean, _, inverse_std = forward(x, gamma, beta, EPSILON)
    _, ggamma, gbeta = find("reference", "batch_norm_grad")(gy, x, gamma, beta, mean, inverse_std)
    check_slope(lambda v: forward(x, v, beta, EPSILON)[0], gamma, gy, ggamma)
    check_slope(lambda v: forward(x, gamma, v, EPSILON)[0], beta, gy, gbeta)


def test_statistics_far_from_zero():
    x = (array(5000, 8) + 3000).astype("float32")
    _, mean, variance, _ = cpu.batch_norm_train(x, None, None, EPSILON)
    np.testing.assert_allclose(mean, x.mean(0, dtype="float64"), rtol=1e-6)
    np.testing.assert_allclose(variance, x.var(0, dtype="float64"), rtol=1e-4)


def test_nan_stays_in_its_channel():
    x = array(200, 5).astype("float32")
    x[7, 2] = np.nan
    y, mean, _, _ = cpu.batch_norm_train(x, None, None, EPSILON)
    assert np.isnan(y[:, 2]).all() and np.isnan(mean).sum() == 1 and np.isfinite(y[:, [0, 1, 3, 4]]).all()


def test_infinity_is_no_warning():
    x = array(2000, 5).astype("float32")
    x[7, 2], x[900, 2] = np.inf, -np.inf
    _, mean, _, inverse_std = cpu.batch_norm_train(x, None, None, EPSILON)
    gx, _, _ = cpu.batch_norm_grad(x, x, None, None, mean, inverse_std)
    assert np.isnan(gx[:, 2]).all() and np.isfinite(gx[:, 1]).all() and np.isnan(cpu.sum(x, 0)[2])


@pytest.mark.parametrize("shape", thin.CHANNELS_LAST)
@pytest.mark.parametrize("affine", [True, False])
def test_layer_norm(shape, affine):
    x, gy = array(*shape) * 3 + 1, array(*shape, seed=1)
    gamma, beta = (array(shape[-1], seed=s) for s in (2, 3)) if affine else (None, None)
    loose = {"float32": 5e-4, "float64": 1e-10}
    _, mean, inverse_std = check_results("layer_norm", x, gamma, beta, EPSILON, tolerance=loose)
    gx, *_ = check_results("layer_norm_grad", gy, x, gamma, mean, inverse_std, tolerance=loose)
    forward = find("reference", "layer_norm")
    check_slope(lambda v: forward(v, gamma, beta, EPSILON)[0], x, gy, gx, step=1e-5)


def test_bits_do_not_depend_on_threads():
    x = array(16, 50, 50, 48).astype("float32")
    _, mean, _, inverse_std = cpu.batch_norm_train(x, None, None, EPSILON)
    same_bits(lambda: cpu.batch_norm_train(x, None, None, EPSILON))
    same_bits(lambda: cpu.batch_norm_grad(x, x, None, None, mean, inverse_std))
    same_bits(lambda: cpu.layer_norm_grad(x, x, None, *cpu.layer_norm(x, None, None, EPSILON)[1:]))


def test_keras():
    from keras import ops

    x = (array(4, 5, 6, 7) * 3 + 5).astype("float32")
    gamma, beta = (array(7, seed=s).astype("float32") for s in (1, 2))
    want_mean, want_variance = ops.moments(x, (0, 1, 2))
    want = ops.batch_normalization(x, want_mean, want_variance, -1, beta, gamma, EPSILON)
    y, mean, variance, _ = cpu.batch_norm_train(x, gamma, beta, EPSILON)
    np.testing.assert_allclose(y, want.numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(mean, want_mean.numpy(), rtol=1e-6)
    np.testing.assert_allclose(variance, want_variance.numpy(), rtol=1e-5)
    want = ops.layer_normalization(x, gamma, beta, epsilon=EPSILON)
    np.testing.assert_allclose(cpu.layer_norm(x, gamma, beta, EPSILON)[0], want.numpy(), rtol=1e-5, atol=1e-5)
