"""Pooling layers: the largest or the mean of each window."""

from __future__ import annotations

from typing import Any

from kerasish import ops
from kerasish.core import shapes
from kerasish.layers import arguments, windows
from kerasish.layers.arguments import Size
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


class BasePooling(Layer):
    """Pooling over `rank` axes of space."""

    rank: int

    def __init__(
        self,
        pool_size: Size,
        strides: Size | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.pool_size = arguments.int_tuple(self, pool_size, self.rank, "pool_size")
        self.strides = arguments.int_tuple(self, pool_size if strides is None else strides, self.rank, "strides")
        self.padding = arguments.choice(self, padding, ("valid", "same"), "padding")
        self.data_format = arguments.data_format(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = self._build_is_default

    def call(self, inputs):
        windows.check_window_fits(self, inputs.shape, self.pool_size, "pool_size")
        return self._pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_shape(self, input_shape) -> tuple:
        windows.check_window_fits(self, input_shape, self.pool_size, "pool_size")
        space, channels = windows.split_shape(input_shape, self.data_format)
        axes = zip(space, self.pool_size, self.strides)
        space = [shapes.window_output(n, k, s, self.padding) for n, k, s in axes]
        return windows.join_shape(input_shape[0], space, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        own = ("pool_size", "padding", "strides", "data_format")
        return {**super().get_config(), **arguments.config_of(self, *own)}


class MaxPooling(BasePooling):
    """The largest element of each window."""

    _pool = staticmethod(ops.max_pool)

    def __init__(
        self,
        pool_size: Size = 2,
        strides: Size | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling(BasePooling):
    """The mean of each window, over the elements that lie inside the image."""

    _pool = staticmethod(ops.average_pool)


class MaxPooling1D(MaxPooling):
    """Max pooling over one axis, with the arguments of `keras.layers.MaxPooling2D`."""

    rank = 1
    _role = "max pooling"
    _recordable = True


class MaxPooling2D(MaxPooling):
    """Max pooling: the largest number of each window, for each channel.

    Args:
        pool_size: rows and columns of the window; one integer for both.
        strides: how far the window moves at each step; None for `pool_size`.
        padding: `"valid"` (none) or `"same"` (windows may reach beyond the image).
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.

    Example:

    >>> keras.layers.MaxPooling2D(2)(np.arange(9.0).reshape(1, 3, 3, 1)).shape
    (1, 1, 1, 1)
    """

    rank = 2
    _role = "max pooling"
    _recordable = True


class MaxPooling3D(MaxPooling):
    """Max pooling over three axes, with the arguments of `keras.layers.MaxPooling2D`."""

    rank = 3
    _role = "max pooling"


class AveragePooling1D(AveragePooling):
    """Average pooling over one axis, with the arguments of `keras.layers.AveragePooling2D`."""

    rank = 1
    _recordable = True


class AveragePooling2D(AveragePooling):
    """Average pooling: the mean of each window, for each channel.

    Args:
        pool_size: rows and columns of the window; one integer for both.
        strides: how far the window moves at each step; None for `pool_size`.
        padding: `"valid"` (none) or `"same"` (windows may reach beyond the image; only what is inside counts).
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.

    Example:

    >>> keras.layers.AveragePooling2D(2)(np.arange(9.0).reshape(1, 3, 3, 1)).shape
    (1, 1, 1, 1)
    """

    rank = 2
    _recordable = True


class AveragePooling3D(AveragePooling):
    """Average pooling over three axes, with the arguments of `keras.layers.AveragePooling2D`."""

    rank = 3
