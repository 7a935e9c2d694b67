"""Convolutions: kernels of two and three axes under a door for every rank, padding and data format.

Kernels see images with the channels last and explicit pads. One axis is lifted to two.
"""

from __future__ import annotations

import functools

from kerasish.config import image_data_format
from kerasish.core import shapes
from kerasish.core.op import Op, Spec
from kerasish.core.shapes import Window
from kerasish.ops import reduce
from kerasish.ops.activations import CUT_GRADIENTS
from kerasish.ops.elementwise import spec_dtype
from kerasish.ops.shaping import expand_dims, moveaxis, reshape, squeeze
from kerasish.ops.table import tensor_of, to_dtype

NN = "keras.src.ops.nn"


class Convolve(Op):
    """The kernel itself. x (N, H, W, C), w (KH, KW, C/G, F), bias (F,) or None -> y (N, OH, OW, F)."""

    family = "conv2d"

    def __init__(self, window, activation=None):
        self.window, self.activation = window, activation

    def forward(self, ctx, x, w, bias=None):
        y = getattr(ctx.kernels, self.family)(x, w, self.window, bias, self.activation)
        ctx.save(x, w, y if self.activation else None)
        return y

    def backward(self, ctx, gy):
        x, w, y = ctx.saved
        need_x, need_w, *need_bias = ctx.needs
        if y is not None:
            gy = CUT_GRADIENTS[self.activation](gy, y)
        gx = GradInput(self.window, x.shape, self.family)(gy, w) if need_x else None
        gw = GradKernel(self.window, w.shape, self.family)(x, gy) if need_w else None
        gb = reduce.sum(gy, tuple(range(len(gy.shape) - 1))) if True in need_bias else None
        return gx, gw, gb


class GradInput(Op):
    """dL/dx of a convolution; on its own, a transposed convolution. gy (N, OH, OW, F), w -> gx (N, H, W, C)."""

    def __init__(self, window, x_shape, family="conv2d"):
        self.window, self.x_shape, self.family = window, tuple(x_shape), family

    def forward(self, ctx, gy, w):
        ctx.save(gy, w)
        return getattr(ctx.kernels, f"{self.family}_grad_input")(gy, w, self.x_shape, self.window)

    def backward(self, ctx, ggx):
        gy, w = ctx.saved
        need_gy, need_w = ctx.needs
        forward = _FORWARD[self.family]
        return (
            forward(self.window)(ggx, w) if need_gy else None,
            GradKernel(self.window, w.shape, self.family)(ggx, gy) if need_w else None,
        )


class GradKernel(Op):
    """dL/dw of a convolution. x (N, H, W, C), gy (N, OH, OW, F) -> gw, w's shape."""

    def __init__(self, window, w_shape, family="conv2d"):
        self.window, self.w_shape, self.family = window, tuple(w_shape), family

    def forward(self, ctx, x, gy):
        ctx.save(x, gy)
        return getattr(ctx.kernels, f"{self.family}_grad_kernel")(x, gy, self.w_shape, self.window)

    def backward(self, ctx, ggw):
        x, gy = ctx.saved
        need_x, need_gy = ctx.needs
        forward = _FORWARD[self.family]
        return (
            GradInput(self.window, x.shape, self.family)(gy, ggw) if need_x else None,
            forward(self.window)(x, ggw) if need_gy else None,
        )


class ConvolveDepthwise(Convolve):
    """Each channel with its own kernels. w (KH, KW, C, M) -> y (N, OH, OW, C * M)."""

    family = "depthwise_conv2d"


class ConvolveVolume(Convolve):
    """In space. x (N, D, H, W, C), w (KD, KH, KW, C/G, F) -> y (N, OD, OH, OW, F)."""

    family = "conv3d"


_FORWARD = {"conv2d": Convolve, "depthwise_conv2d": ConvolveDepthwise, "conv3d": ConvolveVolume}


def per_axis(value, rank: int) -> tuple[int, ...]:
    """An int for every spatial axis, or the tuple that was given."""
    return (value,) * rank if isinstance(value, int) else tuple(int(v) for v in value)


def channels_last(data_format: str | None) -> bool:
    """Whether the channels are the last axis; None means the configured format."""
    data_format = data_format or image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"The `data_format` argument must be one of 'channels_first', 'channels_last'. Received: {data_format}"
        )
    return data_format == "channels_last"


def _axis_pads(x_shape, kernel, strides, padding, dilation):
    if not isinstance(padding, str):
        return tuple(padding)
    return tuple(
        shapes.window_pads(d, k, s, padding, r) for d, k, s, r in zip(x_shape[1:-1], kernel, strides, dilation)
    )


def convolve(family, x, w, bias, strides: int | tuple, padding: str | tuple, dilation, activation: str | None = None):
    """A convolution on channels-last tensors of 1, 2 or 3 spatial axes; `padding` may be (before, after) for each."""
    strides, dilation = (tuple(v) if isinstance(v, list) else v for v in (strides, dilation))
    window = _window(x.shape, w.shape, strides, padding, dilation, family == "conv2d")
    op = _FORWARD[family]
    if len(window.strides) == 2:
        return _apply(op(window, activation), x, w, bias)
    strides, pads, dilation, groups = window
    if len(strides) == 1:
        window = Window((1, *strides), ((0, 0), *pads), (1, *dilation), groups)
        return squeeze(_apply(op(window, activation), expand_dims(x, 1), expand_dims(w, 0), bias), 1)
    if family == "depthwise_conv2d":  # as many groups as channels
        *kernel, channels, multiplier = w.shape
        window, w = window._replace(groups=channels), reshape(w, (*kernel, 1, channels * multiplier))
    return _apply(ConvolveVolume(window, activation), x, w, bias)


@functools.lru_cache(1024)
def _window(x_shape, w_shape, strides, padding, dilation, grouped) -> Window:
    """The window of a convolution, worked out and checked once for each shape."""
    rank = len(x_shape) - 2
    strides, dilation, kernel = per_axis(strides, rank), per_axis(dilation, rank), w_shape[:rank]
    pads = _axis_pads(x_shape, kernel, strides, padding, dilation)
    for axis, (d, k, r, around) in enumerate(zip(x_shape[1:-1], kernel, dilation, pads)):
        if shapes.effective(k, r) > d + sum(around):
            raise ValueError(
                f"Computed output size would be negative: an input of shape {x_shape} has {d} elements along "
                f"spatial axis {axis}, a kernel of size {kernel} with dilation {dilation} needs at least "
                f"{shapes.effective(k, r)}; use padding='same'"
            )
    return Window(strides, pads, dilation, x_shape[-1] // w_shape[-2] if grouped else 1)


def _apply(op, x, w, bias):
    return op(x, w) if bias is None else op(x, w, bias)


def convolve_transposed(x, w, strides: int | tuple, padding: str, output_padding, dilation):
    """A transposed convolution on channels-last tensors. w (*K, F, C): F filters out, C channels in."""
    rank = len(x.shape) - 2
    strides, dilation = per_axis(strides, rank), per_axis(dilation, rank)
    given = (None,) * rank if output_padding is None else per_axis(output_padding, rank)
    kernel = tuple(w.shape[:rank])
    out = tuple(
        shapes.transposed_output(*axis[:3], padding, *axis[3:])
        for axis in zip(x.shape[1:-1], kernel, strides, given, dilation)
    )
    pads = tuple(shapes.window_pads(d, k, s, padding, r) for d, k, s, r in zip(out, kernel, strides, dilation))
    target = (x.shape[0], *out, w.shape[-2])
    if rank == 1:
        window = Window((1, *strides), ((0, 0), *pads), (1, *dilation), 1)
        y = GradInput(window, (target[0], 1, *target[1:]))(expand_dims(x, 1), expand_dims(w, 0))
        return squeeze(y, 1)
    return GradInput(Window(strides, pads, dilation, 1), target, "conv2d" if rank == 2 else "conv3d")(x, w)


class _Door(Op):
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


class Conv(_Door):
    """Convolution."""

    def fits(self, channels, w_shape):
        return not channels % w_shape[-2] and not w_shape[-1] % (channels // w_shape[-2])

    def compute(self, x, w, bias, activation):
        return convolve("conv2d", x, w, bias, self.strides, self.padding, self.dilation_rate, activation)


class DepthwiseConv(_Door):
    """Convolution of each channel with its own kernels."""

    def compute(self, x, w, bias, activation):
        return convolve("depthwise_conv2d", x, w, bias, self.strides, self.padding, self.dilation_rate, activation)

    def filters(self, w_shape):
        return None if None in w_shape[-2:] else w_shape[-1] * w_shape[-2]


class ConvTranspose(_Door):
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
