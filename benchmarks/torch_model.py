"""A graph on PyTorch, channels last, as somebody who knows PyTorch would write it."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from benchmarks.graph import Graph, Step


class Network:
    """A graph's functions on PyTorch's tensors. The images come as they are stored, (N, H, W, C).

    Args:
        graph: the model.
        device: where it computes.
    """

    def __init__(self, graph: Graph, device: str = "cpu"):
        self.graph, self.device = graph, device
        self.trained: list[torch.Tensor] = []
        self.steps = [(KINDS[step.kind](self, step), step.inputs, step.output) for step in graph.steps]
        last = graph.steps[-1]
        self.ends_in_softmax = last.kind == "Activation" and last.config["activation"] == "softmax"

    def logits(self, images: torch.Tensor, training: bool) -> torch.Tensor:
        """The output before a closing softmax."""
        steps = self.steps[:-1] if self.ends_in_softmax else self.steps
        values = {self.graph.input: images.permute(0, 3, 1, 2)}  # channels last in memory: nothing is moved
        for function, inputs, output in steps:
            values[output] = function(*(values[name] for name in inputs), training=training)
        return values[steps[-1][2]]

    def probabilities(self, images: torch.Tensor) -> torch.Tensor:
        """The output."""
        with torch.inference_mode():
            logits = self.logits(images, training=False)
            return F.softmax(logits, 1) if self.ends_in_softmax else logits

    def parameter(self, array) -> torch.Tensor:
        """A trained tensor."""
        tensor = self.constant(array)
        tensor = tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
        self.trained.append(tensor.requires_grad_())
        return tensor

    def constant(self, array) -> torch.Tensor:
        """A tensor of its own."""
        return torch.from_numpy(array.copy()).to(self.device)


def _conv(network, step: Step):
    kernel, *bias = step.weights
    kernel = network.parameter(kernel.transpose(3, 2, 0, 1))
    return _convolution(step, kernel, [network.parameter(b) for b in bias], step.config["groups"])


def _depthwise(network, step: Step):
    kernel, *bias = step.weights
    height, width, channels, multiplier = kernel.shape
    kernel = network.parameter(kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width))
    return _convolution(step, kernel, [network.parameter(b) for b in bias], channels)


def _convolution(step, kernel, bias, groups):
    bias = bias[0] if bias else None
    strides, dilation = tuple(step.config["strides"]), tuple(step.config["dilation_rate"])
    window = [(size - 1) * d + 1 for size, d in zip(kernel.shape[2:], dilation)]

    def run(x, training):
        x, padding = _padded(x, step.config["pads"], window, strides, 0.0)
        return F.conv2d(x, kernel, bias, strides, padding, dilation, groups)

    return run


def _padded(x, pads, window, strides, value):
    """x and the padding that its window takes: both sides alike where possible, else x is padded beforehand."""
    if pads == "same":
        lacking = [max(0, (-(-n // s) - 1) * s + k - n) for n, k, s in zip(x.shape[2:], window, strides)]
        pads = tuple((total // 2, total - total // 2) for total in lacking)
    (top, bottom), (left, right) = pads
    if top == bottom and left == right:
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom), value=value), (0, 0)


def _dense(network, step: Step):
    kernel, *bias = (network.parameter(w.T.copy() if w.ndim == 2 else w) for w in step.weights)
    return lambda x, training: F.linear(x, kernel, *bias)


def _batch_norm(network, step: Step):
    weights = list(step.weights)
    gamma = network.parameter(weights.pop(0)) if step.config["scale"] else None
    beta = network.parameter(weights.pop(0)) if step.config["center"] else None
    mean, variance = (network.constant(w) for w in weights)
    momentum, epsilon = 1 - step.config["momentum"], step.config["epsilon"]
    return lambda x, training: F.batch_norm(x, mean, variance, gamma, beta, training, momentum, epsilon)


def _max_pool(network, step: Step):
    size, strides = tuple(step.config["pool_size"]), tuple(step.config["strides"])

    def run(x, training):
        x, padding = _padded(x, step.config["pads"], size, strides, -torch.inf)
        return F.max_pool2d(x, size, strides, padding)

    return run


def _average_pool(network, step: Step):
    size, strides = tuple(step.config["pool_size"]), tuple(step.config["strides"])
    if step.config["pads"] == "same":
        raise ValueError(f"layer '{step.output}': average pooling with padding='same' is not in the PyTorch walk")
    return lambda x, training: F.avg_pool2d(x, size, strides)


def _pad(network, step: Step):
    (top, bottom), (left, right) = step.config["padding"]
    return lambda x, training: F.pad(x, (left, right, top, bottom))


def _activation(network, step: Step):
    function = {"relu": F.relu, "relu6": F.relu6, "softmax": lambda x: F.softmax(x, 1)}[step.config["activation"]]
    return lambda x, training: function(x)


KINDS = {
    "Conv2D": _conv,
    "DepthwiseConv2D": _depthwise,
    "Dense": _dense,
    "BatchNormalization": _batch_norm,
    "MaxPooling2D": _max_pool,
    "AveragePooling2D": _average_pool,
    "GlobalAveragePooling2D": lambda network, step: lambda x, training: x.mean((2, 3)),
    "ZeroPadding2D": _pad,
    "Activation": _activation,
    "Add": lambda network, step: lambda *xs, training: sum(xs[1:], xs[0]),
    "Concatenate": lambda network, step: lambda *xs, training: torch.cat(xs, 1),
    "Flatten": lambda network, step: lambda x, training: x.permute(0, 2, 3, 1).flatten(1),
    "Dropout": lambda network, step: lambda x, training: F.dropout(x, step.config["rate"], training),
}
