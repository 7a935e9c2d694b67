"""Ops of NumPy's arrays, which are no tensors yet when Keras on TensorFlow gets them."""

import ml_dtypes  # noqa: F401  (lets NumPy know bfloat16)
import numpy as np
import pytest

import kerasish
from parity.libraries import each

FLOATS = ("float32", "float64", "float16", "bfloat16")
ACTIVATIONS = """relu relu6 sigmoid log_sigmoid softplus softsign silu hard_sigmoid hard_silu hard_tanh selu sparse_plus
sparse_sigmoid tanh_shrink leaky_relu elu celu gelu squareplus soft_shrink hard_shrink""".split()


def agree(function):
    """Whether both libraries give the same dtype and values."""
    want, got = each(lambda keras: function(keras.ops))
    name = want.dtype.name
    assert got.dtype == name
    tolerance = 3e-2 if "16" in name else 1e-5
    np.testing.assert_allclose(*(y.numpy().astype("float64") for y in (got, want)), tolerance, tolerance / 10)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name, dtype):
    agree(lambda ops: getattr(ops, name)(np.array(0.3, dtype)))  # NumPy makes scalars of such on the way
    agree(lambda ops: getattr(ops, name)(np.array([-2, -0.3, 0, 0.3, 2], dtype)))


@pytest.mark.parametrize("dtype", [*FLOATS, "int32", "int64", "uint8"])
@pytest.mark.parametrize("limit", [0.2, 1])
def test_a_threshold_leaves_the_dtype(dtype, limit):
    agree(lambda ops: ops.threshold(np.array([0, 1, 2], dtype), limit, 0))
    agree(lambda ops: ops.threshold(np.array(1, dtype), limit, 0))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", [*FLOATS, "int32", "uint8"])
@pytest.mark.parametrize("rank", [1, 2])
def test_images_for_max_pool(rank, dtype, data_format):
    x = np.arange(2 * 4**rank * 3).reshape((2, *(4,) * rank, 3)).astype(dtype)
    agree(lambda ops: ops.max_pool(x, 2, data_format=data_format))
    agree(lambda ops: ops.max_pool(ops.convert_to_tensor(x), 2, data_format=data_format))


def test_one_tensor_is_concatenated_along_an_axis_that_it_has():
    with pytest.raises(ValueError, match="axis -2 is out of bounds"):
        kerasish.ops.concatenate([np.ones(2)], axis=-2)
