"""What a kernel's machine code is made of, for its name in the cache: its module's file, and those that this imports.

An edit of a kernel so recompiles what is made of it, and nothing else. The compiler's own files and all versions are in
the cache's key (`natives.cache_key`); a user's kernel has a fingerprint of its own (`fingerprint.py`).
"""

import functools
import hashlib
import re
from pathlib import Path

from kerasish.device import cache

ROOT = Path(__file__).parents[1]
OURS = "kerasish.kernels."
IMPORT = re.compile(rf"^from {re.escape(OURS)}([\w.]+) import (\([^)]*\)|.*)", re.MULTILINE)


def kept_name(name: str) -> str:
    """What a kernel is called in the cache: its name, and a digest of what it is made of."""
    module = name.partition("-")[0].rpartition(".")[0]
    return f"{name}@{digest(module)}" if module.startswith(OURS) else name


def there(key: str) -> set[str]:
    """The names of the kernels in the cache, made of the files as they are."""
    found = {kept: kept.partition("@")[0] for kept in cache.kernels(cache.cache_folder(key))}
    return {name for kept, name in found.items() if kept == kept_name(name)}


@functools.cache
def digest(module: str) -> str:
    """Of a module of kernels: its file, and those of kernels that it imports, and these."""
    return hashlib.sha256(b"".join(_source(name)[0] for name in files(module))).hexdigest()[:8]


@functools.cache
def files(module: str) -> list[str]:
    """The modules of kernels that a module is made of, in order; itself, too."""
    todo, found = [module], set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(_source(name)[1])
    return sorted(found)


@functools.cache
def _source(module: str) -> tuple[bytes, list[str]]:
    """What a module's file holds, and the modules of kernels that it imports when it is imported."""
    text = _file(module).read_bytes()
    found = set()
    for inside, names in IMPORT.findall(text.decode()):
        parts = [f"{OURS}{inside}.{name}" for name in re.findall(r"\w+", names)]
        found |= {part for part in parts if _file(part).is_file()} or {OURS + inside}
    return text, sorted(found)


def _file(module: str) -> Path:
    place = ROOT.joinpath(*module.split(".")[1:])
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
