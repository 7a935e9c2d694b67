"""Dropout: the op, its gradient, and `keras.random.dropout`."""

from __future__ import annotations

from kerasish import ops
from kerasish.core import dtypes, scopes
from kerasish.core.op import Op, Spec
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import convert_to_tensor
from kerasish.random.seed import draw_pair


class MaskedScale(Op):
    """x * scale where mask, else 0. x (...), mask (...) or broadcast to it."""

    def __init__(self, scale):
        self.scale = scale

    def infer(self, x, mask):
        return Spec(x.shape, x.dtype)

    def forward(self, ctx, x, mask):
        ctx.save(mask)
        return ctx.kernels.masked_scale(x, mask, self.scale)

    def backward(self, ctx, gy):
        return MaskedScale(self.scale)(gy, ctx.saved[0]), None


class Dropout(Op):
    """x / (1 - rate) where a mask, drawn at each call, keeps it, else 0. The mask is kept, at one byte an element."""

    def __init__(self, rate, noise_shape=None, seed=None):
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed

    def infer(self, x):
        return Spec(x.shape, x.dtype)

    def forward(self, ctx, x):
        shape = _mask_shape(self.noise_shape, x.shape)
        y, mask = ctx.kernels.dropout(x, shape, draw_pair(self.seed), self.rate)
        ctx.save(mask)
        return y

    def backward(self, ctx, gy):
        return (MaskedScale(1 / (1 - self.rate))(gy, ctx.saved[0]),)


def _mask_shape(noise_shape, shape) -> tuple[int, ...]:
    """The shape of the mask: `None` in `noise_shape` stands for the input's dimension."""
    if noise_shape is None:
        return shape
    mask = tuple(shape[i] if d is None and i < len(shape) else d for i, d in enumerate(noise_shape))
    fits = len(mask) <= len(shape) and all(m in (1, d) for m, d in zip(reversed(mask), reversed(shape)))
    if not fits:
        raise ValueError(
            f"Argument `noise_shape` must be broadcastable to the shape of the inputs: each entry 1, `None` or the "
            f"input's dimension. Received: noise_shape={tuple(noise_shape)} and inputs of shape {tuple(shape)}"
        )
    return mask


def dropout(inputs, rate: float, noise_shape=None, seed=None):
    """Set a random part of the inputs to 0 and scale the rest up, so that the expected sum stays.

    Args:
        inputs: Tensor of floats.
        rate: Fraction to drop, from 0 to 1.
        noise_shape: Shape of the mask, broadcast to the inputs: an axis of length 1 is kept or dropped as a whole,
            `None` stands for the input's own length.
        seed: Integer, `keras.random.SeedGenerator`, or `None` for the global generator.

    Returns:
        A tensor of the inputs' shape and dtype.

    Raises:
        ValueError: If `rate`, `noise_shape` or the inputs' dtype is not as said.

    Example:

    ```python
    y = keras.random.dropout(x, 0.5, seed=keras.random.SeedGenerator(1))
    ```
    """
    rate = check_rate(rate)
    if isinstance(inputs, KerasTensor) and not scopes.shapes_only():
        raise ValueError(
            "keras.random.dropout draws now, and a KerasTensor has no value yet; in a functional model use "
            f"keras.layers.Dropout({rate}). Received: inputs={inputs}"
        )
    inputs = inputs if isinstance(inputs, KerasTensor) else convert_to_tensor(inputs)
    if rate == 0:
        return inputs
    if not dtypes.is_float(inputs.dtype):
        raise ValueError(f"keras.random.dropout scales its inputs, so they must be floats. Received: {inputs.dtype}")
    return ops.zeros_like(inputs) if rate == 1 else Dropout(rate, noise_shape, seed)(inputs)


def check_rate(rate) -> float:
    """`rate` as a float from 0 to 1."""
    try:
        value = float(rate)
    except (TypeError, ValueError):
        value = -1.0
    if isinstance(rate, str) or not 0 <= value <= 1:
        raise ValueError(f"`rate` must be a number from 0 to 1. Received: rate={rate}")
    return value
