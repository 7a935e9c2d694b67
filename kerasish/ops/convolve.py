"""What convolutions are made of: kernels of two and three axes, for channels last and explicit pads, and gradients."""

from __future__ import annotations

import functools

from kerasish.config import image_data_format
from kerasish.core import shapes
from kerasish.core.op import Op
from kerasish.core.shapes import Window
from kerasish.ops import reduce
from kerasish.ops.activations import CUT_GRADIENTS
from kerasish.ops.shaping import expand_dims, reshape, squeeze


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
