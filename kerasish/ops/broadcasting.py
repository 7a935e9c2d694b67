"""Broadcasting and its transpose, summing."""

from __future__ import annotations

from kerasish.core import shapes
from kerasish.core.op import Op, Spec


class BroadcastTo(Op):
    """x repeated to a shape."""

    def __init__(self, shape):
        self.shape = tuple(shape)

    def infer(self, x):
        wide = shapes.broadcast(x.shape, self.shape)
        if len(wide) > len(self.shape) or any(None not in (d, n) and d != n for d, n in zip(wide, self.shape)):
            raise ValueError(f"a tensor of shape {tuple(x.shape)} cannot be broadcast to {self.shape}")
        return Spec(self.shape, x.dtype)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return ctx.kernels.broadcast_to(x, self.shape)

    def backward(self, ctx, gy):
        return sum_to(gy, ctx.saved[0])


def broadcast_to(x, shape):
    """x repeated along new and length-1 axes to `shape`."""
    return BroadcastTo(shape)(x)


class SumTo(Op):
    """x summed down to a shape that broadcasts to x's."""

    def __init__(self, shape):
        self.shape = tuple(shape)

    def infer(self, x):
        return Spec(self.shape, x.dtype)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        lead = x.ndim - len(self.shape)
        gone = tuple(range(lead)) + tuple(
            lead + i for i, d in enumerate(self.shape) if d == 1 and x.shape[lead + i] != 1
        )
        return ctx.kernels.sum(x, gone).reshape(self.shape) if gone else x.reshape(self.shape)

    def backward(self, ctx, gy):
        return broadcast_to(gy, ctx.saved[0])


def sum_to(x, shape):
    """x summed over the axes along which `shape` was broadcast."""
    return x if tuple(x.shape) == tuple(shape) else SumTo(shape)(x)
