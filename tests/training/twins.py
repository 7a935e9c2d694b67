"""The same model, weights and data in kerasish and in real Keras; what they report must agree."""

import contextlib
import io
import re

import keras as real
import numpy as np

import kerasish

RNG = np.random.default_rng(11)
N = 20
X = RNG.normal(size=(N, 4)).astype("float32")
Y1 = RNG.normal(size=(N, 1)).astype("float32")
Y2 = RNG.normal(size=(N, 2)).astype("float32")
LABELS = RNG.integers(0, 3, size=N)
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
BITS = (RNG.normal(size=(N, 1)) > 0).astype("float32")
WEIGHTS = RNG.uniform(0.1, 2.0, size=N).astype("float32")


def dense(units=1, activation=None, **kwargs):
    """A builder of a model of one Dense layer."""

    def build(keras):
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation=activation, **kwargs)])

    return build


def two_outputs(kind):
    """A builder of a Functional model with outputs "a" (1) and "b" (2), as a list or a dict."""

    def build(keras):
        inputs = keras.Input((4,))
        a, b = keras.layers.Dense(1, name="a")(inputs), keras.layers.Dense(2, name="b")(inputs)
        return keras.Model(inputs, {"list": [a, b], "dict": {"x": a, "w": b}, "nested": {"z": [a, b]}}[kind])

    return build


def subclassed(combine):
    """A builder of a subclassed model that gives `combine(a, b)`."""

    def build(keras):
        class Two(keras.Model):
            def __init__(self):
                super().__init__()
                self.a, self.b = keras.layers.Dense(1), keras.layers.Dense(2)

            def call(self, x):
                return combine(self.a(x), self.b(x))

        model = Two()
        model(np.zeros((1, 4), "float32"))
        return model

    return build


def pair(build, **compile_args):
    """Compiled models of both libraries with equal weights; values of `compile_args` may be functions of keras.

    Real Keras runs eagerly, which for a few tiny steps takes less time than to trace a graph.
    """
    models = []
    for keras in (kerasish, real):
        model = build(keras)
        resolved = {k: v(keras) if getattr(v, "of_keras", False) else v for k, v in compile_args.items()}
        model.compile(**{"optimizer": "sgd", "run_eagerly": keras is real, **resolved})
        models.append(model)
    weights = [RNG.normal(size=w.shape).astype("float32") * 0.3 for w in models[1].get_weights()]
    for model in models:
        model.set_weights(weights)
    return models


def of_keras(function):
    """Marks a function of the keras module, for `pair`."""
    function.of_keras = True
    return function


def assert_same(ours, theirs, rtol=1e-5):
    """The same keys in the same order, and values that agree."""
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for name in theirs:
            assert_same(ours[name], theirs[name], rtol)
        return
    np.testing.assert_allclose(np.asarray(ours, "float64"), np.asarray(theirs, "float64"), rtol=rtol, atol=1e-6)


def printed(function):
    """What a call writes to stdout, with times replaced."""
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout):
        function()
    return re.sub(r"\d+(s|ms|us)\b", "0s", stdout.getvalue())
