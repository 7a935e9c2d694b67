"""keras.datasets: the small data sets that tutorials use, and a slice of one that needs no download."""

from kerasish.datasets import cifar10, cifar100, fashion_mnist, fashion_mnist_small, mnist

__all__ = ["cifar10", "cifar100", "fashion_mnist", "fashion_mnist_small", "mnist"]
