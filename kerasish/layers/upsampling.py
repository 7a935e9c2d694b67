"""Upsampling layers: larger images by repetition or interpolation."""

from __future__ import annotations

from typing import Any

from kerasish import ops
from kerasish.layers import arguments, windows
from kerasish.layers.arguments import Size
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.reshaping import repetitions
from kerasish.ops.nn import upsample


class BaseUpSampling(Layer):
    """Repetition along `rank` axes of space."""

    rank: int

    def __init__(self, size: Size = 2, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = arguments.data_format(self, data_format)
        self.size = arguments.int_tuple(self, size, self.rank, "size")
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        first = 1 if self.data_format == "channels_last" else 2
        for axis, times in enumerate(self._times, first):
            inputs = ops.repeat(inputs, times, axis=axis)
        return inputs

    @property
    def _times(self):
        return self.size

    def compute_output_shape(self, input_shape) -> tuple:
        space, channels = windows.split_shape(input_shape, self.data_format)
        space = [n if n is None else n * times for n, times in zip(space, self._times)]
        return windows.join_shape(input_shape[0], space, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "size", "data_format")}


class UpSampling1D(BaseUpSampling):
    """Repeats each step `size` times.

    Args:
        size: how often.

    Example:

    >>> keras.layers.UpSampling1D(2)(np.random.rand(2, 2, 3)).shape
    (2, 4, 3)
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any):
        super().__init__(1, "channels_last", **kwargs)
        self.size = repetitions(self, size, "size")

    @property
    def _times(self):
        return (self.size,)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return config


class UpSampling2D(BaseUpSampling):
    """Makes images `size` times as large.

    Args:
        size: how much larger, for rows and columns; one integer for both.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.
        interpolation: `"nearest"` repeats each pixel; `"bilinear"`, `"bicubic"`, `"lanczos3"`, `"lanczos5"` and
            `"area"` are those of `keras.ops.image.resize`.

    Example:

    >>> keras.layers.UpSampling2D((1, 2))(np.random.rand(2, 2, 1, 3)).shape
    (2, 2, 2, 3)
    """

    rank = 2
    _recordable = True

    def __init__(
        self, size: Size = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ):
        super().__init__(size, data_format, **kwargs)
        if not isinstance(interpolation, str):
            raise arguments.invalid(self, f"`interpolation` must be a string. Received: interpolation={interpolation}")
        self.interpolation = interpolation.lower()  # `resize` knows which there are

    def call(self, inputs):
        if self.interpolation == "nearest":
            return upsample(inputs, self.size) if self.data_format == "channels_last" else super().call(inputs)
        space, _ = windows.split_shape(self.compute_output_shape(inputs.shape), self.data_format)
        return ops.image.resize(inputs, space, interpolation=self.interpolation, data_format=self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "interpolation")}


class UpSampling3D(BaseUpSampling):
    """Repeats along three axes.

    Args:
        size: how often, for each axis; one integer for all.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.

    Example:

    >>> keras.layers.UpSampling3D(2)(np.random.rand(2, 1, 2, 1, 3)).shape
    (2, 2, 4, 2, 3)
    """

    rank = 3
