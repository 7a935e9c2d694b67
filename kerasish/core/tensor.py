"""Tensor: an array, and its place on the tape."""

from __future__ import annotations

import numpy as np

from kerasish.core import dtypes, scopes
from kerasish.core.operators import Operators, op
from kerasish.core.sequences import LISTS, array_of
from kerasish.device import put, put_number

_SCALARS = (bool, int, float, complex)
_SCALAR_VALUES = (np.generic, *_SCALARS)
_PLAIN = {*_SCALARS, str, bytes, np.ndarray, type(None)}
# The kinds of Python numbers that a tensor of a kind takes beside it in a list, as in TensorFlow ("V" is bfloat16).
_FITTING = {"b": "b", "i": "bi", "u": "bi", "f": "bif", "V": "bif", "c": "ifc"}


class Tensor(Operators):
    """An eager value.

    Attributes:
        value: the array (NumPy on the host, CuPy on a card). Treat it as read-only: it may be shared.
        key: the number under which tapes know this tensor; None until one does.
    """

    __slots__ = ("value", "key", "__dict__", "__weakref__")

    def __init__(self, value):
        # NumPy turns arrays without axes into scalars on the way; a tensor's value is always an array.
        self.value = value if not isinstance(value, _SCALAR_VALUES) else np.asarray(value)
        self.key = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> str:
        return dtypes.name_of(self.value)

    @property
    def ndim(self) -> int:
        return self.value.ndim

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def device(self) -> str:
        return "cpu" if isinstance(self.value, np.ndarray) else f"gpu:{self.value.device.id}"

    @property
    def T(self):
        return op("transpose")(self)

    def numpy(self) -> np.ndarray:
        """A copy of the value, as a NumPy array."""
        return self.value.copy() if isinstance(self.value, np.ndarray) else self.value.get()

    def item(self):
        """The value of a one-element tensor as a Python number."""
        return self.value.item()

    def tolist(self):
        """The value as nested lists of Python numbers."""
        return self.value.tolist()

    def get_shape(self) -> tuple[int, ...]:
        return self.value.shape

    def __array__(self, dtype=None, copy=None):
        if copy or not isinstance(self.value, np.ndarray):
            array = self.numpy()
        else:
            array = self.value.view()
            array.flags.writeable = False
        return array if dtype is None or array.dtype == dtype else array.astype(dtype)

    def __dlpack__(self, **kwargs):
        return self.value.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self.value.__dlpack_device__()

    def __bool__(self):
        return bool(self.value)

    def __int__(self):
        return int(self.value)

    def __float__(self):
        return float(self.value)

    def __complex__(self):
        return complex(self.value)

    def __index__(self):
        return self.numpy().__index__()

    def __len__(self):
        return len(self.value)

    def __iter__(self):
        if self.value.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.value.shape[0]))

    # Bit by bit on integers, as TensorFlow's tensors.
    def __invert__(self):
        return op("logical_not" if self.dtype == "bool" else "bitwise_not")(self)

    def __and__(self, other):
        return op("logical_and" if self.dtype == "bool" else "bitwise_and")(self, other)

    def __rand__(self, other):
        return op("logical_and" if self.dtype == "bool" else "bitwise_and")(other, self)

    def __or__(self, other):
        return op("logical_or" if self.dtype == "bool" else "bitwise_or")(self, other)

    def __ror__(self, other):
        return op("logical_or" if self.dtype == "bool" else "bitwise_or")(other, self)

    def __xor__(self, other):
        return op("logical_xor" if self.dtype == "bool" else "bitwise_xor")(self, other)

    def __rxor__(self, other):
        return op("logical_xor" if self.dtype == "bool" else "bitwise_xor")(other, self)

    def __contains__(self, item):
        return item in self.numpy()

    def __copy__(self):
        return Tensor(self.value)

    def __deepcopy__(self, memo):
        return Tensor(self.value.copy())

    def __reduce__(self):
        return Tensor, (self.numpy(),)

    def __format__(self, spec):
        return format(self.value.item(), spec) if spec and self.value.ndim == 0 else format(str(self), spec)

    def __str__(self):
        return f"Tensor({np.array2string(self.numpy(), separator=', ')}, shape={self.shape}, dtype={self.dtype})"

    def __repr__(self):
        return f"<Tensor: shape={self.shape}, dtype={self.dtype}, numpy=\n{self.numpy()!r}>"


def is_tensor(x) -> bool:
    """Whether x is an eager tensor."""
    return isinstance(x, Tensor)


def as_array(x, dtype: str | None = None, like=None):
    """The array behind anything array-like, as Keras converts it: Python floats become the default float dtype.

    Args:
        x: a Tensor, Variable, array, Python number, nested list of them, or a DLPack provider.
        dtype: name of the wanted dtype, or None to keep x's.
        like: an array beside which the result shall lie; by default it lies on the chosen device.
    """
    if isinstance(x, Tensor):
        array = x.value
    elif isinstance(x, np.ndarray):
        array = x
    elif isinstance(x, _SCALARS) and not isinstance(x, np.generic):  # NumPy's float64 is a Python float, too
        return put_number(_number(x, dtypes.numpy_dtype(dtype or _scalar_dtype(x))), like)
    elif (inner := getattr(x, "array", None)) is not None and isinstance(x, Operators):
        array = inner
    else:
        array = _from_sequence(x, dtype)
    if dtype is not None and dtypes.name_of(array) != dtype:
        with np.errstate(all="ignore"):
            array = array.astype(dtypes.numpy_dtype(dtype))
    return put(array, like)


def as_own_array(x, dtype: str | None = None, like=None):
    """`as_array` in memory that is not x's: what somebody writes to x later stays without effect."""
    array = as_array(x, dtype, like)
    shared = array is x or (hasattr(x, "__array__") and not isinstance(x, (np.ndarray, np.generic, Operators)))
    return array.copy() if shared else array


def _number(x, dtype):
    """A Python number as an array; what an integer dtype cannot hold wraps around, as in TensorFlow."""
    if dtype.kind in "iu":
        if type(x) is not int:
            with np.errstate(invalid="ignore"):
                return np.asarray(x).astype(dtype)
        bits = 8 * dtype.itemsize
        low = 0 if dtype.kind == "u" else -(1 << bits - 1)
        x = (x - low) % (1 << bits) + low
    return np.asarray(x, dtype)


def _scalar_dtype(x) -> str:
    if isinstance(x, bool):
        return "bool"
    if isinstance(x, int):
        if not -(2**63) <= x < 2**63:
            raise ValueError(f"The integer {x} is out of the range of int64, the widest that a tensor can hold")
        return "int32" if -(2**31) <= x < 2**31 else "int64"
    return dtypes.floatx() if isinstance(x, float) else "complex128"


def _from_sequence(x, dtype):
    if x is None:
        raise ValueError("Attempt to convert a value (None) with an unsupported type (<class 'NoneType'>) to a Tensor.")
    if isinstance(x, Operators):
        raise ValueError(f"A symbolic KerasTensor has no value. Received: {x}")
    if hasattr(x, "__cuda_array_interface__"):
        return x
    if hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
        return np.from_dlpack(x)
    if hasattr(x, "__array__"):
        return np.asarray(x)
    if holds_tensors(x):
        return as_array(stacked(x))
    if isinstance(x, LISTS):
        return array_of(x, dtype)
    return np.asarray(x)


def holds_tensors(x) -> bool:
    """Whether x is a list or tuple with a tensor or variable anywhere in it."""
    if not isinstance(x, (list, tuple)):
        return False
    return any(
        issubclass(kind, Operators) or (issubclass(kind, (list, tuple)) and any(holds_tensors(item) for item in x))
        for kind in set(map(type, x)) - _PLAIN
    )


def stacked(x) -> Tensor:
    """A nested list that holds tensors as one tensor of their dtype; tapes follow it.

    Raises:
        ValueError: if the tensors' dtypes or shapes differ, or one of them is symbolic.
        TypeError: if a number beside them does not fit their dtype.
    """
    return _stacked(x, _common_dtype(x))


def _stacked(x, dtype):
    if isinstance(x, (list, tuple)):
        return op("stack")([_stacked(item, dtype) for item in x]) if x else Tensor(as_array(x, dtype))
    if isinstance(x, Operators):
        return convert_to_tensor(x)
    is_number = isinstance(x, _SCALARS) and not isinstance(x, np.generic)
    if is_number and as_array(x).dtype.kind not in _FITTING[dtypes.numpy_dtype(dtype).kind]:
        raise TypeError(f"Cannot convert {x!r} to a tensor of dtype {dtype}, which the tensors beside it have")
    return Tensor(as_array(x, dtype))


def _common_dtype(x) -> str:
    found = {item.dtype: item for item in _tensors_in(x)}
    if len(found) > 1:
        raise ValueError(
            f"Tensors of several dtypes stand in one list: {', '.join(sorted(found))}. "
            "Convert them to one with `keras.ops.cast`, or join them with `keras.ops.stack`, which does."
        )
    return next(iter(found))


def _tensors_in(x):
    for item in x:
        if isinstance(item, (list, tuple)):
            yield from _tensors_in(item)
        elif isinstance(item, Operators):
            if not hasattr(item, "value") and not scopes.shapes_only():
                raise ValueError(
                    "A list that holds a symbolic KerasTensor cannot be converted to a tensor; join symbolic tensors "
                    f"with `keras.ops.stack`. Received: {item}"
                )
            yield item


def convert_to_tensor(x, dtype=None) -> Tensor:
    """A Tensor of x, in memory of its own; a KerasTensor, which has no value yet, stays one.

    Args:
        x: a Tensor, Variable, KerasTensor, array, number or nested list of numbers or arrays.
        dtype: the wanted dtype; None keeps x's.
    """
    if type(x) is Tensor and dtype is None:
        return x
    dtype = dtypes.standardize_dtype(dtype) if dtype is not None else None
    if type(x) is Tensor and dtypes.name_of(x.value) == dtype:
        return x
    if isinstance(x, Operators) and dtype not in (None, x.dtype):
        return op("cast")(x, dtype)
    if isinstance(x, Operators) and not isinstance(x, Tensor):
        return x.value if hasattr(x, "value") else x
    if holds_tensors(x):
        tensor = stacked(x)
        return tensor if dtype in (None, tensor.dtype) else op("cast")(tensor, dtype)
    return Tensor(as_own_array(x, dtype))
