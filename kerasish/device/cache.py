"""The disk cache of compiled kernels: where it lies, and that nothing about it can ever be an error.

A kernel is a file: the SHA-256 of its machine code, then the machine code, as an object file.
"""

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Iterator

SUFFIX, DIGEST = ".kernel", hashlib.sha256().digest_size


def load(key: str, name: str) -> bytes | None:
    """The machine code of a kernel, or None if it is not there or damaged."""
    folder = cache_folder(key)
    if folder is None:
        return None
    try:
        with open(os.path.join(folder, name + SUFFIX), "rb") as file:
            digest, code = file.read(DIGEST), file.read()
    except OSError:
        return None
    return code if hashlib.sha256(code).digest() == digest else None


def save(key: str, name: str, code: bytes) -> None:
    """Keep the machine code of a kernel; others see either the whole file or none."""
    folder = cache_folder(key)
    if folder is None:
        return
    part = os.path.join(folder, f"{name}.{os.urandom(6).hex()}")
    try:
        with open(part, "xb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(part, os.path.join(folder, name + SUFFIX))
    except OSError:  # a full or read-only disk: the kernel works all the same
        with contextlib.suppress(OSError):
            os.remove(part)


def kernels(folder: str | None) -> list[str]:
    """The names of the kernels that a folder holds."""
    if folder is None:
        return []
    try:
        return [name.removesuffix(SUFFIX) for name in os.listdir(folder) if name.endswith(SUFFIX)]
    except OSError:
        return []


@functools.cache
def cache_folder(key: str) -> str | None:
    """The folder of this version's kernels: the first candidate that can be written or already holds kernels."""
    for parent in _candidates():
        folder = os.path.join(parent, f"kernels-{key}")
        if _usable(folder):
            return folder
    return None


def _candidates() -> Iterator[str]:
    """KERASISH_CACHE_DIR, beside the package, the user's cache folder, the temporary folder."""
    if os.environ.get("KERASISH_CACHE_DIR"):
        yield os.environ["KERASISH_CACHE_DIR"]
    yield os.path.join(os.path.dirname(os.path.dirname(__file__)), "__pycache__")
    home = os.path.expanduser("~")
    yield os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "kerasish")
    user = getattr(os, "getuid", lambda: "user")()
    yield os.path.join(tempfile.gettempdir(), f"kerasish-{user}")


def _usable(folder: str) -> bool:
    """Whether kernels can be kept here, or another user has already put some (a read-only image)."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and os.stat(folder).st_uid not in (os.getuid(), 0):
            return False  # cached kernels are code: never run what another user could have put there
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return bool(kernels(folder))
