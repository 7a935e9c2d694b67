"""A small kernel that tells whether the compiler works: floats, integers, arrays, a choice, a call."""

from typing import Any

import numpy as np

from kerasish.device.jit import FASTMATH, njit, prange

ROWS = 5


def prepared() -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
    """The native, the plan to call it with, where its results will lie, and what they should be."""
    x = np.linspace(-2, 2, 3 * ROWS, dtype=np.float32).reshape(ROWS, 3)
    y = np.zeros_like(x)
    words = [0, ROWS, y.ctypes.data, *y.shape, x.ctypes.data, *x.shape, np.float64(2.5).view(np.int64), 3]
    plan, wanted = np.array(words, np.int64), np.where(x > 0, np.sqrt(abs(x)) * np.float32(2.5), np.float32(3))
    _kept.append((x, y, plan))
    return _scaled.native(("float32.2", "float32.2", "float64", "int64")), plan, y, wanted


_kept: list = []


@njit(parallel=True)
def _scaled(tasks, y, x, factor, low):
    for task in prange(tasks):
        for i in range(x.shape[1]):
            y[task, i] = _root(x[task, i]) * np.float32(factor) if x[task, i] > 0 else low


@njit(fastmath=FASTMATH)
def _root(x):
    return np.sqrt(abs(x))
