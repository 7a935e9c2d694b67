"""Nests of losses in `compile`, in both libraries: a loss for a part of the outputs, several for one, weights."""

from collections import namedtuple

import keras
import numpy as np
import pytest

import kerasish
from tests.training.twins import Y1, Y2, X, assert_same, pair, two_outputs

pytestmark = pytest.mark.filterwarnings("ignore:Gradients do not exist")
Pair = namedtuple("Pair", "first second")


def struct(y_true, y_pred):
    """A loss of a nest of outputs."""
    return sum(abs(t - p) for t, p in zip(_leaves(y_true), _leaves(y_pred)))[:, :1]


def _leaves(nest):
    parts = nest.values() if isinstance(nest, dict) else nest
    return [part if hasattr(part, "shape") else _leaves(part)[0] for part in parts]


def named(keras):
    inputs = keras.Input((4,))
    return keras.Model(inputs, Pair(keras.layers.Dense(1, name="a")(inputs), keras.layers.Dense(2, name="b")(inputs)))


LIST, DICT, NESTED = (two_outputs(kind) for kind in ("list", "dict", "nested"))
ROWS = {
    "list in a list": (LIST, ["mse", ["mae"]], None, [Y1, Y2]),
    "two for one": (LIST, ["mse", ["mae", "mse"]], None, [Y1, Y2]),
    "none and a list": (LIST, [None, ["mae"]], None, [Y1, Y2]),
    "flat weights": (LIST, ["mse", ["mae", "mse"]], [0.5, 2.0, 3.0], [Y1, Y2]),
    "names": (LIST, {"a": "mse", "b": ["mae"]}, None, [Y1, Y2]),
    "names, weights": (LIST, {"a": "mse", "b": ["mae"]}, {"a": 0.5, "b": 2.0}, [Y1, Y2]),
    "dict": (DICT, {"x": "mse", "w": ["mae"]}, None, {"x": Y1, "w": Y2}),
    "dict, one of them": (DICT, {"w": ["mae"]}, None, {"x": Y1, "w": Y2}),
    "dict, two for one": (DICT, {"x": ["mse", "mae"], "w": "mae"}, None, {"x": Y1, "w": Y2}),
    "nested, one of them": (NESTED, {"z": [None, "mae"]}, None, {"z": [Y1, Y2]}),
    "named tuple": (named, Pair("mse", "mae"), None, Pair(Y1, Y2)),
    "named tuple, list": (named, ["mse", "mae"], [0.5, 2.0], Pair(Y1, Y2)),
    "named tuple, two for one": (named, Pair("mse", ["mae", "mse"]), None, Pair(Y1, Y2)),
}


@pytest.mark.parametrize("build, loss, weights, y", ROWS.values(), ids=ROWS.keys())
def test_losses(build, loss, weights, y):
    models = pair(build, loss=loss, loss_weights=weights)
    assert_same(*[m.fit(X, y, batch_size=10, epochs=2, shuffle=False, verbose=0).history for m in models])
    assert_same(*[m.evaluate(X, y, batch_size=10, verbose=0, return_dict=True) for m in models])


@pytest.mark.parametrize(
    "build, loss, y",
    [
        (NESTED, {"z": struct}, {"z": [Y1, Y1]}),
        (named, [struct, Pair("mse", "mae")], Pair(Y1, Y2)),
        (LIST, (struct, ["mse", "mae"]), [Y1, Y2]),
    ],
    ids=["a nest", "all and each", "list in a tuple"],
)
def test_losses_of_nests(build, loss, y):
    models = pair(build, loss=loss)
    assert_same(*[m.fit(X, y, batch_size=10, epochs=2, shuffle=False, verbose=0).history for m in models])


@pytest.mark.parametrize(
    "build, loss, weights, error, match",
    [
        (
            DICT,
            {"x": "mse", "q": "mae"},
            None,
            KeyError,
            "in the `loss` argument, can't be found.* outputs are 'x'",
        ),
        (LIST, ["mse", "mae", "mse"], None, KeyError, "can't be found in either the model's output"),
        (LIST, ["mse", ["mae"]], [0.5, 1.0, 2.0], ValueError, "must match the number of losses, got 2 losses and 3"),
    ],
)
def test_refused(build, loss, weights, error, match):
    model, _ = pair(build, loss=loss, loss_weights=weights)
    y = {"x": Y1, "w": Y2} if build is DICT else [Y1, Y2]
    with pytest.raises(error, match=match):
        model.fit(X, y, verbose=0)


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_the_outputs_means_weigh_short_batches_where_keras_runs_no_graph(run_eagerly):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 3)), [rng.standard_normal((5, n)) for n in (2, 4)]
    histories = []
    for k in (kerasish, keras):
        k.utils.set_random_seed(0)
        inputs = k.Input((3,))
        model = k.Model(inputs, [k.layers.Dense(2, name="a")(inputs), k.layers.Dense(4, name="b")(inputs)])
        model.compile("sgd", "mse", run_eagerly=run_eagerly)
        histories.append(model.fit(x, y, batch_size=2, shuffle=False, verbose=0).history)
    assert list(histories[0]) == list(histories[1])
    for name in histories[0]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-5)
