"""The one door to HDF5: whatever is read from such a file is read through here.

A group or dataset is handed out only if it stands in this very file, under one name: external and soft links, further
hard links, virtual datasets and datasets with their data in other files are refused, since they make a file of weights
read (and give away) other files of the machine. No dataset is read that would take far more memory than the file has.
"""

import contextlib
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasish.core import dtypes

FLOOR = 1 << 26  # bytes; smaller datasets may be as sparse as they like
RATIO = 10  # unpacked bytes per stored byte, beyond the floor
_DEEPEST = 1000  # groups within groups
_MOST_NAMES = 1_000_000  # in one attribute


class UnsafeFileError(ValueError):
    """A file tries to lead its reader to other files, or to fill the memory."""


@contextlib.contextmanager
def writing_h5(file: Any) -> Iterator[Any]:
    """A new `h5py.File` at a path or over a binary stream."""
    import h5py

    with h5py.File(file, mode="w") as handle:
        yield handle


@contextlib.contextmanager
def reading_h5(file: Any) -> Iterator["Group"]:
    """The root group of the file at a path or in a binary stream.

    Raises:
        OSError: If it is no HDF5 file, or a damaged one.
    """
    import h5py

    label = os.fspath(file) if isinstance(file, (str, os.PathLike)) else "the weights' file"
    try:
        with h5py.File(file, mode="r") as handle:
            yield Group(handle, label)
    except RuntimeError as error:
        if _raised_by_hdf5(error):
            raise OSError(f"the HDF5 data are damaged: {error}") from error
        raise


def _raised_by_hdf5(error: BaseException) -> bool:
    """Whether h5py itself gave up on the file, rather than code that was called with what it read."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] == "h5py"


class _Member:
    """What groups and datasets have in common: attributes, and a place in the file for messages."""

    def __init__(self, handle: Any, path: str):
        self._handle, self.path = handle, path

    def text(self, name: str) -> str | None:
        """An attribute that is one string; None if it is not there.

        Raises:
            ValueError: If it is something else.
        """
        if name not in self._handle.attrs:
            return None
        value = self._handle.attrs[name]
        if not isinstance(value, (str, bytes)):
            raise ValueError(f"Attribute '{name}' of {self.path} is {type(value).__name__}; expected text.")
        return _decoded(value, name)

    def names(self, name: str) -> list[str]:
        """An attribute that is a list of strings, or, if it was long, several: `name0`, `name1`, ...

        Raises:
            ValueError: If it is something else.
        """
        if name in self._handle.attrs:
            return self._list(name)
        found, part = [], 0
        while f"{name}{part}" in self._handle.attrs:
            found.extend(self._list(f"{name}{part}"))
            part += 1
        return found

    def has(self, name: str) -> bool:
        """Whether there is such an attribute."""
        return name in self._handle.attrs

    def _list(self, name: str) -> list[str]:
        shape = self._handle.attrs.get_id(name).shape
        if shape is None or len(shape) != 1 or shape[0] > _MOST_NAMES:
            raise ValueError(f"Attribute '{name}' of {self.path} has shape {shape}; expected a list of names.")
        values = list(self._handle.attrs[name])
        if not all(isinstance(value, (str, bytes)) for value in values):
            raise ValueError(f"Attribute '{name}' of {self.path} holds something else than names: {values[:3]}")
        return [_decoded(value, name) for value in values]


class Group(_Member):
    """A group whose members are looked at before they are touched."""

    def keys(self) -> list[str]:
        """The names of what stands directly in the group."""
        return list(self._handle)

    def __contains__(self, path: str) -> bool:
        """Whether something stands at `path`; links count as something, and are refused when they are followed."""
        owner, _, name = path.rpartition("/")
        group = self.find(owner) if owner else self
        return group is not None and group._handle.id.links.exists(_encoded(name))

    def find(self, path: str) -> "Group | None":
        """The group at `path`, or None if there is nothing.

        Raises:
            ValueError: If the way there leads over a link, or a dataset stands there.
        """
        group = self
        for part in path.split("/"):
            member = group._member(part)
            if member is None:
                return None
            if not isinstance(member, Group):
                raise ValueError(f"Invalid H5 file, expected Group but received Dataset at {member.path}")
            group = member
        return group

    def group(self, path: str) -> "Group":
        """The group at `path`.

        Raises:
            ValueError: If there is none, or a link on the way.
        """
        group = self.find(path)
        if group is None:
            raise ValueError(f"There is no group '{path}' in {self.path}.")
        return group

    def dataset(self, path: str) -> "Dataset":
        """The dataset at `path`.

        Raises:
            KeyError: If there is none.
            ValueError: If it is a group, its data stand elsewhere, or a link is on the way.
        """
        owner, _, name = path.rpartition("/")
        group = self.find(owner) if owner or path.startswith("/") else self
        member = group._member(name) if group is not None else None
        if member is None:
            raise KeyError(path)
        if not isinstance(member, Dataset):
            raise ValueError(f"Invalid H5 file, expected Dataset, received Group at {member.path}")
        return member

    def walk(self) -> Iterator[tuple[str, "Group"]]:
        """Each group below this one, with its path from here.

        Raises:
            UnsafeFileError: If groups stand in groups a thousand deep.
        """
        waiting = [("", self, 0)]
        while waiting:
            path, group, depth = waiting.pop()
            if depth > _DEEPEST:
                raise UnsafeFileError(f"Not allowed: H5 file with groups nested more than {_DEEPEST} deep")
            yield path, group
            for name in reversed(group.keys()):
                member = group._member(name)
                if isinstance(member, Group):
                    waiting.append((f"{path}/{name}" if path else name, member, depth + 1))

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each dataset directly in the group, by name."""
        members = {name: self._member(name) for name in self.keys()}
        return {name: member.shape for name, member in members.items() if isinstance(member, Dataset)}

    def _member(self, name: str) -> "Group | Dataset | None":
        import h5py

        if name in ("", ".") or "\0" in name:
            raise ValueError(f"Invalid path in H5 file: a part of it is {name!r} (in {self.path})")
        links, key = self._handle.id.links, _encoded(name)
        if not links.exists(key):  # asks for the link alone; `in` would open the file that it leads to
            return None
        if (kind := links.get_info(key).type) != h5py.h5l.TYPE_HARD:
            link = {h5py.h5l.TYPE_SOFT: "SoftLink", h5py.h5l.TYPE_EXTERNAL: "ExternalLink"}.get(kind, "a user's link")
            raise UnsafeFileError(
                f"Not allowed: H5 file with {link} ('{name}' in {self.path}); it may lead to other files"
            )
        handle, path = self._handle[name], f"{self.path}/{name}"
        if not isinstance(handle, (h5py.Group, h5py.Dataset)):
            raise ValueError(f"Invalid H5 file, expected Group or Dataset, received {type(handle)} at {path}")
        if h5py.h5o.get_info(handle.id).rc > 1:
            raise UnsafeFileError(
                f"Not allowed: H5 file with several HardLinks to one object ('{name}' in {self.path}); its copies "
                "could fill the memory"
            )
        return Group(handle, path) if isinstance(handle, h5py.Group) else Dataset(handle, path)


class Dataset(_Member):
    """A dataset whose data stand in this file."""

    def __init__(self, handle: Any, path: str):
        super().__init__(handle, path)
        if handle.external or handle.is_virtual:
            raise UnsafeFileError(
                f"Not allowed: H5 file with external or virtual Dataset ({path}); its data stand elsewhere"
            )
        if handle.shape is None or handle.dtype.hasobject:
            raise ValueError(
                f"Invalid H5 file, expected numbers, received {handle.dtype} of shape {handle.shape} at {path}"
            )
        self.shape: tuple[int, ...] = tuple(handle.shape)

    def read(self, needed: int = 0) -> np.ndarray:
        """The data.

        Args:
            needed: How many bytes the caller has room for anyway.

        Raises:
            UnsafeFileError: If the data take far more memory than that and than they take in the file.
        """
        declared = math.prod(self.shape) * self._handle.dtype.itemsize
        stored = self._handle.id.get_storage_size()
        if declared > max(FLOOR, needed, RATIO * stored):
            raise UnsafeFileError(
                f"Not allowed: H5 dataset {self.path} declares {declared} bytes but only {stored} are stored; "
                "refusing to load a potential decompression bomb."
            )
        data = np.asarray(self._handle)
        return data.view(dtypes.numpy_dtype("bfloat16")) if self._is_bfloat16() else data

    def _is_bfloat16(self) -> bool:
        return self.has("dtype") and self.text("dtype") == "bfloat16" and self._handle.dtype.itemsize == 2


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _decoded(value: str | bytes, name: str) -> str:
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError as error:
        raise ValueError(f"Attribute '{name}' is not text in UTF-8: {error}") from None
