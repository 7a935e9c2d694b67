"""Inference: a graph's steps made lean.

Where no gradient is wanted and nothing trains, a batch normalization is folded into the convolution before it, a ReLU
into the kernel that makes its input, and the layers of this library are entered directly, past the checks that their
shapes passed when the graph was built. Results differ from the layers' own by rounding alone.
"""

from __future__ import annotations

import numpy as np

from kerasish import activations, ops
from kerasish.core.op import Op
from kerasish.core.tensor import Tensor
from kerasish.layers.layer import Layer


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


class AddRelu(Op):
    """max(a + b, 0) in one pass."""

    def forward(self, ctx, a, b):
        return ctx.kernels.add_relu(a, b)


def add_relu(tensors):
    """The ReLU of the sum of two tensors."""
    a, b = tensors
    return AddRelu()(a, b) if a.shape == b.shape else ops.relu(a + b)


def lean(steps, outputs: set[int], slots: dict[int, int]):
    """A plan's steps for inference.

    Args:
        steps: the plan of a `Function`, in order.
        outputs: the slots that are results of the graph.
        slots: slot by the id of a KerasTensor.
    """
    users = _users(steps, slots)
    merged: dict[int, tuple] = {}
    gone: set[int] = set()
    for i in range(len(steps)):
        if i in gone:
            continue
        chain = _chain(i, steps, users, outputs)
        operation = _fuse([steps[j].operation for j in chain])
        if operation is not None:
            merged[i] = (operation, steps[chain[-1]].outputs)
            gone.update(chain[1:])
    plan = []
    for i, step in enumerate(steps):
        if i in gone:
            continue
        operation, made = merged.get(i, (_direct(step), step.outputs))
        plan.append(step._replace(operation=operation, outputs=made))
    return plan


def _users(steps, slots) -> dict[int, list[int]]:
    """For each slot, the steps that read it (once for each reading)."""
    users: dict[int, list[int]] = {}
    for i, step in enumerate(steps):
        for x in step.node.input_tensors:
            users.setdefault(slots[id(x)], []).append(i)
    return users


def _chain(first, steps, users, outputs) -> list[int]:
    """A step and up to two after it, each the only reader of the one before."""
    chain = [first]
    if steps[first].single is None and not _is_sum_of_two(steps[first].operation):
        return chain
    while len(chain) < 3:
        made = steps[chain[-1]].outputs
        readers = users.get(made[0], [])
        if len(made) != 1 or made[0] in outputs or len(readers) != 1 or steps[readers[0]].single is None:
            break
        chain.append(readers[0])
    for length in (3, 2):
        if len(chain) >= length and _fuse([steps[i].operation for i in chain[:length]]) is not None:
            return chain[:length]
    return chain[:1]


def _fuse(operations):
    """One callable for a chain of layers, or None."""
    if len(operations) < 2 or not all(isinstance(o, Layer) and o.activity_regularizer is None for o in operations):
        return None
    first, second, *rest = operations
    if rest:
        folds = _is_convolution(first) and _folds_into(second, first) and _is_relu(rest[0])
        return Folded(first, second, True) if folds else None
    if _is_convolution(first) and _folds_into(second, first):
        return Folded(first, second, False)
    if (_is_convolution(first) or _is_dense(first)) and _is_relu(second):
        return WithRelu(first)
    return add_relu if _is_sum_of_two(first) and _is_relu(second) else None


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


def _is_sum_of_two(layer) -> bool:
    return _kind(layer) == "Add" and len(layer._inbound_nodes[0].input_tensors) == 2


def _direct(step):
    """The way into a step: straight to `call`, for a layer of this library whose inputs need no conversion."""
    layer = step.operation
    plain = _kind(layer) and layer.activity_regularizer is None and type(layer).compute_mask is Layer.compute_mask
    if plain and step.single is not None and step.node.input_tensors[0].dtype == layer.compute_dtype:
        return layer.call
    return layer
