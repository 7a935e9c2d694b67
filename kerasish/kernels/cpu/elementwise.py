"""Elementwise functions of large arrays: on all threads, into reused memory, float32 transcendentals as vector code.

Each is a row: a function of scalars, from which a kernel is made. Other dtypes go to the reference twin, and so do
small arrays, for which it is as fast and needs no compilation; but what layers pass to one another, float32 tensors of
two axes or more, never does where the row says so: models are replayed as a list of compiled calls. Of two operands one
may be a scalar, lie along the last axes, or be one row for each sample.
"""

import numpy as np

from kerasish.device import memory, raw, threads
from kerasish.device.jit import EXACT, FASTMATH, njit, prange
from kerasish.device.natives import Serial
from kerasish.device.pointer import view
from kerasish.kernels.cpu import vecmath
from kerasish.kernels.cpu.arrays import repeated_row
from kerasish.kernels.cpu.reduce import sum_of_rows
from kerasish.kernels.reference import elementwise as reference

COSTLY, CHEAP = 1 << 15, 1 << 17  # elements from which compiled code pays if it computes, or only moves memory
MASK = 1 << 10  # likewise for what NumPy needs several passes for
COST = 8  # multiply-adds that an element of a function that computes is worth
LENGTH = 1 << 13  # elements of a task
ROW_LENGTH = 1 << 10  # elements to which a short operand is repeated
MOVES, ROW, SAMPLE = 1, 2, 3  # an operand as large as the result, one row for all of it, one for each sample
FLOAT32, FLOATS = (np.dtype("float32"),), (np.dtype("float32"), np.dtype("float64"))


def broadcast_to(x, shape):
    """x repeated to a shape: a view, but for a recording, which is read by address."""
    if raw.recorder is None or type(x) is not np.ndarray:
        return reference.broadcast_to(x, shape)
    y = memory.empty(shape, x.dtype)
    raw.by_numpy(np.copyto, y, x)
    return y


def unary(name, function, kinds=FLOAT32, least=COSTLY, plain=None, replayed=False):
    """The kernel `name` from `function(x)` of scalars; `plain` is the reference where its name is another.

    `least` is the number of elements from which it pays; with `replayed` layers' tensors of any size are taken.
    """
    scalar, plain = _scalar(function), plain or getattr(reference, name)

    def body(tasks, x, y):
        for task in prange(tasks):
            u, v = view(x, task * LENGTH), view(y, task * LENGTH)
            for i in range(min(LENGTH, x.size - task * LENGTH)):
                v[i] = scalar(u[i])

    run = _kernel(body, name, ("float32.1 float32.1",))

    def call(x):
        if type(x) is not np.ndarray or x.dtype not in kinds or _too_small(x, least, replayed):
            return plain(x)
        x = np.ascontiguousarray(x)
        y = memory.empty(x.shape, x.dtype)
        count = threads.wanted(x.size * COST if least < CHEAP else x.size)
        run(-(-x.size // LENGTH), x.reshape(-1), y.reshape(-1), threads=count)
        return y

    call.__name__ = call.__qualname__ = name
    return call


def binary(name, function, kinds=FLOATS, least=CHEAP, plain=None, replayed=False):
    """The kernel `name` from `function(a, b)` of scalars; otherwise as `unary`."""
    scalar, plain = _scalar(function), plain or getattr(reference, name)

    def body(tasks, a, b, y, width, step, a_period, b_period):
        for task in prange(tasks):
            for at in range(task * step, min(y.size, (task + 1) * step), width):
                u, v, w = view(a, at // a_period * width), view(b, at // b_period * width), view(y, at)
                for i in range(min(width, y.size - at)):
                    w[i] = scalar(u[i], v[i])

    run = _kernel(body, name, ("float32.1 float32.1 float32.1 int64 int64 int64 int64",))

    def call(a, b):
        pair = _pair(a, b, kinds, least, replayed)
        return plain(a, b) if pair is None else _launch(run, a, b, *pair)

    call.__name__ = call.__qualname__ = name
    return call


def _scalar(function):
    return function if isinstance(function, Serial) else njit(function, fastmath=EXACT, forceinline=True)


def _kernel(body, name, usual):
    body.__name__ = name  # by which its machine code is found in the cache
    return njit(body, parallel=True, fastmath=EXACT, usual=usual)


def _too_small(x, least, replayed):
    return x.size < (1 if replayed and x.ndim > 1 and x.dtype == np.float32 else least)


def _pair(a, b, kinds, least, replayed):
    """How a and b go along with the result (`_way`); None if the kernels do not take them."""
    ours = type(a) is np.ndarray and type(b) is np.ndarray and a.dtype == b.dtype and a.dtype in kinds
    if not ours or _too_small(a if a.size >= b.size else b, least, replayed):
        return None
    if a.shape == b.shape:
        return MOVES, MOVES
    small_first = a.ndim < b.ndim or a.ndim == b.ndim and a.size < b.size
    way = _way(b, a) if small_first else _way(a, b)
    return way and ((way, MOVES) if small_first else (MOVES, way))


def _way(large, small):
    """How a smaller operand goes along with a larger one."""
    if not small.size or small.ndim > large.ndim:
        return None
    if small.size == 1 or small.shape == large.shape[large.ndim - small.ndim :]:
        return ROW
    ends = (large.shape[0], *(1,) * (large.ndim - 2), large.shape[-1])
    return SAMPLE if large.ndim > 2 and small.shape == ends else None


def _launch(run, a, b, a_way, b_way):
    large = a if a_way == MOVES else b
    y, width, rows = memory.empty(large.shape, large.dtype), LENGTH, 1
    if SAMPLE in (a_way, b_way):
        width, rows = large.shape[-1], large.shape[0]
    elif ROW in (a_way, b_way):
        row = b if a_way == MOVES else a
        row = repeated_row(row.reshape(-1), max(1, ROW_LENGTH // row.size))
        width, (a, b) = row.size, ((a, row) if a_way == MOVES else (row, b))
    step = width * max(1, LENGTH // width)
    periods = [width if way == MOVES else max(width, y.size // rows) for way in (a_way, b_way)]
    flat = [np.ascontiguousarray(array).reshape(-1) for array in (a, b, y)]
    run(-(-y.size // step), *flat, width, step, *periods, threads=threads.wanted(y.size))
    return y


def _hard_sigmoid(x):
    number = type(x)
    x = x + number(3)
    x = number(0) if x < number(0) else number(6) if x > number(6) else x
    return x / number(6)


@njit(fastmath=FASTMATH, forceinline=True)
def _gelu(x):
    cube = x * x * x
    return (
        np.float32(0.5) * x * (np.float32(1) + vecmath.tanh(np.float32(0.7978846) * (x + np.float32(0.044715) * cube)))
    )


@njit(fastmath=FASTMATH, forceinline=True)
def _normal_cdf(x):
    return np.float32(0.5) + np.float32(0.5) * vecmath.erf(x * np.float32(0.70710678))


@njit(fastmath=FASTMATH, forceinline=True)
def _silu_grad(g, x):
    s = vecmath.sigmoid(x)
    return g * s * (np.float32(1) + x * (np.float32(1) - s))


@njit(fastmath=FASTMATH, forceinline=True)
def _gelu_grad(g, x):
    t = vecmath.tanh(np.float32(0.7978846) * (x + np.float32(0.044715) * x * x * x))
    slope = np.float32(0.7978846) * (np.float32(1) + np.float32(0.134145) * x * x)
    return g * np.float32(0.5) * (np.float32(1) + t + x * (np.float32(1) - t * t) * slope)


@njit(fastmath=FASTMATH, forceinline=True)
def _gelu_exact_grad(g, x):
    density = np.float32(0.39894228) * vecmath.exp(np.float32(-0.5) * x * x)
    return g * (_normal_cdf(x) + x * density)


exp = unary("exp", vecmath.exp, replayed=True)
expm1 = unary("expm1", vecmath.expm1, replayed=True)
log = unary("log", vecmath.log)
log1p = unary("log1p", vecmath.log1p)
tanh = unary("tanh", vecmath.tanh, replayed=True)
erf = unary("erf", vecmath.erf, least=ROW_LENGTH)
sigmoid = unary("sigmoid", vecmath.sigmoid, replayed=True)
softplus = unary("softplus", vecmath.softplus, replayed=True)
silu = unary("silu", lambda x: x * vecmath.sigmoid(x), replayed=True)
relu = unary("relu", lambda x: x if x > type(x)(0) or x != x else type(x)(0), FLOATS, CHEAP, replayed=True)
relu6 = unary(
    "relu6",
    lambda x: type(x)(0) if x < type(x)(0) else type(x)(6) if x > type(x)(6) else x,
    FLOATS,
    CHEAP,
    replayed=True,
)
hard_sigmoid = unary("hard_sigmoid", _hard_sigmoid, FLOATS, CHEAP, replayed=True)
softsign = unary("softsign", lambda x: x / (type(x)(1) + abs(x)), FLOATS, CHEAP, replayed=True)

add = binary("add", lambda a, b: a + b, replayed=True)
subtract = binary("subtract", lambda a, b: a - b)
multiply = binary("multiply", lambda a, b: a * b, replayed=True)
divide = binary("divide", lambda a, b: a / b, replayed=True)
maximum = binary("maximum", lambda a, b: b if b > a or b != b else a, replayed=True)
minimum = binary("minimum", lambda a, b: b if b < a or b != b else a, replayed=True)
add_relu = binary("add_relu", lambda a, b: a + b if not a + b <= type(a)(0) else type(a)(0), replayed=True)
relu_grad = binary("relu_grad", lambda g, y: g if y > type(g)(0) else type(g)(0), least=MASK)
relu6_grad = binary("relu6_grad", lambda g, y: g if y > type(g)(0) and y < type(g)(6) else type(g)(0), least=MASK)
sigmoid_grad = binary("sigmoid_grad", lambda g, y: g * y * (type(g)(1) - y))
tanh_grad = binary("tanh_grad", lambda g, y: g * (type(g)(1) - y * y))
silu_grad = binary("silu_grad", _silu_grad, FLOAT32, COSTLY)
_leaky_relu = binary("leaky_relu", lambda x, slope: x if x > type(x)(0) else x * slope, replayed=True)
_elu = binary("elu", lambda x, alpha: x if x > type(x)(0) else alpha * vecmath.expm1(x), FLOAT32, COSTLY, replayed=True)
_gelu_tanh = unary("gelu", _gelu, replayed=True)
_gelu_tanh_grad = binary("gelu_grad", _gelu_grad, FLOAT32, COSTLY)
_gelu_erf = unary(
    "gelu_erf",
    lambda x: x * _normal_cdf(x),
    least=ROW_LENGTH,
    plain=lambda x: reference.gelu(x, approximate=False),
    replayed=True,
)
_gelu_erf_grad = binary(
    "gelu_erf_grad",
    _gelu_exact_grad,
    FLOAT32,
    ROW_LENGTH,
    plain=lambda g, x: reference.gelu_grad(g, x, approximate=False),
)


def leaky_relu(x, negative_slope=0.2):
    return _leaky_relu(x, np.asarray(negative_slope, x.dtype))


def elu(x, alpha=1.0):
    return _elu(x, np.asarray(alpha, x.dtype))


def gelu(x, approximate=True):
    """Hendrycks and Gimpel 2016: x * P(N(0, 1) <= x), or its tanh approximation."""
    return _gelu_tanh(x) if approximate else _gelu_erf(x)


def gelu_grad(gy, x, approximate=True):
    return _gelu_tanh_grad(gy, x) if approximate else _gelu_erf_grad(gy, x)


def bias_grad(gy):
    """The sum over all axes but the last: (..., F) -> (F,)."""
    return sum_of_rows(gy)
