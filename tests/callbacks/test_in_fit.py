"""Callbacks in fit, evaluate and predict: the order of calls, and the ones that need a real model."""

import itertools
import os
import sys

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras as real

import kerasish
from kerasish.callbacks.monitor_callback import direction_of

X = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(20, 1)).astype("float32")
METHODS = [f"on_{kind}_{end}" for kind in ("train", "test", "predict") for end in ("begin", "end")]
NUMBERED = [
    f"on_{kind}_{end}" for kind in ("train_batch", "test_batch", "predict_batch", "epoch") for end in ("begin", "end")
]


def compiled(keras=kerasish, optimizer=None, **kwargs):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(optimizer or keras.optimizers.SGD(0.1), "mse", metrics=["mae"], **kwargs)
    return model


def recorder(keras, events):
    """A callback of either library that notes each call and the names in its logs."""

    def plain(name):
        return lambda self, logs=None: events.append((name, None if logs is None else list(logs)))

    def numbered(name):
        return lambda self, number, logs=None: events.append((name, number, None if logs is None else list(logs)))

    methods = {**{name: plain(name) for name in METHODS}, **{name: numbered(name) for name in NUMBERED}}
    return type("Recorder", (keras.callbacks.Callback,), methods)()


RUNS = {
    "fit": lambda m, c: m.fit(X, Y, batch_size=5, validation_data=(X, Y), epochs=2, callbacks=[c], verbose=0),
    "evaluate": lambda m, c: m.evaluate(X, Y, batch_size=5, callbacks=[c], verbose=0),
    "predict": lambda m, c: m.predict(X, batch_size=5, callbacks=[c], verbose=0),
    "not in a list": lambda m, c: m.fit(X, Y, batch_size=5, callbacks=c, verbose=0),
}


@pytest.mark.parametrize("steps_per_execution", [1, 2])
@pytest.mark.parametrize("row", RUNS)
def test_order_of_calls(row, steps_per_execution):
    found = []
    for keras in (kerasish, real):
        events = []
        callback = recorder(keras, events)
        RUNS[row](compiled(keras, steps_per_execution=steps_per_execution), callback)
        found.append((events, callback.params))
    assert found[0] == found[1]


def test_batch_hooks_by_their_short_names():
    class Short(kerasish.callbacks.Callback):
        seen = ()

        def on_batch_end(self, batch, logs=None):
            self.seen += (batch, sorted(logs))

    callback = Short()
    compiled().fit(X, Y, batch_size=10, callbacks=[callback], verbose=0)
    assert callback.seen == (0, ["loss", "mae"], 1, ["loss", "mae"])


def test_values_of_batches_are_those_of_the_epoch_so_far():
    values = []
    for keras in (kerasish, real):
        seen = []
        tell = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
        compiled(keras).fit(X, Y, batch_size=5, shuffle=False, callbacks=[tell], verbose=0)
        values.append(seen)
    np.testing.assert_allclose(*values, rtol=1e-5)


def test_stop_in_an_epoch():
    class Stop(kerasish.callbacks.Callback):
        batches = 0

        def on_train_batch_end(self, batch, logs=None):
            self.batches += 1
            self.model.stop_training = batch == 1

    callback = Stop()
    history = compiled().fit(X, Y, batch_size=5, epochs=3, callbacks=[callback], verbose=0)
    assert (callback.batches, history.epoch) == (2, [0])


def test_history_of_the_model():
    model = compiled()
    history = model.fit(X, Y, epochs=2, verbose=0)
    assert model.history is history
    assert history.params == {"verbose": 0, "epochs": 2, "steps": 1}
    own = kerasish.callbacks.History()
    assert model.fit(X, Y, verbose=0, callbacks=[own]) is own


def test_direction_of_every_metric():
    needed = {"MeanMetricWrapper": (abs,), "IoU": (2, [0]), "OneHotIoU": (2, [0])}
    needed.update(dict.fromkeys(["MeanIoU", "OneHotMeanIoU"], (2,)))
    at = "PrecisionAtRecall RecallAtPrecision SensitivityAtSpecificity SpecificityAtSensitivity"
    needed.update(dict.fromkeys(at.split(), (0.5,)))
    for name, ours in vars(kerasish.metrics).items():
        if isinstance(ours, type) and issubclass(ours, kerasish.metrics.Metric) and ours is not kerasish.metrics.Metric:
            theirs = getattr(real.metrics, name)(*needed.get(name, ()))
            assert direction_of(ours(*needed.get(name, ()))) == getattr(theirs, "_direction", None), name


@pytest.mark.parametrize("monitor", ["loss", "val_loss", "mae", "val_mae"])
def test_direction_is_found(monitor):
    stop = kerasish.callbacks.EarlyStopping(monitor, patience=5)
    compiled().fit(X, Y, validation_data=(X, Y), callbacks=[stop], verbose=0)
    assert stop.monitor_op(1, 2)


def test_learning_rates_in_history():
    histories = []
    for keras in (kerasish, real):
        callbacks = [
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5),
            keras.callbacks.ReduceLROnPlateau("loss", patience=0, min_delta=10.0),
        ]
        histories.append(compiled(keras).fit(X, Y, epochs=4, callbacks=callbacks, verbose=0, shuffle=False).history)
    assert list(histories[0]) == list(histories[1])
    for name in histories[0]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-5)


def test_scheduled_rate_cannot_be_set():
    optimizer = kerasish.optimizers.SGD(kerasish.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9))
    with pytest.raises(TypeError, match="not settable"):
        compiled(optimizer=optimizer).fit(
            X, Y, verbose=0, callbacks=[kerasish.callbacks.LearningRateScheduler(lambda e: 0.1)]
        )


@pytest.mark.parametrize("swap_on_epoch, use_ema", list(itertools.product([True, False], repeat=2)))
def test_swap_ema_weights(swap_on_epoch, use_ema):
    found = []
    for keras in (kerasish, real):
        model = compiled(keras, keras.optimizers.SGD(0.1, use_ema=use_ema, ema_momentum=0.5))
        seen = []

        def look(number=None, logs=None):
            seen.append(np.ravel(model.get_weights()[0])[0])

        names = ("on_epoch_begin", "on_epoch_end", "on_test_begin", "on_test_end", "on_train_end")
        watch = keras.callbacks.LambdaCallback(**dict.fromkeys(names, lambda *args, **kwargs: look()))
        try:
            callbacks = [keras.callbacks.SwapEMAWeights(swap_on_epoch), watch]
            model.fit(
                X, Y, epochs=3, batch_size=10, shuffle=False, validation_split=0.2, verbose=0, callbacks=callbacks
            )
            model.evaluate(X, Y, verbose=0, callbacks=callbacks)
            found.append(seen)
        except ValueError as error:
            found.append(str(error)[:60])
    if use_ema:
        np.testing.assert_allclose(*found, rtol=1e-5)
    else:
        assert found[0] == found[1]


class Interrupt(kerasish.callbacks.Callback):
    """Raises at a batch of an epoch, once."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at, self.seen = (epoch, batch), []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.seen.append(epoch)

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            self.at = None
            raise KeyboardInterrupt


@pytest.mark.parametrize("double", [False, True])
def test_backup_and_restore(double, tmp_path):
    directory = tmp_path / "backup"
    straight = compiled().fit(X, Y, epochs=4, shuffle=False, verbose=0).history["loss"]
    interrupt = Interrupt(2, 0)
    for attempt in range(2):
        model = compiled()
        backup = kerasish.callbacks.BackupAndRestore(directory, double_checkpoint=double)
        run = lambda: model.fit(X, Y, epochs=4, shuffle=False, verbose=0, callbacks=[backup, interrupt])
        if attempt == 0:
            with pytest.raises(KeyboardInterrupt):
                run()
            assert len(os.listdir(directory)) == (4 if double else 2)
        else:
            history = run()
    assert history.epoch == [2, 3]
    assert interrupt.seen == [0, 1, 2, 2, 3]
    np.testing.assert_allclose(history.history["loss"], straight[2:], rtol=1e-6)
    assert not directory.exists()
    assert model.fit(X, Y, verbose=0).epoch == [0]


def test_backup_falls_back_on_the_one_before(tmp_path):
    interrupt = Interrupt(3, 0)
    callbacks = [kerasish.callbacks.BackupAndRestore(tmp_path, double_checkpoint=True), interrupt]
    with pytest.raises(KeyboardInterrupt):
        compiled().fit(X, Y, epochs=4, verbose=0, callbacks=callbacks)
    (tmp_path / "latest.weights.h5").write_bytes(b"cut short")
    with pytest.warns(UserWarning, match="cannot be read"):
        compiled().fit(X, Y, epochs=4, verbose=0, callbacks=callbacks)
    assert interrupt.seen == [0, 1, 2, 3, 2, 3]


@pytest.mark.parametrize("step", ["weights moved", "metadata moved", "weights written"])
def test_backup_killed_while_it_is_written(step, tmp_path, monkeypatch):
    """The third backup, at each place where it can stop: training goes on with the numbers of a straight run."""
    straight = compiled().fit(X, Y, epochs=4, shuffle=False, verbose=0).history["loss"]
    model = compiled()
    backup = kerasish.callbacks.BackupAndRestore(tmp_path, double_checkpoint=True)
    calls = []

    def saved(*arguments, **options):
        save_weights(*arguments, **options)
        calls.append("saved")
        if calls.count("saved") == 3:
            raise KeyboardInterrupt

    replace = os.replace
    moves = {"weights moved": "latest.weights.h5", "metadata moved": "training_metadata.json"}

    def moved(source, target):
        name = os.path.basename(source)
        replace(source, target)
        if str(target).endswith(".bkp") and name == moves.get(step):
            calls.append(name)
            if calls.count(name) == 2:  # there is nothing to move at the first backup
                raise KeyboardInterrupt

    if step == "weights written":
        save_weights = model.save_weights
        monkeypatch.setattr(type(model), "save_weights", lambda self, *args, **options: saved(*args, **options))
    else:
        monkeypatch.setattr(os, "replace", moved)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=4, shuffle=False, verbose=0, callbacks=[backup])
    monkeypatch.undo()
    again = kerasish.callbacks.BackupAndRestore(tmp_path, double_checkpoint=True)
    history = compiled().fit(X, Y, epochs=4, shuffle=False, verbose=0, callbacks=[again])
    assert history.epoch == [2, 3]
    np.testing.assert_allclose(history.history["loss"], straight[2:], rtol=1e-6)


def test_checkpoints_can_be_loaded(tmp_path):
    model = compiled()
    callbacks = [
        kerasish.callbacks.ModelCheckpoint(tmp_path / "sub" / "{epoch}.keras"),
        kerasish.callbacks.ModelCheckpoint(
            tmp_path / "best.weights.h5", "loss", save_weights_only=True, save_best_only=True
        ),
    ]
    model.fit(X, Y, epochs=2, verbose=0, callbacks=callbacks)
    loaded = kerasish.models.load_model(tmp_path / "sub" / "2.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    other = compiled()
    other.load_weights(tmp_path / "best.weights.h5")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


class Terminal:
    """A stdout that is a terminal."""

    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True


def test_bar_on_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    compiled().fit(X, Y, batch_size=5, verbose=1)
    monkeypatch.undo()
    assert "\r" in terminal.text
    first, *_, last = terminal.text.split("\r")[1:]
    assert "1/4" in first and "loss" in first
    assert "4/4" in last and " - mae: " in last


def test_no_values_are_computed_for_a_bar_that_is_not_drawn(capsys):
    bar = kerasish.callbacks.ProgbarLogger()
    bar.set_params({"verbose": 1, "epochs": 1, "steps": 4})
    bar.on_train_begin()
    bar.on_epoch_begin(0)
    assert not bar._wants_logs("train")
