"""Strategies of layers' arguments and inputs, and the table that subjects stand in."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import array, batches, booleans, dims, mostly, one, seeds
from parity.differential.layers.running import run
from parity.differential.subject import subject

ACTIVATIONS = one(
    None,
    "relu",
    "tanh",
    "sigmoid",
    "softmax",
    "gelu",
    "relu6",
    "elu",
    "selu",
    "softplus",
    "silu",
    "leaky_relu",
    "linear",
    "hard_sigmoid",
    "exponential",
    "mish",
    "log_softmax",
    "softsign",
    "celu",
    "hard_tanh",
    "glu",
    "soft_shrink",
    "hard_shrink",
    "tanh_shrink",
    "squareplus",
    "sparse_plus",
    "threshold",
    "log_sigmoid",
    "swish",
    "hard_swish",
    "sparse_sigmoid",
)
INITIALIZERS = one(
    "glorot_uniform",
    "he_normal",
    "zeros",
    "ones",
    "lecun_uniform",
    "random_normal",
    "truncated_normal",
    "he_uniform",
    "glorot_normal",
    "variance_scaling",
    "random_uniform",
    "lecun_normal",
    "Orthogonal",
    {"class_name": "Constant", "config": {"value": 0.4}},
    {"class_name": "RandomNormal", "config": {"mean": 0.2, "stddev": 0.1, "seed": 5}},
)
REGULARIZERS = mostly(
    one(None, "l2", "l1", "L1L2", {"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.02}}),
    one("orthogonal_regularizer"),  # of matrices alone
    times=12,
)
CONSTRAINTS = one(None, "non_neg", "max_norm", "unit_norm", {"class_name": "MaxNorm", "config": {"max_value": 1}})
FORMATS = one(None, "channels_last", "channels_last", "channels_first")
PADDINGS = one("valid", "same", "SAME")
INPUT_DTYPES = mostly(
    one("float32"),
    one("float64", "float16", "bfloat16", "int32", "int16", "uint8", "bool", "int64", "uint32", "int8"),
    times=2,
)
COMMON = {
    "name": one("mine"),
    "trainable": booleans,
    "dtype": mostly(one("float32", "float64"), one("mixed_float16", "mixed_bfloat16", "bfloat16", "float16"), 9),
    "autocast": one(True, True, False),
}
PRODUCT = {"activation": ACTIVATIONS, "use_bias": booleans, "activity_regularizer": REGULARIZERS, **COMMON}

WRONG = (  # values of arguments that are mostly refused
    (
        "filters units groups depth_multiplier n input_dim output_dim num_tokens power_iterations",
        one(0, -1, 1.5, "x", (2,), 7),
    ),
    (
        "kernel_size strides dilation_rate pool_size size cropping output_size axis axes",
        one(0, -1, "x", None, 1.5, (1, 2, 3, 4), (0, 1), (2,), (1, -1), 7),
    ),
    ("padding data_format interpolation output_mode", one("foo", "bar", "VALID", "", "Channels_Last", None, 3)),
    (
        "activation kernel_initializer bias_regularizer beta_initializer gamma_constraint",
        one("foo", 3, {"class_name": "Foo", "config": {}}, []),
    ),
    (
        "rate momentum stddev negative_slope max_value threshold alpha l1",
        one(-1, "x", 2, 1.5, -0.5),
    ),
    ("epsilon", one("x", 2, 1.5, (1,))),  # less than nothing is a root of a negative number, in some places
)
WRONG_OF = {name: values for names, values in WRONG for name in names.split()}


def layer(name, arguments, *inputs, several=False, formats=False, fit=None, **options):
    """A subject: a layer's class, the strategy of its arguments, those of its inputs.

    Args:
        several: whether the inputs are one strategy of a tuple, and the layer takes a list.
        formats: whether the layer asks for `keras.config.image_data_format()`.
        fit: `fit(data)` gives the data with arguments and inputs that go together; most cases are made so.
    """
    parts = {"layer": st.just(name), "arguments": arguments, "seed": seeds, "inputs": st.tuples(*inputs)}
    more = {"open": one("batch", "space"), "mask": seeds}
    if several:
        parts |= {"inputs": inputs[0], "list": st.just(True)}
    else:
        more["second"] = inputs[0]
    if formats:
        more["image_data_format"] = one("channels_last", "channels_first")
    draw = st.fixed_dictionaries(parts, optional=more)
    if fit is not None:
        draw = st.tuples(draw, one(*[True] * 9, False)).map(lambda pair: fit(pair[0]) if pair[1] else pair[0])
    subject("layers", name, draw.flatmap(_perhaps_wrong), run, **options)


def _perhaps_wrong(data):
    """The data, or sometimes the same with one argument that is mostly wrong."""
    places = [k for k in data["arguments"] if k in WRONG_OF]
    if not places:
        return st.just(data)
    wrong = st.sampled_from(places).flatmap(lambda k: WRONG_OF[k].map(lambda v: {k: v}))
    return mostly(st.just({}), wrong).map(lambda change: {**data, "arguments": {**data["arguments"], **change}})


def image(rank, least=1, most=8, channels=dims, dtype=INPUT_DTYPES, values=one("normal")):
    """Data of a batch of images: any sizes, the batch first."""
    space = st.tuples(*[st.integers(least, most)] * rank)
    shape = st.tuples(batches, space, channels).map(lambda s: (s[0], *s[1], s[2]))
    return array(shape, dtype, values)


def sizes(rank, most=3, least=1):
    """A number, or one for each dimension."""
    number = st.integers(least, most)
    return st.one_of(number, st.tuples(*[number] * rank)) if rank > 1 else number


def of_weights(*names):
    """Initializers, regularizers and constraints of some weights."""
    kinds = {"initializer": INITIALIZERS, "regularizer": REGULARIZERS, "constraint": CONSTRAINTS}
    return {f"{name}_{kind}": strategy for name in names for kind, strategy in kinds.items()}


tensor = array(st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple), INPUT_DTYPES)
matrix = array(st.tuples(batches, st.integers(1, 6)), INPUT_DTYPES)

inside = one(
    ("Dense", {"units": 3}),
    ("Dense", {"units": 2, "activation": "relu", "kernel_regularizer": "l2"}),
    ("Conv1D", {"filters": 3, "kernel_size": 1}),
    ("Activation", {"activation": "relu"}),
    ("Dropout", {"rate": 0.5, "seed": 3}),
).map(lambda pair: dict(zip(("layer", "arguments"), pair)))
