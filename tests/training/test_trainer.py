"""What users override, what is refused and how, generators and data sets in fit, predictions."""

import gc
import re
import warnings

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import kerasish as keras
from kerasish import ops
from tests.training.twins import LABELS, WEIGHTS, Y1, Y2, X, assert_same, dense, pair, subclassed, two_outputs

MSE = {"optimizer": "sgd", "loss": "mse"}


def compiled(build=dense(), **kwargs):
    model = build(keras)
    model.compile(**{**MSE, **kwargs})
    return model


FIT = {"verbose": 0, "shuffle": False}
BATCHES = [(X[i : i + 5], Y1[i : i + 5]) for i in range(0, 20, 5)]

REFUSED = {
    "not compiled, fit": (lambda m: dense()(keras).fit(X, Y1), "You must call `compile"),
    "not compiled, evaluate": (lambda m: dense()(keras).evaluate(X, Y1), "You must call `compile"),
    "not compiled, train": (lambda m: dense()(keras).train_on_batch(X, Y1), "You must call `compile"),
    "not compiled, test": (lambda m: dense()(keras).test_on_batch(X, Y1), "You must call `compile"),
    "sample counts": (lambda m: m.fit(X, Y1[:3], **FIT), "'x' sizes: 20\n'y' sizes: 3"),
    "no targets": (lambda m: m.fit(X, **FIT), "No targets: y is None, but .*loss='mse'"),
    "no data": (lambda m: m.fit(None, None, **FIT), "No data: x is None"),
    "split of a generator": (lambda m: m.fit(iter(BATCHES), validation_split=0.2, **FIT), "only supported for tensors"),
    "split too small": (lambda m: m.fit(X, Y1, validation_split=0.99, **FIT), "contains 20 samples"),
    "weights' size": (lambda m: m.fit(X, Y1, sample_weight=np.ones(3), **FIT), "'sample_weight' sizes: 3"),
    "both weights": (
        lambda m: m.fit(X, Y1, class_weight={0: 1.0}, sample_weight=WEIGHTS, **FIT),
        "`class_weight` and `sample_weight`",
    ),
    "both weights of a batch": (
        lambda m: m.train_on_batch(X, Y1, sample_weight=WEIGHTS, class_weight={0: 1.0}),
        "cannot be specified at the same time",
    ),
    "class weight of a generator": (lambda m: m.fit(iter(BATCHES), class_weight={0: 1.0}, **FIT), "not supported"),
    "empty arrays": (lambda m: m.fit(X[:0], Y1[:0], **FIT), r"fit\(\) received no samples: x has shape \(0, 4\)"),
    "empty evaluation": (lambda m: m.evaluate(X[:0], Y1[:0]), r"evaluate\(\) received no samples"),
    "validation frequency": (lambda m: m.fit(X, Y1, validation_freq="a", **FIT), "list or int"),
    "validation frequency 0": (lambda m: m.fit(X, Y1, validation_freq=0, **FIT), "at least 1"),
    "rank": (lambda m: m.fit(X[:, :, None, None], Y1, **FIT), r"None, 4, 1, 1|20, 4, 1, 1"),
    "features": (lambda m: m.fit(X[:, :3], Y1, **FIT), "4.*3"),
    "unknown argument": (lambda m: m.evaluate(X, Y1, foo=1), "not recognized"),
    "steps per execution": (lambda m: m.compile("sgd", steps_per_execution=0), "at least 1"),
    "optimizer": (lambda m: m.compile("nonsense"), "nonsense"),
    "no optimizer": (lambda m: (m.compile(None, "mse"), m.fit(X, Y1, **FIT)), "optimizer=None"),
    "no loss": (lambda m: (m.compile("sgd"), m.fit(X, Y1, **FIT)), "No loss to compute"),
    "loss name": (lambda m: (m.compile("sgd", "nonsense"), m.fit(X, Y1, **FIT)), "nonsense"),
    "loss of another output": (lambda m: (m.compile("sgd", {"z": "mse"}), m.fit(X, Y1, **FIT)), r"\['z'\]"),
    "two losses": (lambda m: (m.compile("sgd", ["mse", "mae"]), m.fit(X, Y1, **FIT)), "more entries"),
    "loss weights' type": (lambda m: m.compile("sgd", "mse", loss_weights="a"), "loss_weights"),
    "loss weights' number": (
        lambda m: (m.compile("sgd", "mse", loss_weights=[1.0, 2.0]), m.fit(X, Y1, **FIT)),
        "got 1 losses and 2 weights",
    ),
    "metrics' type": (lambda m: m.compile("sgd", "mse", metrics="mae"), "list, tuple, or dict"),
    "metric name": (lambda m: (m.compile("sgd", "mse", metrics=["nonsense"]), m.fit(X, Y1, **FIT)), "nonsense"),
    "metric None": (lambda m: (m.compile("sgd", "mse", metrics=[None]), m.fit(X, Y1, **FIT)), "received `None`"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_refused(row):
    call, match = REFUSED[row]
    with pytest.raises(ValueError, match=re.compile(match, re.DOTALL)):
        call(compiled())


TWO = [Y1, Y2]
REFUSED_FOR_TWO = {
    "unknown loss key": ({"loss": {"a": "mse", "c": "mae"}}, TWO, ValueError, r"Expected keys \['a', 'b'\]"),
    "missing loss key": ({"loss": {"a": "mse"}}, TWO, ValueError, r"Expected keys \['a', 'b'\]"),
    "three losses": ({"loss": ["mse"] * 3}, TWO, KeyError, "'a', 'b'"),
    "unknown metric key": ({"metrics": {"c": ["mae"]}}, TWO, ValueError, "'a', 'b'"),
    "three metrics": ({"metrics": ["mae"] * 3}, TWO, ValueError, "'a', 'b'"),
    "one metric": ({"metrics": ["mae"]}, TWO, ValueError, "'a', 'b'"),
    "missing weight": (
        {"loss": {"a": "mse", "b": "mae"}, "loss_weights": {"a": 0.5}},
        TWO,
        KeyError,
        "says nothing about the output 'b'",
    ),
    "missing target": ({}, [Y1], KeyError, "no target for it"),
    "unknown target": ({}, {"a": Y1, "c": Y2}, KeyError, "'c'"),
    "one target": ({}, Y1, KeyError, "`y` is one thing"),
}


@pytest.mark.parametrize("row", REFUSED_FOR_TWO)
def test_refused_for_two_outputs(row):
    compile_args, y, error, match = REFUSED_FOR_TWO[row]
    with pytest.raises(error, match=match):
        compiled(two_outputs("list"), **compile_args).fit(X, y, **FIT)


def test_class_weight_needs_one_output():
    with pytest.raises(ValueError, match="single output"):
        compiled(two_outputs("list")).fit(X, TWO, class_weight={0: 1.0}, **FIT)


def test_conflicting_modes_warn():
    with pytest.warns(UserWarning, match="jit_compile"):
        compiled(jit_compile=True, run_eagerly=True)


def test_weights_of_a_broadcast_loss():
    """One loss for all outputs with a weight for each, which Keras refuses."""
    model = compiled(two_outputs("list"), loss_weights=[0.5, 2.0])
    logs = model.test_on_batch(X, TWO, return_dict=True)
    assert logs["loss"] == pytest.approx(0.5 * logs["a_loss"] + 2 * logs["b_loss"], rel=1e-6)


def test_generators_and_data_sets_agree_with_arrays():
    class Rows(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return BATCHES[i]

    class Stream:
        def __iter__(self):
            return iter(BATCHES)

    expected = None
    for source in (lambda: iter(BATCHES), Rows, Stream, lambda: (batch for batch in BATCHES)):
        keras.utils.set_random_seed(0)
        model = compiled()
        loss = model.fit(source(), **FIT).history["loss"]
        loss.append(model.evaluate(source(), verbose=0))
        outputs = model.predict(source(), verbose=0)
        if expected is None:
            keras.utils.set_random_seed(0)
            model = compiled()
            expected = model.fit(X, Y1, batch_size=5, **FIT).history["loss"]
            expected.append(model.evaluate(X, Y1, batch_size=5, verbose=0))
        np.testing.assert_allclose(loss, expected, rtol=1e-6)
        assert outputs.shape == (20, 1)


def test_endless_generator():
    def forever():
        while True:
            yield X, Y1

    model = compiled()
    history = model.fit(
        forever(), steps_per_epoch=2, epochs=2, validation_data=forever(), validation_steps=1, verbose=0
    )
    assert list(map(len, history.history.values())) == [2, 2]
    assert model.predict(forever(), steps=2, verbose=0).shape == (40, 1)
    assert model.evaluate(forever(), steps=2, verbose=0) > 0


def test_exhausted_generator_ends_training():
    with pytest.warns(UserWarning, match="ran out of data"):
        history = compiled().fit(iter(BATCHES), epochs=3, **FIT)
    assert history.epoch == [0]


def test_data_sets_of_torch():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y1))
    model = compiled()
    loss = model.fit(torch.utils.data.DataLoader(data, batch_size=6), **FIT).history["loss"][0]
    assert np.isfinite(loss)
    assert model.predict(torch.tensor(X), verbose=0).shape == (20, 1)


def test_shuffle_follows_the_seed():
    losses = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        losses.append(compiled().fit(X, Y1, batch_size=3, epochs=2, verbose=0).history["loss"])
    assert losses[0] == losses[1]


def test_predict_values():
    ours, theirs = pair(dense(3, "softmax"), loss="mse")
    for size in (7, 20, 100):
        assert_same(ours.predict(X, batch_size=size, verbose=0), theirs.predict(X, batch_size=size, verbose=0))
    assert_same(ours.predict_on_batch(X[:2]), theirs.predict_on_batch(X[:2]))
    assert ours.predict(X[:0], verbose=0).shape == (0, 3)


def test_predict_structure():
    model = two_outputs("dict")(keras)
    outputs = model.predict(X, batch_size=7, verbose=0)
    assert {name: y.shape for name, y in outputs.items()} == {"x": (20, 1), "w": (20, 2)}
    assert all(type(y) is np.ndarray for y in outputs.values())
    a, b = two_outputs("list")(keras).predict(X, verbose=0)
    assert (a.shape, b.shape) == ((20, 1), (20, 2))


def test_predictions_are_the_users_own():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Activation("linear")])
    x = X.copy()
    outputs = model.predict(x, verbose=0)
    outputs[:] = 0
    np.testing.assert_array_equal(x, X)


def test_predict_keeps_nothing():
    model = dense()(keras)
    for _ in range(12):  # by then the pass has been recorded, once for all
        model.predict(X, verbose=0)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(200):
        model.predict(X, verbose=0)
    gc.collect()
    assert len(gc.get_objects()) - before < 20


def test_train_step_of_ones_own():
    class Custom(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)
            self.tracker = keras.metrics.Mean(name="tracked")

        def call(self, x, training=False):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with keras.GradientTape() as tape:
                loss = ops.mean((y - self(x, training=True)) ** 2)
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
            self.tracker.update_state(loss)
            return {"mine": loss, "tracked": self.tracker.result(), "two": 2.0}

        def test_step(self, data):
            return {"tested": 1}

    model = Custom()
    model.compile("sgd")
    history = model.fit(X, Y1, epochs=2, validation_data=(X, Y1), **FIT).history
    assert list(history) == ["mine", "tracked", "two", "val_tested"]
    assert history["mine"][1] < history["mine"][0]
    assert model.metrics_names == ["loss", "tracked"]
    assert model.evaluate(X, Y1, verbose=0) == 1.0


def test_parts_of_ones_own():
    calls = []

    class Custom(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x, training=False):
            calls.append(training)
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return ops.mean((y - y_pred) ** 2) + 1.0

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "mine": 3.0}

        def train_step(self, data):
            assert len(data) == 3
            return super().train_step(data)

    model = Custom()
    model.compile("sgd", metrics=["mse"])
    history = model.fit(X, Y1, sample_weight=WEIGHTS, **FIT).history
    assert list(history) == ["loss", "mine", "mse"]
    assert history["loss"][0] == pytest.approx(history["mse"][0] + 1.0, rel=1e-6)
    assert calls[-1] is True
    model.evaluate(X, Y1, verbose=0)
    assert calls[-1] is False


def test_evaluate_of_ones_own_is_used_by_fit():
    class Custom(keras.Sequential):
        def evaluate(self, *args, **kwargs):
            return {"other": 7.0, **super().evaluate(*args, **kwargs)}

    model = Custom([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(**MSE)
    assert list(model.fit(X, Y1, validation_split=0.2, **FIT).history) == ["loss", "val_loss", "val_other"]


class Penalty(keras.layers.Layer):
    def call(self, x):
        self.add_loss(ops.mean(x**2))
        return x


class Penalized(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.penalty = keras.layers.Dense(2), Penalty()

    def call(self, x):
        return self.penalty(self.dense(x))


@pytest.mark.parametrize("symbolic", [False, True])
def test_add_loss_without_a_loss(symbolic):
    layers = [keras.Input((4,)), keras.layers.Dense(2), Penalty()]
    model = keras.Sequential(layers) if symbolic else Penalized()
    model.compile("sgd")
    losses = model.fit(X, epochs=3, **FIT).history["loss"]
    assert losses[2] < losses[0]


def test_frozen_model_warns():
    model = compiled()
    model.trainable = False
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        model.fit(X, Y1, **FIT)


def test_frozen_layer_stays():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, trainable=False), keras.layers.Dense(1)])
    model.compile(**MSE)
    before = model.get_weights()
    model.fit(X, Y1, **FIT)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert (before[2] != after[2]).any()


def test_learning_goes_on_after_compile():
    model = compiled()
    first = model.fit(X, Y1, epochs=5, **FIT).history["loss"]
    model.compile("adam", "mae", metrics=["mse"])
    second = model.fit(X, Y1, epochs=1, **FIT).history["mse"]
    assert second[0] < first[0]


def test_compile_config_round_trip():
    ours, theirs = pair(dense(), loss="mse", metrics=["mae"], weighted_metrics=["mae"], loss_weights=0.5)
    found, expected = ours.get_compile_config(), theirs.get_compile_config()
    assert list(found) == list(expected)
    for config in (found, expected):
        del config["optimizer"], config["run_eagerly"]
    assert found == expected
    assert dense()(keras).get_compile_config() == {}
    model = dense()(keras)
    model.compile_from_config(ours.get_compile_config())
    model.set_weights(ours.get_weights())
    assert model.evaluate(X, Y1, verbose=0) == ours.evaluate(X, Y1, verbose=0)


def test_targets_of_labels_in_any_shape():
    model = compiled(dense(3, "softmax"), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    values = [
        model.evaluate(X, y, verbose=0) for y in (LABELS, LABELS[:, None], LABELS.tolist(), LABELS.astype("int8"))
    ]
    assert all(value == values[0] for value in values)


def test_subclassed_model_is_built_before_callbacks_see_it():
    class See(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.weights = len(self.model.get_weights())

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    see, model = See(), Model()
    model.compile(**MSE)
    model.fit(X, Y1, callbacks=[see], **FIT)
    assert see.weights == 2


def test_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = compiled(metrics=["mae"])
        model.fit(X, Y1, epochs=2, validation_split=0.2, **FIT)
        model.predict(X, verbose=0)
        compiled(subclassed(lambda a, b: a + b), loss="mse").predict(X, verbose=0)


@pytest.fixture
def limits():
    yield keras.config
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)


def test_limits_of_the_configuration(limits):
    limits.set_max_epochs(2)
    limits.set_max_steps_per_epoch(3)
    model = compiled()
    with pytest.warns(UserWarning, match="Limiting epochs to 2"), pytest.warns(UserWarning, match="per_epoch to 3"):
        history = model.fit(X, Y1, batch_size=2, epochs=5, **FIT)
    assert (history.epoch, history.params["steps"]) == ([0, 1], 3)
    with pytest.warns(UserWarning, match="Limiting steps_per_epoch to 3"):
        assert model.predict(X, batch_size=2, verbose=0).shape == (6, 1)


def test_one_target_for_the_only_loss():
    model = compiled(two_outputs("list"), loss=["mse", None])
    assert model.evaluate(X, Y1, verbose=0) == model.evaluate(X, [Y1, None], verbose=0)


class Looking(keras.Model):
    """Notes the kind of data that each step gets."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def look(self, data):
        self.seen.append(tuple(None if part is None else "x" for part in data) if isinstance(data, tuple) else "x")
        return {"loss": 0.0}

    train_step = test_step = look


def test_data_as_steps_get_them():
    class Rows(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, i):
            return X

    class Stream:
        def __iter__(self):
            return iter([X])

    model = Looking()
    model.compile()
    for x in (X, {"a": X}, [X, X], (X,), Rows(), Stream(), iter([(X,)])):
        model.fit(x, **FIT)
    model.fit(X, Y1, **FIT)
    model.train_on_batch(X)
    bare, x, xy = "x", ("x",), ("x", "x")
    assert model.seen == [bare, bare, x, x, x, bare, x, xy, ("x", None, None)]


@pytest.mark.parametrize("quiet", ["", "1"])
def test_compile_time_is_told_once(quiet, monkeypatch, capsys):
    monkeypatch.setenv("KERASISH_QUIET", quiet)
    reports = iter([(0, 0.0), (6, 3.14), (6, 3.14)])
    monkeypatch.setattr("kerasish.device.natives.compile_report", lambda: next(reports))
    compiled().fit(X, Y1, epochs=2, verbose=2)
    printed = capsys.readouterr()
    assert printed.err == ("" if quiet else "kerasish: compiled 6 kernels in 3.1 s (cached for next time)\n")
    assert len(printed.out.splitlines()) == 4
