"""Regularizers beside real Keras: values, gradients, configs, names, refusals."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasish
import kerasish.regularizers
from kerasish import ops
from kerasish.core.autodiff import GradientTape
from kerasish.core.variable import Variable

MODULES = [kerasish, keras]
X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
ROWS = [
    lambda k: k.regularizers.L1(0.1),
    lambda k: k.regularizers.L2(0.1),
    lambda k: k.regularizers.L2(1),
    lambda k: k.regularizers.L1L2(0.1, 0.2),
    lambda k: k.regularizers.L1L2(0.1, None),
    lambda k: k.regularizers.L1L2(),
    lambda k: k.regularizers.L1(None),
    lambda k: k.regularizers.OrthogonalRegularizer(0.3),
    lambda k: k.regularizers.OrthogonalRegularizer(0.3, "columns"),
    lambda k: k.regularizers.get("l1"),
    lambda k: k.regularizers.get("L1L2"),
    lambda k: k.regularizers.get("orthogonal_regularizer"),
    lambda k: k.regularizers.get({"class_name": "L2", "config": {"l2": 0.5}}),
]


@pytest.mark.parametrize("build", ROWS)
def test_values_gradients_and_configs(build):
    ours, theirs = (build(m) for m in MODULES)
    config = keras.regularizers.serialize(theirs)
    assert kerasish.regularizers.serialize(ours) == config
    assert kerasish.regularizers.serialize(kerasish.regularizers.deserialize(config)) == config
    variable, tensor = Variable(X), tf.Variable(X)
    with GradientTape() as tape:
        value = ours(variable)
    with tf.GradientTape() as their_tape:
        expected = theirs(tensor)
    assert value.shape == () and value.dtype == "float32"
    np.testing.assert_allclose(value.numpy(), expected.numpy(), rtol=1e-6)
    expected = their_tape.gradient(expected, tensor)
    if expected is not None:
        np.testing.assert_allclose(tape.gradient(value, variable).numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_other_dtypes():
    for name in ("L1", "L2", "L1L2"):
        for x in (X.astype("float64"), X.astype("float16")):
            arguments = (0.25, 0.5) if name == "L1L2" else (0.25,)
            ours, theirs = (getattr(m.regularizers, name)(*arguments)(x) for m in MODULES)
            assert ours.dtype == keras.backend.standardize_dtype(theirs.dtype)
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-3 if x.dtype == "f2" else 1e-6)


def test_signatures():
    for name in dir(keras.regularizers):
        if not name.startswith("_"):
            ours, theirs = (getattr(m.regularizers, name) for m in MODULES)
            assert str(inspect.signature(ours)) == str(inspect.signature(theirs))


def test_get_other_things():
    def mine(x):
        return ops.sum(x)

    get = kerasish.regularizers.get
    assert get(None) is None and get(mine) is mine
    assert isinstance(get(kerasish.regularizers.L2), kerasish.regularizers.L2)
    assert kerasish.regularizers.Regularizer()(X) == 0.0


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda r: r.L2(-1.0), ValueError),
        (lambda r: r.L2("a"), ValueError),
        (lambda r: r.L2(float("nan")), ValueError),
        (lambda r: r.L1(float("inf")), ValueError),
        (lambda r: r.L1(np.ones(2)), ValueError),
        (lambda r: r.L1L2(-1.0, 0.0), ValueError),
        (lambda r: r.OrthogonalRegularizer(-1.0), ValueError),
        (lambda r: r.OrthogonalRegularizer(mode="x"), ValueError),
        (lambda r: r.OrthogonalRegularizer()(np.ones(3)), ValueError),
        (lambda r: r.get("l1_l2"), ValueError),
        (lambda r: r.get("nonsense"), ValueError),
        (lambda r: r.get(3), ValueError),
        (lambda r: r.get({"a": 1}), ValueError),
        (lambda r: r.Regularizer().get_config(), NotImplementedError),
    ],
)
def test_refusals(call, error):
    for module in MODULES:
        with pytest.raises(error):
            call(module.regularizers)
