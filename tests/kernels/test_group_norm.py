"""Group normalization: twins, gradients, bits."""

import numpy as np
import pytest

from kerasish.kernels import find, twin_of

from .harness import array
from .thin import check_results, check_slope, same_bits

cpu = twin_of(np.zeros(1))
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
EPSILON = 1e-3
ROWS = [
    ((2, 3, 4, 6), 2),
    ((3, 6), 1),
    ((3, 8), 8),  # a group of one element: its variance is 0
    ((2, 9, 9, 33), 11),
    ((2, 40, 40, 64), 32),
    ((3, 50, 700), 7),
    ((1, 30, 31, 24), 24),
    ((2, 5, 4, 3, 10), 5),
    ((300, 5, 4), 2),
    ((2, 1000, 1), 1),
    ((0, 3, 4), 2),
]


@pytest.mark.parametrize(("shape", "groups"), ROWS)
@pytest.mark.parametrize("affine", ["both", "gamma", "beta", None])
def test_group_norm(shape, groups, affine):
    x, gy = array(*shape) * 3 + 1, array(*shape, seed=1)
    gamma = array(shape[-1], seed=2) if affine in ("both", "gamma") else None
    beta = array(shape[-1], seed=3) if affine in ("both", "beta") else None
    _, mean, inverse_std = check_results("group_norm", x, gamma, beta, groups, EPSILON, tolerance=TOLERANCE)
    if np.prod(shape) > groups * len(x):  # else gx is 0 but for rounding
        gx, ggamma, gbeta = check_results("group_norm_grad", gy, x, gamma, mean, inverse_std, tolerance=TOLERANCE)
        forward = find("reference", "group_norm")
        check_slope(lambda v: forward(v, gamma, beta, groups, EPSILON)[0], x, gy, gx, step=1e-5)
        if affine == "both":
            check_slope(lambda v: forward(x, v, beta, groups, EPSILON)[0], gamma, gy, ggamma)
            check_slope(lambda v: forward(x, gamma, v, groups, EPSILON)[0], beta, gy, gbeta)


def test_one_group_of_a_row_is_layer_normalization():
    x, gamma, beta = array(5, 12), array(12, seed=1), array(12, seed=2)
    for place in ("reference", "cpu"):
        rows = find(place, "layer_norm")(x, gamma, beta, EPSILON)[0]
        np.testing.assert_allclose(find(place, "group_norm")(x, gamma, beta, 1, EPSILON)[0], rows, atol=1e-12)


def test_statistics_far_from_zero():
    x = (array(2, 5000, 8) + 3000).astype("float32")
    _, mean, inverse_std = cpu.group_norm(x, None, None, 4, 0.0)
    parts = x.astype("float64").reshape(2, 5000, 4, 2)
    np.testing.assert_allclose(mean, parts.mean((1, 3)), rtol=1e-6)
    np.testing.assert_allclose(inverse_std, 1 / parts.std((1, 3)), rtol=1e-4)


def test_nan_stays_in_its_group():
    x = array(2, 200, 6).astype("float32")
    x[1, 7, 2] = np.nan
    y, mean, inverse_std = cpu.group_norm(x, None, None, 3, EPSILON)
    gx, _, _ = cpu.group_norm_grad(x, x, None, mean, inverse_std)
    for result in (y, gx):
        assert np.isnan(result[1, :, 2:4]).all() and np.isnan(result).sum() == 400


def test_halves_are_summed_in_float32():
    x = (array(2, 4000, 4) + 200).astype("float16")
    y, mean, _ = cpu.group_norm(x, None, None, 2, EPSILON)
    assert (y.dtype, mean.dtype) == ("float16", "float32") and np.isfinite(y).all()


def test_bits_do_not_depend_on_threads():
    x = array(16, 50, 50, 48).astype("float32")
    _, mean, inverse_std = cpu.group_norm(x, None, None, 8, EPSILON)
    same_bits(lambda: cpu.group_norm(x, None, None, 8, EPSILON))
    same_bits(lambda: cpu.group_norm_grad(x, x, None, mean, inverse_std))
