"""Errors and interrupts: what was begun is as if it had not been."""

import random
import sys

import numpy as np
import pytest

import kerasish as keras
from kerasish.core.whole import all_or_nothing

X = np.random.default_rng(0).normal(size=(24, 6)).astype("float32")
Y = np.eye(2, dtype="float32")[(X[:, 0] > 0).astype(int)]
METRICS = [
    keras.metrics.R2Score,
    keras.metrics.F1Score,
    lambda: keras.metrics.AUC(multi_label=True, num_thresholds=5),
    lambda: "accuracy",
]


class Stop(BaseException):
    """An interrupt."""


def interrupted(function, after):
    """Runs a function, but stops it in its line number `after` within the library; returns the number of lines."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if "kerasish" not in frame.f_code.co_filename:
            return None
        if event == "line":
            count += 1
            if count == after:
                raise Stop
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except Stop:
        pass
    finally:
        sys.settrace(before)
    return count


def test_attributes_and_their_entries_come_back():
    class Thing:
        pass

    thing = Thing()
    kept = thing.listed = [1]
    thing.named, thing.number = {"a": 1}, 3
    with pytest.raises(Stop), all_or_nothing(thing):
        thing.listed.append(2)
        thing.named["b"] = 2
        thing.number, thing.more = 4, 5
        del thing.named
        raise Stop
    assert vars(thing) == {"listed": [1], "named": {"a": 1}, "number": 3} and thing.listed is kept


def model(optimizer):
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    L = keras.layers

    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = [L.Dense(4, "relu"), L.BatchNormalization(), L.Dropout(0.2), L.Dense(2, "softmax")]

        def call(self, x, training=None):
            for layer in self.inner:
                x = layer(x)
            return x

    made = Two()
    made.compile(optimizer(), "categorical_crossentropy", metrics=[metric() for metric in METRICS])
    return made


def state(made):
    """Paths and shapes of everything that it remembers."""
    found = [*made.variables, *made.optimizer.variables, *(v for m in made.metrics for v in m.variables)]
    return [(v.path, tuple(v.shape)) for v in found]


class OfTheUser(keras.optimizers.Optimizer):
    """As Keras's guide has it: the base class builds first."""

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.sums = [self.add_variable_from_reference(v, "sum") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        total = self.sums[self._get_variable_index(variable)]
        total.assign_add(gradient)
        variable.assign_sub(learning_rate * total)


OPTIMIZERS = {
    "Adam": lambda: keras.optimizers.Adam(use_ema=True, gradient_accumulation_steps=2),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.RMSprop(centered=True)),
    "several": lambda: keras.optimizers.MultiOptimizer(lambda v: MANY[len(v.shape) - 1]),
    "user's": lambda: OfTheUser(0.01),
}
MANY: list = []


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_fit_after_an_interrupt(optimizer):
    def fit(made, stop=0):
        return interrupted(lambda: made.fit(X, Y, verbose=0, batch_size=8), stop)

    def fresh():
        MANY[:] = keras.optimizers.Adam(), keras.optimizers.SGD(0.1, momentum=0.5)
        return model(optimizer)

    fit(fresh())  # what is done once in a process
    whole = fresh()
    lines = fit(whole)
    for stop in random.Random(5).sample(range(1, lines), 12):
        made = fresh()
        fit(made, stop)
        made.fit(X, Y, verbose=0, batch_size=8)
        assert state(made) == state(whole), f"interrupted in line {stop}"
        assert not keras.core.scopes.current_path()
        assert keras.device.chosen() is None


@pytest.mark.parametrize("name", ["Adam", "momentum", "user's"])
def test_optimizer_stopped_where_it_builds(name):
    """Each line of `build`, as `fit` then calls it again."""
    variables = [keras.Variable(np.ones((2, 3)), name="w"), keras.Variable(np.ones(3), name="b")]
    whole = OPTIMIZERS[name]()
    whole.build(variables)
    expected = [v.path.partition("/")[2] for v in whole.variables]
    for stop in range(1, 200, 7):
        optimizer = OPTIMIZERS[name]()
        interrupted(lambda: optimizer.build(variables), stop)
        optimizer.apply([np.ones((2, 3)), np.ones(3)], variables)
        assert [v.path.partition("/")[2] for v in optimizer.variables] == expected


def test_layer_that_fails_where_it_builds():
    failures = [Stop]

    def initializer(shape, dtype=None):
        if failures:
            raise failures.pop()
        return np.zeros(shape, dtype)

    layer = keras.layers.Dense(3, bias_initializer=initializer)
    with pytest.raises(Stop):
        layer(X)
    assert not layer.built and not layer.weights
    assert layer(X).shape == (24, 3) and [w.path for w in layer.weights] == [
        f"{layer.name}/kernel",
        f"{layer.name}/bias",
    ]
