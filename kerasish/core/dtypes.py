"""Names of dtypes and Keras's rules for combining them.

Dtypes are plain strings everywhere. Promotion follows the lattice of JAX ("type promotion semantics"), which Keras 3
adopted: Python scalars are weak and never widen an array.
"""

from __future__ import annotations

import functools

import ml_dtypes
import numpy as np

FLOATS = ("bfloat16", "float16", "float32", "float64")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
COMPLEX = ("complex64", "complex128")
FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
ALLOWED = frozenset((*FLOATS, *SIGNED, *UNSIGNED, *COMPLEX, *FLOAT8, "int4", "uint4", "bool", "string"))
_PYTHON = {bool: "bool", int: "int64", float: "float32", complex: "complex64", str: "string"}
# What comes out for the weak types, and for uint64, which Keras makes uint32.
_RESULTS = {"int": "int32", "complex": "complex64", "uint64": "uint32"}

# Each dtype with the smallest ones above it; "int", "float" and "complex" are the weak types of Python scalars.
_ABOVE = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "int8": ("int16",),
    "uint16": ("int32", "uint32"),
    "int16": ("int32",),
    "uint32": ("int64", "uint64"),
    "int32": ("int64",),
    "uint64": ("float",),
    "int64": ("float",),
    "float": ("bfloat16", "float16", "complex"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}

_floatx = "float32"


def floatx() -> str:
    """The default float dtype."""
    return _floatx


def set_floatx(value: str) -> None:
    """Set the default float dtype to one of 'bfloat16', 'float16', 'float32', 'float64'."""
    global _floatx
    if value not in FLOATS:
        raise ValueError(f"Unknown `floatx` value: {value}. Expected one of {FLOATS}")
    _floatx = str(value)
    _result_type.cache_clear()


@functools.cache
def _name(dtype) -> str:
    return "string" if dtype.kind in "US" else dtype.name


def name_of(array) -> str:
    """The dtype name of an array."""
    return _name(array.dtype)


def standardize_dtype(dtype) -> str:
    """The canonical name of a dtype given as a name, a NumPy dtype, a Python type or None (the default float)."""
    if dtype is None:
        return _floatx
    if isinstance(dtype, str) and dtype in ALLOWED:
        return dtype
    if isinstance(dtype, type) and dtype in _PYTHON:
        return _PYTHON[dtype]
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None)
    if name is None:
        name = str(dtype).split(".")[-1] if "torch" in str(dtype) else dtype
    name = {"bool_": "bool", "str": "string", "int": "int32", "float": "float32"}.get(name, name)
    if name not in ALLOWED:
        raise ValueError(f"Invalid dtype: {dtype}")
    return name


def numpy_dtype(name: str):
    """The NumPy dtype of a name; bfloat16 and the 8-bit floats come from ml_dtypes."""
    if name in ("bfloat16", "int4", "uint4", *FLOAT8):
        return np.dtype(getattr(ml_dtypes, name))
    return np.dtype(str if name == "string" else name)


def is_float(dtype) -> bool:
    """Whether a dtype is a real floating one."""
    return "float" in standardize_dtype(dtype)


def is_int(dtype) -> bool:
    """Whether a dtype is a signed or unsigned integer."""
    return "int" in standardize_dtype(dtype)


def _ancestors(dtype: str) -> set[str]:
    found, todo = set(), [dtype]
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo.extend(_ABOVE[node])
    return found


@functools.cache
def _result_type(dtypes: frozenset) -> str:
    common = set.intersection(*(_ancestors(d) for d in dtypes))
    least = next(d for d in common if common <= _ancestors(d))
    return _floatx if least == "float" else _RESULTS.get(least, least)


def _lattice_name(dtype) -> str:
    if isinstance(dtype, type) and dtype in (int, float, complex):
        return dtype.__name__
    return standardize_dtype(dtype)


def result_type(*dtypes) -> str:
    """The dtype of an operation over operands of these dtypes, by Keras's rules.

    Args:
        *dtypes: names or NumPy dtypes; the Python types `int` and `float` stand for weak scalars.

    Returns:
        A dtype name.
    """
    if not dtypes:
        return _floatx
    if len(dtypes) == 2 and dtypes[0] == dtypes[1] and dtypes[0] in FLOATS:
        return dtypes[0]
    names = frozenset(_lattice_name(d) for d in dtypes)
    if any(n in FLOAT8 for n in names):
        raise ValueError(f"There is no implicit conversions from float8 dtypes to others. Received: {dtypes}")
    if "string" in names:
        raise ValueError(f"Strings cannot be combined with other dtypes. Received: {dtypes}")
    return _result_type(names)
