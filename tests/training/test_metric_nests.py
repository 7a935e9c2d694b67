"""Nests of metrics in `compile`, and losses that nested layers add, in both libraries."""

import numpy as np
import pytest

from tests.training.twins import WEIGHTS, Y1, Y2, X, assert_same, dense, pair, two_outputs

LIST, DICT, NESTED, ONE = (*map(two_outputs, ("list", "dict", "nested")), dense())
TARGETS = {LIST: [Y1, Y2], DICT: {"x": Y1, "w": Y2}, NESTED: {"z": [Y1, Y2]}, ONE: Y1}
ROWS = {
    "lists": (LIST, [["mae"], ["mae", "mse"]]),
    "flat": (LIST, ["mae", "mse"]),
    "none for one": (LIST, [None, ["mae"]]),
    "names": (LIST, {"a": "mae", "b": ["mse", "mae"]}),
    "one name": (LIST, {"b": "mae"}),
    "dict": (DICT, {"x": "mae", "w": ["mae", "mse"]}),
    "dict, one of them": (DICT, {"w": ["mae"]}),
    "dict, lists": (DICT, [["mae"], ["mse"]]),
    "dict, flat": (DICT, ["mae", "mse"]),
    "nested": (NESTED, {"z": ["mae", "mse"]}),
    "nested, none for one": (NESTED, {"z": [["mae"], None]}),
    "one output, list in a list": (ONE, [["mae", "mse"]]),
    "one output, mixed": (ONE, ["mae", ["mse"]]),
}


@pytest.mark.parametrize("argument", ["metrics", "weighted_metrics"])
@pytest.mark.parametrize("build, metrics", ROWS.values(), ids=ROWS.keys())
def test_metrics(build, metrics, argument):
    models, y = pair(build, loss="mse", **{argument: metrics}), TARGETS[build]
    assert_same(*[m.fit(X, y, batch_size=10, epochs=2, shuffle=False, verbose=0).history for m in models])
    assert_same(*[m.evaluate(X, y, batch_size=10, verbose=0, return_dict=True) for m in models])


REFUSED = {
    "too few": (LIST, ["mae"]),
    "too many": (LIST, ["mae", "mse", "mae"]),
    "dict, too few": (DICT, ["mae"]),
    "dict, unknown key": (DICT, {"q": "mae"}),
    "nested, flat": (NESTED, ["mae"]),
    "nested, lists": (NESTED, [["mae"], ["mse"]]),
    "nested, names": (NESTED, {"a": "mae", "b": "mse"}),
    "none": (ONE, [None]),
}


@pytest.mark.parametrize("build, metrics", REFUSED.values(), ids=REFUSED.keys())
def test_refusals(build, metrics):
    for model in pair(build, loss="mse", metrics=metrics):
        with pytest.raises(ValueError):
            model.fit(X, TARGETS[build], verbose=0)


def layers_that_add(keras):
    """A layer that adds a loss, and one with two of these inside."""

    class Inner(keras.layers.Layer):
        def __init__(self, weight):
            super().__init__()
            self.weight = weight

        def call(self, x):
            self.add_loss(self.weight * keras.ops.mean(keras.ops.square(x)))
            return x

    class Outer(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3, kernel_regularizer="l2")
            self.first, self.second = Inner(0.5), Inner(0.25)

        def call(self, x):
            self.add_loss([0.1 * keras.ops.sum(x), 0.2 * keras.ops.mean(x)])
            return self.second(self.first(self.dense(x)))

    return Inner, Outer


def nested(keras):
    _, outer = layers_that_add(keras)
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(1)(outer()(x)))


def twice(keras):
    _, outer = layers_that_add(keras)
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(1)(outer()(outer()(x))))


def in_a_model_inside(keras):
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(1)(nested(keras)(x)))


def shared(keras):
    inner, _ = layers_that_add(keras)
    layer, x = inner(0.3), keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(1)(layer(keras.layers.Dense(4)(layer(x)))))


def in_a_subclass(keras):
    _, outer = layers_that_add(keras)

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.outer, self.dense = outer(), keras.layers.Dense(1)

        def call(self, x):
            y = self.dense(self.outer(x))
            self.add_loss(keras.ops.mean(y))
            return y

    model = Model()
    model(np.zeros((1, 4), "float32"))
    return model


@pytest.mark.parametrize("loss", ["mse", None])
@pytest.mark.parametrize("build", [nested, twice, in_a_model_inside, shared, in_a_subclass])
@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_losses_that_nested_layers_add(build, loss):
    models = pair(build, loss=loss)
    fit = dict(batch_size=10, epochs=2, shuffle=False, verbose=0, sample_weight=WEIGHTS)
    assert_same(*[m.fit(X, Y1, **fit).history for m in models], rtol=1e-4)
    assert_same(*[m.evaluate(X, Y1, batch_size=10, verbose=0, return_dict=True) for m in models], rtol=1e-4)
    for model in models:
        model(X)
    assert_same(*[np.array([float(x) for x in m.losses]) for m in models], rtol=1e-4)
