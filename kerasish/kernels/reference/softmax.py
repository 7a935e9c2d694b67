"""Softmax and the cross-entropies that start from logits, over the last axis K of (..., K)."""

from kerasish.device import array_module
from kerasish.kernels.reference.precision import widened


@widened
def softmax(x):
    e = array_module(x).exp(x - _largest(x))
    return e / e.sum(-1, keepdims=True)


@widened
def log_softmax(x):
    xp = array_module(x)
    shifted = x - _largest(x)
    return shifted - xp.log(xp.exp(shifted).sum(-1, keepdims=True))


@widened
def softmax_grad(gy, y):
    return y * (gy - (gy * y).sum(-1, keepdims=True))


@widened
def log_softmax_grad(gy, y):
    return gy - array_module(y).exp(y) * gy.sum(-1, keepdims=True)


@widened
def cross_entropy_logits(labels, logits):
    """-sum(labels * log_softmax(logits)): labels and logits (..., K) -> (...)."""
    return -(labels * log_softmax(logits)).sum(-1)


@widened
def cross_entropy_logits_grad(g, labels, logits):
    """dL/dlogits, g (...): TensorFlow's p - t, which is the derivative where each row of labels sums to 1."""
    return (softmax(logits) - labels) * g[..., None]


@widened
def sparse_cross_entropy_logits(labels, logits):
    """-log_softmax(logits)[label]: labels (...) of integers, logits (..., K) -> (...); NaN for a label out of range."""
    xp = array_module(logits)
    picked = xp.take_along_axis(log_softmax(logits), _clipped(labels, logits), -1)[..., 0]
    return xp.where(_known(labels, logits), -picked, xp.nan).astype(logits.dtype)


@widened
def sparse_cross_entropy_logits_grad(g, labels, logits):
    """dL/dlogits of `sparse_cross_entropy_logits`, g (...)."""
    xp = array_module(logits)
    hit = labels[..., None] == xp.arange(logits.shape[-1])
    g = xp.where(_known(labels, logits), g, xp.nan).astype(logits.dtype)
    return (softmax(logits) - hit) * g[..., None]


def _largest(x):
    return x.max(-1, keepdims=True) if x.size else x[..., :1]


def _clipped(labels, logits):
    return array_module(logits).clip(labels, 0, logits.shape[-1] - 1)[..., None]


def _known(labels, logits):
    return (labels >= 0) & (labels < logits.shape[-1])
