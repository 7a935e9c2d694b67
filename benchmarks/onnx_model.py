"""A graph as an ONNX file. Images come in as (N, H, W, C); inside, channels come first, as ONNX has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.graph import Graph, Step

OPSET = 17


class Writer:
    """Collects the nodes and the weights of an ONNX graph."""

    def __init__(self):
        self.nodes, self.weights = [], []

    def weight(self, name: str, array) -> str:
        """The name of a constant."""
        self.weights.append(numpy_helper.from_array(array.copy(), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes) -> str:
        """The name of a node's output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output


def save_onnx(graph: Graph, path: Path) -> None:
    """Write the model to a file.

    Args:
        graph: the model.
        path: the file.
    """
    writer = Writer()
    names = {graph.input: writer.node("Transpose", ["images"], "channels_first", perm=[0, 3, 1, 2])}
    for step in graph.steps:
        names[step.output] = KINDS[step.kind](writer, step, [names[name] for name in step.inputs])
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", *graph.shape])
    output = helper.make_tensor_value_info(names[graph.output], TensorProto.FLOAT, ["batch", *graph.output_shape])
    made = helper.make_graph(writer.nodes, "model", [images], [output], writer.weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _conv(writer, step: Step, inputs):
    kernel, *bias = step.weights
    if step.kind == "DepthwiseConv2D":
        height, width, groups, multiplier = kernel.shape
        kernel = kernel.transpose(2, 3, 0, 1).reshape(groups * multiplier, 1, height, width)
    else:
        groups = step.config["groups"]
        kernel = kernel.transpose(3, 2, 0, 1)
    names = [writer.weight(f"{step.output}.{i}", w) for i, w in enumerate((kernel, *bias))]
    window = {"kernel_shape": kernel.shape[2:], "dilations": step.config["dilation_rate"], "group": groups}
    return writer.node("Conv", inputs + names, step.output, **window, **_sliding(step))


def _sliding(step: Step) -> dict:
    """Steps and padding of a window."""
    pads = step.config["pads"]
    if pads == "same":
        return {"strides": step.config["strides"], "auto_pad": "SAME_UPPER"}
    (top, bottom), (left, right) = pads
    return {"strides": step.config["strides"], "pads": [top, left, bottom, right]}


def _pool(kind: str):
    def write(writer, step: Step, inputs):
        return writer.node(kind, inputs, step.output, kernel_shape=step.config["pool_size"], **_sliding(step))

    return write


def _dense(writer, step: Step, inputs):
    names = [writer.weight(f"{step.output}.{i}", w) for i, w in enumerate(step.weights)]
    return writer.node("Gemm", inputs + names, step.output)


def _batch_norm(writer, step: Step, inputs):
    weights = list(step.weights)
    ones = weights[-1] * 0 + 1
    gamma = weights.pop(0) if step.config["scale"] else ones
    beta = weights.pop(0) if step.config["center"] else 0 * ones
    names = [writer.weight(f"{step.output}.{i}", w) for i, w in enumerate((gamma, beta, *weights))]
    return writer.node("BatchNormalization", inputs + names, step.output, epsilon=step.config["epsilon"])


def _pad(writer, step: Step, inputs):
    (top, bottom), (left, right) = step.config["padding"]
    pads = np.array([0, 0, top, left, 0, 0, bottom, right], "int64")
    return writer.node("Pad", [*inputs, writer.weight(f"{step.output}.pads", pads)], step.output)


def _activation(writer, step: Step, inputs):
    kind = step.config["activation"]
    if kind == "relu6":
        limits = [writer.weight(f"{step.output}.{v}", np.array(v, "float32")) for v in (0, 6)]
        return writer.node("Clip", inputs + limits, step.output)
    return writer.node({"relu": "Relu", "softmax": "Softmax"}[kind], inputs, step.output)


def _global_average(writer, step: Step, inputs):
    pooled = writer.node("GlobalAveragePool", inputs, f"{step.output}.map")
    return writer.node("Flatten", [pooled], step.output)


def _flatten(writer, step: Step, inputs):
    last = writer.node("Transpose", inputs, f"{step.output}.last", perm=[0, 2, 3, 1])
    return writer.node("Flatten", [last], step.output)


KINDS = {
    "Conv2D": _conv,
    "DepthwiseConv2D": _conv,
    "Dense": _dense,
    "BatchNormalization": _batch_norm,
    "MaxPooling2D": _pool("MaxPool"),
    "AveragePooling2D": _pool("AveragePool"),
    "GlobalAveragePooling2D": _global_average,
    "ZeroPadding2D": _pad,
    "Activation": _activation,
    "Add": lambda writer, step, inputs: writer.node("Sum", inputs, step.output),
    "Concatenate": lambda writer, step, inputs: writer.node("Concat", inputs, step.output, axis=1),
    "Flatten": _flatten,
    "Dropout": lambda writer, step, inputs: inputs[0],
}
