"""fit and evaluate beside real Keras: names, order and values of everything they report."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from tests.training.twins import (
    BITS,
    LABELS,
    ONE_HOT,
    WEIGHTS,
    Y1,
    Y2,
    X,
    assert_same,
    dense,
    of_keras,
    pair,
    printed,
    subclassed,
    two_outputs,
)

MSE = {"loss": "mse"}
SOFTMAX = dense(3, "softmax")
LIST, DICT = two_outputs("list"), two_outputs("dict")
AS_LIST, AS_DICT = subclassed(lambda a, b: [a, b]), subclassed(lambda a, b: {"q": a, "p": b})
TWO = [Y1, Y2]
XW = {"x": Y1, "w": Y2}
SPARSE = "sparse_categorical_crossentropy"

ROWS = {
    "plain": (dense(), MSE, Y1, {}),
    "metrics": (dense(), {**MSE, "metrics": ["mae", "mse"]}, Y1, {}),
    "names": (
        dense(1, "sigmoid"),
        {**MSE, "metrics": ["MSE", "MeanAbsoluteError", "AUC", "acc", "accuracy"]},
        BITS,
        {},
    ),
    "twice": (dense(), {**MSE, "metrics": ["mse", "mse"]}, Y1, {}),
    "nested list": (dense(), {**MSE, "metrics": [["mse", "mae"]]}, Y1, {}),
    "metric dict": (dense(), {**MSE, "metrics": {"dense": "mse"}}, Y1, {}),
    "metric object": (dense(), {**MSE, "metrics": of_keras(lambda k: [k.metrics.MeanSquaredError(name="m")])}, Y1, {}),
    "metric class": (dense(), {**MSE, "metrics": of_keras(lambda k: [k.metrics.MeanSquaredError])}, Y1, {}),
    "metric function": (dense(), {**MSE, "metrics": of_keras(lambda k: [lambda y, p: k.ops.mean(y - p)])}, Y1, {}),
    "metric loss": (dense(), {**MSE, "metrics": of_keras(lambda k: [k.losses.MeanSquaredError()])}, Y1, {}),
    "weighted": (
        dense(),
        {**MSE, "metrics": ["mse"], "weighted_metrics": ["mse", "mae"]},
        Y1,
        {"sample_weight": WEIGHTS},
    ),
    "sparse": (SOFTMAX, {"loss": SPARSE, "metrics": ["accuracy", SPARSE]}, LABELS, {}),
    "sparse column": (SOFTMAX, {"loss": SPARSE, "metrics": ["acc"]}, LABELS[:, None], {}),
    "categorical": (SOFTMAX, {"loss": "categorical_crossentropy", "metrics": ["accuracy"]}, ONE_HOT, {}),
    "binary": (dense(1, "sigmoid"), {"loss": "binary_crossentropy", "metrics": ["accuracy"]}, BITS, {}),
    "crossentropy": (SOFTMAX, {"loss": "crossentropy", "metrics": ["acc"]}, ONE_HOT, {}),
    "ce": (SOFTMAX, {"loss": "ce", "metrics": ["acc"]}, LABELS, {}),
    "ce, binary": (dense(1, "sigmoid"), {"loss": "ce", "metrics": ["acc"]}, BITS, {}),
    "class weight": (SOFTMAX, {"loss": SPARSE}, LABELS, {"class_weight": {0: 2.0, 1: 0.5}}),
    "class weight, one-hot": (
        SOFTMAX,
        {"loss": "categorical_crossentropy", "weighted_metrics": ["accuracy"]},
        ONE_HOT,
        {"class_weight": {0: 2.0, 1: 0.5}},
    ),
    "loss object": (dense(), {"loss": of_keras(lambda k: k.losses.Huber(delta=0.5))}, Y1, {}),
    "loss class": (dense(), {"loss": of_keras(lambda k: k.losses.MeanSquaredError)}, Y1, {}),
    "loss sum": (dense(), {"loss": of_keras(lambda k: k.losses.MeanSquaredError(reduction="sum"))}, Y1, {}),
    "loss function": (dense(), {"loss": of_keras(lambda k: lambda y, p: k.ops.mean((y - p) ** 2))}, Y1, {}),
    "loss list": (dense(), {"loss": ["mse"]}, Y1, {}),
    "loss weight": (dense(), {**MSE, "loss_weights": 0.5}, Y1, {}),
    "loss weight list": (dense(), {**MSE, "loss_weights": [0.5]}, Y1, {}),
    "regularized": (dense(1, kernel_regularizer="l2", activity_regularizer="l1"), {**MSE, "metrics": ["mae"]}, Y1, {}),
    "validation": (dense(), {**MSE, "metrics": ["mae"]}, Y1, {"validation_split": 0.3}),
    "validation weights": (
        dense(),
        {**MSE, "metrics": ["mae"], "weighted_metrics": ["mae"]},
        Y1,
        {"validation_split": 0.3, "sample_weight": WEIGHTS},
    ),
    "validation data": (dense(), MSE, Y1, {"validation_data": (X, Y1, WEIGHTS), "validation_batch_size": 3}),
    "validation list": (dense(), MSE, Y1, {"validation_data": [X, Y1], "validation_steps": 2}),
    "validation frequency": (dense(), MSE, Y1, {"validation_split": 0.3, "validation_freq": 2}),
    "validation epochs": (dense(), MSE, Y1, {"validation_split": 0.3, "validation_freq": [1, 3]}),
    "steps": (dense(), MSE, Y1, {"steps_per_epoch": 1}),
    "later epoch": (dense(), MSE, Y1, {"initial_epoch": 1}),
    "several at once": (dense(), {**MSE, "steps_per_execution": 2}, Y1, {}),
    "two": (LIST, MSE, TWO, {}),
    "two, tuple": (LIST, MSE, (Y1, Y2), {}),
    "two, metrics": (LIST, {**MSE, "metrics": ["mse", "mae"]}, TWO, {}),
    "two, metric lists": (LIST, {**MSE, "metrics": [["mse"], ["mae", "mse"]]}, TWO, {}),
    "two, no metric": (LIST, {**MSE, "metrics": [None, "mae"]}, TWO, {}),
    "two, metric dict": (LIST, {**MSE, "metrics": {"a": "mse", "b": ["mae", "mse"]}}, TWO, {}),
    "two, metric of one": (LIST, {**MSE, "metrics": {"b": "mae"}, "weighted_metrics": {"b": "mae"}}, TWO, {}),
    "two, loss list": (LIST, {"loss": ["mse", "mae"]}, TWO, {}),
    "two, loss dict": (LIST, {"loss": {"a": "mse", "b": "mae"}}, TWO, {}),
    "two, all dicts": (LIST, {"loss": {"b": "mae", "a": "mse"}}, {"b": Y2, "a": Y1}, {}),
    "two, loss object": (LIST, {"loss": of_keras(lambda k: k.losses.MeanSquaredError())}, TWO, {}),
    "two, weights": (LIST, {"loss": ["mse", "mae"], "loss_weights": [0.5, 2.0]}, TWO, {}),
    "two, weight dict": (
        LIST,
        {"loss": {"a": "mse", "b": "mae"}, "loss_weights": {"b": 0.5, "a": 2.0}},
        TWO,
        {},
    ),
    "two, one weight": (LIST, {**MSE, "loss_weights": 0.5}, TWO, {}),
    "two, sample weight": (LIST, MSE, TWO, {"sample_weight": WEIGHTS}),
    "two, sample weights": (
        LIST,
        {**MSE, "weighted_metrics": ["mae", "mae"]},
        TWO,
        {"sample_weight": [WEIGHTS, 2 * WEIGHTS]},
    ),
    "two, a sample weight": (LIST, MSE, TWO, {"sample_weight": [WEIGHTS, None]}),
    "two, validation": (LIST, MSE, TWO, {"validation_split": 0.25}),
    "dict": (DICT, {"loss": {"x": "mse", "w": "mae"}, "metrics": {"x": "mse", "w": ["mae"]}}, XW, {}),
    "dict, one loss for all": (DICT, MSE, XW, {}),
    "dict, loss list": (DICT, {"loss": ["mse", "mae"]}, XW, {}),
    "nested": (two_outputs("nested"), {"loss": {"z": ["mse", "mae"]}}, {"z": [Y1, Y2]}, {}),
    "subclassed list": (AS_LIST, {"loss": ["mse", "mae"], "metrics": ["mse", "mae"]}, TWO, {}),
    "subclassed dict": (
        AS_DICT,
        {"loss": {"q": "mse", "p": "mae"}, "metrics": {"p": "mae"}, "loss_weights": {"q": 2.0, "p": 0.5}},
        {"q": Y1, "p": Y2},
        {},
    ),
    "subclassed nest": (
        subclassed(lambda a, b: [[a, b], b]),
        {"loss": [["mse", "mae"], "mae"]},
        [[Y1, Y2], Y2],
        {},
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_history_and_evaluation(row):
    build, compile_args, y, fit_args = ROWS[row]
    ours, theirs = pair(build, **compile_args)
    size = 7 if isinstance(y, np.ndarray) else 5
    run = {"epochs": 3, "batch_size": size, "shuffle": False, "verbose": 0, **fit_args}
    histories = [model.fit(X, y, **run) for model in (ours, theirs)]
    assert histories[0].epoch == histories[1].epoch
    assert_same(histories[0].history, histories[1].history)
    assert ours.metrics_names == theirs.metrics_names
    weights = {"sample_weight": fit_args["sample_weight"]} if "sample_weight" in fit_args else {}
    values = [model.evaluate(X, y, batch_size=size - 1, verbose=0, **weights) for model in (ours, theirs)]
    assert_same(*values)
    logs = [model.evaluate(X, y, verbose=0, return_dict=True) for model in (ours, theirs)]
    assert_same(*logs)


def test_losses_of_outputs_with_a_smaller_last_batch():
    """In a graph, Keras's default, where no size of a batch is known, each batch counts once in an output's loss."""
    models = pair(LIST, loss="mse", run_eagerly=False)
    assert_same(*[model.fit(X, TWO, batch_size=7, shuffle=False, verbose=0).history for model in models])


@pytest.mark.parametrize("row", ["metrics", "two, metrics", "class weight"])
def test_on_batch(row):
    build, compile_args, y, fit_args = ROWS[row]
    ours, theirs = pair(build, **compile_args)
    for return_dict in (False, True):
        assert_same(*[model.train_on_batch(X, y, return_dict=return_dict, **fit_args) for model in (ours, theirs)])
        assert_same(*[model.test_on_batch(X, y, return_dict=return_dict) for model in (ours, theirs)])


@pytest.mark.parametrize("arguments", [{}, {"validation_split": 0.3}, {"epochs": 1}, {"batch_size": 20}])
def test_lines_of_fit(arguments):
    models = pair(dense(), loss="mse", metrics=["mae"])
    run = {"epochs": 2, "batch_size": 7, "shuffle": False, "verbose": 2, **arguments}
    ours, theirs = [printed(lambda: model.fit(X, Y1, **run)) for model in models]
    assert ours == theirs


@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # Keras at the end of every generator
def test_lines_of_evaluate_and_predict():
    models = pair(dense(), loss="mse", metrics=["mae"])
    for call in (
        lambda m: m.evaluate(X, Y1, batch_size=7, verbose=2),
        lambda m: m.predict(X, batch_size=7, verbose=2),
        lambda m: m.fit(((X, Y1) for _ in range(3)), verbose=2, shuffle=False),
    ):
        ours, theirs = [printed(lambda: call(model)) for model in models]
        assert ours == theirs
