"""HDF5 groups as the dictionaries that `save_own_variables` and `load_own_variables` are given."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from kerasish.core import dtypes
from kerasish.saving.h5_files import Group


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

    def __init__(self, root: Group):
        self._root = root
        self.used: set[str] = set()

    def entry(self, path: str, needed: int = 0) -> "ReadingEntry":
        """The dictionary of the object at `path`, empty if the file has none.

        Args:
            path: Where the object stands.
            needed: How many bytes its variables take.
        """
        for candidate in (path, path.replace("layers", "_layer_checkpoint_dependencies")):
            group = self._root.find(f"{candidate}/vars" if candidate else "vars")
            if group is not None:
                self.used.add(candidate)
                return ReadingEntry(group, needed)
        return ReadingEntry(None)

    def unused(self) -> dict[str, int]:
        """The paths that hold variables and that nobody asked for, with how many there are."""
        found = ((path, group) for path, group in self._root.walk() if f"/{path}".endswith("/vars"))
        counts = {path[: -len("/vars")] if path != "vars" else "": len(group.sizes()) for path, group in found}
        return {path: count for path, count in counts.items() if count and path not in self.used}


class ReadingEntry(MutableMapping):
    """The variables of one object, as the file has them; assigning to it is an error."""

    def __init__(self, group: Group | None, needed: int = 0):
        self._group, self._needed = group, needed

    def __getitem__(self, key: str) -> np.ndarray:
        if self._group is None:
            raise KeyError(key)
        return self._group.dataset(str(key)).read(self._needed)

    def __setitem__(self, key: str, value: Any) -> None:
        raise ValueError("Setting a value is only allowed in write mode.")

    def __delitem__(self, key: str) -> None:
        raise ValueError("Deleting a value is only allowed in write mode.")

    def __iter__(self) -> Iterator[str]:
        return iter(self._group.keys() if self._group is not None else ())

    def __len__(self) -> int:
        return len(self._group.keys()) if self._group is not None else 0

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each variable, by key."""
        return self._group.sizes() if self._group is not None else {}
