"""Whole models in `.keras` files: a zip of `metadata.json`, `config.json`, `model.weights.h5` and `assets/`."""

import datetime
import io
import json
import os
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasish.core import budget
from kerasish.saving.assets import AssetStore, extract_assets, read_member
from kerasish.saving.checks import MissingMemberError, explained, model_description
from kerasish.saving.files import as_path, atomic_path, may_write
from kerasish.saving.h5_files import reading_h5, writing_h5
from kerasish.saving.h5_store import ReadingStore, WritingStore
from kerasish.saving.legacy_config import upgrade
from kerasish.saving.scopes import ObjectSharingScope, SafeModeScope
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.saving.state import is_part, load_state, save_state
from kerasish.saving.weights_h5 import MEMBER, reading_member

if TYPE_CHECKING:
    from kerasish.models.model import Model

KERAS_VERSION = "3.15.1"  # the version of Keras whose format this is
_EPOCH = (1980, 1, 1, 0, 0, 0)  # one date for all members, so that equal models give equal files
_IGNORED_ARGUMENTS = frozenset({"save_format", "include_optimizer"})


def save_model(
    model: Any, filepath: str | os.PathLike, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Saves a model with its weights, its optimizer's state and how it was compiled.

    The file is written whole: if saving fails, an older file of that name stays as it was.

    Args:
        model: The model.
        filepath: Where to save: a name ending in `.keras`, or in `.h5` for the older format.
        overwrite: Whether an existing file is replaced without asking.
        zipped: `False` writes a directory instead of a `.keras` file.

    Raises:
        ValueError: If the name has another ending.

    Example:

    ```python
    model.save("model.keras")
    again = keras.saving.load_model("model.keras")
    ```
    """
    filepath, include_optimizer = as_path(filepath), kwargs.get("include_optimizer", True)
    if unknown := sorted(set(kwargs) - _IGNORED_ARGUMENTS):
        raise ValueError(f"The following argument(s) are not supported: {unknown}")
    is_keras = filepath.endswith(".keras")
    if (save_format := kwargs.get("save_format")) and not filepath.endswith((".keras", ".h5", ".hdf5")):
        raise ValueError(
            "The `save_format` argument is deprecated in Keras 3. Leave it out, and pass a path that ends in `.keras` "
            f"or `.h5`. Received: {save_format=}"
        )
    if is_keras and zipped is False:
        raise ValueError(
            f"When using `zipped=False`, the `filepath` argument should not end in `.keras`. Received: {filepath=}"
        )
    if not (is_keras or zipped is False or filepath.endswith((".h5", ".hdf5"))):
        raise ValueError(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for the native Keras "
            f"format (recommended) or a `.h5` extension. Received: filepath={filepath}."
        )
    if not may_write(filepath, overwrite):
        return
    if zipped is False:
        _save_to_directory(model, Path(filepath))
    elif is_keras:
        with atomic_path(filepath) as temporary, open(temporary, "wb") as stream:
            write_model(model, stream)
    else:
        from kerasish.saving.legacy_h5 import save_model_to  # late: few files are so old

        save_model_to(filepath, model, include_optimizer)


def load_model(
    filepath: str | os.PathLike,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> "Model":
    """Loads a model saved by `model.save()`, by kerasish or by real Keras.

    Args:
        filepath: A `.keras` file, a directory written with `zipped=False`, or a Keras-2 `.h5` file.
        custom_objects: Dictionary of custom classes and functions by name.
        compile: Whether the model is compiled as it was when it was saved.
        safe_mode: Whether Python lambdas in the file are refused; running them is running code from the file.

    Returns:
        The model.

    Raises:
        ValueError: If there is no such file or it is of no known kind, or it holds a lambda in safe mode.
        TypeError: If it names classes that are neither Keras's nor registered; the text lists them all.
    """
    filepath = as_path(filepath)
    with explained(filepath):
        if os.path.isdir(filepath) and os.path.isfile(os.path.join(filepath, "config.json")):
            return _load_from_directory(Path(filepath), custom_objects, compile, safe_mode)
        if zipfile.is_zipfile(filepath):
            with open(filepath, "rb") as stream:
                return read_model(stream, custom_objects, compile, safe_mode)
        if filepath.endswith((".h5", ".hdf5")):
            from kerasish.saving.legacy_h5 import load_model_from

            with budget.held_against(_size_of(filepath)):
                return load_model_from(filepath, custom_objects, compile, safe_mode)
    if filepath.endswith(".keras"):
        state = "is not a zip file" if os.path.exists(filepath) else f"does not exist (in {os.getcwd()})"
        raise ValueError(
            f"File not found: filepath={filepath}. Please ensure the file is an accessible `.keras` zip file. "
            f"It {state}."
        )
    raise ValueError(
        f"File format not supported: filepath={filepath}. Keras 3 only supports V3 `.keras` files, legacy H5 format "
        "files (`.h5` extension). The legacy SavedModel format is not supported by `load_model()`."
    )


def write_model(model: Any, stream: Any) -> None:
    """Writes the `.keras` format to a binary stream.

    Args:
        model: A model, or any object with a config.
        stream: A writable binary stream.
    """
    if not getattr(model, "built", True):
        warnings.warn(
            "You are saving a model that has not yet been built. It might not contain any weights yet. "
            "Consider building the model first by calling it on some data.",
            stacklevel=4,
        )
    with zipfile.ZipFile(stream, "w") as archive, tempfile.TemporaryDirectory() as directory:
        assets = AssetStore(directory)
        for name, data in _members(model, assets).items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
        for path, name in assets.files():
            archive.writestr(zipfile.ZipInfo(f"assets/{name}", _EPOCH), path.read_bytes())


def read_model(
    stream: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Reads what `write_model` wrote.

    Args:
        stream: A readable binary stream.
        custom_objects: Dictionary of custom classes and functions by name.
        compile: Whether the model is compiled as it was when it was saved.
        safe_mode: Whether Python lambdas are refused.

    Returns:
        The model.
    """
    with zipfile.ZipFile(stream) as archive, tempfile.TemporaryDirectory() as directory:
        for name in ("config.json", MEMBER):
            if name not in archive.namelist():
                raise MissingMemberError(f"There is no item named '{name}' in the archive: it is not a `.keras` file.")
        with budget.held_against(sum(member.file_size for member in archive.infolist())):
            model = _from_config(read_member(archive, "config.json"), custom_objects, compile, safe_mode)
        assets = extract_assets(archive, directory)
        with reading_member(archive, model) as weights, SafeModeScope(safe_mode):
            load_state(model, ReadingStore(weights), assets).check(skip_mismatch=False)
    return model


def model_to_json(model: Any, **kwargs: Any) -> str:
    """The model's architecture as JSON, without weights; `kwargs` go to `json.dumps`."""
    return json.dumps(serialize_keras_object(model), **kwargs)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """A fresh model of the architecture that `model.to_json()` described, in Keras 3 or Keras 2.

    Args:
        json_string: The description.
        custom_objects: Dictionary of custom classes and functions by name.

    Returns:
        A model with new weights.
    """
    with explained("The JSON"):
        config = upgrade(model_description(json_string), custom_objects=custom_objects)
        return deserialize_keras_object(config, custom_objects=custom_objects)


def reduce_model(model: Any) -> tuple[Callable, tuple[bytes, dict[str, Any]]]:
    """What `__reduce__` of a model or layer returns: its `.keras` bytes, and the custom classes that they name.

    Pickle refers to those classes by their modules, so they need not be registered.
    """
    stream = io.BytesIO()
    with warnings.catch_warnings(), ObjectSharingScope() as scope:
        warnings.simplefilter("ignore", UserWarning)
        write_model(model, stream)
        custom = dict(scope.custom_objects)
    return unpickle_model, (stream.getvalue(), custom)


def unpickle_model(data: bytes, custom_objects: dict[str, Any]) -> Any:
    """The model or layer that `reduce_model` took apart. Pickles can run code anyway, so lambdas are let through."""
    return read_model(io.BytesIO(data), custom_objects, safe_mode=False)


def _members(model: Any, assets: AssetStore) -> dict[str, bytes]:
    with ObjectSharingScope():
        config = json.dumps(serialize_keras_object(model))
    weights = io.BytesIO()
    with writing_h5(weights) as file:
        save_state(model, WritingStore(file), assets)
    saved = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = json.dumps({"keras_version": KERAS_VERSION, "date_saved": saved})
    return {"metadata.json": metadata.encode(), "config.json": config.encode(), MEMBER: weights.getvalue()}


def _from_config(data: bytes, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool) -> Any:
    config = model_description(data)
    if not compile:
        config["compile_config"] = None
    with ObjectSharingScope():
        model = deserialize_keras_object(config, custom_objects, safe_mode=safe_mode)
    if not is_part(model):
        raise ValueError(f"The config describes {model!r}, which is neither a model nor a layer.")
    return model


def _save_to_directory(model: Any, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in _members(model, AssetStore(directory / "assets")).items():
        with atomic_path(directory / name) as temporary:
            Path(temporary).write_bytes(data)


def _load_from_directory(directory: Path, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool) -> Any:
    with budget.held_against(_size_of(directory / MEMBER)):
        model = _from_config((directory / "config.json").read_bytes(), custom_objects, compile, safe_mode)
    with reading_h5(directory / MEMBER) as weights, SafeModeScope(safe_mode):
        load_state(model, ReadingStore(weights), AssetStore(directory / "assets")).check(skip_mismatch=False)
    return model


def _size_of(filepath: str | os.PathLike) -> int:
    return os.path.getsize(filepath) if os.path.exists(filepath) else 0
