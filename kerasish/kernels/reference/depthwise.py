"""Depthwise convolution over the array module: each channel has its own M filters; w (*K, C, M) -> y (N, *O, C * M)."""

from kerasish.device import array_module
from kerasish.kernels.reference.conv import crop, finish, pad, padded_shape, views
from kerasish.kernels.reference.precision import widened


@widened
def depthwise_conv2d(x, w, window, bias=None, activation=None):
    """Cross-correlation channel by channel.

    x (N, *S, C), w (*K, C, M), bias (C * M,) -> y (N, *O, C * M)
    """
    taps = w.reshape(-1, *w.shape[-2:])
    y = sum(view[..., None] * tap for view, tap in zip(views(pad(x, window), w.shape[:-2], window), taps))
    return finish(y.reshape(*y.shape[:-2], y.shape[-2] * y.shape[-1]), bias, activation)


@widened
def scale_shift(x, scale, shift, activation=None):
    """activation(x * scale + shift), by channels: x (..., C), scale, shift (C,)."""
    return finish(x * scale, shift, activation)


@widened
def depthwise_conv2d_grad_input(gy, w, x_shape, window):
    """dL/dx of `depthwise_conv2d`.

    gy (N, *O, C * M), w (*K, C, M) -> gx (N, *S, C)
    """
    gx = array_module(gy).zeros(padded_shape(x_shape, window), gy.dtype)
    g = gy.reshape(*gy.shape[:-1], *w.shape[-2:])
    for view, tap in zip(views(gx, w.shape[:-2], window), w.reshape(-1, *w.shape[-2:])):
        view += (g * tap).sum(-1)
    return crop(gx, x_shape, window)


@widened
def depthwise_conv2d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `depthwise_conv2d`.

    x (N, *S, C), gy (N, *O, C * M) -> gw (*K, C, M)
    """
    g = gy.reshape(*gy.shape[:-1], *w_shape[-2:])
    images = tuple(range(gy.ndim - 1))
    taps = [(view[..., None] * g).sum(images) for view in views(pad(x, window), w_shape[:-2], window)]
    return array_module(x).stack(taps).reshape(w_shape)


depthwise_conv1d = depthwise_conv2d
depthwise_conv1d_grad_input = depthwise_conv2d_grad_input
depthwise_conv1d_grad_kernel = depthwise_conv2d_grad_kernel
