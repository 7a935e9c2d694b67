"""Files that are whole or absent: atomic writing, and asking before an existing one is replaced."""

import contextlib
import functools
import hashlib
import os
import platform
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MARK = "kerasish"
_LEFT = re.compile(rf"\..+\.{_MARK}-(?P<host>[0-9a-f]{{8}})-(?P<process>\d+)-[^-]+\.tmp")
_OLD = 24 * 3600  # seconds


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
    _sweep(target.parent)
    prefix = f".{target.name[:100]}.{_MARK}-{_host()}-{os.getpid()}-"
    handle, temporary = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=target.parent)
    os.close(handle)
    try:
        yield temporary
        os.chmod(temporary, _mode_for(target))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise


def _sweep(directory: Path) -> None:
    """Removes what saves that were killed have left here: those of dead processes, and of other machines a day old."""
    for path in directory.glob(f".*.{_MARK}-*.tmp"):
        found = _LEFT.fullmatch(path.name)
        with contextlib.suppress(OSError):
            if found and _is_stale(path, found["host"], int(found["process"])):
                path.unlink()


def _is_stale(path: Path, host: str, process: int) -> bool:
    if host != _host():
        return time.time() - path.stat().st_mtime > _OLD
    return process != os.getpid() and not _is_alive(process)


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere, asking would be killing
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's, or no way to ask
        return True
    return True


@functools.cache
def _host() -> str:
    """The machine, told from others that may share the directory; process numbers are its own."""
    import uuid

    return hashlib.sha256(f"{platform.node()} {uuid.getnode()}".encode()).hexdigest()[:8]


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
