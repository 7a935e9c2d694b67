"""Layers that take rows off the borders of images, or add some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerasish import ops
from kerasish.layers import arguments, windows
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer

Border = int | Sequence[int | Sequence[int]]

_ORDINALS = ("1st", "2nd", "3rd")
_COUNTS = {2: "two", 3: "three"}


def read_border(layer, value: Any, name: str) -> tuple:
    """(before, after) for each axis of space; one number for all, or one per axis, may be given."""
    if layer.rank == 1:
        return (arguments.int_tuple(layer, value, 2, name, minimum=0),)
    if hasattr(value, "__index__"):
        value = (value,) * layer.rank
    if not hasattr(value, "__len__") or len(value) != layer.rank:
        message = f"`{name}` should have {_COUNTS[layer.rank]} elements. Received: {name}={value}."
        raise arguments.invalid(layer, message)
    axes = zip(value, _ORDINALS)
    return tuple(arguments.int_tuple(layer, v, 2, f"{which} entry of {name}", minimum=0) for v, which in axes)


class BaseCropping(Layer):
    """Cropping of `rank` axes of space."""

    rank: int

    def __init__(self, cropping: Border, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = arguments.data_format(self, data_format)
        border = read_border(self, cropping, "cropping")
        self.cropping = border if self.rank > 1 else border[0]
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _border(self):
        return self.cropping if self.rank > 1 else (self.cropping,)

    def call(self, inputs):
        self.compute_output_shape(inputs.shape)
        space, _ = windows.split_shape(inputs.shape, self.data_format)
        inside = [slice(lo, n - hi) for n, (lo, hi) in zip(space, self._border)]
        return inputs[windows.join_shape(slice(None), inside, slice(None), self.data_format)]

    def compute_output_shape(self, input_shape) -> tuple:
        space, channels = windows.split_shape(input_shape, self.data_format)
        space = [n if n is None else n - lo - hi for n, (lo, hi) in zip(space, self._border)]
        if any(n is not None and n <= 0 for n in space):
            raise arguments.invalid(self, self._too_much(tuple(input_shape)))
        return windows.join_shape(input_shape[0], space, channels, self.data_format)

    def _too_much(self, input_shape):
        message = (
            "Values in `cropping` argument should be smaller than the corresponding spatial dimension of the input."
        )
        if self.rank == 1:
            message = "`cropping` parameter of `Cropping1D` layer must be smaller than the input length."
        return f"{message} Received: input_shape={input_shape}, cropping={self.cropping}"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "cropping", "data_format")}


class Cropping1D(BaseCropping):
    """Takes steps off the ends of sequences.

    Args:
        cropping: (at the beginning, at the end); one integer for both.

    Example:

    >>> keras.layers.Cropping1D(1)(np.random.rand(2, 3, 2)).shape
    (2, 1, 2)
    """

    rank = 1

    def __init__(self, cropping: int | Sequence[int] = (1, 1), **kwargs: Any):
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return config


class Cropping2D(BaseCropping):
    """Takes rows and columns off the borders of images.

    Args:
        cropping: ((top, bottom), (left, right)); two integers for equal borders, one integer for all.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.

    Raises:
        ValueError: if nothing of the image is left.

    Example:

    >>> keras.layers.Cropping2D(((2, 2), (4, 4)))(np.random.rand(2, 28, 28, 3)).shape
    (2, 24, 20, 3)
    """

    rank = 2

    def __init__(self, cropping: Border = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(BaseCropping):
    """Crops three axes; the arguments are those of `keras.layers.Cropping2D`, with three entries.

    Example:

    >>> keras.layers.Cropping3D((2, 4, 2))(np.random.rand(2, 28, 28, 10, 3)).shape
    (2, 24, 20, 6, 3)
    """

    rank = 3

    def __init__(self, cropping: Border = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)


class BaseZeroPadding(Layer):
    """Zeros around `rank` axes of space."""

    rank: int

    def __init__(self, padding: Border = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = arguments.data_format(self, data_format)
        border = read_border(self, padding, "padding")
        self.padding = border if self.rank > 1 else border[0]
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _border(self):
        return self.padding if self.rank > 1 else (self.padding,)

    def call(self, inputs):
        return ops.pad(inputs, windows.join_shape((0, 0), self._border, (0, 0), self.data_format))

    def compute_output_shape(self, input_shape) -> tuple:
        space, channels = windows.split_shape(input_shape, self.data_format)
        space = [n if n is None else n + lo + hi for n, (lo, hi) in zip(space, self._border)]
        return windows.join_shape(input_shape[0], space, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "padding", "data_format")}


class ZeroPadding1D(BaseZeroPadding):
    """Adds zeros at the ends of sequences.

    Args:
        padding: (at the beginning, at the end); one integer for both.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.

    Example:

    >>> keras.layers.ZeroPadding1D(2)(np.random.rand(2, 2, 3)).shape
    (2, 6, 3)
    """

    rank = 1
    _role = "zeros"
    _recordable = True


class ZeroPadding2D(BaseZeroPadding):
    """Adds rows and columns of zeros around images.

    Args:
        padding: ((top, bottom), (left, right)); two integers for equal borders, one integer for all.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.

    Example:

    >>> keras.layers.ZeroPadding2D(1)(np.random.rand(1, 1, 2, 2)).shape
    (1, 3, 4, 2)
    """

    rank = 2
    _role = "zeros"
    _recordable = True


class ZeroPadding3D(BaseZeroPadding):
    """Adds zeros around three axes; the arguments are those of `keras.layers.ZeroPadding2D`, with three entries."""

    rank = 3
    _role = "zeros"
