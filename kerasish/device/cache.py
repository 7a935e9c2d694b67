"""The disk cache of compiled kernels: where it lies, and that nothing about it can ever be an error."""

import functools
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator


def attach(dispatcher: Callable, key: str, tag: str) -> None:
    """Give a Numba dispatcher a disk cache in the first usable folder; without one it compiles anew each run."""
    folder = cache_folder(key)
    if folder is None:
        return
    try:
        dispatcher._cache = _cache_class()(dispatcher.__wrapped__, folder, tag)
    except Exception:  # Numba's caching internals are not a public interface: without them we only lose the cache
        return


@functools.cache
def cache_folder(key: str) -> str | None:
    """The folder of this version's kernels: the first candidate that can be written or already holds kernels."""
    for parent in _candidates():
        folder = os.path.join(parent, f"kernels-{key}-py{sys.version_info[0]}{sys.version_info[1]}")
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
        return os.path.isdir(folder) and any(name.endswith(".nbi") for name in _names(folder))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


@functools.cache
def _cache_class() -> type:
    """Numba's function cache in a folder of our choice, stamped with the defining file's content."""
    from numba.core import caching

    class Locator(caching._CacheLocator):
        def __init__(self, function, folder, tag):
            self.folder, self.line = folder, f"{function.__code__.co_firstlineno}{tag}"
            with open(function.__code__.co_filename, "rb") as source:
                self.stamp = hashlib.sha256(source.read()).hexdigest()

        def get_cache_path(self):
            return self.folder

        def get_source_stamp(self):
            return self.stamp

        def get_disambiguator(self):
            return self.line

        def ensure_cache_path(self):
            return None

    class Impl(caching.CompileResultCacheImpl):
        def __init__(self, function, folder, tag):
            self._locator = Locator(function, folder, tag)
            name = f"{function.__module__}.{function.__name__}"
            self._filename_base = self.get_filename_base(name, self._locator.line)

    class KernelCache(caching.FunctionCache):
        def __init__(self, function, folder, tag):
            self._name, self._py_func, self._impl = repr(function), function, Impl(function, folder, tag)
            self._cache_path = folder
            self._cache_file = caching.IndexDataCacheFile(
                folder, self._impl.filename_base, self._impl.locator.get_source_stamp()
            )
            self.enable()

        def _index_key(self, signature, codegen):
            return (
                signature,
                codegen.magic_tuple(),
            )  # the source is in the stamp, closures and flags are in the file's name

        def load_overload(self, signature, target_context):
            try:
                return super().load_overload(signature, target_context)
            except Exception:  # a damaged or foreign file: compile instead
                return None

        def save_overload(self, signature, data):
            try:
                super().save_overload(signature, data)
            except Exception:  # a full or read-only disk: the kernel works all the same
                return

    return KernelCache
