"""Callbacks that change the learning rate, with a `MultiOptimizer`: each optimizer's rate, in both libraries."""

import keras as real
import numpy as np
import pytest

import kerasish

X = np.ones((8, 2), "float32")


def run(keras, make, verbose):
    first, second = keras.optimizers.SGD(0.1, name="one"), keras.optimizers.SGD(0.01, name="two")
    choice = keras.optimizers.OptimizerMap(second, {".*first/.*": first})
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2, name="first"), keras.layers.Dense(1, name="second")]
    )
    model.compile(keras.optimizers.MultiOptimizer(choice), "mse")
    history = model.fit(X, X[:, :1], epochs=4, verbose=0, callbacks=[make(keras.callbacks, verbose)]).history
    return {name: values for name, values in history.items() if name != "loss"}


@pytest.mark.parametrize(
    "make",
    [
        lambda c, verbose: c.LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=verbose),
        lambda c, verbose: c.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9, verbose=verbose),
    ],
    ids=["LearningRateScheduler", "ReduceLROnPlateau"],
)
def test_each_rate_changes(make, capsys):
    said, histories = [], []
    for keras in (real, kerasish):
        histories.append(run(keras, make, 1))
        said.append(capsys.readouterr().out)
    assert list(histories[0]) == list(histories[1]) and len(histories[1]) == 2
    for name, want in histories[0].items():
        np.testing.assert_allclose(histories[1][name], want, rtol=1e-6)
    assert said[1].count("one learning rate to") == said[0].count("one learning rate to") > 0
