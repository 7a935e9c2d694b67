"""Normalization of each sample by its own statistics."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from kerasish import constraints, initializers, ops, regularizers
from kerasish.core import dtypes
from kerasish.layers import arguments
from kerasish.layers.arguments import Identifier
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.ops.norm import group_normalization

SCALE_AND_SHIFT = (
    "beta_initializer",
    "gamma_initializer",
    "beta_regularizer",
    "gamma_regularizer",
    "beta_constraint",
    "gamma_constraint",
)


def as_list(axis: int | Sequence[int]) -> list[int]:
    """One axis or several, as a list."""
    return list(axis) if isinstance(axis, (list, tuple)) else [axis]


class SameShape(Layer):
    """A normalization along `axis`, one or several: the output has the input's shape."""

    def compute_output_shape(self, input_shape) -> tuple:
        for axis in as_list(self.axis):
            if not -len(input_shape) <= axis < len(input_shape):
                message = f"Axis {axis} is out of bounds for input shape {tuple(input_shape)}."
                raise arguments.invalid(self, f"{message} Received: axis={self.axis}")
        return tuple(input_shape)


class AffineNormalization(SameShape):
    """A normalization with trained `gamma` and `beta`."""

    def __init__(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Identifier,
        gamma_initializer: Identifier,
        beta_regularizer: Identifier,
        gamma_regularizer: Identifier,
        beta_constraint: Identifier,
        gamma_constraint: Identifier,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.autocast = False  # the dtype of its inputs is that of the computation
        self.gamma = self.beta = None

    def _finished(self, outputs):
        return outputs if outputs.dtype == self.compute_dtype else ops.cast(outputs, self.compute_dtype)

    def _add(self, name, shape):
        options = {kind: getattr(self, f"{name}_{kind}") for kind in ("initializer", "regularizer", "constraint")}
        return self.add_weight(name=name, shape=shape, trainable=True, autocast=False, **options)


class LayerNormalization(AffineNormalization):
    """Brings each sample to mean 0 and standard deviation 1 along `axis`, then scales and shifts it by trained amounts.

    Args:
        axis: the axis, or axes, of the features.
        epsilon: added to the variance, so that nothing is divided by zero.
        center: whether `beta` is added.
        scale: whether the result is multiplied by `gamma`.
        beta_initializer, gamma_initializer: names or objects of `keras.initializers`.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: for the trained weights.

    Example:

    >>> keras.layers.LayerNormalization()(np.arange(10.0).reshape(5, 2) * 10)[0]
    [-1.0, 1.0]
    """

    _recordable = True

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Identifier = "zeros",
        gamma_initializer: Identifier = "ones",
        beta_regularizer: Identifier = None,
        gamma_regularizer: Identifier = None,
        beta_constraint: Identifier = None,
        gamma_constraint: Identifier = None,
        **kwargs: Any,
    ):
        rms_scaling = kwargs.pop("rms_scaling", False)
        weights = (beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer)
        super().__init__(epsilon, center, scale, *weights, beta_constraint, gamma_constraint, **kwargs)
        if not isinstance(axis, (int, list, tuple)):
            message = f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}"
            raise arguments.invalid(self, message, TypeError)
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.rms_scaling = rms_scaling
        if rms_scaling:
            message = "`rms_scaling=True` is deprecated: it divides by the standard deviation, not the root mean square"
            warnings.warn(f"{arguments.label(self)}: {message}; use `keras.layers.RMSNormalization`.", stacklevel=2)

    def build(self, input_shape) -> None:
        self.axis = sorted(as_list(self.axis))  # weights have their axes in this order: -1 comes before 1
        weighted = self.scale or self.center or self.rms_scaling
        shape = tuple(arguments.known_dim(self, input_shape, axis, open=not weighted) for axis in self.axis)
        if self.scale or self.rms_scaling:
            self.gamma = self._add("gamma", shape)
        if self.center and not self.rms_scaling:
            self.beta = self._add("beta", shape)

    def call(self, inputs):
        if not self.rms_scaling:
            return self._finished(ops.layer_normalization(inputs, self.gamma, self.beta, self.axis, self.epsilon))
        variance = ops.var(inputs, axis=self.axis, keepdims=True)
        return self._finished(inputs * ops.rsqrt(variance + self.epsilon) * self.gamma)

    def get_config(self) -> dict[str, Any]:
        own = ("axis", "epsilon", "center", "scale", "rms_scaling")
        return {**super().get_config(), **arguments.config_of(self, *own, *SCALE_AND_SHIFT)}


class GroupNormalization(AffineNormalization):
    """Brings each group of channels of each sample to mean 0 and standard deviation 1, then scales and shifts.

    Args:
        groups: number of groups, a divisor of the number of channels; -1 for one per channel.
        axis: the channels' axis.
        epsilon: added to the variance, so that nothing is divided by zero.
        center: whether `beta` is added.
        scale: whether the result is multiplied by `gamma`.
        beta_initializer, gamma_initializer: names or objects of `keras.initializers`.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: for the trained weights.

    Raises:
        ValueError: if the channels cannot be split so.

    Example:

    >>> keras.layers.GroupNormalization(groups=2)(np.random.rand(2, 5, 5, 8)).shape
    (2, 5, 5, 8)
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Identifier = "zeros",
        gamma_initializer: Identifier = "ones",
        beta_regularizer: Identifier = None,
        gamma_regularizer: Identifier = None,
        beta_constraint: Identifier = None,
        gamma_constraint: Identifier = None,
        **kwargs: Any,
    ):
        weights = (beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer)
        super().__init__(epsilon, center, scale, *weights, beta_constraint, gamma_constraint, **kwargs)
        if not arguments.is_int(groups) or groups == 0 or groups < -1:
            message = "Received an invalid value for argument `groups`, expected a positive integer"
            raise arguments.invalid(self, f"{message} (or `-1` for instance normalization). Received: groups={groups}")
        self.groups = groups
        self.axis = axis

    def build(self, input_shape) -> None:
        channels = arguments.known_dim(self, input_shape, self.axis)
        if self.groups == -1:
            self.groups = channels
        if channels < self.groups:
            message = f"Number of groups ({self.groups}) cannot be more than the number of channels ({channels})."
            raise arguments.invalid(self, message)
        if channels % self.groups:
            message = f"Number of groups ({self.groups}) must be a multiple of the number of channels ({channels})"
            raise arguments.invalid(self, f"{message}, the other way round: choose a divisor of {channels}.")
        if self.scale:
            self.gamma = self._add("gamma", (channels,))
        if self.center:
            self.beta = self._add("beta", (channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs):
        x = inputs if dtypes.is_float(inputs.dtype) else ops.cast(inputs, self.compute_dtype)
        y = group_normalization(x, self.groups, self.gamma, self.beta, self.axis, self.epsilon)
        return self._finished(y if y.dtype == inputs.dtype else ops.cast(y, inputs.dtype))

    def get_config(self) -> dict[str, Any]:
        own = ("groups", "axis", "epsilon", "center", "scale")
        return {**super().get_config(), **arguments.config_of(self, *own, *SCALE_AND_SHIFT)}


class UnitNormalization(SameShape):
    """Scales each sample to length 1 (the root of the sum of squares) along `axis`.

    Args:
        axis: an axis, or a list of them.

    Example:

    >>> keras.layers.UnitNormalization()(np.array([[3.0, 4.0]]))
    [[0.6, 0.8]]
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            message = "Invalid value for `axis` argument: expected an int or a list/tuple of ints."
            raise arguments.invalid(self, f"{message} Received: axis={axis}", TypeError)
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.supports_masking = True
        self.built = self._build_is_default

    def call(self, inputs):
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "axis")}


class RMSNormalization(SameShape):
    """Divides by the root of the mean of squares along `axis`, then multiplies by a trained `scale`.

    Args:
        axis: the axis, or axes, of the features.
        epsilon: added to the mean of squares, so that nothing is divided by zero.

    Example:

    >>> keras.layers.RMSNormalization()(np.random.rand(2, 5)).shape
    (2, 5)
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape) -> None:
        self.axis = sorted(as_list(self.axis))
        shape = tuple(arguments.known_dim(self, input_shape, axis) for axis in self.axis)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def call(self, inputs):
        return ops.rms_normalization(inputs, scale=self.scale, axis=self.axis, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "axis", "epsilon")}
