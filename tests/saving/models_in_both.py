"""Builders of models, to be run with kerasish and with real Keras, and what is compared between the two."""

import h5py
import numpy as np


def chain(k):
    layers = k.layers
    rest = [layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(2, name="head")]
    return k.Sequential([k.Input((4,)), layers.Dense(3, activation="relu"), *rest])


def convnet(k):
    layers = k.layers
    first = [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()]
    return k.Sequential([k.Input((8, 8, 1)), *first, layers.Dense(2, activation="softmax")])


def branches(k):
    layers = k.layers
    a, b, shared = k.Input((4,), name="a"), k.Input((4,), name="b"), layers.Dense(3, name="shared")
    x = layers.Concatenate()([shared(a), shared(b)])
    y = layers.Add()([x, layers.Dense(6)(x)])
    return k.Model([a, b], [layers.Dense(1, name="first")(y), layers.Dense(2, name="second")(y)])


def with_ops(k):
    x = k.Input((4,))
    y = k.ops.relu(k.layers.Dense(4)(x) * 2.0 + x) - 1
    y = k.ops.concatenate([y, x], axis=-1)[:, 1:6]
    return k.Model(x, k.ops.mean(y, axis=-1, keepdims=True))


def nested(k):
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(3), k.layers.BatchNormalization()], name="inner")
    x = k.Input((4,))
    return k.Model(x, k.layers.Dense(2)(inner(x)), name="outer")


MODELS = {"chain": chain, "convnet": convnet, "branches": branches, "with ops": with_ops, "nested": nested}


def build(k, builder, compiled=False, loss="mse"):
    """A model with weights that are the same on both sides."""
    k.utils.clear_session()
    model = builder(k)
    fill(model.weights)
    if compiled:
        model.compile(k.optimizers.Adam(0.01), loss, metrics=["mae"])
        model.optimizer.build(model.trainable_variables)
        fill(model.optimizer.variables, seed=1)
    return model


def fill(variables, seed=0):
    """Small numbers that depend on the seed and the place alone."""
    rng = np.random.default_rng(seed)
    for variable in variables:
        values = rng.uniform(0.5, 1.5, tuple(variable.shape))
        variable.assign(values.astype(str(variable.dtype).replace("bfloat16", "float32")))


def arrays(variables):
    return [np.asarray(variable.numpy()) for variable in variables]


def inputs_for(model):
    rng = np.random.default_rng(2)
    values = [rng.uniform(size=(3, *tensor.shape[1:])).astype("float32") for tensor in model.inputs]
    return values[0] if len(values) == 1 else values


def assert_same_weights(ours, theirs):
    for one, other in zip(arrays(ours.weights), arrays(theirs.weights), strict=True):
        np.testing.assert_array_equal(one, other)


def assert_same_predictions(ours, theirs):
    x = inputs_for(ours)
    pairs = [ours.predict(x, verbose=0), theirs.predict(x, verbose=0)]
    one, other = (p if isinstance(p, list) else [p] for p in pairs)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def tree(path):
    """All that an HDF5 file holds: names, shapes, dtypes, values, attributes."""
    found = {}

    def visit(name, item):
        data = item[()].tolist() if isinstance(item, h5py.Dataset) else None
        found[name] = (getattr(item, "dtype", None), data, {key: item.attrs[key] for key in item.attrs})

    with h5py.File(path) as file:
        file.visititems(visit)
    return found
