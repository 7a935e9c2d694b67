"""How a model was compiled, as Keras 2 wrote it in `.h5` files (and Keras 3 still does), and the way back."""

from typing import Any

from kerasish.saving.legacy_config import upgrade
from kerasish.saving.registration import get_registered_object
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.saving.unknown import UnknownObjectError, explain_unknown


def training_config(model: Any) -> dict[str, Any]:
    """What `compile()` was given, by names where names tell it, and the optimizer as it is now."""
    given = {name: value for name, value in model._compile_config.items() if name != "optimizer"}
    config = {name: _lowered(serialize_keras_object(value)) for name, value in given.items()}
    return {**config, "optimizer_config": _lowered(serialize_keras_object(model.optimizer))}


def compile_model(model: Any, config: Any, custom_objects: dict[str, Any] | None) -> None:
    """Compiles the model as the file's training config says.

    Args:
        model: The model.
        config: The training config.
        custom_objects: Dictionary of custom classes and functions by name.

    Raises:
        ValueError: If there is no optimizer in it.
        TypeError: If it names classes or functions that are not known.
    """
    if not isinstance(config, dict) or not isinstance(config.get("optimizer_config"), dict):
        raise ValueError(f"The file's training config has no 'optimizer_config'. Received: {config}")
    reader = _Reader(custom_objects)
    model.compile(
        optimizer=reader.read(config["optimizer_config"], "keras.optimizers"),
        loss=reader.read(config.get("loss"), "keras.losses"),
        metrics=reader.read(_metrics(config.get("metrics")), "keras.metrics"),
        weighted_metrics=reader.read(_metrics(config.get("weighted_metrics")), "keras.metrics"),
        loss_weights=config.get("loss_weights"),
        **{name: config[name] for name in ("run_eagerly", "steps_per_execution", "jit_compile") if config.get(name)},
    )


def _lowered(config: Any) -> Any:
    """Serialized objects by class alone, functions by name; what they hold inside stays as it is."""
    if isinstance(config, (list, tuple)):
        return [_lowered(item) for item in config]
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: _lowered(value) for key, value in config.items()}
    if config["class_name"] == "function":
        return config["config"]
    if str(config["class_name"]).startswith("__"):
        return config
    return {"class_name": config.get("registered_name") or config["class_name"], "config": config["config"]}


class _Reader:
    """The way back from `_lowered`: names of the user's functions become these functions, other names stay names."""

    def __init__(self, custom_objects: dict[str, Any] | None):
        self.custom_objects = custom_objects or {}

    def read(self, config: Any, module: str) -> Any:
        if isinstance(config, str):
            return self.named(config, module)
        if isinstance(config, (list, tuple)):
            return [self.read(item, module) for item in config]
        if not isinstance(config, dict):
            return config
        if "class_name" in config:
            return deserialize_keras_object(upgrade(config, module, self.custom_objects), self.custom_objects)
        return {key: self.read(value, module) for key, value in config.items()}

    def named(self, name: str, module: str) -> Any:
        """The user's function or class of that name, or, if Keras has it, the name as it was written."""
        found = get_registered_object(name, self.custom_objects)
        if found is not None:
            return found() if isinstance(found, type) else found
        if not _is_known(name, module):
            config = {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
            raise TypeError(explain_unknown(UnknownObjectError(config), config, self.custom_objects))
        return name


def _is_known(name: str, module: str) -> bool:
    from kerasish import losses, metrics

    if module == "keras.metrics" and name in ("accuracy", "acc", "crossentropy", "ce"):
        return True  # what they stand for depends on the outputs' shapes
    if module == "keras.losses" and name == "crossentropy":
        return True
    get = {"keras.losses": losses.get, "keras.metrics": metrics.get}.get(module)
    try:
        return get is None or get(name) is not None
    except ValueError:
        return False


def _metrics(config: Any) -> Any:
    """Metrics that Keras 2 had wrapped, by the name of what they wrap."""
    if isinstance(config, list):
        return [_metrics(item) for item in config]
    if not isinstance(config, dict):
        return config
    if "class_name" not in config:
        return {key: _metrics(value) for key, value in config.items()}
    inner = config.get("config")
    if config["class_name"] in ("MeanMetricWrapper", "SumOverBatchSizeMetricWrapper") and isinstance(inner, dict):
        return inner["name"] if isinstance(inner.get("name"), str) else inner.get("fn")
    return config
