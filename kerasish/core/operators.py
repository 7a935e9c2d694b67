"""Python's operators on Tensor, Variable and KerasTensor; each forwards to the op of the same meaning.

The engine does not import `kerasish.ops`, which stands above it: the ops bind themselves here when they are defined.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

_bound: dict[str, Callable] = {}
_PROVIDERS = {"get_initializer": "kerasish.initializers", "deserialize": "kerasish.saving.serialization"}


def bind(name: str, function: Callable) -> None:
    """Let operators reach the op called `name`."""
    _bound[name] = function


def op(name: str) -> Callable:
    """The op bound under `name`."""
    try:
        return _bound[name]
    except KeyError:
        importlib.import_module(_PROVIDERS.get(name, "kerasish.ops"))
        return _bound[name]


class Operators:
    """Mix-in: arithmetic, comparison, indexing. Subclasses have `shape` and `dtype`."""

    __slots__ = ()
    __array_priority__ = 100
    __hash__ = object.__hash__

    def __add__(self, other):
        return op("add")(self, other)

    def __radd__(self, other):
        return op("add")(other, self)

    def __sub__(self, other):
        return op("subtract")(self, other)

    def __rsub__(self, other):
        return op("subtract")(other, self)

    def __mul__(self, other):
        return op("multiply")(self, other)

    def __rmul__(self, other):
        return op("multiply")(other, self)

    def __truediv__(self, other):
        return op("true_divide")(self, other)

    def __rtruediv__(self, other):
        return op("true_divide")(other, self)

    def __floordiv__(self, other):
        return op("floor_divide")(self, other)

    def __rfloordiv__(self, other):
        return op("floor_divide")(other, self)

    def __mod__(self, other):
        return op("mod")(self, other)

    def __rmod__(self, other):
        return op("mod")(other, self)

    def __pow__(self, other):
        return op("power")(self, other)

    def __rpow__(self, other):
        return op("power")(other, self)

    def __matmul__(self, other):
        return op("matmul")(self, other)

    def __rmatmul__(self, other):
        return op("matmul")(other, self)

    def __neg__(self):
        return op("negative")(self)

    def __pos__(self):
        return self

    def __abs__(self):
        return op("absolute")(self)

    # Logical on variables and symbolic tensors, as in Keras; `Tensor` has its own.
    def __invert__(self):
        return op("logical_not")(self)

    def __and__(self, other):
        return op("logical_and")(self, other)

    def __rand__(self, other):
        return op("logical_and")(other, self)

    def __or__(self, other):
        return op("logical_or")(self, other)

    def __ror__(self, other):
        return op("logical_or")(other, self)

    def __xor__(self, other):
        return op("logical_xor")(self, other)

    def __rxor__(self, other):
        return op("logical_xor")(other, self)

    def __eq__(self, other):
        return op("equal")(self, other)

    def __ne__(self, other):
        return op("not_equal")(self, other)

    def __lt__(self, other):
        return op("less")(self, other)

    def __le__(self, other):
        return op("less_equal")(self, other)

    def __gt__(self, other):
        return op("greater")(self, other)

    def __ge__(self, other):
        return op("greater_equal")(self, other)

    def __getitem__(self, key):
        return op("get_item")(self, key)

    def __round__(self, ndigits=None):
        return op("round")(self, ndigits or 0)
