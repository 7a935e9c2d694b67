"""Whatever is changed after calls, in whatever way: a model computes what its layers compute now, one by one."""

import functools
import inspect

import numpy as np
import pytest

import kerasish as keras
from kerasish.core import nest
from kerasish.core.tensor import Tensor
from kerasish.models import step_replays
from kerasish.models.functional import Functional
from kerasish.models.replays import Replay

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 8, 8, 4)).astype("float32")
CALLS = 5  # enough for a recording


def model_of(*layers, shape=X.shape[1:]):
    x = inputs = keras.Input(shape)
    for layer in layers:
        x = layer(x)
    model = keras.Model(inputs, x)
    for v in model.weights:
        if v.dtype == "float32":
            v.assign(RNG.uniform(0.5, 1.5, v.shape))
    return model


def one_by_one(model, x):
    """What the layers give, or what they raise."""
    try:
        return [y.numpy() for y in nest.flatten(model.run([Tensor(x)]))]
    except Exception as error:
        return type(error)


def outcome(function):
    try:
        return [np.asarray(y) for y in nest.flatten(function())]
    except Exception as error:
        return type(error)


def check(model, x=X, why=""):
    want = one_by_one(model, x)
    for function in (lambda: model(x), lambda: model.predict(x, verbose=0)):
        got = outcome(function)
        if isinstance(want, type):
            assert got is want, why
            continue
        assert not isinstance(got, type), (why, got)
        for a, b in zip(got, want, strict=True):
            assert a.shape == b.shape and a.dtype == b.dtype, why
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4, err_msg=why)


def used(model, x=X):
    for _ in range(CALLS):
        model.predict(x, verbose=0)


def other(name, value):
    """Another value for an attribute, or the same where none comes to mind."""
    words = {
        "padding": "same" if value == "valid" else "valid",
        "data_format": "channels_first",
        "interpolation": "bilinear",
        "dtype_policy": "float64",
        "name": value,
        "activity_regularizer": keras.regularizers.L2(0.1),
        "max_value": 0.7,
        "seed": 3,
    }
    if name in words and (not isinstance(value, tuple)):
        return words[name]
    if name.endswith("activation"):
        return keras.activations.tanh
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1 if name != "axis" else 1
    if isinstance(value, float):
        return value * 0.5 + 0.3
    if isinstance(value, tuple):
        return tuple(other(name, v) for v in value)
    if isinstance(value, list):
        return [other(name, v) for v in value]
    return value


IMAGE = [
    getattr(L, name)(3, 3, **options)
    for name in ("Conv2D", "Conv2DTranspose", "SeparableConv2D")
    for options in ({}, {"padding": "same", "activation": "relu"})
] + [
    L.DepthwiseConv2D(3),
    L.DepthwiseConv2D(3, activation="relu"),
    L.Dense(3),
    L.Dense(3, activation="relu"),
    L.EinsumDense("bhwc,cd->bhwd", (None, None, 5)),
    L.BatchNormalization(),
    L.BatchNormalization(renorm=True),
    L.LayerNormalization(),
    L.GroupNormalization(2),
    L.RMSNormalization(),
    L.UnitNormalization(),
    L.Normalization(mean=[0.0, 1.0, 2.0, 3.0], variance=[1.0, 2.0, 3.0, 4.0]),
    L.Rescaling([1.0, 2.0, 3.0, 4.0], 0.5),
    L.Rescaling(2.0),
    L.ReLU(),
    L.ReLU(6.0),
    L.ReLU(negative_slope=0.1),
    L.ReLU(threshold=0.2),
    L.LeakyReLU(0.2),
    L.ELU(),
    L.PReLU(shared_axes=[1, 2]),
    L.Softmax(),
    L.Softmax(axis=[1, 2]),
    L.Activation("relu"),
    L.Activation("sigmoid"),
    L.Activation("relu6"),
    L.MaxPooling2D(2),
    L.MaxPooling2D(3, 2, padding="same"),
    L.AveragePooling2D(2),
    L.AdaptiveAveragePooling2D(4),
    L.AdaptiveMaxPooling2D(4),
    L.GlobalAveragePooling2D(keepdims=True),
    L.GlobalMaxPooling2D(keepdims=True),
    L.UpSampling2D(2),
    L.UpSampling2D(2, interpolation="bilinear"),
    L.ZeroPadding2D(1),
    L.Cropping2D(1),
    L.Reshape((4, 16, 4)),
    L.Permute((2, 1, 3)),
    L.Dropout(0.5),
    L.SpatialDropout2D(0.5),
    L.GaussianNoise(0.5),
    L.GaussianDropout(0.5),
    L.AlphaDropout(0.5),
    L.Identity(),
    L.ActivityRegularization(0.1),
    L.SpectralNormalization(L.Conv2D(2, 2)),
    L.Lambda(lambda x: x * 2, output_shape=(8, 8, 4)),
]


def again(layer):
    if isinstance(layer, L.Lambda):
        return L.Lambda(lambda x: x * 2)
    config = L.serialize(layer)
    return L.deserialize({**config, "config": {**config["config"], "name": "the_layer"}})


def attributes(layer):
    """The constructor's arguments, of bases too, that the layer keeps as attributes; what all layers have; weights."""
    names = {
        name
        for cls in type(layer).__mro__
        if issubclass(cls, L.Layer) and "__init__" in vars(cls)
        for name in inspect.signature(cls.__init__).parameters
    }
    return sorted((names & set(vars(layer))) | {"trainable", "dtype_policy", "activity_regularizer", "bias", "gamma"})


@pytest.mark.slow
@pytest.mark.parametrize("layer", IMAGE, ids=lambda layer: f"{type(layer).__name__}-{layer.name}")
def test_each_attribute_of_each_layer(layer):
    """Between layers with which it may be joined, after enough calls for a recording."""
    for name in attributes(layer):
        one = again(layer)
        if name in ("kernel_initializer", "name") or not hasattr(one, name):
            continue
        model = around(one)
        used(model)
        value = getattr(one, name)
        changed = None if name in ("bias", "gamma") else other(name, value)
        if changed is value:
            continue
        setattr(one, name, changed)
        check(model, why=f"{name} = {changed}")
        used_anyway(model)
        check(model, why=f"{name} = {changed}, after more calls")


def around(layer):
    """A model in which a layer stands between others with which it may be joined."""
    if isinstance(layer, (L.GlobalAveragePooling2D, L.GlobalMaxPooling2D, L.Reshape)):
        return model_of(layer, L.BatchNormalization(), L.ReLU(), L.Flatten())
    return model_of(L.ZeroPadding2D(1), layer, L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(2), L.Flatten())


def used_anyway(model):
    """More calls, where there may be nothing but errors."""
    for _ in range(CALLS):
        outcome(lambda: model.predict(X, verbose=0))


def conv(**options):
    return L.Conv2D(5, 3, **options)


def convnet():
    return model_of(
        L.ZeroPadding2D(1),
        conv(use_bias=False),
        L.BatchNormalization(),
        L.ReLU(),
        L.MaxPooling2D(2),
        conv(activation="relu"),
        L.Flatten(),
        L.Dense(4),
    )


class Doubled(L.Conv2D):
    def call(self, inputs):
        return super().call(inputs) * 2


class Loud(L.ReLU):
    def call(self, inputs):
        return super().call(inputs) + 1


def layer_of(model, cls):
    return next(layer for layer in model.layers if type(layer) is cls)


def called(function):
    """A replacement that looks like the original."""
    return functools.wraps(function)(lambda self, x: function(self, x) * 3)


HOW = {
    "call on the layer": lambda m, p: setattr(layer_of(m, L.ReLU), "call", lambda x: x + 1),
    "call on a convolution": lambda m, p: setattr(
        layer_of(m, L.Conv2D), "call", lambda x: x[:, :8, :8, [0, 1, 2, 3, 0]]
    ),
    "call of the class": lambda m, p: p.setattr(L.ReLU, "call", lambda self, x: x + 1),
    "call of a base class": lambda m, p: p.setattr(L.Conv2D.__mro__[1], "call", called(L.Conv2D.call)),
    "a method that call uses": lambda m, p: p.setattr(L.BatchNormalization, "_normalize", lambda self, x, *rest: x + 5),
    "__call__ of the class": lambda m, p: p.setattr(
        L.Flatten, "__call__", lambda self, x, **k: L.Reshape((-1,))(x) * 2
    ),
    "class of a layer": lambda m, p: setattr(layer_of(m, L.ReLU), "__class__", Loud),
    "class of a convolution": lambda m, p: setattr(layer_of(m, L.Conv2D), "__class__", Doubled),
    "no bias": lambda m, p: setattr(layer_of(m, L.Dense), "bias", None),
    "dtype": lambda m, p: setattr(layer_of(m, L.BatchNormalization), "dtype_policy", "float64"),
    "deleted and set": lambda m, p: (delattr(layer_of(m, L.ReLU), "max_value"), setattr(m.layers[4], "max_value", 1.0)),
    "assign": lambda m, p: layer_of(m, L.Conv2D).kernel.assign_add(np.float32(0.5)),
    "in place": lambda m, p: layer_of(m, L.Conv2D).kernel.mutable_array().__imul__(2),
    "weights of a normalization": lambda m, p: layer_of(m, L.BatchNormalization).moving_variance.assign(
        np.full(5, 9.0)
    ),
    "set_weights": lambda m, p: m.set_weights([w * 0.5 for w in m.get_weights()]),
}


@pytest.mark.parametrize("change", HOW.values(), ids=HOW)
def test_each_way_of_changing(change, monkeypatch):
    model = convnet()
    used(model)
    before = model.predict(X, verbose=0)
    with monkeypatch.context() as patch:
        change(model, patch)
        check(model)
        assert not np.array_equal(model.predict(X, verbose=0), before)
        used(model)
        check(model)
    used(model)
    check(model)


@pytest.mark.parametrize(
    "call", [lambda x: x[:, ::2, 1:] * 2, lambda x: keras.ops.cast(x, "float64"), lambda x: x[0], lambda x: x[..., :2]]
)
def test_results_that_the_graph_does_not_know(call):
    """Of another shape, dtype or rank: what comes after computes with them or says no, as the layers do."""
    model = model_of(conv(), L.ReLU(), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(), L.GlobalAveragePooling2D())
    used(model)
    model.layers[2].call = call
    for _ in range(CALLS):
        check(model)


@pytest.mark.parametrize("change", ["call of the class", "class of a layer", "call on the layer"])
def test_changes_before_the_first_call(change, monkeypatch):
    model = convnet()
    HOW[change](model, monkeypatch)
    for _ in range(CALLS):
        check(model)


def test_contents_of_lists_and_arrays():
    scale, axes = np.ones(4, "float32"), [1, 2]
    model = model_of(L.Rescaling(scale), conv(), L.Softmax(axis=axes))
    used(model)
    scale[1] = 7
    check(model)
    used(model)
    axes.pop()
    check(model)


def test_a_layers_own_notes_stop_nothing():
    """A layer that keeps something of each call changes itself alone."""

    class Noting(L.Layer):
        def call(self, x):
            self.last = x
            return x * 1.0

    model, noting = convnet(), model_of(Noting(), L.Flatten())
    used(model)
    replay = recording_of(model)
    for _ in range(CALLS):
        noting.predict(X, verbose=0)
        model.predict(X, verbose=0)
    assert recording_of(model) is replay
    plan = noting._lean[False]
    noting.predict(X, verbose=0)
    assert noting._lean[False] is plan


def recording_of(model, x=X):
    found = [r for r in model._replays.known.values() if isinstance(r, Replay)]
    return found[0] if found else None


def test_stateless_call():
    model = convnet()
    trained, fixed = (
        [v.numpy() for v in group] for group in (model.trainable_variables, model.non_trainable_variables)
    )
    want = model.predict(X, verbose=0)
    for factor in (1.0, 0.5, 2.0, 0.25, 4.0, 1.0):
        for _ in range(CALLS):
            got, _ = model.stateless_call([w * np.float32(factor) for w in trained], fixed, X, training=False)
        np.testing.assert_allclose(model.predict(X, verbose=0), want, rtol=1e-5)
        twin = keras.models.clone_model(model)
        for v, w in zip(twin.trainable_variables, trained):
            v.assign(w * factor)
        for v, w in zip(twin.non_trainable_variables, fixed):
            v.assign(w)
        np.testing.assert_allclose(got, one_by_one(twin, X)[0], rtol=1e-4, atol=1e-4)


FLAGS = [(None, None), (None, True), (None, False), (True, None), (True, False), (False, True)]


@pytest.mark.parametrize("noted, given", FLAGS)
def test_call_arguments_of_the_graph(noted, given):
    """A layer that was called with a flag keeps it; the model's own flag, if there is one, wins. As in Keras."""
    norm = L.BatchNormalization(momentum=0.5)
    x = keras.Input(X.shape[1:])
    y = L.ReLU()(norm(conv()(x), training=noted))
    model = keras.Model(x, L.Flatten()(L.Dropout(0.5)(y)))
    model.compile("sgd", "mse")
    flag = given if given is not None else noted
    for _ in range(CALLS):
        moving = norm.moving_mean.numpy()
        z = model.layers[1](X)
        got = model(X) if given is None else model(X, training=given)
        assert np.array_equal(norm.moving_mean.numpy(), moving) == (not flag)
        if not flag:
            want = L.ReLU()(norm(z)).numpy().reshape(3, -1)
        else:
            mean, variance = z.numpy().mean((0, 1, 2)), z.numpy().var((0, 1, 2))
            want = np.maximum((z.numpy() - mean) / np.sqrt(variance + norm.epsilon), 0).reshape(3, -1)
        if not given:
            np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)
    for _ in range(CALLS):
        assert np.isfinite(model.predict(X, verbose=0)).all()


def test_call_arguments_in_every_loop():
    x = keras.Input(X.shape[1:])
    y = L.BatchNormalization()(conv()(x), training=False)
    model = keras.Model(x, L.Dense(2)(L.Flatten()(L.ReLU()(y))))
    model.compile("sgd", "mse")
    targets = np.zeros((3, 2), "float32")
    for _ in range(CALLS):
        model.fit(X, targets, validation_data=(X, targets), verbose=0)
        check(model)
        model.evaluate(X, targets, verbose=0)


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("as_sequential", [True, False])
def test_gradient_by_a_variable_that_is_the_input(as_sequential, trainable):
    model = convnet()
    if as_sequential:
        model = keras.Sequential([keras.Input(X.shape[1:]), *model.layers[1:]])
    nested = keras.Sequential([model, L.Dense(2)])
    nested.build((None, *X.shape[1:]))
    image, tensor = keras.Variable(X, trainable=trainable), keras.ops.convert_to_tensor(X)
    for one in (model, nested):
        found = []
        for x in (image, tensor):
            with keras.GradientTape() as tape:
                if x is tensor or not trainable:
                    tape.watch(x)
                y = keras.ops.sum(one(x, training=False) ** 2)
            found.append(tape.gradient(y, [x, *one.trainable_weights]))
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_mask_that_nobody_announced():
    class Late(L.Layer):
        def __init__(self):
            super().__init__()
            self.inner, self.masks = L.Masking(), False

        def call(self, x):
            return self.inner(x) if self.masks else x * 1.0

    late = Late()
    late._flatten_layers = lambda *a, **k: iter([late])  # so that no plan sees what is inside
    x = keras.Input((4, 3))
    model = keras.Model(x, L.GlobalAveragePooling1D()(L.Activation("linear")(late(x))))
    data = np.array([[[1.0, 2, 3], [0, 0, 0], [3, 2, 1], [0, 0, 0]]], "float32")
    for _ in range(CALLS):
        np.testing.assert_allclose(model(data), data.mean(1))
    late.masks = True
    for _ in range(CALLS):
        np.testing.assert_allclose(model(data), [[2.0, 2.0, 2.0]])


@pytest.mark.parametrize("option", [{"threshold": 0.5}, {"negative_slope": 0.5}, {"max_value": 0.5}])
@pytest.mark.parametrize("training", [True, False])
def test_what_only_looks_like_a_plain_relu(option, training):
    x = X * 0.5
    model = model_of(conv(), L.ReLU(**option))
    y = model.layers[1](x).numpy()
    want = L.ReLU(**option)(y).numpy()
    assert np.abs(want - np.maximum(y, 0)).max() > 0.1
    np.testing.assert_allclose(model(x, training=training), want, rtol=1e-5, atol=1e-5)


# -- training

TARGETS = RNG.standard_normal((3, 4)).astype("float32")
BETWEEN = {
    "a frozen weight": lambda m: m.layers[2].kernel.assign(m.layers[2].kernel * 0.5),
    "a frozen weight, in place": lambda m: m.layers[2].kernel.mutable_array().__imul__(np.float32(0.5)),
    "a trained weight": lambda m: m.layers[8].kernel.assign(m.layers[8].kernel * 0.5),
    "a moving average": lambda m: m.layers[3].moving_mean.assign(np.ones(5)),
    "epsilon": lambda m: setattr(m.layers[3], "epsilon", 0.5),
    "momentum": lambda m: setattr(m.layers[3], "momentum", 0.1),
    "slope": lambda m: setattr(m.layers[4], "negative_slope", 0.5),
    "activation": lambda m: setattr(m.layers[6], "activation", keras.activations.tanh),
    "call": lambda m: setattr(m.layers[4], "call", lambda x: x * 0.5),
    "class": lambda m: setattr(m.layers[4], "__class__", Loud),
    "trainable": lambda m: setattr(m.layers[8], "trainable", False),
    "trainable normalization": lambda m: setattr(m.layers[3], "trainable", False),
    "thawed": lambda m: (setattr(m.layers[2], "trainable", True), m.compile(keras.optimizers.SGD(1e-3), "mse")),
    "regularizer": lambda m: setattr(m.layers[8].kernel, "regularizer", keras.regularizers.L2(0.5)),
    "activity regularizer": lambda m: setattr(m.layers[8], "activity_regularizer", keras.regularizers.L2(0.5)),
    "compute_loss": lambda m: setattr(
        m, "compute_loss", lambda y, y_pred, **k: keras.ops.mean(y_pred**2) + keras.ops.sum(m.layers[8].kernel ** 2)
    ),
    "run_eagerly": lambda m: setattr(m, "run_eagerly", True),
}


def trainee():
    model = convnet()
    model.layers[2].trainable = False
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    return model


def trained(change, steps=22, when=12):
    model, losses = trainee(), []
    for v, w in zip(model.weights, WEIGHTS):
        v.assign(w)
    for i in range(steps):
        if i == when:
            change(model)
        losses.append(float(model.train_on_batch(X * (1 + 0.1 * (i % 3)), TARGETS)))
    return model, losses


WEIGHTS = [np.random.default_rng(i).uniform(0.1, 0.5, v.shape) for i, v in enumerate(convnet().weights)]


@pytest.mark.parametrize("change", BETWEEN.values(), ids=BETWEEN)
def test_training_steps_follow_each_change(change, monkeypatch):
    model, losses = trained(change)
    with monkeypatch.context() as patch:
        patch.setattr(Functional, "_plan_for", lambda self, values, training: None)
        twin, want = trained(change)
    np.testing.assert_allclose(losses, want, rtol=1e-4)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    check(model)


def test_a_loss_that_reads_weights(monkeypatch):
    """Its gradient goes past the outputs, to the weights themselves."""

    def run():
        model = trainee()
        for v, w in zip(model.weights, WEIGHTS):
            v.assign(w)
        penalty = lambda: keras.ops.sum(model.layers[8].kernel ** 2)
        model.compile("sgd", lambda y, p: keras.ops.mean((y - p) ** 2) + penalty())
        return [float(model.train_on_batch(X * 0.01, TARGETS)) for _ in range(12)], model.get_weights()

    got = run()
    monkeypatch.setattr(step_replays, "ORDINARY", 10**9)
    want = run()
    assert got[0] == pytest.approx(want[0], rel=1e-5)
    for a, b in zip(got[1], want[1]):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_why_nothing_is_recorded_can_be_asked():
    model = model_of(L.Lambda(lambda x: x * 2), L.Flatten(), L.Dense(4))
    model.compile("sgd", "mse")
    for _ in range(8):
        model.train_on_batch(X, TARGETS)
        model.predict(X, verbose=0)
    assert "Lambda" in model._lean[False].obstacle
    assert "Lambda" in model._step_replays.refused
