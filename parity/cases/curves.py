"""Losses of a hundred steps on real pictures: how fast rounding lets two libraries' curves drift apart.

The model is Keras's own MNIST example. Each step starts from where the one before has led, so a difference in the last
bits grows: Keras with and without oneDNN differ by 1.4e-4 in the mean loss, by 5e-3 in single batches. With direct sums
kerasish is as near to Keras as that.

So it is with Winograd's convolutions, as long as windows of zeros give the bias alone, to the bit: noise in their place
passed a ReLU and took the mean loss 1e-3 away from Keras's. Pictures with a little grain have no such windows.
"""

import contextlib
import functools

import numpy as np

from parity.case import Finding, register
from parity.cases.training import images
from parity.libraries import ours_at, sides, theirs_at, tolerated

STEPS, BATCH, SHOWN = 100, 120, (0, 1, 20, 99)


def compare_curve(case):
    """The mean loss of the steps so far, after each within a relative tolerance; initial weights are the same bits.

    Options: winograd (whether kerasish's convolutions may go that way), grain (of noise on the pictures), tolerance.
    """
    grain = case.options.get("grain", 0.0)
    theirs, want = losses(0, case.build, grain, True)
    ours, got = losses(1, case.build, grain, case.options["winograd"])
    count, tolerance = np.arange(1, STEPS + 1), tolerated(case.options["tolerance"])
    off = np.abs(np.cumsum(got) / count / (np.cumsum(want) / count) - 1)
    shown = ", ".join(f"{step}: {off[step]:.1e}" for step in SHOWN)
    worst = int(np.argmax(off))
    learned = got[-20:].mean() < got[:20].mean() / 2
    return [
        Finding("initial weights", all(map(np.array_equal, theirs, ours))),
        Finding("it learns", bool(learned), detail=f"from {got[0]:.2f} to {got[-1]:.2f}"),
        Finding(
            "losses",
            bool((off <= tolerance).all()),
            float(off.max()),
            f"step {worst} is off by {off[worst]:.1e} > {tolerance:.0e} ({shown})",
        ),
    ]


@functools.cache
def losses(side, build, grain, winograd):
    """The initial weights, and the loss of each of the steps, of Keras (0) or kerasish (1)."""
    keras = sides()[side].keras
    with theirs_at() if side == 0 else ours_at(), switched(keras, winograd):
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        model = build(keras)
        initial = [np.array(w) for w in model.get_weights()]
        x, y = images(6000)
        x += grain * np.random.default_rng(0).random(x.shape, dtype="float32")
        y, found = keras.utils.to_categorical(y, 10), []
        for step in range(STEPS):
            rows = np.arange(step * BATCH, (step + 1) * BATCH) % len(x)
            model.reset_metrics()
            found.append(float(model.train_on_batch(x[rows], y[rows], return_dict=True)["loss"]))
    return initial, np.array(found)


@contextlib.contextmanager
def switched(keras, winograd):
    """A context in which kerasish's convolutions may be computed by Winograd's algorithm, or not."""
    if not hasattr(keras.config, "is_winograd_enabled"):
        yield
        return
    before = keras.config.is_winograd_enabled()
    switch = lambda on: keras.config.enable_winograd() if on else keras.config.disable_winograd()
    switch(winograd)
    try:
        yield
    finally:
        switch(before)


def mnist_convnet(keras):
    L = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            L.Conv2D(32, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Conv2D(64, 3, activation="relu"),
            L.MaxPooling2D(2),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


curve = functools.partial(register, compare_curve, "curves")
curve("a hundred steps on Fashion-MNIST, direct sums", winograd=False, tolerance=1e-4)(mnist_convnet)
curve("a hundred steps on Fashion-MNIST with grain, Winograd", winograd=True, grain=0.01, tolerance=5e-4)(mnist_convnet)
curve("a hundred steps on Fashion-MNIST, Winograd", winograd=True, tolerance=5e-4)(mnist_convnet)
