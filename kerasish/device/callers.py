"""How a user's function of arrays is called: compiled, guarded, or just called."""

import functools
import inspect
import math
import sys
from collections.abc import Callable
from typing import Any

from kerasish.device import entering
from kerasish.device.natives import Family, Serial


def is_kernel(function: Any) -> bool:
    """Whether it is an `@njit(parallel=True)` of this library's, which writes into arrays that it is given."""
    return isinstance(function, Family)


def caller(function: Callable) -> Callable:
    """What calls a function with `(arguments, options)`, from any thread, also in a forked child."""
    if isinstance(function, Serial):
        return functools.partial(_compiled, function)
    if is_dispatcher(function) and function.targetoptions.get("parallel"):
        return functools.partial(_guarded, function)
    if is_kernel(function) or is_dispatcher(function):
        return lambda arguments, options: function(*arguments, **options)
    return functools.partial(_plain, function)


def is_dispatcher(function: Any) -> bool:
    """Whether it is made by `numba.njit`."""
    return hasattr(function, "py_func") and hasattr(function, "targetoptions")


def parameters(function: Callable, options: dict) -> float | None:
    """How many arguments a function takes by position, without `options`; infinity for any number; None if it does not
    say."""
    try:
        found = inspect.signature(python_function(function)).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        return math.inf
    by_position = [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return sum(p.name not in options and p.default is p.empty for p in by_position)


def python_function(function: Callable) -> Callable:
    """The Python function behind a compiled one."""
    return getattr(function, "py_func", function.function if isinstance(function, (Serial, Family)) else function)


def _compiled(serial, arguments, options):
    from kerasish.device import plain

    return plain.dispatcher_of(serial)(*arguments, **options)


def _guarded(dispatcher, arguments, options):
    from kerasish.device import plain

    return plain.call(dispatcher, arguments, options)


def _plain(function, arguments, options):
    """It may enter Numba's threads."""
    if "numba" not in sys.modules:
        return function(*arguments, **options)
    with entering.Turn(wait=True):
        return function(*arguments, **options)
