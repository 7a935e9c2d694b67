"""Branches, loops, and functions mapped over the first axis."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import array, booleans, one
from parity.differential.ops.kinds import LENGTH, PRECISE, some_array
from parity.differential.ops.running import CALLS, whole

BRANCHES = {
    "square": lambda ops, x: ops.square(x),
    "sin": lambda ops, x: ops.sin(x),
    "negative": lambda ops, x: ops.negative(x),
    "pair": lambda ops, x: (ops.cos(x), ops.sum(x)),
    "half": lambda ops, x: x * 0.5,
}
STEPS = {
    "sums": lambda ops, c, x: (c + ops.sum(x), c * 2.0),
    "products": lambda ops, c, x: (c * 0.5, c + x),
}
SAME = one("square", "sin", "negative")


def _cond(ops, x, condition, first, second):
    if not isinstance(condition, bool):
        condition = ops.convert_to_tensor(condition)
    return ops.cond(condition, lambda: BRANCHES[first](ops, x), lambda: BRANCHES[second](ops, x))


def _switch(ops, x, index, names):
    return ops.switch(index, [lambda y, n=n: BRANCHES[n](ops, y) for n in names], x)


def _while(ops, x, steps, most):
    step = lambda i, y: (i + 1, BRANCHES["half"](ops, y) + ops.cast(i, y.dtype))
    return ops.while_loop(lambda i, y: i < steps, step, (0, x), maximum_iterations=most)


def _fori(ops, x, lower, upper):
    return ops.fori_loop(lower, upper, lambda i, y: y * 0.5 + ops.cast(i, y.dtype), x)


def _map(ops, x, name):
    return ops.map(lambda y: BRANCHES[name](ops, y), x)


def _vectorized_map(ops, x, name):
    return ops.vectorized_map(lambda y: BRANCHES[name](ops, y), x)


def _scan(ops, x, init, name, reverse):
    return ops.scan(lambda c, y: STEPS[name](ops, c, y), init, x, reverse=reverse)


for function in (_cond, _switch, _while, _fori, _map, _vectorized_map, _scan):
    CALLS[function.__name__.strip("_")] = lambda keras, *x, f=function, **arguments: f(keras.ops, *x, **arguments)
CALLS["while_loop"], CALLS["fori_loop"] = CALLS.pop("while"), CALLS.pop("fori")


def with_arguments(x, **arguments):
    """An array, and arguments that do not hang on it."""
    return st.tuples(st.tuples(x), st.fixed_dictionaries(arguments))


ANYTHING, FLOATING = some_array(length=LENGTH), some_array(PRECISE, "normal")
PREDICATE = st.one_of(booleans, array((), one("bool"), one("bits")))
whole("cond", with_arguments(ANYTHING, condition=PREDICATE, first=SAME, second=SAME))
whole("switch", with_arguments(FLOATING, index=one(0, 1, 2, -1, 5), names=st.lists(SAME, min_size=3, max_size=3)))
whole("while_loop", with_arguments(FLOATING, steps=one(2, 0, 3), most=one(None, 1, 5)), symbolic=False)
whole("fori_loop", with_arguments(FLOATING, lower=one(0, 1), upper=one(3, 1, 0)))
WHOLE_ROWS = some_array(PRECISE, "normal", 1, 3, one(2, 3, 1))
for name in ("map", "vectorized_map"):
    whole(name, with_arguments(WHOLE_ROWS, name=one(*BRANCHES)))


@st.composite
def scanned(draw):
    """A row, and a start of its dtype."""
    x = draw(array(st.tuples(one(3, 1, 2)), PRECISE))
    start = draw(array((), one(*[x["dtype"]] * 6, "float32"), one("normal")))
    return (x, start), draw(st.fixed_dictionaries({"name": one(*STEPS), "reverse": booleans}))


whole("scan", scanned())
