"""Keras's MNIST convnet on the card, end to end, on pictures of clothes that come with the library."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import workloads
from benchmarks.gpu import card, copies

ROOT = Path(__file__).resolve().parents[2]
APART = 0.05  # of loss and accuracy after an epoch, on card and CPU: tf32 against float32, carried through 47 steps
BATCH, FEW, MANY = 128, 10, 20


def epoch() -> dict:
    """Loss and accuracy after an epoch, on the card and on the CPU, from the same seed."""
    import kerasish as keras

    found, record = {}, {}
    for device in ("gpu:0", "cpu:0"):
        with keras.device(device):
            model, x, y = _model(keras)
            model.fit(x[:BATCH], y[:BATCH], batch_size=BATCH, verbose=0)  # compiles
            began = time.perf_counter()
            history = model.fit(x, y, batch_size=BATCH, verbose=0, shuffle=False).history
            record[f"{device[:3]}_s"] = time.perf_counter() - began
            found[device] = [history["loss"][-1], history["accuracy"][-1]]
            record |= {f"{device[:3]}_loss": found[device][0], f"{device[:3]}_accuracy": found[device][1]}
    apart = max(abs(a - b) for a, b in zip(*found.values()))
    return {**record, "apart": apart, "right": apart <= APART}


def _model(keras: Any) -> tuple:
    """The network, compiled, and its pictures."""
    keras.utils.set_random_seed(0)
    (x, y), _ = keras.datasets.fashion_mnist_small.load_data()
    model = workloads.mnist(keras)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x[..., None].astype("float32") / 255, y.astype("int32")


def copies_in_a_step() -> dict:
    """Copies between host and card that a step of `fit` adds: data on the card, and data on the host."""
    import kerasish as keras

    cupy, torch = card.open_card(), card.torch_with_card()
    counts = {"asked": functools.partial(_asked, cupy), "driver": functools.partial(copies.driver, torch)}
    record = {}
    with keras.device("gpu:0"):
        model, x, y = _model(keras)
        x, y = x[: MANY * BATCH], y[: MANY * BATCH]
        there = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y)
        for place, data in {"on the card": there, "on the host": (x, y)}.items():
            work = functools.partial(_fit, model, *data)
            work(FEW)
            work(MANY)
            for name, count in counts.items():
                record[f"{name}, data {place}"] = copies.a_step(work, count, FEW, MANY)
    mine = [record[f"{name}, data on the card"] for name in counts]
    return {**record, "right": all(found.get(way, 0) == 0 for found in mine for way in ("up", "down"))}


def _fit(model: Any, x: Any, y: Any, steps: int) -> None:
    count = steps * BATCH
    model.fit(x[:count], y[:count], batch_size=BATCH, shuffle=False, verbose=0)


def _asked(cupy: Any, work: Any) -> dict:
    with copies.asked(cupy) as found:
        work()
    return dict(found)


def script() -> dict:
    """`examples/mnist_convnet.py --quick` as a user runs it: where a card answers, it trains there."""
    environment = {name: value for name, value in os.environ.items() if name != "KERASISH_DEVICE"}
    environment["PYTHONPATH"] = os.pathsep.join(p for p in (str(ROOT), environment.get("PYTHONPATH")) if p)
    began = time.perf_counter()
    command = [sys.executable, "examples/mnist_convnet.py", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(f"it ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    last = done.stdout.strip().splitlines()[-1]
    return {"said": last, "seconds": time.perf_counter() - began, "right": last.startswith("Test accuracy")}
