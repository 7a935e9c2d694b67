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
from kerasish.device.jit import FASTMATH, njit
from kerasish.device.natives import Native
from kerasish.device.raw import address, by_numpy, clear_bytes, integers, record, take
from kerasish.device.thread_pool import run
from kerasish.kernels.cpu.arrays import flat, large, repeated_row, streams, supported
from kerasish.kernels.cpu.conv import lifted, output_shape
from kerasish.kernels.cpu.strip import KINDS, kind_of, strip_of
from kerasish.kernels.cpu.tile import CUTS
from kerasish.kernels.reference import depthwise as reference

BAND = 1 << 16  # elements of y in a job: few enough that threads share the work evenly
JOBS = 16  # jobs to have at least, if there are so many rows
FEW = 128  # channels up to which pixels are taken together where they stay apart
PARTS = 32  # parts of the work with sums of their own, whatever the number of threads


class Plan(NamedTuple):
    """All that a kernel has to know: lengths in elements, addresses in bytes."""

    counter: int = 0
    jobs: int = 0
    parts: int = 0  # of the jobs, with sums of their own; 0 if nothing is summed
    rows: int = 0  # of an image of y
    band: int = 0  # rows of a job
    row_table: int = 0  # for each row: where in y, where in x, where in w, how many rows of taps
    strips: int = 0
    strip_table: int = 0  # for each strip of a row: the same along the row, and its kind
    channels: int = 0
    x_image: int = 0
    y_image: int = 0
    x_pixel: int = 0
    x_row: int = 0
    x_tap: int = 0
    w_row: int = 0
    w_tap: int = 0
    y_pixel: int = 0
    x: int = 0
    w: int = 0
    y: int = 0
    bias: int = 0
    cut: int = 0  # the activation, of `tile.CUTS`
    stream: int = 0  # 1 to write y past the caches; other bits are for strips of other kinds
    large: int = 0  # 1 if the arrays exceed them
    w_size: int = 0  # elements of the filters


RECORD = np.dtype([(name, np.int64) for name in Plan._fields])
plan_at = record(RECORD)


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
        plan, tables = forward_plan(x.shape, w.shape[:2], y_shape, window)
        launch(FORWARD, plan, tables, flat(x), flat(w), y, None if bias is None else flat(bias), CUTS[activation])
    return y


def depthwise_conv2d_grad_input(gy, w, x_shape, window):
    """dL/dx of `depthwise_conv2d`: what `depthwise_conv2d` does, with turned taps and other steps.

    gy (N, OH, OW, C * M), w (KH, KW, C, M) -> gx (N, H, W, C)
    """
    if not supported(gy, w) or not math.prod(x_shape):
        return reference.depthwise_conv2d_grad_input(gy, w, x_shape, window)
    M = w.shape[-1]
    gx = memory.empty((*x_shape[:3], x_shape[3] * M), gy.dtype)
    plan, tables = gradient_plan(gy.shape, w.shape[:2], gx.shape, window)
    launch(FORWARD, plan, tables, flat(gy), flat(w), gx)
    return gx if M == 1 else gx.reshape(*x_shape, M).sum(-1)


def depthwise_conv2d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `depthwise_conv2d`.

    x (N, H, W, C), gy (N, OH, OW, C * M) -> gw (KH, KW, C, M), summed in a fixed order
    """
    if not supported(x, gy) or not math.prod(w_shape):
        return reference.depthwise_conv2d_grad_kernel(x, gy, w_shape, window)
    x = repeated(x, w_shape[-1])
    plan, tables = forward_plan(x.shape, w_shape[:2], gy.shape, window)
    parts = min(PARTS, plan.jobs)
    partial = memory.empty((parts, math.prod(w_shape)), x.dtype)
    launch(FILTERS, plan._replace(parts=parts, w_size=partial.shape[1]), tables, flat(x), partial, flat(gy))
    gw = np.empty(w_shape, x.dtype)
    by_numpy(lambda: np.sum(partial, 0, out=gw.reshape(-1)))
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
    for run_ in runs.values():
        while run_:
            pixels = next(width for width in widths if width <= len(run_))
            rows.append((*run_[0], kind_of(kinds, pixels, run_[0].taps, stride)))
            run_ = run_[pixels:]
    return np.array(sorted(rows, key=lambda row: row[1]), np.int64)


@functools.lru_cache(1024)
def forward_plan(x_shape, kernel, y_shape, window, kinds=None):
    """The plan and its tables, forward and for the filters; with strips of other kinds, taps are numbered."""
    meetings = axes_of(forward_axis, x_shape, kernel, y_shape, window)
    return layout(x_shape, y_shape, kernel, meetings, window.dilation, (1, 1), window.strides[1], 1, kinds)


@functools.lru_cache(1024)
def gradient_plan(gy_shape, kernel, gx_shape, window, kinds=None):
    """The plan and its tables for the gradient of the input; with strips of other kinds, taps are numbered."""
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
    """A plan from the meetings of both axes, and steps: of the source and the taps, and from pixel to pixel."""
    (N, H, W, C), (_, OH, OW, _) = x_shape, y_shape
    F = 1 if kinds else C  # elements of a tap
    rows = np.array(meetings[0], np.int64) * (OW * C, W * C, kernel[1] * F, 1)
    strips = strips_of(kinds or KINDS, meetings[1], y_pixel, x_pixel, sources[1]) * (C, C, F, 1, 1)
    band = max(1, min(OH, BAND // (OW * C), N * OH // JOBS))
    plan = Plan(
        jobs=N * -(-OH // band), band=band, rows=OH, strips=len(strips), channels=C, x_image=H * W * C,
        y_image=OH * OW * C, x_pixel=x_pixel * C, x_row=sources[0] * W * C, x_tap=sources[1] * C,
        w_row=taps[0] * kernel[1] * F, w_tap=taps[1] * F, y_pixel=y_pixel * C,
    )  # fmt: skip
    return plan, (rows, strips)


def launch(natives, plan, tables, x, w, y, bias=None, cut=0):
    """Run a plan; `tables` and the arrays stay alive meanwhile."""
    plan = plan._replace(
        row_table=address(tables[0]), strip_table=address(tables[1]), x=address(x), w=0 if w is None else address(w),
        y=address(y), bias=0 if bias is None else address(bias), cut=cut,
        stream=plan.stream | streams(y, plan.channels), large=large(x, y),
    )  # fmt: skip
    count = min(threads.wanted(y.size), plan.parts or plan.jobs)
    run(natives[x.dtype], np.fromiter(plan, np.int64), count)


def walk_of(strip, size, tap_size):
    """The function (plan, job, w) that calls strips of elements of `size` bytes and taps of `tap_size`."""

    @njit(fastmath=FASTMATH)
    def walk(p, job, w):
        """The strips of a job: row after row from memory, but each down its rows where they share what caches hold."""
        rows, strips = integers(p.row_table, 4 * p.rows), integers(p.strip_table, 5 * p.strips)
        image, band = divmod(job, -(-p.rows // p.band))
        x, y = p.x + image * p.x_image * size, p.y + image * p.y_image * size
        first, count = band * p.band, min(p.band, p.rows - band * p.band)
        for i in range(count * p.strips):
            r, s = divmod(i, p.strips) if p.large else divmod(i, count)[::-1]
            r, s = 4 * (first + r), 5 * s
            strip(
                strips[s + 4], x + (rows[r + 1] + strips[s + 1]) * size, p.x_pixel * size, p.x_row * size,
                p.x_tap * size, w + (rows[r + 2] + strips[s + 2]) * tap_size, p.w_row * tap_size, p.w_tap * tap_size,
                y + (rows[r] + strips[s]) * size, p.y_pixel * size, rows[r + 3], strips[s + 3], p.channels,
                p.bias, p.cut, p.stream,
            )  # fmt: skip

    return walk


def walker(walk):
    """The function (address of a plan, worker) that walks all jobs."""

    def forward(plan, worker):
        p = plan_at(plan)
        job = take(plan)
        while job < p.jobs:
            walk(p, job, p.w)
            job = take(plan)

    return forward


def _native(dtype, filters):
    size = np.dtype(dtype).itemsize
    walk = walk_of(strip_of(dtype, filters), size, size)

    def correlate(plan, worker):
        p = plan_at(plan)
        part = take(plan)
        while part < p.parts:
            w = p.w + part * p.w_size * size
            clear_bytes(w, p.w_size * size)
            for job in range(part * p.jobs // p.parts, (part + 1) * p.jobs // p.parts):
                walk(p, job, w)
            part = take(plan)

    return Native(correlate if filters else walker(walk), 2, f"{dtype}-{'filters' if filters else 'forward'}")


FORWARD, FILTERS = (
    {np.dtype(dtype): _native(dtype, filters) for dtype in ("float32", "float64")} for filters in (False, True)
)
