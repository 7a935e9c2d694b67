"""Whole models and weights in Keras 2's `.h5` layout, which Keras 3 still reads and writes."""

import json
import math
import os
import warnings
from pathlib import Path
from typing import Any

from kerasish.saving.checks import model_description
from kerasish.saving.files import atomic_path, require_file
from kerasish.saving.h5_files import Dataset, Group, reading_h5, writing_h5
from kerasish.saving.legacy_config import upgrade
from kerasish.saving.legacy_training import compile_model, training_config
from kerasish.saving.report import LoadReport, own_variables
from kerasish.saving.scopes import SafeModeScope
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.saving.unknown import ExplainedUnknownError

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

    Path(filepath).parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(filepath) as temporary, writing_h5(temporary) as file:
        file.attrs["backend"], file.attrs["keras_version"] = "tensorflow", KERAS_VERSION
        config = serialize_keras_object(model)
        file.attrs["model_config"] = json.dumps(_plain_config(config))
        _write_weights(file.create_group("model_weights"), model, KERAS_VERSION)
        if include_optimizer and getattr(model, "optimizer", None) is not None and model._compile_config:
            file.attrs["training_config"] = json.dumps(training_config(model))
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
        ValueError: If the file holds weights alone, or names a class or function that is not known here.
    """
    require_file(os.fspath(filepath))
    with reading_h5(filepath) as file:
        description = file.text("model_config")
        if description is None:
            raise ValueError(
                f"No model config found in the file at {filepath}: it holds weights alone. "
                "Build the model in code and call `model.load_weights()`."
            )
        config = upgrade(model_description(description), custom_objects=custom_objects)
        try:
            model = deserialize_keras_object(config, custom_objects, safe_mode=safe_mode)
        except ExplainedUnknownError as error:  # a TypeError in other formats, in Keras as here
            raise ValueError(str(error)) from None
        load_weights_from(file, model).check(skip_mismatch=False)
        training = file.text("training_config") if compile else None
        if training is not None:
            with SafeModeScope(safe_mode):
                compile_model(model, json.loads(training), custom_objects)
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
    group = file.group("model_weights") if not file.has("layer_names") and "model_weights" in file else file
    counts = {name: len(group.group(name).names("weight_names")) for name in group.names("layer_names")}
    names = [name for name, count in counts.items() if count]
    layers = [layer for layer in model.layers if _weights(layer)]
    report = LoadReport()
    for layer, name in _pairs(layers, names, by_name):
        if id(layer) not in skip:
            _assign(layer, _weights(layer), _datasets(group.group(name)), name, report)
    if _TOP_LEVEL in group and (own := own_variables(model)):
        _assign(model, own, _datasets(group.group(_TOP_LEVEL)), _TOP_LEVEL, report)
    report.unused = {name: counts[name] for name in names if name not in report.loaded}
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


def _assign(part: Any, variables: list[Any], saved: list[Dataset], name: str, report: LoadReport) -> None:
    wrong = [
        f"{variable.path} has shape {tuple(variable.shape)}, the saved one {dataset.shape}"
        for variable, dataset in zip(variables, saved)
        if tuple(variable.shape) != dataset.shape
    ]
    if len(variables) != len(saved):
        wrong = [f"expected {len(variables)} variables ({[v.name for v in variables]}), the file has {len(saved)}"]
    if wrong:
        error = ValueError(f"Layer '{part.name}' ({type(part).__name__}), saved layer '{name}': {'; '.join(wrong)}")
        report.failed_at(part, name, {}, error)
        return
    _read_into(variables, saved)
    report.loaded_at(part, name, saved)


def _read_into(variables: list[Any], saved: list[Dataset]) -> None:
    """Assigns what was saved; shapes are known to be equal, so no more is read than there is room for."""
    for variable, dataset in zip(variables, saved):
        variable.assign(dataset.read(needed=16 * math.prod(dataset.shape)))


def _weights(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _datasets(group: Group) -> list[Dataset]:
    return [group.dataset(name) for name in group.names("weight_names")]


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


def _read_optimizer(file: Group, model: Any) -> None:
    if "optimizer_weights" not in file or not model.built:
        return
    model.optimizer.build(model.trainable_variables)
    group, variables = file.group("optimizer_weights"), model.optimizer.variables
    saved, names = _datasets(group), group.names("weight_names")
    if len(saved) == len(variables) - 1 and not any("learning_rate" in name for name in names):
        variables = [v for v in variables if v is not model.optimizer._learning_rate]  # Keras 2 left it out
    if [dataset.shape for dataset in saved] != [tuple(variable.shape) for variable in variables]:
        warnings.warn(
            f"The optimizer's state is not restored: the file has {len(saved)} variables where {model.optimizer.name} "
            f"has {len(variables)} (or they differ in shape). Training starts with a fresh optimizer.",
            stacklevel=4,
        )
        return
    _read_into(variables, saved)
