"""The activation functions: thin names over `kerasish.ops`, each taking a tensor and returning one of its shape."""

from __future__ import annotations

from kerasish import ops
from kerasish.core import dtypes
from kerasish.core.op import Op, Spec
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import convert_to_tensor


class ReLU(Op):
    """`relu` with its parameters, as it stands in a model's graph."""

    module = "keras.src.activations.activations"

    def __init__(self, negative_slope=0.0, max_value=None, threshold=0.0):
        self.negative_slope, self.max_value, self.threshold = negative_slope, max_value, threshold

    def infer(self, x):
        return Spec(x.shape, x.dtype)

    def call(self, x):
        if self.threshold == 0 and self.max_value is None:
            return ops.leaky_relu(x, negative_slope=self.negative_slope) if self.negative_slope else ops.relu(x)
        x = convert_to_tensor(x)
        y = self._limited(x)
        if self.negative_slope:
            y = y - self.negative_slope * ops.relu(self.threshold - x if self.threshold else -x)  # integers stay some
        return y

    def _limited(self, x):
        """x above the threshold and up to the limit, 0 below."""
        if self.threshold == 0 and self.max_value == 6:
            return ops.relu6(x)  # the common limit has kernels of its own, as in Keras
        y = ops.relu(x) if self.threshold == 0 else x * ops.cast(x > self.threshold, x.dtype)
        if self.max_value is None:
            return y
        return ops.clip(y, 0, int(self.max_value) if dtypes.is_int(y.dtype) else self.max_value)


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """The rectified linear unit: `max(x, 0)`, or a variant of it.

    It is `max_value` from there on, `x` above `threshold`, and `negative_slope * (x - threshold)` below.

    Args:
        x: Tensor.
        negative_slope: Slope below the threshold.
        max_value: Largest value, or `None`.
        threshold: Where the slope changes.

    Example:

    ```python
    keras.activations.relu([-5.0, 0.0, 5.0, 10.0], negative_slope=0.5, max_value=6)  # [-2.5, 0, 5, 6]
    ```
    """
    if not (isinstance(x, KerasTensor) or negative_slope or threshold) and max_value is None:
        return ops.relu(x)
    return ReLU(negative_slope, max_value, threshold)(x)


def leaky_relu(x, negative_slope=0.2):
    """`x` where positive, `negative_slope * x` elsewhere.

    Args:
        x: Tensor.
        negative_slope: Slope for negative `x`.
    """
    return ops.leaky_relu(x, negative_slope=negative_slope)


def relu6(x):
    """`min(max(x, 0), 6)`.

    Args:
        x: Tensor.
    """
    return ops.relu6(x)


def softmax(x, axis=-1):
    """Exponentials scaled to sum to 1: a probability for each class.

    The result remembers `x`, so that a cross-entropy of it is computed from `x`, without overflow.

    Args:
        x: Tensor of at least one dimension.
        axis: Axis or axes of the classes.
    """
    return _remember(ops.softmax(x, axis=axis), x)


def sigmoid(x):
    """`1 / (1 + exp(-x))`, from 0 to 1.

    The result remembers `x`, so that a cross-entropy of it is computed from `x`, without overflow.

    Args:
        x: Tensor.
    """
    return _remember(ops.sigmoid(x), x)


def _remember(y, logits):
    try:
        y._keras_logits = logits
    except AttributeError:  # a tensor of another library
        pass
    return y


def log_softmax(x, axis=-1):
    """The logarithm of `softmax`, without overflow.

    Args:
        x: Tensor of at least one dimension.
        axis: Axis of the classes.
    """
    return ops.log_softmax(x, axis=axis)


def sparsemax(x, axis=-1):
    """The nearest point of the probability simplex; unlike softmax it gives exact zeros.

    Martins and Astudillo, "From softmax to sparsemax" (2016).
    Where several classes share the probability, Keras 3.15 returns something else, which does not sum to 1.

    Args:
        x: Tensor of at least one dimension.
        axis: Axis of the classes.
    """
    return ops.sparsemax(x, axis=axis)


def elu(x, alpha=1.0):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Args:
        x: Tensor.
        alpha: Minus the limit for very negative `x`.
    """
    return ops.elu(x, alpha=alpha)


def celu(x, alpha=1.0):
    """`elu` with a derivative that is continuous for every `alpha`.

    Args:
        x: Tensor.
        alpha: Minus the limit for very negative `x`.
    """
    return ops.celu(x, alpha=alpha)


def selu(x):
    """The scaled exponential linear unit, which keeps mean 0 and variance 1 through the layers.

    Klambauer et al., "Self-normalizing neural networks" (2017). Use it with `lecun_normal` weights and `AlphaDropout`.

    Args:
        x: Tensor.
    """
    return ops.selu(x)


def gelu(x, approximate=False):
    """The Gaussian error linear unit: `x` times the normal distribution function of `x`.

    Args:
        x: Tensor.
        approximate: Whether to use the approximation by `tanh`.
    """
    return ops.gelu(x, approximate=approximate)


def silu(x):
    """`x * sigmoid(x)`, also called swish.

    Args:
        x: Tensor.
    """
    return ops.silu(x)


def mish(x):
    """`x * tanh(softplus(x))`.

    Args:
        x: Tensor.
    """
    x = x if isinstance(x, KerasTensor) else convert_to_tensor(x)
    return x * ops.tanh(ops.softplus(x))


def softplus(x):
    """`log(1 + exp(x))`, a smooth `relu`.

    Args:
        x: Tensor.
    """
    return ops.softplus(x)


def softsign(x):
    """`x / (1 + |x|)`, from -1 to 1.

    Args:
        x: Tensor.
    """
    return ops.softsign(x)


def squareplus(x, b=4):
    """`(x + sqrt(x**2 + b)) / 2`, a smooth `relu` without exponentials.

    Args:
        x: Tensor.
        b: How smooth.
    """
    return ops.squareplus(x, b=b)


def soft_shrink(x, threshold=0.5):
    """`x` moved towards 0 by `threshold`, and 0 where it is within it.

    Args:
        x: Tensor.
        threshold: By how much.
    """
    return ops.soft_shrink(x, threshold=threshold)


def hard_shrink(x, threshold=0.5):
    """`x`, but 0 where it is within `threshold` of 0.

    Args:
        x: Tensor.
        threshold: Within which distance.
    """
    return ops.hard_shrink(x, threshold=threshold)


def tanh_shrink(x):
    """`x - tanh(x)`.

    Args:
        x: Tensor.
    """
    return ops.tanh_shrink(x)


def threshold(x, threshold, default_value):
    """`x` where it is above `threshold`, `default_value` elsewhere.

    Args:
        x: Tensor.
        threshold: The bound.
        default_value: What stands for the rest.
    """
    return ops.threshold(x, threshold, default_value)


def tanh(x):
    """The hyperbolic tangent, from -1 to 1.

    Args:
        x: Tensor.
    """
    return ops.tanh(x)


def hard_tanh(x):
    """`x` held between -1 and 1.

    Args:
        x: Tensor.
    """
    return ops.hard_tanh(x)


def hard_sigmoid(x):
    """`relu6(x + 3) / 6`, the sigmoid's piecewise linear likeness.

    Args:
        x: Tensor.
    """
    return ops.hard_sigmoid(x)


def hard_silu(x):
    """`x * hard_sigmoid(x)`, also called hard swish.

    Args:
        x: Tensor.
    """
    return ops.hard_silu(x)


def log_sigmoid(x):
    """The logarithm of `sigmoid`, without overflow.

    Args:
        x: Tensor.
    """
    return ops.log_sigmoid(x)


def sparse_plus(x):
    """0 up to -1, a parabola up to 1, then `x`: a smooth `relu` with exact zeros.

    Args:
        x: Tensor.
    """
    return ops.sparse_plus(x)


def sparse_sigmoid(x):
    """`(x + 1) / 2` held between 0 and 1.

    Args:
        x: Tensor.
    """
    return ops.sparse_sigmoid(x)


def glu(x, axis=-1):
    """The gated linear unit: one half of `x` times the sigmoid of the other.

    Args:
        x: Tensor, of even length along `axis`.
        axis: Axis to split.
    """
    return ops.glu(x, axis=axis)


def exponential(x):
    """`exp(x)`.

    Args:
        x: Tensor.
    """
    return ops.exp(x)


def linear(x):
    """`x` as it is.

    Args:
        x: Tensor.
    """
    return x
