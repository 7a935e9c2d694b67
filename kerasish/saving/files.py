"""Files that are whole or absent: atomic writing, and asking before an existing one is replaced."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def atomic_path(filepath: str | os.PathLike) -> Iterator[str]:
    """Gives a path to write to; what was written takes the place of `filepath` only if the block succeeds.

    Args:
        filepath: Where the file should be in the end.

    Raises:
        FileNotFoundError: If the directory does not exist.
    """
    target = Path(filepath)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot write '{target}': the directory '{target.parent}' does not exist; create it first."
        )
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    os.close(handle)
    try:
        yield temporary
        os.chmod(temporary, _mode_for(target))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise


def _mode_for(target: Path) -> int:
    """The permissions of the file that is replaced, or those that `open` would have given."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def may_write(filepath: str | os.PathLike, overwrite: bool) -> bool:
    """Whether to go on: asks on the terminal if the file is there and `overwrite` is off."""
    if overwrite or not os.path.exists(filepath):
        return True
    answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"


def as_path(filepath: Any) -> str:
    """The path as a string (for whatever is not a path too: messages show it)."""
    return os.fspath(filepath) if isinstance(filepath, os.PathLike) else str(filepath)


def require_file(filepath: str) -> None:
    """Raises if there is no such file.

    Raises:
        FileNotFoundError: If there is none.
    """
    if not os.path.isfile(filepath):
        raise FileNotFoundError(f"File not found: filepath={filepath} (in directory {os.getcwd()}). Check the path.")
