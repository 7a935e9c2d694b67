"""Layer normalization over the array module: x (..., C), gamma and beta (C,) or None; 16-bit sums in float32."""

from kerasish.device import array_module
from kerasish.kernels.reference.precision import accumulator, quiet


@quiet
def layer_norm(x, gamma, beta, epsilon):
    """Normalizes each row over the last axis.

    x      (..., C)
    ->  y  (..., C), mean (..., 1), inverse_std (..., 1)
    """
    rows = wide(x)
    mean, _, inverse_std = moments(rows, -1, epsilon)
    return affine((rows - mean) * inverse_std, gamma, beta).astype(x.dtype), mean, inverse_std


@quiet
def layer_norm_grad(gy, x, gamma, mean, inverse_std):
    """dL/dx, dL/dgamma and dL/dbeta of `layer_norm`."""
    normal, wide_gy = (wide(x) - mean) * inverse_std, wide(gy)
    over = tuple(range(x.ndim - 1))
    ggamma, gbeta = (wide_gy * normal).sum(over), wide_gy.sum(over)
    g = affine(wide_gy, gamma, None)
    n = max(x.shape[-1], 1)
    gx = (g - (g.sum(-1, keepdims=True) + normal * (g * normal).sum(-1, keepdims=True)) / n) * inverse_std
    return gx.astype(gy.dtype), ggamma, gbeta


def wide(x):
    """x in the dtype in which sums are taken."""
    return x.astype(accumulator(x.dtype), copy=False)


def moments(x, axis, epsilon):
    """Mean, variance and 1 / sqrt(variance + epsilon) along an axis, which stays."""
    n = max(x.shape[axis], 1)
    mean = x.sum(axis, keepdims=True) / n
    variance = ((x - mean) ** 2).sum(axis, keepdims=True) / n
    return mean, variance, 1 / array_module(x).sqrt(variance + epsilon)


def affine(x, gamma, beta):
    """x gamma + beta, each of which may be None."""
    scaled = x if gamma is None else x * gamma
    return scaled if beta is None else scaled + beta
