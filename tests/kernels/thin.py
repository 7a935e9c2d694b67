"""Rows for the thin kernels, and how those with several results are checked."""

from typing import NamedTuple

import numpy as np
import pytest

from kerasish.core.shapes import Window, window_pads
from kerasish.device import threads
from kerasish.kernels import Twin, find

from .harness import TOLERANCE, TWINS, array, cast, check_close


class Pool(NamedTuple):
    """A pooling of x (N, *S, C)."""

    name: str
    x: tuple
    size: tuple
    window: Window


def pool(name, x, size, strides=None, padding="valid", dilation=None):
    strides, dilation = strides or size, dilation or (1,) * len(size)
    axes = zip(x[1:-1], size, strides, dilation)
    return Pool(
        name, x, size, Window(strides, tuple(window_pads(n, k, s, padding, d) for n, k, s, d in axes), dilation)
    )


POOLS = [
    pool("two by two", (2, 6, 8, 32), (2, 2)),
    pool("odd image, rows left over", (2, 7, 9, 3), (2, 2)),
    pool("three by three, stride 2, same", (2, 7, 8, 35), (3, 3), (2, 2), "same"),
    pool("stride 1, same", (3, 9, 9, 17), (5, 5), (1, 1), "same"),
    pool("uneven window and strides", (1, 5, 6, 4), (3, 2), (1, 2), "same"),
    pool("dilation", (2, 9, 8, 5), (3, 2), (1, 1), dilation=(2, 3)),
    pool("stride larger than the window", (2, 11, 10, 6), (2, 2), (4, 3)),
    pool("the whole image", (2, 5, 4, 7), (5, 4)),
    pool("one by one", (2, 5, 4, 7), (1, 1)),
    pool("more than 256 elements", (2, 20, 20, 5), (17, 17), (3, 3), "same"),
    pool("one channel, one pixel", (1, 1, 1, 1), (3, 3), (2, 2), "same"),
    pool("empty batch", (0, 6, 6, 3), (2, 2)),
    pool("one axis", (2, 9, 3), (3,), (2,), "same"),
    pool("three axes", (2, 4, 5, 6, 2), (2, 2, 3), (1, 2, 2), "same"),
]

POOLS3D = [
    pool("two by two by two", (2, 4, 6, 4, 8), (2, 2, 2)),
    pool("uneven, same", (2, 5, 6, 7, 5), (3, 2, 3), (2, 1, 2), "same"),
    pool("stride 1, same", (1, 4, 5, 3, 4), (3, 3, 3), (1, 1, 1), "same"),
    pool("rows and planes left over", (1, 5, 7, 3, 3), (2, 3, 2), (3, 3, 2)),
    pool("dilation", (1, 7, 6, 5, 4), (2, 3, 2), (2, 1, 1), "same", (3, 2, 2)),
    pool("the whole image", (2, 3, 2, 4, 3), (3, 2, 4)),
    pool("depth alone", (1, 9, 2, 3, 4), (3, 1, 1), (2, 1, 1)),
    pool("one pixel", (2, 1, 1, 1, 1), (2, 2, 2), (2, 2, 2), "same"),
    pool("more than 256 elements", (1, 9, 8, 8, 4), (7, 7, 7), (1, 2, 1), "same"),
    pool("empty batch", (0, 4, 4, 4, 2), (2, 2, 2)),
]

CHANNELS_LAST = [
    (2, 3, 4, 5),
    (7, 1),
    (64, 9, 9, 33),
    (5, 700),
    (3, 2, 6, 256),
    (40, 5000),
    (0, 3, 3, 4),
    (20000, 3),
    (100, 257),
]

ROWS = [(1, 10), (128, 10), (3, 4, 1000), (5, 1), (0, 10), (7, 17), (5000, 3)]

REDUCTIONS = [
    ((64, 9, 9, 33), None),
    ((64, 9, 9, 33), (0, 1, 2)),
    ((64, 9, 9, 33), (1, 2)),
    ((64, 9, 9, 33), -1),
    ((64, 9, 9, 33), (0, 2)),
    ((64, 9, 9, 33), ()),
    ((300, 700), 0),
    ((300, 700), 1),
    ((100_003,), None),
    ((7, 1000, 3), 1),
    ((33, 1000, 1), 1),
    ((2, 3, 4, 5), (1, 2)),
    ((1, 5, 5, 300), (1, 2)),
    ((9, 14, 14, 32), (1, 2)),
    ((3, 50, 2), 1),
    ((3, 1, 20, 7, 9), (1, 2, 3)),
    ((2, 1024, 3, 400), (1, 2)),
    ((3, 0, 4), 1),
]

UNARY = (
    "exp expm1 log log1p tanh erf sigmoid softplus silu relu relu6 leaky_relu elu gelu hard_sigmoid softsign".split()
)
BINARY = (
    "add subtract multiply divide maximum minimum add_relu relu_grad relu6_grad sigmoid_grad tanh_grad silu_grad "
    "gelu_grad"
).split()
KERAS_UNARY = (
    "abs negative sign floor ceil round trunc square sqrt reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan "
    "arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh isfinite isinf isnan rsqrt erf erfc sigmoid "
    "log_sigmoid softplus softsign silu gelu relu relu6 hard_sigmoid hard_silu leaky_relu elu selu"
).split()
KERAS_BINARY = (
    "add subtract multiply divide floor_divide mod power maximum minimum arctan2 hypot logaddexp equal not_equal less "
    "less_equal greater greater_equal"
).split()
PAIRS = {
    "one shape": ((300, 501), (300, 501)),
    "a scalar": ((300, 501), ()),
    "a row": ((300, 501), (501,)),
    "a row first": ((501,), (300, 501)),
    "a column": ((300, 501), (300, 1)),
    "a short row": ((60000, 3), (3,)),
    "a row each": ((30, 51, 7, 9), (30, 1, 1, 9)),
    "a row each first": ((3, 1, 700), (3, 90, 700)),
    "one of each": ((2, 3, 4), (1, 1, 1)),
    "rows and columns": ((3, 4, 5), (3, 1, 1)),
    "two sizes": ((3, 1, 5), (1, 4, 5)),
    "small": ((2, 3), (2, 3)),
    "empty": ((0, 3), (0, 3)),
}


def named(rows):
    return pytest.mark.parametrize("case", rows, ids=[str(getattr(row, "name", row)) for row in rows])


def check_results(name, *args, tolerance=TOLERANCE, **options):
    """Like `check_twins`, for kernels with several results; numbers of elements must be equal, None stays None."""
    want = as_tuple(find("reference", name)(*(cast(a, "float64") for a in args), **options))
    for place in TWINS:
        for dtype in ("float32", "float64"):
            got = as_tuple(getattr(Twin(place), name)(*(cast(a, dtype) for a in args), **options))
            for i, (a, b) in enumerate(zip(got, want, strict=True)):
                if b is None or b.dtype.kind in "iub":
                    np.testing.assert_array_equal(a, b, err_msg=f"{place} {name} {dtype}, result {i}", strict=True)
                else:
                    check_close(np.asarray(a), np.asarray(b), dtype, tolerance[dtype], f"{place} {name}, result {i}")
    return want if len(want) > 1 else want[0]


def as_tuple(result):
    return result if isinstance(result, tuple) else (result,)


def check_slope(forward, x, gy, gx, step=1e-6):
    """gx is the gradient of <forward(x), gy>: along a random direction it is the difference quotient."""
    v = array(*x.shape, seed=5)
    slope = ((forward(x + step * v) - forward(x - step * v)) * gy).sum() / (2 * step)
    np.testing.assert_allclose((gx * v).sum(), slope, rtol=1e-6, atol=1e-6)


def same_bits(function):
    """The results of `function()` on one thread and on all are equal to the bit."""
    count = threads.available()
    try:
        results = []
        for n in (1, count):
            threads.set_num_threads(n)
            results.append([np.array(a) for a in as_tuple(function()) if a is not None])
    finally:
        threads.set_num_threads(count)
    for a, b in zip(*results):
        np.testing.assert_array_equal(a, b)
