"""Reductions: twins, accuracy, bits."""

import numpy as np
import pytest

from kerasish.kernels import find, twin_of

from . import thin
from .harness import array
from .thin import same_bits

cpu = twin_of(np.zeros(1))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["sum", "mean"])
@pytest.mark.parametrize("shape, axis", thin.REDUCTIONS)
def test_sums(name, shape, axis, dtype, keepdims):
    x = (array(*shape) + 1).astype(dtype)
    got, want = (
        getattr(cpu, name)(x, axis, keepdims),
        getattr(np, name)(x.astype("float64"), axis, keepdims=keepdims)
        if x.size or name == "sum"
        else find("reference", name)(x, axis, keepdims),
    )
    assert got.dtype == dtype and np.shape(got) == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-5)


@pytest.mark.parametrize("shape, axis", thin.REDUCTIONS)
def test_largest(shape, axis):
    x = array(*shape).astype("float32")
    x.flat[7::50], x.flat[8::70] = np.nan, np.inf
    if x.size:
        np.testing.assert_array_equal(cpu.max(x, axis), x.max(axis))


@pytest.mark.parametrize("name", ["prod", "max", "min", "any", "all", "argmax", "argmin"])
def test_the_others_are_numpys(name):
    x = array(4, 5, 6)
    axis = 1 if name.startswith("arg") else (0, 2)
    want = getattr(np, name)(x, axis)
    np.testing.assert_array_equal(getattr(cpu, name)(x, axis), want)


def test_a_float32_sum_of_millions_is_accurate():
    x = np.full(3_000_000, 0.1, "float32")
    np.testing.assert_allclose(cpu.sum(x), x.sum(dtype="float64"), rtol=1e-6)


def test_views_and_nan():
    x = array(200, 300).astype("float32")[:, ::2].T
    np.testing.assert_allclose(cpu.sum(x, 0), x.sum(0, dtype="float64"), rtol=1e-5, atol=1e-4)
    y = array(300, 100).astype("float32")
    y[7, 5] = np.nan
    assert np.isnan(cpu.sum(y, 0)).nonzero()[0].tolist() == [5]


def test_bits_do_not_depend_on_threads():
    x = array(16, 50, 50, 48).astype("float32")
    for axis in (None, (0, 1, 2), (1, 2)):
        same_bits(lambda: cpu.sum(x, axis))


@pytest.mark.parametrize("dtype", ["int32", "float16"])
def test_other_dtypes(dtype):
    x = np.ones((300, 100), dtype)
    assert cpu.sum(x, 0).dtype == dtype and cpu.sum(x, 0)[0] == 300
