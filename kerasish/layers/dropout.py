"""Dropout: parts of the input set to zero while training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerasish import ops, random
from kerasish.layers import arguments
from kerasish.layers.activation import ElementwiseLayer
from kerasish.layers.input_spec import InputSpec

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


class RandomLayer(ElementwiseLayer):
    """A layer that changes its input at random while training; `strength` 0 leaves it alone."""

    def __init__(self, seed: int | None, strength: float, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed
        self._active = strength > 0
        if self._active:
            self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        return self._disturb(inputs) if training and self._active else inputs


def read_noise_shape(layer, noise_shape: Any) -> tuple[int | None, ...] | None:
    """A tuple of positive integers, with None for the input's own size."""
    if noise_shape is None:
        return None
    start = "Invalid value received for argument `noise_shape`."
    if not isinstance(noise_shape, (list, tuple)):
        message = f"{start} Expected a tuple or list of integers. Received: noise_shape={noise_shape}"
        raise arguments.invalid(layer, message)
    for size in noise_shape:
        if size is not None and not hasattr(size, "__index__"):
            message = f"{start} Expected all elements to be integers or None. Received: noise_shape={noise_shape}"
            raise arguments.invalid(layer, message)
        if size is not None and size <= 0:
            expected = "Expected all dimensions to be positive integers or None."
            raise arguments.invalid(layer, f"{start} {expected} Received: noise_shape={noise_shape}")
    return tuple(noise_shape)


def fill_noise_shape(noise_shape, inputs) -> tuple:
    """The noise's shape for `inputs`, whose own sizes stand in for None."""
    if noise_shape is None:
        return tuple(inputs.shape)
    if len(noise_shape) != len(inputs.shape):
        return tuple(noise_shape)
    return tuple(own if size is None else size for size, own in zip(noise_shape, inputs.shape))


class Dropout(RandomLayer):
    """Sets a random part of the input to zero while training, and scales the rest so that the sum stays.

    Args:
        rate: the part that becomes zero, from 0 to 1.
        noise_shape: a shape that broadcasts to the input's, along which the choice is shared; None for its own sizes.
        seed: an integer for reproducible choices.

    Call arguments:
        inputs: any tensor.
        training: whether anything is dropped; otherwise the input is returned.

    Example:

    >>> keras.layers.Dropout(0.5, seed=1)(np.ones((1, 4)), training=True)
    """

    _recordable = True

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(seed, rate, **kwargs)
        self.rate = arguments.fraction(self, rate, "rate")
        self.noise_shape = read_noise_shape(self, noise_shape)

    def _disturb(self, inputs):
        noise_shape = self._get_noise_shape(inputs)
        return random.dropout(inputs, rate=self.rate, noise_shape=noise_shape, seed=self.seed_generator)

    def _get_noise_shape(self, inputs):
        return None if self.noise_shape is None else fill_noise_shape(self.noise_shape, inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "rate", "seed", "noise_shape")}


class BaseSpatialDropout(Dropout):
    """Dropout of whole channels of `rank` axes of space."""

    rank: int
    data_format = "channels_last"

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _get_noise_shape(self, inputs):
        ones = (1,) * self.rank
        batch, last = inputs.shape[0], inputs.shape[-1]
        return (batch, *ones, last) if self.data_format == "channels_last" else (batch, inputs.shape[1], *ones)

    def get_config(self) -> dict[str, Any]:
        return {**arguments.config_of(self, "rate", "seed", "name"), "dtype": self.dtype}


class SpatialDropout1D(BaseSpatialDropout):
    """Dropout of whole channels of sequences.

    Args:
        rate: the part of the channels that becomes zero, from 0 to 1.
        seed: an integer for reproducible choices.
    """

    rank = 1


class SpatialDropout2D(BaseSpatialDropout):
    """Dropout of whole channels of images, whose neighbouring pixels say much the same.

    Args:
        rate: the part of the channels that becomes zero, from 0 to 1.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.
        seed: an integer for reproducible choices.
    """

    rank = 2
    _recordable = True

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = arguments.data_format(self, data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout3D(SpatialDropout2D):
    """Dropout of whole channels of volumes; the arguments are those of `keras.layers.SpatialDropout2D`."""

    rank = 3


class AlphaDropout(RandomLayer):
    """Dropout that keeps mean and variance, for networks of SELU units: what is dropped becomes SELU's lower limit.

    Args:
        rate: the part that is dropped, from 0 to 1.
        noise_shape: a shape that broadcasts to the input's, along which the choice is shared; None for its own sizes.
        seed: an integer for reproducible choices.
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(seed, rate, **kwargs)
        self.rate = arguments.fraction(self, rate, "rate")
        self.noise_shape = read_noise_shape(self, noise_shape)

    def _disturb(self, inputs):
        shape = fill_noise_shape(self.noise_shape, inputs)
        kept = ops.greater_equal(random.uniform(shape, seed=self.seed_generator), self.rate)
        low = -SELU_ALPHA * SELU_SCALE
        scale = ((1 - self.rate) * (1 + self.rate * low**2)) ** -0.5
        shifted = ops.where(kept, inputs, ops.cast(low, inputs.dtype))
        return ops.add(ops.multiply(shifted, scale), -scale * low * self.rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "rate", "seed", "noise_shape")}
