"""Convolution layers: a filter bank slid over one, two or three axes of space."""

from __future__ import annotations

from typing import Any

from kerasish import activations, constraints, initializers, ops, regularizers
from kerasish.core import shapes
from kerasish.core.errors import not_yet
from kerasish.layers import arguments, windows
from kerasish.layers.arguments import Identifier, Size
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.ops.nn import conv_bias_act


class BaseConv(Layer):
    """Convolution over `rank` axes of space; the subclasses differ in that number."""

    rank: int
    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Size = 1,
        groups: int = 1,
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
        self.padding = arguments.choice(self, padding, self.paddings, "padding")
        self.data_format = arguments.data_format(self, data_format)
        self.groups = groups
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)
        self._check_combination()

    def _check_combination(self) -> None:
        """Refuse arguments that cannot go together."""
        if self.groups <= 0:
            message = f"The number of groups must be a positive integer. Received: groups={self.groups}."
            raise arguments.invalid(self, message)
        if self.filters % self.groups:
            received = f"Received: groups={self.groups}, filters={self.filters}."
            message = "The number of filters must be evenly divisible by the number of groups."
            raise arguments.invalid(self, f"{message} {received}")
        check_strides_or_dilation(self)

    def build(self, input_shape) -> None:
        channels = arguments.known_dim(self, input_shape, arguments.channel_axis(self))
        if channels % self.groups:
            message = "The number of input channels must be evenly divisible by the number of groups."
            received = f"Received groups={self.groups}, but the input has {channels} channels"
            raise arguments.invalid(self, f"{message} {received} (full input shape is {tuple(input_shape)}).")
        windows.check_window_fits(self, input_shape, self.kernel_size, "kernel_size")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = add_bias(self, self.filters)
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={arguments.channel_axis(self): channels})

    def call(self, inputs):
        windows.check_window_fits(self, inputs.shape, self.kernel_size, "kernel_size")
        if type(self).convolution_op is not BaseConv.convolution_op:
            return self._call_overridden(inputs)
        fused, rest = arguments.split_activation(self.activation)
        window = (self.strides, self.padding, self.data_format, self.dilation_rate)
        outputs = conv_bias_act(inputs, self.kernel, self.bias, *window, activation=fused)
        return rest(outputs) if rest else outputs

    def convolution_op(self, inputs, kernel):
        """The convolution without bias and activation, which a subclass may replace.

        Args:
            inputs: the layer's inputs.
            kernel: its filters, or what a subclass makes of them.

        Returns:
            The outputs before bias and activation.
        """
        window = (self.strides, self.padding, self.data_format, self.dilation_rate)
        return conv_bias_act(inputs, kernel, None, *window)

    def _call_overridden(self, inputs):
        outputs = self.convolution_op(inputs, self.kernel)
        if self.bias is not None:
            shape = (self.filters,) if self.data_format == "channels_last" else (self.filters, *(1,) * self.rank)
            outputs = ops.add(outputs, ops.reshape(self.bias, shape))
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape) -> tuple:
        windows.check_window_fits(self, input_shape, self.kernel_size, "kernel_size")
        return conv_output_shape(self, input_shape, self.filters)

    def enable_lora(self, rank: int, *args: Any, **kwargs: Any) -> None:
        """Not supported yet: raises `NotImplementedError`."""
        arguments.refuse_lora(self, rank)

    def quantize(self, mode: Any = None, **kwargs: Any) -> None:
        """Not supported yet: raises `NotImplementedError`."""
        raise not_yet(f"{arguments.label(self)}: quantize({mode!r})", "keep float weights")

    def get_config(self) -> dict[str, Any]:
        own = "filters kernel_size strides padding data_format dilation_rate groups activation use_bias"
        return {**super().get_config(), **arguments.config_of(self, *own.split(), *KERNEL_AND_BIAS)}


KERNEL_AND_BIAS = (
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
)


def add_bias(layer, size: int):
    """The layer's bias of `size` units; None without `use_bias`."""
    if not layer.use_bias:
        return None
    return layer.add_weight(
        name="bias",
        shape=(size,),
        initializer=layer.bias_initializer,
        regularizer=layer.bias_regularizer,
        constraint=layer.bias_constraint,
    )


def check_strides_or_dilation(layer) -> None:
    """A window either jumps or is stretched, never both."""
    if max(layer.strides) > 1 and max(layer.dilation_rate) > 1:
        message = "`strides > 1` not supported in conjunction with `dilation_rate > 1`."
        received = f"Received: strides={layer.strides} and dilation_rate={layer.dilation_rate}"
        raise arguments.invalid(layer, f"{message} {received}; set one of them to 1")


def conv_output_shape(layer, input_shape, channels: int) -> tuple:
    """The shape that a convolution layer gives `input_shape`, with `channels` channels."""
    space, _ = windows.split_shape(input_shape, layer.data_format)
    axes = zip(space, layer.kernel_size, layer.strides, layer.dilation_rate)
    space = [shapes.window_output(n, k, s, layer.padding, d) for n, k, s, d in axes]
    return windows.join_shape(input_shape[0], space, channels, layer.data_format)


class Conv1D(BaseConv):
    """Convolution over one axis, such as time.

    Args:
        padding: `"valid"`, `"same"`, or `"causal"`, which pads on the left alone, so that no output sees later inputs.

    The other arguments are those of `keras.layers.Conv2D`, with one integer for the window.

    Input and output have the shape `(batch, steps, channels)`, or `(batch, channels, steps)` with
    `data_format="channels_first"`.

    Example:

    >>> keras.layers.Conv1D(32, 3, activation="relu")(np.random.rand(4, 10, 128)).shape
    (4, 8, 32)
    """

    rank = 1
    paddings = ("valid", "same", "causal")
    _role = "convolution"
    _recordable = True


class Conv2D(BaseConv):
    """Convolution over the rows and columns of images.

    Args:
        filters: number of filters, the channels of the output.
        kernel_size: rows and columns of the window; one integer for both.
        strides: how far the window moves at each step.
        padding: `"valid"` (none) or `"same"` (zeros around the image, so that stride 1 keeps its size).
        data_format: `"channels_last"` or `"channels_first"`; the default is `keras.config.image_data_format()`.
        dilation_rate: the distance of the window's taps. Either this or `strides` must be 1.
        groups: the input's channels are split into so many groups, each with its own `filters / groups` filters.
        activation: a name or a function applied to the output.
        use_bias: whether a number per filter is added.
        kernel_initializer, bias_initializer: names or objects of `keras.initializers`.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on the weights and on the output.
        kernel_constraint, bias_constraint: projections applied to the weights after each update.

    Input and output have the shape `(batch, rows, columns, channels)`, or `(batch, channels, rows, columns)` with
    `data_format="channels_first"`.

    Raises:
        ValueError: if the window does not fit into the image, or arguments contradict each other.

    Example:

    >>> keras.layers.Conv2D(32, 3, activation="relu")(np.random.rand(4, 10, 10, 128)).shape
    (4, 8, 8, 32)
    """

    rank = 2
    _role = "convolution"
    _recordable = True


class Conv3D(BaseConv):
    """Convolution over three axes, such as frames, rows and columns.

    The arguments are those of `keras.layers.Conv2D`, with three integers for the window. Input and output have the
    shape `(batch, frames, rows, columns, channels)`, or with the channels second if `data_format="channels_first"`.

    Example:

    >>> keras.layers.Conv3D(32, 3, activation="relu")(np.random.rand(4, 10, 10, 10, 128)).shape
    (4, 8, 8, 8, 32)
    """

    rank = 3
