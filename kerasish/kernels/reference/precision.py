"""How the reference twin treats 16-bit floats and NumPy's warnings."""

import functools

import numpy as np

quiet = np.errstate(all="ignore")  # 1/0 is inf and log(-1) is NaN, without a word, as in Keras


def is_half(array):
    """Whether the array holds float16 or bfloat16."""
    return getattr(array, "dtype", None) is not None and array.dtype.name in ("float16", "bfloat16")


def accumulator(dtype):
    """The dtype in which sums of `dtype` are taken: float32 for 16-bit floats."""
    return np.dtype("float32") if np.dtype(dtype).name in ("float16", "bfloat16") else np.dtype(dtype)


def widened(function):
    """Computes 16-bit floats in float32 and rounds each result once; keeps NumPy quiet."""

    @functools.wraps(function)
    @quiet
    def call(*args, **options):
        narrow = next((a.dtype for a in args if is_half(a)), None)
        if narrow is None:
            return function(*args, **options)
        y = function(*(a.astype(np.float32) if is_half(a) else a for a in args), **options)
        return tuple(_rounded(part, narrow) for part in y) if isinstance(y, tuple) else _rounded(y, narrow)

    return call


def _rounded(y, dtype):
    return y.astype(dtype) if getattr(y, "dtype", None) == np.float32 else y
