"""Where code runs: the array module of an array, the chosen device, compilation, threads, memory."""

import contextlib
import contextvars
import os
import sys
import types
from typing import Any

import numpy as np

_chosen: contextvars.ContextVar = contextvars.ContextVar("device", default=None)  # None: the default
_default: dict[str, str | None] = {"name": None}  # None: to be found out


def array_module(*arrays: Any) -> Any:
    """CuPy if one of the arrays lives on a GPU, else NumPy."""
    return sys.modules["cupy"] if any(map(on_card, arrays)) else np


def on_card(array: Any) -> bool:
    """Whether an array lies on a GPU. Its class is asked: the array would make a dictionary of all that it is."""
    return not isinstance(array, np.ndarray) and hasattr(type(array), "__cuda_array_interface__")


def current() -> str:
    """The device on which new tensors and variables are made: "cpu:0", "gpu:0", ..."""
    return _chosen.get() or default()


def chosen() -> str | None:
    """The device of the innermost context that is open, for `choose`; None outside of any."""
    return _chosen.get()


def choose(name: str | None) -> None:
    """Be in the context again of which `chosen` told: an interrupt may have kept one from closing."""
    _chosen.set(name)


def default() -> str:
    """The device outside of `keras.device(...)`: the one that was set, else a card that answers, else the CPU.

    Raises:
        ValueError: if the environment variable KERASISH_DEVICE names a device that is not there.
    """
    if _default["name"] is None:
        from kerasish.device import cuda

        wanted = os.environ.get("KERASISH_DEVICE")
        try:
            set_default(wanted or ("gpu:0" if cuda.answers() else "cpu:0"))
        except ValueError as error:
            raise ValueError(f"KERASISH_DEVICE={wanted}, but {error}") from None
    return _default["name"]


def set_default(name: str | None) -> None:
    """Set the device outside of `keras.device(...)`; None finds it out again.

    Raises:
        ValueError: for a name that is no device, or a device that is not there.
    """
    _default["name"] = None if name is None else checked(name)


def put(array: Any, like: Any = None) -> Any:
    """The array where new arrays belong: itself, or a copy of a host array on the chosen card.

    Args:
        array: an array.
        like: an array beside which it shall lie, wherever that is.
    """
    if like is not None:
        return _beside(array, like)
    name = _chosen.get() or _default["name"] or default()
    if name == "cpu:0" or not isinstance(array, np.ndarray):
        return array
    from kerasish.device import cuda

    return cuda.to_card(array, int(name[4:]))


def put_number(array: np.ndarray, like: Any = None) -> Any:
    """`put` of a single number, not to be written: on a card the same number is copied once and shared."""
    name = _chosen.get() or _default["name"] or default() if like is None else where(like)
    if name == "cpu:0":
        return array
    from kerasish.device import cuda

    return cuda.number(array.tobytes(), array.dtype, int(name[4:]))


def bring(array: Any) -> Any:
    """A batch's array on the chosen device, copied from wherever it lies."""
    if isinstance(array, np.ndarray) or where(array) == current():
        return put(array)
    return put(array.get())


def _beside(array: Any, like: Any) -> Any:
    if isinstance(like, np.ndarray):
        return array if isinstance(array, np.ndarray) else array.get()
    if not isinstance(array, np.ndarray):
        return array
    from kerasish.device import cuda

    return cuda.to_card(array, like.device.id)


def checked(name: str) -> str:
    """A device's name in one form: "cpu:0" or "gpu:N".

    Raises:
        ValueError: for a name that is no device, or a device that is not there.
    """
    kind, _, number = str(name).lower().lstrip("/").removeprefix("device:").partition(":")
    if kind == "cpu" and number in ("", "0"):
        return "cpu:0"
    if kind not in ("gpu", "cuda") or not (number.isdecimal() or number == ""):
        raise ValueError(f"keras.device({name!r}): no such device; expected 'cpu', 'cpu:0', 'gpu' or 'gpu:0'")
    from kerasish.device import cuda

    cuda.check(int(number or 0), name)
    cuda.use_allocator()
    return f"gpu:{int(number or 0)}"


def where(array: Any) -> str:
    """The device on which an array lies."""
    return "cpu:0" if isinstance(array, np.ndarray) else f"gpu:{array.device.id}"


def release() -> None:
    """Give pooled memory that nobody uses back: to the system, and to the cards."""
    from kerasish.device import cuda, memory

    memory.release()
    cuda.release()


@contextlib.contextmanager
def on(name: str):
    """A context in which new tensors and variables are made on a device: "cpu", "cpu:0", "gpu:0".

    Raises:
        ValueError: for a name that is no device, or a device that is not there.
    """
    token = _chosen.set(checked(name))
    try:
        with _card(_chosen.get()):
            yield
    finally:
        _chosen.reset(token)


def _card(name: str) -> Any:
    """The context in which CuPy uses the device, if it is a card."""
    if name == "cpu:0":
        return contextlib.nullcontext()
    from kerasish.device import cuda

    return cuda.cupy().cuda.Device(int(name[4:]))


class _Callable(types.ModuleType):
    """`kerasish.device` is this package, and `keras.device("cpu")` a context: the module can be called."""

    def __call__(self, device_name: str):
        return on(device_name)


sys.modules[__name__].__class__ = _Callable
