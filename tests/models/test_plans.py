"""The lean plans compute what the layers compute."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers as L
from kerasish.core import nest
from kerasish.models.plans.fused import Affine, NormAct, Product, add_relu

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 9, 8, 4)).astype("float32")
FUSED = (Product, Affine, NormAct, add_relu)


def residual(x):
    y = L.BatchNormalization()(L.Conv2D(4, 3, padding="same", use_bias=False)(x))
    y = L.ReLU()(y)
    y = L.BatchNormalization(scale=False)(L.DepthwiseConv2D(3, padding="same")(y))
    y = L.Activation("relu")(L.Add()([x, y]))
    return L.ReLU()(L.Dense(5)(L.Dropout(0.5)(y)))


def inverted(x):
    """MobileNetV2's blocks, with what limits at 6."""
    y = L.ReLU(6.0)(L.BatchNormalization()(L.Conv2D(8, 1, use_bias=False)(x)))
    y = L.ZeroPadding2D(((1, 1), (0, 1)))(y)
    y = L.ReLU(max_value=6)(L.BatchNormalization(center=False)(L.DepthwiseConv2D(3, 2)(y)))
    y = L.BatchNormalization()(L.Conv2D(4, 1)(y))
    return L.Add()([y, L.Activation("relu6")(L.Conv2D(4, 3, 2, padding="same")(x))])


def normalized_first(x):
    """Normalizations with nothing before them to be folded into, and one after a dense layer."""
    y = L.BatchNormalization()(x)
    z = L.ReLU(6.0)(L.BatchNormalization(scale=False)(L.MaxPooling2D(2)(y)))
    return L.BatchNormalization()(L.Dense(3)(L.Flatten()(z)))


def padded(x):
    """Zeros that a convolution can take, with its own activation after it, and zeros that none can."""
    y = L.Conv2D(4, 3, activation="relu")(L.ZeroPadding2D(1)(x))
    y = L.DepthwiseConv2D(2, dilation_rate=2, activation="tanh")(L.ZeroPadding2D((1, 0))(y))
    y = L.Conv2D(5, 2)(L.ZeroPadding2D(2)(y))
    return L.MaxPooling2D(3, 2)(L.ZeroPadding2D(1)(y))


def one_axis(x):
    y = L.ZeroPadding1D(2)(L.Reshape((9, 32))(x))
    y = L.ReLU()(L.BatchNormalization()(L.Conv1D(6, 3, strides=2)(y)))
    return L.Activation("relu6")(L.DepthwiseConv1D(3, padding="same", depth_multiplier=2)(y))


def wanted_midway(x):
    """Outputs of the layers in between are wanted too, so nothing may be folded into them."""
    y = L.Conv2D(4, 3)(x)
    return [L.BatchNormalization(trainable=False)(y), L.ReLU(6.0)(y), y]


def pooled(x):
    """Activations that may be taken after pooling, with windows that overlap, and one that is wanted before, too."""
    y = L.MaxPooling2D(3, 2, padding="same")(L.Conv2D(6, 3, padding="same", activation="relu")(x))
    y = L.MaxPooling2D(2, 1)(L.ReLU(6.0)(L.Conv2D(5, 1)(L.ZeroPadding2D(1)(y))))
    z = L.Activation("relu")(L.Conv2D(4, 3)(y))
    return [L.MaxPooling2D(2)(z), z, L.MaxPooling2D(2)(L.Conv2D(3, 1, activation="tanh")(y))]


def shared(x):
    """One convolution and one normalization at two places, each with its own follower."""
    conv, norm = L.Conv2D(4, 3, padding="same"), L.BatchNormalization(trainable=False)
    y = L.ReLU()(norm(conv(x)))
    return norm(conv(y))


def other_ways(x):
    """Neighbours that look alike: other limits, slopes, axes, functions, ranks, penalties."""
    y = L.ReLU(max_value=5)(L.Conv2D(4, 1)(x))
    y = L.ReLU(negative_slope=0.1)(L.BatchNormalization(axis=1)(L.Conv2D(4, 1)(y)))
    y = L.ReLU(threshold=0.5)(L.Conv2D(4, 1, activation="tanh")(y))
    y = L.Activation("gelu")(L.BatchNormalization()(L.Conv2D(4, 1, activation="relu")(y)))
    y = L.ReLU(activity_regularizer="l2")(L.Conv2D(4, 1)(y))
    y = L.ReLU()(L.Conv2D(4, 1, activity_regularizer="l1")(y))
    return L.ReLU()(L.Add()([y, L.Dense(4)(L.GlobalAveragePooling2D()(y))]))


MODELS = (residual, inverted, normalized_first, padded, pooled, one_axis, wanted_midway, shared, other_ways)
every = pytest.mark.parametrize("build", MODELS)


def model_of(build, **options):
    x = keras.Input(X.shape[1:], **options)
    model = keras.Model(x, build(x))
    for v in model.weights:
        v.assign(RNG.uniform(0.5, 1.5, v.shape).astype(v.dtype))
    return model


def plainly(model, x):
    return model.run([keras.ops.convert_to_tensor(x)])


def plan(model, training, x=X):
    return model._plan_for([keras.ops.convert_to_tensor(x)], training)


def kinds(build, training):
    """How many steps of each fused kind a model's plan has."""
    steps = [step.operation for step in plan(model_of(build), training)]
    found = [o if o is add_relu else type(o) for o in steps]
    return [found.count(k) for k in FUSED]


def check_equal(model, x=X, rtol=2e-5, atol=1e-5):
    for a, b in zip(nest.flatten(plainly(model, x)), nest.flatten(model(x))):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@every
def test_equals_the_layers(build):
    check_equal(model_of(build))


@every
def test_equals_the_layers_in_float64(build):
    keras.config.set_floatx("float64")
    try:
        check_equal(model_of(build), X.astype("float64"), rtol=1e-12, atol=1e-12)
    finally:
        keras.config.set_floatx("float32")


def test_layers_of_two_dtypes_stay_apart():
    model = model_of(lambda x: L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 1, dtype="float64")(x))))
    assert {type(step.operation) for step in plan(model, False)}.isdisjoint(FUSED)
    check_equal(model)


@pytest.mark.parametrize(
    "build, inference, training",
    [
        (residual, [3, 0, 0, 1], [1, 0, 1, 1]),
        (inverted, [4, 0, 0, 0], [2, 0, 2, 0]),
        (normalized_first, [1, 2, 0, 0], [0, 0, 1, 0]),
        (padded, [2, 0, 0, 0], [2, 0, 0, 0]),
        (pooled, [2, 0, 0, 0], [3, 0, 0, 0]),
        (one_axis, [2, 0, 0, 0], [2, 0, 1, 0]),
        (wanted_midway, [0, 1, 0, 0], [0, 0, 0, 0]),
        (shared, [2, 0, 0, 0], [0, 0, 1, 0]),
        (other_ways, [0, 1, 0, 0], [0, 0, 0, 0]),
    ],
)
def test_what_is_fused(build, inference, training):
    assert kinds(build, False) == inference
    assert kinds(build, True) == training


@every
def test_training_step_equals_the_layers(build, monkeypatch):
    """Losses and weights after steps along the lean plan, and along the layers' own calls."""
    model = model_of(build)
    for layer in model.layers:
        if isinstance(layer, L.Dropout):
            layer.rate = 0.0  # it would draw other numbers the second time
    targets = [RNG.standard_normal(y.shape).astype("float32") for y in nest.flatten(model(X))]
    start, results = model.get_weights(), []
    for plain in (False, True):
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(0.01), ["mse"] * len(targets))
        if plain:
            monkeypatch.setattr(type(model), "_plan_for", lambda self, values, training: None)
        losses = [np.asarray(model.train_on_batch(X, targets)) for _ in range(3)]
        results.append((losses, model.get_weights()))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
    for a, b in zip(results[0][1], results[1][1]):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_masks_go_the_layers_own_way():
    x = keras.Input((5,), dtype="int32")
    y = L.GlobalAveragePooling1D()(L.Embedding(7, 4, mask_zero=True)(x))
    model = keras.Model(x, y)
    row = np.array([[1, 2, 0, 0, 0]])
    table = model.get_weights()[0]
    np.testing.assert_allclose(model(row)[0], table[[1, 2]].mean(0), rtol=1e-6)


@pytest.mark.parametrize("build", [residual, normalized_first])
def test_folded_weights_follow_the_variables(build):
    model = model_of(build)
    model(X)
    model.compile("sgd", "mse")
    model.train_on_batch(X, np.zeros(plainly(model, X).shape, "float32"))
    check_equal(model)
    for v in model.weights:
        v.assign(v * 1.5)
    check_equal(model)


def test_subclassed_layers_are_left_alone():
    class Mine(L.Conv2D):
        def call(self, x):
            return super().call(x) + 1

    model = model_of(lambda x: L.ReLU()(Mine(4, 3)(x)))
    np.testing.assert_allclose(plainly(model, X), model(X), rtol=1e-6)


def test_a_calls_flag_decides_the_plan():
    """The flag travels down: to a model within, and past a `call` of one's own that drops it."""

    class Mine(keras.Model):
        def call(self, inputs):
            return super().call(inputs)

    x = keras.Input(X.shape[1:])
    inner = keras.Model(x, L.ReLU()(L.BatchNormalization()(x)))
    for outer in (keras.Model(x, inner(x)), Mine(x, inner(x))):
        trained, inferred = outer(X, training=True), outer(X, training=False)
        assert abs(trained - inferred).numpy().max() > 0.01
        np.testing.assert_allclose(inferred, outer(X), rtol=1e-6)


def test_gradients_go_through_the_layers():
    model = model_of(residual)
    x = keras.ops.convert_to_tensor(X)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = keras.ops.sum(model(x))
    assert all(g is not None for g in tape.gradient(y, [x, *model.trainable_weights]))


@pytest.mark.parametrize("first", ["Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense", "BatchNormalization"])
def test_a_sequential_called_on_other_channels_is_refused_by_its_layer(first):
    """It takes other sizes than it was built for; plans do not, which enter layers past their checks."""
    layers = keras.layers
    made = {"Dense": {"units": 3}, "BatchNormalization": {}, "DepthwiseConv2D": {"kernel_size": 2}}
    layer = getattr(layers, first)(**made.get(first, {"filters": 3, "kernel_size": 2}))
    model = keras.Sequential([keras.Input((6, 6, 4)), layer, layers.ReLU()], name="net")
    model(np.ones((2, 6, 6, 4), "float32"))
    for channels in (2, 5):
        with pytest.raises(ValueError, match=r"net.* \(None, 6, 6, 4\).* \(2, 6, 6, "):
            model(np.ones((2, 6, 6, channels), "float32"))
        with pytest.raises(ValueError, match="net"):
            model.predict(np.ones((2, 6, 6, channels), "float32"), verbose=0)
