"""Layers of several inputs."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import array, batches, booleans, dims, one, some
from parity.differential.layers.draws import COMMON, INPUT_DTYPES, layer
from parity.differential.layers.running import run
from parity.differential.subject import subject


@st.composite
def alike(draw, counts=one(2, 3, 1, 2)):
    """Data of some arrays whose shapes broadcast, of one rank."""
    shape = draw(st.lists(dims, min_size=2, max_size=4))
    count = draw(counts)
    cut = lambda: [d if i == 0 or draw(one(True, True, False)) else 1 for i, d in enumerate(shape)]
    kinds = draw(one(one("float32"), INPUT_DTYPES))
    return tuple(draw(array(tuple(shape if i == 0 else cut()), kinds)) for i in range(count))


for name in ("Add", "Average", "Maximum", "Minimum", "Multiply"):
    layer(name, some(**COMMON), alike(), several=True)
layer("Subtract", some(**COMMON), alike(one(*[2] * 6, 3)), several=True)


@st.composite
def joined(draw):
    """Arguments and inputs of a Concatenate."""
    shape = draw(st.lists(dims, min_size=2, max_size=4))
    axis = draw(st.integers(1, len(shape) - 1))
    length = lambda: [draw(dims) if i == axis or draw(one(*[0] * 12, 1)) else d for i, d in enumerate(shape)]
    inputs = tuple(draw(array(tuple(length()))) for _ in range(draw(st.integers(2, 3))))
    return {
        "layer": "Concatenate",
        "arguments": {"axis": draw(one(axis, axis - len(shape)))},
        "inputs": inputs,
        "seed": 0,
        "list": True,
        "open": draw(one("batch", "space")),
        "mask": draw(one(None, 3)),
    }


subject("layers", "Concatenate", joined(), run)


@st.composite
def dotted(draw):
    """Arguments and inputs of a Dot."""
    batch, contracted = draw(batches), draw(dims)
    first, second = draw(st.lists(dims, max_size=2)), draw(st.lists(dims, max_size=2))
    at = draw(st.integers(0, len(first))), draw(st.integers(0, len(second)))
    shapes = [(batch, *s[:i], contracted, *s[i:]) for s, i in zip((first, second), at)]
    both = tuple(i + 1 for i in at)
    return {
        "layer": "Dot",
        "arguments": {"axes": both[0] if both[0] == both[1] and draw(booleans) else both, "normalize": draw(booleans)},
        "inputs": tuple(draw(array(s)) for s in shapes),
        "seed": 0,
        "list": True,
        "open": draw(one("batch", "space")),
    }


subject("layers", "Dot", dotted(), run)
