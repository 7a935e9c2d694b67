"""Trains the convnet of Keras's MNIST example on real pictures of clothes that come with the library."""

import shutil
import sys
import time

import numpy as np

from kerasish.utils.io_utils import can_show, print_msg

_GOAL = 0.85
_EPOCHS = 10
_CELL = 30  # columns for a picture of 28 with its margin


def add_arguments(parser) -> None:
    """How long to train."""
    parser.add_argument("--epochs", type=int, default=_EPOCHS, help=f"train at most so many epochs ({_EPOCHS})")
    parser.add_argument("--examples", type=int, default=6000, help="train on so many of the 6000 pictures")


def run(arguments) -> int:
    """Trains until the goal is reached; the exit code is 1 if it is not."""
    from kerasish import callbacks, datasets, utils
    from kerasish.device import natives

    began = time.perf_counter()
    utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = datasets.fashion_mnist_small.load_data()
    train = _as_input(x_train[: arguments.examples]), y_train[: arguments.examples]
    test = _as_input(x_test), y_test
    model = _build()
    model.summary()
    print_msg(f"Training until {_GOAL:.0%} of {len(x_test)} test pictures are named right")
    stop = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", logs["val_accuracy"] >= _GOAL)
    )
    model.fit(*train, batch_size=32, epochs=arguments.epochs, validation_data=test, callbacks=[stop])
    _, accuracy = model.evaluate(*test, verbose=0)
    if sys.stdout.isatty() and can_show("▀"):
        _show_predictions(model, x_test, y_test)
    print_msg(f"Test accuracy: {accuracy:.1%} after {time.perf_counter() - began:.0f} s")
    count, seconds = natives.compile_report()
    note = (
        f"{count} kernels in {seconds:.1f} s (kept for the next time)" if count else "nothing, all came from the cache"
    )
    print_msg(f"Compiled: {note}")
    if accuracy >= _GOAL:
        return 0
    print_msg(f"The goal of {_GOAL:.0%} is not reached (exit code 1): train longer, with --epochs {_EPOCHS} or more")
    return 1


def _build():
    """The layers of keras.io's simple MNIST convnet."""
    from kerasish import Input, Sequential, layers

    model = Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="fashion",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _as_input(pictures):
    return pictures[..., None].astype("float32") / 255


def _show_predictions(model, pictures, labels):
    """A row of test pictures, each with what the model says of it and what it is."""
    from kerasish.datasets.fashion_mnist_small import CLASS_NAMES

    count = max(1, min(4, shutil.get_terminal_size().columns // _CELL))
    probabilities = model.predict(_as_input(pictures[:count]), verbose=0)
    print_msg("\n".join(_side_by_side(pictures[:count])))
    captions = [], []
    for probability, label in zip(probabilities, labels):
        guess = int(np.argmax(probability))
        captions[0].append(f"{CLASS_NAMES[guess]} {probability[guess]:.0%}")
        captions[1].append(f"{'right' if guess == label else 'wrong'}: {CLASS_NAMES[label]}")
    for row in captions:
        print_msg("".join(caption[: _CELL - 1].ljust(_CELL) for caption in row).rstrip())


def _side_by_side(pictures):
    """Lines of half blocks: each character shows two pixels, one above the other, in 24 shades of grey."""
    shades = 232 + pictures.astype(int) * 23 // 255
    for row in range(0, pictures.shape[1], 2):
        cells = [
            "".join(f"\x1b[38;5;{top};48;5;{low}m▀" for top, low in zip(shade[row], shade[row + 1])) + "\x1b[0m  "
            for shade in shades
        ]
        yield "".join(cells)
