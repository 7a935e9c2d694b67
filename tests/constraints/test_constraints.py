"""Constraints beside real Keras: values, configs, names, refusals."""

import inspect

import keras
import numpy as np
import pytest

import kerasish
import kerasish.constraints
from kerasish.core.variable import Variable

MODULES = [kerasish, keras]
W = np.array([[1.0, -2, 3, 0], [4, 5, -6, 0], [0.1, 0.2, 0.3, 0]], "float32")
ROWS = [
    lambda k: k.constraints.MaxNorm(),
    lambda k: k.constraints.MaxNorm(3.0, axis=1),
    lambda k: k.constraints.MaxNorm(1, axis=[0, 1]),
    lambda k: k.constraints.MaxNorm(max_value=0.0),
    lambda k: k.constraints.MinMaxNorm(),
    lambda k: k.constraints.MinMaxNorm(1.0, 2.0, 0.5, 1),
    lambda k: k.constraints.NonNeg(),
    lambda k: k.constraints.UnitNorm(),
    lambda k: k.constraints.UnitNorm(axis=[0, 1]),
    lambda k: k.constraints.get("max_norm"),
    lambda k: k.constraints.get("UnitNorm"),
    lambda k: k.constraints.get({"class_name": "MaxNorm", "config": {"max_value": 3}}),
]


@pytest.mark.parametrize("build", ROWS)
def test_values_and_configs(build):
    ours, theirs = (build(m) for m in MODULES)
    config = keras.constraints.serialize(theirs)
    assert kerasish.constraints.serialize(ours) == config
    assert kerasish.constraints.serialize(kerasish.constraints.deserialize(config)) == config
    for w in (W, W.astype("float64"), W.astype("int32"), W.tolist()):
        value, expected = ours(w), theirs(w)
        assert value.dtype == keras.backend.standardize_dtype(expected.dtype)
        np.testing.assert_allclose(value.numpy(), expected.numpy(), rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(ours(Variable(W)).numpy(), ours(W).numpy())


def test_epsilon_is_read_at_the_call():
    results = []
    for module in MODULES:
        constraint = module.constraints.UnitNorm()
        before = module.config.epsilon()
        module.config.set_epsilon(0.1)
        try:
            results.append(constraint(W).numpy())
        finally:
            module.config.set_epsilon(before)
    np.testing.assert_allclose(*results, rtol=1e-6)


def test_signatures():
    for name in dir(keras.constraints):
        if not name.startswith("_"):
            ours, theirs = (getattr(m.constraints, name) for m in MODULES)
            assert str(inspect.signature(ours)) == str(inspect.signature(theirs))


def test_get_other_things():
    def mine(w):
        return w

    get = kerasish.constraints.get
    assert get(None) is None and get(mine) is mine
    assert isinstance(get(kerasish.constraints.NonNeg), kerasish.constraints.NonNeg)
    base = kerasish.constraints.Constraint()
    assert base(W) is W and base.get_config() == {}


@pytest.mark.parametrize("identifier", ["nonsense", "", 3, {"a": 1}, "l2"])
def test_refusals(identifier):
    for module in MODULES:
        with pytest.raises(ValueError):
            module.constraints.get(identifier)
