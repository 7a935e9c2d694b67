"""Resident memory of training, and of very many predictions: `python -m benchmarks.memory [--predictions N]`.

Prints what training a small convnet takes at most, and what calling `predict` with one image again and again adds.
"""

import argparse
import os
import resource
import sys

import numpy as np

import kerasish as keras
from kerasish import layers

MEGABYTE = 1 << 20
WARM = 500  # predictions after which caches and pools are full


def resident() -> float:
    """Megabytes of this process that lie in memory now (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / MEGABYTE


def peak() -> float:
    """The most megabytes that lay in memory so far; `getrusage` may tell those of the process that started this one."""
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE


def convnet():
    """The convnet of Keras's MNIST example, compiled."""
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (32, 64):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    for layer in (layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax")):
        model.add(layer)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def training(model, examples: int = 6400, epochs: int = 1) -> float:
    """Megabytes that training takes at most, beyond what the process and the data took before."""
    rng = np.random.default_rng(0)
    x, y = rng.random((examples, 28, 28, 1), "float32"), rng.integers(0, 10, examples)
    before = resident()
    model.fit(x, y, batch_size=128, epochs=epochs, verbose=0)
    return peak() - before


def predictions(model, count: int) -> float:
    """Megabytes by which `count` predictions of one image make the process grow."""
    image = np.zeros((1, 28, 28, 1), "float32")
    for _ in range(WARM):
        model.predict(image, verbose=0)
    before = resident()
    for _ in range(count):
        model.predict(image, verbose=0)
    return resident() - before


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--predictions", type=int, default=100_000)
    count = parser.parse_args().predictions
    model = convnet()
    print(f"before training: {resident():.0f} MB")
    print(f"training takes {training(model):.0f} MB more, the process {peak():.0f} MB at most")
    print(f"{count} predictions make it grow by {predictions(model, count):.2f} MB")


if __name__ == "__main__":
    main()
