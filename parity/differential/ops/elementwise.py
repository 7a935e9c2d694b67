"""Ops that work element by element."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import FLOATS, array, booleans, one, some
from parity.differential.ops.kinds import (
    ANY,
    NUMBERS,
    REAL,
    WHOLE,
    WHOLE_OR_BOOL,
    along,
    broadcastable,
    shapes,
    some_array,
    two,
)
from parity.differential.ops.running import op, whole

# one argument
DOMAINS = {
    "normal special ties": (
        "abs absolute negative square sign exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh erf erfc deg2rad "
        "rad2deg ceil floor trunc isfinite isinf isnan isneginf isposinf signbit copy cbrt logical_not stop_gradient"
    ),
    "positive special ties": "sqrt rsqrt reciprocal log log1p log2 log10 arccosh",
    "inside special ties": "arcsin arccos arctanh",
}
for values, names in DOMAINS.items():
    for name in names.split():
        op(name, some_array(values=values))
for name in ("bitwise_not", "bitwise_invert"):
    op(name, some_array(WHOLE_OR_BOOL, "small normal"))
op("round", some_array(values="normal special ties tens"), arguments=some(decimals=one(0, 1, -1, 2)))
op(
    "nan_to_num",
    some_array(values="special normal"),
    arguments=some(nan=one(0.0, 2.0, 3), posinf=one(None, 9.0), neginf=one(None, -8.0)),
)
for name in ("cast", "saturate_cast"):
    op(name, some_array(values="normal ties tens"), arguments=st.fixed_dictionaries({"dtype": ANY}))
LIMITS = one(
    {"x_min": -1, "x_max": 1},
    {"x_min": -0.5, "x_max": 0.7},
    {"x_min": 1, "x_max": 2.5},
    {"x_min": False, "x_max": True},
    {"x_min": 2, "x_max": 1},
    {"x_min": {"shape": (), "dtype": "float32", "values": "normal", "seed": 0}, "x_max": 1},
)
op("clip", some_array(values="normal ties special"), arguments=LIMITS)

# activations
ACTIVATION = some_array(one(*FLOATS, *FLOATS, "int32", "int8", "uint8", "bool", "int64"), "normal ties special")
ACTIVATIONS = (
    "relu relu6 sigmoid log_sigmoid softplus softsign silu swish hard_sigmoid hard_silu hard_swish hard_tanh selu "
    "sparse_plus sparse_sigmoid tanh_shrink"
)
for name in ACTIVATIONS.split():
    op(name, ACTIVATION)
PARAMETERS = {
    "leaky_relu": some(negative_slope=one(0.2, 0.5, 1, 0.0)),
    "elu": some(alpha=one(1.0, 0.5, 2)),
    "celu": some(alpha=one(1.0, 0.5, 2)),
    "gelu": some(approximate=booleans),
    "squareplus": some(b=one(4, 1.5, 0)),
    "soft_shrink": some(threshold=one(0.5, 0.2, 1, 0)),
    "hard_shrink": some(threshold=one(0.5, 0.2, 1, 0)),
    "threshold": st.fixed_dictionaries({"threshold": one(0.2, 0, 1), "default_value": one(-1.0, 0, 2)}),
}
for name, arguments in PARAMETERS.items():
    op(name, ACTIVATION, arguments=arguments)
for name in ("softmax", "log_softmax"):
    whole(name, along(one(*FLOATS, "int32"), "normal ties", least=0))
op("softmax", some_array(REAL, "normal", 2, 4), arguments=st.just({"axis": (0, 1)}), label="softmax of axes")
whole("sparsemax", along(REAL, "normal ties"))
whole("glu", along(REAL, "normal special", length=one(2, 4, 6, 1)))

# two arguments
PLAIN = "add subtract multiply maximum minimum equal not_equal less less_equal greater greater_equal"
for name in PLAIN.split():
    whole(name, two(values="normal ties special"))
for name in "divide true_divide arctan2 hypot logaddexp".split():
    whole(name, two(values="normal ties"))
for name in "mod floor_divide fmod".split():
    whole(name, two(NUMBERS, "positive normal"))
whole("divide_no_nan", two(values="normal ties"))
whole("power", two(values="positive small"))
for name in "logical_and logical_or logical_xor".split():
    whole(name, two(values="ties"))
bits = lambda dtype: one(2, 3, 1, 0)
for name in "bitwise_and bitwise_or bitwise_xor".split():
    whole(name, two(WHOLE_OR_BOOL, "small normal", bits))
for name in "bitwise_left_shift bitwise_right_shift left_shift right_shift".split():
    whole(name, two(WHOLE, "small", bits))


@st.composite
def chosen(draw):
    """A condition and two arrays or numbers."""
    shape, other = draw(broadcastable())
    condition = draw(array(draw(one(shape, (), other)), one("bool", "bool", "int32", "float32"), one("bits")))
    (a, b), _ = draw(two(values="normal special"))
    a, b = ({**x, "shape": s} if isinstance(x, dict) else x for x, s in ((a, shape), (b, other)))
    return (condition, a, b), {}


whole("where", chosen())
op("where", some_array(one("bool", "int32", "float32"), "bits"), symbolic=False, label="where of one")


@st.composite
def cases(draw):
    """Lists of conditions and of what they choose."""
    shape = draw(shapes(0, 3))
    n = draw(st.integers(1, 3))
    conditions = [draw(array(shape, one("bool"), one("bits"))) for _ in range(n)]
    choices = [draw(array(draw(one(shape, shape, ())), ANY, one("normal"))) for _ in range(n)]
    return (*conditions, *choices), {"default": draw(one(0, 2, 0.5))} if draw(booleans) else {}


whole("select", cases(), pack="halves")
