"""Layer normalization on a card: a warp a row."""

from math import sqrt

from numpy import float32, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import cuda
from kerasish.kernels.cuda.arrays import blocks, contiguous, matrix, supported
from kerasish.kernels.cuda.asm import load, store
from kerasish.kernels.cuda.columns import LAYER, reduced
from kerasish.kernels.cuda.warp import WARPS, warp_row, warp_sum
from kerasish.kernels.reference import norm as reference
from kerasish.kernels.reference.precision import widened

THREADS = 32 * WARPS


@cuda.jit("void(" + 6 * "CPointer(f4), " + 4 * "i4, " + "f4, f4)", launch_bounds=THREADS)
def _layer_forward(x, gamma, beta, y, mean, scale, rows, C, GAMMA, BETA, per_column, epsilon):
    """Normalizes each row."""
    row, lane = warp_row()
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


@cuda.jit("void(" + 6 * "CPointer(f4), " + "i4, i4, i4, f4)", launch_bounds=THREADS)
def _layer_gradient(gy, x, mean, scale, gamma, gx, rows, C, GAMMA, per_column):
    """gx = (g - (sum(g) + normal * sum(g * normal)) / C) * scale with g = gy * gamma, row by row."""
    row, lane = warp_row()
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


@widened
def layer_norm(x, gamma, beta, epsilon):
    """Normalizes each row over the last axis.

    x      (..., C)
    ->  y  (..., C), mean (..., 1), inverse_std (..., 1)
    """
    if not (supported(x, gamma, beta) and x.size):
        return reference.layer_norm(x, gamma, beta, epsilon)
    xp, x, (rows, C) = array_module(x), contiguous(x), matrix(x)
    y, mean, scale = xp.empty(x.shape, x.dtype), *(xp.empty((*x.shape[:-1], 1), x.dtype) for _ in range(2))
    given = [x if a is None else contiguous(a) for a in (gamma, beta)]
    sizes = (rows, C, int(gamma is not None), int(beta is not None), 1 / C, epsilon)
    _layer_forward[blocks(rows, WARPS), THREADS](x, *given, y, mean, scale, *sizes)
    return y, mean, scale


@widened
def layer_norm_grad(gy, x, gamma, mean, inverse_std):
    """dL/dx, dL/dgamma and dL/dbeta of `layer_norm`."""
    if not (supported(gy, x, gamma, mean, inverse_std) and x.size):
        return reference.layer_norm_grad(gy, x, gamma, mean, inverse_std)
    gy, x, mean, scale = (contiguous(a) for a in (gy, x, mean, inverse_std))
    rows, C = matrix(x)
    gbeta, ggamma, _ = reduced(LAYER, x, gy, rows, C, mean, scale)
    gx = array_module(x).empty(x.shape, x.dtype)
    weight = mean if gamma is None else contiguous(gamma)
    _layer_gradient[blocks(rows, WARPS), THREADS](
        gy, x, mean, scale, weight, gx, rows, C, int(gamma is not None), 1 / C
    )
    return gx, ggamma, gbeta
