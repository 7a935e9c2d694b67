"""Depthwise convolution and its gradients: the engines of `product.py`, lane by lane."""

import itertools
import math

import numpy as np

from kerasish.device import memory
from kerasish.kernels.cpu.arrays import flat, supported
from kerasish.kernels.cpu.conv import lifted, output_shape, phases
from kerasish.kernels.cpu.outer import correlate
from kerasish.kernels.cpu.pack import packed
from kerasish.kernels.cpu.plan import JOB, in_order, plan_walk
from kerasish.kernels.cpu.product import convolve
from kerasish.kernels.reference import depthwise as reference


def depthwise_conv2d(x, w, window, bias=None, activation=None):
    """Cross-correlation channel by channel.

    x (N, H, W, C), w (KH, KW, C, M), bias (C * M,) -> y (N, OH, OW, C * M)
    """
    if not supported(x, w, bias):
        return reference.depthwise_conv2d(x, w, window, bias, activation)
    (KH, KW, C, M) = w.shape
    x, w = repeated(x, M), flat(w)
    y = memory.empty(output_shape(x.shape, (KH, KW, C * M), window), x.dtype)
    if y.size:
        plan = in_order(depthwise_plan(x, (KH, KW), y.shape, window))
        convolve(plan, flat(x), filters(w, range(KH * KW), C * M), y, bias=bias, relu=activation == "relu")
    return y


def depthwise_conv2d_grad_input(gy, w, x_shape, window):
    """dL/dx of `depthwise_conv2d`.

    gy (N, OH, OW, C * M), w (KH, KW, C, M) -> gx (N, H, W, C)
    """
    if not supported(gy, w) or not math.prod(x_shape):
        return reference.depthwise_conv2d_grad_input(gy, w, x_shape, window)
    (N, H, W, C), (KH, KW, _, M), w, (sh, sw) = x_shape, w.shape, flat(w), window.strides
    D = C * M
    gx, gy = memory.empty((N, H, W, D), gy.dtype), np.ascontiguousarray(gy)
    rows = phases(H, KH, sh, window.pads[0][0], window.dilation[0])
    columns = phases(W, KW, sw, window.pads[1][0], window.dilation[1])
    for down, across in itertools.product(rows, columns):
        view = gx[:, down.start :: sh, across.start :: sw]
        if not down.taps or not across.taps:
            view.fill(0)
            continue
        taps = [kh * KW + kw for kh in down.taps for kw in across.taps]
        sizes = (len(down.taps), len(across.taps)), view.shape[1:3], (1, 1), (down.pad, across.pad)
        plan = plan_walk(gy.shape, *sizes, (down.dilation, across.dilation), 1, D, gy.itemsize, True)
        plan = plan._replace(y_image=H * W * D, y_row=sh * W * D, y_pixel=sw * D)
        convolve(plan, flat(gy), filters(w, taps, D), gx, (down.start * W + across.start) * D)
    return gx if M == 1 else gx.reshape(*x_shape, M).sum(-1)


def depthwise_conv2d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `depthwise_conv2d`.

    x (N, H, W, C), gy (N, OH, OW, C * M) -> gw (KH, KW, C, M)
    """
    if not supported(x, gy) or not math.prod(w_shape):
        return reference.depthwise_conv2d_grad_kernel(x, gy, w_shape, window)
    x = repeated(x, w_shape[-1])
    plan = depthwise_plan(x, w_shape[:2], gy.shape, window, JOB)
    return correlate(plan, flat(x), flat(gy), memory.empty(tuple(w_shape), x.dtype))


def depthwise_conv1d(x, w, window, bias=None, activation=None):
    """`depthwise_conv2d` along one axis: x (N, W, C), w (KW, C, M) -> y (N, OW, C * M)."""
    return depthwise_conv2d(x[:, None], w[None], lifted(window), bias, activation)[:, 0]


def depthwise_conv1d_grad_input(gy, w, x_shape, window):
    """dL/dx of `depthwise_conv1d`."""
    return depthwise_conv2d_grad_input(gy[:, None], w[None], (x_shape[0], 1, *x_shape[1:]), lifted(window))[:, 0]


def depthwise_conv1d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `depthwise_conv1d`."""
    return depthwise_conv2d_grad_kernel(x[:, None], gy[:, None], (1, *w_shape), lifted(window))[0]


def repeated(x, multiplier):
    """Each channel `multiplier` times, so that every filter has a channel of its own."""
    return x if multiplier == 1 else np.repeat(x, multiplier, axis=-1)


def depthwise_plan(x, kernel, y_shape, window, job=0):
    """The plan of a depthwise convolution with one filter a channel."""
    (top, _), (left, _) = window.pads
    sizes = kernel, y_shape[1:3], window.strides, (top, left), window.dilation
    return plan_walk(x.shape, *sizes, 1, x.shape[-1], x.itemsize, True, job)


def filters(w, taps, channels):
    """The filters of some taps as panels whose rows are the taps."""
    return packed(w, [tap * channels for tap in taps], 1, 0, channels, 1)
