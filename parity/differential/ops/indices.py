"""Ops that read or write elements by their places."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import array, booleans, one, seeds, some
from parity.differential.ops.kinds import LENGTH, NUMBERS, shapes, some_array
from parity.differential.ops.running import whole

PLACES = one("int32", "int64", "int8", "uint8", "int16", "uint16", "uint32")
FULL = one(2, 3, 1, 4, 5)


def places(shape, length, dtypes=PLACES, least=None):
    """Indices of an axis of a length; with `least`, from there."""
    wanted = st.fixed_dictionaries(
        {
            "shape": st.just(tuple(shape)),
            "dtype": dtypes,
            "values": st.just("labels"),
            "seed": seeds,
            "classes": st.just(length),
        }
    )
    return wanted.map(lambda d: d if "uint" in d["dtype"] else {**d, "least": -length if least is None else least})


@st.composite
def taken(draw):
    """An array, indices and an axis."""
    x = draw(some_array(least=1, most=3, length=FULL))
    shape = x["shape"]
    axis = draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1)))
    size = 1
    for d in shape if axis is None else (shape[axis],):
        size *= d
    index = draw(st.one_of(places(draw(shapes(0, 2)), size), st.integers(-size, size - 1)))
    return (x, index), {} if axis is None and draw(booleans) else {"axis": axis}


@st.composite
def taken_along(draw):
    """An array, indices of its rank and an axis."""
    x = draw(some_array(least=1, most=3, length=FULL))
    shape = x["shape"]
    axis = draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1)))
    if axis is None:
        size = 1
        for d in shape:
            size *= d
        return (x, draw(places(draw(shapes(1, 1)), size))), {"axis": None} if draw(booleans) else {}
    own = [1 if draw(one(False, False, True)) else d for d in shape]
    own[axis] = draw(LENGTH)
    return (x, draw(places(own, shape[axis]))), {"axis": axis}


@st.composite
def gotten(draw):
    """An array and what stands between brackets."""
    x = draw(some_array(least=1, most=3, length=FULL))
    shape, key = x["shape"], []
    for d in shape[: draw(st.integers(0, len(shape)))]:
        bound = st.one_of(st.none(), st.integers(-d, d))
        kind = draw(one("int", "slice", "slice", "new", "array"))
        if kind == "new":
            key.append(None)
        if kind == "int":
            key.append(draw(st.integers(-d, d - 1)))
        elif kind == "array":
            key.append(draw(places(draw(one((2,), (3,), (2,), ())), d, one("int32", "int64"))))
        else:
            key.append({"slice": (draw(bound), draw(bound), draw(one(None, None, 1, 2, -1)))})
    if draw(booleans) and len([k for k in key if k is not None]) < len(shape):
        key.insert(draw(st.integers(0, len(key))), {"slice": "..."})
    # several index arrays: TensorFlow's tensors refuse what NumPy's take
    arrays = [i for i, k in enumerate(key) if isinstance(k, dict) and "values" in k]
    key = [k for i, k in enumerate(key) if i not in arrays[1:]]
    return (x,), {"key": {"index": key}}


@st.composite
def cut(draw, update=False):
    """An array, a corner and a shape."""
    x = draw(some_array(least=1, most=3, length=FULL))
    starts = [draw(st.integers(0, d - 1)) for d in x["shape"]]
    sizes = [draw(st.integers(0, d - s)) for d, s in zip(x["shape"], starts)]
    start = {"values": "given", "shape": (len(starts),), "dtype": "int32", "seed": 0, "given": starts}
    starts = draw(one(tuple(starts), starts, start))
    if update:
        dtype = draw(one(x["dtype"], x["dtype"], "float32"))
        return (x, starts, draw(array(tuple(sizes), one(dtype)))), {}
    sizes = [-1 if draw(one(False, False, False, True)) else s for s in sizes]
    return (x, starts, tuple(sizes)), {}


whole("take", taken())
whole("take_along_axis", taken_along())
whole("get_item", gotten())
whole("slice", cut())
whole("slice_update", cut(True))


@st.composite
def encoded(draw, many):
    """Integers that are one- or multi-hot encoded."""
    classes = draw(one(4, 3, 1))
    shape = draw(shapes(1 if many else 0, 2))
    x = draw(places(shape, classes + draw(one(0, 0, 1)), least=draw(one(0, -1))))
    rank = len(shape) + (not many)
    arguments = draw(some(axis=st.integers(-rank, rank - 1), dtype=one("int32", "float16", "bool", None)))
    return (x,), {"num_classes": classes, **arguments}


whole("one_hot", encoded(False))
whole("multi_hot", encoded(True))


@st.composite
def segmented(draw):
    """Rows and the segments that they belong to."""
    x = draw(some_array(NUMBERS, "normal", 1, 3, FULL))
    classes = draw(one(4, 2, 5))
    ids = draw(places((x["shape"][0],), draw(one(*[min(classes, 4)] * 6, 4)), one("int32", "int64"), least=0))
    arguments = draw(some(num_segments=one(classes, None), sorted=booleans))
    if arguments.get("num_segments") is None and draw(one(True, True, False)):  # Keras counts those that are there
        ids = {**ids, "values": "given", "given": sorted(i % 2 for i in range(x["shape"][0]))}
    elif arguments.get("sorted"):
        ids = {**ids, "values": "sorted labels"}
    return (x, ids), arguments


for name in ("segment_sum", "segment_max", "segment_min"):
    whole(name, segmented())


@st.composite
def scattered(draw, update=False):
    """Indices of elements or slices, and values for them."""
    shape = draw(shapes(1, 3, FULL))
    depth = draw(st.integers(1, len(shape)))
    n = draw(one((2,), (3,), (1,), (0,), (2, 2)))
    least = min(shape[:depth])
    index = draw(places((*n, depth), least, one("int32", "int64"), least=0))
    dtype = draw(NUMBERS)
    values = draw(array((*n, *shape[depth:]), one(*[dtype] * 6, "float32", "int32")))
    if update:
        more = some(reduction=one(None, "add", "max", "min", "mul"))
        return (draw(array(shape, one(dtype))), index, values), draw(more)
    return (index, values), {"shape": shape}


whole("scatter", scattered())
whole("scatter_update", scattered(True))
