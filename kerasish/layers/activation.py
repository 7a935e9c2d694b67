"""Activations as layers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from kerasish import activations, constraints, initializers, ops, regularizers
from kerasish.layers import arguments
from kerasish.layers.arguments import Identifier
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


class ElementwiseLayer(Layer):
    """A layer without weights whose output has the shape of its input; masks pass through."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = self._build_is_default

    def compute_output_shape(self, input_shape):
        return input_shape


class Activation(ElementwiseLayer):
    """Applies an activation function.

    Args:
        activation: a name of `keras.activations`, or a function.

    Example:

    >>> keras.layers.Activation("relu")(np.array([-3.0, -1.0, 0.0, 2.0]))
    [0.0, 0.0, 0.0, 2.0]
    """

    _role = "clamp"
    _recordable = True

    def __init__(self, activation: Identifier, **kwargs: Any):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs):
        return self.activation(inputs)

    @property
    def _clamp(self) -> str | None:
        """How kernels call what the layer does, where it only cuts off."""
        return {activations.relu: "relu", activations.relu6: "relu6"}.get(self.activation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "activation")}


class ReLU(ElementwiseLayer):
    """Rectified linear unit: `x` above the threshold, limited to `max_value`, and a slope below.

    Args:
        max_value: the largest output; None for no limit.
        negative_slope: the slope below the threshold.
        threshold: where the unit begins.

    Raises:
        ValueError: if one of them is negative.

    Example:

    >>> keras.layers.ReLU(max_value=10, negative_slope=0.5)(np.array([-10.0, -5.0, 0.0, 5.0, 11.0]))
    [-5.0, -2.5, 0.0, 5.0, 10.0]
    """

    _role = "clamp"
    _recordable = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            message = f"max_value of a ReLU layer cannot be a negative value. Received: max_value={max_value}"
            raise arguments.invalid(self, message)
        for name, value in (("negative_slope", negative_slope), ("threshold", threshold)):
            if value is None or value < 0:
                message = f"{name} of a ReLU layer cannot be None or a negative value. Received: {name}={value}"
                raise arguments.invalid(self, message)
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def call(self, inputs):
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    @property
    def _clamp(self) -> str | None:
        """How kernels call what the layer does, where it only cuts off."""
        plain = self.negative_slope == 0 and self.threshold == 0
        return {None: "relu", 6: "relu6"}.get(self.max_value) if plain else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "max_value", "negative_slope", "threshold")}


class LeakyReLU(ElementwiseLayer):
    """`x` above zero, `negative_slope * x` below.

    Args:
        negative_slope: the slope below zero, which is not negative.

    Example:

    >>> keras.layers.LeakyReLU(negative_slope=0.5)(np.array([-10.0, -5.0, 0.0, 5.0]))
    [-5.0, -2.5, 0.0, 5.0]
    """

    _recordable = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warnings.warn("LeakyReLU: argument `alpha` is deprecated; use `negative_slope` instead.", stacklevel=2)
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            message = (
                "The negative_slope value of a Leaky ReLU layer cannot be None or negative value. Expected a float."
            )
            raise arguments.invalid(self, f"{message} Received: negative_slope={negative_slope}")
        self.negative_slope = negative_slope

    def call(self, inputs):
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "negative_slope")}


class PReLU(Layer):
    """`x` above zero, `alpha * x` below, with `alpha` trained.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: for `alpha`, which has the shape of one input.
        shared_axes: the axes along which `alpha` is the same, such as `[1, 2]`: one per channel of an image.
    """

    def __init__(
        self,
        alpha_initializer: Identifier = "Zeros",
        alpha_regularizer: Identifier = None,
        alpha_constraint: Identifier = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        several = isinstance(shared_axes, (list, tuple))
        self.shared_axes = list(shared_axes) if several else shared_axes if shared_axes is None else [shared_axes]

    def build(self, input_shape) -> None:
        shared = self.shared_axes or ()
        sizes = {i: arguments.known_dim(self, input_shape, i) for i in range(1, len(input_shape)) if i not in shared}
        shape = [sizes.get(axis) for axis in range(1, len(input_shape))]
        for axis in shared:
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            name="alpha",
            shape=tuple(shape),
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes if shared else {})  # else `alpha` broadcasts

    def call(self, inputs):
        return ops.subtract(ops.relu(inputs), ops.multiply(self.alpha, ops.relu(ops.negative(inputs))))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        own = ("alpha_initializer", "alpha_regularizer", "alpha_constraint", "shared_axes")
        return {**super().get_config(), **arguments.config_of(self, *own)}


class ELU(ElementwiseLayer):
    """Exponential linear unit: `x` above zero, `alpha * (exp(x) - 1)` below.

    Args:
        alpha: the limit below zero is `-alpha`.
    """

    _recordable = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs):
        return activations.elu(inputs, alpha=self.alpha)


class Softmax(ElementwiseLayer):
    """Positive numbers that add up to 1.

    Args:
        axis: the axis along which they add up to 1, or a tuple of axes; None for all of them.

    Call arguments:
        inputs: the logits.
        mask: true, or more than 0.5, where a number counts; the others become 0. It broadcasts against the inputs.

    Example:

    >>> keras.layers.Softmax()(np.array([1.0, 2.0, 1.0]))
    [0.21194157, 0.5761169, 0.21194157]
    """

    _recordable = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs, mask=None):
        if mask is None:
            return self._normalize(inputs)
        self._check_mask(tuple(inputs.shape), tuple(mask.shape))
        mask = mask if mask.dtype == "bool" else ops.greater(mask, 0.5)
        lowest = -3.0e4 if inputs.dtype == "float16" else -1.0e9
        outputs = self._normalize(ops.where(mask, inputs, lowest))  # integers become floats, which have room for it
        return ops.where(mask, outputs, 0.0)

    def _normalize(self, inputs):
        if not isinstance(self.axis, (list, tuple)):
            return activations.softmax(inputs, axis=self.axis)
        if len(self.axis) == 1:
            return activations.softmax(inputs, axis=self.axis[0])
        return ops.exp(inputs - ops.logsumexp(inputs, axis=tuple(self.axis), keepdims=True))

    def _check_mask(self, shape, mask_shape):
        """A mask may broadcast to the inputs, not the inputs to it."""
        if len(mask_shape) > len(shape):
            message = f"mask of shape {mask_shape} must not have more dimensions than the inputs of shape {shape}"
            raise arguments.invalid(self, message)
        pairs = zip(reversed(mask_shape), reversed(shape))
        if any(m not in (1, None, n) and n is not None for m, n in pairs):
            message = f"mask of shape {mask_shape} is not broadcastable to the inputs of shape {shape}"
            raise arguments.invalid(self, message)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "axis")}
