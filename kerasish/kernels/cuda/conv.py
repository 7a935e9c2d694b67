"""Convolution and its gradients on a card, for one and two spatial axes: gathered matrix products; see `product.py`."""

import math

import numpy as np

from kerasish.core.shapes import Window
from kerasish.device import array_module
from kerasish.kernels.cuda.arrays import contiguous, supported
from kerasish.kernels.cuda.gather import (
    Rows,
    correlate,
    fits,
    left_filters,
    multiply,
    padded,
    quads,
    table,
    turned_filters,
)
from kerasish.kernels.reference import conv as reference
from kerasish.kernels.reference.precision import widened


@widened
def conv2d(x, w, window, bias=None, activation=None):
    """Cross-correlation.

    x (N, H, W, C), w (KH, KW, C/G, F), bias (F,) -> y (N, OH, OW, F)
    """
    y_shape = output_shape(x.shape, w.shape, window)
    rows, offsets = forward_rows(x.shape, y_shape, window), tap_offsets(w.shape, window)
    if not supported(x, w, bias) or not fits(rows, offsets, math.prod(y_shape), 4 * x.size):
        return reference.conv2d(x, w, window, bias, activation)
    xp, (_, OH, OW, F), G = array_module(x), y_shape, window.groups
    y = xp.empty(y_shape, x.dtype)
    if y.size:
        x, w = padded(x, G), left_filters(w.reshape(-1, *w.shape[2:]), G)
        taps = table(offsets, x.shape[-1] // G, x.shape[2], x.shape[3])
        bias = None if bias is None else contiguous(bias)
        multiply(x, w, y, rows, taps, G, F // G, (OH * OW * F, OW * F, F, 0), bias, activation)
    return y


@widened
def conv2d_grad_input(gy, w, x_shape, window):
    """dL/dx of `conv2d`: for each phase of the stride, a convolution of gy with the taps that reach it, turned around.

    gy (N, OH, OW, F), w (KH, KW, C/G, F) -> gx (N, H, W, C)
    """
    (_, H, W, C), G, phases = x_shape, window.groups, list(gradient_phases(gy.shape, w.shape, x_shape, window))
    far = [offset for *_, offsets in phases for offset in offsets]
    if not supported(gy, w) or not fits(phases[0][2], far, math.prod(x_shape), 4 * gy.size):
        return reference.conv2d_grad_input(gy, w, x_shape, window)
    xp = array_module(gy)
    everywhere = all(offsets for *_, offsets in phases) and gy.size
    gx = (xp.empty if everywhere else xp.zeros)(tuple(x_shape), gy.dtype)
    if not gx.size or not gy.size:
        return gx
    gy, w = padded(gy, G), w.reshape(-1, *w.shape[2:])
    down, across = window.strides
    for first, kept, rows, offsets in phases:
        if offsets and rows.count:
            taps = table(offsets, gy.shape[-1] // G, gy.shape[2], gy.shape[3])
            place = (H * W * C, down * W * C, across * C, (first[0] * W + first[1]) * C)
            multiply(gy, turned_filters(w[list(kept)], G), gx, rows, taps, G, C // G, place)
    return gx


@widened
def conv2d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `conv2d`, summed in a fixed order.

    x (N, H, W, C), gy (N, OH, OW, F) -> gw (KH, KW, C/G, F)
    """
    rows, offsets = forward_rows(x.shape, gy.shape, window), tap_offsets(w_shape, window)
    if not supported(x, gy) or not fits(rows, offsets, 4 * x.size, 4 * gy.size) or not gy.size or not x.size:
        return reference.conv2d_grad_kernel(x, gy, w_shape, window)
    (KH, KW, J, F), G = w_shape, window.groups
    x, gy = padded(x, G), padded(gy, G)
    taps = table(offsets, quads(J), x.shape[2], x.shape[3])
    gw = correlate(x, gy, rows, taps, KH * KW * quads(J), G)
    gw = gw.reshape(KH, KW, quads(J), G, -1)[:, :, :J, :, : F // G]
    return contiguous(gw).reshape(tuple(w_shape))


def conv1d(x, w, window, bias=None, activation=None):
    """Cross-correlation along one axis: x (N, W, C), w (KW, C/G, F) -> y (N, OW, F)."""
    return conv2d(x[:, None], w[None], lifted(window), bias, activation)[:, 0]


def conv1d_grad_input(gy, w, x_shape, window):
    """dL/dx of `conv1d`."""
    return conv2d_grad_input(gy[:, None], w[None], (x_shape[0], 1, *x_shape[1:]), lifted(window))[:, 0]


def conv1d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `conv1d`."""
    return conv2d_grad_kernel(x[:, None], gy[:, None], (1, *w_shape), lifted(window))[0]


def lifted(window):
    """A window of one axis as one of two."""
    return Window((1, *window.strides), ((0, 0), *window.pads), (1, *window.dilation), window.groups)


def output_shape(x_shape, w_shape, window):
    """The shape of the convolution's result."""
    axes = zip(x_shape[1:-1], w_shape, window.strides, window.pads, window.dilation)
    spaces = [(size + sum(pads) - (k - 1) * d - 1) // s + 1 for size, k, s, pads, d in axes]
    return (x_shape[0], *spaces, w_shape[-1])


def forward_rows(x_shape, y_shape, window):
    """Where the windows of `conv2d` begin."""
    first = tuple(-before for before, _ in window.pads)
    return Rows(tuple(x_shape[:3]), tuple(y_shape[1:3]), tuple(window.strides), first)


def tap_offsets(w_shape, window):
    """Rows and columns of the taps from the first, in C order."""
    return tuple(tuple(t * d for t, d in zip(tap, window.dilation)) for tap in np.ndindex(*w_shape[:2]))


def gradient_phases(gy_shape, w_shape, x_shape, window):
    """For each phase of the strides: its first pixel, its taps' numbers, its rows, its taps' places in gy."""
    for first in np.ndindex(*window.strides):
        axes = zip(first, w_shape[:2], window.strides, window.pads, window.dilation)
        reach = [_reach(at, taps, s, before, d) for at, taps, s, (before, _), d in axes]
        walk = tuple(-(-(size - at) // s) for size, at, s in zip(x_shape[1:3], first, window.strides))
        rows = Rows(tuple(gy_shape[:3]), tuple(max(n, 0) for n in walk), (1, 1), (0, 0))
        kept = tuple(i * w_shape[1] + j for i, _ in reach[0] for j, _ in reach[1])
        yield first, kept, rows, tuple((down, across) for _, down in reach[0] for _, across in reach[1])


def _reach(at, taps, stride, before, dilation):
    """The taps that pixels at, at + stride, ... meet, and how far from the pixel's number lies the output."""
    found = ((tap, at + before - tap * dilation) for tap in range(taps))
    return [(tap, away // stride) for tap, away in found if away % stride == 0]
