"""CIFAR-10: small colour pictures in ten classes."""

import os

import numpy as np

from kerasish import names as _names
from kerasish.datasets.storage import load_cifar_batch
from kerasish.utils.file_utils import get_file


def load_data():
    """Loads CIFAR-10: 50,000 training and 10,000 test images in ten classes.

    The classes are airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shape (N, 32, 32, 3), or (N, 3, 32, 32) if
        `keras.config.image_data_format()` is `"channels_first"`, and uint8 classes of shape (N, 1).

    Raises:
        OSError: If the data is not in the cache and cannot be fetched.

    Example:

    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
    >>> y_train.shape
    (50000, 1)
    """
    folder = get_file(
        "cifar-10-batches-py-target",
        origin="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        extract=True,
        file_hash="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    )
    folder = os.path.join(folder, "cifar-10-batches-py")
    batches = [load_cifar_batch(os.path.join(folder, f"data_batch_{i}"), "labels") for i in range(1, 6)]
    train = tuple(map(np.concatenate, zip(*batches)))
    return arrange(train), arrange(load_cifar_batch(os.path.join(folder, "test_batch"), "labels"))


def arrange(batch: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Images in the configured data format, labels as a column."""
    from kerasish import config

    images, labels = batch
    if config.image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return images, labels.reshape(-1, 1)


_names.explain(__name__)
