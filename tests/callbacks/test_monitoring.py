"""The callbacks that watch the logs: the same script of logs drives ours and real Keras's, with the same outcome."""

import contextlib
import io
import os
import warnings

import numpy as np
import pytest

import kerasish.callbacks as ours
from kerasish.callbacks.save_frequency import BatchCounter
from kerasish.core.variable import Variable
from tests.callbacks.callback_fakes import FakeModel, run

keras = pytest.importorskip("keras")
theirs = keras.callbacks

LOSSES = [1.0, 0.8, 0.9, 0.85, 0.84, 0.5]
FALLING = [{"loss": 1 - 0.1 * i, "val_loss": value} for i, value in enumerate(LOSSES)]
FLAT = [{"val_loss": 1.0}] * 9
RISING = [{"score": value} for value in (1.0, 1.4, 1.6, 1.7, 1.8)]
NANS = [{"score": value} for value in (float("nan"), 1.4, 1.2, float("nan"), 1.0)]


def drive(library, make, script, batches=0):
    """What a callback does along a script of logs: events, stdout, warnings, error."""
    model = FakeModel(Variable if library is ours else keras.Variable)
    stdout, error = io.StringIO(), None
    with contextlib.redirect_stdout(stdout), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            callback = make(library)
            callback.set_model(model)
            callback.set_params({"epochs": len(script), "verbose": 1, "steps": batches})
            run(callback, model, script, batches)
        except (ValueError, KeyError, OSError, RuntimeError) as e:
            error = type(e)
    messages = [str(w.message) for w in caught if w.category is UserWarning]
    return {"events": model.events, "stdout": stdout.getvalue(), "warnings": messages, "error": error}


ROWS = {
    "stopping": (lambda c: c.EarlyStopping(patience=2, verbose=1), FALLING),
    "stopping, no patience": (lambda c: c.EarlyStopping(verbose=1), FALLING),
    "stopping, restore": (lambda c: c.EarlyStopping(patience=2, restore_best_weights=True, verbose=1), FALLING),
    "stopping, never": (lambda c: c.EarlyStopping(patience=10, restore_best_weights=True, verbose=1), FALLING),
    "stopping, baseline": (lambda c: c.EarlyStopping(patience=2, baseline=0.1, verbose=1), FALLING),
    "stopping, later": (lambda c: c.EarlyStopping(start_from_epoch=3, verbose=1), FALLING),
    "stopping, max": (lambda c: c.EarlyStopping("score", mode="max", verbose=1), RISING),
    "stopping, min_delta": (lambda c: c.EarlyStopping("score", -0.5, 1, mode="max", verbose=1), RISING),
    "stopping, NaN": (lambda c: c.EarlyStopping("score", patience=1, mode="min", verbose=1), NANS),
    "stopping, missing": (lambda c: c.EarlyStopping("foo", mode="min"), FALLING),
    "stopping, no direction": (lambda c: c.EarlyStopping("foo"), FALLING),
    "stopping, bad mode": (lambda c: c.EarlyStopping(mode="best"), FALLING),
    "plateau": (lambda c: c.ReduceLROnPlateau(patience=1, factor=0.5, verbose=1), FALLING),
    "plateau, cooldown": (
        lambda c: c.ReduceLROnPlateau(patience=1, factor=0.5, cooldown=2, min_lr=0.03, verbose=1),
        FLAT,
    ),
    "plateau, min_delta": (lambda c: c.ReduceLROnPlateau(patience=1, min_delta=0.3, verbose=1), FALLING),
    "plateau, max": (lambda c: c.ReduceLROnPlateau("score", patience=0, mode="max", verbose=1), RISING),
    "plateau, factor": (lambda c: c.ReduceLROnPlateau(factor=1.0), FLAT),
    "plateau, missing": (lambda c: c.ReduceLROnPlateau("foo", mode="min"), FLAT),
    "schedule of two": (lambda c: c.LearningRateScheduler(lambda e, rate: rate * 0.5, verbose=1), FLAT),
    "schedule of one": (lambda c: c.LearningRateScheduler(lambda e: 0.5 / (e + 1), verbose=1), FLAT),
    "schedule, NumPy": (lambda c: c.LearningRateScheduler(lambda e: np.float32(0.3), verbose=1), FLAT),
    "schedule, text": (lambda c: c.LearningRateScheduler(lambda e: "a"), FLAT),
    "schedule, integer": (lambda c: c.LearningRateScheduler(lambda e: 1), FLAT),
    "checkpoint": (lambda c: c.ModelCheckpoint("m_{epoch:02d}_{val_loss:.2f}.keras", verbose=1), FALLING),
    "checkpoint, best": (lambda c: c.ModelCheckpoint("sub/m.keras", verbose=1, save_best_only=True), FALLING),
    "checkpoint, weights": (lambda c: c.ModelCheckpoint("m.weights.h5", save_weights_only=True), FALLING),
    "checkpoint, threshold": (
        lambda c: c.ModelCheckpoint("m.h5", verbose=1, save_best_only=True, initial_value_threshold=0.9),
        FALLING,
    ),
    "checkpoint, missing": (lambda c: c.ModelCheckpoint("m.keras", "foo", mode="min", save_best_only=True), FALLING),
    "checkpoint, no direction": (lambda c: c.ModelCheckpoint("m.keras", "foo", save_best_only=True), FALLING),
    "checkpoint, key": (lambda c: c.ModelCheckpoint("m_{acc}.keras"), FALLING),
    "checkpoint, ending": (lambda c: c.ModelCheckpoint("m.tf"), FALLING),
    "checkpoint, weights' ending": (lambda c: c.ModelCheckpoint("m.h5", save_weights_only=True), FALLING),
    "checkpoint, frequency": (lambda c: c.ModelCheckpoint("m.keras", save_freq="batch"), FALLING),
    "backup, frequency": (lambda c: c.BackupAndRestore("d", save_freq="batch"), FALLING),
    "backup, nowhere": (lambda c: c.BackupAndRestore(""), FALLING),
}


@pytest.mark.parametrize("row", ROWS)
def test_same_as_keras(row, tmp_path, monkeypatch):
    make, script = ROWS[row]
    found = []
    for library in (ours, theirs):
        directory = tmp_path / library.__name__
        directory.mkdir()
        monkeypatch.chdir(directory)
        found.append(drive(library, make, script))
    assert found[0] == found[1]


def test_checkpoint_every_three_batches(tmp_path, monkeypatch):
    make = lambda c: c.ModelCheckpoint("m_{epoch}_{batch}.keras", save_freq=3, verbose=1)
    monkeypatch.chdir(tmp_path)
    assert drive(ours, make, FALLING[:2], batches=7) == drive(theirs, make, FALLING[:2], batches=7)
    assert sorted(os.listdir(tmp_path)) == ["m_1_3.keras", "m_1_6.keras", "m_2_2.keras", "m_2_5.keras"]


@pytest.mark.parametrize(
    "batches",
    [
        [*range(7)] * 2,  # every batch of two epochs
        [1, 3, 5, 7, 1, 3, 5, 7],  # two at a time
        [4, 9, 14, 4, 9, 14],  # more at a time than from one saving to the next
        [3, 7, 9, 3, 7, 9],  # a smaller number at the end
        [0, 0, 0, 0],
    ],
    ids=str,
)
@pytest.mark.parametrize("frequency", [1, 2, 3, 4, 20])
def test_when_a_number_of_batches_is_over(frequency, batches):
    reference = theirs.ModelCheckpoint("m.keras", save_freq=frequency)
    want = [bool(reference._should_save_on_batch(b)) for b in batches]
    counter = BatchCounter(frequency)
    assert [counter.is_due(b) for b in batches] == want


def test_checkpoint_best_of_batches(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make = lambda c: c.ModelCheckpoint("m.keras", "loss", save_freq=3, save_best_only=True)
    saves = [event for event in drive(ours, make, FALLING[:2], batches=7)["events"] if event[0] == "save"]
    assert saves == [("save", "m.keras"), ("save", "m.keras")]


def test_checkpoint_refuses_a_directory(tmp_path):
    (tmp_path / "m.keras").mkdir()
    make = lambda c: c.ModelCheckpoint(tmp_path / "m.keras")
    assert drive(ours, make, FALLING)["error"] is OSError


@pytest.mark.parametrize("append", [False, True])
def test_csv_logger(append, tmp_path):
    logs = [{"a": 1, "b": np.ones(2)}, {"a": 2}, {"b": "x", "a": 0.5}]
    texts = []
    for library in (ours, theirs):
        path = tmp_path / f"{library.__name__}.csv"
        for _ in range(2):
            drive(library, lambda c: c.CSVLogger(path, separator=";", append=append), logs)
        texts.append(path.read_text())
    assert texts[0] == texts[1]
    assert texts[0].count("epoch") == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.0])
@pytest.mark.parametrize("raise_error", [False, True])
def test_terminate_on_nan(value, raise_error, capsys):
    found = []
    for library in (ours, theirs):
        callback = library.TerminateOnNaN(raise_error=raise_error)
        callback.set_model(FakeModel(Variable))
        try:
            callback.on_batch_end(3, {"loss": value})
            found.append((callback.model.stop_training, capsys.readouterr().out))
        except RuntimeError as error:
            found.append(str(error))
    assert found[0] == found[1]


def test_lambda_callback():
    seen = []
    callback = ours.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, logs)), on_test_begin=lambda logs: seen.append("test")
    )
    callbacks = ours.CallbackList([callback], epochs=1, steps=1, verbose=0)
    callbacks.on_epoch_begin(0)
    callbacks.on_epoch_end(0, {"loss": 1.0})
    callbacks.on_test_begin()
    assert seen == [(0, {"loss": 1.0}), "test"]


def test_remote_monitor(monkeypatch):
    requests = pytest.importorskip("requests")
    sent = []
    monkeypatch.setattr(requests, "post", lambda url, **kwargs: sent.append((url, kwargs)))
    ours.RemoteMonitor("http://host").on_epoch_end(2, {"loss": np.float32(0.5)})
    ours.RemoteMonitor("http://host", send_as_json=True).on_epoch_end(2, {"loss": np.ones(2)})
    url = "http://host/publish/epoch/end/"
    assert sent == [
        (url, {"headers": None, "data": {"data": '{"epoch": 2, "loss": 0.5}'}}),
        (url, {"headers": None, "json": {"epoch": 2, "loss": [1.0, 1.0]}}),
    ]


def test_remote_monitor_without_a_server(monkeypatch):
    requests = pytest.importorskip("requests")

    def fail(*args, **kwargs):
        raise requests.exceptions.ConnectionError

    monkeypatch.setattr(requests, "post", fail)
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server at http://localhost:9000"):
        ours.RemoteMonitor().on_epoch_end(0, {})


def test_orbax_says_what_to_use():
    with pytest.raises(NotImplementedError, match="ModelCheckpoint"):
        ours.OrbaxCheckpoint("directory")


def test_list_refuses_what_is_no_callback():
    with pytest.raises(TypeError, match="did you forget"):
        ours.CallbackList([ours.EarlyStopping])
