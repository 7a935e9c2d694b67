"""Group normalization over the array module: x (N, ..., C), gamma and beta (C,) or None; 16-bit sums in float32."""

import math

from kerasish.device import array_module
from kerasish.kernels.reference.norm import affine, wide
from kerasish.kernels.reference.precision import quiet


@quiet
def group_norm(x, gamma, beta, groups, epsilon):
    """Normalizes each group of neighbouring channels of each sample.

    x      (N, ..., C)
    ->  y  (N, ..., C), mean (N, G), inverse_std (N, G)
    """
    parts = grouped(wide(x), groups)
    mean = sums(parts) / count(parts)
    inverse_std = 1 / array_module(x).sqrt(sums((parts - mean) ** 2) / count(parts) + epsilon)
    y = affine(((parts - mean) * inverse_std).reshape(x.shape), gamma, beta)
    return y.astype(x.dtype), mean[:, 0, :, 0], inverse_std[:, 0, :, 0]


@quiet
def group_norm_grad(gy, x, gamma, mean, inverse_std):
    """dL/dx, dL/dgamma and dL/dbeta of `group_norm`."""
    groups, mean, inverse_std = mean.shape[1], mean[:, None, :, None], inverse_std[:, None, :, None]
    normal = (grouped(wide(x), groups) - mean) * inverse_std
    over = tuple(range(x.ndim - 1))
    ggamma, gbeta = (wide(gy) * normal.reshape(x.shape)).sum(over), wide(gy).sum(over)
    g = grouped(affine(wide(gy), gamma, None), groups)
    gx = (g - (sums(g) + normal * sums(g * normal)) / count(g)) * inverse_std
    return gx.reshape(x.shape).astype(gy.dtype), ggamma, gbeta


def grouped(x, groups):
    """(N, ..., C) as (N, R, G, C/G)."""
    return x.reshape(x.shape[0], math.prod(x.shape[1:-1]), groups, x.shape[-1] // groups)


def sums(parts):
    """The sum of each group: (N, 1, G, 1)."""
    return parts.sum((1, 3), keepdims=True)


def count(parts):
    """How many elements a group has."""
    return max(parts.shape[1] * parts.shape[3], 1)
