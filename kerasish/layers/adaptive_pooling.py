"""Adaptive pooling layers: windows as large as a wanted output size needs."""

from __future__ import annotations

from typing import Any

from kerasish import config, ops
from kerasish.layers import arguments, windows
from kerasish.layers.arguments import Size
from kerasish.layers.layer import Layer

_SIZES = {
    1: "an integer or tuple of 1 integer",
    2: "an integer or (height, width) tuple",
    3: "an integer or (depth, height, width) tuple",
}


class BaseAdaptivePooling(Layer):
    """Adaptive pooling over `rank` axes of space."""

    rank: int

    def __init__(self, output_size: Size, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        sizes = (output_size,) * self.rank if hasattr(output_size, "__index__") else output_size
        if not isinstance(sizes, (tuple, list)) or len(sizes) != self.rank:
            received = f"Received: {output_size} of type {type(output_size)}"
            kind = ValueError if self.rank == 1 and isinstance(sizes, (tuple, list)) else TypeError
            raise arguments.invalid(self, f"`output_size` must be {_SIZES[self.rank]}. {received}", kind)
        self.output_size = arguments.int_tuple(self, sizes, self.rank, "output_size")
        self.data_format = data_format or config.image_data_format()
        if self.data_format not in ("channels_first", "channels_last"):
            message = f"Invalid data_format: {data_format}. Expected 'channels_first' or 'channels_last'."
            raise arguments.invalid(self, message)

    def call(self, inputs):
        return self._pool(inputs, self.output_size, self.data_format)

    def compute_output_shape(self, input_shape) -> tuple:
        _, channels = windows.split_shape(input_shape, self.data_format)
        return windows.join_shape(input_shape[0], self.output_size, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "output_size", "data_format")}


class AdaptiveAveragePooling(BaseAdaptivePooling):
    """The mean of each window."""

    _pool = staticmethod(ops.adaptive_average_pool)


class AdaptiveMaxPooling(BaseAdaptivePooling):
    """The largest number of each window."""

    _pool = staticmethod(ops.adaptive_max_pool)


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Adaptive average pooling over one axis, with the arguments of `keras.layers.AdaptiveAveragePooling2D`."""

    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The means over windows that make an image of any size `output_size` large.

    Args:
        output_size: rows and columns of the output; one integer for both.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.

    Example:

    >>> keras.layers.AdaptiveAveragePooling2D(4)(np.random.rand(2, 63, 65, 3)).shape
    (2, 4, 4, 3)
    """

    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """Adaptive average pooling over three axes, with the arguments of `keras.layers.AdaptiveAveragePooling2D`."""

    rank = 3


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """Adaptive max pooling over one axis, with the arguments of `keras.layers.AdaptiveMaxPooling2D`."""

    rank = 1


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The maxima over windows that make an image of any size `output_size` large.

    Args:
        output_size: rows and columns of the output; one integer for both.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.

    Example:

    >>> keras.layers.AdaptiveMaxPooling2D(4)(np.random.rand(2, 63, 65, 3)).shape
    (2, 4, 4, 3)
    """

    rank = 2


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """Adaptive max pooling over three axes, with the arguments of `keras.layers.AdaptiveMaxPooling2D`."""

    rank = 3
