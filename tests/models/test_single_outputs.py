"""A functional model whose outputs are a list of one, beside real Keras: it gives that output."""

import keras
import numpy as np
import pytest

import kerasish

X = np.ones((2, 3), "float32")
OUTPUTS = {
    "tensor": lambda a: a,
    "list": lambda a: [a],
    "tuple": lambda a: (a,),
    "dict": lambda a: {"a": a},
    "list in a list": lambda a: [[a]],
    "tuple in a tuple": lambda a: ((a,),),
    "list in a dict": lambda a: {"a": [a]},
    "two": lambda a: [a, a],
}


def structure(k, value):
    """The containers of a result, and the shapes in them."""
    return k.tree.map_structure(lambda x: tuple(x.shape), value)


def built(k, outputs):
    x = k.Input((3,))
    return k.Model(x, outputs(k.layers.Dense(2)(x)))


def found(k, outputs):
    """What a model, its copies and models around it give."""
    model = built(k, outputs)
    copies = [model, k.models.clone_model(model), k.Model.from_config(model.get_config())]
    new = k.Input((3,))
    around = k.Model(new, model(new))
    results = [m(X) for m in copies] + [m.predict(X, verbose=0) for m in copies] + [model.predict_on_batch(X)]
    results += [model(X, training=True), around(X), around.predict(X, verbose=0), model(new), model.output]
    return [structure(k, y) for y in results] + [model.compute_output_shape((2, 3)), model.output_shape]


@pytest.mark.parametrize("outputs", OUTPUTS.values(), ids=OUTPUTS.keys())
def test_structures(outputs):
    assert found(kerasish, outputs) == found(keras, outputs)


def held_in_a_layer(k, outputs):
    class Holds(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = built(k, outputs)

        def call(self, x):
            return self.inner(x) * 2.0

    x = k.Input((3,))
    return structure(k, k.Model(x, Holds()(x))(X))


@pytest.mark.parametrize("name", ["tensor", "list", "tuple"])
def test_inside_of_a_layer_s_call(name):
    assert held_in_a_layer(kerasish, OUTPUTS[name]) == held_in_a_layer(keras, OUTPUTS[name])


@pytest.mark.parametrize("name", ["tensor", "list", "tuple", "dict"])
def test_training(name):
    logs = []
    for k in (kerasish, keras):
        model = built(k, OUTPUTS[name])
        model.set_weights([np.full((3, 2), 0.1, "float32"), np.zeros(2, "float32")])
        y = np.ones((2, 2), "float32")
        model.compile("sgd", "mse", metrics=["mae"])
        y = {"a": y} if name == "dict" else y
        logs.append({**model.fit(X, y, epochs=2, verbose=0).history, "evaluate": model.evaluate(X, y, verbose=0)})
    assert list(logs[0]) == list(logs[1])
    for key in logs[0]:
        np.testing.assert_allclose(logs[0][key], logs[1][key], rtol=1e-5)
