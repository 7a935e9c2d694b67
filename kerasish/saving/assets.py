"""Files that layers save beside their variables, such as vocabularies: `assets/<path>/...`."""

import os
import zipfile
from pathlib import Path, PurePosixPath

_MAX_RATIO = 1000  # unpacked bytes per packed byte
_MAX_FLOOR = 1 << 26  # bytes; smaller members may be packed as well as they like


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
        ValueError: If a member would land outside the directory, or unpacks to far more than it occupies.
    """
    for member in archive.infolist():
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        if parts[:1] != ("assets",) or member.is_dir():
            continue
        if ".." in parts or ":" in parts[1]:
            raise ValueError(f"Not allowed: the archive member '{member.filename}' leads out of the archive.")
        target = Path(directory).joinpath(*parts[1:])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read_member(archive, member))
    return AssetStore(directory)


def read_member(archive: zipfile.ZipFile, member: str | zipfile.ZipInfo) -> bytes:
    """The bytes of a member, unless they are suspiciously many.

    Raises:
        ValueError: If the member unpacks to more than 1000 times (and 64 MB) what it occupies.
    """
    info = archive.getinfo(member) if isinstance(member, str) else member
    if info.file_size > max(_MAX_FLOOR, _MAX_RATIO * info.compress_size):
        raise ValueError(
            f"Not allowed: the archive member '{info.filename}' unpacks from {info.compress_size} to {info.file_size} "
            "bytes; refusing to load a potential decompression bomb."
        )
    return archive.read(info)
