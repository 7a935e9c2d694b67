"""Initializers that draw nothing: constants, the identity matrix, the kernels of a short-time Fourier transform."""

from __future__ import annotations

import math

import numpy as np

from kerasish import saving
from kerasish.core import dtypes
from kerasish.core.tensor import Tensor, as_array
from kerasish.device import put
from kerasish.initializers import windows
from kerasish.initializers.initializer import Initializer, known_shape


def _dtype(dtype) -> np.dtype:
    return dtypes.numpy_dtype(dtypes.standardize_dtype(dtype))


class Constant(Initializer):
    """Fills with one value.

    Args:
        value: A number, or an array that can be broadcast to the shape asked for.

    Example:

    ```python
    layer = keras.layers.Dense(3, bias_initializer=keras.initializers.Constant(0.1))
    ```
    """

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        dtype, shape = dtypes.standardize_dtype(dtype), known_shape(shape)
        return Tensor(np.broadcast_to(as_array(self.value, dtype), shape).copy())

    def get_config(self) -> dict:
        return {"value": saving.serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict) -> Constant:
        return cls(saving.deserialize_keras_object(config.get("value", 0.0)))


class Zeros(Initializer):
    """Fills with zeros."""

    def __call__(self, shape, dtype=None):
        return Tensor(put(np.zeros(known_shape(shape), _dtype(dtype))))


class Ones(Initializer):
    """Fills with ones."""

    def __call__(self, shape, dtype=None):
        return Tensor(put(np.ones(known_shape(shape), _dtype(dtype))))


class Identity(Initializer):
    """The identity matrix, times a factor. It need not be square.

    Args:
        gain: The factor.

    Raises:
        ValueError: When called for a shape that is not two-dimensional.
    """

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        dtype = _dtype(dtype)
        return Tensor(put(np.eye(*known_shape(shape), dtype=dtype) * dtype.type(self.gain)))

    def get_config(self) -> dict:
        # Keras writes no gain at all; the default one is left out so that configs agree.
        return {} if self.gain == 1 else {"gain": self.gain}


class STFT(Initializer):
    """The kernels by which a convolution computes a short-time Fourier transform.

    Args:
        side: `"real"` for cosines, `"imag"` for sines.
        window: Name of a window of `scipy.signal.windows` (`"hann"`, ...), an array as long as a frame, or `None`.
        scaling: `"density"`, `"spectrum"` or `None`: what the kernels are divided by.
        periodic: Whether a named window is periodic rather than symmetric.

    Raises:
        ValueError: For an unknown side, window or scaling, or a window of another length than the frame.
    """

    def __init__(self, side="real", window="hann", scaling="density", periodic=False):
        if side not in ("real", "imag"):
            raise ValueError(f"side should be 'real' or 'imag', not {side}")
        if isinstance(window, str):
            windows.check_window(window)
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(
                f"Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received scaling={scaling}"
            )
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def __call__(self, shape, dtype=None):
        shape = known_shape(shape)
        if len(shape) != 3:
            raise ValueError(f"Expected a shape (frame_length, channels, bins). Received: shape={shape}")
        length, _, bins = shape
        with np.errstate(all="ignore"):  # a single bin has no frequency, and gives NaN as in Keras
            angle = -2 * math.pi * np.outer(np.arange(length), np.arange(bins) / np.float64(2 * (bins - 1)))
            kernel = np.cos(angle) if self.side == "real" else np.sin(angle)
            kernel *= self._scaled_window(length)[:, None]
        return Tensor(kernel[:, None].astype(_dtype(dtype)))

    def _scaled_window(self, length: int) -> np.ndarray:
        if self.window is None:
            return np.ones(length)
        named = isinstance(self.window, str)
        window = (
            windows.window(self.window, length, self.periodic)
            if named
            else Tensor(as_array(self.window, "float64")).numpy()
        )
        if window.shape != (length,):
            raise ValueError(
                f"Expected a window of shape ({length},), the frame's. Received: window shape={window.shape}"
            )
        scale = {None: 1.0, "density": math.sqrt((window * window).sum()), "spectrum": abs(window).sum()}
        return window / scale[self.scaling]

    def get_config(self) -> dict:
        return {"side": self.side, "window": self.window, "periodic": self.periodic, "scaling": self.scaling}
