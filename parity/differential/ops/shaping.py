"""Ops that move elements about."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import array, booleans, one, some
from parity.differential.ops.kinds import ANY, LENGTH, NOTHING, NUMBERS, along, an_axis, axes, shapes, some_array
from parity.differential.ops.running import op, whole


@st.composite
def permuted(draw):
    """An array and an order of its axes."""
    x = draw(some_array(most=4))
    rank = len(x["shape"])
    order = st.permutations(range(rank)).map(tuple)
    negative = order.map(lambda p: [a - rank for a in p])
    return (x,), draw(some(axes=st.one_of(order, order, negative, st.none())))


@st.composite
def several_axes(draw, more=NOTHING, least=0):
    """An array and an axis, axes, or none."""
    x = draw(some_array(least=least, most=4))
    return (x,), {**draw(some(axis=axes(len(x["shape"])))), **draw(more)}


@st.composite
def squeezed(draw):
    """An array with lengths of 1."""
    x = draw(some_array(most=4, length=one(1, 3, 1, 2)))
    ones = [i for i, d in enumerate(x["shape"]) if d == 1]
    choices = [st.none(), an_axis(len(x["shape"]))]
    if ones:
        choices += [st.sampled_from(ones), st.lists(st.sampled_from(ones), unique=True, min_size=1).map(tuple)]
    return (x,), draw(some(axis=st.one_of(*choices)))


@st.composite
def extended(draw):
    """An array and where new axes go."""
    x = draw(some_array(most=3))
    n = len(x["shape"]) + 1
    several = st.lists(st.integers(-n - 1, n), min_size=2, max_size=2, unique_by=lambda a: a % (n + 1))
    return (x,), {"axis": draw(st.one_of(an_axis(n), an_axis(n), several, several.map(tuple)))}


@st.composite
def repeated(draw):
    """An array, and how often its elements come."""
    x = draw(some_array(least=0, most=3))
    shape = x["shape"]
    axis = draw(st.one_of(st.none(), an_axis(len(shape))))
    arguments = {"axis": axis} if axis is not None or draw(booleans) else {}
    inside = axis is not None and -len(shape) <= axis < len(shape)
    length = shape[axis] if inside else None
    counts = [one(2, 3, 0, 1)]
    if length:
        counts.append(st.lists(one(0, 1, 2), min_size=length, max_size=length))
    return (x,), {"repeats": draw(st.one_of(*counts)), **arguments}


@st.composite
def reshaped(draw):
    """An array and a shape with as many elements, perhaps with one left open."""
    x = draw(some_array(most=4, length=one(2, 3, 4, 1, 0)))
    shape = list(draw(st.permutations(x["shape"])))
    if len(shape) > 1 and draw(booleans):
        shape = [shape[0] * shape[1], *shape[2:]]
    if draw(booleans):
        shape.insert(draw(st.integers(0, len(shape))), 1)
    if shape and 0 not in shape and draw(booleans):
        shape[draw(st.integers(0, len(shape) - 1))] = -1
    return (x,), {"newshape": tuple(shape) if draw(one(True, True, False)) else shape}


@st.composite
def moved(draw, names, several=True):
    """An array and from where to where its axes go."""
    x = draw(some_array(least=1, most=4))
    rank = len(x["shape"])
    n = draw(st.integers(1, rank)) if several and draw(booleans) else None
    order = st.lists(st.integers(-rank, rank - 1), min_size=n or 1, max_size=n or 1, unique_by=lambda a: a % rank)
    pick = order if n else st.integers(-rank, rank - 1)
    return (x,), {name: draw(pick) for name in names}


@st.composite
def broadcast(draw):
    """An array and a shape that it broadcasts to."""
    shape = draw(shapes(0, 3, one(2, 3, 4, 0)))
    own = tuple(1 if draw(one(False, True)) else d for d in shape)[draw(st.integers(0, len(shape))) :]
    return (draw(array(own, ANY)),), {"shape": shape}


@st.composite
def padded(draw):
    """An array and its borders."""
    x = draw(some_array(least=1, most=3, length=one(3, 4, 2, 5)))
    rank = len(x["shape"])
    width = st.tuples(one(0, 1, 2), one(0, 1))
    each = st.lists(width, min_size=rank, max_size=rank).map(tuple)
    arguments = {"pad_width": draw(st.one_of(each, each, width.map(lambda w: (w,)), one(1, 0)))}
    arguments |= draw(some(mode=one("constant", "reflect", "symmetric")))
    if arguments.get("mode", "constant") == "constant":
        arguments |= draw(some(constant_values=one(0, 2, 0.5, None)))
    return (x,), arguments


@st.composite
def divided(draw):
    """An array and where to split it."""
    x = draw(some_array(least=1, most=3, length=one(4, 6, 2, 3, 0)))
    rank = len(x["shape"])
    axis = draw(st.integers(-rank, rank - 1))
    parts = one(2, 1, 3, [1, 3], [2], [], [1, 1, 2], (1, 2))
    arguments = {} if axis == 0 and draw(booleans) else {"axis": axis}
    return (x,), {"indices_or_sections": draw(parts), **arguments}


@st.composite
def joined(draw, new=False, name="axis"):
    """Some arrays, and the axis to join them along."""
    shape = draw(shapes(0 if new else 1, 3))
    rank = len(shape) + new
    axis = draw(st.integers(-rank, rank - 1))
    length = lambda: tuple(draw(LENGTH) if not new and i == axis % rank else d for i, d in enumerate(shape))
    dtypes = draw(one(one("float32"), ANY))
    arrays = tuple(draw(array(length(), dtypes)) for _ in range(draw(st.integers(1, 3))))
    if axis == 0 and draw(booleans):
        return arrays, {}
    return arrays, {name: draw(st.one_of(st.just(axis), st.just(axis), st.just(axis), an_axis(rank)))}


whole("transpose", permuted())
whole("expand_dims", extended())
whole("flip", several_axes())
whole("roll", several_axes(st.fixed_dictionaries({"shift": one(1, -2, 5, 0)})))
whole("repeat", repeated())
whole("unstack", along(default=True, length=one(2, 3, 1)))
whole("squeeze", squeezed())
op("ravel", some_array(most=4))
whole("reshape", reshaped())
whole("swapaxes", moved(("axis1", "axis2"), several=False))
whole("moveaxis", moved(("source", "destination")))
TIMES = one(2, (2, 1), (1, 2, 3), (3,), 1, 0, [2, 2], ())
op("tile", some_array(), arguments=TIMES.map(lambda r: {"repeats": r}))
whole("broadcast_to", broadcast())
whole("pad", padded())
for name in ("tril", "triu"):
    op(name, some_array(least=2, most=4), arguments=some(k=one(0, 1, -1, 3, -5)))


@st.composite
def diagonals(draw, dtypes):
    """An array, two axes of it and an offset."""
    x = draw(some_array(dtypes, "normal ties", 2, 4))
    rank = len(x["shape"])
    first, second, *_ = draw(st.permutations(range(rank)))
    arguments = draw(some(offset=one(0, 1, -1, 4)))
    if draw(booleans):
        arguments |= {"axis1": first - rank * draw(booleans), "axis2": second - rank * draw(booleans)}
    return (x,), arguments


whole("diagonal", diagonals(ANY))
whole("trace", diagonals(ANY))
whole("split", divided())
whole("concatenate", joined(), pack="list")
whole("stack", joined(True), pack="list")
for name in ("hstack", "vstack"):
    whole(name, st.one_of(joined(True), joined()).map(lambda d: (d[0], {})), pack="list")
whole(
    "meshgrid",
    st.tuples(
        st.lists(some_array(NUMBERS, "normal", 0, 1), min_size=1, max_size=3).map(tuple),
        some(indexing=one("xy", "ij")),
    ),
)
for name in ("shape", "size", "ndim", "dtype"):
    op(name, some_array(), gradient=False)
op("is_tensor", some_array(), gradient=False)
op("convert_to_numpy", some_array(), symbolic=False)
