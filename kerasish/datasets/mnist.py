"""MNIST: handwritten digits."""

from kerasish import names as _names
from kerasish.datasets.storage import ORIGIN, load_arrays
from kerasish.utils.file_utils import get_file


def load_data(path: str = "mnist.npz"):
    """Loads MNIST: 60,000 training and 10,000 test images of handwritten digits.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shape (N, 28, 28) and uint8 digits of shape (N,).

    Raises:
        OSError: If the data is not in the cache and cannot be fetched.

    Example:

    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    >>> x_train.shape
    (60000, 28, 28)
    """
    file = get_file(
        path,
        origin=f"{ORIGIN}mnist.npz",
        file_hash="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    )
    x_train, y_train, x_test, y_test = load_arrays(file, "x_train", "y_train", "x_test", "y_test")
    return (x_train, y_train), (x_test, y_test)


_names.explain(__name__)
