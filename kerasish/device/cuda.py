"""NVIDIA cards: whether one answers, which one is used, its memory. Arrays there are CuPy's, kernels ours.

Importing this module costs nothing; `cupy` is imported when a card is first asked for.
"""

import contextlib
import ctypes
import functools
import gc
import importlib
import importlib.util
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasish.device import cuda_jit, extras

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
PRECISIONS = ("float32", "3xtf32", "tf32", "bfloat16")
BLAS_TYPES = {"float32": 1, "3xtf32": 1, "bfloat16": 6, "tf32": 7}  # CuPy's COMPUTE_TYPE_DEFAULT, _BF16 and _TF32
_settings = {"precision": "tf32"}


def cupy() -> Any:
    """CuPy.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        return importlib.import_module("cupy")
    except ImportError as error:
        raise ImportError(
            f"Arrays on a GPU are CuPy's, which cannot be imported: {extras.install('cuda')} ({error})"
        ) from error


@functools.cache
def driver() -> bool:
    """Whether the system has NVIDIA's driver: a look at one library, where importing CuPy takes a second."""
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return False
    return True


def missing() -> str | None:
    """Why no card can be used, or None if one can."""
    if not driver():
        return f"no NVIDIA driver ({DRIVER}) on this machine"
    try:
        count = cupy().cuda.runtime.getDeviceCount()
        cuda_jit.require()
    except Exception as error:  # CuPy raises classes of its own where there is no driver
        older = f" (for drivers of CUDA 12: {extras.install('cuda12')})"
        return f"{error}{older if 'InsufficientDriver' in str(error) else ''}"
    return None if count else "the driver reports no card"


@functools.cache
def answers() -> bool:
    """Whether a card shall be the default device: CuPy and numba-cuda are installed, and a card answers."""
    installed = "cupy" in sys.modules or importlib.util.find_spec("cupy") is not None
    return installed and missing() is None


def check(index: int, name: str) -> None:
    """Raises:
    ValueError: if there is no card of that number; the message says why.
    """
    reason = missing()
    if reason is None and index < cupy().cuda.runtime.getDeviceCount():
        return
    count = 0 if reason else cupy().cuda.runtime.getDeviceCount()
    reason = reason or f"there are {count}, numbered from 0"
    raise ValueError(f"keras.device({name!r}): that card is not there ({reason}); use keras.device('cpu:0')")


def current() -> int:
    """The number of the card that CuPy uses now."""
    return cupy().cuda.runtime.getDevice()


def to_card(array: np.ndarray, index: int) -> Any:
    """A host array, copied to a card; text and objects stay on the host.

    Raises:
        MemoryError: if it does not fit, naming what else is there.
    """
    if array.dtype.kind in "OSU":
        return array
    if array.dtype.name == "bfloat16":
        raise TypeError(
            "CuPy computes in bfloat16 only in part, without `where` and `clip`: on a card use dtype 'float16', or "
            "'float32' with convolutions that multiply by keras.config.set_gpu_precision('bfloat16')"
        )
    with cupy().cuda.Device(index):
        return guarded(cupy().asarray, array)


@functools.lru_cache(1024)
def number(content: bytes, dtype: np.dtype, index: int) -> Any:
    """A single number on a card; steps that need it again wait for no copy."""
    return to_card(np.frombuffer(content, dtype).reshape(()), index)


def guarded(function: Any, *arguments: Any) -> Any:
    """Call a function; if the card's memory does not suffice, say what fills it."""
    try:
        return function(*arguments)
    except MemoryError as error:
        if error.args and str(error.args[0]).startswith("The card"):
            raise
        raise MemoryError(shortage(str(error))) from error


def use_allocator() -> None:
    """Let every allocation of CuPy go through `guarded`, from its memory pool."""
    pool = cupy().get_default_memory_pool()
    set_allocator = getattr(cupy().cuda, "set_allocator", None)
    if set_allocator is not None:
        set_allocator(lambda size: guarded(pool.malloc, size))


@functools.cache
def _properties(index: int) -> dict:
    return cupy().cuda.runtime.getDeviceProperties(index)


def multiprocessors() -> int:
    """How many multiprocessors the current card has."""
    return _properties(current())["multiProcessorCount"]


def capability() -> tuple[int, int]:
    """The compute capability of the current card."""
    found = _properties(current())
    return found["major"], found["minor"]


def set_precision(precision: str) -> None:
    """How convolutions of float32 multiply on a card; sums are float32's.

    Args:
        precision: "float32"; "3xtf32", as exact, on tensor cores; "tf32", ten bits of mantissa as Keras on TensorFlow;
            "bfloat16", seven bits.

    Raises:
        ValueError: for another word.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision should be one of {PRECISIONS}. Received: {precision!r}")
    _settings["precision"] = precision


def precision() -> str:
    """How convolutions of float32 multiply on a card."""
    return _settings["precision"]


def arithmetic() -> str:
    """`precision`, or "float32" where the card's tensor cores do not know tf32 (before compute capability 8.0)."""
    return _settings["precision"] if capability() >= (8, 0) else "float32"


@contextlib.contextmanager
def blas_arithmetic() -> Iterator[None]:
    """A context in which CuPy's matrix products of float32 multiply as convolutions do."""
    core = cupy()._core
    kept = core.get_compute_type("float32")
    core.set_compute_type("float32", BLAS_TYPES[arithmetic()])
    try:
        yield
    finally:
        core.set_compute_type("float32", kept)


def release() -> None:
    """Give the pool's unused memory back to the card; CuPy's pool fails where there is no driver."""
    number.cache_clear()
    module = sys.modules.get("cupy")
    if module is not None and driver():
        module.get_default_memory_pool().free_all_blocks()


def memory_info(index: int = 0) -> dict[str, int]:
    """Bytes of a card: "total", "free", "used" by live arrays, "pool" that this process holds for them."""
    with cupy().cuda.Device(index):
        free, total = cupy().cuda.runtime.memGetInfo()
        pool = cupy().get_default_memory_pool()
        return {"total": total, "free": free, "used": pool.used_bytes(), "pool": pool.total_bytes()}


def shortage(reason: str) -> str:
    """What to say when memory runs out: the figures, the largest live tensors, a batch size to try."""
    info, arrays = memory_info(current()), _live()
    lines = [f"    {_size(a.nbytes):>10}  {name}, shape {tuple(a.shape)}, {a.dtype}" for name, a in arrays[:5]]
    batch = _batch([a for name, a in arrays if name.startswith("tensor")])
    advice = f"Try batch_size={batch // 2} instead of {batch}" if batch > 1 else "Try a smaller model or input"
    return (
        f"The card's memory does not suffice: {reason}. Of {_size(info['total'])}, {_size(info['free'])} are free, and "
        f"tensors of this process take {_size(info['used'])}. The largest:\n" + "\n".join(lines) + f"\n{advice}."
    )


def _live() -> list[tuple[str, Any]]:
    """The arrays on cards that tensors and variables hold, the largest first, each with a name."""
    kind, found = cupy().ndarray, {}
    for holder in gc.get_objects():
        slot = {"Variable": "array", "Tensor": "value"}.get(type(holder).__name__)
        array = getattr(holder, slot, None) if slot else None
        if isinstance(array, kind):
            name = f"variable '{holder.path}'" if slot == "array" else "tensor"
            if slot == "array" or id(array) not in found:
                found[id(array)] = (name, array)
    return sorted(found.values(), key=lambda pair: -pair[1].nbytes)


def _batch(arrays: list) -> int:
    """The batch size: the first axis on which most of the memory lies that is not the variables'."""
    weight: dict[int, int] = {}
    for array in arrays:
        if len(array.shape) > 1:
            weight[array.shape[0]] = weight.get(array.shape[0], 0) + array.nbytes
    return max(weight, key=weight.__getitem__, default=0)


def _size(bytes_: int) -> str:
    power = min(int(math.log(max(bytes_, 1), 1024)), 4)
    return f"{bytes_ / 1024**power:.1f} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"
