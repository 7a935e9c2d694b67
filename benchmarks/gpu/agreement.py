"""Card and CPU give the same: initial weights, dropout masks, files, and every case of the parity suite."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import workloads
from benchmarks.gpu import networks

CARD, HOST = "gpu:0", "cpu:0"
SEED = 812
SAVED = 1e-5  # of the largest prediction
NETWORKS = {name: getattr(workloads, name) for name in ("mnist", "vgg", "resnet20", "depthwise", "mobilenetv2")}
NETWORKS["resnet50"] = networks.resnet50


def agreement_jobs() -> dict[str, Callable[[], dict]]:
    """Initial weights and files of every network, dropout masks."""
    weights = {f"initial weights: {n}": functools.partial(initial_weights, b) for n, b in NETWORKS.items()}
    files = {
        f"saved on {start[:3]}, opened on {end[:3]}: {name}": functools.partial(opened, NETWORKS[name], start, end)
        for name in ("mnist", "resnet20")
        for start, end in ((CARD, HOST), (HOST, CARD))
    }
    return {"the CPU's kernels": warm_up, "dropout masks": dropout_masks, **weights, **files}


def warm_up() -> dict:
    """Compile what runs on the CPU in this and the next group, by several processes at once."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "kerasish", "warmup"]
    environment = {**os.environ, "KERASISH_DEVICE": "cpu"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return {"seconds": time.perf_counter() - began, "right": done.returncode == 0}


def initial_weights(build: Callable) -> dict:
    """How many numbers of a network's initial weights differ, in bits, between card and CPU."""
    card, host = (_on(device, lambda keras: _weights(build, keras)) for device in (CARD, HOST))
    return _differences(card, host)


def _weights(build: Callable, keras: Any) -> list[np.ndarray]:
    keras.utils.set_random_seed(SEED)
    return [np.asarray(weight) for weight in build(keras).get_weights()]


def dropout_masks() -> dict:
    """The same for what dropout keeps, of several shapes, by the layer and by `keras.random`."""
    return _differences(*(_on(device, _masks) for device in (CARD, HOST)))


def _masks(keras: Any) -> list[np.ndarray]:
    keras.utils.set_random_seed(SEED)
    layers, found = keras.layers, []
    for layer, shape in ((layers.Dropout(0.5), (33, 7)), (layers.SpatialDropout2D(0.3), (4, 5, 5, 6))):
        found += [np.asarray(layer(np.ones(shape, "float32"), training=True)) for _ in range(2)]
    found.append(np.asarray(keras.random.dropout(np.ones(1029, "float32"), 0.25, seed=3)))
    return [part != 0 for part in found]


def opened(build: Callable, start: str, end: str) -> dict:
    """The predictions of a model before it is saved on one device, and after it is opened on the other."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.keras")
        x, before = _on(start, lambda keras: _saved(build, keras, path))
        after = _on(end, lambda keras: keras.models.load_model(path).predict(x, verbose=0))
    error = float(np.abs(after - before).max() / np.abs(before).max())
    return {"error": error, "tolerance": SAVED, "right": error <= SAVED}


def _saved(build: Callable, keras: Any, path: str) -> tuple[np.ndarray, np.ndarray]:
    """A model after a step of training, saved; its input and predictions."""
    keras.utils.set_random_seed(SEED)
    model = build(keras)
    x = np.random.default_rng(0).random((8, *model.input_shape[1:]), dtype="float32")
    model.compile("adam", "sparse_categorical_crossentropy")
    model.train_on_batch(x, np.arange(8) % model.output_shape[-1])
    model.save(path)
    return x, model.predict(x, verbose=0)


def parity_jobs() -> dict[str, Callable[[], dict]]:
    """The parity suite's cases, and the networks as cases more."""
    from parity.case import Case, load_all
    from parity.compare import compare_models

    whole = [Case(n, "networks", compare_models, b, {"config": False}) for n, b in NETWORKS.items() if n != "resnet50"]
    return {str(case): functools.partial(parity, case) for case in [*load_all(), *whole]}


def parity(case: Any) -> dict:
    """What a case finds on the card, in float32, beside real Keras or, where there is none, kerasish on the CPU."""
    from parity import libraries

    libraries.use(CARD)
    findings = case.run(case)
    wrong = [f"{f.what}: {f.detail}" for f in findings if not f.holds]
    return {
        "compared": [f.what for f in findings],
        "beside": "kerasish on the CPU" if libraries.has_twin() else "real Keras",
        "error": max((f.error for f in findings), default=0.0),
        "right": bool(findings) and not wrong,
        "differs": "; ".join(wrong)[:600],
    }


def _on(device: str, function: Callable) -> Any:
    """What a function of `keras` gives on a device, in float32, from fresh names."""
    import kerasish as keras

    keras.config.set_gpu_precision("float32")
    with keras.device(device):
        keras.utils.clear_session()
        return function(keras)


def _differences(card: list[np.ndarray], host: list[np.ndarray]) -> dict:
    """How many elements of arrays differ in bits."""
    same = [a.dtype == b.dtype and a.shape == b.shape for a, b in zip(card, host, strict=True)]
    if not all(same):
        return {"right": False, "differ": "dtypes or shapes"}
    count = sum(int((a.view(np.uint8) != b.view(np.uint8)).sum()) for a, b in zip(card, host))
    return {"arrays": len(card), "bytes": sum(a.nbytes for a in card), "differ": count, "right": count == 0}
