"""What a user's kernel is made of, as a short text that changes when its machine code would.

This library's own kernels are known by the cache's key, which covers their files. Others are looked into: their byte
code, what they close over, the numbers and arrays among the global names that they use, the functions that they call,
and the files of modules that are not installed packages.
"""

import hashlib
import itertools
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

_PLAIN = (int, float, complex, str, bytes, type(None), np.generic, np.dtype)
_unknown = itertools.count()  # what cannot be looked into differs from all else, in every process


def fingerprint(function: types.FunctionType, *options: Any) -> str:
    """Of a function and the options that it is compiled with."""
    digest = hashlib.sha256(repr(options).encode())
    for part in _parts(function, set()):
        digest.update(part)
    return digest.hexdigest()[:12]


def _parts(value: Any, seen: set[int]) -> Iterator[bytes]:
    if isinstance(value, (*_PLAIN, np.ndarray)):
        yield _content(value)
        return
    if isinstance(value, (tuple, list, set, frozenset)):
        yield f"{type(value).__name__} {len(value)}".encode()
        for item in sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value:
            yield from _parts(item, seen)
    elif isinstance(value, dict):
        yield from _parts(sorted(value.items(), key=repr), seen)
    elif id(value) in seen:
        return
    elif isinstance(value, types.CodeType):
        yield value.co_code
        for part in (value.co_names, value.co_varnames, value.co_consts):
            yield from _parts(part, seen)
    elif isinstance(value, types.FunctionType):
        seen.add(id(value))  # it may call itself
        yield from _of_function(value, seen)
    elif isinstance(inner := getattr(value, "py_func", getattr(value, "function", None)), types.FunctionType):
        for option in ("fastmath", "forceinline", "targetoptions"):
            yield from _parts(getattr(value, option, None), seen)
        yield from _parts(inner, seen)
    elif isinstance(value, types.ModuleType):
        yield _of_module(value)
    else:
        yield _named(value)


def _of_function(function, seen):
    own = (function.__module__ or "").partition(".")[0] == "kerasish"  # the cache's key knows its code
    yield f"{function.__module__}.{function.__qualname__}".encode() if own else b""
    yield from () if own else _parts(function.__code__, seen)
    yield from _parts(function.__defaults__, seen)
    for cell in function.__closure__ or ():
        yield from _parts(cell.cell_contents, seen)
    for name in () if own else _names(function.__code__):
        if name in function.__globals__:
            yield name.encode()
            yield from _parts(function.__globals__[name], seen)


def _names(code) -> list[str]:
    """The names that a function's code, and that of functions in it, looks up."""
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return sorted({*code.co_names, *itertools.chain(*inner)})


def _content(value) -> bytes:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}".encode() + value.tobytes()
    return f"{type(value).__name__} {value!r}".encode()


def _of_module(module) -> bytes:
    """An installed module's name; the file of another."""
    import sysconfig  # late: only users' kernels need it

    path = getattr(module, "__file__", None)
    installed = [sysconfig.get_path("stdlib"), sysconfig.get_path("platlib"), sysconfig.get_path("purelib")]
    if path is None or module.__name__.partition(".")[0] == "kerasish" or path.startswith(tuple(installed)):
        return module.__name__.encode()
    return Path(path).read_bytes()


def _named(value) -> bytes:
    """What has a place in a module, by that; all else by nothing that another process would find again."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if module in sys.modules and getattr(sys.modules[module], name or "", None) is value:
        return f"{module}.{name}".encode()
    return f"{id(value)} {next(_unknown)} {os.urandom(8).hex()}".encode()
