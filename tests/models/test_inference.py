"""The lean plan for inference computes what the layers compute."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers as L
from kerasish.core import nest
from kerasish.models.inference import Folded, WithRelu, add_relu

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


def test_what_is_fused():
    kinds = [type(s.operation) for s in residual()._lean_plan()]
    assert kinds.count(Folded) == 2 and kinds.count(WithRelu) == 1
    assert any(s.operation is add_relu for s in residual()._lean_plan())
    assert not any(isinstance(s.operation, (Folded, WithRelu)) for s in shared_middle()._lean_plan())


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
