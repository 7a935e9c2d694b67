"""Normalization over the array module. x (..., C); gamma and beta (C,) or None; sums of 16-bit floats in float32."""

from kerasish.device import array_module
from kerasish.kernels.reference import elementwise
from kerasish.kernels.reference.precision import accumulator, quiet


@quiet
def batch_norm_train(x, gamma, beta, epsilon, activation=None):
    """Normalizes each channel over all other axes, then applies an elementwise function by name.

    x      (..., C)
    ->  y  (..., C), mean (C,), variance (C,) (biased, as in Keras), inverse_std (C,)
    """
    rows = _wide(x).reshape(-1, x.shape[-1])
    mean, variance, inverse_std = _moments(rows, 0, epsilon)
    y = _affine((rows - mean) * inverse_std, gamma, beta)
    y = getattr(elementwise, activation)(y) if activation else y
    return y.reshape(x.shape).astype(x.dtype), mean[0], variance[0], inverse_std[0]


@quiet
def batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation=None):
    """Normalizes with given statistics, then applies an elementwise function by name."""
    y = _affine((_wide(x) - mean) / array_module(x).sqrt(variance + epsilon), gamma, beta)
    return (getattr(elementwise, activation)(y) if activation else y).astype(x.dtype)


@quiet
def batch_norm_grad(gy, x, gamma, mean, inverse_std, y=None):
    """dL/dx, dL/dgamma and dL/dbeta of `batch_norm_train`, through its statistics too; y: what relu made of it."""
    gy = gy if y is None else elementwise.relu_grad(gy, y)
    rows, grows = (_wide(a).reshape(-1, x.shape[-1]) for a in (x, gy))
    normal = (rows - mean) * inverse_std
    ggamma, gbeta = (grows * normal).sum(0), grows.sum(0)
    gx = (grows - (gbeta + normal * ggamma) / max(len(rows), 1)) * inverse_std
    return _affine(gx, gamma, None).reshape(x.shape).astype(gy.dtype), ggamma, gbeta


@quiet
def layer_norm(x, gamma, beta, epsilon):
    """Normalizes each row over the last axis.

    x      (..., C)
    ->  y  (..., C), mean (..., 1), inverse_std (..., 1)
    """
    wide = _wide(x)
    mean, _, inverse_std = _moments(wide, -1, epsilon)
    return _affine((wide - mean) * inverse_std, gamma, beta).astype(x.dtype), mean, inverse_std


@quiet
def layer_norm_grad(gy, x, gamma, mean, inverse_std):
    """dL/dx, dL/dgamma and dL/dbeta of `layer_norm`."""
    normal, wide = (_wide(x) - mean) * inverse_std, _wide(gy)
    over = tuple(range(x.ndim - 1))
    ggamma, gbeta = (wide * normal).sum(over), wide.sum(over)
    g = _affine(wide, gamma, None)
    n = max(x.shape[-1], 1)
    gx = (g - (g.sum(-1, keepdims=True) + normal * (g * normal).sum(-1, keepdims=True)) / n) * inverse_std
    return gx.astype(gy.dtype), ggamma, gbeta


def _wide(x):
    return x.astype(accumulator(x.dtype), copy=False)


def _moments(x, axis, epsilon):
    n = max(x.shape[axis], 1)
    mean = x.sum(axis, keepdims=True) / n
    variance = ((x - mean) ** 2).sum(axis, keepdims=True) / n
    return mean, variance, 1 / array_module(x).sqrt(variance + epsilon)


def _affine(x, gamma, beta):
    scaled = x if gamma is None else x * gamma
    return scaled if beta is None else scaled + beta
