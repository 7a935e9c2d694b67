"""Batch normalization."""

from __future__ import annotations

from typing import Any

from kerasish import config, constraints, initializers, ops, regularizers
from kerasish.core import scopes
from kerasish.core.variable import writing
from kerasish.kernels import twin_of
from kerasish.layers import arguments
from kerasish.layers.arguments import Identifier
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.ops.nn import batch_norm_train


class BatchNormalization(Layer):
    """Brings each channel to mean 0 and standard deviation 1, then scales and shifts it by trained amounts.

    While training (and unless the layer is frozen by `trainable = False`) the batch's own statistics are used, and
    moving averages of them kept; otherwise the moving averages are used.

    Args:
        axis: the channels' axis; 1 for `data_format="channels_first"`.
        momentum: of the moving averages: `moving = moving * momentum + batch * (1 - momentum)`.
        epsilon: added to the variance, so that nothing is divided by zero.
        center: whether `beta` is added.
        scale: whether the result is multiplied by `gamma`.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: names or objects of
            `keras.initializers`.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: for the trained weights.
        renorm: batch renormalization (Ioffe, 2017): while training, too, outputs follow moving statistics, without a
            gradient through them.
        renorm_clipping: limits of its correction, a dictionary with any of `"rmin"`, `"rmax"` and `"dmax"`.
        renorm_momentum: of the moving statistics that it uses.
        synchronized: statistics over all devices; with one device, which is what there is, nothing changes.

    Call arguments:
        inputs: any tensor with the channels at `axis`.
        training: whether the batch's statistics are used.
        mask: `inputs.shape[:-1]`, true where a position counts for the statistics.

    Example:

    >>> keras.layers.BatchNormalization()(np.random.rand(8, 4, 4, 3), training=True).shape
    (8, 4, 4, 3)
    """

    _role = "normalization"
    _recordable = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Identifier = "zeros",
        gamma_initializer: Identifier = "ones",
        moving_mean_initializer: Identifier = "zeros",
        moving_variance_initializer: Identifier = "ones",
        beta_regularizer: Identifier = None,
        gamma_regularizer: Identifier = None,
        beta_constraint: Identifier = None,
        gamma_constraint: Identifier = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.renorm = renorm
        self.renorm_clipping = self._read_clipping(renorm_clipping) if renorm else renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized
        self.supports_masking = True
        self.gamma = self.beta = None

    def _read_clipping(self, clipping):
        clipping = dict(clipping or {})
        supported = ["rmax", "rmin", "dmax"]
        if unknown := {key: value for key, value in clipping.items() if key not in supported}:
            message = f"Received invalid keys for `renorm_clipping` argument: {unknown}. Supported values: {supported}."
            raise arguments.invalid(self, message)
        if clipping.get("rmax", float("inf")) < clipping.get("rmin", 0):
            message = "rmax should be greater than rmin in the `renorm_clipping` argument."
            raise arguments.invalid(self, f"{message} Received: renorm_clipping={clipping}")
        if clipping.get("dmax", 0) < 0:
            message = "dmax should be non-negative in the `renorm_clipping` argument."
            raise arguments.invalid(self, f"{message} Received: renorm_clipping={clipping}")
        return clipping

    def build(self, input_shape) -> None:
        shape = (arguments.known_dim(self, input_shape, self.axis),)
        if self.scale:
            self.gamma = self._trained("gamma", shape)
        if self.center:
            self.beta = self._trained("beta", shape)
        self.moving_mean = self._moving("moving_mean", shape, self.moving_mean_initializer)
        self.moving_variance = self._moving("moving_variance", shape, self.moving_variance_initializer)
        if self.renorm:
            self.moving_stddev = self._moving("moving_stddev", shape, self._initial_stddev)
            self.renorm_mean = self._moving("renorm_mean", shape, _again(self.moving_mean_initializer))
            self.renorm_stddev = self._moving("renorm_stddev", shape, self._initial_stddev)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: shape[0]})

    def _trained(self, name, shape):
        options = {kind: getattr(self, f"{name}_{kind}") for kind in ("initializer", "regularizer", "constraint")}
        return self.add_weight(name=name, shape=shape, trainable=True, autocast=False, **options)

    def _moving(self, name, shape, initializer):
        return self.add_weight(name=name, shape=shape, initializer=initializer, trainable=False, autocast=False)

    def _initial_stddev(self, shape, dtype=None):
        return ops.sqrt(_again(self.moving_variance_initializer)(shape, dtype=dtype))

    def call(self, inputs, training=None, mask=None):
        self._check_mask(inputs, mask)
        if inputs.dtype != self.compute_dtype:  # integers, which are not cast on the way in
            inputs = ops.cast(inputs, self.compute_dtype)
        if not (training and self.trainable):
            return self._normalize(inputs, self.moving_mean, self.moving_variance, self.gamma, self.beta)
        if self.renorm:
            return self._renormalize(inputs, *self._moments(inputs, mask))
        if mask is None and type(self)._moments is BatchNormalization._moments:
            return self.train(inputs)
        mean, variance = self._moments(inputs, mask)
        self._move(mean, variance)
        return self._normalize(inputs, mean, variance, self.gamma, self.beta)

    def train(self, inputs, activation: str | None = None):
        """The outputs by the batch's statistics, through an `activation` ("relu" or "relu6"); the averages move on."""
        weights = (self.gamma, self.beta, self.axis, self.epsilon)
        outputs, mean, variance = batch_norm_train(inputs, *weights, activation)
        self._move(mean, variance)
        return outputs

    def _move(self, mean, variance):
        self._average(self.moving_mean, mean, self.momentum)
        self._average(self.moving_variance, variance, self.momentum)

    def _check_mask(self, inputs, mask):
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            message = "The mask provided should be one dimension less than the inputs."
            received = f"Received: mask.shape={tuple(mask.shape)}, inputs.shape={tuple(inputs.shape)}"
            raise arguments.invalid(self, f"{message} {received}")

    def _normalize(self, inputs, mean, variance, gamma, beta):
        return ops.batch_normalization(inputs, mean, variance, self.axis, beta, gamma, self.epsilon)

    def _moments(self, inputs, mask):
        """Mean and variance of each channel, of the positions that count."""
        rank = len(inputs.shape)
        axes = [axis for axis in range(rank) if axis != self.axis % rank]
        if mask is None:
            return ops.moments(inputs, axes=axes)
        mask = ops.broadcast_to(ops.expand_dims(ops.cast(mask, "bool"), -1), tuple(inputs.shape))
        count = ops.sum(ops.cast(mask, inputs.dtype), axis=axes, keepdims=True) + config.epsilon()
        mean = ops.sum(ops.where(mask, inputs, 0), axis=axes, keepdims=True) / count
        squares = ops.sum(ops.square(ops.where(mask, inputs - mean, 0)), axis=axes, keepdims=True)
        return ops.squeeze(mean, axes), ops.squeeze(squares / count, axes)

    def _average(self, variable, value, momentum):
        """One step of a moving average, in place."""
        if scopes.shapes_only():
            return
        with writing([variable]):
            average = variable.mutable_array()
            twin_of(average).moving_average(average, value.value, momentum)

    def _renormalize(self, inputs, mean, variance):
        """Outputs by the batch's statistics, corrected (as constants) to the slow ones; all averages move on."""
        stddev = ops.sqrt(variance + self.epsilon)
        limits = self.renorm_clipping
        slow = ops.maximum(self.renorm_stddev, self.epsilon**0.5)
        scale = ops.stop_gradient(stddev / slow)
        scale = ops.clip(scale, limits.get("rmin", 0.0), limits.get("rmax", float("inf")))
        shift = ops.stop_gradient((mean - self.renorm_mean) / slow)
        shift = ops.clip(shift, -limits.get("dmax", float("inf")), limits.get("dmax", float("inf")))
        gamma = scale if self.gamma is None else scale * self.gamma
        beta = shift if self.gamma is None else shift * self.gamma
        outputs = self._normalize(inputs, mean, variance, gamma, beta if self.beta is None else beta + self.beta)
        self._average(self.renorm_mean, mean, self.renorm_momentum)
        self._average(self.renorm_stddev, stddev, self.renorm_momentum)
        self._average(self.moving_mean, mean, self.momentum)
        self._average(self.moving_stddev, stddev, self.momentum)
        self.moving_variance.assign(ops.maximum(ops.square(self.moving_stddev) - self.epsilon, 0.0))
        return outputs

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        own = (
            "axis momentum epsilon center scale beta_initializer gamma_initializer moving_mean_initializer "
            "moving_variance_initializer beta_regularizer gamma_regularizer beta_constraint gamma_constraint "
            "synchronized renorm renorm_clipping renorm_momentum"
        )
        return {**super().get_config(), **arguments.config_of(self, *own.split())}


def _again(initializer):
    """The initializer made again, so that one without a seed draws other numbers."""
    made_by_config = isinstance(initializer, initializers.Initializer)
    return type(initializer).from_config(initializer.get_config()) if made_by_config else initializer
