"""Files that one library writes and the other reads."""

import tempfile
from pathlib import Path

import numpy as np

from parity.case import Finding, register
from parity.compare import close, inputs_for, same
from parity.libraries import each, sides, tolerated


def compare_files(case):
    """Weights and whole models, from each library to the other: the same outputs before and after."""
    theirs, ours = each(case.build)
    x = inputs_for(theirs)
    findings = []
    with tempfile.TemporaryDirectory() as folder:
        for name, writer, reader in _ways(theirs, ours):
            findings.append(_weights(Path(folder) / f"{name.replace(' ', '_')}.weights.h5", name, writer, reader))
        for name, writer, reader in _ways(theirs, ours):
            findings += _whole_model(Path(folder) / f"{name.replace(' ', '_')}.keras", name, writer, reader, x)
    return findings


def _ways(theirs, ours):
    """Name, writer and reader of both ways, each a model and where it lives."""
    there, here = zip((theirs, ours), sides())
    return ("keras to kerasish", there, here), ("kerasish to keras", here, there)


def _weights(path, name, writer, reader):
    """Whether the weights that one saves are those that the other has after loading them."""
    (saved, place), (loaded, other) = writer, reader
    with place.at():
        saved.save_weights(str(path))
        want = saved.get_weights()
    with other.at():
        loaded.set_weights([w + 1 for w in loaded.get_weights()])
        loaded.load_weights(str(path))
        got = loaded.get_weights()
    return same(f"weights, {name}", True, all(np.array_equal(a, b) for a, b in zip(want, got)))


def _whole_model(path, name, writer, reader, x):
    """Whether a model that one saves gives the same in the other, and goes on training where it was."""
    (saved, place), (_, other) = writer, reader
    with place.at():
        saved.save(str(path))
        want, steps = np.array(saved(x)), int(saved.optimizer.iterations)
    with other.at():
        other.keras.utils.clear_session()
        again = other.keras.models.load_model(str(path))
        findings = [close(f"model, {name}", want, np.array(again(x)), tolerated(1e-5))]
        kept = again.optimizer is not None and int(again.optimizer.iterations) == steps
    return [*findings, Finding(f"optimizer, {name}", kept)]


@register(compare_files, "files", "convnet with batch normalization, trained a step")
def _convnet(keras):
    L = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            L.Conv2D(4, 3, activation="relu"),
            L.BatchNormalization(),
            L.Flatten(),
            L.Dropout(0.2),
            L.Dense(3),
        ],
        name="net",
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.train_on_batch(np.ones((2, 8, 8, 2), "float32"), np.ones((2, 3), "float32"))
    return model


@register(compare_files, "files", "functional with a nested and a shared part")
def _nested(keras):
    L = keras.layers
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    tower = keras.Sequential([keras.Input((6,)), L.Dense(4, activation="relu"), L.Dense(3)], name="tower")
    model = keras.Model([a, b], L.Dense(1)(L.Concatenate()([tower(a), tower(b)])), name="twin")
    model.compile("sgd", "mse")
    return model
