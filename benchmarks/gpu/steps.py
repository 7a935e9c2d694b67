"""Training steps of kerasish, of Keras on PyTorch and of PyTorch: the same network, batch, loss and optimizer.

A job is a contestant with a network; it has a process of its own, so that pools of memory do not add up. Times are of
the wall clock; every step gives its loss to the host, so it has ended when the clock is read.
"""

from __future__ import annotations

import functools
import importlib
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.gpu.networks import TRAININGS, Training, momentum

WARM, STEPS, SECONDS = 4, 20, 20.0  # steps before the clock, steps at most, seconds after which no more begin
CONTESTANTS = ("kerasish", "Keras on PyTorch", "PyTorch")


def step_jobs() -> dict[str, Callable[[], dict]]:
    """Every contestant with every network, then what the MNIST script does."""
    from benchmarks.gpu import mnist

    jobs = {
        f"{name}: {contestant}": functools.partial(measure, name, contestant)
        for name in TRAININGS
        for contestant in CONTESTANTS
    }
    first = list(jobs)[: len(CONTESTANTS)]
    rest = [name for name in jobs if name not in first]
    more = {"MNIST epoch": mnist.epoch, "MNIST copies": mnist.copies_in_a_step, "MNIST script": mnist.script}
    return {name: {**jobs, **more}[name] for name in [*first, *more, *rest]}


def measure(name: str, contestant: str) -> dict:
    """Milliseconds of a step, the first and the last loss, the memory that the library took."""
    training = TRAININGS[name]
    make = {"kerasish": ours, "Keras on PyTorch": keras_on_torch, "PyTorch": plain_torch}[contestant]
    record = {"network": name, "contestant": contestant, "batch": training.batch}
    step, memory = make(training)
    began = time.perf_counter()
    losses = [step()]
    first = time.perf_counter() - began
    record |= {"first_step_s": first, **timed(step, losses), "memory_mb": memory() / 2**20}
    return record | {"loss": [losses[0], losses[-1]], "right": learned(losses)}


def timed(step: Callable[[], float], losses: list[float]) -> dict:
    """The median of steps, whose losses are added to the list."""
    times, end = [], time.perf_counter() + SECONDS
    for _ in range(WARM + STEPS):
        began = time.perf_counter()
        losses.append(step())
        times.append(time.perf_counter() - began)
        if len(times) > WARM + 3 and time.perf_counter() > end:
            break
    return {"ms": 1e3 * statistics.median(times[WARM:]), "steps": len(times) - WARM}


def learned(losses: list[float]) -> bool:
    """Whether the loss is a number and less at the end than in the beginning."""
    return all(loss == loss and abs(loss) != float("inf") for loss in losses) and losses[-1] < losses[0]


def ours(training: Training) -> tuple[Callable[[], float], Callable[[], int]]:
    """A step of kerasish on the card, and the bytes that it holds."""
    import kerasish as keras
    from kerasish.device import cuda

    keras.config.set_device("gpu:0")
    return keras_step(keras, training), lambda: cuda.memory_info()["pool"]


def keras_on_torch(training: Training) -> tuple[Callable[[], float], Callable[[], int]]:
    """The same of Keras on PyTorch."""
    os.environ["KERAS_BACKEND"] = "torch"
    torch = importlib.import_module("torch")
    torch.backends.cudnn.benchmark = True
    keras = importlib.import_module("keras")
    return keras_step(keras, training), torch.cuda.max_memory_reserved


def keras_step(keras: Any, training: Training) -> Callable[[], float]:
    """A step of either, on a batch that lies on the card."""
    keras.utils.set_random_seed(0)
    model = training.build(keras)
    model.compile(optimizer=momentum(keras), loss="sparse_categorical_crossentropy")
    x, y = training.data()
    x, y = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y, "int32")
    return lambda: float(model.train_on_batch(x, y))


def plain_torch(training: Training, device: str = "cuda") -> tuple[Callable[[], float], Callable[[], int]]:
    """The same of PyTorch: eager, channels last, tf32, one launch for all parameters."""
    import torch

    from benchmarks.torch_model import Network

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    network = Network(_graph(training), device)
    optimizer = torch.optim.SGD(network.trained, lr=0.01, momentum=0.9, fused=True)
    x, y = (torch.from_numpy(array).to(device) for array in training.data())

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(network.logits(x, training=True), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, torch.cuda.max_memory_reserved


def _graph(training: Training) -> Any:
    """The network as data, its weights drawn by kerasish on the CPU."""
    import kerasish as keras
    from benchmarks.graph import graph_of

    with keras.device("cpu:0"):
        keras.utils.set_random_seed(0)
        return graph_of(training.build(keras))
