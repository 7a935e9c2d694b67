"""The weights by which an image's pixels make those of a resized one, as TensorFlow has them."""

from __future__ import annotations

import functools
import math

import numpy as np

from kerasish.core import dtypes

INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic", "area")
TABLE = 1024  # TensorFlow reads cubic weights from a table of so many offsets between two pixels


def _triangle(t):
    return np.maximum(1 - np.abs(t), 0)


def _cubic(t):
    """Keys's cubic convolution with a = -1/2 (Keys 1981, equation 15)."""
    t = np.abs(t)
    near, far = (1.5 * t - 2.5) * t * t + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0))


def _lanczos(t, radius):
    return np.where(np.abs(t) <= radius, np.sinc(t) * np.sinc(t / radius), 0)


KERNELS = {
    "bilinear": (_triangle, 1),
    "bicubic": (_cubic, 2),
    "lanczos3": (lambda t: _lanczos(t, 3), 3),
    "lanczos5": (lambda t: _lanczos(t, 5), 5),
}


@functools.lru_cache(64)
def weights(length: int, wanted: int, interpolation: str, antialias: bool, dtype: str) -> np.ndarray:
    """(wanted, length): how much of each pixel goes into each pixel of the resized axis. Rows add up to 1."""
    scale = length / wanted
    if interpolation == "area":
        w = _overlaps(length, wanted)
    elif interpolation == "bicubic" and not antialias:
        w = _table_cubic(length, wanted)
    else:
        kernel, radius = KERNELS[interpolation]
        reach = max(scale, 1.0) if antialias else 1.0
        centres = (np.arange(wanted) + 0.5) * scale
        t = (np.arange(length)[None] + 0.5 - centres[:, None]) / reach
        w = np.where(np.abs(t) <= radius, kernel(t), 0)
    w = w / w.sum(1, keepdims=True)
    w.flags.writeable = False
    return w.astype(dtypes.numpy_dtype(dtype))


def _table_cubic(length, wanted):
    """Cubic weights of the four pixels around each place; those beyond the border are left out."""
    w = np.zeros((wanted, length))
    for i in range(wanted):
        place = (i + 0.5) * length / wanted - 0.5
        first = math.floor(place)
        offset = round((place - first) * TABLE) / TABLE
        for tap in range(-1, 3):
            if 0 <= first + tap < length:
                w[i, first + tap] += _cubic(np.float64(tap - offset))
    return w


def _overlaps(length, wanted):
    """How much of each pixel lies inside of each pixel of the resized axis."""
    ends = np.arange(wanted + 1) * length / wanted
    at = np.arange(length)
    return np.maximum(np.minimum(at + 1, ends[1:, None]) - np.maximum(at, ends[:-1, None]), 0)
