"""Lists of numbers as TensorFlow reads them, which lets the first number say what the others are."""

from __future__ import annotations

import itertools

import numpy as np

from kerasish.core import dtypes

LISTS = (list, tuple, range)
_KINDS = {bool: "b", int: "i", float: "f", complex: "c", str: "S", bytes: "S"}


def array_of(x, dtype: str | None = None) -> np.ndarray:
    """A nested list of numbers and arrays as one array.

    If no dtype is given, integers are int32, or int64 where one is too large. If the first number is a float, all
    numbers are what it is; floats behind an integer make the default float dtype of all.

    Raises:
        ValueError: if booleans or texts stand beside something else; but for Python's True behind a number, or where
            floats are wanted, which is 1.
    """
    first, kinds = first_of(x), kinds_in(x)
    if dtype is None or not (dtypes.is_float(dtype) and "b" in kinds):
        _check(_kind(first), kinds)
    array = np.asarray(x)
    if array.dtype == object:
        array = np.stack([array_of(item) if isinstance(item, LISTS) else np.asarray(item) for item in x])
    if dtype is None and array.dtype.kind in "iuf" and kinds <= {*"bBiuf"}:
        with np.errstate(all="ignore"):
            return array.astype(_dtype(first, array), copy=False)
    return array


def first_of(x):
    """The first leaf of a nested list, or the empty list where it would be."""
    while isinstance(x, LISTS) and len(x):
        x = x[0]
    return x


def kinds_in(x) -> set[str]:
    """The kinds of a nested list's leaves, as NumPy has them; "b" are Python's booleans, "B" NumPy's."""
    found, level = set(), [x]
    while level:
        leaves = list(itertools.chain.from_iterable(level))
        types = set(map(type, leaves))
        found |= {_KINDS[t] for t in types if t in _KINDS}
        if others := types - _KINDS.keys() - {*LISTS}:
            found |= {_kind(leaf) for leaf in leaves if type(leaf) in others and not isinstance(leaf, LISTS)}
        level = [leaf for leaf in leaves if isinstance(leaf, LISTS)] if types - _KINDS.keys() else ()
    return found


def _kind(leaf) -> str:
    kind = getattr(getattr(leaf, "dtype", None), "kind", None)
    if kind is None:
        return next((kind for t, kind in _KINDS.items() if isinstance(leaf, t)), "O")
    return {"b": "B", "U": "S"}.get(kind, kind)


def _check(first: str, kinds: set[str]) -> None:
    alone = {"b": "bB", "B": "bB", "S": "S", "c": "bifuc"}.get(first, "biuf")
    if first != "O" and (wrong := kinds & {*"bBiufcS"} - {*alone}):
        names = {"b": "booleans", "B": "NumPy's booleans", "S": "texts", "c": "complex numbers"}
        others = " and ".join(sorted({names.get(k, "numbers") for k in wrong}))
        raise ValueError(
            "Can't convert Python sequence with mixed types to Tensor: it begins with "
            f"{names.get(first, 'numbers')} and holds {others}, too"
        )


def _dtype(first, array) -> np.dtype:
    kind = _kind(first)
    if kind == "f" and hasattr(first, "dtype"):
        return first.dtype
    if kind == "f" or array.dtype.kind == "f":
        return dtypes.numpy_dtype(dtypes.floatx())
    small = array.size == 0 or -(2**31) <= array.min() and array.max() < 2**31
    return np.dtype("int32" if small else "int64")
