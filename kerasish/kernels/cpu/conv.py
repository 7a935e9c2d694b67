"""Convolution and its gradients for one to three spatial axes; the engines are in `product.py`."""

import functools
import itertools
import math

import numpy as np

from kerasish.core.shapes import Window
from kerasish.device import memory
from kerasish.device.raw import by_numpy
from kerasish.kernels import settings
from kerasish.kernels.cpu import winograd
from kerasish.kernels.cpu.arrays import flat, supported
from kerasish.kernels.cpu.outer import correlate
from kerasish.kernels.cpu.pack import packed
from kerasish.kernels.cpu.plan import JOB, in_order, plan_walk
from kerasish.kernels.cpu.product import convolve
from kerasish.kernels.cpu.simd import lanes
from kerasish.kernels.reference import conv as reference

FEW_PIXELS = (
    96  # below so many output pixels filters are read where they lie: packing them would cost more than it saves
)


def conv2d(x, w, window, bias=None, activation=None):
    """Cross-correlation.

    x (N, H, W, C), w (KH, KW, C/G, F), bias (F,) -> y (N, OH, OW, F)
    """
    if not supported(x, w, bias):
        return reference.conv2d(x, w, window, bias, activation)
    y_shape, fast, plan = setup(x.shape, w.shape, window, x.itemsize)
    y = memory.empty(y_shape, x.dtype)
    if fast:
        C, F = w.shape[2:]
        taps, pads = range(0, 9 * C * F, C * F), (window.pads[0][0], window.pads[1][0])
        return winograd.convolve(np.ascontiguousarray(x), flat(w), taps, (F, 1), y, pads, bias, activation)
    if y.size:
        convolve(plan, flat(x), forward_filters(w, plan), y, bias=bias, activation=activation)
    return y


def conv2d_grad_input(gy, w, x_shape, window):
    """dL/dx of `conv2d`: for each phase of the stride, a convolution of gy with the taps that reach it, turned around.

    gy (N, OH, OW, F), w (KH, KW, C/G, F) -> gx (N, H, W, C)
    """
    if not supported(gy, w) or not math.prod(x_shape):
        return reference.conv2d_grad_input(gy, w, x_shape, window)
    (_, H, W, C), w_shape, G = tuple(x_shape), w.shape, window.groups
    KH, KW, J, F = w_shape
    gx, gy, w = memory.empty(x_shape, gy.dtype), np.ascontiguousarray(gy), flat(w)
    if gy.itemsize == 4 and winograd.worthwhile(gy.shape, (KH, KW, F, C), (H, W), window):
        taps, pads = range(8 * C * F, -1, -C * F), (2 - window.pads[0][0], 2 - window.pads[1][0])
        return winograd.convolve(gy, w, taps, (1, F), gx, pads, exact=False)
    for down, across, taps, plan in gradient_setup(gy.shape, w_shape, tuple(x_shape), window, gy.itemsize):
        if plan is None:
            by_numpy(lambda pixels: pixels.fill(0), gx[:, down :: window.strides[0], across :: window.strides[1]])
            continue
        b = packed(w, taps, F // G, 1, J, F, group_step=F // G, groups=G)
        convolve(plan, flat(gy), b, gx, (down * W + across) * C)
    return gx


def conv2d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `conv2d`.

    x (N, H, W, C), gy (N, OH, OW, F) -> gw (KH, KW, C/G, F), summed in a fixed order: the same bits on any number of
    threads
    """
    if not supported(x, gy) or not math.prod(w_shape):
        return reference.conv2d_grad_kernel(x, gy, w_shape, window)
    gw = memory.empty(tuple(w_shape), x.dtype)
    _, fast, plan = setup(x.shape, tuple(w_shape), window, x.itemsize, JOB)
    if fast:
        pads = (window.pads[0][0], window.pads[1][0])
        return winograd.correlate(np.ascontiguousarray(x), np.ascontiguousarray(gy), pads, gw)
    return correlate(plan, flat(x), flat(gy), gw)


def conv1d(x, w, window, bias=None, activation=None):
    """Cross-correlation along one axis: x (N, W, C), w (KW, C/G, F) -> y (N, OW, F)."""
    return conv2d(x[:, None], w[None], lifted(window), bias, activation)[:, 0]


def conv1d_grad_input(gy, w, x_shape, window):
    """dL/dx of `conv1d`."""
    return conv2d_grad_input(gy[:, None], w[None], (x_shape[0], 1, *x_shape[1:]), lifted(window))[:, 0]


def conv1d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `conv1d`."""
    return conv2d_grad_kernel(x[:, None], gy[:, None], (1, *w_shape), lifted(window))[0]


def conv3d(x, w, window, bias=None, activation=None):
    """Cross-correlation in space, a sum over KD planes.

    x (N, D, H, W, C), w (KD, KH, KW, C/G, F), bias (F,) -> y (N, OD, OH, OW, F)
    """
    if not supported(x, w, bias):
        return reference.conv3d(x, w, window, bias, activation)
    planes, total = depth_slices(x, w.shape[0], window), None
    for plane, w_slice in zip(planes, w):
        y = conv2d(plane.reshape(-1, *x.shape[2:]), w_slice, flattened(window), bias if total is None else None)
        total = y if total is None else np.add(total, y, out=total)
    total = reference.finish(total, None, activation)
    return total.reshape(x.shape[0], -1, *total.shape[1:])


def conv3d_grad_input(gy, w, x_shape, window):
    """dL/dx of `conv3d`."""
    if not supported(gy, w) or not math.prod(x_shape):
        return reference.conv3d_grad_input(gy, w, x_shape, window)
    before, after = window.pads[0]
    N, D, *inner = x_shape
    gx = memory.zeros((N, before + D + after, *inner), gy.dtype)
    g = gy.reshape(-1, *gy.shape[2:])
    for k, w_slice in enumerate(w):
        part = conv2d_grad_input(g, w_slice, (g.shape[0], *inner), flattened(window))
        depth_slice(gx, k, gy.shape[1], window)[...] += part.reshape(N, -1, *inner)
    return np.ascontiguousarray(gx[:, before : before + D])


def conv3d_grad_kernel(x, gy, w_shape, window):
    """dL/dw of `conv3d`."""
    if not supported(x, gy) or not math.prod(w_shape):
        return reference.conv3d_grad_kernel(x, gy, w_shape, window)
    g, out = gy.reshape(-1, *gy.shape[2:]), memory.empty(tuple(w_shape), x.dtype)
    for k, plane in enumerate(depth_slices(x, w_shape[0], window)):
        out[k] = conv2d_grad_kernel(plane.reshape(-1, *x.shape[2:]), g, w_shape[1:], flattened(window))
    return out


def output_shape(x_shape, w_shape, window):
    """The shape of the convolution's result."""
    axes = zip(x_shape[1:-1], w_shape, window.strides, window.pads, window.dilation)
    spaces = [(size + sum(pads) - (k - 1) * d - 1) // s + 1 for size, k, s, pads, d in axes]
    return (x_shape[0], *spaces, w_shape[-1])


@functools.lru_cache(4096)
def _setup(x_shape, w_shape, window, size, job, fast):
    """(the result's shape, whether Winograd is the way, the plan) of a convolution of floats of `size` bytes."""
    y_shape = output_shape(x_shape, w_shape, window)
    (N, H, W, C), (_, OH, OW, F), G = x_shape, y_shape, window.groups
    (top, _), (left, _) = window.pads
    if not math.prod(y_shape):
        return y_shape, False, None
    if fast and size == 4 and winograd.worthwhile(x_shape, w_shape, (OH, OW), window):
        return y_shape, True, None
    sizes = (x_shape, w_shape[:2], (OH, OW), window.strides, (top, left), window.dilation)
    if w_shape[:2] == window.strides == (1, 1) and window.pads == ((0, 0), (0, 0)):
        sizes = ((1, 1, N * H * W, C), (1, 1), (1, N * H * W), (1, 1), (0, 0), (1, 1))  # one row of pixels
    return y_shape, False, in_order(plan_walk(*sizes, G, F // G, size, job=job))


def setup(x_shape, w_shape, window, size, job=0):
    """What a convolution needs to know, worked out once for each shape."""
    return _setup(x_shape, w_shape, window, size, job, settings.winograd())


@functools.lru_cache(4096)
def gradient_setup(gy_shape, w_shape, x_shape, window, size):
    """For each phase of the strides: its first row and column, the offsets of its taps, its plan (None if no taps)."""
    (_, H, W, C), (KH, KW, J, F), found = x_shape, w_shape, []
    rows = phases(H, KH, window.strides[0], window.pads[0][0], window.dilation[0])
    columns = phases(W, KW, window.strides[1], window.pads[1][0], window.dilation[1])
    for down, across in itertools.product(rows, columns):
        taps = tuple((kh * KW + kw) * J * F for kh in down.taps for kw in across.taps)
        out = -(-(H - down.start) // window.strides[0]), -(-(W - across.start) // window.strides[1])
        sizes = (len(down.taps), len(across.taps)), out, (1, 1), (down.pad, across.pad)
        dilation, plan = (down.dilation, across.dilation), None
        if taps:
            plan = plan_walk(gy_shape, *sizes, dilation, window.groups, J, size)
            plan = plan._replace(y_image=H * W * C, y_row=window.strides[0] * W * C, y_pixel=window.strides[1] * C)
        found.append((down.start, across.start, taps, plan))
    return found


def forward_filters(w, plan):
    """The filters as `products` wants them: packed in panels, or as they lie when few pixels meet them."""
    F = plan.F * plan.G
    if plan.N * plan.OH * plan.OW <= FEW_PIXELS and plan.G == 1 and F % lanes(w.dtype) == 0:
        return flat(w).reshape(-1, F)
    taps = range(0, plan.KH * plan.KW * plan.J * F, plan.J * F)
    return packed(flat(w), taps, plan.J, F, plan.F, 1, group_step=plan.F, groups=plan.G)


class Phase:
    """Along one axis: the inputs start, start + stride, ... and the taps that reach them, last first."""

    def __init__(self, start, kernel, stride, pad, dilation):
        common = math.gcd(stride, dilation)
        self.start, self.dilation = start, dilation // common
        self.taps = [k for k in reversed(range(kernel)) if (start + pad - k * dilation) % stride == 0]
        first = self.taps[-1] if self.taps else 0
        self.pad = (len(self.taps) - 1) * self.dilation - (start + pad - first * dilation) // stride


def phases(size, kernel, stride, pad, dilation):
    """The phases of an axis of `size` inputs."""
    return [Phase(start, kernel, stride, pad, dilation) for start in range(min(stride, size))]


def lifted(window):
    """A window over one axis as one over two."""
    return Window((1, *window.strides), ((0, 0), *window.pads), (1, *window.dilation), window.groups)


def flattened(window):
    """A window over three axes without the first."""
    return Window(window.strides[1:], window.pads[1:], window.dilation[1:], window.groups)


def depth_slice(padded, k, count, window):
    """The planes that tap k of the depth axis meets."""
    start, step = k * window.dilation[0], window.strides[0]
    return padded[:, start : start + (count - 1) * step + 1 : step]


def depth_slices(x, kernel, window):
    """For each tap of the depth axis, the planes of the padded image that it meets."""
    padded = np.pad(x, ((0, 0), window.pads[0], (0, 0), (0, 0), (0, 0))) if any(window.pads[0]) else x
    count = (padded.shape[1] - (kernel - 1) * window.dilation[0] - 1) // window.strides[0] + 1
    return [depth_slice(padded, k, count, window) for k in range(kernel)]
