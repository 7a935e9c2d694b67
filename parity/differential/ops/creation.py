"""Ops that make arrays from numbers and shapes."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import FLOATS, booleans, one, some
from parity.differential.ops.kinds import ANY, LENGTH, SIGNED, UNSIGNED, some_array
from parity.differential.ops.running import op, whole

DTYPE = some(dtype=one(None, *FLOATS, *SIGNED, *UNSIGNED, "bool"))
SHAPE = one((2, 3), (), 4, [2], (0, 2), (1,), 0)

for name in ("zeros", "ones"):
    op(name, SHAPE, arguments=DTYPE)
for name in ("zeros_like", "ones_like"):
    op(name, some_array(), arguments=DTYPE)
op("full", SHAPE, one(2, 1.5, True, -1), arguments=DTYPE)
op("full_like", some_array(), one(2, 1.5, True), arguments=DTYPE)
op("identity", one(3, 1, 0), arguments=DTYPE)
WHERE = {"M": one(None, 4, 2, 0), "k": one(0, 1, -1, 5), "dtype": one(None, "int32", "float16", "bool", "uint8")}
op("eye", one(3, 1, 0), arguments=some(**WHERE))
op("tri", one(3, 1, 0), arguments=some(**WHERE))


@st.composite
def ranges(draw):
    """Where a range starts, stops and how far its steps are."""
    number = one(3, 0, 2.5, -1, 5, 7.0, 300.7)
    arguments = draw(some(stop=number, dtype=one(None, *FLOATS, "int32", "int64", "uint8")))
    if arguments.get("stop") is not None:
        arguments |= draw(some(step=one(1, 2, -1, 0.5, 0.3)))
    return (draw(number),), arguments


whole("arange", ranges())


@st.composite
def spaced(draw, more):
    """Two ends and what lies between."""
    end = st.one_of(one(0, 0.5, -1, 2, 5, 2.5), some_array(one(*FLOATS, "int32", "int8", "uint8"), "normal", 0, 1))
    first, last = draw(end), draw(end)
    both = [isinstance(x, dict) for x in (first, last)]
    if all(both):
        last = {**last, "shape": first["shape"]}
    arguments = draw(
        some(num=one(5, 1, 4, 0, 2, 30), endpoint=booleans, dtype=one(None, *FLOATS, "int32", "int16", "uint8"), **more)
    )
    if any(both):
        arguments |= draw(some(axis=one(0, -1)))
    return (first, last), arguments


whole("linspace", spaced({"retstep": booleans}))
whole("logspace", spaced({"base": one(10, 2, 3.0)}))

CONTENTS = one(
    2, 1.5, True, -3, [1, 2], [1.0, 2.5], [[1, 2], [3, 4]], [True, False], [1, 2.5], [], [[]], 2**40, (1, 2), [True, 2]
)
for name in ("convert_to_tensor", "array"):
    op(name, st.one_of(CONTENTS, some_array(ANY, length=LENGTH)), arguments=DTYPE)
