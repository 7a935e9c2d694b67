"""Global pooling: one window as large as the image."""

from __future__ import annotations

from typing import Any

from kerasish import ops
from kerasish.layers import arguments, windows
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


class BaseGlobalPooling(Layer):
    """A reduction over all `rank` axes of space."""

    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = arguments.data_format(self, data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        first = 1 if self.data_format == "channels_last" else 2
        self._space = tuple(range(first, first + self.rank))
        self.built = self._build_is_default

    def call(self, inputs):
        return self._reduce(inputs, axis=self._space, keepdims=self.keepdims)

    def compute_output_shape(self, input_shape) -> tuple:
        space, channels = windows.split_shape(input_shape, self.data_format)
        ones = (1,) * len(space) if self.keepdims else ()
        return windows.join_shape(input_shape[0], ones, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "data_format", "keepdims")}


class GlobalAveragePooling(BaseGlobalPooling):
    """The mean over space."""

    _reduce = staticmethod(ops.mean)


class GlobalMaxPooling(BaseGlobalPooling):
    """The maximum over space."""

    _reduce = staticmethod(ops.max)


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean over one axis, such as time.

    The arguments are those of `keras.layers.GlobalAveragePooling2D`.

    Call arguments:
        inputs: `(batch, steps, channels)`, or `(batch, channels, steps)` with `data_format="channels_first"`.
        mask: `(batch, steps)`, true where a step counts.
    """

    rank = 1
    _recordable = True

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return super().call(inputs)
        axis = self._space[0]
        counts = ops.expand_dims(ops.cast(mask, "bool"), 3 - axis)
        total = ops.sum(ops.where(counts, inputs, 0), axis=axis, keepdims=self.keepdims)
        return ops.divide(total, ops.sum(ops.cast(counts, inputs.dtype), axis=axis, keepdims=self.keepdims))

    def compute_mask(self, inputs, mask=None):
        return None


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel over the whole image.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.
        keepdims: whether the axes of space stay, with size 1.

    Example:

    >>> keras.layers.GlobalAveragePooling2D()(np.random.rand(2, 4, 5, 3)).shape
    (2, 3)
    """

    rank = 2
    _recordable = True


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean over three axes; the arguments are those of `keras.layers.GlobalAveragePooling2D`."""

    rank = 3


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The maximum over one axis; the arguments are those of `keras.layers.GlobalMaxPooling2D`."""

    rank = 1
    _recordable = True


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The maximum of each channel over the whole image.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.
        keepdims: whether the axes of space stay, with size 1.

    Example:

    >>> keras.layers.GlobalMaxPooling2D()(np.random.rand(2, 4, 5, 3)).shape
    (2, 3)
    """

    rank = 2
    _recordable = True


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The maximum over three axes; the arguments are those of `keras.layers.GlobalMaxPooling2D`."""

    rank = 3
