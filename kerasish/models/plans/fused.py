"""Steps that stand for several layers: each is called as a layer is, and runs one kernel."""

from __future__ import annotations

import functools

import numpy as np

from kerasish import ops
from kerasish.core.op import Op
from kerasish.core.tensor import Tensor
from kerasish.kernels import twin_of
from kerasish.models.stamp import Values, declared
from kerasish.ops.activations import relu_grad


class Normalized:
    """A normalization by given statistics, as a factor and a shift for each channel.

    They are worked out at the first call, and again after any of the variables has changed.
    """

    def __init__(self, layer, *others):
        self.layer, self.variables = layer, [v for v in (*others, *layer.weights) if v is not None]
        self._kept = None

    def weights(self, find):
        """What `find()` makes of the variables, kept while they stay as they are."""
        kept = self._kept
        if kept is not None and kept[0].holds():
            return kept[1]
        values, found = Values(self.variables), find()
        if values.quiet and values.holds():
            self._kept = values, found
        return found

    def constants(self):
        """The arrays that `weights` gave last."""
        return [getattr(x, "value", x) for x in self._kept[1]] if self._kept else []

    def factors(self):
        """scale and shift, float64: y = x * scale + shift."""
        norm = self.layer
        scale = 1.0 / np.sqrt(norm.moving_variance.array.astype("float64") + norm.epsilon)
        scale = scale if norm.gamma is None else scale * norm.gamma.array
        shift = -norm.moving_mean.array * scale
        return scale, shift if norm.beta is None else shift + norm.beta.array


class Product:
    """A convolution or dense layer with what lies around it: zeros, a normalization, an activation (each or none).

    `rest` comes after it: the layer's own activation, where that is not one that kernels know, or what else may.
    """

    def __init__(self, layer, zeros=None, normalization=None, activation=None, rest=None):
        self.layer, self.activation, self.rest = layer, activation, rest
        self.normalized = normalization and Normalized(normalization, layer.kernel, layer.bias)
        self._run = self._product(zeros)

    def _product(self, zeros):
        layer = self.layer
        if role(layer) == "dense":
            return functools.partial(ops.nn.dense_bias_act, activation=self.activation)
        run = ops.nn.depthwise_bias_act if role(layer) == "depthwise" else ops.nn.conv_bias_act
        return functools.partial(
            run,
            strides=layer.strides,
            padding=zeros or layer.padding,
            data_format=layer.data_format,
            dilation_rate=layer.dilation_rate,
            activation=self.activation,
        )

    def _folded(self):
        """kernel * scale and bias * scale + shift."""
        kernel, bias = self.layer.kernel.array, self.layer.bias
        scale, shift = self.normalized.factors()
        shift = shift if bias is None else bias.array * scale + shift
        by_output = scale.reshape(kernel.shape[-2:]) if role(self.layer) == "depthwise" else scale
        return Tensor((kernel * by_output).astype(kernel.dtype)), Tensor(shift.astype(kernel.dtype))

    def constants(self):
        """The arrays made of weights, as they were at the last call."""
        return self.normalized.constants() if self.normalized else []

    def __call__(self, x):
        weights = self.normalized.weights(self._folded) if self.normalized else (self.layer.kernel, self.layer.bias)
        y = self._run(x, *weights)
        return y if self.rest is None else self.rest(y)


class PooledFirst:
    """Max pooling, then an activation that only cuts off: the same numbers as the other way round, and fewer to cut.

    Gradients are the same, too: pooling may choose another one of several results that were cut off, none of which
    gets any.
    """

    def __init__(self, pooling, activation):
        self.pooling, self.activation = pooling, activation

    def __call__(self, x):
        pooling = self.pooling
        if self.activation == "relu":  # a floor of the maxima
            window = pooling.pool_size, pooling.strides, pooling.padding, pooling.data_format
            return ops.nn.max_pool_relu(x, *window)
        return getattr(ops, self.activation)(pooling.call(x))


class Affine:
    """A normalization by given statistics, and an activation or none, in one pass."""

    def __init__(self, layer, activation=None):
        self.normalized, self.activation = Normalized(layer), activation

    def _rows(self):
        dtype = self.normalized.layer.moving_mean.array.dtype
        return [row.astype(dtype) for row in self.normalized.factors()]

    def constants(self):
        """The arrays made of weights, as they were at the last call."""
        return self.normalized.constants()

    def __call__(self, x):
        rows = self.normalized.weights(self._rows)
        return Tensor(twin_of(x.value).scale_shift(x.value, *rows, self.activation))


class NormAct:
    """A batch normalization that trains, with the activation after it, as one kernel."""

    def __init__(self, layer, activation):
        self.layer, self.activation = layer, activation

    def __call__(self, x):
        if self.layer.trainable:
            return self.layer.train(x, self.activation)
        return getattr(ops, self.activation)(self.layer.call(x))


class AddRelu(Op):
    """max(a + b, 0) in one pass."""

    def forward(self, ctx, a, b):
        y = ctx.kernels.add_relu(a, b)
        ctx.save(y)
        return y

    def backward(self, ctx, gy):
        g = relu_grad(gy, ctx.saved[0])
        return g, g


def add_relu(tensors):
    """The ReLU of the sum of two tensors."""
    a, b = tensors
    return AddRelu()(a, b) if a.shape == b.shape else ops.relu(a + b)


def role(layer) -> str | None:
    """As what a layer may be joined with its neighbours."""
    return declared(layer, "_role")
