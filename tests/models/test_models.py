"""Models as Python objects: what the parity suite does not ask of them."""

import copy
import pickle

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers
from kerasish.core import op as op_module


def net():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(2)], name="net")


X = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")


def test_building_vgg16_computes_no_pixel(monkeypatch):
    from parity.cases.models import vgg16

    ran = []
    monkeypatch.setattr(op_module.Op, "call", lambda self, *inputs: ran.append(self))
    model = vgg16(keras)
    assert not ran
    assert model.count_params() == 138357544 and model.output_shape == (None, 1000)


@pytest.mark.parametrize(
    "twin",
    [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), keras.models.clone_model],
    ids=["deepcopy", "pickle", "clone"],
)
def test_copies(twin):
    model = net()
    other = twin(model)
    if twin is keras.models.clone_model:
        assert not np.array_equal(model.get_weights()[0], other.get_weights()[0])
        other.set_weights(model.get_weights())
    np.testing.assert_array_equal(model(X).numpy(), other(X).numpy())
    other.layers[0].kernel.assign(other.layers[0].kernel * 0)
    assert model.get_weights()[0].any()


def test_json_round_trip():
    model = net()
    again = keras.models.model_from_json(model.to_json())
    assert again.get_config() == model.get_config()


def test_freezing_and_thawing():
    model = net()
    model.layers[0].trainable = False
    assert len(model.trainable_weights) == 2 and len(model.non_trainable_weights) == 2
    model.trainable = False
    assert not model.trainable_weights
    model.trainable = True
    assert len(model.trainable_weights) == 4


def test_subclass_with_layers_in_lists_and_dicts():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.parts = [layers.Dense(3), {"head": layers.Dense(2)}]
            self.parts.append(layers.Dense(1))

        def call(self, x, training=None):
            return self.parts[2](self.parts[1]["head"](self.parts[0](x)))

    model = Net()
    assert model(X).shape == (5, 1)
    assert [tuple(w.shape) for w in model.weights] == [(4, 3), (3,), (3, 2), (2,), (2, 1), (1,)]
    assert len(model.layers) == 3


def test_user_layer_that_reads_the_batch_size():
    class Noise(layers.Layer):
        def call(self, x):
            batch = keras.ops.shape(x)[0]
            return x + keras.random.normal((batch, 4), seed=1)

    x = keras.Input((4,))
    model = keras.Model(x, Noise()(x))
    assert model.output_shape == (None, 4)
    assert model(X).shape == (5, 4)


def test_training_flag_reaches_nested_layers():
    seen = []

    class Spy(layers.Layer):
        def call(self, x, training=None):
            seen.append(training)
            return x

    x = keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), Spy()])
    model = keras.Model(x, inner(x))
    seen.clear()
    model(X, training=True), model(X), model(X, training=False)
    assert seen == [True, None, False]


def test_transfer_learning():
    base = net()
    features = keras.Model(base.inputs, base.layers[0].output)
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(1)(features(x)))
    features.trainable = False
    assert len(model.trainable_weights) == 2
    np.testing.assert_allclose(features(X), base.layers[0](X))


def test_functional_from_intermediate_tensors():
    base = net()
    tail = keras.Model(base.layers[0].output, base.output)
    np.testing.assert_allclose(tail(base.layers[0](X)), base(X), rtol=1e-6)


def test_inputs_by_name_list_or_dict():
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = keras.Model([a, b], layers.Subtract()([a, b]))
    u, v = np.ones((3, 2), "float32"), np.zeros((3, 2), "float32")
    np.testing.assert_array_equal(model([u, v]).numpy(), model({"b": v, "a": u}).numpy())
    with pytest.raises(ValueError, match="Missing data"):
        model({"a": u})


def test_stateless_call_and_add_loss():
    class Penalized(layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(4,), initializer="ones")

        def call(self, x):
            self.add_loss(keras.ops.sum(self.w))
            return x * self.w

    layer = Penalized()
    layer(X)
    assert [float(x) for x in layer.losses] == [4.0]
    layer(X)
    assert len(layer.losses) == 1
    out, _ = layer.stateless_call([np.full(4, 2.0, "float32")], [], X)
    np.testing.assert_allclose(out, 2 * X)
    np.testing.assert_array_equal(layer.w.numpy(), np.ones(4))


def test_functional_subclasses():
    class Net(keras.Model):
        def __init__(self, units):
            x = keras.Input((4,))
            super().__init__(x, layers.Dense(units)(x))
            self.units = units

    model = Net(3)
    assert isinstance(model, keras.models.Functional) and model(X).shape == (5, 3) and model.units == 3


def test_deep_models_need_no_deep_stack():
    x = y = keras.Input((4,))
    for _ in range(1500):
        y = y + 1.0
    assert float(keras.Model(x, y)(X * 0)[0, 0]) == 1500.0
