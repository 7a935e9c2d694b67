"""Embedding, the layer that looks vectors up."""

from __future__ import annotations

from typing import Any

from kerasish import constraints, initializers, ops, regularizers
from kerasish.layers import arguments
from kerasish.layers.arguments import Identifier
from kerasish.layers.layer import Layer


class Embedding(Layer):
    """Turns whole numbers into vectors: row `i` of a trained table for the number `i`.

    Args:
        input_dim: rows of the table, the largest number plus 1.
        output_dim: the vectors' length.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: for the table.
        mask_zero: whether 0 means "no number here", so that the layers that follow leave it out.
        weights: a table to start from.
        lora_rank, lora_alpha, quantization_config: not supported yet.

    Numbers of the shape `(batch, ...)` give vectors of the shape `(batch, ..., output_dim)`.

    Example:

    >>> keras.layers.Embedding(1000, 64)(np.random.randint(1000, size=(32, 10))).shape
    (32, 10, 64)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Identifier = "uniform",
        embeddings_regularizer: Identifier = None,
        embeddings_constraint: Identifier = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        kwargs.pop("input_length", None)  # Keras 2's name for what the input's shape says; Keras 3 drops it too
        super().__init__(**kwargs)
        self.input_dim = self._positive(input_dim, "input_dim")
        self.output_dim = self._positive(output_dim, "output_dim")
        arguments.refuse_lora(self, lora_rank, lora_alpha)
        arguments.refuse_quantization(self, quantization_config)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.quantization_config = None
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def _positive(self, value, name):
        if arguments.is_int(value) and value > 0:
            return value
        message = f"`{name}` must be a positive integer. Received: {name}={value} (of type {type(value).__name__})."
        raise arguments.invalid(self, message)

    def build(self, input_shape=None) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        self.built = True

    def call(self, inputs):
        return ops.take(self.embeddings, ops.cast(inputs, "int32"), axis=0)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape) -> tuple:
        return (*input_shape, self.output_dim)

    def enable_lora(self, rank: int, *args: Any, **kwargs: Any) -> None:
        """Not supported yet: raises `NotImplementedError`."""
        arguments.refuse_lora(self, rank)

    def get_config(self) -> dict[str, Any]:
        own = (
            "input_dim output_dim embeddings_initializer embeddings_regularizer activity_regularizer "
            "embeddings_constraint mask_zero quantization_config"
        )
        return {**super().get_config(), **arguments.config_of(self, *own.split())}
