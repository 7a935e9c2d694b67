"""A graph's steps made lean, for inference and for training.

A ReLU goes into the kernel that makes its input, and the layers of this library are entered directly, past the checks
that their shapes passed when the graph was built. Where no gradient is wanted and nothing trains, a batch normalization
is folded into the convolution before it, too. Results differ from the layers' own by rounding alone.
"""

from __future__ import annotations

import functools

import numpy as np

from kerasish import activations, ops
from kerasish.core.op import Op
from kerasish.core.tensor import Tensor
from kerasish.layers.calling import signature_of
from kerasish.layers.layer import Layer
from kerasish.ops.activations import relu_grad


class Folded:
    """A convolution, the normalization after it, and a ReLU or not, as one kernel.

    The weights are folded at the first call, and again after any of them has changed.
    """

    def __init__(self, convolution, normalization, relu: bool):
        self.convolution, self.normalization, self.relu = convolution, normalization, relu
        self._seen, self._weights = None, None

    def _folded(self):
        conv, norm = self.convolution, self.normalization
        variables = [v for v in (conv.kernel, conv.bias, *norm.weights) if v is not None]
        seen = [(id(v.array), v.version) for v in variables]
        if seen != self._seen:
            self._seen, self._weights = seen, self._fold(conv, norm)
        return self._weights

    @staticmethod
    def _fold(conv, norm):
        """kernel * s and (bias - mean) * s + beta, where s = gamma / sqrt(variance + epsilon)."""
        scale = 1.0 / np.sqrt(norm.moving_variance.array.astype("float64") + norm.epsilon)
        scale = scale if norm.gamma is None else scale * norm.gamma.array
        bias = -norm.moving_mean.array if conv.bias is None else conv.bias.array - norm.moving_mean.array
        bias = bias * scale if norm.beta is None else bias * scale + norm.beta.array
        kernel = conv.kernel.array
        by_output = scale.reshape(kernel.shape[-2:]) if _is_depthwise(conv) else scale
        return Tensor((kernel * by_output).astype(kernel.dtype)), Tensor(bias.astype(kernel.dtype))

    def __call__(self, x):
        conv = self.convolution
        kernel, bias = self._folded()
        run = ops.nn.depthwise_bias_act if _is_depthwise(conv) else ops.nn.conv_bias_act
        window = (conv.strides, conv.padding, conv.data_format, conv.dilation_rate)
        return run(x, kernel, bias, *window, activation="relu" if self.relu else None)


class WithRelu:
    """A convolution or dense layer with the ReLU layer after it, as one kernel."""

    def __init__(self, layer):
        self.layer = layer

    def __call__(self, x):
        layer = self.layer
        if hasattr(layer, "units"):
            return ops.nn.dense_bias_act(x, layer.kernel, layer.bias, "relu")
        run = ops.nn.depthwise_bias_act if _is_depthwise(layer) else ops.nn.conv_bias_act
        window = (layer.strides, layer.padding, layer.data_format, layer.dilation_rate)
        return run(x, layer.kernel, layer.bias, *window, activation="relu")


class NormRelu:
    """A batch normalization that trains, with the ReLU layer after it, as one kernel."""

    def __init__(self, layer):
        self.layer = layer

    def __call__(self, x):
        return self.layer.train(x, "relu") if self.layer.trainable else ops.relu(self.layer.call(x))


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


def lean(steps, outputs: set[int], slots: dict[int, int], training: bool):
    """A plan's steps, fewer and more direct; None where masks may travel, which only the layers' own calls pass on.

    Args:
        steps: the plan of a `Function`, in order.
        outputs: the slots that are results of the graph.
        slots: slot by the id of a KerasTensor.
        training: whether for training or for inference.
    """
    if any(_may_mask(step.operation) for step in steps):
        return None
    users = _users(steps, slots)
    merged: dict[int, tuple] = {}
    gone: set[int] = set()
    for i in range(len(steps)):
        if i in gone:
            continue
        chain, operation = _chain(i, steps, users, outputs, training)
        if operation is not None:
            merged[i] = (operation, steps[chain[-1]].outputs)
            gone.update(chain[1:])
    plan = []
    for i, step in enumerate(steps):
        if i in gone:
            continue
        operation, made = merged.get(i, (_direct(step, training), step.outputs))
        plan.append(step._replace(operation=operation, outputs=made))
    return plan


def _may_mask(operation) -> bool:
    """Whether a layer, or one inside it, may give its output a mask."""
    if not isinstance(operation, Layer):
        return False
    return any(
        _kind(layer) == "Masking"
        or getattr(layer, "mask_zero", False)
        or (not type(layer).__module__.startswith("kerasish.") and type(layer).compute_mask is not Layer.compute_mask)
        for layer in operation._flatten_layers()
    )


def _users(steps, slots) -> dict[int, list[int]]:
    """For each slot, the steps that read it (once for each reading)."""
    users: dict[int, list[int]] = {}
    for i, step in enumerate(steps):
        for x in step.node.input_tensors:
            users.setdefault(slots[id(x)], []).append(i)
    return users


def _chain(first, steps, users, outputs, training):
    """A step and up to two after it, each the only reader of the one before, and what can stand for them (or None)."""
    chain = [first]
    if steps[first].single is None and not _is_sum_of_two(steps[first]):
        return chain, None
    while len(chain) < 3:
        made = steps[chain[-1]].outputs
        readers = users.get(made[0], [])
        if len(made) != 1 or made[0] in outputs or len(readers) != 1 or steps[readers[0]].single is None:
            break
        chain.append(readers[0])
    for length in (3, 2):
        operation = _fuse([steps[i] for i in chain[:length]], training) if len(chain) >= length else None
        if operation is not None:
            return chain[:length], operation
    return chain[:1], None


def _fuse(steps, training):
    """One callable for a chain of layers, or None."""
    first, second, *rest = layers = [step.operation for step in steps]
    if not all(isinstance(o, Layer) and o.activity_regularizer is None for o in layers):
        return None
    if not training and _is_convolution(first) and _folds_into(second, first):
        return Folded(first, second, bool(rest)) if not rest or _is_relu(rest[0]) else None
    if rest or not _is_relu(second):
        return None
    if _is_convolution(first) or _is_dense(first):
        return WithRelu(first)
    if training and _kind(first) == "BatchNormalization" and not first.renorm:
        return NormRelu(first)
    return add_relu if _is_sum_of_two(steps[0]) else None


def _kind(layer) -> str:
    """The class's name, if the class is this library's own."""
    cls = type(layer)
    return cls.__name__ if cls.__module__.startswith("kerasish.layers.") else ""


def _is_depthwise(layer) -> bool:
    return _kind(layer).startswith("Depthwise")


def _is_convolution(layer) -> bool:
    plain = _kind(layer) in ("Conv1D", "Conv2D", "DepthwiseConv1D", "DepthwiseConv2D")
    return plain and layer.activation is activations.linear and layer.data_format == "channels_last"


def _is_dense(layer) -> bool:
    return _kind(layer) == "Dense" and layer.activation is activations.linear


def _folds_into(norm, conv) -> bool:
    return _kind(norm) == "BatchNormalization" and norm.axis in (-1, conv.rank + 1) and norm.dtype == conv.dtype


def _is_relu(layer) -> bool:
    if _kind(layer) == "ReLU":
        return layer.max_value is None and layer.negative_slope == 0 and layer.threshold == 0
    return _kind(layer) == "Activation" and layer.activation is activations.relu


def _is_sum_of_two(step) -> bool:
    return _kind(step.operation) == "Add" and len(step.node.input_tensors) == 2


def _direct(step, training):
    """The way into a step: straight to `call`, for a layer of this library whose inputs need no conversion."""
    layer = step.operation
    plain = _kind(layer) and layer.activity_regularizer is None and type(layer).compute_mask is Layer.compute_mask
    if not plain or step.single is None or step.node.input_tensors[0].dtype != layer.compute_dtype:
        return layer
    if training and signature_of(type(layer).call).has_training:
        return functools.partial(layer.call, training=True)
    return layer.call
