"""Convolutions of `keras.ops`: a door for every rank, padding and data format to what `convolve.py` has."""

from __future__ import annotations

from kerasish.config import image_data_format
from kerasish.core import shapes
from kerasish.core.op import Op, Spec
from kerasish.ops.convolve import channels_last, convolve, convolve_transposed, per_axis
from kerasish.ops.elementwise import spec_dtype
from kerasish.ops.shaping import moveaxis
from kerasish.ops.table import tensor_of, to_dtype

NN = "keras.src.ops.nn"


class SpatialOp(Op):
    """The public op of a graph: shapes here, arithmetic in `convolve`."""

    module = NN

    def __init__(self, strides=1, padding="valid", data_format=None, dilation_rate=1):
        self.strides, self.padding, self.dilation_rate = strides, padding, dilation_rate
        self.data_format = data_format or image_data_format()

    def call(self, x, w):
        x, w = (v if hasattr(v, "shape") else tensor_of(v) for v in (x, w))
        return self.run(x, w, None, None)

    def check(self, x_shape, w_shape, channels):
        """Raises:
        ValueError: if the kernel has another rank, or does not fit the number of channels.
        """
        if len(x_shape) != len(w_shape) or len(x_shape) < 3:
            raise ValueError(
                f"{type(self).__name__}: inputs and kernel must have the same rank, at least 3. Received: "
                f"inputs.shape={tuple(x_shape)} and kernel.shape={tuple(w_shape)}"
            )
        if None not in (channels, *w_shape[-2:]) and not self.fits(channels, w_shape):
            raise ValueError(
                f"{type(self).__name__}: the number of input channels must fit the kernel's (for groups, be evenly "
                f"divisible by it). Received {channels} input channels, inputs.shape={tuple(x_shape)} and "
                f"kernel.shape={tuple(w_shape)}"
            )

    def fits(self, channels, w_shape):
        return channels == w_shape[-2]

    def run(self, x, w, bias, activation):
        last = channels_last(self.data_format)
        self.check(x.shape, w.shape, x.shape[-1 if last else 1])
        dtype = spec_dtype(w)
        x = to_dtype(x, dtype) if spec_dtype(x) != dtype else x
        if last:
            return self.compute(x, w, bias, activation)
        return moveaxis(self.compute(moveaxis(x, 1, -1), w, bias, activation), -1, 1)

    def infer(self, x, w):
        last = channels_last(self.data_format)
        self.check(x.shape, w.shape, x.shape[-1 if last else 1])
        spatial = x.shape[1:-1] if last else x.shape[2:]
        rank = len(spatial)
        lengths = self.lengths(spatial, w.shape[:rank], rank)
        if any(n is not None and n < 1 < d for n, d in zip(lengths, spatial)):
            raise ValueError(
                f"Computed output size would be negative. Received: inputs.shape={tuple(x.shape)}, kernel.shape="
                f"{tuple(w.shape)}, strides={self.strides}, padding={self.padding}, dilation_rate={self.dilation_rate}"
            )
        shape = (x.shape[0], *lengths, self.filters(w.shape)) if last else (x.shape[0], self.filters(w.shape), *lengths)
        return Spec(shape, x.dtype)

    def lengths(self, spatial, kernel, rank):
        strides, dilation = per_axis(self.strides, rank), per_axis(self.dilation_rate, rank)
        return [
            shapes.window_output(d, k, s, self.padding, r) for d, k, s, r in zip(spatial, kernel, strides, dilation)
        ]

    def filters(self, w_shape):
        return w_shape[-1]


class Conv(SpatialOp):
    """Convolution."""

    def fits(self, channels, w_shape):
        return not channels % w_shape[-2] and not w_shape[-1] % (channels // w_shape[-2])

    def compute(self, x, w, bias, activation):
        return convolve("conv2d", x, w, bias, self.strides, self.padding, self.dilation_rate, activation)


class DepthwiseConv(SpatialOp):
    """Convolution of each channel with its own kernels."""

    def compute(self, x, w, bias, activation):
        return convolve("depthwise_conv2d", x, w, bias, self.strides, self.padding, self.dilation_rate, activation)

    def filters(self, w_shape):
        return None if None in w_shape[-2:] else w_shape[-1] * w_shape[-2]


class ConvTranspose(SpatialOp):
    """Transposed convolution."""

    def __init__(self, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
        super().__init__(strides, padding, data_format, dilation_rate)
        self.output_padding = output_padding

    def fits(self, channels, w_shape):
        return channels == w_shape[-1]

    def compute(self, x, w, bias, activation):
        return convolve_transposed(x, w, self.strides, self.padding, self.output_padding, self.dilation_rate)

    def lengths(self, spatial, kernel, rank):
        given = (None,) * rank if self.output_padding is None else per_axis(self.output_padding, rank)
        strides, dilation = per_axis(self.strides, rank), per_axis(self.dilation_rate, rank)
        return [
            shapes.transposed_output(d, k, s, self.padding, o, r)
            for d, k, s, o, r in zip(spatial, kernel, strides, given, dilation)
        ]

    def filters(self, w_shape):
        return w_shape[-2]


def _known(padding):
    if padding.lower() not in ("valid", "same"):
        raise ValueError(f"The `padding` argument must be one of 'valid', 'same'. Received: padding={padding}")
    return padding.lower()


def conv(
    inputs,
    kernel,
    strides: int | tuple = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple = 1,
):
    """Convolution over 1, 2 or 3 spatial axes.

    Args:
        inputs: (N, *S, C), or (N, C, *S) for "channels_first".
        kernel: (*K, C/G, F); G groups, if it has fewer channels than inputs.
        strides, dilation_rate: an int, or one for each axis.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None means the configured one.

    Returns:
        (N, *O, F), or (N, F, *O).
    """
    return Conv(strides, _known(padding), data_format, dilation_rate)(inputs, kernel)


def depthwise_conv(
    inputs,
    kernel,
    strides: int | tuple = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple = 1,
):
    """Convolution of each channel with its own kernels.

    Args:
        inputs: (N, *S, C), or (N, C, *S) for "channels_first".
        kernel: (*K, C, M), for C * M channels out.
        strides, dilation_rate: an int, or one for each axis.
        padding: "valid" or "same".
        data_format: where the channels are; None means the configured format.
    """
    return DepthwiseConv(strides, _known(padding), data_format, dilation_rate)(inputs, kernel)


def separable_conv(
    inputs,
    depthwise_kernel,
    pointwise_kernel,
    strides: int | tuple = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple = 1,
):
    """A depthwise convolution, and a 1x1 one that mixes its channels.

    Args:
        inputs: (N, *S, C), or (N, C, *S) for "channels_first".
        depthwise_kernel: (*K, C, M).
        pointwise_kernel: (1, ..., 1, C * M, F).
        strides, padding, data_format, dilation_rate: as in `depthwise_conv`.

    Raises:
        ValueError: for a pointwise kernel of more than one tap.
    """
    pointwise_kernel = pointwise_kernel if hasattr(pointwise_kernel, "shape") else tensor_of(pointwise_kernel)
    if any(d not in (1, None) for d in pointwise_kernel.shape[:-2]):
        raise ValueError(
            "ops.separable_conv: the pointwise kernel has one tap along each axis of space. Received: "
            f"pointwise_kernel.shape={tuple(pointwise_kernel.shape)}"
        )
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "same", data_format, 1)


def conv_transpose(
    inputs,
    kernel,
    strides: int | tuple = 1,
    padding: str = "valid",
    output_padding=None,
    data_format: str | None = None,
    dilation_rate: int | tuple = 1,
):
    """Transposed convolution.

    Args:
        inputs: (N, *S, C), or (N, C, *S) for "channels_first".
        kernel: (*K, F, C), for F channels out.
        strides, dilation_rate: an int, or one for each axis.
        padding: "valid" or "same".
        output_padding: how much longer each axis of the output gets; None means as long as `strides` makes it.
        data_format: where the channels are; None means the configured format.
    """
    return ConvTranspose(strides, _known(padding), output_padding, data_format, dilation_rate)(inputs, kernel)


def conv_bias_act(
    inputs,
    kernel,
    bias,
    strides: int | tuple = 1,
    padding: str | tuple = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple = 1,
    activation: str | None = None,
):
    """`conv`, + bias, and an activation ("relu" or "relu6"), in one kernel.

    `padding` may also be (before, after) for each axis of space.
    """
    return Conv(strides, padding, data_format, dilation_rate).run(inputs, kernel, bias, activation)


def depthwise_bias_act(
    inputs,
    kernel,
    bias,
    strides: int | tuple = 1,
    padding: str | tuple = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple = 1,
    activation: str | None = None,
):
    """`depthwise_conv`, + bias, and an activation ("relu" or "relu6"), in one kernel; `padding` likewise."""
    return DepthwiseConv(strides, padding, data_format, dilation_rate).run(inputs, kernel, bias, activation)
