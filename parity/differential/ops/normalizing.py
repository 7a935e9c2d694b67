"""Normalizations and losses."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import array, booleans, one, some
from parity.differential.ops.kinds import shapes, some_array
from parity.differential.ops.running import whole

DTYPE = one("float32", "float32", "float16", "float64", "bfloat16")
HALF = one("float32", "float16", "float64")


@st.composite
def normalized(draw, names):
    """An array, axes, and the scales and offsets of them."""
    x = draw(some_array(DTYPE, "normal", 2, 3, one(3, 4, 2)))
    rank = len(x["shape"])
    axis = draw(
        st.one_of(st.none(), st.integers(-rank, rank - 1), st.just((-2, -1)) if "gamma" in names else st.none())
    )
    arguments = {} if axis is None else {"axis": axis}
    used = (axis if isinstance(axis, tuple) else (axis,)) if axis is not None else (-1,)
    for name in names:
        if draw(booleans):
            arguments[name] = draw(array(tuple(x["shape"][a] for a in used), one(x["dtype"], "float32")))
    return (x,), {**arguments, **draw(some(epsilon=one(1e-3, 1e-5)))}


whole("layer_normalization", normalized(("gamma", "beta")), tolerance=1e-4)
whole("rms_normalization", normalized(("scale",)), tolerance=1e-4)


@st.composite
def by_batch(draw):
    """An array, its moments, scales and offsets."""
    x = draw(some_array(DTYPE, "normal", 2, 4, one(3, 4, 2)))
    rank = len(x["shape"])
    axis = draw(st.integers(-rank, rank - 1))
    row = lambda values: array((x["shape"][axis],), one(x["dtype"], "float32"), one(values))
    arguments = draw(some(offset=row("normal"), scale=row("positive"), epsilon=one(1e-3, 0.1)))
    return (x, draw(row("normal")), draw(row("positive"))), {"axis": axis, **arguments}


whole("batch_normalization", by_batch())


@st.composite
def judged(draw, kind):
    """Targets and predictions."""
    classes, logits = draw(one(4, 3, 2)), draw(booleans)
    shape = (*draw(shapes(0 if kind != "binary" else 1, 2, one(3, 2, 1, 4))), classes)
    arguments = draw(st.one_of(st.just({}), st.just({"from_logits": logits})))
    logits = arguments.get("from_logits", False)
    values = "normal" if logits else "unit" if kind == "binary" else "probabilities"
    output = draw(array(shape, HALF, one(values)))
    if kind == "sparse":
        target = draw(
            array(draw(one(shape[:-1], (*shape[:-1], 1))), one("int32", "int64", "uint8", "float32"), one("labels"))
        )
        return ({**target, "classes": classes}, output), arguments
    dtypes = one(*[output["dtype"]] * 6, "float32", "float16", "int32", "float64")
    target = draw(array(shape, dtypes, one("bits" if kind == "binary" else "one_hot")))
    if kind == "categorical" and draw(booleans) and len(shape) > 1:
        arguments["axis"] = draw(one(-1, len(shape) - 1, 0))
    return (target, output), arguments


whole("binary_crossentropy", judged("binary"))
whole("categorical_crossentropy", judged("categorical"))
whole("sparse_categorical_crossentropy", judged("sparse"))


@st.composite
def transcribed(draw):
    """Labels, their lengths, and the logits of a longer sequence."""
    batch, steps, classes = draw(one(2, 1, 3)), draw(one(6, 8)), draw(one(4, 5))
    length = draw(one(2, 3))
    labels = {**draw(array((batch, length), one("int32"), one("labels"))), "classes": classes - 1, "shift": 1}
    lengths = lambda least, most: {
        **draw(array((batch,), one("int32"), one("labels"))),
        "classes": most - least + 1,
        "shift": least,
    }
    logits = draw(array((batch, steps, classes), one("float32", "float64")))
    return (labels, logits, lengths(1, length), lengths(steps - 1, steps)), {}


whole("ctc_loss", transcribed(), tolerance=1e-4)
