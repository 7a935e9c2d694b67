"""CIFAR-100: small colour pictures in a hundred classes."""

import os

from kerasish import names as _names
from kerasish.datasets.cifar10 import arrange
from kerasish.datasets.storage import load_cifar_batch
from kerasish.utils.file_utils import get_file


def load_data(label_mode: str = "fine"):
    """Loads CIFAR-100: 50,000 training and 10,000 test images, in 100 classes or 20 groups of classes.

    Args:
        label_mode: `"fine"` (100 classes) or `"coarse"` (20 groups).

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shape (N, 32, 32, 3), or (N, 3, 32, 32) if
        `keras.config.image_data_format()` is `"channels_first"`, and uint8 classes of shape (N, 1).

    Raises:
        OSError: If the data is not in the cache and cannot be fetched.
        ValueError: If `label_mode` is unknown.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.')
    folder = get_file(
        "cifar-100-python-target",
        origin="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        extract=True,
        file_hash="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    )
    train, test = (
        load_cifar_batch(os.path.join(folder, "cifar-100-python", name), f"{label_mode}_labels")
        for name in ("train", "test")
    )
    return arrange(train), arrange(test)


_names.explain(__name__)
