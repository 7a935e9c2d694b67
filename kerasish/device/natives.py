"""What machine code is made of: serial functions, intrinsics, and natives, which have an address and lie in the cache.

A `Native` is a function of 64-bit integers with machine code of its own, which kernels call by address. Nothing of it
imports Numba: machine code comes from the disk cache, and only where it is not there Numba is asked for it.
"""

import ctypes
import functools
import hashlib
import importlib
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerasish.device import cache, engines, waiting
from kerasish.device.companions import companions
from kerasish.device.fingerprint import fingerprint
from kerasish.device.installed import version
from kerasish.device.sources import kept_name, there

FASTMATH = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})  # never nnan or ninf: a NaN stays a NaN
EXACT = FASTMATH - {"reassoc", "arcp", "afn"}  # sums in the order written
LAYOUT = 4  # of the cache: what older ones hold is not to be loaded
SOURCES = (
    "natives",
    "compiler",
    "entry",
    "jit",
    "lazy",
    "llvm_ir",
    "outline",
    "parallel",
    "pointer",
    "raw",
    "records",
    "thread_pool",
)

functions: dict[int, Callable] = {}  # by address, where compilation is off
_natives: list["Native"] = []
_families: dict[str, "Family"] = {}
_lock = threading.RLock()


class Serial:
    """A serial function that kernels call; what calls it compiles it anew for its own types of arguments."""

    def __init__(self, function: Callable, fastmath: frozenset, forceinline: bool):
        self.function, self.fastmath, self.forceinline = function, fastmath, forceinline
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any) -> Any:
        """Run as plain Python."""
        return self.function(*args)

    @property
    def _numba_type_(self):
        """What Numba takes the name of this function for."""
        return _typing().type_of_serial(self)


class Intrinsic:
    """LLVM IR that natives contain: `function(typing context, *types) -> (signature, codegen)`, as Numba wants it."""

    def __init__(self, function: Callable, fallback: Callable):
        self.function, self.fallback = function, fallback
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any) -> Any:
        """Run as plain Python."""
        return self.fallback(*args)

    @property
    def _numba_type_(self):
        """What Numba takes the name of this intrinsic for."""
        return _typing().type_of_intrinsic(self)


compiling = threading.local()  # its `plainly` is true while Numba itself compiles, not this library's compiler


def _typing():
    """Who says what functions and intrinsics are for the compiler that is at work."""
    if getattr(compiling, "plainly", False):
        from kerasish.device import plain

        return plain
    from kerasish.device import compiler

    return compiler


def njit(
    function: Callable | str | None = None, *, fastmath: frozenset = frozenset(), forceinline: bool = False
) -> Any:
    """Mark a serial function; `jit.njit`, which marks parallel kernels too, says what the options mean.

    Raises:
        TypeError: if a signature is none of `void(int64, ...)`.
    """
    if isinstance(function, str):
        return functools.partial(_native, function)
    if function is None:
        return functools.partial(njit, fastmath=fastmath, forceinline=forceinline)
    return function if compilation_off() else Serial(function, fastmath, forceinline)


def _native(signature, function):
    if not re.fullmatch(r"void\((int64(, ?)?)*\)", signature):
        raise TypeError(f"{function.__qualname__}: expected a signature 'void(int64, ...)'; received {signature!r}")
    module = function.__module__ or "__main__"
    stamp = "" if module.startswith("kerasish.") else fingerprint(function)
    name = f"{module}.{function.__name__}"
    return Native(name, signature.count("int64"), lambda: function, stamp)


def intrinsic(fallback: Callable) -> Callable:
    """Decorate an intrinsic; where compilation is off (`NUMBA_DISABLE_JIT=1`) the name means `fallback`."""
    return lambda function: fallback if compilation_off() else Intrinsic(function, fallback)


class Native:
    """A serial function of 64-bit integers with machine code of its own, which kernels call by `address`.

    What many kernels share is compiled once this way, not once in each of them. `variant` tells functions of one name
    apart; `of_kernel` says that it is one set of types of a `Kernel`, which plain Numba runs in its own way. `made`
    gives the function, which only a compiler needs: machine code is found by name.
    """

    def __init__(self, name: str, arguments: int, made: Callable, variant: str, of_kernel: bool = False):
        self.arguments, self.variant, self.of_kernel, self._made = arguments, variant, of_kernel, made
        self.name = f"{name}-{variant}" if variant else name
        _natives.append(self)

    @functools.cached_property
    def function(self) -> Any:
        """What is compiled: a function, or a kernel's `entry.Entry`."""
        return self._made()

    @functools.cached_property
    def call(self) -> Callable:
        """The function, to be called from Python on this thread alone, without the interpreter's lock."""
        if compilation_off():
            return self.function
        return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * self.arguments)(self.address)

    @functools.cached_property
    def address(self) -> int:
        """Where the machine code lies; where compilation is off, a number that stands for the function."""
        if compilation_off():
            functions[id(self.function)] = self.function
            return id(self.function)
        with _lock:  # whoever waited for another thread finds what that has left
            return self.__dict__.get("address") or self.__dict__.setdefault("address", self._load())

    def _load(self) -> int:
        from kerasish.device import machine

        if engines.engine() == "numba" and not self.of_kernel:
            return self._plain_address()
        code = cache.load(cache_key(), kept_name(self.name))
        if code is None:
            try:
                engines.require(self.name)
            except engines.Broken as error:
                if self.of_kernel:  # which has another way to run
                    raise
                engines.fall_back(error)
                return self._plain_address()
            code = _built([self]).get(self.name)
        if code is None:
            waiting.expect({self.name, *companions(self.name)} - there(cache_key()))
            with waiting.waiting(cache_key()):
                code = self.compile()
            cache.save(cache_key(), kept_name(self.name), code)
            waiting.done(self.name)
        return machine.load(code, self.name)

    def _plain_address(self) -> int:
        from kerasish.device import plain

        return plain.address_of(self)

    def compile(self) -> bytes:
        """The machine code, as an object file.

        Raises:
            Broken: if the compiler does not work with this Numba.
        """
        try:
            return self.compile_here()
        except Exception as error:
            engines.require(self.name, error)
            raise

    def compile_here(self) -> bytes:
        """The machine code, if the compiler works."""
        from kerasish.device import compiler

        return compiler.object_code(self)


class Family:
    """Natives of one name, one for each set of kinds of arguments that is met: a `parallel.Kernel`.

    Args:
        module: Name of the module that makes the family when it is imported.
        name: The name.
    """

    usual: tuple[tuple[str, ...], ...]  # what `warmup` compiles

    def __init__(self, module: str, name: str):
        self.module, self.name, self.natives = module, name, {}
        _families[f"{module}.{name}"] = self

    def entry(self, *kinds: str) -> Any:
        """What is compiled for these kinds: an `entry.Entry`."""
        raise NotImplementedError

    def stamp(self) -> list[str]:
        """What names must hold of code that the cache's key does not cover."""
        raise NotImplementedError

    def native(self, kinds: tuple[str, ...]) -> Native:
        """The native for these kinds."""
        return self.natives.get(kinds) or self._made(kinds)

    def _made(self, kinds):
        variant, made = "-".join([*kinds, *self.stamp()]), functools.partial(self.entry, *kinds)
        return self.natives.setdefault(kinds, Native(f"{self.module}.{self.name}", 2, made, variant, of_kernel=True))


def _built(natives: list[Native]) -> dict[str, bytes]:
    """What other processes compile for this one."""
    from kerasish.device import builders

    if not natives:
        return {}
    with waiting.waiting(cache_key()):
        return builders.build([native.name for native in natives], cache_key())


def warmup() -> None:
    """Compile, or load from the cache, every kernel that imported modules define, for float32 and what goes with it.

    Plain Numba compiles what is run, no more.
    """
    if engines.engine() != "pool":
        return
    for family in list(_families.values()):
        for kinds in family.usual:
            family.native(kinds)
    with _lock:
        natives = [native for native in _natives if "float64" not in native.variant]
        kept = there(cache_key())
        lacking = [native for native in natives if native.name not in kept]
        waiting.expect(native.name for native in lacking)
        _built(lacking)
    for native in natives:
        _ = native.address


def find(name: str) -> Native:
    """The kernel of a name, in the module that the name begins with.

    Raises:
        KeyError: If there is none.
    """
    stem, *kinds = name.split("-")
    importlib.import_module(stem.rpartition(".")[0])
    if stem in _families:
        return _families[stem].native(tuple(kinds))
    return {native.name: native for native in _natives}[name]


def compile_report() -> tuple[int, float]:
    """Kernels compiled (not loaded from the cache) for this process so far, and the seconds it waited for them."""
    return waiting.report()


def compilation_off() -> bool:
    """Whether kernels run as plain Python (`NUMBA_DISABLE_JIT=1`)."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


@functools.cache
def cache_key() -> str:
    """What must change when all machine code would: versions, processor, and the sources of the compiler.

    The names of kernels in the cache tell their own sources (`sources.kept_name`).
    """
    from kerasish import _VERSION
    from kerasish.device import machine

    made_by = (LAYOUT, version("numba"), version("llvmlite"), machine.processor())
    digest = hashlib.sha256(repr(made_by).encode())
    for name in SOURCES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return f"{_VERSION}-{digest.hexdigest()[:12]}"


def _after_fork_in_child() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
