"""Records: what a kernel must know of shapes, as one argument with named integers."""

import functools
from typing import Any, NamedTuple

import numpy as np

dtypes: dict[str, np.dtype] = {}  # by the name of the class, which names of natives hold


def record(fields: type) -> type:
    """Decorate a NamedTuple of integers that kernels take: in them `plan[0]` is the record, `plan[0].field` a field."""
    dtypes[fields.__name__] = np.dtype((np.record, [(name, np.int64) for name in fields._fields]))
    return fields


@functools.lru_cache(4096, typed=True)
def as_record(values: NamedTuple) -> np.ndarray:
    """An array of one record, which is kept: what it holds should follow from shapes."""
    return np.array([values], dtypes[type(values).__name__])


@functools.lru_cache(4096, typed=True)
def changed(values: NamedTuple, **fields: int) -> np.ndarray:
    """`as_record` of a record with other fields."""
    return as_record(values._replace(**fields))


@functools.cache
def name_of(dtype: np.dtype) -> str:
    """What a dtype is called in the name of a native."""
    return next((name for name, known in dtypes.items() if known is dtype), dtype.name)


def dtype_of(name: str) -> Any:
    """The dtype of a name."""
    return dtypes.get(name) or np.dtype(name)
