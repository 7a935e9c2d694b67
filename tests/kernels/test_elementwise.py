"""Elementwise functions: twins at special values and in every pairing of shapes, gradients, Keras."""

import numpy as np
import pytest

from kerasish.kernels import find, twin_of

from . import thin
from .harness import array
from .thin import check_slope, same_bits

cpu = twin_of(np.zeros(1))
reference = lambda name: find("reference", name)
SPECIAL = [0, -0.0, np.inf, -np.inf, np.nan, 1e-40, 88, -88, 120, -120, 6, 1e-30]


def values(*shape):
    x = array(*shape) * 3
    x.flat[: len(SPECIAL)] = SPECIAL[: x.size]
    return x


def close(got, want, dtype, atol=1e-6):
    assert got.dtype == dtype and got.shape == want.shape
    with np.errstate(all="ignore"):
        want = want.astype(dtype)
    np.testing.assert_allclose(got, want, rtol=5e-6 if dtype == "float32" else 1e-12, atol=atol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", thin.UNARY)
def test_unary(name, dtype):
    x = values(300, 501).astype(dtype)
    for v in (x, x[:, ::-2], x[:2], x[:0]):
        close(getattr(cpu, name)(v), reference(name)(v.astype("float64")), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exact_gelu(dtype):
    x = array(300, 501).astype(dtype) * 3
    wide = x.astype("float64")
    close(cpu.gelu(x, approximate=False), reference("gelu")(wide, approximate=False), dtype)
    want = reference("gelu_grad")(wide, wide, approximate=False)
    close(cpu.gelu_grad(x, x, approximate=False), want, dtype, atol=5e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shapes", thin.PAIRS.values(), ids=thin.PAIRS)
@pytest.mark.parametrize("name", thin.BINARY)
def test_binary(name, shapes, dtype):
    a, b = (np.asarray(array(*shape, seed=i), dtype) for i, shape in enumerate(shapes))
    want = reference(name)(a.astype("float64"), b.astype("float64"))
    close(getattr(cpu, name)(a, b), want, dtype, atol=1e-5)


@pytest.mark.parametrize("name", ["maximum", "minimum", "add_relu", "relu_grad"])
def test_nan_stays(name):
    a, b = array(300, 501).astype("float32"), array(300, 501, seed=1).astype("float32")
    a[3], b[5, 7] = np.nan, np.nan
    np.testing.assert_array_equal(getattr(cpu, name)(a, b), reference(name)(a, b))


def test_bias_grad():
    gy = array(8, 30, 30, 33).astype("float32")
    np.testing.assert_allclose(cpu.bias_grad(gy), gy.sum((0, 1, 2), dtype="float64"), rtol=1e-5, atol=1e-5)
    assert cpu.bias_grad(gy[:0]).tolist() == [0] * 33
    assert cpu.bias_grad(gy[:1].astype("float16")).dtype == "float16"


@pytest.mark.parametrize("name", ["relu", "relu6", "sigmoid", "tanh", "silu", "gelu"])
def test_gradients(name):
    x, gy = array(40) * 3, array(40, seed=1)
    y = reference(name)(x)
    gx = reference(f"{name}_grad")(gy, x if name in ("silu", "gelu") else y)
    check_slope(reference(name), x, gy, gx)


@pytest.mark.parametrize("name", ["exp", "add", "relu_grad"])
def test_bits_do_not_depend_on_threads(name):
    x = array(600, 501).astype("float32")
    same_bits(lambda: getattr(cpu, name)(*[x] * (1 if name == "exp" else 2)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["exp", "gelu", "softplus", "relu", "erf"])
def test_halves_are_rounded_once(name, dtype):
    import ml_dtypes

    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    x = array(100).astype(kind)
    y = getattr(cpu, name)(x)
    want = reference(name)(x.astype("float64")).astype("float32")
    assert y.dtype == kind
    np.testing.assert_allclose(y.astype("float32"), want, rtol=1e-3 if dtype == "float16" else 1e-2, atol=1e-3)


@pytest.mark.parametrize("name", thin.KERAS_UNARY)
def test_keras_unary(name):
    from keras import ops

    x = values(300).astype("float32")
    x[np.abs(x) < 1e-37] = 0  # TensorFlow flushes denormals
    want = getattr(ops, name)(x).numpy()
    np.testing.assert_allclose(getattr(cpu, name)(x), want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", thin.KERAS_BINARY)
def test_keras_binary(name):
    from keras import ops

    a, b = array(2, 300).astype("float32")
    np.testing.assert_allclose(getattr(cpu, name)(a, b), getattr(ops, name)(a, b).numpy(), rtol=1e-5, atol=1e-5)
