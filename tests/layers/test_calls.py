"""Layers called on symbolic tensors, and with the training flag."""

import numpy as np
import pytest

import kerasish


def test_a_bare_shape_is_enough_for_a_call_but_not_for_a_model():
    x = kerasish.KerasTensor((2, 3))
    y = kerasish.layers.Dense(4)(x)
    assert y.shape == (2, 4)
    with pytest.raises(ValueError, match="keras.Input"):
        kerasish.Model(x, y)


def test_a_layer_called_twice_has_one_set_of_weights():
    layer = kerasish.layers.Dense(4)
    first, second = layer(kerasish.Input((3,))), layer(kerasish.Input((3,)))
    assert first.shape == second.shape == (None, 4)
    assert len(layer.weights) == 2


def test_training_reaches_the_layers_inside_one_that_does_not_take_it():
    class Block(kerasish.layers.Layer):
        def __init__(self):
            super().__init__()
            self.noise = kerasish.layers.Dropout(1.0)

        def call(self, x):
            return self.noise(x)

    x = np.ones((2, 3), "float32")
    assert not Block()(x, training=True).numpy().any()
    assert Block()(x, training=False).numpy().all()
    assert Block()(kerasish.Input((3,)), training=True).shape == (None, 3)


@pytest.mark.parametrize("wrap", [lambda x: x, kerasish.ops.convert_to_tensor, lambda x: [x, x]])
def test_training_is_no_argument_for_a_call_that_takes_any(wrap):
    class Any(kerasish.layers.Layer):
        def call(self, x, **options):
            self.options = options
            return x

    layer = Any()
    layer(wrap(np.ones((2, 3), "float32")), training=True)
    assert layer.options == {}


@pytest.mark.parametrize("base", ["Layer", "Model"])
def test_setting_trainable_to_what_it_is_reaches_nobody(base):
    found, keras = {}, pytest.importorskip("keras")
    for k in (kerasish, keras):

        class Outer(k.layers.Layer if base == "Layer" else k.Model):
            def __init__(self, k=k, **options):
                super().__init__(**options)
                self.inner, self.rest = k.layers.Dense(2), [k.layers.Dense(3)]

            def build(self, shape):
                self.own = self.add_weight(shape=(2,), name="own")
                self.inner.build(shape)
                self.rest[0].build((None, 2))
                self.built = True

            def call(self, x):
                return self.rest[0](self.inner(x))

        outer = Outer(trainable=False)
        outer.build((1, 3))
        found[k] = []
        for part, value in [(0, False), (0, True), (1, False), (0, True), (0, 0), (1, True), (0, False), (0, 1)]:
            (outer, outer.inner)[part].trainable = value
            flags = outer.trainable, outer.inner.trainable, outer.rest[0].trainable
            found[k].append((*flags, [w.trainable for w in outer.weights], len(outer.trainable_weights)))
    assert found[kerasish] == found[keras]
