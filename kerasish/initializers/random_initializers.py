"""Initializers that draw. From the same seed they make the numbers that Keras makes on TensorFlow."""

from __future__ import annotations

import math

import numpy as np

from kerasish import random, saving
from kerasish.core import dtypes
from kerasish.core.tensor import Tensor
from kerasish.initializers.initializer import Initializer, known_shape
from kerasish.random.seed import make_default_seed

# The standard deviation of the standard normal distribution truncated to (-2, 2).
TRUNCATED_STDDEV = 0.87962566103423978
_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal")


class RandomInitializer(Initializer):
    """Base of the initializers with a seed.

    Args:
        seed: Integer (every call makes the same numbers), `keras.random.SeedGenerator` (each call makes new ones), or
            `None` for an integer chosen by Python's `random`.

    Raises:
        ValueError: If `seed` is something else.
    """

    def __init__(self, seed=None):
        self._init_seed = seed
        if seed is None:
            seed = make_default_seed()
        elif isinstance(seed, dict):
            seed = saving.deserialize_keras_object(seed)
        elif not isinstance(seed, (int, random.SeedGenerator)):
            raise ValueError(
                "`seed` argument should be an instance of `keras.random.SeedGenerator()` or an integer. "
                f"Received: seed={seed}"
            )
        self.seed = seed

    def get_config(self) -> dict:
        return {"seed": saving.serialize_keras_object(self._init_seed)}


class _Normal(RandomInitializer):
    """A normal distribution, whole or truncated."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean, self.stddev = mean, stddev
        super().__init__(seed=seed)

    def get_config(self) -> dict:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class RandomNormal(_Normal):
    """Normally distributed numbers.

    Args:
        mean: Their mean.
        stddev: Their standard deviation.
        seed: Integer, `keras.random.SeedGenerator` or `None`.
    """

    def __call__(self, shape, dtype=None):
        return random.normal(known_shape(shape), self.mean, self.stddev, dtype, self.seed)


class TruncatedNormal(_Normal):
    """Normally distributed numbers, those further than two `stddev` from `mean` being drawn again.

    Args:
        mean: Mean before truncation.
        stddev: Standard deviation before truncation.
        seed: Integer, `keras.random.SeedGenerator` or `None`.
    """

    def __call__(self, shape, dtype=None):
        return random.truncated_normal(known_shape(shape), self.mean, self.stddev, dtype, self.seed)


class RandomUniform(RandomInitializer):
    """Numbers spread evenly over `[minval, maxval)`; whole ones if the dtype is `int32` or `int64`.

    Args:
        minval: Lower bound.
        maxval: Upper bound.
        seed: Integer, `keras.random.SeedGenerator` or `None`.
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        self.minval, self.maxval = minval, maxval
        super().__init__(seed=seed)

    def __call__(self, shape, dtype=None):
        dtype, shape = dtypes.standardize_dtype(dtype), known_shape(shape)
        if dtype in ("int32", "int64"):
            return random.randint(shape, int(self.minval), int(self.maxval), dtype, self.seed)
        return random.uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self) -> dict:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class VarianceScaling(RandomInitializer):
    """Numbers whose spread is fitted to the number of connections, so that signals keep their size through the layers.

    With the variance `scale / n`, `n` being the number of inputs, of outputs, or their mean.

    Args:
        scale: Positive factor.
        mode: `"fan_in"`, `"fan_out"` or `"fan_avg"`: what `n` is.
        distribution: `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`.
        seed: Integer, `keras.random.SeedGenerator` or `None`.
        input_axes: Axes of the shape that count as inputs.
        output_axes: Axes that count as outputs. By default, unless both are given, the last two axes are inputs and
            outputs, and those before a receptive field.

    Raises:
        ValueError: For a scale that is not positive, or an unknown mode or distribution.

    Example:

    ```python
    initializer = keras.initializers.VarianceScaling(scale=2.0, mode="fan_out", distribution="untruncated_normal")
    layer = keras.layers.Conv2D(64, 3, kernel_initializer=initializer)
    ```
    """

    def __init__(
        self,
        scale=1.0,
        mode="fan_in",
        distribution="truncated_normal",
        seed=None,
        input_axes=None,
        output_axes=None,
    ):
        if scale <= 0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        if mode not in _MODES:
            raise ValueError(f"Invalid `mode` argument: {mode}. Please use one of {_MODES}")
        distribution = "truncated_normal" if distribution in ("normal", "Normal") else distribution
        if str(distribution).lower() not in _DISTRIBUTIONS:
            raise ValueError(f"Invalid `distribution` argument: {distribution}. Please use one of {_DISTRIBUTIONS}")
        self.scale, self.mode, self.distribution = scale, mode, distribution.lower()
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed=seed)

    def __call__(self, shape, dtype=None):
        shape = known_shape(shape)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(variance), dtype, self.seed)
        return random.truncated_normal(shape, 0.0, math.sqrt(variance) / TRUNCATED_STDDEV, dtype, self.seed)

    def get_config(self) -> dict:
        own = ("scale", "mode", "distribution", "input_axes", "output_axes")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def compute_fans(shape, input_axes=None, output_axes=None) -> tuple[int, int]:
    """How many inputs and outputs a weight of this shape connects."""
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


class _Scaled(VarianceScaling):
    """A VarianceScaling with everything but the seed fixed."""

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self.fixed, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self) -> dict:
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Scaled):
    """Uniform numbers within `sqrt(6 / (fan_in + fan_out))` of 0: `fan_in` inputs, `fan_out` outputs.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010).

    Args:
        seed: Integer, `keras.random.SeedGenerator` or `None`.
        input_axes: Axes that count as inputs.
        output_axes: Axes that count as outputs.
    """

    fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal numbers of standard deviation `sqrt(2 / (fan_in + fan_out))`.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010).

    Args:
        seed: Integer, `keras.random.SeedGenerator` or `None`.
        input_axes: Axes that count as inputs.
        output_axes: Axes that count as outputs.
    """

    fixed = (1.0, "fan_avg", "truncated_normal")


class LecunNormal(_Scaled):
    """Truncated normal numbers of standard deviation `sqrt(1 / fan_in)`.

    Klambauer et al., "Self-normalizing neural networks" (2017).

    Args:
        seed: Integer, `keras.random.SeedGenerator` or `None`.
        input_axes: Axes that count as inputs.
        output_axes: Axes that count as outputs.
    """

    fixed = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform numbers within `sqrt(3 / fan_in)` of 0.

    Klambauer et al., "Self-normalizing neural networks" (2017).

    Args:
        seed: Integer, `keras.random.SeedGenerator` or `None`.
        input_axes: Axes that count as inputs.
        output_axes: Axes that count as outputs.
    """

    fixed = (1.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal numbers of standard deviation `sqrt(2 / fan_in)`.

    He et al., "Delving deep into rectifiers" (2015).

    Args:
        seed: Integer, `keras.random.SeedGenerator` or `None`.
        input_axes: Axes that count as inputs.
        output_axes: Axes that count as outputs.
    """

    fixed = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform numbers within `sqrt(6 / fan_in)` of 0.

    He et al., "Delving deep into rectifiers" (2015).

    Args:
        seed: Integer, `keras.random.SeedGenerator` or `None`.
        input_axes: Axes that count as inputs.
        output_axes: Axes that count as outputs.
    """

    fixed = (2.0, "fan_in", "uniform")


class Orthogonal(RandomInitializer):
    """An orthogonal matrix: `Q` of the QR factors of a random one, its axes but the last being taken together.

    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks" (2014).

    Args:
        gain: Factor for the matrix.
        seed: Integer, `keras.random.SeedGenerator` or `None`.

    Raises:
        ValueError: When called for a shape of fewer than two dimensions.
    """

    def __init__(self, gain=1.0, seed=None):
        self.gain = gain
        super().__init__(seed=seed)

    def __call__(self, shape, dtype=None):
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        shape, dtype = known_shape(shape), dtypes.standardize_dtype(dtype)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        drawn = random.normal((max(rows, columns), min(rows, columns)), dtype=dtype, seed=self.seed).numpy()
        q, r = np.linalg.qr(drawn if dtype == "float64" else drawn.astype("float32"))
        q *= np.where(np.diag(r) < 0, -1, 1)  # makes Q unique
        q = (q if rows >= columns else q.T).reshape(shape)
        return Tensor((q * self.gain).astype(drawn.dtype))

    def get_config(self) -> dict:
        return {**super().get_config(), "gain": self.gain}
