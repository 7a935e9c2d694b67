"""HDF5 groups as the dictionaries that `save_own_variables` and `load_own_variables` are given."""

import math
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from kerasish.core import dtypes

_BOMB_FLOOR = 1 << 32  # bytes; smaller datasets may be as sparse as they like
_BOMB_RATIO = 1000  # declared bytes per stored byte


class UnsafeFileError(ValueError):
    """A file tries to lead its reader to other files, or to fill the memory."""


def open_h5(file: Any, mode: str) -> Any:
    """An open `h5py.File` over a path or a binary stream."""
    import h5py

    return h5py.File(file, mode=mode)


class WritingStore:
    """Where objects put their variables: one group `<path>/vars` for each."""

    def __init__(self, h5_file: Any):
        self._file = h5_file

    def entry(self, path: str, name: str | None = None) -> "WritingEntry":
        """The dictionary of the object at `path`; a named one gets its group even if it stays empty, as in Keras."""
        entry = WritingEntry(self._file, f"{path}/vars" if path else "vars")
        if name is not None:
            entry.group().attrs["name"] = name
        return entry


class WritingEntry(MutableMapping):
    """The variables of one object, on their way into the file."""

    def __init__(self, h5_file: Any, path: str):
        self._file, self._path = h5_file, path

    def group(self) -> Any:
        """The HDF5 group, made when it is first needed."""
        return self._file.require_group(self._path)

    def __setitem__(self, key: str, value: Any) -> None:
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        dataset = self.group().create_dataset(str(key), data=array)
        if dtypes.name_of(array) == "bfloat16":
            dataset.attrs["dtype"] = "bfloat16"

    def __getitem__(self, key: str) -> np.ndarray:
        return np.asarray(self.group()[str(key)])

    def __delitem__(self, key: str) -> None:
        del self.group()[str(key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.group())

    def __len__(self) -> int:
        return len(self.group())


class ReadingStore:
    """Where objects find their variables, and a note of what was asked for."""

    def __init__(self, h5_file: Any):
        self._file = h5_file
        self.used: set[str] = set()

    def entry(self, path: str) -> "ReadingEntry":
        """The dictionary of the object at `path`, empty if the file has none."""
        for candidate in (path, path.replace("layers", "_layer_checkpoint_dependencies")):
            group = _group_at(self._file, f"{candidate}/vars" if candidate else "vars")
            if group is not None:
                self.used.add(candidate)
                return ReadingEntry(group)
        return ReadingEntry({})

    def has(self, path: str) -> bool:
        """Whether there is anything at `path`."""
        return path in self._file

    def unused(self) -> dict[str, int]:
        """The paths that hold variables and that nobody asked for, with how many there are."""
        counts: dict[str, int] = {}
        self._file.visititems(lambda name, item: _count_variable(counts, name, item))
        return {path: count for path, count in counts.items() if path not in self.used}


def _count_variable(counts: dict[str, int], name: str, item: Any) -> None:
    owner, _, rest = f"/{name}".rpartition("/vars/")
    if rest and hasattr(item, "shape"):
        path = owner.lstrip("/")
        counts[path] = counts.get(path, 0) + 1


class ReadingEntry(MutableMapping):
    """The variables of one object, as the file has them; assigning to it is an error."""

    def __init__(self, group: Any):
        self._group = group

    def __getitem__(self, key: str) -> np.ndarray:
        dataset = checked_dataset(self._group, str(key))
        if dataset.attrs.get("dtype") == "bfloat16":
            return np.asarray(dataset).view(dtypes.numpy_dtype("bfloat16"))
        return np.asarray(dataset)

    def __setitem__(self, key: str, value: Any) -> None:
        raise ValueError("Setting a value is only allowed in write mode.")

    def __delitem__(self, key: str) -> None:
        raise ValueError("Deleting a value is only allowed in write mode.")

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each variable, by key."""
        return {key: tuple(checked_dataset(self._group, key).shape) for key in self}


def _group_at(h5_file: Any, path: str) -> Any | None:
    """The group at `path`, or None; links that lead out of the file are refused on the way."""
    import h5py

    group = h5_file
    for part in path.split("/"):
        _refuse_links(group, part)
        if part not in group:
            return None
        group = group[part]
        if not isinstance(group, h5py.Group):
            raise ValueError(f"Invalid H5 file, expected Group but received {type(group)} at '{path}'")
    return group


def _refuse_links(group: Any, name: str) -> None:
    import h5py

    link = group.get(name, default=None, getclass=True, getlink=True)
    if link in (h5py.ExternalLink, h5py.SoftLink):
        raise UnsafeFileError(f"Not allowed: H5 file with {link.__name__} ('{name}'); it may lead to other files")


def checked_dataset(group: Any, name: str) -> Any:
    """The dataset, if its data really stand in this file."""
    import h5py

    if isinstance(group, dict):
        raise KeyError(name)
    _refuse_links(group, name)
    if name not in group:
        raise KeyError(name)
    dataset = group[name]
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"Invalid H5 file, expected Dataset, received {type(dataset)}")
    if dataset.external or dataset.is_virtual:
        raise UnsafeFileError(
            f"Not allowed: H5 file with external or virtual Dataset '{name}'; its data stand elsewhere"
        )
    declared, stored = math.prod(dataset.shape) * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if declared > max(_BOMB_FLOOR, _BOMB_RATIO * stored):
        raise UnsafeFileError(
            f"Not allowed: H5 dataset '{name}' declares {declared} bytes but only {stored} are stored; "
            "refusing to load a potential decompression bomb."
        )
    return dataset
