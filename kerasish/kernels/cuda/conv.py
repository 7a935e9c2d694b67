"""Convolution and its gradients on a card: gathered matrix products (`product.py`), in space those of `conv3d.py`."""

import functools
import itertools
import math

import numpy as np

from kerasish.core.shapes import Window
from kerasish.device import array_module, cuda
from kerasish.kernels.cuda.arrays import contiguous, supported
from kerasish.kernels.cuda.conv3d import Volumes
from kerasish.kernels.cuda.gather import Rows, correlate, left_filters, multiply, padded, quads, turned_filters
from kerasish.kernels.reference import conv as reference
from kerasish.kernels.reference.precision import widened


@widened
def conv2d(x, w, window, bias=None, activation=None):
    """Cross-correlation.

    x (N, H, W, C), w (KH, KW, C/G, F), bias (F,) -> y (N, OH, OW, F); with three axes, D, KD and OD before H, KH and OH
    """
    y_shape = output_shape(x.shape, w.shape, window)
    rows, offsets = forward_rows(x.shape, y_shape, window), tap_offsets(w.shape, window)
    if not supported(x, w, bias) or not rows.fits(offsets, math.prod(y_shape), 4 * x.size):
        return reference.conv2d(x, w, window, bias, activation)
    y, G = array_module(x).empty(y_shape, x.dtype), window.groups
    if y.size:
        x, w = padded(x, G), left_filters(w.reshape(-1, *w.shape[-2:]), G)
        taps = rows.table(offsets, x.shape[-1] // G, x.shape[-1])
        bias = None if bias is None else contiguous(bias)
        multiply(x, w, y, rows, taps, G, y_shape[-1] // G, rows.place(y_shape), bias, activation)
    return y


@widened
def conv2d_grad_input(gy, w, x_shape, window):
    """dL/dx of `conv2d`: for each phase of the stride, a convolution of gy with the taps that reach it, turned around.

    gy (N, OH, OW, F), w (KH, KW, C/G, F) -> gx (N, H, W, C)
    """
    C, G, phases = x_shape[-1], window.groups, gradient_phases(gy.shape, w.shape, tuple(x_shape), window)
    sizes = math.prod(x_shape), 4 * gy.size
    if not supported(gy, w) or not all(rows.fits(offsets, *sizes) for *_, rows, offsets in phases):
        return reference.conv2d_grad_input(gy, w, x_shape, window)
    xp = array_module(gy)
    everywhere = all(offsets for *_, offsets in phases) and gy.size
    gx = (xp.empty if everywhere else xp.zeros)(tuple(x_shape), gy.dtype)
    if not gx.size or not gy.size:
        return gx
    gy, flat, at = padded(gy, G), gx.reshape(-1), 0
    turned = turned_filters(by_phase(w.reshape(-1, *w.shape[-2:]), phases), G)
    each = len(turned) // math.prod(w.shape[:-2])
    for first, kept, rows, offsets in phases:
        if offsets and rows.count:
            taps, place = rows.table(offsets, gy.shape[-1] // G, gy.shape[-1]), rows.place(x_shape, window.strides)
            begin = int(np.ravel_multi_index(first, x_shape[1:-1])) * C
            filters = turned[at * each : (at + len(kept)) * each]
            multiply(gy, filters, flat[begin:], rows, taps, G, C // G, place)
        at += len(kept)
    return gx


@widened
def conv2d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `conv2d`, summed in a fixed order.

    x (N, H, W, C), gy (N, OH, OW, F) -> gw (KH, KW, C/G, F)
    """
    rows, offsets = forward_rows(x.shape, gy.shape, window), tap_offsets(tuple(w_shape), window)
    if not supported(x, gy) or not rows.fits(offsets, 4 * x.size, 4 * gy.size) or not gy.size or not x.size:
        return reference.conv2d_grad_kernel(x, gy, w_shape, window)
    (*_, J, F), G = w_shape, window.groups
    x, gy = padded(x, G), padded(gy, G)
    gw = correlate(x, gy, rows, rows.table(offsets, quads(J), x.shape[-1]), len(offsets) * quads(J), G)
    gw = gw.reshape(len(offsets), quads(J), G, -1)[:, :J, :, : F // G]
    return contiguous(gw).reshape(tuple(w_shape))


conv3d, conv3d_grad_input, conv3d_grad_kernel = conv2d, conv2d_grad_input, conv2d_grad_kernel


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
    """Where the windows of a convolution begin."""
    first = tuple(-before for before, _ in window.pads)
    return _walk(tuple(x_shape[:-1]), tuple(y_shape[1:-1]), tuple(window.strides), first)


def _walk(image, *rest):
    """`Rows` or `Volumes`, as there are axes."""
    return (Rows if len(image) == 3 else Volumes)(image, *rest)


@functools.lru_cache(1024)
def tap_offsets(w_shape, window):
    """How far along each axis the taps are from the first, in C order."""
    return tuple(tuple(t * d for t, d in zip(tap, window.dilation)) for tap in np.ndindex(*w_shape[:-2]))


@functools.lru_cache(1024)
def gradient_phases(gy_shape, w_shape, x_shape, window):
    """Of each phase of the strides: its first pixel, its taps' numbers, its rows, the taps' places in a window."""
    kernel, even, phases = w_shape[:-2], (1,) * len(window.strides), []
    for first in np.ndindex(*window.strides):
        axes = zip(first, kernel, window.strides, window.pads, window.dilation)
        reach = [_reach(at, taps, s, before, d) for at, taps, s, (before, _), d in axes]
        begin = tuple(min((away for _, away in taps), default=0) for taps in reach)
        walk = tuple(max(0, -(-(size - at) // s)) for size, at, s in zip(x_shape[1:-1], first, window.strides))
        met = list(itertools.product(*reach))
        kept = tuple(int(np.ravel_multi_index([tap for tap, _ in taps], kernel)) for taps in met)
        offsets = tuple(tuple(away - least for (_, away), least in zip(taps, begin)) for taps in met)
        phases.append((first, kept, _walk(gy_shape[:-1], walk, even, begin), offsets))
    return phases


def by_phase(w, phases):
    """Filters (T, ...) in the order in which the phases meet them: each tap has its one phase."""
    order = tuple(tap for _, kept, *_ in phases for tap in kept)
    return w if order == tuple(range(len(order))) else w[_on_card(order, cuda.current())]


@functools.lru_cache(1024)
def _on_card(numbers, card):
    return cuda.cupy().asarray(np.array(numbers))


def _reach(at, taps, stride, before, dilation):
    """The taps that pixels at, at + stride, ... meet, and how far from the pixel's number lies the output."""
    found = ((tap, at + before - tap * dilation) for tap in range(taps))
    return [(tap, away // stride) for tap, away in found if away % stride == 0]
