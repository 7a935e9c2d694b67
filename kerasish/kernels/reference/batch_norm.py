"""Batch normalization over the array module: x (..., C), gamma and beta (C,) or None; 16-bit sums in float32."""

from kerasish.device import array_module
from kerasish.kernels.reference import elementwise
from kerasish.kernels.reference.norm import affine, moments, wide
from kerasish.kernels.reference.precision import quiet


@quiet
def batch_norm_train(x, gamma, beta, epsilon, activation=None):
    """Normalizes each channel over all other axes, then applies an elementwise function by name.

    x      (..., C)
    ->  y  (..., C), mean (C,), variance (C,) (biased, as in Keras), inverse_std (C,)
    """
    rows = wide(x).reshape(-1, x.shape[-1])
    mean, variance, inverse_std = moments(rows, 0, epsilon)
    y = affine((rows - mean) * inverse_std, gamma, beta)
    y = getattr(elementwise, activation)(y) if activation else y
    return y.reshape(x.shape).astype(x.dtype), mean[0], variance[0], inverse_std[0]


@quiet
def batch_norm_infer(x, mean, variance, gamma, beta, epsilon, activation=None):
    """Normalizes with given statistics, then applies an elementwise function by name."""
    y = affine((wide(x) - mean) / array_module(x).sqrt(variance + epsilon), gamma, beta)
    return (getattr(elementwise, activation)(y) if activation else y).astype(x.dtype)


def moving_average(average, value, momentum):
    """average = average * momentum + value * (1 - momentum), in place."""
    average *= momentum
    average += value * (1 - momentum)


@quiet
def batch_norm_grad(gy, x, gamma, beta, mean, inverse_std, activation=None):
    """dL/dx, dL/dgamma and dL/dbeta of `batch_norm_train`, through its statistics and the activation, too."""
    rows, grows = (wide(a).reshape(-1, x.shape[-1]) for a in (x, gy))
    normal = (rows - mean) * inverse_std
    if activation:
        y = getattr(elementwise, activation)(affine(normal, gamma, beta))
        grows = getattr(elementwise, f"{activation}_grad")(grows, y)
    ggamma, gbeta = (grows * normal).sum(0), grows.sum(0)
    gx = (grows - (gbeta + normal * ggamma) / max(len(rows), 1)) * inverse_std
    return affine(gx, gamma, None).reshape(x.shape).astype(gy.dtype), ggamma, gbeta
