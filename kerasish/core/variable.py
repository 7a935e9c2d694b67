"""Variable: state that training changes."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable

import numpy as np

from kerasish.core import budget, dtypes, scopes
from kerasish.core.errors import shape_text
from kerasish.core.operators import Operators, op
from kerasish.core.tensor import Tensor, as_array
from kerasish.device import put, where

_readers: list[Callable[[Variable], None]] = []
_versions = itertools.count(1)
latest_write = [0]  # the version given last, of all variables: while it stays, no variable has changed
_writings: list[weakref.ref[writing]] = []


def on_read(action: Callable[[Variable], None]) -> Callable[[Variable], None]:
    """Have `action(variable)` called when a variable's value is taken; usable as a decorator."""
    _readers.append(action)
    return action


class writing:
    """A context in which arrays of variables are written in place.

    A version alone cannot say that an array is half written: who makes something lasting of values asks `being_written`
    after it has read the versions, and compares these again when it is done. Writers come in here before they raise a
    version (`mutable_array`) and leave when they have written. What an interrupt kept from leaving is gone with its
    frame, hence the weak references.
    """

    def __init__(self, variables: Iterable[Variable]):
        self.ids, self.open = frozenset(map(id, variables)), True

    def __enter__(self):
        _writings.append(weakref.ref(self, _writings.remove))

    def __exit__(self, *exc):
        self.open = False


def being_written(variables: Iterable[Variable]) -> bool:
    """Whether somebody writes one of the variables in place at this moment."""
    if not _writings:
        return False
    now, wanted = [noted() for noted in list(_writings)], frozenset(map(id, variables))
    return any(one is not None and one.open and not wanted.isdisjoint(one.ids) for one in now)


class Variable(Operators):
    """A value that can be assigned, with a name, a path and training flags.

    Args:
        initializer: a value, or a callable `initializer(shape, dtype=...)`, or the name of an initializer.
        shape: the shape for a callable.
        dtype: the dtype; the default float if None and the value does not tell.
        trainable: whether optimizers and tapes pay attention to it.
        autocast: kept for layers that compute in another dtype than their variables have.
        aggregation: "none", "mean", "sum" or "only_first_replica"; of meaning on several devices only.
        synchronization: "auto" or "on_read"; of meaning on several devices only.
        name: without `/`; made up if None.

    Raises:
        ValueError: for a bad name, aggregation or shape.
    """

    _aggregations = ("none", "mean", "sum", "only_first_replica")

    def __init__(
        self,
        initializer,
        shape=None,
        dtype=None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str = "auto",
        name: str | None = None,
    ):
        name = name or scopes.auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name}"
            )
        if (aggregation or "none") not in self._aggregations:
            raise ValueError(
                f"Invalid value for argument `aggregation`. Expected one of {self._aggregations}. "
                f"Received: aggregation={aggregation}"
            )
        self._name = name
        parent = scopes.current_path()
        self._path = f"{parent}/{name}" if parent else name
        self._trainable, self._autocast = bool(trainable), bool(autocast)
        self._aggregation, self.synchronization = aggregation or "none", synchronization
        self._regularizer = self._constraint = None
        self._overwrite_with_gradient = False
        self.key, self._shared, self.version = None, False, 0
        self.initializer = None
        self.array = self._initial(initializer, shape, dtype)

    def _initial(self, initializer, shape, dtype):
        if isinstance(initializer, str):
            initializer = op("get_initializer")(initializer)
        if not callable(initializer):
            dtype = dtypes.standardize_dtype(dtype) if dtype is not None else None
            return as_array(initializer, dtype).copy()
        if shape is None:
            raise ValueError(
                f"When creating a Variable from an initializer, the `shape` argument should be specified. "
                f"Received: initializer={initializer} and shape={shape}"
            )
        self.initializer = initializer
        shape = standardize_shape(shape)
        if None in shape:
            raise ValueError(
                f"Shapes used to initialize variables must be fully-defined (no `None` dimensions). "
                f"Received: shape={shape} for variable path='{self._path}'"
            )
        dtype = dtypes.standardize_dtype(dtype)
        budget.charge(f"variable '{self._path}'", shape, dtypes.numpy_dtype(dtype).itemsize)
        array = as_array(initializer(shape, dtype=dtype), dtype)
        return array.copy()

    @property
    def name(self) -> str:
        return self._name

    @property
    def aggregation(self) -> str:
        return self._aggregation

    @property
    def regularizer(self):
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value):
        self._regularizer = self._callable("regularizer", value)

    @property
    def constraint(self):
        return self._constraint

    @constraint.setter
    def constraint(self, value):
        self._constraint = self._callable("constraint", value)

    def _callable(self, attribute, value):
        if value is None or callable(value):
            return value
        raise ValueError(
            f"variable '{self._path}': invalid value for attribute `{attribute}`. Expected a callable (such as one of "
            f"`keras.{attribute}s`) or `None`. Received: {attribute}={value!r}"
        )

    @property
    def overwrite_with_gradient(self) -> bool:
        return self._overwrite_with_gradient

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value):
        if not isinstance(value, bool):
            raise TypeError(
                f"variable '{self._path}': `overwrite_with_gradient` must be a boolean. Received: {value!r}"
            )
        self._overwrite_with_gradient = value

    @property
    def path(self) -> str:
        return self._path

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def dtype(self) -> str:
        return dtypes.name_of(self.array)

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool):
        self._trainable = bool(value)

    @property
    def autocast(self) -> bool:
        return self._autocast

    @property
    def value(self) -> Tensor:
        """The present value; it does not change when the variable does."""
        self._shared = True
        for action in _readers:
            action(self)
        tensor = Tensor(self.array)
        tensor.key = self.key
        return tensor

    @property
    def is_shared(self) -> bool:
        """Whether somebody may hold the array, so that the next change in place works on a copy."""
        return self._shared

    def share(self) -> None:
        """Say that somebody holds the array: the next change in place works on a copy."""
        self._shared = True

    def _changed(self):
        """Give the value a version of its own, after an array was exchanged and before one is written in place."""
        self.version = latest_write[0] = next(_versions)

    def mutable_array(self):
        """The array, to be written in place, by `writing`; first copied if somebody else may hold it."""
        if self._shared:
            self.array, self._shared = self.array.copy(), False
        self.version = latest_write[0] = next(_versions)
        return self.array

    def exchange(self, array) -> None:
        """Hold another array, which others hold, too."""
        self.array, self._shared = array, True
        self._changed()

    def checkpoint(self) -> Callable[[], None]:
        """What brings the present value back, into the same array, when it is called."""
        array, shared, content = self.array, self._shared, self.array.copy()

        def restore():
            with writing([self]):
                self.array, self._shared = array, shared
                self._changed()
                array[...] = content

        return restore

    def move_beside(self, array) -> None:
        """Bring the value to where `array` lies, if it lies elsewhere."""
        if where(self.array) != where(array):
            self.array, self._shared = put(self.array, like=array), False
            self._changed()

    def numpy(self) -> np.ndarray:
        """A copy of the value."""
        return self.array.copy() if isinstance(self.array, np.ndarray) else self.array.get()

    def assign(self, value):
        """Take a new value of the same shape.

        Raises:
            ValueError: if the shape differs.
        """
        if scopes.shapes_only():
            return self
        array = as_array(value, self.dtype, like=self.array)
        if array.shape != self.array.shape:
            raise ValueError(
                f"The shape of the target variable and the shape of the target value in `variable.assign(value)` must "
                f"match. variable.shape={shape_text(self.shape)}, Received: value.shape={shape_text(array.shape)}. "
                f"Target variable: {self}"
            )
        fresh = isinstance(value, (int, float)) and isinstance(array, np.ndarray)
        self.array, self._shared = (array if fresh else array.copy()), False
        self._changed()
        return self

    def assign_add(self, value):
        """Add to the value."""
        return self.assign(Tensor(self.array) + value)

    def assign_sub(self, value):
        """Subtract from the value."""
        return self.assign(Tensor(self.array) - value)

    def __array__(self, dtype=None, copy=None):
        array = self.numpy()
        return array if dtype is None or array.dtype == dtype else array.astype(dtype)

    def __pos__(self):
        return self.value

    def __invert__(self):
        return ~self.value

    def __bool__(self):
        raise TypeError("A Keras Variable cannot be used as a boolean.")

    def __int__(self):
        return int(self._only())

    def __float__(self):
        return float(self._only())

    def _only(self):
        """The one element of a variable without axes."""
        if self.ndim > 0:
            raise TypeError(f"Only scalar arrays can be converted to Python scalars. Got: shape={self.shape}")
        return self.array

    def __index__(self):
        return self.numpy().__index__()

    def __len__(self):
        return len(self.array)

    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update(self.__dict__)
        twin.array, twin.key, twin._shared = self.array.copy(), None, False
        return twin

    def __repr__(self):
        value = "" if self.array.size > 1000 else f", value={np.array2string(self.numpy(), separator=', ')}"
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}{value}>"


def standardize_shape(shape) -> tuple:
    """A shape as a tuple of ints and Nones.

    Raises:
        ValueError: for None or a negative dimension; TypeError for a dimension that is no integer.
    """
    if shape is None:
        raise ValueError("Undefined shapes are not supported.")
    if not hasattr(shape, "__iter__"):
        raise ValueError(f"Cannot convert '{shape}' to a shape.")
    out = []
    for d in shape:
        if d is None:
            out.append(None)
            continue
        if isinstance(d, (str, float)) or not hasattr(d, "__index__"):
            raise ValueError(
                f"Cannot convert '{tuple(shape)}' to a shape. Found invalid entry '{d}' of type '{type(d)}'."
            )
        d = d.__index__()
        if d < 0:
            raise ValueError(f"Cannot convert '{tuple(shape)}' to a shape. Negative dimensions are not allowed.")
        out.append(d)
    return tuple(out)
