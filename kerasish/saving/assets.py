"""Files that layers save beside their variables, such as vocabularies: `assets/<path>/...`."""

import os
import zipfile
from pathlib import Path, PurePosixPath

from kerasish.saving.h5_files import UnsafeFileError

_RATIO = 10  # unpacked bytes per packed byte, beyond the floor
_FLOOR = 1 << 26  # bytes that may be packed as well as they like
_MOST_MEMBERS = 100_000


class AssetStore:
    """A directory with one subdirectory for each part that has assets."""

    def __init__(self, directory: str | os.PathLike):
        self._root = Path(directory)

    def make(self, path: str) -> str:
        """The directory of the part at `path`, made if need be."""
        directory = self._root / path
        directory.mkdir(parents=True, exist_ok=True)
        return str(directory)

    def get(self, path: str) -> str | None:
        """The directory of the part at `path`, or None if it has no assets."""
        directory = self._root / path
        return str(directory) if directory.is_dir() else None

    def files(self) -> list[tuple[Path, str]]:
        """Each file with its name relative to the store, sorted."""
        found = sorted(path for path in self._root.rglob("*") if path.is_file())
        return [(path, path.relative_to(self._root).as_posix()) for path in found]


def extract_assets(archive: zipfile.ZipFile, directory: str | os.PathLike) -> AssetStore:
    """Unpacks the members under `assets/`.

    Args:
        archive: An open `.keras` file.
        directory: An empty directory.

    Returns:
        The store over it.

    Raises:
        ValueError: If a member would land outside the directory, or they unpack to far more than they occupy.
    """
    members = [(member, _parts(member)) for member in archive.infolist() if not member.is_dir()]
    members = [(member, parts) for member, parts in members if parts[0] == "assets"]
    _refuse_bomb(f"{len(members)} members under 'assets/'", [member for member, _ in members], 0)
    for member, parts in members:
        if len(parts) == 1 or ".." in parts or ":" in parts[1]:
            raise ValueError(f"Not allowed: the archive member '{member.filename}' leads out of the archive's assets.")
        target = Path(directory).joinpath(*parts[1:])
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(member))
        except OSError as error:
            raise ValueError(f"The archive member '{member.filename}' cannot be unpacked: {error}") from error
    return AssetStore(directory)


def read_member(archive: zipfile.ZipFile, name: str, needed: int = 0) -> bytes:
    """The bytes of a member, unless they are suspiciously many.

    Args:
        archive: An open zip file.
        name: The member's name.
        needed: How many bytes what is read from them takes anyway.

    Raises:
        ValueError: If there is no such member, more than one, or it unpacks to far more than it occupies.
    """
    found = [member for member in archive.infolist() if member.filename == name]
    if len(found) != 1:
        raise ValueError(
            f"There is no item named '{name}' in the archive" if not found else f"Several are named '{name}'"
        )
    _refuse_bomb(f"the archive member '{name}'", found, needed)
    return archive.read(found[0])


def _parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    return PurePosixPath(member.filename.replace("\\", "/")).parts or ("",)


def _refuse_bomb(what: str, members: list[zipfile.ZipInfo], needed: int) -> None:
    packed, unpacked = sum(member.compress_size for member in members), sum(member.file_size for member in members)
    if len(members) > _MOST_MEMBERS or unpacked > _FLOOR + max(_RATIO * packed, needed):
        raise UnsafeFileError(
            f"Not allowed: {what} would unpack from {packed} to {unpacked} bytes; refusing to load a potential "
            "decompression bomb."
        )
