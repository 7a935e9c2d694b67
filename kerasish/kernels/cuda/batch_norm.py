"""Batch normalization on a card; statistics come from `columns.py`."""

from math import sqrt

from numpy import float32, int32

from kerasish.device import array_module
from kerasish.device.cuda_jit import cuda, unroll
from kerasish.kernels.cuda.arrays import contiguous, matrix, supported
from kerasish.kernels.cuda.asm import load
from kerasish.kernels.cuda.columns import BATCH, MOMENTS, THREADS, column_grid, passed, reduced, share_of
from kerasish.kernels.cuda.product import CUTS, cut
from kerasish.kernels.cuda.wide import keep, several, width
from kerasish.kernels.reference import batch_norm as reference
from kerasish.kernels.reference import elementwise
from kerasish.kernels.reference.precision import widened


@cuda.jit("void(" + 6 * "CPointer(f4), " + 7 * "i4, " + "f4)", launch_bounds=THREADS)
def _normalize(x, mean, scale, gamma, beta, y, rows, C, share, shift, GAMMA, BETA, ACTIVATION, epsilon):
    """y = (x - mean) * scale * gamma + beta, column by column; `scale` is the variance if epsilon is not negative."""
    middle, factor = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    base, out = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    thread, column, begin = share_of(share, shift)
    if column < C:
        for j in unroll(WIDE):
            middle[j], factor[j] = load(mean, int32(column + j)), load(scale, int32(column + j))
            base[j] = load(beta, int32(column + j)) if BETA != 0 else float32(0)
            if epsilon >= float32(0):
                factor[j] = float32(1) / sqrt(factor[j] + epsilon)
            if GAMMA != 0:
                factor[j] *= load(gamma, int32(column + j))
        for row in range(int32(begin + (thread >> shift)), min(rows, int32(begin + share)), int32(THREADS >> shift)):
            at = int32(row * C + column)
            u = several(x, at)
            for j in unroll(WIDE):
                out[j] = cut((u[j] - middle[j]) * factor[j] + base[j], ACTIVATION)
            keep(y, at, out)


@cuda.jit("void(" + 9 * "CPointer(f4), " + 5 * "i4, " + "f4)", launch_bounds=THREADS)
def _gradient(gy, x, mean, scale, gamma, beta, gbeta, ggamma, gx, rows, C, share, shift, ACTIVATION, per_row):
    """gx = (g - (gbeta + normal * ggamma) / rows) * scale * gamma, column by column; g passed the activation."""
    middle, factor = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    steep, high = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    level, slope = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    out = cuda.local.array(WIDE, float32)
    thread, column, begin = share_of(share, shift)
    if column < C:
        for j in unroll(WIDE):
            middle[j], factor[j] = load(mean, int32(column + j)), load(scale, int32(column + j))
            steep[j], high[j] = load(gamma, int32(column + j)), load(beta, int32(column + j))
            level[j] = load(gbeta, int32(column + j)) * per_row
            slope[j] = load(ggamma, int32(column + j)) * per_row
        for row in range(int32(begin + (thread >> shift)), min(rows, int32(begin + share)), int32(THREADS >> shift)):
            at = int32(row * C + column)
            u, v = several(x, at), several(gy, at)
            for j in unroll(WIDE):
                normal = (u[j] - middle[j]) * factor[j]
                g = passed(v[j], normal * steep[j] + high[j], ACTIVATION)
                out[j] = (g - (level[j] + normal * slope[j])) * (factor[j] * steep[j])
            keep(gx, at, out)


NORMALIZE = {wide: _normalize.specialize(f"normalize_{wide}", WIDE=wide) for wide in (1, 4)}
GRADIENT = {wide: _gradient.specialize(f"batch_gradient_{wide}", WIDE=wide) for wide in (1, 4)}


@widened
def batch_norm_train(x, gamma, beta, epsilon, activation=None):
    """Normalizes each channel over all other axes, then applies an elementwise function by name.

    x      (..., C)
    ->  y  (..., C), mean (C,), variance (C,) (biased, as in Keras), inverse_std (C,)
    """
    if not (supported(x, gamma, beta) and x.size):
        return reference.batch_norm_train(x, gamma, beta, epsilon, activation)
    x, (rows, C) = contiguous(x), matrix(x)
    mean, variance, scale = reduced(MOMENTS, x, x, rows, C, epsilon=epsilon)
    return normalized(x, mean, scale, gamma, beta, -1.0, activation), mean, variance, scale


@widened
def batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation=None):
    """Normalizes with given statistics, then applies an elementwise function by name."""
    if not (supported(x, mean, variance, gamma, beta) and x.size):
        return reference.batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation)
    return normalized(contiguous(x), mean, variance, gamma, beta, epsilon, activation)


@widened
def batch_norm_grad(gy, x, gamma, beta, mean, inverse_std, activation=None):
    """dL/dx, dL/dgamma and dL/dbeta of `batch_norm_train`, through its statistics and the activation, too."""
    if not (supported(gy, x, gamma, beta, mean, inverse_std) and x.size) or activation not in CUTS:
        return reference.batch_norm_grad(gy, x, gamma, beta, mean, inverse_std, activation)
    xp, (rows, C), kind = array_module(x), matrix(x), CUTS[activation]
    gy, x, mean, scale = (contiguous(a) for a in (gy, x, mean, inverse_std))
    gamma = xp.ones(C, x.dtype) if gamma is None else contiguous(gamma)
    beta = xp.zeros(C, x.dtype) if beta is None else contiguous(beta)
    gbeta, ggamma, _ = reduced(BATCH, x, gy, rows, C, mean, scale, gamma, beta, kind)
    gx, (grid, share, shift) = xp.empty(x.shape, x.dtype), column_grid(rows, C)
    sizes = (rows, C, share, shift, kind, 1 / rows)
    GRADIENT[width(C)][grid, THREADS](gy, x, mean, scale, gamma, beta, gbeta, ggamma, gx, *sizes)
    return gx, ggamma, gbeta


def normalized(x, mean, scale, gamma, beta, epsilon, activation):
    """activation((x - mean) * scale * gamma + beta); see `_normalize`."""
    y, (rows, C) = array_module(x).empty(x.shape, x.dtype), matrix(x)
    grid, share, shift = column_grid(rows, C)
    given = [x if a is None else contiguous(a) for a in (gamma, beta)]
    options = (int(gamma is not None), int(beta is not None), CUTS.get(activation, 0))
    statistics, sizes = (contiguous(mean), contiguous(scale)), (rows, C, share, shift)
    NORMALIZE[width(C)][grid, THREADS](x, *statistics, *given, y, *sizes, *options, epsilon)
    return y if activation in CUTS else getattr(elementwise, activation)(y)
