"""Fashion-MNIST: pictures of clothes, a drop-in for MNIST."""

import hashlib
import os

from kerasish import names as _names
from kerasish.datasets.idx import parse_idx, read_content
from kerasish.datasets.storage import ORIGIN
from kerasish.utils.file_utils import cache_directory, get_file, keras_home

_FOLDER = os.path.join("datasets", "fashion-mnist")
_DEBIAN = "/usr/share/datasets/fashion-mnist"
# SHA-256 of the content; the compressed files differ between mirrors.
_FILES = {
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
}


def load_data():
    """Loads Fashion-MNIST: 60,000 training and 10,000 test images in ten classes.

    The classes are T-shirt/top, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot. The files are
    taken from the cache (`~/.keras/datasets/fashion-mnist`), else from where Debian's package `dataset-fashion-mnist`
    installs them, else they are downloaded.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shape (N, 28, 28) and uint8 classes of shape (N,).

    Raises:
        OSError: If the data is nowhere on the machine and cannot be fetched.

    Example:

    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    """
    y_train, x_train, y_test, x_test = map(_load, _FILES)
    return (x_train, y_train), (x_test, y_test)


def _load(name):
    """One of the arrays: from the cache, from Debian's directory, or freshly downloaded to the cache."""
    checksum = _FILES[name]
    for folder in (os.path.join(keras_home(), _FOLDER), cache_directory(_FOLDER), _DEBIAN):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            content = read_content(path)
            if hashlib.sha256(content).hexdigest() == checksum:
                return parse_idx(content, path)
    path = get_file(name, origin=ORIGIN + name, cache_subdir=_FOLDER, force_download=True)
    content = read_content(path)
    if hashlib.sha256(content).hexdigest() != checksum:
        os.remove(path)
        raise ValueError(f"Incomplete or corrupted file detected: what came from {ORIGIN}{name} is not Fashion-MNIST.")
    return parse_idx(content, path)


_names.explain(__name__)
