"""Transposed convolution layers: the gradient of a convolution as a layer, which makes images larger."""

from __future__ import annotations

from typing import Any

from kerasish import activations, constraints, initializers, ops, regularizers
from kerasish.core import shapes
from kerasish.layers import arguments, windows
from kerasish.layers.arguments import Identifier, Size
from kerasish.layers.convolutional import KERNEL_AND_BIAS, add_bias, check_strides_or_dilation
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


class BaseConvTranspose(Layer):
    """Transposed convolution over `rank` axes of space."""

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        output_padding: Size | None = None,
        data_format: str | None = None,
        dilation_rate: Size = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = "glorot_uniform",
        bias_initializer: Identifier = "zeros",
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        activity_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = arguments.positive_int(self, filters, "filters")
        self.kernel_size = arguments.int_tuple(self, kernel_size, self.rank, "kernel_size")
        self.strides = arguments.int_tuple(self, strides, self.rank, "strides")
        self.dilation_rate = arguments.int_tuple(self, dilation_rate, self.rank, "dilation_rate")
        self.padding = arguments.choice(self, padding, ("valid", "same"), "padding")
        self.output_padding = self._read_output_padding(output_padding)
        self.data_format = arguments.data_format(self, data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)
        check_strides_or_dilation(self)

    def _read_output_padding(self, value):
        if value is None:
            return None
        values = arguments.int_tuple(self, value, self.rank, "output_padding", minimum=0)
        if any(extra >= stride for extra, stride in zip(values, self.strides)):
            message = "`output_padding` must be strictly less than `strides` for all dimensions."
            received = f"Received: output_padding={values}, strides={self.strides}"
            raise arguments.invalid(self, f"{message} {received}")
        return values

    def build(self, input_shape) -> None:
        axis = arguments.channel_axis(self)
        channels = arguments.known_dim(self, input_shape, axis)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = add_bias(self, self.filters)
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})

    def call(self, inputs):
        window = (self.strides, self.padding, self.output_padding, self.data_format, self.dilation_rate)
        outputs = ops.conv_transpose(inputs, self.kernel, *window)
        if self.bias is not None:
            shape = [1] * len(outputs.shape)
            shape[arguments.channel_axis(self)] = self.filters
            outputs = ops.add(outputs, ops.reshape(self.bias, shape))
        return self.activation(outputs) if self.activation is not None else outputs

    def compute_output_shape(self, input_shape) -> tuple:
        space, _ = windows.split_shape(input_shape, self.data_format)
        extra = self.output_padding or (None,) * self.rank
        axes = zip(space, self.kernel_size, self.strides, extra, self.dilation_rate)
        space = [shapes.transposed_output(n, k, s, self.padding, o, d) for n, k, s, o, d in axes]
        return windows.join_shape(input_shape[0], space, self.filters, self.data_format)

    def get_config(self) -> dict[str, Any]:
        own = "filters kernel_size strides padding output_padding data_format dilation_rate activation use_bias"
        return {**super().get_config(), **arguments.config_of(self, *own.split(), *KERNEL_AND_BIAS)}


class Conv1DTranspose(BaseConvTranspose):
    """Transposed convolution over one axis.

    The arguments are those of `keras.layers.Conv2DTranspose`, with one integer for the window.

    Example:

    >>> keras.layers.Conv1DTranspose(32, 3, strides=2, padding="same")(np.random.rand(4, 10, 128)).shape
    (4, 20, 32)
    """

    rank = 1


class Conv2DTranspose(BaseConvTranspose):
    """Transposed convolution of images: goes from the shape of a convolution's output to that of its input.

    Args:
        filters: number of filters, the channels of the output.
        kernel_size: rows and columns of the window; one integer for both.
        strides: by how much the image grows.
        padding: `"valid"` or `"same"`, which makes the output exactly `strides` times as large.
        output_padding: rows and columns added to one side of the output, less than `strides`; by default the
            output is as large as the padding says.
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.
        dilation_rate: the distance of the window's taps. Either this or `strides` must be 1.
        activation: a name or a function applied to the output.
        use_bias: whether a number per filter is added.
        kernel_initializer, bias_initializer: names or objects of `keras.initializers`.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on the weights and on the output.
        kernel_constraint, bias_constraint: projections applied to the weights after each update.

    Example:

    >>> keras.layers.Conv2DTranspose(32, 2, strides=2)(np.random.rand(4, 10, 8, 128)).shape
    (4, 20, 16, 32)
    """

    rank = 2
    _recordable = True


class Conv3DTranspose(BaseConvTranspose):
    """Transposed convolution over three axes.

    The arguments are those of `keras.layers.Conv2DTranspose`, with three integers for the window, and with
    `data_format` before `output_padding`.

    Example:

    >>> keras.layers.Conv3DTranspose(32, 2, strides=2)(np.random.rand(4, 10, 8, 6, 128)).shape
    (4, 20, 16, 12, 32)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Size | None = None,
        dilation_rate: Size = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = "glorot_uniform",
        bias_initializer: Identifier = "zeros",
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        activity_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        **kwargs: Any,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            output_padding=output_padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
