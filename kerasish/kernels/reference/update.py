"""Optimizer steps over the array module, in place, for a list of parameters at once, in Keras's formulas.

Scalars are plain numbers, rounded to the parameter's dtype; `step` counts from 1. `decay` is the factor that decoupled
weight decay leaves of a parameter before the step (1 - weight_decay * learning_rate, or 1).
"""

import math

import numpy as np

from kerasish.device import array_module
from kerasish.kernels.reference.precision import accumulator, quiet


def sgd(params, grads, lr, decay=1.0):
    """p -= lr * g."""
    for p, g in zip(params, grads):
        _shrink(p, decay)
        p -= g * lr


def sgd_momentum(params, grads, moms, lr, momentum, nesterov=False, decay=1.0):
    """m = momentum * m - lr * g; p += m, or momentum * m - lr * g with Nesterov's look ahead."""
    for p, g, m in zip(params, grads, moms):
        _shrink(p, decay)
        m *= momentum
        m -= g * lr
        p += m * momentum - g * lr if nesterov else m


def adam(params, grads, ms, vs, lr, beta_1, beta_2, epsilon, step, decay=1.0):
    """Kingma and Ba 2014, algorithm 1 in the order of section 2 (epsilon outside of the corrected root)."""
    for p, g, m, v in zip(params, grads, ms, vs):
        _shrink(p, decay)
        _adam_moments(g, m, v, beta_1, beta_2)
        p -= m * adam_rate(lr, beta_1, beta_2, step, p.dtype) / (array_module(p).sqrt(v) + epsilon)


def adam_amsgrad(params, grads, ms, vs, largest, lr, beta_1, beta_2, epsilon, step, decay=1.0):
    """Adam with the largest v so far in the root (Reddi et al. 2018)."""
    for p, g, m, v, top in zip(params, grads, ms, vs, largest):
        xp = array_module(p)
        _shrink(p, decay)
        _adam_moments(g, m, v, beta_1, beta_2)
        xp.maximum(top, v, out=top)
        p -= m * adam_rate(lr, beta_1, beta_2, step, p.dtype) / (xp.sqrt(top) + epsilon)


def adam_rate(lr, beta_1, beta_2, step, dtype="float32"):
    """The step size with both bias corrections in it, rounded where Keras rounds: 1 - beta**step cancels."""
    kind = accumulator(dtype).type
    first, second = (kind(1) - kind(float(kind(beta)) ** step) for beta in (beta_1, beta_2))
    return kind(lr) * np.sqrt(second) / first


@quiet
def rmsprop(params, grads, vs, lr, rho, epsilon, decay=1.0):
    """v = rho * v + (1 - rho) * g^2; p -= lr * g / sqrt(v + epsilon)."""
    for p, g, v in zip(params, grads, vs):
        _shrink(p, decay)
        v *= rho
        v += g * g * (1 - rho)
        p -= g * lr / array_module(p).sqrt(v + epsilon)


@quiet
def adagrad(params, grads, accumulators, lr, epsilon, decay=1.0):
    """a += g^2; p -= lr * g / sqrt(a + epsilon)."""
    for p, g, a in zip(params, grads, accumulators):
        _shrink(p, decay)
        a += g * g
        p -= g * lr / array_module(p).sqrt(a + epsilon)


def sum_of_squares(arrays):
    """The sum of all squared elements, as a Python float: the global norm is its root."""
    sums = [(a.astype(accumulator(a.dtype)) ** 2).sum(dtype="float64") for a in arrays]
    xp = array_module(*arrays)
    return math.fsum(sums if xp is np else xp.stack(sums).tolist())


def _adam_moments(g, m, v, beta_1, beta_2):
    m += (g - m) * (1 - beta_1)
    v += (g * g - v) * (1 - beta_2)


def _shrink(p, decay):
    if decay != 1.0:
        p *= decay
