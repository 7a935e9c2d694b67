"""What the wrappers of kernels ask of arrays on the card."""

import numpy as np

from kerasish.device import array_module, on_card

LARGEST = 2**31 - 2**16  # kernels count elements in 32 bits, and the last block may count beyond the end


def supported(*arrays):
    """Whether kernels take these arrays: float32 on the card, None aside, and not too large."""
    return all(a is None or (on_card(a) and a.dtype == np.float32 and a.size <= LARGEST) for a in arrays)


def contiguous(array):
    """The array, its elements in C order, from an address on that kernels can read four floats at once."""
    array = array_module(array).ascontiguousarray(array)
    return array if array.data.ptr % 16 == 0 else array.copy()


def blocks(n, each):
    """How many blocks of `each` cover n."""
    return -(-n // each)


def matrix(array):
    """How many rows and columns an array has as a matrix."""
    return array.size // array.shape[-1], array.shape[-1]
