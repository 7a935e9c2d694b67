"""Where code runs: the array module of an array, compilation, threads, memory."""

import contextlib
import sys
import types
from typing import Any

import numpy as np


def array_module(*arrays: Any) -> Any:
    """CuPy if one of the arrays lives on a GPU, else NumPy."""
    if any(not isinstance(a, np.ndarray) and hasattr(a, "__cuda_array_interface__") for a in arrays):
        return sys.modules["cupy"]
    return np


@contextlib.contextmanager
def on(name: str):
    """A context that says where to compute: "cpu" or "cpu:0".

    Raises:
        ValueError: for a name that is no device, or a device that is not there.
    """
    kind, _, number = name.lower().lstrip("/").removeprefix("device:").partition(":")
    if kind == "cpu" and number in ("", "0"):
        yield
    elif kind in ("gpu", "cuda", "tpu"):
        raise ValueError(f"keras.device({name!r}): not there; kerasish computes on the CPU, use keras.device('cpu:0')")
    else:
        raise ValueError(f"keras.device({name!r}): no such device; expected 'cpu' or 'cpu:0'")


class _Callable(types.ModuleType):
    """`kerasish.device` is this package, and `keras.device("cpu")` a context: the module can be called."""

    def __call__(self, name: str):
        return on(name)


sys.modules[__name__].__class__ = _Callable
