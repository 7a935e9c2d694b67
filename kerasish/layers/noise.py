"""Noise, and penalties on activity."""

from __future__ import annotations

import math
from typing import Any

from kerasish import ops, random, regularizers
from kerasish.layers import arguments
from kerasish.layers.activation import ElementwiseLayer
from kerasish.layers.dropout import RandomLayer


class GaussianNoise(RandomLayer):
    """Adds normally distributed noise while training.

    Args:
        stddev: the noise's standard deviation, from 0 to 1.
        seed: an integer for reproducible noise.

    Call arguments:
        inputs: any tensor.
        training: whether noise is added; otherwise the input is returned.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any):
        super().__init__(seed, stddev, **kwargs)
        self.stddev = arguments.fraction(self, stddev, "stddev")

    def _disturb(self, inputs):
        noise = random.normal(
            tuple(inputs.shape), stddev=self.stddev, dtype=self.compute_dtype, seed=self.seed_generator
        )
        return ops.add(inputs, noise)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "stddev", "seed")}


class GaussianDropout(RandomLayer):
    """Multiplies by normally distributed noise around 1 while training.

    Args:
        rate: as of `keras.layers.Dropout`: the noise's standard deviation is `sqrt(rate / (1 - rate))`.
        seed: an integer for reproducible noise.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(seed, rate, **kwargs)
        self.rate = arguments.fraction(self, rate, "rate")

    def _disturb(self, inputs):
        stddev = math.sqrt(self.rate / (1 - self.rate))
        shape = tuple(inputs.shape)
        noise = random.normal(shape, mean=1.0, stddev=stddev, dtype=self.compute_dtype, seed=self.seed_generator)
        return ops.multiply(inputs, noise)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "rate", "seed")}


class ActivityRegularization(ElementwiseLayer):
    """Returns its input, and adds a penalty on it to the model's loss.

    Args:
        l1: factor of the sum of absolute values.
        l2: factor of the sum of squares.

    Raises:
        ValueError: if a factor is negative.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs):
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), **arguments.config_of(self, "l1", "l2")}
        config.pop("activity_regularizer", None)
        return config
