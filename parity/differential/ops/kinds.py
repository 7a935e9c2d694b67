"""What ops are given: shapes with lengths of 0 and 1 among them, dtypes, and arrays that belong together."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import FLOATS, array, booleans, one

NOTHING = st.just({})
SIGNED = ("int32", "int64", "int8", "int16")
UNSIGNED = ("uint8", "uint16", "uint32")
ANY, NUMBERS = one(*FLOATS, *SIGNED, *UNSIGNED, "bool"), one(*FLOATS, *SIGNED, *UNSIGNED)
WHOLE, WHOLE_OR_BOOL = one(*SIGNED, *UNSIGNED), one(*SIGNED, *UNSIGNED, "bool")
REAL, PRECISE = one(*FLOATS), one("float32", "float64")

LENGTH = one(2, 3, 1, 4, 2, 3, 1, 4, 2, 3, 5, 0)


def shapes(least=0, most=3, length=LENGTH):
    """Shapes of some ranks; about one in ten is empty."""
    return st.lists(length, min_size=least, max_size=most).map(tuple)


def some_array(dtypes=ANY, values="normal ties", least=0, most=3, length=LENGTH):
    """An array of any shape."""
    return array(shapes(least, most, length), dtypes, one(*values.split()))


@st.composite
def broadcastable(draw, most=3):
    """Two shapes that broadcast, either way round."""
    shape = draw(shapes(0, most))
    other = tuple(1 if draw(one(False, False, True)) else d for d in shape)[draw(st.integers(0, len(shape))) :]
    return (other, shape) if draw(booleans) else (shape, other)


def scalars(dtype: str):
    """Python numbers beside an array of a dtype."""
    return one(2, 0.5, 3, True, -1, 1.5, False) if "uint" not in dtype else one(2, 0.5, 3, True)


@st.composite
def two(draw, dtypes=ANY, values="normal ties", numbers=scalars):
    """Two arrays that broadcast, or an array and a number."""
    a, b = draw(broadcastable())
    kinds = one(*values.split())
    first, second = draw(array(a, dtypes, kinds)), draw(array(b, dtypes, kinds))
    if draw(one(False, False, True)):
        number = draw(numbers(first["dtype"]))
        return ((number, first) if draw(booleans) else (first, number)), {}
    return (first, second), {}


def an_axis(rank: int):
    """An axis of an array, rarely one that it does not have."""
    inside = st.integers(-rank, rank - 1) if rank else st.nothing()
    outside = one(-rank - 1, rank)
    return st.one_of(inside, inside, inside, inside, inside, outside)


def axes(rank: int, several=True):
    """An axis, None, or a tuple or list of axes."""
    options = [st.none()]
    if rank:
        options.append(an_axis(rank))
    if rank and several:
        unique = st.lists(st.integers(0, rank - 1), max_size=rank, unique=True)
        signed = st.tuples(unique, booleans).map(lambda d: [a - rank if d[1] else a for a in d[0]])
        options += [signed.map(tuple), signed.map(tuple), signed]
    return st.one_of(*options)


@st.composite
def along(draw, dtypes=ANY, values="normal", least=1, most=4, length=LENGTH, more=NOTHING, name="axis", default=True):
    """An array and one axis of it, which may be left out."""
    x = draw(some_array(dtypes, values, least, most, length))
    arguments = {} if default and draw(one(False, False, True)) else {name: draw(an_axis(len(x["shape"])))}
    return (x,), {**arguments, **draw(more)}
