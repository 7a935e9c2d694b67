"""Functions of `tf` whose arguments need more than another name."""

import builtins
import contextlib
import logging
import warnings
from collections.abc import Callable

import numpy as np

from kerasish import ops
from kerasish.core.tensor import Tensor, convert_to_tensor
from kerasish.core.variable import Variable as KerasVariable


def constant(value, dtype=None, shape=None, name=None) -> Tensor:
    """A tensor with the given value, repeated to fill `shape`."""
    tensor = convert_to_tensor(value, dtype=dtype)
    if shape is None:
        return tensor
    return ops.broadcast_to(tensor, shape) if tensor.size == 1 else ops.reshape(tensor, shape)


def variable(initial_value, trainable: bool = True, dtype=None, name: str | None = None) -> KerasVariable:
    """A variable that starts with the given value; a function is called for it."""
    value = convert_to_tensor(initial_value() if callable(initial_value) else initial_value, dtype=dtype)
    return KerasVariable(value, dtype=value.dtype, trainable=trainable, name=name)


def function(
    func: Callable | None = None, input_signature=None, autograph=True, jit_compile=None, reduce_retracing=False
):
    """The function itself: code runs as it is called and is as fast as it gets, so there is nothing to trace."""
    return func if func is not None else lambda decorated: decorated


def matmul(a, b, transpose_a: bool = False, transpose_b: bool = False, name=None):
    """Matrix product, of transposed matrices if so asked."""
    a, b = convert_to_tensor(a), convert_to_tensor(b)
    return ops.matmul(ops.swapaxes(a, -1, -2) if transpose_a else a, ops.swapaxes(b, -1, -2) if transpose_b else b)


def argmax(input, axis: int | None = None, output_type="int64", name=None):
    """Index of the largest value along `axis`, the first one by default."""
    return ops.cast(ops.argmax(input, axis=axis or 0), output_type)


def argmin(input, axis: int | None = None, output_type="int64", name=None):
    """Index of the smallest value along `axis`, the first one by default."""
    return ops.cast(ops.argmin(input, axis=axis or 0), output_type)


def one_hot(indices, depth: int, on_value=1, off_value=0, axis: int = -1, dtype=None, name=None):
    """One-hot rows with the given values."""
    rows = ops.one_hot(indices, depth, axis=axis, dtype=dtype or "float32")
    return rows if (on_value, off_value) == (1, 0) else rows * (on_value - off_value) + off_value


def range_(start, limit=None, delta=1, dtype=None, name=None):
    """Numbers from `start` (0 if there is one argument) up to `limit`."""
    return (
        ops.arange(start, limit, delta, dtype=dtype) if limit is not None else ops.arange(0, start, delta, dtype=dtype)
    )


def gather(params, indices, axis: int = 0, name=None):
    """Rows (entries along `axis`) at the given indices."""
    return ops.take(params, indices, axis=axis)


def split(value, num_or_size_splits, axis: int = 0, num=None, name=None):
    """Equal parts, or parts of the given sizes."""
    if isinstance(num_or_size_splits, int):
        return ops.split(value, num_or_size_splits, axis=axis)
    return ops.split(value, np.cumsum(num_or_size_splits)[:-1].tolist(), axis=axis)


def pad(tensor, paddings, mode: str = "CONSTANT", constant_values=0, name=None):
    """The tensor with borders of the given widths."""
    widths = np.asarray(paddings).tolist()
    if mode.lower() == "constant":
        return ops.pad(tensor, widths, mode="constant", constant_values=constant_values)
    return ops.pad(tensor, widths, mode=mode.lower())


def slice_(input_, begin, size, name=None):
    """A block of the given size; -1 means up to the end."""
    tensor = convert_to_tensor(input_)
    ends = [n if s == -1 else b + s for n, b, s in zip(tensor.shape, begin, size)]
    return tensor[tuple(builtins.slice(b, e) for b, e in zip(begin, ends))]


def boolean_mask(tensor, mask, axis: int | None = None, name=None):
    """The entries along `axis` (the first by default) where `mask` is true."""
    return ops.take(tensor, np.flatnonzero(np.asarray(mask)), axis=axis or 0)


def einsum(equation: str, *inputs, name=None):
    """Sum of products, by Einstein's convention."""
    return ops.einsum(equation, *inputs)


def meshgrid(*args, indexing: str = "xy", name=None):
    """Coordinate matrices from coordinate vectors."""
    return ops.meshgrid(*args, indexing=indexing)


def size(input, name=None):
    """Number of entries."""
    return convert_to_tensor(ops.size(input))


def rank(input, name=None):
    """Number of axes."""
    return convert_to_tensor(ops.ndim(input))


def clip_by_norm(t, clip_norm, axes=None, name=None):
    """The tensor scaled so that its length is at most `clip_norm`."""
    length = ops.sqrt(ops.sum(ops.square(t), axis=axes, keepdims=True))
    return t * (clip_norm / ops.maximum(length, clip_norm))


def clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
    """Tensors scaled so that their common length is at most `clip_norm`, and that length before."""
    length = global_norm(t_list) if use_norm is None else use_norm
    scale = clip_norm / ops.maximum(length, clip_norm)
    return [None if t is None else t * scale for t in t_list], length


def global_norm(t_list, name=None):
    """The common length of several tensors."""
    squares = [ops.sum(ops.square(t)) for t in t_list if t is not None]
    return ops.sqrt(ops.sum(ops.stack(squares)))


def squared_difference(x, y, name=None):
    """(x - y)(x - y)."""
    return ops.square(ops.subtract(x, y))


def divide_no_nan(x, y, name=None):
    """x / y, 0 where y is 0."""
    return ops.divide_no_nan(x, y)


def l2_normalize(x, axis=None, epsilon: float = 1e-12, name=None):
    """The tensor scaled to length one, as a whole or along `axis`."""
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), epsilon))


def confusion_matrix(labels, predictions, num_classes: int | None = None, weights=None, dtype="int32", name=None):
    """How often label i (row) was predicted as j (column)."""
    labels, predictions = np.asarray(labels).astype("int64"), np.asarray(predictions).astype("int64")
    count = num_classes or int(max(labels.max(), predictions.max())) + 1
    matrix = np.zeros((count, count), dtype=str(dtype))
    np.add.at(matrix, (labels, predictions), 1 if weights is None else np.asarray(weights))
    return Tensor(matrix)


def device(device_name: str | None):
    """A context that changes nothing: arrays say where they are computed."""
    if device_name and "CPU" not in str(device_name).upper():
        warnings.warn(f"tf.device({device_name!r}) has no effect in kerasish; use keras.device.", stacklevel=2)
    return contextlib.nullcontext()


def executing_eagerly() -> bool:
    """True: code always runs as it is called."""
    return True


def get_logger() -> logging.Logger:
    """The library's logger."""
    return logging.getLogger("kerasish")
