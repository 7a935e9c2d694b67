"""Ops with a fused kernel backward, that can also be differentiated twice."""

from __future__ import annotations

from kerasish.core import autodiff
from kerasish.core.autodiff import GradientTape
from kerasish.core.op import Op
from kerasish.ops.table import cast


class FusedOp(Op):
    """An op whose backward pass is a kernel of its own, outside the reach of tapes.

    When a tape records the backward pass (for a gradient of a gradient), the op is instead spelled out by `compose`,
    in ops that tapes can follow, and differentiated from there.

    Attributes:
        arity: how many differentiable inputs there are; `forward` saves them first.
    """

    arity = 1
    keeps_constants = True  # statistics that only the kernels read

    def compose(self, *inputs):
        """The same results, made of differentiable ops."""
        raise NotImplementedError(f"{type(self).__name__} cannot be differentiated twice")

    def fused_backward(self, ctx, *gys):
        """Gradients by kernels."""
        raise NotImplementedError

    def backward(self, ctx, *gys):
        inputs = self.inputs_of(ctx)
        if not autodiff.recording():
            found = self.fused_backward(ctx, *gys)
            return [g if g is None or g.dtype == x.dtype else cast(g, x.dtype) for x, g in zip(inputs, found)]
        with GradientTape() as tape:
            tape.watch([x for x in inputs if x is not None])
            results = self.compose(*inputs)
        results = results if isinstance(results, tuple) else (results,)
        pairs = [(y, g) for y, g in zip(results, gys) if g is not None]
        found = iter(tape.gradient([y for y, _ in pairs], [x for x in inputs if x is not None], [g for _, g in pairs]))
        return [next(found) if x is not None else None for x in inputs]

    def inputs_of(self, ctx):
        """The differentiable inputs, as `forward` saved them first."""
        return ctx.saved[: self.arity]
