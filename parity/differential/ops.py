"""One op: value, dtype, symbolic shape and dtype, gradient. A row an op, by the kind of its arguments."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from parity.differential.draws import (
    DTYPES,
    FLOATS,
    INTEGERS,
    array,
    axes,
    booleans,
    broadcastable,
    dims,
    one,
    shapes,
    some,
)
from parity.differential.op_subjects import NOTHING, op, whole

NUMBERS, ANY, REAL = one(*FLOATS, *INTEGERS), one(*DTYPES), one(*FLOATS)

# elementwise, one argument
REAL_LINE = "normal special ties"
DOMAINS = {
    REAL_LINE: (
        "abs absolute negative square sign exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh erf erfc deg2rad "
        "rad2deg ceil floor round trunc isfinite isinf isnan isneginf isposinf signbit copy cbrt"
    ),
    "positive special ties": "sqrt rsqrt reciprocal log log1p log2 log10 arccosh",
    "inside special": "arcsin arccos arctanh",
}
for values, names in DOMAINS.items():
    for name in names.split():
        op(name, array(shapes(0, 3), ANY, one(*values.split())))
ACTIVATIONS = (
    "relu relu6 sigmoid log_sigmoid softplus softsign silu hard_sigmoid hard_silu hard_tanh leaky_relu elu selu celu "
    "gelu sparse_plus sparse_sigmoid squareplus tanh_shrink soft_shrink hard_shrink"
)
for name in ACTIVATIONS.split():
    op(name, array(shapes(0, 3), one(*FLOATS, *FLOATS, "int32"), one("normal", "ties", "special")))
for name in ("softmax", "log_softmax"):
    op(name, array(shapes(1, 3), REAL), arguments=some(axis=one(-1, 0)))
op(
    "threshold",
    array(shapes(0, 3), REAL),
    arguments=st.fixed_dictionaries({"threshold": one(0.2), "default_value": one(-1.0)}),
)
op("glu", array(st.lists(one(2, 4), min_size=1, max_size=3).map(tuple), REAL), arguments=some(axis=one(-1, 0)))
for name in ("logical_not", "bitwise_not", "bitwise_invert"):
    op(name, array(shapes(0, 3), one(*INTEGERS, "bool"), one("small")))
op(
    "nan_to_num",
    array(shapes(0, 3), ANY, one("special", "normal")),
    arguments=some(nan=one(0.0, 2.0), posinf=one(None, 9.0)),
)
for name in ("zeros_like", "ones_like"):
    op(name, array(shapes(0, 3), ANY), arguments=some(dtype=one(None, "int32", "float16")))
op("cast", array(shapes(0, 3), ANY, one("normal", "ties")), arguments=st.fixed_dictionaries({"dtype": ANY}))
op(
    "clip",
    array(shapes(0, 3), NUMBERS, one("normal", "ties")),
    arguments=one({"x_min": -1, "x_max": 1}, {"x_min": -0.5, "x_max": 0.7}),
)


# elementwise, two arguments
@st.composite
def two(draw, dtypes, values):
    """Two arrays that broadcast, or an array and a number."""
    a, b = draw(broadcastable())
    kinds = one(*values.split())
    first, second = draw(array(a, dtypes, kinds)), draw(array(b, dtypes, kinds))
    if draw(one(False, False, False, True)):
        number = draw(one(2, 0.5, 3, True)) if "bool" not in first["dtype"] else True
        return ((number, first) if draw(booleans) else (first, number)), {}
    return (first, second), {}


for name in "add subtract multiply maximum minimum equal not_equal less less_equal greater greater_equal".split():
    whole(name, two(ANY, "normal ties special"))
for name in "divide true_divide arctan2 hypot logaddexp".split():
    whole(name, two(ANY, "normal ties"))
for name in "mod floor_divide fmod divide_no_nan".split():
    whole(name, two(NUMBERS, "positive ties" if name == "divide_no_nan" else "positive normal"))
whole("power", two(one(*FLOATS, "int32"), "positive"))
for name in "logical_and logical_or logical_xor".split():
    whole(name, two(ANY, "ties"))
for name in "bitwise_and bitwise_or bitwise_xor".split():
    whole(name, two(one(*INTEGERS), "small"))
for name in "bitwise_left_shift bitwise_right_shift left_shift right_shift".split():
    whole(name, two(one("int32", "int64", "uint8"), "small"))
whole(
    "where",
    two(ANY, "normal").map(lambda d: (({"shape": (), "dtype": "bool", "values": "bits", "seed": 1}, *d[0]), d[1])),
)


# along axes
@st.composite
def reduced(draw, dtypes, values, several=True, extra=NOTHING, keep=True, least=0):
    """An array and what to reduce it by."""
    shape = draw(shapes(least, 4, one(3, 2, 1, 4)))
    arguments = {"axis": draw(axes(len(shape), several))} if draw(booleans) else {}
    if keep and draw(booleans):
        arguments["keepdims"] = draw(booleans)
    return (draw(array(shape, dtypes, one(*values.split()))),), {**arguments, **draw(extra)}


for name in "sum mean prod max min amax amin any all var std".split():
    whole(name, reduced(ANY, "normal ties special" if name not in ("prod", "var", "std") else "normal ties"))
for name in "logsumexp nanmean nansum".split():
    whole(name, reduced(REAL, "normal special" if name != "logsumexp" else "normal"))
for name in ("argmax", "argmin"):
    whole(name, reduced(ANY, "normal ties", several=False))
whole("count_nonzero", reduced(ANY, "ties", keep=False))
whole("median", reduced(one("float32", "float64", "int32"), "normal ties"), symbolic=True)
whole(
    "quantile",
    reduced(
        one("float32", "float64"),
        "normal ties",
        extra=st.fixed_dictionaries(
            {"q": one(0.5, 0.25, [0.1, 0.9], 1.0)},
            optional={"method": one("linear", "lower", "higher", "midpoint", "nearest")},
        ),
    ),
)
whole("average", reduced(NUMBERS, "normal ties", several=False, keep=False))
for name in ("cumsum", "cumprod"):
    whole(name, reduced(NUMBERS, "normal ties", several=False, keep=False, least=1))
for name in ("sort", "argsort"):
    whole(name, reduced(one("float32", "int32", "float64", "uint8"), "normal", several=False, keep=False, least=1))
whole(
    "norm",
    reduced(
        one("float32", "float64", "int32"), "normal", several=False, least=1, extra=some(ord=one(None, 1, 2, np.inf, 3))
    ),
)
whole("moments", reduced(REAL, "normal", several=True, least=1).map(lambda d: (d[0], {"axes": d[1].get("axis") or 0})))
whole(
    "normalize",
    reduced(
        one("float32", "float64"), "normal", least=1, keep=False, several=False, extra=some(order=one(2, 1, 3))
    ).map(lambda d: (d[0], {k: v if v is not None else -1 for k, v in d[1].items()})),
)
op(
    "top_k",
    array(shapes(1, 3, one(3, 4)), one("float32", "int32", "float64")),
    arguments=st.fixed_dictionaries({"k": one(1, 2, 3)}),
)


# shapes
@st.composite
def permuted(draw):
    shape = draw(shapes(1, 4))
    return (draw(array(shape, ANY)),), draw(some(axes=st.permutations(range(len(shape))).map(tuple)))


@st.composite
def at_axis(draw, more=NOTHING, least=1, name="axis", extra=0):
    """An array and one axis of it."""
    shape = draw(shapes(least, 4, one(2, 3, 1, 4)))
    return (draw(array(shape, ANY)),), {
        name: draw(st.integers(-len(shape) - extra, len(shape) - 1 + extra)),
        **draw(more),
    }


whole("transpose", permuted())
whole("expand_dims", at_axis(least=0, extra=1))
whole("flip", at_axis())
whole("roll", at_axis(st.fixed_dictionaries({"shift": one(1, -2, 5)})))
whole("repeat", at_axis(st.fixed_dictionaries({"repeats": one(2, 3, 0, 1)})))
whole("unstack", at_axis())
whole(
    "squeeze",
    st.tuples(
        st.tuples(array(st.just((1, 3, 1)), ANY)), one({}, {"axis": 0}, {"axis": -1}, {"axis": (0, 2)}, {"axis": 1})
    ),
)
op("ravel", array(shapes(0, 4), ANY))
op(
    "reshape",
    array((2, 3, 4), ANY),
    arguments=one((24,), (-1,), (6, -1), (4, 3, 2), (2, -1, 2), (5, 5)).map(lambda s: {"newshape": s}),
)
op("swapaxes", array((2, 3, 4), ANY), arguments=one({"axis1": 0, "axis2": 2}, {"axis1": -1, "axis2": 1}))
op(
    "moveaxis",
    array((2, 3, 4), ANY),
    arguments=one({"source": 0, "destination": 2}, {"source": (0, 1), "destination": (-1, 0)}),
)
op("tile", array(shapes(1, 3), ANY), arguments=one(2, (2, 1), (1, 2, 3), (3,)).map(lambda r: {"repeats": r}))
op("broadcast_to", array((3, 1), ANY), arguments=one((3, 4), (2, 3, 5), (3, 1)).map(lambda s: {"shape": s}))
op(
    "pad",
    array((2, 3), NUMBERS),
    arguments=st.fixed_dictionaries(
        {"pad_width": one(((1, 2), (0, 1)), ((1, 1),), 1, ((0, 0), (2, 0)))},
        optional={"mode": one("constant", "reflect", "symmetric")},
    ),
)
for name in ("tril", "triu"):
    op(name, array(shapes(2, 3, one(3, 4, 2)), ANY), arguments=some(k=one(0, 1, -1)))
for name in ("diagonal", "trace"):
    op(
        name,
        array(shapes(2, 4, one(3, 4, 2)), NUMBERS),
        arguments=some(offset=one(0, 1, -1), axis1=one(0), axis2=one(1)),
    )
whole(
    "split",
    st.tuples(
        st.tuples(array((4, 6), ANY)),
        st.fixed_dictionaries({"indices_or_sections": one(2, [1, 3], [2], 3)}, optional={"axis": one(0, 1, -1)}),
    ),
)


@st.composite
def joined(draw, new=False):
    """Some arrays, and the axis to join them along."""
    shape = list(draw(shapes(1, 3)))
    axis = draw(st.integers(0, len(shape) - 1))
    length = lambda: tuple(draw(dims) if i == axis and not new else d for i, d in enumerate(shape))
    arrays = tuple(draw(array(length(), ANY)) for _ in range(draw(st.integers(1, 3))))
    return arrays, {"axis": draw(one(axis, axis - len(shape)))}


whole("concatenate", joined(), pack=True)
whole("stack", joined(True), pack=True)
for name in ("hstack", "vstack"):
    whole(name, joined(True).map(lambda d: (d[0], {})), pack=True)

# indices
index = array(shapes(0, 2), one("int32", "int64"), one("small"))
op("take", array((4, 5), ANY), index, arguments=some(axis=one(0, 1, -1, None)))
op("take_along_axis", array((4, 4), ANY), array((4, 2), one("int32"), one("small")), arguments=st.just({"axis": 1}))
op(
    "one_hot",
    index,
    arguments=st.fixed_dictionaries({"num_classes": one(4, 3)}, optional={"axis": one(-1, 0), "dtype": one("int32")}),
)
op(
    "multi_hot",
    array(shapes(1, 2), one("int32"), one("small")),
    arguments=st.fixed_dictionaries({"num_classes": one(4, 3)}),
)
SEGMENTS = st.fixed_dictionaries({"num_segments": one(4, 5)}, optional={"sorted": one(False)})
for name in ("segment_sum", "segment_max"):
    op(
        name,
        array((5, 2), one("float32", "int32", "float64")),
        array((5,), one("int32"), one("small")),
        arguments=SEGMENTS,
    )
op("scatter", array((3, 1), one("int32"), one("small")), array((3, 2), NUMBERS), arguments=st.just({"shape": (4, 2)}))
op(
    "scatter_update",
    array((4, 2), one("float32", "int32")),
    array((1, 1), one("int32"), one("small")),
    array((1, 2), one("float32")),
)
op(
    "searchsorted",
    array((4,), one("float32"), one("zeros")),
    array(shapes(1, 1), one("float32")),
    arguments=some(side=one("left", "right")),
)
op("digitize", array(shapes(1, 2), one("float32", "int32")), arguments=st.just({"bins": np.array([-1.0, 0.0, 1.0])}))
op("bincount", array(shapes(1, 1), one("int32"), one("small")), arguments=some(minlength=one(0, 6)))
op(
    "in_top_k",
    array((3,), one("int32"), one("small")),
    array((3, 4), one("float32"), one("normal", "ties")),
    arguments=st.just({"k": 2}),
)

# products
MATRIX = one("float32", "float64", "float16", "int32", "bfloat16", "int8")


@st.composite
def matrices(draw):
    """Two arrays that `matmul` takes."""
    n, k, m, batch = draw(dims), draw(dims), draw(dims), draw(dims)
    a = draw(one((n, k), (k,), (batch, n, k), (1, n, k)))
    b = draw(one((k, m), (k,), (batch, k, m)))
    return (draw(array(a, MATRIX)), draw(array(b, MATRIX))), {}


whole("matmul", matrices())
whole("dot", matrices().filter(lambda d: len(d[0][1]["shape"]) <= 2))
same = dims.flatmap(lambda n: st.tuples(st.tuples(array((n,), MATRIX), array((n,), MATRIX)), NOTHING))
whole("vdot", same)
whole("inner", same)
op("outer", array(shapes(1, 2), MATRIX), array(shapes(1, 2), MATRIX))
op(
    "tensordot",
    array((2, 3, 4), MATRIX),
    array((3, 4, 2), MATRIX),
    arguments=one(2, ([1, 2], [0, 1]), ([2], [1])).map(lambda a: {"axes": a}),
)
EQUATIONS = {"ij,jk->ik": 2, "bij,bjk->bik": 3, "ij,ij->": 2, "ij,kj->ik": 2, "...ij,...jk->...ik": 3}
whole(
    "einsum",
    one(*EQUATIONS).flatmap(
        lambda e: st.tuples(
            st.tuples(st.just(e), array((2,) * EQUATIONS[e], MATRIX), array((2,) * EQUATIONS[e], MATRIX)), NOTHING
        )
    ),
)
op(
    "qr",
    array(one((3, 2), (2, 2), (2, 3, 2)), one("float32", "float64")),
    arguments=some(mode=one("reduced")),
    gradient=False,
)

# numbers from nothing
op(
    "arange",
    arguments=st.fixed_dictionaries({"start": one(3, 0, 2.5)}, optional={"dtype": one("float32", "int32")}),
    symbolic=False,
)
op(
    "linspace",
    one(0, 0.5, -1),
    one(1, 2.5, 5),
    arguments=some(num=one(5, 1, 4), endpoint=booleans, dtype=one("float32")),
    symbolic=False,
)
op(
    "logspace",
    one(0, 0.5),
    one(1, 2.5),
    arguments=some(num=one(5, 1, 4), endpoint=booleans, base=one(10, 2)),
    symbolic=False,
)
op("eye", one(3, 1), arguments=some(M=one(None, 4), k=one(0, 1, -1), dtype=one("int32", "float16")), symbolic=False)
op("tri", one(3, 1), arguments=some(M=one(None, 4), k=one(0, 1, -1)), symbolic=False)
op("full", one((2, 3), (), 4), one(2, 1.5, True), arguments=some(dtype=one("int32", "float32", None)), symbolic=False)

# of networks
image = array(st.tuples(one(1, 2), one(6, 5), one(5, 7), one(2, 4)))
WINDOW = {"strides": one(1, 2), "padding": one("valid", "same")}
op("max_pool", image, one(2, (3, 2)), arguments=some(**WINDOW))
op("average_pool", image, one(2, (3, 2)), arguments=some(**WINDOW))
op("conv", array((2, 6, 5, 2)), array(one((3, 2, 2, 4), (1, 1, 2, 3))), arguments=some(**WINDOW))
op("depthwise_conv", array((2, 6, 5, 2)), array(one((3, 2, 2, 2), (1, 1, 2, 1))), arguments=some(**WINDOW))
op("conv_transpose", array((2, 4, 3, 2)), array(one((3, 2, 4, 2), (2, 2, 3, 2))), arguments=some(**WINDOW))
op("separable_conv", array((2, 6, 5, 2)), array((3, 2, 2, 2)), array((1, 1, 4, 3)), arguments=some(**WINDOW))
op(
    "image.resize",
    array(st.tuples(one(1, 2), one(4, 5), one(3, 6), one(3, 1)), one("float32", "uint8", "int32", "float16")),
    arguments=st.fixed_dictionaries(
        {"size": one((2, 2), (7, 5), (4, 3))}, optional={"interpolation": one("nearest", "bilinear")}
    ),
)
op(
    "layer_normalization",
    array(shapes(2, 3, one(3, 4)), one("float32", "float16")),
    arguments=some(epsilon=one(1e-3)),
    tolerance=1e-4,
)
op("rms_normalization", array(shapes(2, 3, one(3, 4)), one("float32", "float16")), tolerance=1e-4)
op(
    "binary_crossentropy",
    array((3, 2), values=one("bits")),
    array((3, 2), values=one("unit")),
    arguments=some(from_logits=booleans),
)
op(
    "categorical_crossentropy",
    array((3, 4), values=one("one_hot")),
    array((3, 4), values=one("probabilities")),
    arguments=some(from_logits=booleans),
)
op(
    "sparse_categorical_crossentropy",
    array((3,), one("int32"), one("small")),
    array((3, 4), values=one("probabilities")),
    arguments=some(from_logits=booleans),
)
op(
    "batch_normalization",
    array((3, 2, 4)),
    array((4,)),
    array((4,), values=one("positive")),
    arguments=st.just({"axis": -1}),
)
