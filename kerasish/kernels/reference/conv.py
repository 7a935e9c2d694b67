"""Convolution over the array module, for any number of spatial axes: x (N, *S, C), w (*K, C/G, F) -> y (N, *O, F).

A tap is one position of the kernel; the elements of the padded image that it meets are one strided view, and a
convolution is a sum over taps of matrix products.
"""

import numpy as np

from kerasish.device import array_module
from kerasish.kernels.reference.precision import widened

CUTS = {"relu": (0, None), "relu6": (0, 6)}  # activations that only cut off: lowest and highest result


@widened
def conv2d(x, w, window, bias=None, activation=None):
    """Cross-correlation.

    x (N, *S, C), w (*K, C/G, F), bias (F,) -> y (N, *O, F)
    """
    groups, padded = window.groups, pad(x, window)
    y = sum(split(v, groups) @ w_tap for v, w_tap in zip(views(padded, w.shape[:-2], window), filters(w, groups)))
    return finish(merge(y, groups), bias, activation)


@widened
def conv2d_grad_input(gy, w, x_shape, window):
    """dL/dx of `conv2d`, which is the transposed convolution of gy.

    gy (N, *O, F), w (*K, C/G, F) -> gx (N, *S, C)
    """
    if not gy.size:  # windows that would reach over the whole image
        return array_module(gy).zeros(x_shape, gy.dtype)
    gx = array_module(gy).zeros(padded_shape(x_shape, window), gy.dtype)
    g = split(gy, window.groups)
    for view, w_tap in zip(views(gx, w.shape[:-2], window), filters(w, window.groups)):
        view += merge(g @ w_tap.swapaxes(-1, -2), window.groups)
    return crop(gx, x_shape, window)


@widened
def conv2d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `conv2d`.

    x (N, *S, C), gy (N, *O, F) -> gw (*K, C/G, F)
    """
    xp, groups = array_module(x), window.groups
    if not (x.size and gy.size):
        return xp.zeros(w_shape, x.dtype)
    rows = lambda a: a.reshape(-1, groups, a.shape[-1] // groups).swapaxes(0, 1)
    g = rows(gy)
    taps = [rows(v).swapaxes(-1, -2) @ g for v in views(pad(x, window), w_shape[:-2], window)]
    return xp.stack(taps).transpose(0, 2, 1, 3).reshape(w_shape)


conv1d, conv1d_grad_input, conv1d_grad_kernel = conv2d, conv2d_grad_input, conv2d_grad_kernel
conv3d, conv3d_grad_input, conv3d_grad_kernel = conv2d, conv2d_grad_input, conv2d_grad_kernel


def finish(y, bias, activation):
    """The epilogue: y + bias, then the activation (a key of `CUTS`); a NaN stays a NaN."""
    if bias is not None:
        y = y + bias
    return y if activation is None else array_module(y).clip(y, *CUTS[activation])


def padded_shape(shape, window):
    """The shape of the padded image."""
    inner = (size + before + after for size, (before, after) in zip(shape[1:-1], window.pads))
    return (shape[0], *inner, shape[-1])


def pad(x, window):
    """The image with its zero border."""
    return array_module(x).pad(x, ((0, 0), *window.pads, (0, 0)))


def crop(x, shape, window):
    """The image without its border."""
    inner = (slice(before, before + size) for size, (before, _) in zip(shape[1:-1], window.pads))
    return x[(slice(None), *inner)]


def views(padded, kernel, window):
    """For each tap, in C order: the elements (N, *O, C) of the padded image that it meets."""
    axes = list(zip(padded.shape[1:-1], kernel, window.strides, window.dilation))
    spans = [(size - (k - 1) * d - 1) // s * s + 1 for size, k, s, d in axes]
    for tap in np.ndindex(*kernel):
        starts = [t * d for t, d in zip(tap, window.dilation)]
        yield padded[(slice(None), *(slice(b, b + n, s) for b, n, s in zip(starts, spans, window.strides)))]


def filters(w, groups):
    """For each tap, in C order: the filters (C/G, F), or (G, C/G, F/G) for several groups."""
    for tap in np.ndindex(*w.shape[:-2]):
        yield w[tap] if groups == 1 else w[tap].reshape(w.shape[-2], groups, -1).swapaxes(0, 1)


def split(x, groups):
    """(..., C) as (..., G, 1, C/G), to be multiplied by each group's filters."""
    return x if groups == 1 else x.reshape(*x.shape[:-1], groups, 1, x.shape[-1] // groups)


def merge(y, groups):
    """The inverse of `split`."""
    return y if groups == 1 else y.reshape(*y.shape[:-3], groups * y.shape[-1])
