"""Models of several inputs and outputs: nests of losses, metrics and weights, from arrays and from generators."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from parity.differential.draws import booleans, one, seeds, some
from parity.differential.outcome import plain
from parity.differential.subject import subject

LOSSES = one("mse", "mae", "huber", "log_cosh")
METRICS = one(None, "mae", "mse", ["mae"], ["mse", "mae"], [])


@st.composite
def nest(draw):
    """Data of a model with two outputs, how it is compiled, and what is done with it."""
    return {
        "form": draw(one("list", "dict")),
        "compile": draw(one("list", "dict", "part", "one")),
        "losses": [draw(LOSSES), draw(LOSSES)],
        "metrics": draw(st.one_of(st.none(), st.lists(METRICS, min_size=2, max_size=2))),
        "weighted": draw(st.one_of(st.none(), st.lists(METRICS, min_size=2, max_size=2))),
        "loss_weights": draw(one(None, [0.5, 2.0], [1.0, 0.0])),
        "source": draw(one("arrays", "generator", "sequence", "steps")),
        "weights": draw(one(None, "each", "all")),
        "validation": draw(one(None, "split", "data", "weighted")),
        "optimizer": draw(one(("SGD", {"learning_rate": 0.05}), ("Adam", {"learning_rate": 0.01}))),
        "schedule": draw(one(None, "by epoch", "by epoch and rate")),
        "log": draw(booleans),
        "fit": draw(some(epochs=one(1, 2, 3), shuffle=booleans, initial_epoch=one(1), validation_freq=one(2, [1, 3]))),
        "batch": draw(one(4, 5)),
        "eager": draw(one(True, True, True, False)),
        "seed": draw(seeds),
    }


def _model(keras, data):
    L = keras.layers
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    joined = L.Concatenate(name="joined")([L.Dense(4, activation="tanh", name="body")(a), b])
    outputs = {"p": L.Dense(2, name="p")(joined), "q": L.Dense(1, name="q")(joined)}
    if data["form"] == "list":
        model = keras.Model([a, b], list(outputs.values()))
    else:
        model = keras.Model({"a": a, "b": b}, outputs)
    name, arguments = data["optimizer"]
    model.compile(
        getattr(keras.optimizers, name)(**arguments),
        loss=_nest(data, data["losses"], part=data["compile"] == "part"),
        metrics=_nest(data, data["metrics"]),
        weighted_metrics=_nest(data, data["weighted"]),
        loss_weights=_nest(data, data["loss_weights"]),
        run_eagerly=data["eager"],
    )
    return model


def _nest(data, pair, part=False):
    """A pair as the arguments of `compile` have it."""
    if pair is None:
        return None
    if data["compile"] == "one" and pair == data["losses"]:
        return pair[0]
    if data["compile"] == "one" and pair == data["loss_weights"]:
        return pair[:1]  # one for each is refused by Keras alone
    if data["compile"] == "list" and data["form"] == "list":
        return pair
    return dict(zip("pq"[: 1 if part else 2], pair))


def _data(data, rng, n):
    x = {"a": rng.standard_normal((n, 3)).astype("float32"), "b": rng.standard_normal((n, 2)).astype("float32")}
    y = {"p": rng.standard_normal((n, 2)).astype("float32"), "q": rng.standard_normal((n, 1)).astype("float32")}
    weights = {"each": {"p": rng.random(n).astype("float32"), "q": rng.random(n).astype("float32")}}
    weights["all"] = rng.random(n).astype("float32") if data["compile"] == "one" else weights["each"]
    w = weights.get(data["weights"])
    if data["form"] == "list":
        x, y = list(x.values()), list(y.values())
        w = list(w.values()) if isinstance(w, dict) else w
    return (x, y) if w is None else (x, y, w)


def _part(values, rows):
    if isinstance(values, dict):
        return {k: _part(v, rows) for k, v in values.items()}
    return [_part(v, rows) for v in values] if isinstance(values, (list, tuple)) else values[rows]


def _batches(data, values, n):
    return [tuple(_part(v, slice(i, i + data["batch"])) for v in values) for i in range(0, n, data["batch"])]


def _source(keras, data, values, n):
    """The arguments of `fit` for values in arrays, or in batches."""
    if data["source"] in ("arrays", "steps"):
        steps = {"steps_per_epoch": 2} if data["source"] == "steps" else {}
        return values, {"batch_size": data["batch"], **steps}
    batches = [  # of tuples: TensorFlow has no signature for lists
        tuple(tuple(v) if isinstance(v, list) else v for v in batch) for batch in _batches(data, values, n)
    ]
    if data["source"] == "generator":
        return (_forever(batches),), {"steps_per_epoch": len(batches)}

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return len(batches)

        def __getitem__(self, index):
            return batches[index]

    return (Batches(),), {}


def _forever(batches):
    while True:
        yield from batches


def run(keras, data):
    """History, logs, evaluations, single batches and weights."""
    keras.utils.set_random_seed(data["seed"])
    rng, n = np.random.default_rng(data["seed"]), 13
    model, values, held = _model(keras, data), _data(data, rng, n), _data(data, rng, 6)
    given, options = _source(keras, data, values, n)
    options |= {"epochs": 2, **data["fit"], "verbose": 0, "callbacks": []}
    if data["validation"] == "split" and data["source"] in ("arrays", "steps"):
        options["validation_split"] = 0.3
    elif data["validation"]:
        options["validation_data"] = held if data["validation"] == "weighted" else held[:2]
    else:
        options.pop("validation_freq", None)
    if data["schedule"]:
        rule = (
            (lambda epoch: 0.02 / (epoch + 1)) if data["schedule"] == "by epoch" else (lambda epoch, rate: rate * 0.5)
        )
        options["callbacks"].append(keras.callbacks.LearningRateScheduler(rule))
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.csv"
        if data["log"]:
            options["callbacks"].append(keras.callbacks.CSVLogger(str(log)))
        if len(given) == 3:
            given, options["sample_weight"] = given[:2], given[2]
        history = model.fit(*given, **options)
        rows = list(csv.DictReader(log.open())) if log.exists() else []
    whole = dict(zip(("x", "y", "sample_weight"), values))
    batch = {k: _part(v, slice(0, 4)) for k, v in whole.items()}
    return {
        "history": _floats(history.history),
        "epochs": list(history.epoch),
        "log": [{k: float(v) if v not in ("NA", "") else v for k, v in row.items()} for row in rows],
        "names": list(model.metrics_names),
        "evaluated": _floats(model.evaluate(**whole, verbose=0, return_dict=True, batch_size=data["batch"])),
        "list": _floats(model.evaluate(**whole, verbose=0, batch_size=data["batch"], steps=2)),
        "test on batch": _floats(model.test_on_batch(**batch, return_dict=True)),
        "train on batch": [_floats(model.train_on_batch(**batch, return_dict=as_dict)) for as_dict in (True, False)],
        "predict on batch": plain(model.predict_on_batch(batch["x"])),
        "prediction": plain(model.predict(whole["x"], verbose=0, batch_size=data["batch"])),
        "weights": plain(model.get_weights()),
        "rate": float(model.optimizer.learning_rate),
    }


def _floats(x):
    if isinstance(x, dict):
        return {k: _floats(v) for k, v in x.items()}
    return [_floats(v) for v in x] if isinstance(x, (list, tuple)) else float(x)


subject("training", "nests", nest(), run, tolerance=1e-3, width=10.0)
