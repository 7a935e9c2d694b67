"""One layer: configuration, weights, shapes, values, gradients, training and inference."""

from __future__ import annotations

import inspect

import numpy as np
from hypothesis import strategies as st

from parity.differential.draws import array, batches, booleans, dims, made, one, seeds, some, with_required
from parity.differential.outcome import as_json, plain
from parity.differential.subject import subject
from parity.differential.tapes import gradients

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
)
REGULARIZERS = one(None, "l2", "l1", "L1L2")
CONSTRAINTS = one(None, "non_neg", "max_norm", "unit_norm")
FORMATS = one(None, "channels_last", "channels_last", "channels_first")
PADDINGS = one("valid", "same")


def run(keras, data):
    """Everything that one layer shows."""
    keras.utils.set_random_seed(data["seed"])
    layer = _made(keras, data)
    out = {"config": as_json(layer.get_config())}
    arrays = [made(x) for x in data["inputs"]]
    out["symbolic"] = _symbolic(keras, data, arrays)
    structure = arrays if data.get("list") else arrays[0]
    layer.build([a.shape for a in arrays] if data.get("list") else arrays[0].shape)
    out["weights"] = [[w.path, list(w.shape), w.dtype.replace("int64", "int32"), w.trainable] for w in layer.weights]
    out["first"] = plain(layer.get_weights())
    layer.set_weights(_others(layer.get_weights(), data["seed"]))
    out["shape"] = plain(layer.compute_output_shape([a.shape for a in arrays] if data.get("list") else arrays[0].shape))
    for training in (False, True):
        call = lambda *x: layer(list(x) if data.get("list") else x[0], **_training(layer, training))
        y, found = gradients(keras, call, arrays, layer.trainable_variables)
        out[f"output, training={training}"] = plain(y)
        out[f"gradients, training={training}"] = ["none" if g is None else g for g in found]
        out[f"losses, training={training}"] = plain(layer.losses)
    out["state"] = plain(layer.get_weights())
    again = type(layer).from_config(layer.get_config())
    out["again"] = as_json(again.get_config())
    out["repeated"] = plain(_made(keras, data)(structure))
    return out


def _training(layer, training):
    return {"training": training} if "training" in inspect.signature(layer.call).parameters else {}


def _made(keras, data):
    arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in data["arguments"].items()}
    return getattr(keras.layers, data["layer"])(**arguments)


def _symbolic(keras, data, arrays):
    """Shape and dtype of the result for an open batch."""
    inputs = [keras.Input(batch_shape=(None, *a.shape[1:]), dtype=a.dtype.name) for a in arrays]
    y = _made(keras, data)(inputs if data.get("list") else inputs[0])
    return [plain(y.shape), keras.backend.standardize_dtype(y.dtype)]


def _others(weights, seed):
    """Other weights of the same shapes, positive enough for variances."""
    rng = np.random.default_rng(seed)
    return [(w + rng.random(w.shape) * 0.5).astype(w.dtype) if w.dtype.kind == "f" else w for w in weights]


def layer(name, arguments, *inputs, several=False, **options):
    """A subject: a layer's class, the strategy of its arguments, those of its inputs."""
    parts = {"layer": st.just(name), "arguments": arguments, "seed": seeds, "inputs": st.tuples(*inputs)}
    if several:
        parts |= {"inputs": inputs[0], "list": st.just(True)}
    subject("layers", name, st.fixed_dictionaries(parts), run, **options)


def image(rank, least=3, most=8, channels=dims):
    """Data of a batch of images: any sizes, the batch first."""
    space = st.tuples(*[st.integers(least, most)] * rank)
    shape = st.tuples(batches, space, channels).map(lambda s: (s[0], *s[1], s[2]))
    return array(shape)


def sizes(rank, most=3, least=1):
    """A number, or one for each dimension."""
    number = st.integers(least, most)
    return st.one_of(number, st.tuples(*[number] * rank)) if rank > 1 else number


def _of_weights(*names):
    """Initializers, regularizers and constraints of some weights."""
    kinds = {"initializer": INITIALIZERS, "regularizer": REGULARIZERS, "constraint": CONSTRAINTS}
    return {f"{name}_{kind}": strategy for name in names for kind, strategy in kinds.items()}


COMMON = {"name": one("mine"), "trainable": booleans, "dtype": one("float32", "float64")}
PRODUCT = {"activation": ACTIVATIONS, "use_bias": booleans, "activity_regularizer": REGULARIZERS, **COMMON}

for rank in (1, 2, 3):
    most = 8 if rank < 3 else 5
    space = {"padding": PADDINGS, "data_format": FORMATS}
    moves = {"strides": sizes(rank, 2), "dilation_rate": sizes(rank, 2)}
    kernel = {"kernel_size": sizes(rank)}
    one_or_other = st.one_of(  # strides or dilation: Keras refuses both
        some(strides=moves["strides"]), some(dilation_rate=moves["dilation_rate"])
    )

    def merged(required, optional, extra=one_or_other):
        """Arguments of one dict and more of another."""
        return st.tuples(with_required(required, optional), extra).map(lambda parts: {**parts[0], **parts[1]})

    filters = {"filters": st.integers(1, 6)}
    padding = one("valid", "same", "causal") if rank == 1 else PADDINGS
    layer(
        f"Conv{rank}D",
        merged(filters | kernel, PRODUCT | space | {"padding": padding} | _of_weights("kernel", "bias")),
        image(rank, most=most),
    )
    layer(
        f"Conv{rank}DTranspose",
        merged(filters | kernel, PRODUCT | space | _of_weights("kernel", "bias"), some(strides=sizes(rank, 3))),
        image(rank, most=5),
    )
    if rank < 3:
        multiplier = {"depth_multiplier": st.integers(1, 3)}
        equal_strides = st.one_of(some(strides=st.integers(1, 2)), some(dilation_rate=st.integers(1, 2)))
        layer(
            f"DepthwiseConv{rank}D",
            merged(kernel, PRODUCT | space | multiplier | _of_weights("depthwise", "bias"), equal_strides),
            image(rank),
        )
        layer(
            f"SeparableConv{rank}D",
            merged(
                filters | kernel,
                PRODUCT | space | multiplier | _of_weights("depthwise", "pointwise", "bias"),
                equal_strides,
            ),
            image(rank),
        )
    for kind in ("Max", "Average"):
        pool = {"pool_size": sizes(rank)}
        layer(
            f"{kind}Pooling{rank}D",
            with_required(pool if kind == "Average" else {}, pool | space | {"strides": sizes(rank)} | COMMON),
            image(rank, most=most),
        )
        layer(
            f"Global{kind}Pooling{rank}D", some(data_format=FORMATS, keepdims=booleans, **COMMON), image(rank, 1, most)
        )
        layer(
            f"Adaptive{kind}Pooling{rank}D",
            with_required({"output_size": sizes(rank, 3)}, {}),
            image(rank, most=most),
        )
    pads = st.tuples(st.integers(0, 2), st.integers(0, 2))
    pads = (
        st.one_of(st.integers(0, 2), pads)
        if rank == 1
        else st.one_of(st.integers(0, 2), st.tuples(*[st.integers(0, 2)] * rank), st.tuples(*[pads] * rank))
    )
    layer(f"ZeroPadding{rank}D", some(padding=pads, data_format=FORMATS), image(rank, 1, most))
    layer(
        f"Cropping{rank}D", some(cropping=pads, **({} if rank == 1 else {"data_format": FORMATS})), image(rank, 3, most)
    )
    resized = {"data_format": FORMATS, "interpolation": one("nearest", "bilinear")} if rank == 2 else {}
    resized = {"data_format": FORMATS} if rank == 3 else resized
    layer(f"UpSampling{rank}D", some(size=sizes(rank), **resized), image(rank, 1, 4))
    drop = {"rate": one(0.3, 0.0, 0.5)}
    layer(
        f"SpatialDropout{rank}D",
        with_required(drop, {"seed": seeds} | ({"data_format": FORMATS} if rank > 1 else {})),
        image(rank, 1, 4),
    )

tensor = array(st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple))
matrix = array(st.tuples(batches, st.integers(1, 6)))

layer("Dense", with_required({"units": st.integers(1, 6)}, PRODUCT | _of_weights("kernel", "bias")), tensor)
layer("Activation", with_required({"activation": ACTIVATIONS}, COMMON), tensor)
layer("ReLU", some(max_value=one(None, 1.0, 6, 0.0), negative_slope=one(0.0, 0.2), threshold=one(0.0, 0.5)), tensor)
layer("LeakyReLU", some(negative_slope=one(0.3, 0.0, 1.5)), tensor)
layer("ELU", some(alpha=one(1.0, 0.3)), tensor)
layer("Softmax", some(axis=one(-1, 1, (1,), (-1,))), tensor)
layer("PReLU", some(alpha_initializer=INITIALIZERS, alpha_constraint=CONSTRAINTS, shared_axes=one(None, [1])), tensor)
layer(
    "Dropout", with_required({"rate": one(0.3, 0.0, 0.9)}, {"seed": seeds, "noise_shape": one(None, (None, 1))}), matrix
)
layer("AlphaDropout", with_required({"rate": one(0.3, 0.0)}, {"seed": seeds}), tensor)
layer("GaussianDropout", with_required({"rate": one(0.3, 0.0)}, {"seed": seeds}), tensor)
layer("GaussianNoise", with_required({"stddev": one(0.3, 0.0)}, {"seed": seeds}), tensor)
layer("ActivityRegularization", some(l1=one(0.0, 0.1), l2=one(0.0, 0.2)), tensor)
layer("Flatten", some(data_format=FORMATS), tensor)
layer("Identity", some(**COMMON), tensor)
layer("Rescaling", with_required({"scale": one(0.5, 2)}, {"offset": one(0.0, -1)}), tensor)
layer("RepeatVector", with_required({"n": st.integers(1, 4)}, {}), matrix)
layer("Permute", st.permutations([1, 2, 3]).map(lambda p: {"dims": tuple(p)}), image(2, 1, 4))
layer(
    "Reshape",
    one((-1,), (-1, 2), (2, -1), (3, 4), (12,), (2, 2, 3)).map(lambda s: {"target_shape": s}),
    array((2, 3, 4)),
)
layer("UnitNormalization", some(axis=one(-1, 1, (1, 2), [1, -1])), image(2, 1, 4))
layer("RMSNormalization", some(epsilon=one(1e-6, 0.1)), tensor)
scaled = {"center": booleans, "scale": booleans, "epsilon": one(0.001, 0.5), **_of_weights("beta", "gamma")}
layer("LayerNormalization", some(axis=one(-1, 1, (1, 2), [-1, 1], [2, 1]), **scaled), image(2, 1, 4), tolerance=1e-4)
layer(
    "BatchNormalization",
    some(
        axis=one(-1, 1, 2),
        momentum=one(0.99, 0.5, 0.0),
        moving_mean_initializer=INITIALIZERS,
        renorm=one(False, False, True),
        moving_variance_initializer=one("ones", "random_uniform"),
        **scaled,
        **COMMON,
    ),
    image(2, 1, 4),
    tolerance=1e-4,
)
layer(
    "GroupNormalization",
    with_required({"groups": one(1, 2, -1, 3)}, {"axis": one(-1, 1), **scaled}),
    image(2, 1, 4, one(6, 2, 4)),
    tolerance=1e-4,
)
layer("Normalization", st.just({"mean": 1.0, "variance": 4.0}), tensor)
layer("Masking", some(mask_value=one(0.0, 1.0)), array(st.tuples(batches, dims, dims), values=one("ties")))
layer(
    "Embedding",
    with_required(
        {"input_dim": one(5, 7), "output_dim": dims},
        {"embeddings_initializer": INITIALIZERS, "mask_zero": booleans, "embeddings_constraint": CONSTRAINTS},
    ),
    array(st.lists(dims, min_size=1, max_size=3).map(tuple), one("int32", "int64", "uint8"), one("small")),
)
layer(
    "CategoryEncoding",
    with_required({"num_tokens": one(5, 4)}, {"output_mode": one("multi_hot", "one_hot", "count")}),
    array(st.lists(dims, min_size=1, max_size=2).map(tuple), one("int32"), one("small")),
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
        )
    )
    rank = len(equation.split(",")[0].replace("...", "ab"))
    shape = tuple(draw(st.integers(1, 4)) for _ in range(rank))
    options = draw(some(activation=ACTIVATIONS, kernel_initializer=INITIALIZERS, bias_axes=one(None, axes_)))
    x = draw(array(shape))
    return {
        "layer": "EinsumDense",
        "arguments": {"equation": equation, "output_shape": output, **options},
        "inputs": (x,),
        "seed": draw(seeds),
    }


subject("layers", "EinsumDense", einsum(), run)


@st.composite
def alike(draw, least=2, most=3):
    """Data of some arrays whose shapes broadcast, of one rank."""
    shape = draw(st.lists(dims, min_size=2, max_size=4))
    count = draw(st.integers(least, most))
    cut = lambda: [d if i == 0 or draw(one(True, True, False)) else 1 for i, d in enumerate(shape)]
    return tuple(draw(array(tuple(shape if i == 0 else cut()))) for i in range(count))


for name in ("Add", "Average", "Maximum", "Minimum", "Multiply"):
    layer(name, some(**COMMON), alike(), several=True)
layer("Subtract", some(**COMMON), alike(2, 2), several=True)


@st.composite
def joined(draw):
    """Arguments and inputs of a Concatenate."""
    shape = draw(st.lists(dims, min_size=2, max_size=4))
    axis = draw(st.integers(1, len(shape) - 1))
    length = lambda: [draw(dims) if i == axis else d for i, d in enumerate(shape)]
    inputs = tuple(draw(array(tuple(length()))) for _ in range(draw(st.integers(2, 3))))
    return {
        "layer": "Concatenate",
        "arguments": {"axis": draw(one(axis, axis - len(shape)))},
        "inputs": inputs,
        "seed": 0,
        "list": True,
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
    }


subject("layers", "Dot", dotted(), run)
