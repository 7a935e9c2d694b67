"""The lean plans compute what the layers compute."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers as L
from kerasish.core import nest
from kerasish.layers import calling
from kerasish.models.plans import Folded, NormRelu, WithRelu, add_relu

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 9, 8, 4)).astype("float32")


def residual():
    x = y = keras.Input((9, 8, 4))
    y = L.BatchNormalization()(L.Conv2D(4, 3, padding="same", use_bias=False)(y))
    y = L.ReLU()(y)
    y = L.BatchNormalization(scale=False)(L.DepthwiseConv2D(3, padding="same")(y))
    y = L.Activation("relu")(L.Add()([x, y]))
    y = L.ReLU()(L.Dense(5)(L.Dropout(0.5)(y)))
    return keras.Model(x, y)


def shared_middle():
    """The convolution's own output is wanted too, so nothing may be folded into it."""
    x = keras.Input((9, 8, 4))
    y = L.Conv2D(4, 3)(x)
    return keras.Model(x, [L.BatchNormalization()(y), L.ReLU()(y), y])


def randomize(model):
    for v in model.weights:
        v.assign(RNG.uniform(0.5, 1.5, v.shape).astype(v.dtype))


def plainly(model, x):
    return model.run([keras.ops.convert_to_tensor(x)])


@pytest.mark.parametrize("build", [residual, shared_middle])
def test_equals_the_layers(build):
    model = build()
    randomize(model)
    for a, b in zip(nest.flatten(plainly(model, X)), nest.flatten(model(X))):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5)


def kinds(model, training):
    with_call = [s.operation for s in steps_for(model, training)]
    return [o if o is add_relu else type(o) for o in with_call]


def steps_for(model, training):
    calling.state.training = training
    try:
        return model._plan_for([keras.ops.convert_to_tensor(X)])
    finally:
        calling.state.training = None


def test_what_is_fused():
    inference, training = kinds(residual(), False), kinds(residual(), True)
    assert [inference.count(k) for k in (Folded, NormRelu, WithRelu, add_relu)] == [2, 0, 1, 1]
    assert [training.count(k) for k in (Folded, NormRelu, WithRelu, add_relu)] == [0, 1, 1, 1]
    assert not {Folded, NormRelu, WithRelu} & {*kinds(shared_middle(), False), *kinds(shared_middle(), True)}


def test_training_step_equals_the_layers(monkeypatch):
    """Losses and weights after steps along the lean plan, and along the layers' own calls."""
    targets = RNG.standard_normal((3, 9, 8, 5)).astype("float32")
    model = residual()
    next(x for x in model.layers if isinstance(x, L.Dropout)).rate = 0.0  # it would draw other numbers the second time
    randomize(model)
    start = model.get_weights()
    results = []
    for plain in (False, True):
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(0.01), "mse")
        if plain:
            monkeypatch.setattr(type(model), "_plan_for", lambda self, values: None)
        losses = [float(model.train_on_batch(X, targets)) for _ in range(3)]
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


def test_folded_weights_follow_the_variables():
    model = residual()
    model(X)
    model.compile("sgd", "mse")
    model.train_on_batch(X, RNG.standard_normal((3, 9, 8, 5)).astype("float32"))
    np.testing.assert_allclose(plainly(model, X), model(X), rtol=2e-5, atol=1e-5)
    model.layers[1].kernel.assign(model.layers[1].kernel * 2)
    np.testing.assert_allclose(plainly(model, X), model(X), rtol=2e-5, atol=1e-5)


def test_subclassed_layers_are_left_alone():
    class Mine(L.Conv2D):
        def call(self, x):
            return super().call(x) + 1

    x = keras.Input((9, 8, 4))
    model = keras.Model(x, L.ReLU()(Mine(4, 3)(x)))
    np.testing.assert_allclose(plainly(model, X), model(X), rtol=1e-6)


def test_gradients_go_through_the_layers():
    model = residual()
    x = keras.ops.convert_to_tensor(X)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = keras.ops.sum(model(x))
    assert all(g is not None for g in tape.gradient(y, [x, *model.trainable_weights]))
