"""A functional model's config: its layers and how they were called, as Keras 3 writes it."""

from __future__ import annotations

import copy

from kerasish.core import nest
from kerasish.core.symbolic import KerasTensor
from kerasish.layers.calling import signature_of
from kerasish.layers.layer import Layer
from kerasish.saving.legacy_config import upgrade
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


def graph_config(model) -> dict:
    """The config of a functional model."""
    kept = {id(n): n for n in model._nodes}
    numbers = _node_numbers(model, kept)
    layers = []
    for operation in model._operations:
        config = serialize_keras_object(operation)
        config["name"] = operation.name
        nodes = [n for n in operation._inbound_nodes if id(n) in kept]
        config["inbound_nodes"] = [_call_config(n, numbers) for n in nodes if not n.is_input]
        layers.append(config)
    return copy.deepcopy(
        {
            "name": model.name,
            "trainable": model.trainable,
            "layers": layers,
            "input_layers": nest.map_structure(lambda x: _end(x, numbers), model._inputs_struct),
            "output_layers": nest.map_structure(lambda x: _end(x, numbers), model._outputs_struct),
        }
    )


def _node_numbers(model, kept) -> dict:
    """For each node of the model, its number among the operation's nodes in the model."""
    numbers = {}
    for operation in model._operations:
        for i, node in enumerate(n for n in operation._inbound_nodes if id(n) in kept):
            numbers[id(node)] = i
    return numbers


def _history(x, numbers) -> list:
    operation, index, position = x._keras_history
    return [operation.name, numbers[id(operation._inbound_nodes[index])], position]


def _end(x, numbers) -> list:
    """An input's or output's place. Keras counts the node that a functional model has of its own, here alone."""
    name, number, position = _history(x, numbers)
    return [name, number + _own_nodes(x._keras_history.operation), position]


def _own_nodes(operation) -> int:
    from kerasish.models.functional import Functional

    return int(isinstance(operation, Functional))


def _call_config(node, numbers) -> dict:
    def written(x):
        if isinstance(x, KerasTensor):
            config = {"shape": x.shape, "dtype": x.dtype, "keras_history": _history(x, numbers)}
            return {"class_name": "__keras_tensor__", "config": config}
        return x

    args, kwargs = nest.map_structure(written, (list(node.args), {**node.kwargs, **_default_flag(node)}))
    args = [_unpacked(node.args[i], a) for i, a in enumerate(args)]
    return {"args": serialize_keras_object(args), "kwargs": serialize_keras_object(kwargs)}


def _default_flag(node) -> dict:
    """The `training` that a call was made with because it is the layer's default, as Keras notes it."""
    if not isinstance(node.operation, Layer):
        return {}
    call = signature_of(type(node.operation).call)
    noted = not call.has_training or "training" in node.kwargs or len(node.args) > call.names.index("training")
    return {} if noted or call.default_training is None else {"training": call.default_training}


def _without_default_flag(operation, kwargs: dict) -> dict:
    """A call's arguments without a flag that the layer would take anyway."""
    default = signature_of(type(operation).call).default_training if isinstance(operation, Layer) else None
    if default is not None and kwargs.get("training") is default:
        return {k: v for k, v in kwargs.items() if k != "training"}
    return kwargs


def _unpacked(original, written):
    """A tuple of tensors as a list, as Keras writes it."""
    holds_tensors = isinstance(original, tuple) and any(isinstance(x, KerasTensor) for x in original)
    return list(written) if holds_tensors else written


def graph_from_config(config: dict, custom_objects: dict | None = None) -> tuple:
    """The inputs and the outputs, in their structures, of the graph that `graph_config` describes.

    Args:
        config: the config.
        custom_objects: classes by name.

    Raises:
        ValueError: if layers wait for tensors that no layer makes.
    """
    if any("module" not in item for item in config["layers"]):  # as Keras 2 wrote them
        config = upgrade({"class_name": "Functional", "config": config}, custom_objects=custom_objects)["config"]
    made, waiting = {}, []
    for item in config["layers"]:
        layer = deserialize_keras_object(
            {k: v for k, v in item.items() if k not in ("inbound_nodes", "name")}, custom_objects
        )
        if item.get("name") is not None and layer.name != item["name"]:
            layer.name = item["name"]
        made[layer.name] = layer
        if item["inbound_nodes"]:
            waiting.append((layer, list(item["inbound_nodes"])))
    _replay(made, waiting)
    return _find_ends(config["input_layers"], made), _find_ends(config["output_layers"], made)


def _replay(made, waiting):
    """Call the layers as they were called, each as soon as its inputs are there."""
    while waiting:
        called = False
        for layer, calls in waiting:
            while calls and _ready(calls[0], made):
                args, kwargs = _read_call(calls.pop(0), made)
                layer(*args, **_without_default_flag(layer, kwargs))
                called = True
        waiting = [(layer, calls) for layer, calls in waiting if calls]
        if not called:
            wanted = {name for _, calls in waiting for name, _, _ in _tensors_in(calls)}
            names, missing = [layer.name for layer, _ in waiting], sorted(wanted - made.keys())
            why = f"Missing node: {', '.join(missing)}" if missing else "The graph has loops or disconnected nodes"
            raise ValueError(
                f"Invalid Functional model configuration. {why}; layers {names} wait for tensors that no layer makes"
            )


def _tensors_in(value):
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            yield value["config"]["keras_history"]
            return
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for x in value:
        yield from _tensors_in(x)


def _ready(call, made) -> bool:
    return all(name in made and len(made[name]._inbound_nodes) > number for name, number, _ in _tensors_in(call))


def _read_call(call, made):
    def read(value):
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                return _tensor(value["config"]["keras_history"], made)
            if "class_name" in value and "config" in value:
                return deserialize_keras_object(value)
            return {k: read(v) for k, v in value.items()}
        return [read(v) for v in value] if isinstance(value, list) else value

    args = [tuple(read(a)) if _is_key(a) else read(a) for a in call["args"]]
    return args, read(call["kwargs"])


def _is_key(written) -> bool:
    """Whether a written argument is an index: a tuple, which JSON made a list."""
    return isinstance(written, list) and any(
        isinstance(v, dict) and v.get("class_name") in ("__slice__", "__ellipsis__") for v in written
    )


def _tensor(history, made):
    name, number, position = history
    return made[name]._inbound_nodes[number].output_tensors[position]


def _find_ends(written, made):
    if isinstance(written, dict):
        return {k: _find_ends(v, made) for k, v in written.items()}
    if len(written) == 3 and isinstance(written[0], str) and isinstance(written[1], int):
        name, number, position = written
        return _tensor((name, number - _own_nodes(made[name]), position), made)
    return type(written)(_find_ends(v, made) for v in written)
