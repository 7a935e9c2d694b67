"""Files that one library writes and the other reads."""

import tempfile
from pathlib import Path

import numpy as np

from parity.case import Finding, register
from parity.compare import close, inputs_for, same
from parity.libraries import both


def compare_files(case):
    """Weights and whole models, from each library to the other: the same outputs before and after."""
    theirs, ours = (case.build(keras) for keras in both())
    x = inputs_for(theirs)
    findings = []
    with tempfile.TemporaryDirectory() as folder:
        for name, writer, reader in (("keras to kerasish", theirs, ours), ("kerasish to keras", ours, theirs)):
            path = str(Path(folder) / f"{name.replace(' ', '_')}.weights.h5")
            writer.save_weights(path)
            reader.set_weights([w + 1 for w in reader.get_weights()])
            reader.load_weights(path)
            findings.append(
                same(
                    f"weights, {name}",
                    True,
                    all(np.array_equal(a, b) for a, b in zip(writer.get_weights(), reader.get_weights())),
                )
            )
        findings += _whole_models(folder, theirs, ours, x)
    return findings


def _whole_models(folder, theirs, ours, x):
    findings = []
    for name, writer, keras in zip(("keras to kerasish", "kerasish to keras"), (theirs, ours), reversed(both())):
        path = str(Path(folder) / f"{name.replace(' ', '_')}.keras")
        writer.save(path)
        again = keras.models.load_model(path)
        findings.append(close(f"model, {name}", writer(x), again(x), 1e-5))
        kept = again.optimizer is not None and int(again.optimizer.iterations) == int(writer.optimizer.iterations)
        findings.append(Finding(f"optimizer, {name}", kept))
    return findings


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
