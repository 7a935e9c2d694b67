"""keras.datasets: the small data sets that tutorials use, and a slice of one that needs no download."""

from kerasish import names as _names
from kerasish.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    fashion_mnist_small,
    imdb,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "fashion_mnist_small",
    "imdb",
    "mnist",
    "reuters",
]

_names.explain(__name__)
