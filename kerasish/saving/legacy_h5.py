"""Whole models and weights in Keras 2's `.h5` layout, which Keras 3 still reads and writes."""

import json
import os
import warnings
from typing import Any

import numpy as np

from kerasish.saving.files import atomic_path, require_file
from kerasish.saving.h5_store import open_h5
from kerasish.saving.legacy_config import upgrade
from kerasish.saving.report import LoadReport, own_variables
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object

_TOP_LEVEL = "top_level_model_weights"
_MOST_NAMES = 4000  # HDF5 stores no attribute of over 64 kB, so a longer list goes to name0, name1, ...


def save_model_to(filepath: str, model: Any, include_optimizer: bool = True) -> None:
    """Writes a whole model.

    Args:
        filepath: The file, which is replaced only if all goes well.
        model: A model that can be described by its config.
        include_optimizer: Whether to write the optimizer's state and how the model was compiled.
    """
    from kerasish.saving.keras_file import KERAS_VERSION

    with atomic_path(filepath) as temporary, open_h5(temporary, "w") as file:
        file.attrs["backend"], file.attrs["keras_version"] = "tensorflow", KERAS_VERSION
        config = serialize_keras_object(model)
        file.attrs["model_config"] = json.dumps(_plain_config(config))
        _write_weights(file.create_group("model_weights"), model, KERAS_VERSION)
        if include_optimizer and getattr(model, "optimizer", None) is not None and config.get("compile_config"):
            file.attrs["training_config"] = json.dumps(_training_config(config["compile_config"]))
            _write_variables(file.create_group("optimizer_weights"), model.optimizer.variables)


def load_model_from(
    filepath: str | os.PathLike,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Reads a whole model.

    Args:
        filepath: The file.
        custom_objects: Dictionary of custom classes and functions by name.
        compile: Whether the model is compiled as it was when it was saved.
        safe_mode: Whether Python lambdas are refused.

    Returns:
        The model.

    Raises:
        ValueError: If the file holds weights alone.
    """
    require_file(os.fspath(filepath))
    with open_h5(filepath, "r") as file:
        if "model_config" not in file.attrs:
            raise ValueError(
                f"No model config found in the file at {filepath}: it holds weights alone. "
                "Build the model in code and call `model.load_weights()`."
            )
        config = upgrade(json.loads(_text(file.attrs["model_config"])))
        model = deserialize_keras_object(config, custom_objects, safe_mode=safe_mode)
        load_weights_from(file, model).check(skip_mismatch=False)
        if compile and "training_config" in file.attrs:
            _compile(model, json.loads(_text(file.attrs["training_config"])), custom_objects)
            _read_optimizer(file, model)
    return model


def load_weights_from(
    file: Any, model: Any, by_name: bool = False, skip_mismatch: bool = False, skip: set[int] = frozenset()
) -> LoadReport:
    """Reads the weights of a model's layers, in order or by name.

    Args:
        file: An open HDF5 file.
        model: A built model.
        by_name: Whether layers are matched by name rather than by order.
        skip_mismatch: Whether layers that do not fit are left as they are.
        skip: The ids of layers to leave alone.

    Returns:
        What was loaded, and what was not and why.

    Raises:
        ValueError: If the numbers of layers differ, or no name matches.
    """
    group = file["model_weights"] if "layer_names" not in file.attrs and "model_weights" in file else file
    names = [name for name in _names(group, "layer_names") if len(_names(group[name], "weight_names"))]
    layers = [layer for layer in model.layers if _weights(layer)]
    report = LoadReport()
    for layer, name in _pairs(layers, names, by_name):
        if id(layer) not in skip:
            _read_layer(layer, group[name], name, report)
    if _TOP_LEVEL in group and (own := own_variables(model)):
        _assign(model, own, _arrays(group[_TOP_LEVEL]), _TOP_LEVEL, report)
    report.unused = {name: len(_names(group[name], "weight_names")) for name in names if name not in report.loaded}
    return report


def _pairs(layers: list[Any], names: list[str], by_name: bool) -> list[tuple[Any, str]]:
    if not by_name:
        if len(layers) != len(names):
            raise ValueError(
                "Layer count mismatch when loading weights from file. "
                f"Model expected {len(layers)} layers, found {len(names)} saved layers. "
                f"Model: {[layer.name for layer in layers]}; file: {names}. "
                "Pass `by_name=True` to load those that match."
            )
        return list(zip(layers, names))
    pairs = [(layer, layer.name) for layer in layers if layer.name in names]
    if not pairs:
        raise ValueError(
            f"`by_name=True` found no layer to load: model {[layer.name for layer in layers]}, file {names}."
        )
    return pairs


def _read_layer(layer: Any, group: Any, name: str, report: LoadReport) -> None:
    _assign(layer, _weights(layer), _arrays(group), name, report)


def _assign(part: Any, variables: list[Any], arrays: list[np.ndarray], name: str, report: LoadReport) -> None:
    wrong = [
        f"{variable.path} has shape {tuple(variable.shape)}, the saved one {array.shape}"
        for variable, array in zip(variables, arrays)
        if tuple(variable.shape) != array.shape
    ]
    if len(variables) != len(arrays):
        wrong = [f"expected {len(variables)} variables ({[v.name for v in variables]}), the file has {len(arrays)}"]
    if wrong:
        error = ValueError(f"Layer '{part.name}' ({type(part).__name__}), saved layer '{name}': {'; '.join(wrong)}")
        report.failed_at(part, name, {}, error)
        return
    for variable, array in zip(variables, arrays):
        variable.assign(array)
    report.loaded_at(part, name, arrays)


def _weights(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _arrays(group: Any) -> list[np.ndarray]:
    from kerasish.saving.h5_store import checked_dataset

    return [np.asarray(checked_dataset(group, name)) for name in _names(group, "weight_names")]


def _names(group: Any, attribute: str) -> list[str]:
    """A list of strings in an attribute, or, if it was long, in several."""
    if attribute in group.attrs:
        return [_text(name) for name in group.attrs[attribute]]
    names, part = [], 0
    while f"{attribute}{part}" in group.attrs:
        names.extend(_text(name) for name in group.attrs[f"{attribute}{part}"])
        part += 1
    return names


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _write_weights(group: Any, model: Any, version: str) -> None:
    group.attrs["backend"], group.attrs["keras_version"] = "tensorflow", version
    _write_names(group, "layer_names", [layer.name for layer in model.layers])
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        _write_variables(group.create_group(layer.name), _weights(layer))
    _write_variables(group.create_group(_TOP_LEVEL), own_variables(model))


def _write_variables(group: Any, variables: list[Any]) -> None:
    _write_names(group, "weight_names", [variable.path for variable in variables])
    for variable in variables:
        group.create_dataset(variable.path, data=variable.numpy())


def _write_names(group: Any, attribute: str, names: list[str]) -> None:
    if len(names) <= _MOST_NAMES:
        group.attrs[attribute] = names
        return
    for part, first in enumerate(range(0, len(names), _MOST_NAMES)):
        group.attrs[f"{attribute}{part}"] = names[first : first + _MOST_NAMES]


def _plain_config(config: Any) -> Any:
    """The config with models and layers as Keras 2 named them: by class alone."""
    inner = config["config"]
    if isinstance(inner.get("layers"), list):
        inner = {**inner, "layers": [_plain_config(layer) for layer in inner["layers"]]}
    name = config["registered_name"] if ">" in str(config["registered_name"]) else config["class_name"]
    kept = {key: config[key] for key in ("name", "inbound_nodes") if key in config}
    return {"class_name": name, "config": inner, **kept}


def _training_config(compile_config: dict[str, Any]) -> dict[str, Any]:
    config = {key: value for key, value in compile_config.items() if key != "optimizer"}
    optimizer = compile_config["optimizer"]
    config["optimizer_config"] = {"class_name": optimizer["class_name"], "config": optimizer["config"]}
    return config


def _compile(model: Any, config: dict[str, Any], custom_objects: dict[str, Any] | None) -> None:
    def read(value: Any, module: str) -> Any:
        return deserialize_keras_object(upgrade(value, module), custom_objects)

    model.compile(
        optimizer=read(_bare_optimizer(config["optimizer_config"]), "keras.optimizers"),
        loss=read(config.get("loss"), "keras.losses"),
        metrics=read(_bare_metrics(config.get("metrics")), "keras.metrics"),
        weighted_metrics=read(_bare_metrics(config.get("weighted_metrics")), "keras.metrics"),
        loss_weights=config.get("loss_weights"),
    )


def _bare_optimizer(config: dict[str, Any]) -> dict[str, Any]:
    inner = dict(config["config"])
    inner["name"] = str(inner.get("name", config["class_name"])).lower()
    return {"class_name": config["class_name"], "config": inner}


def _bare_metrics(config: Any) -> Any:
    """Metrics that Keras 2 had wrapped, by the name of what they wrap."""
    if isinstance(config, list):
        return [_bare_metrics(item) for item in config]
    if isinstance(config, dict) and config.get("class_name") == "MeanMetricWrapper":
        inner = config["config"]
        return inner["name"] if isinstance(inner.get("name"), str) else inner.get("fn")
    return config


def _read_optimizer(file: Any, model: Any) -> None:
    if "optimizer_weights" not in file or not model.built:
        return
    model.optimizer.build(model.trainable_variables)
    arrays, variables = _arrays(file["optimizer_weights"]), model.optimizer.variables
    if [array.shape for array in arrays] != [tuple(variable.shape) for variable in variables]:
        warnings.warn(
            f"The optimizer's state is not restored: the file has {len(arrays)} variables where {model.optimizer.name} "
            f"has {len(variables)} (or they differ in shape). Training starts with a fresh optimizer.",
            stacklevel=4,
        )
        return
    for variable, array in zip(variables, arrays):
        variable.assign(array)
