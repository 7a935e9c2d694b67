"""Dense, the layer of matrix products."""

from __future__ import annotations

from typing import Any

from kerasish import activations, constraints, initializers, regularizers
from kerasish.core.errors import not_yet
from kerasish.layers import arguments
from kerasish.layers.arguments import Identifier
from kerasish.layers.convolutional import add_bias
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.ops.nn import dense_bias_act


class Dense(Layer):
    """`activation(inputs @ kernel + bias)`, along the last axis of the inputs.

    Args:
        units: the size of the output's last axis.
        activation: a name or a function applied to the output.
        use_bias: whether a number per unit is added.
        kernel_initializer, bias_initializer: names or objects of `keras.initializers`.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on the weights and on the output.
        kernel_constraint, bias_constraint: projections applied to the weights after each update.
        lora_rank, lora_alpha, quantization_config: not supported yet.

    Inputs of the shape `(batch, ..., input_dim)` give outputs of the shape `(batch, ..., units)`.

    Raises:
        ValueError: if `units` is not a positive integer.

    Example:

    >>> keras.layers.Dense(3, activation="softmax")(np.random.rand(2, 5)).shape
    (2, 3)
    """

    _role = "dense"
    _recordable = True

    def __init__(
        self,
        units: int,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = "glorot_uniform",
        bias_initializer: Identifier = "zeros",
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        activity_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not arguments.is_int(units) or units <= 0:
            message = f"Received an invalid value for `units`, expected a positive integer. Received: units={units}"
            raise arguments.invalid(self, message)
        arguments.refuse_lora(self, lora_rank, lora_alpha)
        arguments.refuse_quantization(self, quantization_config)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = None
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape) -> None:
        input_dim = arguments.known_dim(self, input_shape, -1)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_dim, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = add_bias(self, self.units)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_dim})

    def call(self, inputs, training=None):
        fused, rest = arguments.split_activation(self.activation)
        outputs = dense_bias_act(inputs, self.kernel, self.bias, activation=fused)
        return rest(outputs) if rest else outputs

    def compute_output_shape(self, input_shape) -> tuple:
        return (*input_shape[:-1], self.units)

    def enable_lora(self, rank: int, *args: Any, **kwargs: Any) -> None:
        """Not supported yet: raises `NotImplementedError`."""
        arguments.refuse_lora(self, rank)

    def quantize(self, mode: Any = None, **kwargs: Any) -> None:
        """Not supported yet: raises `NotImplementedError`."""
        raise not_yet(f"{arguments.label(self)}: quantize({mode!r})", "keep float weights")

    def get_config(self) -> dict[str, Any]:
        own = (
            "units activation use_bias kernel_initializer bias_initializer kernel_regularizer bias_regularizer "
            "kernel_constraint bias_constraint quantization_config"
        )
        return {**super().get_config(), **arguments.config_of(self, *own.split())}
