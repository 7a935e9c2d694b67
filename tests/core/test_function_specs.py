"""What functions and models say of their outputs before they run, beside real Keras."""

import numpy as np
import pytest

import kerasish

keras = pytest.importorskip("keras")


def function(k):
    x = k.KerasTensor((None, 3))
    return k.Function(x, x**2)


def pair(k):
    x, y = k.KerasTensor((2, 3)), k.KerasTensor((2, 3), "int32")
    return k.Function([x, y], [k.ops.add(x, y) * 3, y])


def by_name(k):
    x, y = k.KerasTensor((None, 3)), k.KerasTensor((None, None))
    return k.Function({"b": x, "a": y}, {"sum": k.ops.sum(x, 1), "a": y + 1})


def with_a_layer(k):
    x = k.KerasTensor((None, 4, 4, 2))
    return k.Function(x, k.layers.Flatten()(k.layers.Conv2D(3, 2)(x)))


def functional(k):
    x = k.Input((None, 3))
    return k.Model(x, k.layers.Dense(4)(x))


def functional_by_name(k):
    x, y = k.Input((3,), name="b"), k.Input((2,), name="a")
    return k.Model({"b": x, "a": y}, {"out": k.layers.Concatenate()([x, y]), "b": x})


def sequential(k):
    return k.Sequential([k.Input((6,)), k.layers.Dense(2), k.layers.Reshape((1, 2))])


SPECS = {
    "the same": (function, lambda k: k.KerasTensor((None, 3))),
    "a batch": (function, lambda k: k.KerasTensor((4, 3))),
    "another dtype": (function, lambda k: k.KerasTensor((4, 3), "int32")),
    "another rank": (function, lambda k: k.KerasTensor((4, 3, 1))),
    "another size": (function, lambda k: k.KerasTensor((4, 2))),
    "a list of one": (function, lambda k: [k.KerasTensor((4, 3))]),
    "two": (pair, lambda k: [k.KerasTensor((2, 3)), k.KerasTensor((None, 3))]),
    "a tuple": (pair, lambda k: (k.KerasTensor((2, 3)), k.KerasTensor((2, 3)))),
    "one of two": (pair, lambda k: k.KerasTensor((2, 3))),
    "by name": (by_name, lambda k: {"b": k.KerasTensor((5, 3)), "a": k.KerasTensor((5, 7))}),
    "another name": (by_name, lambda k: {"b": k.KerasTensor((5, 3)), "c": k.KerasTensor((5, 7))}),
    "a layer": (with_a_layer, lambda k: k.KerasTensor((5, 4, 4, 2))),
    "functional": (functional, lambda k: k.KerasTensor((5, 7, 3))),
    "functional by name": (functional_by_name, lambda k: {"b": k.KerasTensor((5, 3)), "a": k.KerasTensor((5, 2))}),
    "sequential": (sequential, lambda k: k.KerasTensor((5, 6))),
}
SHAPES = {
    "a batch": (function, (4, 3)),
    "open": (function, (None, 3)),
    "a list": (function, [4, 3]),
    "another rank": (function, (4, 3, 1)),
    "two": (pair, [(2, 3), (None, 3)]),
    "by name": (by_name, {"b": (5, 3), "a": (5, 7)}),
    "a layer": (with_a_layer, (5, 4, 4, 2)),
    "functional": (functional, (5, 7, 3)),
    "functional by name": (functional_by_name, {"b": (5, 3), "a": (5, 2)}),
    "sequential": (sequential, (5, 6)),
}
CALLS = {
    "values": (function, np.ones((4, 3), "float32")),
    "numbers": (pair, [np.ones((2, 3), "float32"), np.ones((2, 3), "int32")]),
    "another rank": (function, np.ones((4, 3, 1), "float32")),
    "another size": (function, np.ones((4, 2), "float32")),
    "one of two": (pair, np.ones((2, 3), "float32")),
    "a tuple": (pair, (np.ones((2, 3), "float32"), np.ones((2, 3), "int32"))),
}


def compare(run):
    """The same structure of results, or the same class of exception."""
    found = []
    for k in (keras, kerasish):
        try:
            found.append(run(k))
        except Exception as error:
            found.append(type(error))
    assert found[1] == found[0]


def plain(x):
    return tuple(x.shape), str(x.dtype)


@pytest.mark.parametrize("name", SPECS)
def test_spec(name):
    make, inputs = SPECS[name]
    compare(lambda k: k.tree.map_structure(plain, make(k).compute_output_spec(inputs(k))))


@pytest.mark.parametrize("name", SHAPES)
def test_shape(name):
    make, shape = SHAPES[name]
    compare(lambda k: make(k).compute_output_shape(shape))


@pytest.mark.parametrize("name", CALLS)
def test_call(name):
    make, values = CALLS[name]
    compare(lambda k: k.tree.map_structure(lambda x: np.asarray(x).tolist(), make(k)(values)))
