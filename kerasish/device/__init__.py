"""Where code runs: the array module of an array, compilation, threads, memory."""

import sys
from typing import Any

import numpy as np


def array_module(*arrays: Any) -> Any:
    """CuPy if one of the arrays lives on a GPU, else NumPy."""
    if any(not isinstance(a, np.ndarray) and hasattr(a, "__cuda_array_interface__") for a in arrays):
        return sys.modules["cupy"]
    return np
