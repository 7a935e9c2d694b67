"""Spectral normalization."""

from __future__ import annotations

from typing import Any

from kerasish import initializers, ops
from kerasish.layers import arguments
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.wrapping import Wrapper


class SpectralNormalization(Wrapper):
    """Divides a layer's kernel by its largest singular value while training (Miyato et al., 2018).

    Args:
        layer: a layer with a `kernel` or `embeddings`.
        power_iterations: steps of the power iteration at each call.

    Example:

    >>> keras.layers.SpectralNormalization(keras.layers.Conv2D(2, 2))(np.random.rand(1, 10, 10, 1)).shape
    (1, 9, 9, 2)
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            message = "`power_iterations` should be greater than zero."
            raise arguments.invalid(self, f"{message} Received: `power_iterations={power_iterations}`")
        self.power_iterations = power_iterations

    def build(self, input_shape) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        names = [name for name in ("kernel", "embeddings") if hasattr(self.layer, name)]
        if not names:
            message = f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'"
            raise arguments.invalid(self, message)
        self.kernel = getattr(self.layer, names[0])
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=self.kernel.dtype,
        )

    def call(self, inputs, training=False):
        if training and ops.any(ops.not_equal(self.kernel, 0)):  # a kernel of zeros has no direction
            vector_u, kernel = self.normalized_weights()
            self.vector_u.assign(vector_u)
            self.kernel.assign(kernel)
        return ops.cast(self.layer(inputs), inputs.dtype)

    def normalized_weights(self):
        """The next singular vector, and the kernel divided by its largest singular value."""
        weights = ops.stop_gradient(ops.reshape(self.kernel, (-1, self.kernel.shape[-1])))
        vector_u = ops.stop_gradient(ops.convert_to_tensor(self.vector_u))
        for _ in range(self.power_iterations):
            vector_v = ops.normalize(ops.matmul(vector_u, ops.transpose(weights)), axis=None)
            vector_u = ops.normalize(ops.matmul(vector_v, weights), axis=None)
        sigma = ops.matmul(ops.matmul(vector_v, weights), ops.transpose(vector_u))
        return vector_u, ops.reshape(ops.divide(weights, sigma), self.kernel.shape)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments.config_of(self, "power_iterations")}
