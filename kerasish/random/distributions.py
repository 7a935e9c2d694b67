"""Random numbers from a seed: the ones that Keras draws on TensorFlow, in the same order."""

from __future__ import annotations

import math

import numpy as np

from kerasish import kernels, ops
from kerasish.core import dtypes, scopes
from kerasish.core.operators import Operators
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, as_array, convert_to_tensor
from kerasish.device import put
from kerasish.random.seed import draw_pair

_DRAWN = ("float16", "bfloat16", "float32", "float64")
_HOST = np.empty(0)
_host = kernels.twin_of(_HOST)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Numbers spread evenly over `[minval, maxval)`.

    Args:
        shape: Shape of the result.
        minval: Lower bound, included.
        maxval: Upper bound, excluded.
        dtype: Float dtype; the default one if `None`.
        seed: Integer (the same numbers each time), `keras.random.SeedGenerator` (new ones each time), or `None` for the
            global generator.

    Returns:
        A tensor; equal to the bit to what Keras draws on TensorFlow from the same seed.

    Raises:
        ValueError: If `dtype` is not a float one.
    """
    dtype = _float_dtype("uniform", dtype, ValueError)
    if _plain(minval) and _plain(maxval):
        return _draw("uniform", shape, dtype, seed, _bound(minval), _bound(maxval))
    minval, maxval = convert_to_tensor(minval, dtype), convert_to_tensor(maxval, dtype)
    return _draw("uniform", shape, dtype, seed) * (maxval - minval) + minval


def _bound(value) -> float:
    """A bound as it reaches TensorFlow: a Python float becomes float32 before it becomes the result's dtype."""
    return float(np.float32(value)) if type(value) is float else float(value)


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normally distributed numbers.

    Args:
        shape: Shape of the result.
        mean: Mean; a number, or a tensor that the result's shape contains. Gradients flow into tensors.
        stddev: Standard deviation, likewise.
        dtype: Float dtype; the default one if `None`.
        seed: Integer, `keras.random.SeedGenerator`, or `None` for the global generator.

    Returns:
        A tensor; within a unit in the last place of what Keras draws on TensorFlow from the same seed.

    Raises:
        TypeError: If `dtype` is not a float one.
    """
    return _located("normal", shape, mean, stddev, dtype, seed)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normally distributed numbers, those further than two `stddev` from `mean` being drawn again.

    Args:
        shape: Shape of the result.
        mean: Mean before truncation.
        stddev: Standard deviation before truncation.
        dtype: Float dtype; the default one if `None`.
        seed: Integer, `keras.random.SeedGenerator`, or `None` for the global generator.

    Returns:
        A tensor.

    Raises:
        TypeError: If `dtype` is not a float one.
    """
    return _located("truncated_normal", shape, mean, stddev, dtype, seed)


def _located(name, shape, mean, stddev, dtype, seed):
    dtype = _float_dtype(name, dtype, TypeError)
    if _plain(mean) and _plain(stddev):
        return _draw(name, shape, dtype, seed, float(mean), float(stddev))
    return _draw(name, shape, dtype, seed) * convert_to_tensor(stddev, dtype) + convert_to_tensor(mean, dtype)


def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Integers from `minval` up to but without `maxval`.

    Args:
        shape: Shape of the result.
        minval: Lowest integer.
        maxval: The integer after the highest.
        dtype: Integer dtype.
        seed: Integer, `keras.random.SeedGenerator`, or `None` for the global generator.

    Returns:
        A tensor.

    Raises:
        ValueError: If `dtype` is not an integer one or there is no integer between the bounds.
        TypeError: If a bound is a Python float.
    """
    dtype = dtypes.standardize_dtype(dtype)
    if not dtypes.is_int(dtype):
        raise ValueError(f"`keras.random.randint` requires an integer `dtype`. Received: dtype={dtype} ")
    drawn = dtype if dtype in ("int32", "int64") else "int64"
    low, high = _integer("minval", minval, drawn), _integer("maxval", maxval, drawn)
    if low >= high:
        raise ValueError(f"`minval` must be less than `maxval`. Received: minval={minval} and maxval={maxval}")
    numbers = _draw("randint", shape, drawn, seed, low, high)
    return numbers if dtype == drawn else ops.cast(numbers, dtype)


def _integer(name, value, dtype) -> int:
    if isinstance(value, (float, str)):
        raise TypeError(f"`{name}` must be an integer. Received: {name}={value!r}")
    value = int(value)
    limits = np.iinfo(dtype)
    if not limits.min <= value <= limits.max:
        raise ValueError(f"`{name}` must fit into {dtype}. Received: {name}={value}")
    return value


def categorical(logits, num_samples: int, dtype="int32", seed=None):
    """Classes drawn with the probabilities `softmax(logits)`.

    Args:
        logits: Tensor (batch, classes) of unnormalized log-probabilities.
        num_samples: How many to draw for each row.
        dtype: Dtype of the result.
        seed: Integer, `keras.random.SeedGenerator`, or `None` for the global generator.

    Returns:
        A tensor (batch, num_samples). For large batches TensorFlow's numbers depend on its number of threads; these are
        the ones that it draws on one.

    Raises:
        ValueError: If the logits are not two-dimensional floats, or there are no classes.
        TypeError: If `num_samples` is not an integer.
    """
    symbolic = isinstance(logits, KerasTensor)
    logits = logits if symbolic else convert_to_tensor(logits)
    if len(logits.shape) != 2:
        raise ValueError(
            f"`logits` should be a 2-D tensor with shape [batch_size, num_classes]. Received: logits={logits}"
        )
    if not dtypes.is_float(logits.dtype) or logits.shape[1] == 0:
        raise ValueError(f"`logits` must be floats for at least one class. Received: logits={logits}")
    if _integer("num_samples", num_samples, "int32") < 0:
        raise ValueError(f"`num_samples` must not be negative. Received: num_samples={num_samples}")
    dtype = dtypes.standardize_dtype(dtype)
    if symbolic:
        return _symbolic("categorical", (logits.shape[0], num_samples), dtype)
    drawn = kernels.twin_of(logits.value).categorical(logits.value, int(num_samples), draw_pair(seed))
    return Tensor(put(drawn.astype(dtypes.numpy_dtype(dtype))))


def shuffle(x, axis: int = 0, seed=None):
    """The slices of `x` along one axis, in random order.

    Args:
        x: Tensor.
        axis: Axis along which to shuffle.
        seed: Integer, `keras.random.SeedGenerator`, or `None` for the global generator.

    Returns:
        A tensor like `x`.

    Raises:
        ValueError: If `x` has no such axis.
    """
    symbolic = isinstance(x, KerasTensor)
    x = x if symbolic else convert_to_tensor(x)
    if not -len(x.shape) <= axis < len(x.shape):
        raise ValueError(f"`x` has no axis {axis} to shuffle along. Received: x of shape {tuple(x.shape)}")
    if symbolic:
        return _symbolic("shuffle", x.shape, x.dtype)
    return ops.take(x, Tensor(put(_host.shuffle(x.shape[axis], draw_pair(seed)))), axis=axis)


def gamma(shape, alpha, dtype=None, seed=None):
    """Numbers of the gamma distribution with rate 1.

    Args:
        shape: Shape of the result; it ends with the shape of `alpha`.
        alpha: Shape parameter of the distribution.
        dtype: Float dtype; the default one if `None`.
        seed: Integer, `keras.random.SeedGenerator`, or `None` for the global generator.

    Returns:
        A tensor; the numbers are TensorFlow's. No gradient flows into `alpha`.

    Raises:
        ValueError: If `dtype` is not a float one or the shapes do not fit.
    """
    dtype = _float_dtype("gamma", dtype, ValueError)
    return Tensor(put(_gamma(_known_shape(shape), alpha, dtype, draw_pair(seed))))


def beta(shape, alpha, beta, dtype=None, seed=None):
    """Numbers of the beta distribution, made of two gamma ones.

    Args:
        shape: Shape of the result.
        alpha: First parameter of the distribution, broadcast to `shape`.
        beta: Second parameter, likewise.
        dtype: Float dtype; the default one if `None`.
        seed: Integer, `keras.random.SeedGenerator`, or `None` for the global generator.

    Returns:
        A tensor.

    Raises:
        ValueError: If `dtype` is not a float one or the shapes do not fit.
    """
    dtype, shape = _float_dtype("beta", dtype, ValueError), _known_shape(shape)
    first, second = draw_pair(seed)
    a = _gamma(shape, np.broadcast_to(as_array(alpha, like=_HOST), shape), dtype, (first, second))
    b = _gamma(shape, np.broadcast_to(as_array(beta, like=_HOST), shape), dtype, (first + 12, second + 12))
    return Tensor(put(a / (a + b)))


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """How many of `counts` independent trials succeed.

    Args:
        shape: Shape of the result; it ends with the common shape of the parameters.
        counts: Number of trials.
        probabilities: Probability of success of one trial, from 0 to 1.
        dtype: Dtype of the result; the default float if `None`.
        seed: Integer, `keras.random.SeedGenerator`, or `None` for the global generator.

    Returns:
        A tensor of whole numbers; they are TensorFlow's.

    Raises:
        ValueError: If the shapes do not fit.
    """
    dtype, shape, pair = dtypes.standardize_dtype(dtype), _known_shape(shape), draw_pair(seed)
    drawn = dtype if dtype in _DRAWN else "float64"
    counts, probabilities = as_array(counts, like=_HOST), as_array(probabilities, like=_HOST)
    numbers = _per_parameter(lambda n, p: _host.binomial(n, p, pair, drawn), shape, counts, probabilities)
    return Tensor(put(numbers.astype(dtypes.numpy_dtype(dtype), copy=False)))


def _gamma(shape, alpha, dtype, pair):
    drawn = "float32" if dtype == "bfloat16" else dtype
    numbers = _per_parameter(lambda a: _host.gamma(a, pair, drawn), shape, as_array(alpha, drawn, like=_HOST))
    return numbers.astype(dtypes.numpy_dtype(dtype), copy=False)


def _per_parameter(draw, shape, *parameters):
    """Draw for parameters that `shape` ends with: TensorFlow draws all numbers of one parameter, then of the next."""
    common = np.broadcast_shapes(*(p.shape for p in parameters))
    if common != shape[len(shape) - len(common) :]:
        raise ValueError(
            f"`shape` must end with the shape of the parameters. Received: shape={shape}, expected (..., *{common})"
        )
    each = math.prod(shape[: len(shape) - len(common)])
    numbers = draw(*(np.repeat(np.broadcast_to(p, common).reshape(-1), each) for p in parameters))
    return np.ascontiguousarray(numbers.reshape(math.prod(common), each).T).reshape(shape)


def _draw(kernel, shape, dtype, seed, *parameters):
    """Draw on the host; where only shapes are computed and one is open, just say which comes out."""
    shape = _dimensions(shape)
    if None in shape:
        return _symbolic(kernel, shape, dtype)
    return Tensor(put(getattr(_host, kernel)(shape, draw_pair(seed), *parameters, dtype=dtype)))


def _symbolic(name, shape, dtype) -> KerasTensor:
    if not scopes.shapes_only():
        raise ValueError(
            f"keras.random.{name} draws now, and needs values and a known shape; call it inside a layer. "
            f"Received: shape={shape}"
        )
    return KerasTensor(shape, dtype)


def _dimensions(shape) -> tuple[int | None, ...]:
    """A shape whose entries may be tensors, with None where one is symbolic."""
    if isinstance(shape, (int, float, str)) or not hasattr(shape, "__len__"):
        raise ValueError(f"`shape` must be a tuple of integers. Received: shape={shape}")
    return tuple(_dimension(d, shape) for d in shape)


def _dimension(d, shape) -> int | None:
    if d is None or isinstance(d, KerasTensor):
        return None
    if isinstance(d, (float, str)) or not hasattr(d, "__index__") or d.__index__() < 0:
        raise ValueError(f"`shape` must be a tuple of integers that are not negative. Received: shape={shape}")
    return d.__index__()


def _known_shape(shape) -> tuple[int, ...]:
    shape = _dimensions(shape)
    if None in shape:
        raise ValueError(f"`shape` must be known. Received: shape={shape}")
    return shape


def _plain(x) -> bool:
    """Whether a parameter is a number, which the kernel takes; tensors are applied by ops, so that gradients flow."""
    return not isinstance(x, Operators) and np.ndim(x) == 0


def _float_dtype(name, dtype, error) -> str:
    dtype = dtypes.standardize_dtype(dtype)
    if dtype not in _DRAWN:
        raise error(f"`keras.random.{name}` requires a floating point `dtype`. Received: dtype={dtype} ")
    return dtype
