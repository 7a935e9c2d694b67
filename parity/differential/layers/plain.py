"""Layers of one input without a window."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import array, batches, booleans, dims, mostly, one, seeds, some, with_required
from parity.differential.layers.draws import (
    ACTIVATIONS,
    COMMON,
    FORMATS,
    INITIALIZERS,
    INPUT_DTYPES,
    PRODUCT,
    image,
    inside,
    layer,
    matrix,
    of_weights,
    tensor,
)
from parity.differential.layers.running import run
from parity.differential.subject import subject

RATE = {"rate": one(0.3, 0.0, 0.9, 0.5)}
SEED = {"seed": seeds, **COMMON}

layer("Dense", with_required({"units": st.integers(1, 6)}, PRODUCT | of_weights("kernel", "bias")), tensor)
layer("Activation", with_required({"activation": ACTIVATIONS}, COMMON), tensor)
layer(
    "ReLU",
    some(max_value=one(None, 1.0, 6, 0.0), negative_slope=one(0.0, 0.2, 1), threshold=one(0.0, 0.5), **COMMON),
    tensor,
)
layer("LeakyReLU", some(negative_slope=one(0.3, 0.0, 1.5), **COMMON), tensor)
layer("ELU", some(alpha=one(1.0, 0.3), **COMMON), tensor)
layer("Softmax", some(axis=one(-1, 1, (1,), (-1,), (1, -1), 0), **COMMON), tensor)
alpha = {f"alpha_{kind}": v for kind, v in zip(("initializer", "regularizer", "constraint"), of_weights("a").values())}
layer("PReLU", some(shared_axes=one(None, [1], [1, 2], 1, [-1]), **alpha, **COMMON), tensor)
layer("Dropout", with_required(RATE, {"noise_shape": one(None, (None, 1), (1, None), (2, 3)), **SEED}), matrix)
layer("AlphaDropout", with_required(RATE, {"noise_shape": one(None, (None, 1)), **SEED}), matrix)
layer("GaussianDropout", with_required(RATE, SEED), tensor)
layer("GaussianNoise", with_required({"stddev": one(0.3, 0.0)}, SEED), tensor)
layer("ActivityRegularization", some(l1=one(0.0, 0.1), l2=one(0.0, 0.2), **COMMON), tensor)
layer("Flatten", some(data_format=FORMATS, **COMMON), tensor, formats=True)
layer("Identity", some(**COMMON), tensor)
layer(
    "Rescaling",
    with_required({"scale": one(0.5, 2, [1.0, 2.0])}, {"offset": one(0.0, -1, [0.5, 0.25]), **COMMON}),
    image(2, 1, 4, one(2, 2, 3)),
    formats=True,
)
layer("RepeatVector", with_required({"n": st.integers(1, 4)}, COMMON), matrix)
dims_ = mostly(st.permutations([1, 2, 3]), one((1, 2), (0, 1, 2), (1, 1, 2), (3, 2, 4)), times=6)
layer("Permute", dims_.map(lambda p: {"dims": tuple(p)}), image(2, 1, 4))
TARGETS = {  # what shapes can become
    (2, 3, 4): ((-1,), (-1, 2), (2, -1), (3, 4), (12,), (2, 2, 3), (4, 3, 1)),
    (1, 12): ((-1,), (-1, 2), (3, 4), (12,), (2, 2, 3), (1, -1, 1)),
    (2, 2, 6, 1): ((-1,), (6, 2), (2, -1), (3, 4), (12,), (1, 12), (-1, 3)),
    (2, 5): ((-1,), (5, -1), (5,), (1, 5)),
    (3, 1): ((), (1,), (-1,), (1, 1)),
}
ANY_TARGET = one((5, -1), (-1, -1), (2, 3), (), (0, -1), (-2, 3), (12,))


@st.composite
def reshaped(draw):
    """Arguments and inputs of a Reshape."""
    shape = draw(one(*TARGETS))
    return {
        "layer": "Reshape",
        "arguments": {"target_shape": draw(mostly(one(*TARGETS[shape]), ANY_TARGET)), **draw(some(**COMMON))},
        "inputs": (draw(array(shape, INPUT_DTYPES)),),
        "seed": 0,
        "open": draw(one("batch", "space")),
        "mask": draw(one(None, 3)),
    }


subject("layers", "Reshape", reshaped(), run)
layer(
    "UnitNormalization",
    some(axis=one(-1, 1, (1, 2), [1, -1], 0), **COMMON),
    image(2, 1, 4, values=one("positive", "ties")),  # the gradient of a small number's unit is large, and cancels
)
layer("RMSNormalization", some(epsilon=one(1e-6, 0.1), axis=one(-1, (-1,), [-1]), **COMMON), tensor)
scaled = {
    "center": booleans,
    "scale": booleans,
    "epsilon": one(0.001, 0.5, 1e-5),
    **of_weights("beta", "gamma"),
    **COMMON,
}
layer("LayerNormalization", some(axis=one(-1, 1, (1, 2), [-1, 1], [2, 1], 3), **scaled), image(2, 1, 4), tolerance=1e-4)
layer(
    "BatchNormalization",
    some(
        axis=one(-1, 1, 2, 3),
        momentum=one(0.99, 0.5, 0.0, 1.0),
        moving_mean_initializer=INITIALIZERS,
        moving_variance_initializer=one("ones", "random_uniform"),
        renorm=one(False, False, True),
        renorm_momentum=one(0.99, 0.5),
        renorm_clipping=one(None, {"rmax": 2.0, "rmin": 0.5, "dmax": 1.0}, {"rmax": 1.5}),
        synchronized=one(False, False, True),
        **scaled,
    ),
    image(2, 1, 4),
    tolerance=1e-4,
)


def in_groups(data):
    """The data with as many channels as the groups divide."""
    arguments, x = data["arguments"], data["inputs"][0]
    axis, groups = arguments.get("axis", -1), max(arguments.get("groups", 32), 1)
    shape = list(x["shape"])
    shape[axis] = groups * max(shape[axis] // groups, 1)
    return {**data, "inputs": ({**x, "shape": tuple(shape)},)}


layer(
    "GroupNormalization",
    some(groups=one(1, 2, -1, 3), axis=one(-1, 1, -2), **scaled),
    image(2, 1, 4, one(6, 2, 4)),
    fit=in_groups,
    tolerance=1e-4,
)
statistics = one(
    {"mean": 1.0, "variance": 4.0},
    {"mean": 1.0, "variance": 4.0, "invert": True},
    {"mean": [1.0, 2.0], "variance": [4.0, 0.0], "axis": -1},
    {"mean": 0.5, "variance": 4.0, "axis": None},
    {"mean": 0.5},
    {"axis": 1},
    {},
)
layer(
    "Normalization", st.tuples(statistics, some(**COMMON)).map(lambda s: {**s[1], **s[0]}), image(1, 1, 4, one(2, 2, 3))
)
layer(
    "Masking", some(mask_value=one(0.0, 1.0, -2), **COMMON), array(st.tuples(batches, dims, dims), values=one("ties"))
)
layer(
    "Embedding",
    with_required(
        {"input_dim": one(5, 7), "output_dim": dims},
        {"mask_zero": booleans, "weights": one(None), **of_weights("embeddings"), **COMMON},
    ),
    array(
        st.lists(dims, min_size=1, max_size=3).map(tuple),
        one("int32", "int64", "uint8", "float32", "int8"),
        one("small"),
    ),
)
layer(
    "CategoryEncoding",
    with_required({"num_tokens": one(5, 4, 2)}, {"output_mode": one("multi_hot", "one_hot", "count"), **COMMON}),
    array(st.lists(dims, min_size=1, max_size=3).map(tuple), one("int32", "float32", "uint8"), one("small")),
)
layer(
    "SpectralNormalization",
    st.tuples(inside, some(power_iterations=one(1, 3), **COMMON)).map(lambda t: {"layer": t[0], **t[1]}),
    image(1, 1, 4),
    tolerance=1e-4,
)


@st.composite
def einsum(draw):
    """Arguments and inputs of an EinsumDense."""
    equation, output, axes_ = draw(
        one(
            ("ab,bc->ac", 4, "c"),
            ("abc,cd->abd", (None, 3), "d"),
            ("abc,bcd->ad", 5, "d"),
            ("...x,xy->...y", 3, "y"),
            ("abc,cde->abde", (None, 2, 3), "de"),
            ("abc,cd->adb", (4, None), "d"),
            ("ab,bcd->acd", (2, 3), "cd"),
            ("abc,cd->abd", (None, 3), "b"),
            ("ab...,bc->ac...", 4, "c"),
            ("ab,cb->ac", 3, "c"),
            ("abc,cd->abd", 3, None),
            ("ab,bc", 3, None),
            ("abc,ce->abd", (None, 3), None),
        )
    )
    rank = len(equation.split(",")[0].replace("...", "ab"))
    shape = tuple(draw(st.integers(1, 4)) for _ in range(rank))
    product = {k: v for k, v in PRODUCT.items() if k != "use_bias"}
    options = draw(some(bias_axes=one(None, axes_, "x"), **product, **of_weights("kernel", "bias")))
    x = draw(array(shape, INPUT_DTYPES))
    return {
        "layer": "EinsumDense",
        "arguments": {"equation": equation, "output_shape": output, **options},
        "inputs": (x,),
        "seed": draw(seeds),
        "open": draw(one("batch", "space")),
        "mask": draw(one(None, 3)),
    }


subject("layers", "EinsumDense", einsum(), run)
