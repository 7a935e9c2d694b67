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
