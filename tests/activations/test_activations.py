"""Activations beside real Keras: values, gradients, names, configs, refusals."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasish
import kerasish.activations
from kerasish import ops
from kerasish.activations.activations import ReLU
from kerasish.core.autodiff import GradientTape
from kerasish.core.symbolic import KerasTensor
from kerasish.saving import deserialize_keras_object, serialize_keras_object

MODULES = [kerasish, keras]
FACTORIES = ("get", "serialize", "deserialize")
NAMES = [name for name in dir(keras.activations) if name[0] != "_" and name not in FACTORIES]
# 0, 1, -1, 3, -3 and 0.5 are where the pieces meet; there TensorFlow's choice of derivative counts.
X = np.concatenate([np.linspace(-4, 4, 16) + 0.05, [0.0, 30.0, -30.0, 7.0]]).astype("float32").reshape(2, 10)
MEETINGS = np.array([[0.0, 6.0, -3.0, 3.0]], "float32")


SLOPE = {"negative_slope": 1, "max_value": 6}


def row(name, **arguments):
    return pytest.param(name, arguments, id=f"{name} {arguments}")


ROWS = [row(name) for name in NAMES if name not in ("threshold", "sparsemax")] + [
    row("threshold", threshold=0.5, default_value=-2.0),
    row("relu", negative_slope=0.1),
    row("relu", max_value=3.0),
    row("relu", max_value=6),
    row("relu", max_value=0),
    row("relu", threshold=1.0),
    row("relu", threshold=-1.0),
    row("relu", negative_slope=0.1, threshold=-1.0),
    row("relu", negative_slope=0.1, max_value=3.0, threshold=1.0),
    row("relu", negative_slope=0.5, max_value=6),
    row("leaky_relu", negative_slope=0.01),
    row("leaky_relu", negative_slope=None),
    row("elu", alpha=0.5),
    row("celu", alpha=0.5),
    row("gelu", approximate=True),
    row("softmax", axis=0),
    row("softmax", axis=(0, 1)),
    row("log_softmax", axis=0),
    row("glu", axis=0),
    row("squareplus", b=1),
    row("hard_shrink", threshold=1.0),
    row("soft_shrink", threshold=1.0),
]


def gradient(module, function, x, weights):
    if module is keras:
        x = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(function(x) * weights)
        return tape.gradient(y, x).numpy()
    x = ops.convert_to_tensor(x)
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(function(x) * weights)
    return tape.gradient(y, x).numpy()


@pytest.mark.parametrize("name, arguments", ROWS)
def test_values_and_gradients(name, arguments):
    functions = [lambda x, m=m: getattr(m.activations, name)(x, **arguments) for m in MODULES]
    ours, theirs = (np.asarray(f(X)) for f in functions)
    np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=2e-6)
    weights = np.linspace(0.5, 2, theirs.size, dtype="float32").reshape(theirs.shape)
    ours, theirs = (gradient(m, f, X, weights) for m, f in zip(MODULES, functions))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["relu", "relu6", "leaky_relu", "elu", "selu", "celu", "hard_sigmoid", "hard_silu", "hard_tanh"]
)
def test_derivatives_where_pieces_meet(name):
    weights = np.ones_like(MEETINGS)
    ours, theirs = (gradient(m, getattr(m.activations, name), MEETINGS, weights) for m in MODULES)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "arguments", [{}, {"max_value": 1.0}, {"max_value": 2.5}, {"threshold": 0.5, "max_value": 3.5}, SLOPE]
)
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_relu_of_integers(dtype, arguments):
    x = np.array([[-3, 0, 1, 2, 9]]).astype(dtype)
    ours, theirs = (m.layers.ReLU(**arguments)(x) for m in MODULES)
    assert ours.dtype == theirs.dtype.name
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["elu", "celu"])
def test_none_is_no_number(name):
    for module in MODULES:
        with pytest.raises((ValueError, TypeError)):
            getattr(module.activations, name)(X, alpha=None)


@pytest.mark.parametrize("axis", [0, 1])
def test_sparsemax_is_the_nearest_point_of_the_simplex(axis):
    """Keras 3.15 is no oracle: its values do not sum to 1."""
    x = X[:, 2:8].astype("float64")
    y = kerasish.activations.sparsemax(x, axis).numpy()
    np.testing.assert_allclose(y.sum(axis), 1, rtol=1e-12)
    assert (y >= 0).all()
    # The projection's condition: x - y is one number where y > 0, and no larger elsewhere.
    tau = np.max(x - y, axis, keepdims=True)
    np.testing.assert_allclose(np.where(y > 0, x - y, tau), np.broadcast_to(tau, x.shape), atol=1e-12)


def test_signatures_and_names():
    for name in dir(keras.activations):
        if not name.startswith("_"):
            ours, theirs = getattr(kerasish.activations, name), getattr(keras.activations, name)
            assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
            assert ours.__name__ == theirs.__name__


@pytest.mark.parametrize("name", NAMES)
def test_names_go_there_and_back(name):
    ours, theirs = (getattr(m.activations, name) for m in MODULES)
    assert kerasish.activations.serialize(ours) == keras.activations.serialize(theirs)
    assert kerasish.activations.get(name) is ours
    assert kerasish.activations.deserialize(name) is ours


def test_get_other_things():
    def mine(x):
        return x

    get = kerasish.activations.get
    assert get(None) is kerasish.activations.linear and get(mine) is mine
    config = {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"}
    assert get(config) is kerasish.activations.relu
    assert kerasish.activations.serialize(mine) == keras.activations.serialize(mine)


@pytest.mark.parametrize("identifier", ["nonsense", "", 3, "ReLU", "L2"])
def test_refusals(identifier):
    for module in MODULES:
        with pytest.raises(ValueError, match="Could not interpret"):
            module.activations.get(identifier)


def test_only_functions_and_layers_are_serialized():
    with pytest.raises(ValueError):
        kerasish.activations.serialize("relu")
    with pytest.raises((TypeError, ValueError)):
        kerasish.activations.serialize(None)


def test_relu_of_integers_stays_whole():
    for arguments in ({}, {"max_value": 6}, {"negative_slope": 0.5}):
        ours, theirs = (m.activations.relu(np.array([-10, 3, 7], "int32"), **arguments) for m in MODULES)
        assert ours.dtype == keras.backend.standardize_dtype(theirs.dtype)
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_softmax_and_sigmoid_remember_their_logits():
    x = ops.convert_to_tensor(X)
    for function in (kerasish.activations.softmax, kerasish.activations.sigmoid):
        assert function(x)._keras_logits is x


def test_relu_in_a_graph():
    x = KerasTensor((None, 4))
    x._keras_history = None
    op = ReLU(0.1, 3.0)
    assert op.compute_output_spec(x).shape == (None, 4)
    config = serialize_keras_object(op)
    assert config["module"] == "keras.src.activations.activations" and config["registered_name"] == "ReLU"
    again = deserialize_keras_object(config)
    assert (type(again), again.get_config()) == (ReLU, op.get_config())
