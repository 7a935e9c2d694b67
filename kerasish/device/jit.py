"""The words that kernels are written in: Numba's, with Numba's meaning.

`@njit` marks a serial function, which is compiled into each kernel that calls it; with `parallel=True` it is a kernel,
whose `for task in prange(tasks):` is shared among threads (`parallel.py`). `@intrinsic` is a piece of LLVM IR, with a
Python fallback. What differs from Numba's own `njit`: a kernel raises nothing (`error_model="numpy"`), holds no lock of
the interpreter's (`nogil=True`) and is cached (`cache=True`) without being asked to.
"""

import functools
from collections.abc import Callable
from typing import Any

from kerasish.device.natives import EXACT as EXACT
from kerasish.device.natives import FASTMATH as FASTMATH
from kerasish.device.natives import intrinsic as intrinsic
from kerasish.device.natives import njit as serial
from kerasish.device.parallel import Kernel

prange = range  # as a plain function; whoever compiles a kernel takes it for Numba's


def get_thread_id() -> int:
    """Of the thread that does a task of a kernel, its number; to be called in the kernel's own loop."""
    return 0


def njit(
    function: Callable | str | None = None,
    *,
    parallel: bool = False,
    fastmath: frozenset = frozenset(),
    forceinline: bool = False,
    usual: tuple[str, ...] = (),
) -> Any:
    """Mark a function that Numba compiles.

    Args:
        function: the function; or a signature, "void(int64, ...)": it is compiled once, not into its callers, and has
            an `address`.
        parallel: whether it is a kernel, whose last statement is a loop over `prange(tasks)`, `tasks` being its first
            argument; there may be statements and a second loop, over `prange(tasks_after)`, its second argument.
        fastmath: what LLVM may do with floats, as in Numba: `FASTMATH`, `EXACT`, or nothing.
        forceinline: whether LLVM must inline it, as in Numba.
        usual: what `warmup` compiles a kernel for: kinds of its arguments behind `tasks`, such as "float32.2 int64".
    """
    if not parallel:
        return serial(function, fastmath=fastmath, forceinline=forceinline)
    if function is None:
        return functools.partial(njit, parallel=True, fastmath=fastmath, usual=usual)
    return Kernel(function, fastmath, usual)
