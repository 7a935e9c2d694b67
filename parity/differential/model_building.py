"""Random models: what is drawn of them, and how either library builds them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from parity.differential.draws import booleans, one, seeds, some

INPUTS = {"image": (8, 7, 3), "sequence": (9, 4), "vector": (6,), "volume": (4, 5, 4, 2)}
RANKS = {4: "volume", 3: "image", 2: "sequence", 1: "vector"}
ACTIVATION = one(None, "relu", "tanh", "sigmoid", "gelu", "relu6", "elu", "softplus", "silu", "selu")
PADDING = one("same", "valid")
UNITS = one(3, 4, 8, 16)
SMALL = one(1, 2, 3)


def _conv(rank):
    arguments = st.fixed_dictionaries(
        {"filters": one(4, 3, 16, 32), "kernel_size": SMALL, "padding": PADDING},
        optional={"activation": ACTIVATION, "use_bias": booleans, "kernel_regularizer": one(None, "l2")},
    )
    moves = st.one_of(some(strides=one(1, 2)), some(dilation_rate=one(1, 2)))
    return st.tuples(st.just(f"Conv{rank}D"), st.tuples(arguments, moves).map(lambda a: {**a[0], **a[1]}))


def _plain(name, **arguments):
    return st.tuples(st.just(name), st.fixed_dictionaries({}, optional=arguments))


def _needing(name, required, **arguments):
    return st.tuples(st.just(name), st.fixed_dictionaries(required, optional=arguments))


ANYWHERE = [
    _needing("Activation", {"activation": ACTIVATION}),
    _plain("ReLU", max_value=one(None, 6.0), negative_slope=one(0.0, 0.1)),
    _plain("LeakyReLU"),
    _plain("BatchNormalization", momentum=one(0.99, 0.6), epsilon=one(1e-3, 1e-2), scale=booleans, center=booleans),
    _plain("LayerNormalization"),
    _needing("Dropout", {"rate": one(0.2, 0.5)}, seed=seeds),
    _needing(
        "Dense",
        {"units": UNITS},
        activation=ACTIVATION,
        use_bias=booleans,
        kernel_regularizer=one(None, "l2", "l1"),
        bias_regularizer=one(None, "l2"),
        activity_regularizer=one(None, "l2"),
        kernel_initializer=one("he_normal", "orthogonal", "lecun_uniform"),
        kernel_constraint=one(None, "max_norm"),
    ),
    _needing("Scale", {"start": one(0.5, 2.0)}, trainable=booleans),
    _plain("PReLU"),
    _plain("UnitNormalization"),
    _needing("Rescaling", {"scale": one(0.5, 2.0)}),
    _needing("GaussianNoise", {"stddev": one(0.1)}, seed=seeds),
]
OF_RANK = {
    "image": [
        _conv(2),
        _conv(2),
        _needing(
            "DepthwiseConv2D", {"kernel_size": SMALL, "padding": PADDING}, depth_multiplier=one(1, 2), strides=one(1, 2)
        ),
        _needing(
            "SeparableConv2D", {"filters": UNITS, "kernel_size": SMALL, "padding": PADDING}, activation=ACTIVATION
        ),
        _needing(
            "Conv2DTranspose", {"filters": one(3, 4), "kernel_size": SMALL, "padding": PADDING}, strides=one(1, 2)
        ),
        _plain("MaxPooling2D", padding=PADDING, pool_size=SMALL),
        _needing("AveragePooling2D", {"pool_size": SMALL}, padding=PADDING, strides=one(None, 1, 2)),
        _plain("ZeroPadding2D", padding=one(1, (1, 2), ((0, 1), (2, 0)))),
        _plain("UpSampling2D", interpolation=one("nearest", "bilinear")),
        _needing("SpatialDropout2D", {"rate": one(0.3)}, seed=seeds),
        _plain("GlobalAveragePooling2D", keepdims=booleans),
        _plain("GlobalMaxPooling2D"),
        _plain("Flatten"),
    ],
    "sequence": [
        _conv(1),
        _needing("SeparableConv1D", {"filters": UNITS, "kernel_size": SMALL, "padding": PADDING}),
        _plain("MaxPooling1D", padding=PADDING),
        _needing("AveragePooling1D", {"pool_size": SMALL}, padding=PADDING),
        _plain("GlobalAveragePooling1D"),
        _plain("GlobalMaxPooling1D", keepdims=booleans),
        _plain("ZeroPadding1D"),
        _plain("Flatten"),
    ],
    "volume": [_conv(3), _plain("MaxPooling3D", padding=PADDING), _plain("GlobalAveragePooling3D"), _plain("Flatten")],
    "vector": [_needing("RepeatVector", {"n": SMALL})],
}
MERGES = one("Add", "Multiply", "Average", "Maximum", "Concatenate", "Subtract", "Minimum", "+", "*", "relu", "mean")
LOSSES = one("mse", "mae", "huber", "log_cosh", {"class_name": "Huber", "config": {"delta": 0.5}}, "each", "named")
SUMMARIES = one(
    {},
    {"expand_nested": True},
    {"show_trainable": True},
    {"line_length": 70},  # Keras cuts off what is wider than the console
    {"line_length": 78, "expand_nested": True, "show_trainable": True},
    {"first_and_last": True},
)
COMPILE = some(
    metrics=one(["mae"], ["mse", "mae"], ["cosine_similarity"]),
    weighted_metrics=one(["mae"]),
    run_eagerly=one(True, True, True, False),  # Keras traces graphs for seconds
    steps_per_execution=one(1, 2),
)
OPTIMIZERS = one(
    ("SGD", {"learning_rate": 0.05}),
    ("Adam", {}),
    ("SGD", {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True}),
    ("RMSprop", {"learning_rate": 0.003}),
    ("AdamW", {"weight_decay": 0.01}),
    ("Adagrad", {}),
    ("Nadam", {"clipnorm": 1.0}),
)


@st.composite
def step(draw):
    """A layer for each rank that its input may have, or a merge with an earlier tensor, or a nested model."""
    kind = draw(one("layer", "layer", "layer", "layer", "merge", "nest", "shared"))
    at = draw(st.integers(0, 3)) if draw(one(False, False, True)) else 0
    if kind == "merge":
        return {"kind": kind, "merge": draw(MERGES), "at": at, "other": draw(st.integers(0, 3))}
    choices = {rank: draw(st.one_of(*layers, *ANYWHERE)) for rank, layers in OF_RANK.items()}
    return {"kind": kind, "layers": choices, "at": at}


@st.composite
def model(draw):
    """Data of a model and two batches."""
    return {
        "style": draw(one("functional", "functional", "sequential", "subclassed")),
        "inputs": draw(st.lists(one("image", "vector", "sequence", "image", "volume"), min_size=1, max_size=2)),
        "open": draw(booleans),
        "steps": draw(st.lists(step(), min_size=1, max_size=9)),
        "outputs": draw(one(1, 1, 2)),
        "names": draw(booleans),
        "batch": draw(one(2, 5, 1)),
        "loss": draw(LOSSES),
        "optimizer": draw(OPTIMIZERS),
        "seed": draw(seeds),
        "structure": draw(one("list", "list", "dict")),
        "frozen": draw(st.lists(st.integers(0, 9), max_size=2)),
        "summary": draw(SUMMARIES),
        "compile": draw(COMPILE),
        "called": draw(booleans),
    }


def scale(keras):
    """A layer of one's own, registered."""

    @keras.saving.register_keras_serializable("parity")
    class Scale(keras.layers.Layer):
        def __init__(self, start, **kwargs):
            super().__init__(**kwargs)
            self.start = start

        def build(self, input_shape):
            initializer = keras.initializers.Constant(self.start)
            self.factor = self.add_weight(shape=(input_shape[-1],), initializer=initializer, name="factor")

        def call(self, x):
            return x * self.factor

        def compute_output_shape(self, input_shape):
            return input_shape

        def get_config(self):
            return {**super().get_config(), "start": self.start}

    return Scale


def net(keras):
    """A model of one's own, registered, that holds layers in a list."""

    @keras.saving.register_keras_serializable("parity")
    class Net(keras.Model):
        def __init__(self, parts, **kwargs):
            super().__init__(**kwargs)
            self.parts = parts

        def call(self, x, training=False):
            for part in self.parts:
                x = part(x)
            return x

        def get_config(self):
            return {**super().get_config(), "parts": [keras.saving.serialize_keras_object(p) for p in self.parts]}

        @classmethod
        def from_config(cls, config, custom_objects=None):
            parts = [keras.saving.deserialize_keras_object(p) for p in config.pop("parts")]
            return cls(parts, **config)

    return Net


def _layer_class(keras, name):
    return scale(keras) if name == "Scale" else getattr(keras.layers, name)


def build(keras, data):
    """The model that data describes: each step takes a tensor counted from the last one."""
    model = _built(keras, data)
    for i in data["frozen"]:
        if i < len(model.layers):
            model.layers[i].trainable = False
    return model


def _built(keras, data):
    if data["style"] == "sequential":
        return _sequential(keras, data)
    if data["style"] == "subclassed":
        return _subclassed(keras, data)
    inputs = [
        keras.Input(_shape(kind, data["open"]), name=f"in{i}" if data["names"] else None)
        for i, kind in enumerate(data["inputs"])
    ]
    outputs = _graph(keras, data, inputs)
    if data["structure"] == "dict":
        outputs = {f"y{i}": y for i, y in enumerate(outputs)} if isinstance(outputs, list) else outputs
        return keras.Model({f"x{i}": x for i, x in enumerate(inputs)}, outputs, name="net")
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name="net")


def _shape(kind, opened):
    shape = INPUTS[kind]
    return (*[None] * (len(shape) - 1), shape[-1]) if opened and kind == "image" else shape


def _graph(keras, data, inputs):
    """The outputs of the steps."""
    known, used = list(inputs), {}
    for place, one_step in enumerate(data["steps"]):
        x = known[-1 - one_step["at"] % len(known)]
        if one_step["kind"] == "merge":
            known.append(_merged(keras, one_step, x, known))
            continue
        name, arguments = one_step["layers"][RANKS[len(x.shape) - 1]]
        layer = _layer_class(keras, name)(**arguments, **({"name": f"step{place}"} if data["names"] else {}))
        if one_step["kind"] == "nest":
            inside = keras.Input(x.shape[1:])
            layer = keras.Model(inside, layer(inside)) if place % 2 else keras.Sequential([inside, layer])
        if one_step["kind"] == "shared":
            layer = used.setdefault((name, str(arguments), tuple(x.shape[1:])), layer)
        known.append(layer(x))
    return known[-1] if data["outputs"] == 1 or len(known) == len(inputs) + 1 else [known[-1], known[-2]]


def _merged(keras, one_step, x, known):
    """x with another tensor of its shape, x itself if there is no other."""
    alike = [y for y in known if tuple(y.shape) == tuple(x.shape)]
    other = alike[one_step["other"] % len(alike)]
    if one_step["merge"] == "+":
        return x + other
    if one_step["merge"] == "*":
        return x * other
    if one_step["merge"] == "relu":
        return keras.ops.relu(x)
    if one_step["merge"] == "mean":
        return keras.ops.mean(x, axis=-1, keepdims=True) + x
    return getattr(keras.layers, one_step["merge"])()([x, other])


def _layers(keras, data):
    """The steps' layers one after the other, each for the rank that the one before gives, and the first shape."""
    shape, layers = INPUTS[data["inputs"][0]], []
    x = keras.KerasTensor((None, *shape), "float32")
    for one_step in data["steps"]:
        if "layers" in one_step:
            name, arguments = one_step["layers"][RANKS[len(x.shape) - 1]]
            layer = _layer_class(keras, name)(**arguments)
            x = keras.KerasTensor(layer.compute_output_shape(tuple(x.shape)), "float32")
            layers.append((name, arguments))
    keras.utils.clear_session()
    return shape, [_layer_class(keras, name)(**arguments) for name, arguments in layers]


def _sequential(keras, data):
    shape, layers = _layers(keras, data)
    model = keras.Sequential(layers if data["open"] else [keras.Input(shape), *layers], name="net")
    if not model.built and data["called"]:
        model(np.zeros((2, *shape), "float32"))
    elif not model.built:
        model.build((None, *shape))
    return model


def _subclassed(keras, data):
    shape, layers = _layers(keras, data)

    model = net(keras)(layers, name="net")
    model(np.zeros((1, *shape), "float32"))
    return model
