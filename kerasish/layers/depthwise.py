"""Depthwise convolution, which keeps the channels apart, and separable convolution, which then mixes them."""

from __future__ import annotations

from typing import Any

from kerasish import activations, constraints, initializers, regularizers
from kerasish.layers import arguments, windows
from kerasish.layers.arguments import Identifier, Size
from kerasish.layers.convolutional import add_bias, conv_output_shape
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.ops.nn import conv_bias_act, depthwise_bias_act


class BaseDepthwiseConv(Layer):
    """Depthwise convolution over `rank` axes of space."""

    rank: int

    def __init__(
        self,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Size = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        depthwise_initializer: Identifier = "glorot_uniform",
        bias_initializer: Identifier = "zeros",
        depthwise_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        activity_regularizer: Identifier = None,
        depthwise_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = arguments.positive_int(self, depth_multiplier, "depth_multiplier")
        self.kernel_size = arguments.int_tuple(self, kernel_size, self.rank, "kernel_size")
        self.strides = arguments.int_tuple(self, strides, self.rank, "strides")
        self.dilation_rate = arguments.int_tuple(self, dilation_rate, self.rank, "dilation_rate")
        self.padding = arguments.choice(self, padding, ("valid", "same"), "padding")
        self.data_format = arguments.data_format(self, data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    def build(self, input_shape) -> None:
        axis = arguments.channel_axis(self)
        channels = arguments.known_dim(self, input_shape, axis)
        windows.check_window_fits(self, input_shape, self.kernel_size, "kernel_size")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.bias = add_bias(self, channels * self.depth_multiplier)
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})

    def call(self, inputs):
        windows.check_window_fits(self, inputs.shape, self.kernel_size, "kernel_size")
        fused, rest = arguments.split_activation(self.activation)
        window = (self.strides, self.padding, self.data_format, self.dilation_rate)
        outputs = depthwise_bias_act(inputs, self.kernel, self.bias, *window, activation=fused)
        return rest(outputs) if rest else outputs

    def compute_output_shape(self, input_shape) -> tuple:
        windows.check_window_fits(self, input_shape, self.kernel_size, "kernel_size")
        channels = input_shape[arguments.channel_axis(self)]
        return conv_output_shape(self, input_shape, channels and channels * self.depth_multiplier)

    def get_config(self) -> dict[str, Any]:
        own = (
            "depth_multiplier kernel_size strides padding data_format dilation_rate activation use_bias "
            "depthwise_initializer bias_initializer depthwise_regularizer bias_regularizer activity_regularizer "
            "depthwise_constraint bias_constraint"
        )
        return {**super().get_config(), **arguments.config_of(self, *own.split())}


class DepthwiseConv1D(BaseDepthwiseConv):
    """Convolution over one axis that keeps the channels apart.

    The arguments are those of `keras.layers.DepthwiseConv2D`, with one integer for the window.

    Example:

    >>> keras.layers.DepthwiseConv1D(3, depth_multiplier=3)(np.random.rand(4, 10, 12)).shape
    (4, 8, 36)
    """

    rank = 1
    _role = "depthwise"
    _recordable = True


class DepthwiseConv2D(BaseDepthwiseConv):
    """Convolution of images that keeps the channels apart: each has filters of its own.

    Args:
        kernel_size: rows and columns of the window; one integer for both.
        strides: how far the window moves at each step.
        padding: `"valid"` (none) or `"same"` (zeros around the image).
        depth_multiplier: filters per channel; the output has `channels * depth_multiplier` channels.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.
        dilation_rate: the distance of the window's taps.
        activation: a name or a function applied to the output.
        use_bias: whether a number per output channel is added.
        depthwise_initializer, bias_initializer: names or objects of `keras.initializers`.
        depthwise_regularizer, bias_regularizer, activity_regularizer: penalties on the weights and on the output.
        depthwise_constraint, bias_constraint: projections applied to the weights after each update.

    Example:

    >>> keras.layers.DepthwiseConv2D(3, activation="relu")(np.random.rand(4, 10, 10, 12)).shape
    (4, 8, 8, 12)
    """

    rank = 2
    _role = "depthwise"
    _recordable = True


class BaseSeparableConv(Layer):
    """Separable convolution over `rank` axes of space."""

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Size = 1,
        depth_multiplier: int = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        depthwise_initializer: Identifier = "glorot_uniform",
        pointwise_initializer: Identifier = "glorot_uniform",
        bias_initializer: Identifier = "zeros",
        depthwise_regularizer: Identifier = None,
        pointwise_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        activity_regularizer: Identifier = None,
        depthwise_constraint: Identifier = None,
        pointwise_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = arguments.positive_int(self, depth_multiplier, "depth_multiplier")
        self.filters = arguments.positive_int(self, filters, "filters")
        self.kernel_size = arguments.int_tuple(self, kernel_size, self.rank, "kernel_size")
        self.strides = arguments.int_tuple(self, strides, self.rank, "strides")
        self.dilation_rate = arguments.int_tuple(self, dilation_rate, self.rank, "dilation_rate")
        self.padding = arguments.choice(self, padding, ("valid", "same"), "padding")
        self.data_format = arguments.data_format(self, data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    def build(self, input_shape) -> None:
        axis = arguments.channel_axis(self)
        channels = arguments.known_dim(self, input_shape, axis)
        windows.check_window_fits(self, input_shape, self.kernel_size, "kernel_size")
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self.bias = add_bias(self, self.filters)
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})

    def call(self, inputs):
        windows.check_window_fits(self, inputs.shape, self.kernel_size, "kernel_size")
        fused, rest = arguments.split_activation(self.activation)
        window = (self.strides, self.padding, self.data_format, self.dilation_rate)
        apart = depthwise_bias_act(inputs, self.depthwise_kernel, None, *window)
        mixing = {"data_format": self.data_format, "activation": fused}
        outputs = conv_bias_act(apart, self.pointwise_kernel, self.bias, **mixing)
        return rest(outputs) if rest else outputs

    def compute_output_shape(self, input_shape) -> tuple:
        windows.check_window_fits(self, input_shape, self.kernel_size, "kernel_size")
        return conv_output_shape(self, input_shape, self.filters)

    def get_config(self) -> dict[str, Any]:
        own = (
            "depth_multiplier filters kernel_size strides padding data_format dilation_rate activation use_bias "
            "depthwise_initializer pointwise_initializer bias_initializer depthwise_regularizer pointwise_regularizer "
            "bias_regularizer activity_regularizer depthwise_constraint pointwise_constraint bias_constraint"
        )
        return {**super().get_config(), **arguments.config_of(self, *own.split())}


class SeparableConv1D(BaseSeparableConv):
    """Separable convolution over one axis.

    The arguments are those of `keras.layers.SeparableConv2D`, with one integer for the window.

    Example:

    >>> keras.layers.SeparableConv1D(3, 4, activation="relu")(np.random.rand(4, 10, 12)).shape
    (4, 7, 3)
    """

    rank = 1
    _recordable = True


class SeparableConv2D(BaseSeparableConv):
    """Separable convolution of images: a depthwise convolution, then a 1x1 convolution that mixes the channels.

    Args:
        filters: number of filters of the 1x1 convolution, the channels of the output.
        kernel_size, strides, padding, dilation_rate, depth_multiplier: of the depthwise convolution, as in
            `keras.layers.DepthwiseConv2D`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.
        activation: a name or a function applied to the output.
        use_bias: whether a number per filter is added.
        depthwise_initializer, pointwise_initializer, bias_initializer: names or objects of `keras.initializers`.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer: penalties.
        depthwise_constraint, pointwise_constraint, bias_constraint: projections applied after each update.

    Example:

    >>> keras.layers.SeparableConv2D(3, 4, activation="relu")(np.random.rand(4, 10, 10, 12)).shape
    (4, 7, 7, 3)
    """

    rank = 2
    _recordable = True
