"""What a kernel of a card takes: the types in a signature, and how a launch hands over what a type stands for."""

import importlib
import math
import re
from collections.abc import Callable
from ctypes import c_double, c_float
from typing import Any

import numpy as np

SCALAR = r"(?:f2|f4|f8|i1|i2|i4|i8|u1|u2|u4|u8|b1)"
KIND = rf"(?P<pointer>CPointer\()?(?P<element>{SCALAR})(?(pointer)\)|(?P<axes>\[[:1, ]+\])?)"
NUMBERS: dict[str, Any] = {"f4": c_float, "f8": c_double}  # of an integer the card takes the lower bytes


def parsed(signature: Any) -> tuple[str, ...]:
    """The types in a signature, "void(CPointer(f4), f4[:, ::1], i4)", in Numba's grammar.

    Raises:
        TypeError: if there is anything else in it.
    """
    found = re.fullmatch(r"void\((.*)\)", signature) if isinstance(signature, str) else None
    kinds = re.split(r",(?![^\[]*\])", found[1]) if found else [""]
    kinds = [kind.strip() for kind in kinds if kind.strip() or not found]
    if not all(re.fullmatch(KIND, kind) for kind in kinds):
        raise TypeError(
            f"@cuda.jit({signature!r}): expected a signature of numbers, pointers and arrays, such as "
            "'void(CPointer(f4), f4[:, ::1], i4)', or none"
        )
    return tuple(kinds)


def kind_of(value: Any) -> str:
    """What Numba takes an argument for: an array of its dtype and layout, int64, float64.

    Raises:
        TypeError: for what is neither a number nor an array.
    """
    scalar, dtype = isinstance(value, int | float | np.generic), getattr(value, "dtype", None)
    kind = {int: "i8", float: "f8", bool: "b1"}.get(type(value), "") if dtype is None else dtype.str[1:]
    if not re.fullmatch(SCALAR, kind) or not (scalar or value.ndim):
        raise TypeError(f"a CUDA kernel takes numbers and arrays with axes; received {value!r}, {type(value).__name__}")
    if scalar:
        return kind
    axes = [":"] * value.ndim
    if value.flags.c_contiguous:
        axes[-1] = "::1"
    return f"{kind}[{', '.join(axes)}]"


def word_of(kind: str) -> str:
    """A type in the name of machine code: f4p for a pointer, f4c2 for a contiguous array of two axes."""
    found = re.fullmatch(KIND, kind)
    axes = found["axes"]
    layout = f"{'c' if '1' in axes else 's'}{axes.count(',') + 1}" if axes else "p" if found["pointer"] else ""
    return found["element"] + layout


def passing(kind: str) -> str | Callable | None:
    """How a launch makes an argument of a value: "pointer", a function, or not at all."""
    found = re.fullmatch(KIND, kind)
    return "pointer" if found["pointer"] else words if found["axes"] else NUMBERS.get(found["element"])


def words(array: Any) -> tuple[int, ...]:
    """An array as Numba's kernels take it, each word an argument."""
    return 0, 0, math.prod(array.shape), array.dtype.itemsize, array.data.ptr, *array.shape, *array.strides


def signature(kinds: tuple[str, ...]) -> Any:
    """The types, as Numba takes them."""
    known = importlib.import_module("numba.cuda.types")

    def type_of(kind):
        found = re.fullmatch(KIND, kind)
        element, axes = getattr(known, found["element"]), found["axes"]
        if axes:
            return known.Array(element, axes.count(",") + 1, "C" if "1" in axes else "A")
        return known.CPointer(element) if found["pointer"] else element

    return known.void(*map(type_of, kinds))
