"""Batch and layer normalization on a card; statistics come from `columns.py`, layers take a warp a row."""

from math import sqrt

from numba import cuda, float32, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import device, template
from kerasish.kernels.cuda import elementwise
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.asm import load, store
from kerasish.kernels.cuda.columns import BATCH, LAYER, MOMENTS, THREADS, column_grid, reduced
from kerasish.kernels.cuda.warp import warp_sum
from kerasish.kernels.reference import elementwise as reference_elementwise
from kerasish.kernels.reference import norm as reference
from kerasish.kernels.reference.precision import widened

WARPS = 4
ACTIVATIONS = {None: 0, "relu": 1, "relu6": 2}


@device
def activated(value, kind):
    """relu or relu6, or nothing; a NaN stays a NaN."""
    if kind != 0 and value < float32(0):
        value = float32(0)
    if kind == 2 and value > float32(6):
        value = float32(6)
    return value


@template("FFFFFF iiiiiiif")
def normalize(x, mean, scale, gamma, beta, y, rows, C, share, shift, GAMMA, BETA, ACTIVATION, epsilon):
    """y = (x - mean) * scale * gamma + beta, column by column; `scale` is the variance if epsilon is not negative."""
    thread = int32(cuda.threadIdx.x)
    column = int32((int32(cuda.blockIdx.x) << shift) + (thread & ((int32(1) << shift) - 1)))
    begin = int32(int32(cuda.blockIdx.y) * share)
    if column < C:
        middle, width, base = load(mean, column), load(scale, column), float32(0)
        if epsilon >= float32(0):
            width = float32(1) / sqrt(width + epsilon)
        if GAMMA != 0:
            width *= load(gamma, column)
        if BETA != 0:
            base = load(beta, column)
        for row in range(int32(begin + (thread >> shift)), min(rows, int32(begin + share)), int32(THREADS >> shift)):
            at = int32(row * C + column)
            store(y, at, activated((load(x, at) - middle) * width + base, ACTIVATION))


@template("FFFFFFFF iiiiif")
def batch_gradient(gy, x, mean, scale, gamma, gbeta, ggamma, gx, rows, C, share, shift, GAMMA, per_row):
    """gx = (gy - (gbeta + normal * ggamma) / rows) * scale * gamma, column by column."""
    thread = int32(cuda.threadIdx.x)
    column = int32((int32(cuda.blockIdx.x) << shift) + (thread & ((int32(1) << shift) - 1)))
    begin = int32(int32(cuda.blockIdx.y) * share)
    if column < C:
        middle, width = load(mean, column), load(scale, column)
        level, slope = load(gbeta, column) * per_row, load(ggamma, column) * per_row
        factor = width * load(gamma, column) if GAMMA != 0 else width
        for row in range(int32(begin + (thread >> shift)), min(rows, int32(begin + share)), int32(THREADS >> shift)):
            at = int32(row * C + column)
            normal = (load(x, at) - middle) * width
            store(gx, at, (load(gy, at) - (level + normal * slope)) * factor)


@template("FFFFFF iiiiff")
def layer_forward(x, gamma, beta, y, mean, scale, rows, C, GAMMA, BETA, per_column, epsilon):
    """Normalizes each row."""
    thread = int32(cuda.threadIdx.x)
    row, lane = int32(int32(cuda.blockIdx.x) * WARPS + (thread >> 5)), int32(thread & 31)
    if row < rows:
        start = int32(row * C)
        total = float32(0)
        for i in range(lane, C, 32):
            total += load(x, int32(start + i))
        middle = warp_sum(total) * per_column
        total = float32(0)
        for i in range(lane, C, 32):
            d = load(x, int32(start + i)) - middle
            total += d * d
        width = float32(1) / sqrt(warp_sum(total) * per_column + epsilon)
        for i in range(lane, C, 32):
            v = (load(x, int32(start + i)) - middle) * width
            if GAMMA != 0:
                v *= load(gamma, i)
            if BETA != 0:
                v += load(beta, i)
            store(y, int32(start + i), v)
        if lane == 0:
            store(mean, row, middle)
            store(scale, row, width)


@template("FFFFFF iiif")
def layer_gradient(gy, x, mean, scale, gamma, gx, rows, C, GAMMA, per_column):
    """gx = (g - (sum(g) + normal * sum(g * normal)) / C) * scale with g = gy * gamma, row by row."""
    thread = int32(cuda.threadIdx.x)
    row, lane = int32(int32(cuda.blockIdx.x) * WARPS + (thread >> 5)), int32(thread & 31)
    if row < rows:
        start = int32(row * C)
        middle, width = load(mean, row), load(scale, row)
        a, b = float32(0), float32(0)
        for i in range(lane, C, 32):
            g = load(gy, int32(start + i))
            if GAMMA != 0:
                g *= load(gamma, i)
            a += g
            b += g * ((load(x, int32(start + i)) - middle) * width)
        level, slope = warp_sum(a) * per_column, warp_sum(b) * per_column
        for i in range(lane, C, 32):
            g = load(gy, int32(start + i))
            if GAMMA != 0:
                g *= load(gamma, i)
            normal = (load(x, int32(start + i)) - middle) * width
            store(gx, int32(start + i), (g - (level + normal * slope)) * width)


_normalize = normalize("normalize", THREADS, THREADS=THREADS)
_batch_gradient = batch_gradient("batch_gradient", THREADS, THREADS=THREADS)
_layer_forward = layer_forward("layer_forward", 32 * WARPS, WARPS=WARPS)
_layer_gradient = layer_gradient("layer_gradient", 32 * WARPS, WARPS=WARPS)


@widened
def batch_norm_train(x, gamma, beta, epsilon, activation=None):
    """Normalizes each channel over all other axes, then applies an elementwise function by name.

    x      (..., C)
    ->  y  (..., C), mean (C,), variance (C,) (biased, as in Keras), inverse_std (C,)
    """
    if not _ours(x, gamma, beta):
        return reference.batch_norm_train(x, gamma, beta, epsilon, activation)
    x, (rows, C) = contiguous(x), _matrix(x)
    mean, variance, scale = reduced(MOMENTS, x, x, x, x, rows, C, epsilon)
    return _normalized(x, mean, scale, gamma, beta, -1.0, activation), mean, variance, scale


@widened
def batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation=None):
    """Normalizes with given statistics, then applies an elementwise function by name."""
    if not _ours(x, mean, variance, gamma, beta):
        return reference.batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation)
    return _normalized(contiguous(x), mean, variance, gamma, beta, epsilon, activation)


@widened
def batch_norm_grad(gy, x, gamma, mean, inverse_std, y=None):
    """dL/dx, dL/dgamma and dL/dbeta of `batch_norm_train`, through its statistics too; y: what relu made of it."""
    if not _ours(gy, x, gamma, mean, inverse_std):
        return reference.batch_norm_grad(gy, x, gamma, mean, inverse_std, y)
    gy = contiguous(gy if y is None else elementwise.relu_grad(gy, y))
    x, (rows, C) = contiguous(x), _matrix(x)
    mean, scale = contiguous(mean), contiguous(inverse_std)
    gbeta, ggamma, _ = reduced(BATCH, x, gy, mean, scale, rows, C)
    gx = array_module(x).empty(x.shape, x.dtype)
    grid, share, shift = column_grid(rows, C)
    weight = mean if gamma is None else contiguous(gamma)
    sizes = (rows, C, share, shift, int(gamma is not None))
    _batch_gradient(grid, gy, x, mean, scale, weight, gbeta, ggamma, gx, *sizes, 1 / rows)
    return gx, ggamma, gbeta


@widened
def layer_norm(x, gamma, beta, epsilon):
    """Normalizes each row over the last axis.

    x      (..., C)
    ->  y  (..., C), mean (..., 1), inverse_std (..., 1)
    """
    if not _ours(x, gamma, beta):
        return reference.layer_norm(x, gamma, beta, epsilon)
    xp, x, (rows, C) = array_module(x), contiguous(x), _matrix(x)
    y, mean, scale = xp.empty(x.shape, x.dtype), *(xp.empty((*x.shape[:-1], 1), x.dtype) for _ in range(2))
    given = [x if a is None else contiguous(a) for a in (gamma, beta)]
    sizes = (rows, C, int(gamma is not None), int(beta is not None), 1 / C, epsilon)
    _layer_forward((blocks(rows, WARPS),), x, *given, y, mean, scale, *sizes)
    return y, mean, scale


@widened
def layer_norm_grad(gy, x, gamma, mean, inverse_std):
    """dL/dx, dL/dgamma and dL/dbeta of `layer_norm`."""
    if not _ours(gy, x, gamma, mean, inverse_std):
        return reference.layer_norm_grad(gy, x, gamma, mean, inverse_std)
    gy, x, mean, scale = (contiguous(a) for a in (gy, x, mean, inverse_std))
    rows, C = _matrix(x)
    gbeta, ggamma, _ = reduced(LAYER, x, gy, mean, scale, rows, C)
    gx = array_module(x).empty(x.shape, x.dtype)
    weight = mean if gamma is None else contiguous(gamma)
    _layer_gradient((blocks(rows, WARPS),), gy, x, mean, scale, weight, gx, rows, C, int(gamma is not None), 1 / C)
    return gx, ggamma, gbeta


def _ours(x, *others):
    return supported(x, *others) and x.size


def _matrix(x):
    """How many rows and columns x has as a matrix."""
    return x.size // x.shape[-1], x.shape[-1]


def _normalized(x, mean, scale, gamma, beta, epsilon, activation):
    y, (rows, C) = array_module(x).empty(x.shape, x.dtype), _matrix(x)
    grid, share, shift = column_grid(rows, C)
    given = [x if a is None else contiguous(a) for a in (gamma, beta)]
    known = activation in ACTIVATIONS
    options = (int(gamma is not None), int(beta is not None), ACTIVATIONS.get(activation, 0))
    _normalize(grid, x, contiguous(mean), contiguous(scale), *given, y, rows, C, share, shift, *options, epsilon)
    return y if known else getattr(reference_elementwise, activation)(y)
