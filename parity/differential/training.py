"""Options of `compile` and `fit`, in pairs: histories, evaluation, predictions, final weights."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from parity.differential import nests  # noqa: F401  (has its own subject)
from parity.differential.draws import one, seeds, some
from parity.differential.outcome import plain
from parity.differential.subject import subject

CLASSES = 3
TASKS = {
    "regression": (("mse", "mae", "huber", "log_cosh"), ("mae", "mse", "r2_score", "cosine_similarity")),
    "labels": (("sparse_categorical_crossentropy",), ("accuracy", "sparse_top_k_categorical_accuracy")),
    "one hot": (("categorical_crossentropy", "kl_divergence"), ("accuracy", "auc", "categorical_accuracy")),
    "bits": (("binary_crossentropy", "hinge"), ("accuracy", "auc", "precision", "binary_accuracy")),
}
OPTIMIZERS = one(
    ("SGD", {"learning_rate": 0.05}),
    ("Adam", {"learning_rate": 0.01}),
    ("SGD", {"learning_rate": 0.02, "momentum": 0.9}),
    ("RMSprop", {"learning_rate": 0.01}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.02}),
    ("Adam", {"gradient_accumulation_steps": 2}),
    ("SGD", {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2}),
    ("Adam", {"clipvalue": 0.05}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 0.1}),
    ("Lion", {}),
    ("Adamax", {}),
)
CALLBACKS = one(
    ("EarlyStopping", {"monitor": "loss", "patience": 0, "restore_best_weights": True}),
    ("ReduceLROnPlateau", {"monitor": "loss", "patience": 0, "factor": 0.5, "min_delta": 1.0}),
    ("TerminateOnNaN", {}),
    ("EarlyStopping", {"monitor": "val_loss", "patience": 1, "start_from_epoch": 1}),
)


@st.composite
def fit(draw):
    """Data of a compile and a fit."""
    task = draw(one(*TASKS))
    losses, metrics = TASKS[task]
    return {
        "task": task,
        "samples": draw(one(12, 7, 16)),
        "body": draw(one("dense", "dropout", "norm", "conv", "two")),
        "loss": draw(one(*losses)),
        "metrics": draw(st.lists(one(*metrics), max_size=2, unique=True)),
        "weighted": draw(one(None, metrics[0])),
        "loss_weights": draw(one(None, 0.5)),
        "optimizer": draw(OPTIMIZERS),
        "fit": draw(
            some(
                batch_size=one(4, 5, 32),
                epochs=one(2, 1, 3),
                shuffle=one(False, True),
                validation_split=one(0.25),
                steps_per_epoch=one(2),
                initial_epoch=one(1),
                validation_freq=one(2),
            )
        ),
        "weights": draw(one(None, None, "sample", "class")),
        "validation": draw(one(None, "same", "weighted")),
        "callbacks": draw(st.lists(CALLBACKS, max_size=2)),
        "seed": draw(seeds),
    }


def _model(keras, data):
    L = keras.layers
    outputs = {
        "regression": (2, None),
        "labels": (CLASSES, "softmax"),
        "one hot": (CLASSES, "softmax"),
        "bits": (1, "sigmoid"),
    }
    units, activation = outputs[data["task"]]
    body = {
        "dense": lambda: [L.Flatten(), L.Dense(6, activation="tanh", kernel_regularizer="l2")],
        "dropout": lambda: [L.Flatten(), L.Dense(8, activation="relu"), L.Dropout(0.3)],
        "norm": lambda: [L.Conv2D(3, 2, use_bias=False), L.BatchNormalization(momentum=0.7), L.ReLU(), L.Flatten()],
        "conv": lambda: [L.Conv2D(4, 2, activation="relu"), L.MaxPooling2D(), L.Flatten()],
        "two": lambda: [L.Flatten(), L.Dense(4, activity_regularizer="l1"), L.LayerNormalization()],
    }
    model = keras.Sequential([keras.Input((5, 4, 2)), *body[data["body"]](), L.Dense(units, activation=activation)])
    name, arguments = data["optimizer"]
    model.compile(
        getattr(keras.optimizers, name)(**arguments),
        data["loss"],
        metrics=data["metrics"] or None,
        weighted_metrics=None if data["weighted"] is None else [data["weighted"]],
        loss_weights=data["loss_weights"],
        run_eagerly=True,
    )
    return model


def _targets(rng, task, n):
    if task == "regression":
        return rng.standard_normal((n, 2)).astype("float32")
    if task == "bits":
        return rng.integers(0, 2, (n, 1)).astype("float32")
    labels = rng.integers(0, CLASSES, n)
    return labels if task == "labels" else np.eye(CLASSES, dtype="float32")[labels]


def run(keras, data):
    """History, evaluation, prediction and weights of one script."""
    keras.utils.set_random_seed(data["seed"])
    rng, n = np.random.default_rng(data["seed"]), data["samples"]
    model = _model(keras, data)
    x, y = rng.standard_normal((n, 5, 4, 2)).astype("float32"), _targets(rng, data["task"], n)
    options = {"epochs": 2, **data["fit"], "verbose": 0}
    if data["weights"] == "sample":
        options["sample_weight"] = rng.random(n).astype("float32")
    if data["weights"] == "class" and data["task"] != "regression":
        options["class_weight"] = {0: 0.5, 1: 2.0, 2: 1.0}
    if data["validation"] and "validation_split" not in options:
        held = rng.standard_normal((6, 5, 4, 2)).astype("float32"), _targets(rng, data["task"], 6)
        options["validation_data"] = held if data["validation"] == "same" else (*held, rng.random(6).astype("float32"))
    options["callbacks"] = [getattr(keras.callbacks, name)(**arguments) for name, arguments in data["callbacks"]]
    history = model.fit(x, y, **options)
    evaluated = model.evaluate(x, y, verbose=0, return_dict=True)
    return {
        "history": {k: [float(v) for v in values] for k, values in history.history.items()},
        "epochs": list(history.epoch),
        "evaluated": {k: float(v) for k, v in evaluated.items()},
        "list": [float(v) for v in np.ravel(model.evaluate(x, y, verbose=0, batch_size=5))],
        "batch": [float(v) for v in np.ravel(model.test_on_batch(x[:3], y[:3]))],
        "prediction": plain(model.predict(x, verbose=0, batch_size=5)),
        "weights": plain(model.get_weights()),
        "iterations": int(model.optimizer.iterations),
        "rate": float(model.optimizer.learning_rate),
    }


subject("training", "fit", fit(), run, tolerance=1e-3, width=15.0)
