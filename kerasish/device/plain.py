"""Kernels by plain Numba: `numba.njit(parallel=True)` of the same source, by Numba's public names alone.

Numba's own threads run the loop over tasks. A launch that finds another one running (of another Python thread) does
its work alone: Numba's simplest threads may not be entered twice.
"""

import contextlib
import ctypes
import functools
import glob
import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np
from numba.extending import intrinsic

from kerasish.device import cache, entering, natives, waiting
from kerasish.device.outline import outlined
from kerasish.device.raw import address
from kerasish.device.sources import kept_name

_kept: list = []
_met: set = set()  # kernels, with the kinds of arguments for which they are there
LOOP = """
def loop({given}):
    for task in prange(tasks):
        first(int64(task), int64({thread}), {given})
"""
TWO_LOOPS = f"""{LOOP}
    between({{given}})
    for task in prange(tasks_after):
        second(int64(task), int64({{thread}}), {{given}})
"""


def run(kernel: Any, kinds: list[str], tasks: int, arguments: tuple, threads: int) -> None:
    """Run a `parallel.Kernel` on arguments of these kinds."""
    arguments = tuple(map(_usual, arguments))
    if threads == 1:
        _run(kernel, False, kinds, tasks, arguments)
        return
    with entering.Turn(wait=False) as turn:
        if not turn.taken:
            _run(kernel, False, kinds, tasks, arguments)
            return
        before = numba.get_num_threads()
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        try:
            _run(kernel, True, kinds, tasks, arguments)
        finally:
            numba.set_num_threads(before)


def _usual(x):
    """An argument of the one type that its kind stands for: for read-only arrays and short integers, which are of
    other types to it, Numba would compile anew."""
    if isinstance(x, np.ndarray):
        if x.flags.writeable:
            return x
        return np.ndarray(x.shape, x.dtype, (ctypes.c_char * max(x.nbytes, 1)).from_address(address(x)))
    return x if isinstance(x, float) else int(x)


def _run(kernel, parallel, kinds, tasks, arguments):
    dispatcher, key = compiled(kernel, parallel), (kernel, parallel, *kinds)
    with _plainly():
        if key in _met:
            dispatcher(tasks, *arguments)
            return
        with _waiting("-".join([f"{kernel.module}.{kernel.name}", *kinds]), dispatcher.py_func):
            dispatcher(tasks, *arguments)
        _met.add(key)


@contextmanager
def _waiting(name: str, function: Any) -> Iterator[None]:
    """While Numba compiles the first code of a function it is shown, as the other compiler's work is."""
    folder, file = os.path.split(function.__code__.co_filename)
    if glob.glob(os.path.join(glob.escape(folder), "__pycache__", f"{glob.escape(file.removesuffix('.py'))}.*")):
        yield
        return
    waiting.expect([name])
    with waiting.waiting(natives.cache_key()):
        yield
    waiting.done(name)


def call(dispatcher: Any, arguments: tuple, options: dict) -> Any:
    """The result of what a user's `numba.njit(parallel=True)` has made; by its twin for one thread where others may not
    be entered."""
    with entering.Turn(wait=True) as turn:
        return (dispatcher if turn.taken else serial_twin(dispatcher))(*arguments, **options)


@functools.cache
def serial_twin(dispatcher: Any) -> Any:
    """A dispatcher's function compiled for one thread."""
    return numba.njit(**{**dispatcher.targetoptions, "parallel": False})(dispatcher.py_func)


def dispatcher_of(serial: Any) -> Any:
    """Numba's dispatcher of an `@njit` function, to be called from Python."""
    dispatcher = _dispatcher_of(serial)

    def call(*arguments: Any, **options: Any) -> Any:
        with _plainly():
            return dispatcher(*arguments, **options)

    return call


@functools.cache
def _dispatcher_of(serial):
    options = {"fastmath": set(serial.fastmath), "forceinline": serial.forceinline}
    return numba.njit(error_model="numpy", nogil=True, **options)(serial.function)


@functools.cache
def compiled(kernel: Any, parallel: bool) -> Any:
    """Numba's dispatcher of a kernel, or of its twin for one thread.

    A loop calls its body, outlined: in a parallel loop itself Numba drops what is written to an array that it does
    not know to lie in one of the arguments, such as a `view`.
    """
    given, thread = ", ".join(inspect.signature(kernel.function).parameters), "get_thread_id()" if parallel else "0"
    source = (TWO_LOOPS if kernel.two_loops else LOOP).format(given=given, thread=thread)
    file = _kept_source("-".join([f"{kernel.module}.{kernel.name}", *kernel.stamp(), f"{parallel:d}"]), source)
    scope = {"prange": numba.prange, "get_thread_id": numba.get_thread_id, "int64": numba.int64}
    scope.update(zip(("first", "between", "second"), _bodies(kernel)), __name__=kernel.module)
    compiler = functools.partial(numba.njit, parallel=parallel, **_options(kernel))
    return _cached(compiler, _function(source, file, scope), file)


def address_of(native: Any) -> int:
    """The address of a `natives.Native`."""
    given = ", ".join(f"x{i}" for i in range(native.arguments))
    source = f"def loop({given}):\n    inner({given})\n"
    options = {"error_model": "numpy", "nogil": True, "fastmath": set(natives.FASTMATH)}
    scope = {"inner": numba.njit(**options)(native.function), "__name__": native.function.__module__ or "__main__"}
    compiler = functools.partial(numba.cfunc, numba.void(*[numba.int64] * native.arguments))
    file = _kept_source(native.name, source)
    function = _function(source, file, scope)
    with _plainly(), _waiting(native.name, function):
        _kept.append(compiled := _cached(compiler, function, file))
    return compiled.address


def _function(source, file, scope):
    """The function `loop` of a source."""
    exec(compile(source, file or "<loop>", "exec"), scope)
    return scope["loop"]


def _cached(compiler, function, file):
    """What a compiler of Numba's makes of a function, kept beside its file."""
    with contextlib.suppress(RuntimeError):  # Numba finds no place for a cache
        return compiler(cache=file is not None)(function)
    return compiler()(function)


def _kept_source(name: str, source: str) -> str | None:
    """The file of a source, beside which Numba keeps its machine code: in the folder of kernels of just these versions
    and sources. None if there is no such folder."""
    folder = cache.cache_folder(natives.cache_key())
    if folder is None:
        return None
    path = os.path.join(folder, "numba", f"{kept_name(name)}.py")
    part = f"{path}.{os.urandom(6).hex()}"
    try:
        if not os.path.exists(path):  # another time of change would be another code to Numba
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(part, "x", encoding="utf-8") as file:
                file.write(source)
            os.replace(part, path)
    except OSError:
        return None
    return path


@functools.cache
def _bodies(kernel):
    return [numba.njit(**_options(kernel))(body) for body in outlined(kernel.function)]


def _options(kernel):
    return {"fastmath": set(kernel.fastmath), "error_model": "numpy", "nogil": True}


@functools.cache
def type_of_serial(serial: Any) -> Any:
    """What Numba takes an `@njit` function for: one of its own."""
    return _type_of(_dispatcher_of(serial))


@functools.cache
def type_of_intrinsic(given: Any) -> Any:
    """What Numba takes an `@intrinsic` for: a function that calls one of its own, for only functions have a type."""
    _, *parameters = inspect.signature(given.function).parameters.values()
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    refused = [str(p) for p in parameters if p.kind not in plain or p.default is not p.empty]
    if refused:
        raise TypeError(
            f"intrinsic {given.__name__}: parameters are plain ones or *arguments; received {', '.join(refused)}"
        )
    names = ", ".join("*" * (p.kind is p.VAR_POSITIONAL) + p.name for p in parameters)
    scope = {"inner": intrinsic(given.function)}
    exec(f"def outer({names}): return inner({names})", scope)
    return _type_of(numba.njit(error_model="numpy", nogil=True, forceinline=True)(scope["outer"]))


def _type_of(dispatcher):
    _kept.append(dispatcher)  # its type alone does not hold it
    return numba.typeof(dispatcher)


@contextmanager
def _plainly() -> Iterator[None]:
    """While Numba compiles: names of functions mean what they mean to it."""
    before = getattr(natives.compiling, "plainly", False)
    natives.compiling.plainly = True
    try:
        yield
    finally:
        natives.compiling.plainly = before
