"""Whole training steps on a card, kerasish's beside PyTorch's: the same network, batch, loss and optimizer."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = 20
BLOCKS = (64, 64, "pool", 128, 128, "pool", 256, 256, "pool")  # convolutions with normalization and relu
BATCH, SIZE, CLASSES = 256, 32, 10


def steps(torch: Any) -> list[tuple[str, Callable[[], dict]]]:
    """The jobs: names, and functions that give a record."""
    name = f"training step, {len(BLOCKS) - 3} convolutions, {BATCH} images {SIZE}x{SIZE}"
    return [(name, lambda: step(name, torch))]


def step(name: str, torch: Any) -> dict:
    """Microseconds of a step, and whether both learn."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, SIZE, SIZE, 3), "float32")
    y = rng.integers(0, CLASSES, BATCH)
    ours = timed(keras_step(x, y))
    record = {"name": name, "precision": "tf32", "ours_us": ours["us"], "loss": ours["losses"]}
    record["right"] = bool(np.isfinite(ours["losses"]).all() and ours["losses"][-1] < ours["losses"][0])
    if torch is not None:
        theirs = timed(torch_step(torch, x, y))
        record |= {"torch_us": theirs["us"], "torch_loss": theirs["losses"]}
    return record


def timed(run: Callable[[], float]) -> dict:
    """The median time of a step after three for warming up; each returns its loss, so it has ended."""
    losses, times = [run() for _ in range(3)], []
    for _ in range(STEPS):
        began = time.perf_counter()
        losses.append(run())
        times.append(time.perf_counter() - began)
    return {"us": 1e6 * statistics.median(times), "losses": [losses[0], losses[-1]]}


def keras_step(x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """A step of kerasish on the card."""
    import kerasish as keras

    layers = keras.layers
    keras.config.set_device("gpu:0")
    model = keras.Sequential([keras.Input((SIZE, SIZE, 3))])
    for block in BLOCKS:
        if block == "pool":
            model.add(layers.MaxPooling2D(2))
        else:
            for layer in (layers.Conv2D(block, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()):
                model.add(layer)
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(CLASSES))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y, "int32")
    return lambda: float(model.train_on_batch(x, y))


def torch_step(torch: Any, x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """The same step of PyTorch, channels last, tf32, fused Adam."""
    nn, parts, channels = torch.nn, [], 3
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    for block in BLOCKS:
        if block == "pool":
            parts.append(nn.MaxPool2d(2))
        else:
            parts += [nn.Conv2d(channels, block, 3, padding=1), nn.BatchNorm2d(block), nn.ReLU()]
            channels = block
    model = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES)).cuda()
    model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    images = torch.from_numpy(x).cuda().permute(0, 3, 1, 2)
    labels = torch.from_numpy(y).cuda()

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return run
