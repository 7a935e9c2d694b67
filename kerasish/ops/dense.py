"""The product of a Dense layer, with its bias and its activation."""

from __future__ import annotations

from kerasish.core.op import Op, Spec
from kerasish.ops import reduce
from kerasish.ops.activations import CUT_GRADIENTS
from kerasish.ops.elementwise import spec_dtype
from kerasish.ops.linalg import Matmul
from kerasish.ops.shaping import reshape
from kerasish.ops.table import to_dtype


class DenseProduct(Op):
    """x (..., C) @ w (C, F) + bias, and an activation ("relu" or "relu6")."""

    def __init__(self, activation=None):
        self.activation = activation

    def infer(self, x, w, bias=None):
        return Spec((*x.shape[:-1], w.shape[-1]), x.dtype)

    def forward(self, ctx, x, w, bias=None):
        rows = x.reshape(-1, x.shape[-1])
        y = ctx.kernels.matmul(rows, w, False, False, bias, self.activation).reshape(*x.shape[:-1], w.shape[-1])
        ctx.save(x, w, y if self.activation else None)
        return y

    def backward(self, ctx, gy):
        x, w, y = ctx.saved
        need_x, need_w, *need_bias = ctx.needs
        if y is not None:
            gy = CUT_GRADIENTS[self.activation](gy, y)
        flat = len(x.shape) == 2
        rows, grows = (x, gy) if flat else (reshape(x, (-1, x.shape[-1])), reshape(gy, (-1, gy.shape[-1])))
        gx = Matmul(False, True)(grows, w) if need_x else None
        gx = gx if gx is None or flat else reshape(gx, x.shape)
        gw = Matmul(True, False)(rows, grows) if need_w else None
        return gx, gw, reduce.sum(grows, 0) if True in need_bias else None


def dense_bias_act(inputs, kernel, bias=None, activation: str | None = None):
    """inputs (..., C) @ kernel (C, F) + bias, and an activation ("relu" or "relu6"), in one kernel."""
    dtype = spec_dtype(kernel)
    x = inputs if spec_dtype(inputs) == dtype else to_dtype(inputs, dtype)
    return DenseProduct(activation)(x, kernel) if bias is None else DenseProduct(activation)(x, kernel, bias)
