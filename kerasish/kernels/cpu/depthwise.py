"""Depthwise convolution and its gradients: rows of strips, the micro-kernels of `strip.py`.

Where strips lie is worked out once for each shape: which rows of the source each row of the result meets, and with
which taps, and likewise along a row.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from kerasish.core.shapes import Window
from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, njit, prange
from kerasish.device.pointer import clear, view
from kerasish.device.raw import by_numpy
from kerasish.device.records import as_record, record
from kerasish.kernels.cpu import strip
from kerasish.kernels.cpu.arrays import large, repeated_row, streams, supported
from kerasish.kernels.cpu.conv import lifted, output_shape
from kerasish.kernels.cpu.tile import CUTS
from kerasish.kernels.reference import depthwise as reference

BAND = 1 << 16  # elements of y in a task: few enough that threads share the work evenly
TASKS = 16  # tasks to have at least, if there are so many rows
FEW = 128  # channels up to which pixels are taken together where they stay apart
PARTS = 32  # parts of the work with sums of their own, whatever the number of threads
PLACE, SOURCE, TAP, TAPS, KIND = range(5)  # columns of the tables of a `Layout`
LAYOUT = "Walk.1 int64.2 int64.2"  # what a kernel gets of it


@record
class Walk(NamedTuple):
    """How strips follow each other, and their steps, in elements."""

    bands: int  # of an image of y; a task is one
    band: int  # rows of it
    rows: int  # of an image of y
    strips: int  # of a row
    x_image: int
    y_image: int
    channels: int
    x_pixel: int
    x_row: int
    x_tap: int
    w_row: int
    w_tap: int
    y_pixel: int


class Layout(NamedTuple):
    """Where the strips of a shape lie."""

    tasks: int
    walk: np.ndarray  # a `Walk`
    rows: np.ndarray  # for each row of y: where it begins in y, in x and in w, and how many rows of taps it meets
    columns: np.ndarray  # for each strip of a row: the same along the row, and its kind


def depthwise_conv2d(x, w, window, bias=None, activation=None):
    """Cross-correlation channel by channel.

    x (N, H, W, C), w (KH, KW, C, M), bias (C * M,) -> y (N, OH, OW, C * M)
    """
    if not supported(x, w, bias) or activation not in CUTS:
        return reference.depthwise_conv2d(x, w, window, bias, activation)
    x = repeated(x, w.shape[-1])
    y_shape = output_shape(x.shape, (*w.shape[:2], x.shape[-1]), window)
    y = memory.empty(y_shape, x.dtype)
    if y.size:
        convolve(forward_layout(x.shape, w.shape[:2], y_shape, window), x, w, y, bias, activation)
    return y


def depthwise_conv2d_grad_input(gy, w, x_shape, window):
    """dL/dx of `depthwise_conv2d`: what `depthwise_conv2d` does, with turned taps and other steps.

    gy (N, OH, OW, C * M), w (KH, KW, C, M) -> gx (N, H, W, C)
    """
    if not supported(gy, w) or not math.prod(x_shape):
        return reference.depthwise_conv2d_grad_input(gy, w, x_shape, window)
    M = w.shape[-1]
    gx = memory.empty((*x_shape[:3], x_shape[3] * M), gy.dtype)
    convolve(gradient_layout(gy.shape, w.shape[:2], gx.shape, window), gy, w, gx)
    return gx if M == 1 else gx.reshape(*x_shape, M).sum(-1)


def depthwise_conv2d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `depthwise_conv2d`.

    x (N, H, W, C), gy (N, OH, OW, C * M) -> gw (KH, KW, C, M), summed in a fixed order
    """
    if not supported(x, gy) or not math.prod(w_shape):
        return reference.depthwise_conv2d_grad_kernel(x, gy, w_shape, window)
    x, gy = np.ascontiguousarray(repeated(x, w_shape[-1])), np.ascontiguousarray(gy)
    bands, *layout = forward_layout(x.shape, w_shape[:2], gy.shape, window)
    parts = min(PARTS, bands)
    partial = memory.empty((parts, math.prod(w_shape)), x.dtype)
    stream, count = streams(gy, gy.shape[-1]), threads.wanted(gy.size)
    _filters(parts, x, partial, gy, *layout, bands, stream, large(x, gy), threads=count)
    gw = np.empty(w_shape, x.dtype)
    by_numpy(lambda partial: np.sum(partial, 0, out=gw.reshape(-1)), partial)
    return gw


def scale_shift(x, scale, shift, activation=None):
    """activation(x * scale + shift), by channels: x (..., C), scale, shift (C,).

    It is a depthwise convolution with windows of one pixel, of several pixels' channels at a time where they are few.
    """
    if not supported(x, scale, shift) or activation not in CUTS:
        return reference.scale_shift(x, scale, shift, activation)
    C, rows = x.shape[-1], x.size // x.shape[-1]
    some = next((n for n in (16, 8, 4, 2) if n * C <= FEW and rows % n == 0), 1)
    scale, shift = (repeated_row(row, some) for row in (scale, shift))
    y = depthwise_conv2d(x.reshape(1, 1, rows // some, -1), scale.reshape(1, 1, -1, 1), Window(), shift, activation)
    return y.reshape(x.shape)


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


class Meeting(NamedTuple):
    """A place of the result: it meets `taps` places of the source from `source` on, the first with tap `tap`."""

    place: int
    source: int
    tap: int
    taps: int


def forward_axis(size, out, kernel, stride, pad, dilation):
    """The meetings of an axis, forward: place o meets source o * stride - pad + k * dilation with tap k."""
    for place in range(out):
        begin = place * stride - pad
        taps = [k for k in range(kernel) if 0 <= begin + k * dilation < size]
        first = taps[0] if taps else 0
        yield Meeting(place, begin + first * dilation, first, len(taps))


def gradient_axis(size, out, kernel, stride, pad, dilation):
    """The meetings of an axis, backward: a place of x meets the results that it was used for, last tap first."""
    for place in range(size):
        sources = {k: divmod(place + pad - k * dilation, stride) for k in reversed(range(kernel))}
        taps = [k for k, (source, apart) in sources.items() if apart == 0 and 0 <= source < out]
        first = taps[0] if taps else 0
        yield Meeting(place, sources[first][0] if taps else 0, first, len(taps))


def strips_of(kinds, meetings, place_step, source_step, tap_step):
    """Meetings of the same taps, evenly spaced, as strips of these kinds: rows (*Meeting, kind)."""
    widths = sorted({pixels for pixels, *_ in kinds}, reverse=True)
    runs = {}
    for meeting in meetings:
        spot = meeting.source * place_step - meeting.place * source_step  # the same all along a run
        runs.setdefault((meeting.place % place_step, spot, meeting.tap, meeting.taps), []).append(meeting)
    rows, stride = [], source_step // tap_step if source_step % tap_step == 0 else 0
    for run in runs.values():
        while run:
            pixels = next(width for width in widths if width <= len(run))
            rows.append((*run[0], strip.kind_of(kinds, pixels, run[0].taps, stride)))
            run = run[pixels:]
    return np.array(sorted(rows, key=lambda row: row[1]), np.int64)


@functools.lru_cache(1024)
def forward_layout(x_shape, kernel, y_shape, window, kinds=None):
    """The layout, forward and for the filters; with strips of other kinds, taps are numbered."""
    meetings = axes_of(forward_axis, x_shape, kernel, y_shape, window)
    return layout(x_shape, y_shape, kernel, meetings, window.dilation, (1, 1), window.strides[1], 1, kinds)


@functools.lru_cache(1024)
def gradient_layout(gy_shape, kernel, gx_shape, window, kinds=None):
    """The layout for the gradient of the input; with strips of other kinds, taps are numbered."""
    meetings = axes_of(gradient_axis, gx_shape, kernel, gy_shape, window)
    common = [math.gcd(s, d) for s, d in zip(window.strides, window.dilation)]
    sources = [d // c for d, c in zip(window.dilation, common)]
    taps = [-s // c for s, c in zip(window.strides, common)]
    return layout(gy_shape, gx_shape, kernel, meetings, sources, taps, 1, window.strides[1], kinds)


def axes_of(meetings, x_shape, kernel, y_shape, window):
    """The meetings of both axes, of an image x and windows y over it."""
    axes = zip(x_shape[1:3], y_shape[1:3], kernel, window.strides, (lo for lo, _ in window.pads), window.dilation)
    return [list(meetings(*axis)) for axis in axes]


def layout(x_shape, y_shape, kernel, meetings, sources, taps, x_pixel, y_pixel, kinds=None):
    """A layout from the meetings of both axes, and steps: of the source and the taps, and from pixel to pixel."""
    (N, H, W, C), (_, OH, OW, _) = x_shape, y_shape
    F = 1 if kinds else C  # elements of a tap
    rows = np.array(meetings[0], np.int64) * (OW * C, W * C, kernel[1] * F, 1)
    columns = strips_of(kinds or strip.KINDS, meetings[1], y_pixel, x_pixel, sources[1]) * (C, C, F, 1, 1)
    band = max(1, min(OH, BAND // (OW * C), N * OH // TASKS))
    walk = Walk(
        bands=-(-OH // band), band=band, rows=OH, strips=len(columns), x_image=H * W * C, y_image=OH * OW * C,
        channels=C, x_pixel=x_pixel * C, x_row=sources[0] * W * C, x_tap=sources[1] * C,
        w_row=taps[0] * kernel[1] * F, w_tap=taps[1] * F, y_pixel=y_pixel * C,
    )  # fmt: skip
    return Layout(N * walk.bands, as_record(walk), rows, columns)


def convolve(layout, x, w, y, bias=None, activation=None):
    """Runs `_forward`."""
    x, w, C = np.ascontiguousarray(x), np.ascontiguousarray(w).reshape(-1), y.shape[-1]
    bias = np.zeros(C, x.dtype) if bias is None else np.ascontiguousarray(bias)
    tasks, *where = layout
    options = CUTS[activation], streams(y, C), large(x, y)
    _forward(tasks, x, w, bias, y, *where, *options, threads=threads.wanted(y.size))


@njit(fastmath=FASTMATH, forceinline=True)
def band_of(walk, task):
    """The image of a task, the first of its rows, and their number."""
    image, band = divmod(task, walk.bands)
    first = band * walk.band
    return image, first, min(walk.band, walk.rows - first)


@njit(fastmath=FASTMATH, forceinline=True)
def strip_at(walk, rows, columns, first, count, i, large):
    """Strip i of `count` rows: its kind; where it lies in x, w and y; how many rows of taps it meets, and taps.

    Row after row if they come from memory, but each down its rows where they share what caches hold.
    """
    if large:
        r, s = divmod(i, walk.strips)
    else:
        s, r = divmod(i, count)
    row, column = view(rows, 4 * (first + r)), view(columns, 5 * s)
    lies = row[SOURCE] + column[SOURCE], row[TAP] + column[TAP], row[PLACE] + column[PLACE]
    return column[KIND], *lies, row[TAPS], column[TAPS]


@njit(parallel=True, fastmath=FASTMATH, usual=(f"float32.4 float32.1 float32.1 float32.4 {LAYOUT} int64 int64 int64",))
def _forward(tasks, x, w, bias, y, walk, rows, columns, cut, stream, large):
    """x (N, H, W, C), w (KH KW C), bias (C), y (N, OH, OW, C), and a `Layout`. Task: a band of y's rows."""
    for task in prange(tasks):
        at = walk[0]
        image, first, count = band_of(at, task)
        u, v, b = view(x, image * at.x_image), view(y, image * at.y_image), view(bias, 0)
        for i in range(count * at.strips):
            kind, in_x, in_w, in_y, high, wide = strip_at(at, rows, columns, first, count, i, large)
            strip.forward(
                kind, view(u, in_x), at.x_pixel, at.x_row, at.x_tap, view(w, in_w), at.w_row, at.w_tap,
                view(v, in_y), at.y_pixel, high, wide, at.channels, b, cut, stream,
            )  # fmt: skip


@njit(parallel=True, fastmath=FASTMATH, usual=(f"float32.4 float32.2 float32.4 {LAYOUT} int64 int64 int64",))
def _filters(tasks, x, partial, gy, walk, rows, columns, bands, stream, large):
    """x (N, H, W, C), partial (parts, KH KW C), gy (N, OH, OW, C), and a `Layout`. Task: the sums of a part."""
    for task in prange(tasks):
        at, w = walk[0], view(partial, task * partial.shape[1])
        clear(w, partial.shape[1])
        for part in range(task * bands // tasks, (task + 1) * bands // tasks):
            image, first, count = band_of(at, part)
            u, v = view(x, image * at.x_image), view(gy, image * at.y_image)
            for i in range(count * at.strips):
                kind, in_x, in_w, in_y, high, wide = strip_at(at, rows, columns, first, count, i, large)
                strip.filters(
                    kind, view(u, in_x), at.x_pixel, at.x_row, at.x_tap, view(w, in_w), at.w_row, at.w_tap,
                    view(v, in_y), at.y_pixel, high, wide, at.channels, stream,
                )  # fmt: skip
