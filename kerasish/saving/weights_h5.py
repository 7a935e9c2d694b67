"""Weights files: `.weights.h5` in Keras 3's own layout, and loading from whatever else holds weights."""

import contextlib
import io
import math
import os
import zipfile
from collections.abc import Iterator
from typing import Any

from kerasish.core import dtypes
from kerasish.core.errors import not_yet
from kerasish.saving.assets import read_member
from kerasish.saving.checks import explained
from kerasish.saving.files import as_path, atomic_path, may_write, require_file
from kerasish.saving.h5_files import Group, reading_h5, writing_h5
from kerasish.saving.h5_store import ReadingStore, WritingStore
from kerasish.saving.report import LoadReport
from kerasish.saving.state import load_state, save_state

MEMBER = "model.weights.h5"


def save_weights(
    model: Any,
    filepath: str | os.PathLike,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    objects_to_skip: Any = None,
    **kwargs: Any,
) -> None:
    """Saves all weights of a model, its optimizer's included, to a `.weights.h5` file that real Keras reads too.

    The file is written whole: if saving fails, an older file of that name stays as it was.

    Args:
        model: A model or layer.
        filepath: Where to save; must end in `.weights.h5`.
        overwrite: Whether an existing file is replaced without asking.
        max_shard_size: Must be `None`: splitting a model over several files is not supported.
        objects_to_skip: Layers, or other parts, to leave out.

    Raises:
        ValueError: If the file's name does not end in `.weights.h5`, or the model has no weights yet.
    """
    filepath = as_path(filepath)
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {kwargs}")
    _require_built(model, "saving")
    if max_shard_size is not None:
        raise not_yet(f"Saving in shards (max_shard_size={max_shard_size})", "leave max_shard_size=None: one file")
    if not filepath.endswith(".weights.h5"):
        raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={filepath}")
    if not may_write(filepath, overwrite):
        return
    with atomic_path(filepath) as temporary, writing_h5(temporary) as file:
        save_state(model, WritingStore(file), skip={id(part) for part in objects_to_skip or ()})


def load_weights(
    model: Any,
    filepath: str | os.PathLike,
    skip_mismatch: bool = False,
    by_name: bool | None = None,
    objects_to_skip: Any = None,
    **kwargs: Any,
) -> LoadReport:
    """Loads weights from a `.weights.h5`, `.keras` or Keras-2 `.h5` file into a model of the same structure.

    Args:
        model: A built model or layer.
        filepath: The file.
        skip_mismatch: Whether layers whose variables differ in number or shape from the saved ones are left as they
            are, with a warning, rather than an error.
        by_name: Whether layers are matched by name; for Keras-2 `.h5` files only.
        objects_to_skip: Layers, or other parts, to leave as they are; for `.weights.h5` files only.

    Returns:
        A report of what was loaded, what was skipped and why, and what the file held besides.

    Raises:
        ValueError: If the model is not built, the file is of no known kind, or a layer does not fit.
        FileNotFoundError: If there is no such file.
    """
    filepath = as_path(filepath)
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {kwargs}")
    if not filepath.endswith((".keras", ".h5", ".hdf5", ".weights.json")):
        raise ValueError(
            f"File format not supported: filepath={filepath}. Keras 3 only supports V3 `.keras` files, `.weights.h5` "
            "files, and legacy H5 format files (`.h5` extension)."
        )
    if by_name is not None and filepath.endswith((".keras", ".weights.h5", ".weights.json")):
        raise ValueError(f"`by_name` only supports loading legacy '.h5' or '.hdf5' files. Received: {filepath}")
    if objects_to_skip is not None and not filepath.endswith((".weights.h5", ".weights.json")):
        raise ValueError(f"`objects_to_skip` only supports loading '.weights.h5' files. Received: {filepath}")
    if filepath.endswith(".weights.json"):
        raise not_yet("Loading weights from shards (.weights.json)", "save them as one .weights.h5 file")
    require_file(filepath)
    _require_built(model, "loading")
    with explained(filepath):
        report = _read(model, filepath, by_name, skip_mismatch, {id(part) for part in objects_to_skip or ()})
    report.check(skip_mismatch)
    return report


def _read(model: Any, filepath: str, by_name: bool | None, skip_mismatch: bool, skip: set[int]) -> LoadReport:
    if filepath.endswith(".keras"):
        with zipfile.ZipFile(filepath) as archive, reading_member(archive, model) as file:
            return load_state(model, weights=ReadingStore(file), skip=skip)
    with reading_h5(filepath) as file:
        if filepath.endswith(".weights.h5"):
            return load_state(model, weights=ReadingStore(file), skip=skip)
        from kerasish.saving.legacy_h5 import load_weights_from  # late: few files are so old

        return load_weights_from(file, model, by_name=bool(by_name), skip_mismatch=skip_mismatch, skip=skip)


@contextlib.contextmanager
def reading_member(archive: zipfile.ZipFile, model: Any) -> Iterator[Group]:
    """The weights in an open `.keras` file, which may take as much memory as the model twice over."""
    variables = [*getattr(model, "variables", ()), *getattr(getattr(model, "optimizer", None), "variables", ())]
    needed = sum(math.prod(variable.shape) * dtypes.numpy_dtype(variable.dtype).itemsize for variable in variables)
    with reading_h5(io.BytesIO(read_member(archive, MEMBER, 2 * needed))) as file:
        yield file


def _require_built(model: Any, doing: str) -> None:
    if not model.built:
        doing = "saving a" if doing == "saving" else "loading weights into a"
        raise ValueError(
            f"You are {doing} model that has not yet been built. "
            "Try building the model first by calling it on some data or by using `build()`."
        )
