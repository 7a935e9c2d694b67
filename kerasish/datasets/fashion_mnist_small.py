"""A tenth of Fashion-MNIST, installed with the library: real pictures without a download."""

from pathlib import Path

from kerasish.datasets.idx import read_idx

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_FOLDER = Path(__file__).parent / "demo"


def load_data():
    """Loads the first 6,000 training and the first 1,000 test images of Fashion-MNIST.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shape (N, 28, 28) and uint8 classes of shape (N,),
        numbered as in `CLASS_NAMES`.

    Example:

    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist_small.load_data()
    >>> x_train.shape
    (6000, 28, 28)
    """
    train = read_idx(_FOLDER / "train-images-idx3-ubyte.gz"), read_idx(_FOLDER / "train-labels-idx1-ubyte.gz")
    test = read_idx(_FOLDER / "t10k-images-idx3-ubyte.gz"), read_idx(_FOLDER / "t10k-labels-idx1-ubyte.gz")
    return train, test
