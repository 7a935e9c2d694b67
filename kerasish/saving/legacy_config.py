"""Configs that Keras 2 wrote (and Keras 3 in `.h5` files), turned into Keras 3's dictionaries.

What changed between the two is the tables below; the functions only walk.
"""

from collections.abc import Callable
from typing import Any

from kerasish.saving.public_names import find_class
from kerasish.saving.registration import get_registered_object

# Keys that Keras 3's constructors no longer take, with the values that lose nothing when they are dropped.
_DROPPED: dict[str, tuple[Any, ...]] = {
    "batch_input_shape": (),  # any value: Sequential reads it before
    "input_length": (),
    "implementation": (),
    "fused": (),
    "adjustment": (None,),
    "virtual_batch_size": (None,),
    "time_major": (False,),
    "groups": (1,),
    "ragged": (False, None),
    "jit_compile": (),
    "is_legacy_optimizer": (),
    "decay": (0, 0.0, None),
    "experimental_autocast": (),
}
_GROUPED = frozenset({"Conv1D", "Conv2D", "Conv3D"})  # these alone have `groups` in Keras 3
_RENAMED_KEYS = {"lr": "learning_rate", "input_dtype": "dtype"}
_RENAMED_CLASSES = {"Model": "Functional", "Policy": "DTypePolicy", "BatchNormalizationV1": "BatchNormalization"}
_HOMES = {
    "Sequential": "keras",
    "Functional": "keras.src.models.functional",
    "DTypePolicy": "keras",
}
# The family of an object without a module, by the key that holds it.
_FAMILIES = (
    ("initializer", "keras.initializers"),
    ("regularizer", "keras.regularizers"),
    ("constraint", "keras.constraints"),
    ("learning_rate", "keras.optimizers.schedules"),
)


def upgrade(config: Any, module: str = "keras.layers", custom_objects: dict[str, Any] | None = None) -> Any:
    """The config as Keras 3 writes it; one that already is comes back unchanged.

    Args:
        config: A serialized object, or any data that holds some.
        module: The public package of the object, if the config does not say.
        custom_objects: Dictionary of custom classes by name, which come before Keras's own of that name.

    Returns:
        New data; `config` is left alone.
    """
    return _Upgrade(custom_objects or {}).upgrade(config, module)


class _Upgrade:
    """One call of `upgrade`."""

    def __init__(self, custom_objects: dict[str, Any]):
        self.custom_objects = custom_objects

    def upgrade(self, config: Any, module: str) -> Any:
        if isinstance(config, list):
            return [self.upgrade(item, module) for item in config]
        if not isinstance(config, dict):
            return config
        if config.get("class_name") in ("__tuple__", "TensorShape") and "items" in config:
            return self.upgrade(config["items"], module)
        if not isinstance(config.get("class_name"), str) or not isinstance(config.get("config"), (dict, list)):
            return {key: self.upgrade(value, _family(key, module)) for key, value in config.items()}
        return self.object(config, module)

    def object(self, config: dict[str, Any], module: str) -> dict[str, Any]:
        if config.get("module") is not None or config["class_name"].startswith("__"):
            return config
        package, name = self.class_of(config["class_name"], module)
        inner = config["config"] if isinstance(config["config"], dict) else {"layers": config["config"]}
        inner = _SPECIAL.get(name, _plain)(dict(inner))
        inner = {key: self.upgrade(value, _family(key, module)) for key, value in _current_keys(name, inner).items()}
        upgraded = {**config, "module": None if package else _HOMES.get(name, module), "class_name": name}
        upgraded |= {"config": inner, "registered_name": config["class_name"] if package else name}
        if isinstance(config.get("inbound_nodes"), list):
            upgraded["inbound_nodes"] = [_node(node) for node in config["inbound_nodes"]]
        return upgraded

    def class_of(self, written: str, module: str) -> tuple[str, str]:
        """The package (none for Keras's own) and name: Keras 2.12 and tf_keras wrote `Custom>Adam` for their own."""
        package, _, name = written.rpartition(">")
        if package == "Custom" and get_registered_object(written, self.custom_objects) is None:
            package = package if find_class(module, name) is None else ""
        return package, name if package else _RENAMED_CLASSES.get(name, name)


def _family(key: str, default: str) -> str:
    return next((family for suffix, family in _FAMILIES if key.endswith(suffix)), default)


def _current_keys(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    current = {}
    for key, value in config.items():
        harmless = _DROPPED.get(key)
        is_dropped = harmless is not None and (harmless == () or value in harmless)
        if not is_dropped or (key == "groups" and class_name in _GROUPED):
            current[_RENAMED_KEYS.get(key, key)] = value
    return current


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    return config


def _input_layer(config: dict[str, Any]) -> dict[str, Any]:
    if "batch_input_shape" in config:
        config["batch_shape"] = config.pop("batch_input_shape")
    return config


def _sequential(config: dict[str, Any]) -> dict[str, Any]:
    """The first layer's `batch_input_shape` becomes an InputLayer."""
    layers = config.get("layers")
    first = layers[0].get("config") if isinstance(layers, list) and layers and isinstance(layers[0], dict) else None
    if not isinstance(first, dict) or layers[0].get("class_name") == "InputLayer":
        return config
    if first.get("batch_input_shape") is not None:
        dtype = first["dtype"] if isinstance(first.get("dtype"), str) else "float32"
        inner = {"batch_shape": first["batch_input_shape"], "dtype": dtype, "name": f"{first.get('name')}_input"}
        config["layers"] = [{"class_name": "InputLayer", "config": inner}, *layers]
    return config


def _functional(config: dict[str, Any]) -> dict[str, Any]:
    """A list of one input or output becomes the thing itself, as Keras 3 calls such models."""
    for key in ("input_layers", "output_layers"):
        ends = config.get(key)
        if isinstance(ends, list) and len(ends) == 1 and isinstance(ends[0], list):
            config[key] = ends[0]
    return config


def _batch_normalization(config: dict[str, Any]) -> dict[str, Any]:
    axis = config.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        config["axis"] = axis[0]
    return config


def _lambda(config: dict[str, Any]) -> dict[str, Any]:
    kind, function = config.pop("function_type", None), config.get("function")
    for key in ("module", "output_shape_type", "output_shape_module"):
        config.pop(key, None)
    if kind == "lambda" and isinstance(function, (list, tuple)):
        names = ("code", "defaults", "closure")
        config["function"] = {"class_name": "__lambda__", "config": dict(zip(names, function))}
    elif kind == "function":
        config["function"] = {
            "module": "builtins",
            "class_name": "function",
            "config": function,
            "registered_name": "function",
        }
    return config


_SPECIAL: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "InputLayer": _input_layer,
    "Sequential": _sequential,
    "Functional": _functional,
    "BatchNormalization": _batch_normalization,
    "Lambda": _lambda,
}


def _node(node: Any) -> dict[str, Any]:
    """A call: Keras 2 lists `[layer, node, tensor, kwargs]` for each input; Keras 3 has `args` and `kwargs`."""
    if isinstance(node, dict):
        return node
    inputs = [node] if isinstance(node, list) and node and isinstance(node[0], str) else node
    if not isinstance(inputs, list) or not all(_is_reference(reference) for reference in inputs):
        raise ValueError(f"An inbound node lists [layer, node, tensor, arguments] for each input. Received: {node}")
    tensors = [_tensor(reference[:3]) for reference in inputs]
    kwargs = {key: _argument(value) for reference in inputs for key, value in (reference[3:] or [{}])[0].items()}
    return {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": kwargs}


def _is_reference(value: Any) -> bool:
    """Whether it is `[layer, node, tensor]` or `[layer, node, tensor, arguments]`."""
    known = isinstance(value, list) and [type(item) for item in value[:3]] == [str, int, int]
    return known and all(isinstance(item, dict) for item in value[3:])


def _argument(value: Any) -> Any:
    is_reference = isinstance(value, list) and [type(item) for item in value] == [str, int, int]
    return _tensor(value) if is_reference else value


def _tensor(history: list[Any]) -> dict[str, Any]:
    config = {"shape": [None], "dtype": "float32", "keras_history": list(history)}
    return {"class_name": "__keras_tensor__", "config": config}
