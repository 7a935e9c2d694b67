"""A model as data: what the contestants that are no Keras compute from, without importing kerasish.

`graph_of(model)` reads nothing but the model's config and weights. It also does what somebody who wrote the model
for another library would do by hand: an activation is a step of its own, and zero padding is part of the
convolution or of the pooling that follows.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SLIDING = ("Conv2D", "DepthwiseConv2D", "MaxPooling2D", "AveragePooling2D")
PLAIN = (
    "Dense",
    "BatchNormalization",
    "GlobalAveragePooling2D",
    "ZeroPadding2D",
    "Add",
    "Concatenate",
    "Flatten",
    "Dropout",
)


@dataclass
class Step:
    """One operation.

    Attributes:
        kind: the layer's class, or "Activation".
        inputs, output: names of tensors.
        config: the layer's config; `pads` of a sliding window is "same" or ((top, bottom), (left, right)).
        weights: in the layer's order and layout.
    """

    kind: str
    inputs: list[str]
    output: str
    config: dict[str, Any] = field(default_factory=dict)
    weights: list = field(default_factory=list)


@dataclass
class Graph:
    """A model with one input and one output.

    Attributes:
        input, output: names of tensors.
        shape, output_shape: of one image and of what is made of it.
        steps: in an order in which they can run.
        weights: all of the model's, in its order.
    """

    input: str
    output: str
    shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    steps: list[Step]
    weights: list

    def save(self, path: Path) -> None:
        """Write it to a file."""
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(path: Path) -> Graph:
        """Read what `save` wrote."""
        return pickle.loads(path.read_bytes())


def graph_of(model) -> Graph:
    """The graph of a Sequential or Functional model, of Keras or kerasish."""
    names: dict[str, str] = {}  # a layer's name -> the tensor that it makes
    steps, previous, first = [], None, None
    for entry in model.get_config()["layers"]:
        name = entry["config"]["name"]
        if entry["class_name"] == "InputLayer":
            first = names[name] = name
        else:
            sources = list(_sources(entry["inbound_nodes"])) if "inbound_nodes" in entry else [previous]
            made = list(_steps(entry, [names[source] for source in sources], model))
            steps += made
            names[name] = made[-1].output if made else names[sources[0]]
        previous = name
    weights = [weight.numpy() for weight in model.weights]
    shapes = tuple(model.input_shape[1:]), tuple(model.output_shape[1:])
    return Graph(first, steps[-1].output, *shapes, _fold_padding(steps), weights)


def _sources(node) -> Iterator[str]:
    """The names of the layers whose outputs a call took, somewhere in its description."""
    if isinstance(node, dict) and "keras_history" in node:
        yield node["keras_history"][0]
    elif isinstance(node, (dict, list, tuple)):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _sources(part)


def _steps(entry: dict, inputs: list[str], model) -> Iterator[Step]:
    """A layer's steps: itself, and its activation."""
    kind, config = entry["class_name"], dict(entry["config"])
    name = config["name"]
    if kind == "Activation":
        yield Step("Activation", inputs, name, {"activation": config["activation"]})
        return
    if kind == "ReLU":
        yield Step("Activation", inputs, name, {"activation": _relu(config)})
        return
    if kind not in SLIDING + PLAIN:
        raise ValueError(f"layer '{name}' is a {kind}; the benchmarks' graph knows {', '.join(SLIDING + PLAIN)}")
    if kind in SLIDING:
        config["pads"] = "same" if config["padding"] == "same" else ((0, 0), (0, 0))
    activation = config.get("activation", "linear")
    yield Step(kind, inputs, name, config, model.get_layer(name).get_weights())
    if activation != "linear":
        yield Step("Activation", [name], f"{name}/{activation}", {"activation": activation})


def _relu(config: dict) -> str:
    limit = config["max_value"]
    if config["negative_slope"] or config["threshold"] or limit not in (None, 6):
        raise ValueError(f"layer '{config['name']}': the benchmarks' graph knows ReLU with max_value None or 6")
    return "relu" if limit is None else "relu6"


def _fold_padding(steps: list[Step]) -> list[Step]:
    """Zero padding as part of the window that alone uses it; of pooling only where all values are positive or zero."""
    kept = []
    maker = {step.output: step for step in steps}
    for step in steps:
        users = [other for other in steps if step.output in other.inputs]
        if step.kind != "ZeroPadding2D" or len(users) != 1 or not _can_pad(users[0], maker.get(step.inputs[0])):
            kept.append(step)
            continue
        users[0].config["pads"] = tuple(tuple(pair) for pair in step.config["padding"])
        users[0].inputs = step.inputs
    return kept


def _can_pad(user: Step, source: Step | None) -> bool:
    positive = source is not None and source.kind == "Activation"
    fits = user.kind in ("Conv2D", "DepthwiseConv2D") or (user.kind == "MaxPooling2D" and positive)
    return fits and user.config["pads"] == ((0, 0), (0, 0))
