"""Ops that reduce, accumulate, sort or search along axes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from parity.differential.draws import array, booleans, one, some
from parity.differential.ops.kinds import (
    ANY,
    NOTHING,
    NUMBERS,
    along,
    an_axis,
    axes,
    shapes,
    some_array,
)
from parity.differential.ops.running import CALLS, op, whole
from parity.libraries import real


@st.composite
def reduced(draw, dtypes=ANY, values="normal ties", several=True, more=NOTHING, keep=True, least=0, name="axis"):
    """An array and what to reduce it by."""
    x = draw(some_array(dtypes, values, least, 4))
    arguments = {name: draw(axes(len(x["shape"]), several))} if draw(one(True, True, False)) else {}
    if keep and draw(booleans):
        arguments["keepdims"] = draw(booleans)
    return (x,), {**arguments, **draw(more)}


for name in "sum mean amax amin any all".split():
    whole(name, reduced(values="normal ties special"))
for name in ("max", "min"):
    whole(name, reduced(values="normal ties special", more=some(initial=one(None, 1, 0.5))))
whole("prod", reduced(more=some(dtype=one(None, "float32", "int32", "float16"))))
for name in ("var", "std"):
    whole(name, reduced())
for name in "nanmean nansum".split():
    whole(name, reduced(values="normal special"))
whole("logsumexp", reduced(one("float32", "float64", "float16", "bfloat16", "int32"), "normal special"))
for name in ("argmax", "argmin"):
    whole(name, reduced(values="normal ties", several=False))
whole("count_nonzero", reduced(values="ties special", keep=False))
whole("median", reduced(NUMBERS, "normal ties"))
QUANTILE = st.fixed_dictionaries(
    {"q": one(0.5, 0.25, [0.1, 0.9], 1.0, 0, [[0.0, 1.0], [0.5, 0.3]])},
    optional={"method": one("linear", "lower", "higher", "midpoint", "nearest")},
)
whole("quantile", reduced(NUMBERS, "normal ties", more=QUANTILE))


@st.composite
def weighted(draw):
    """An array, an axis, and weights of the array's shape or along the axis."""
    x = draw(some_array(NUMBERS, "normal ties", 0, 3))
    rank = len(x["shape"])
    arguments = {"axis": draw(axes(rank))} if draw(booleans) else {}
    axis, shape = arguments.get("axis"), x["shape"]
    if draw(booleans):
        if isinstance(axis, int) and -rank <= axis < rank and draw(booleans):
            shape = (shape[axis],)
        arguments["weights"] = draw(array(shape, NUMBERS, one("positive")))
    return (x,), arguments


whole("average", weighted())
SUM_DTYPE = some(dtype=one(None, "float32", "int32", "float64"))
for name in ("cumsum", "cumprod"):
    whole(name, along(ANY, "normal ties", least=0, more=SUM_DTYPE))
for name in ("sort", "argsort"):
    whole(name, along(ANY, "normal ties", least=0))


@st.composite
def normed(draw):
    """An array, and a norm of its vectors or of its matrices."""
    x = draw(some_array(one("float32", "float64", "int32", "float16", "bool", "int8"), "normal", 1, 3))
    rank = len(x["shape"])
    pair = st.permutations(range(rank)).map(lambda p: tuple(p[:2]))
    axis = draw(st.one_of(st.none(), an_axis(rank), pair))
    matrix = isinstance(axis, tuple) and len(axis) == 2 or axis is None and rank == 2
    orders = (
        one(None, "fro", "nuc", 1, 2, -1, -2, np.inf, -np.inf) if matrix else one(None, 1, 2, np.inf, 3, 0.5, 0, -1)
    )
    arguments = {"ord": draw(orders)} if draw(one(True, True, False)) else {}
    if axis is not None:
        arguments["axis"] = axis
    return (x,), {**arguments, **draw(some(keepdims=booleans))}


whole("norm", normed())


@st.composite
def spread(draw):
    """An array and the axes of its moments."""
    x = draw(some_array(one("float32", "float64", "float16", "bfloat16"), "normal", 1, 4))
    rank = len(x["shape"])
    chosen = st.lists(st.integers(-rank, rank - 1), min_size=1, max_size=rank, unique_by=lambda a: a % rank)
    return (x,), {"axes": draw(chosen), **draw(some(keepdims=booleans))}


whole("moments", spread())
whole(
    "normalize",
    along(one("float32", "float64", "float16", "int32"), "normal ties", more=some(order=one(2, 1, 3, np.inf))),
)


def _prod(keras, x, dtype=None, **arguments):
    """The product; Keras on TensorFlow ignores `dtype`, which its symbolic result has."""
    if dtype is None or keras is not real() or isinstance(x, keras.KerasTensor):
        return keras.ops.prod(x, dtype=dtype, **arguments)
    return keras.ops.cast(keras.ops.prod(keras.ops.cast(x, dtype), **arguments), dtype)


CALLS["prod"] = _prod


def _top_k(keras, x, k, sorted=True):
    """The largest, and where they are; in the order of their places if no order is asked for."""
    found, places = keras.ops.top_k(x, k, sorted)
    if sorted:
        return found, places
    order = keras.ops.argsort(places, -1)
    return keras.ops.take_along_axis(found, order, -1), keras.ops.take_along_axis(places, order, -1)


CALLS["top_k"] = _top_k
op(
    "top_k",
    array(shapes(1, 3, one(3, 4)), NUMBERS, one("normal", "ties")),
    arguments=st.fixed_dictionaries({"k": one(1, 2, 3)}, optional={"sorted": booleans}),
)


@st.composite
def sections(draw):
    """A sorted row of limits, and a row of values of its dtype, rarely others, to be placed among them."""
    n = draw(st.integers(0, 4))
    dtype = draw(one("float32", "int32", "float64", "int64", "float16", "bfloat16", "int8"))
    limits = {"shape": (n,), "dtype": dtype, "values": "sorted", "seed": draw(st.integers(0, 99))}
    rank = draw(one(1, 1, 1, 1, 2, 0))
    return (limits, draw(some_array(one(*[dtype] * 6, "float32", "int32"), "normal ties special", rank, rank))), {}


whole("searchsorted", st.tuples(sections(), some(side=one("left", "right"))).map(lambda d: (d[0][0], d[1])))
op(
    "digitize",
    some_array(
        one("float32", "int32", "float64", "float16", "bfloat16", "int8", "uint8", "bool", "int64"),
        "normal ties special",
    ),
    arguments=one([-1.0, 0.0, 1.0], [0, 2], [0.5], [], [-1.0, 0.0, 0.0, 2.0]).map(lambda b: {"bins": np.array(b)}),
)


@st.composite
def counted(draw):
    """Small numbers, and perhaps their weights."""
    x = draw(some_array(one("int32", "int64", "uint8", "int8", "uint32"), "small", 1, 2))
    arguments = draw(some(minlength=one(0, 6, 2)))
    if draw(booleans):
        arguments["weights"] = draw(array(x["shape"], one("float32", "int32", "float64", "float16"), one("normal")))
    return (x,), arguments


whole("bincount", counted())
whole(
    "unique",
    st.tuples(
        st.tuples(some_array(one("int32", "float32", "int64", "uint8", "bool", "float64"), "ties", 0, 2)),
        some(
            return_index=booleans,
            return_inverse=booleans,
            return_counts=booleans,
            axis=one(None, 0, -1),
            size=one(None, 3, 8),
            fill_value=one(None, 7),
        ),
    ),
    symbolic=False,
    gradient=False,
)
op("nonzero", some_array(ANY, "ties", 0, 3), symbolic=False)
op(
    "in_top_k",
    array((3,), one("int32", "int64"), one("small")),
    array((3, 4), one(*["float32"] * 6, "float64", "float16", "bfloat16"), one("normal", "ties", "special")),
    arguments=st.fixed_dictionaries({"k": one(2, 1, 4)}),
)
