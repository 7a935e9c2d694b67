"""What the wrappers around thin kernels share: which arrays are theirs, and how to hand them over."""

import numpy as np

COMPILED = (np.dtype("float32"), np.dtype("float64"))


def compiled(*arrays):
    """Whether the kernels take these: host arrays of one dtype, float32 or float64, none empty (None counts as fit)."""
    first = arrays[0]
    if type(first) is not np.ndarray or first.dtype not in COMPILED:
        return False
    return all(a is None or (type(a) is np.ndarray and a.dtype == first.dtype and a.size) for a in arrays)


def flat(x):
    """x as one contiguous axis (a copy only if it was not contiguous)."""
    return np.ascontiguousarray(x).reshape(-1)


def vector(value, count, dtype, default):
    """A per-channel vector (count,), filled with `default` where there is none."""
    return np.full(count, default, dtype) if value is None else np.ascontiguousarray(value, dtype)
