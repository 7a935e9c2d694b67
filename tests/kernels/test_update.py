"""Optimizer steps: twins, and Keras's own optimizers."""

import numpy as np
import pytest

from kerasish.kernels import find, twin_of

from .harness import array
from .thin import same_bits

cpu = twin_of(np.zeros(1))
reference = lambda name: find("reference", name)
SHAPES = {"a small model": [(3, 3, 1, 32), (32,), (1600, 10), (10,)], "edges": [(8193,), (1,), (0, 4), (), (8192,)]}
RULES = [
    ("sgd", 0, (0.1,)),
    ("sgd", 0, (0.1, 0.99)),
    ("sgd_momentum", 1, (0.1, 0.9)),
    ("sgd_momentum", 1, (0.1, 0.9, True, 0.99)),
    ("adam", 2, (0.01, 0.9, 0.999, 1e-7, 3)),
    ("adam", 2, (0.01, 0.9, 0.999, 1e-7, 1, 0.99)),
    ("adam_amsgrad", 3, (0.01, 0.9, 0.999, 1e-7, 3)),
    ("rmsprop", 1, (0.01, 0.9, 1e-7)),
    ("adagrad", 1, (0.01, 1e-7)),
]


def arrays(shapes, dtype, seed=0):
    return [np.asarray(array(*shape, seed=seed), dtype) for shape in shapes]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name, slots, options", RULES)
def test_twins(name, slots, options, shapes, dtype):
    grads = arrays(shapes, dtype)
    given = [arrays(shapes, dtype, 1)] + [[abs(a) for a in arrays(shapes, dtype, 2 + i)] for i in range(slots)]
    results = []
    for place, kind in ((cpu, dtype), (None, "float64")):
        params, *states = [[np.array(a, kind) for a in part] for part in given]
        function = getattr(place, name) if place else reference(name)
        assert function(params, [g.astype(kind) for g in grads], *states, *options) is None
        results.append([*params, *(a for state in states for a in state)])
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-5 if dtype == "float32" else 1e-6, atol=1e-6)


def test_views_and_other_dtypes_go_to_the_reference():
    p, g = array(6, 8).astype("float32")[:, ::2], array(6, 4).astype("float32")
    want = p - 0.5 * g
    cpu.sgd([p], [g], 0.5)
    np.testing.assert_allclose(p, want, rtol=1e-6)
    half = np.ones(3, "float16")
    cpu.sgd([half], [half.copy()], 0.5)
    assert half.tolist() == [0.5] * 3


def test_strided_gradients_and_no_parameters():
    p, g = np.zeros((5, 4), "float32"), array(5, 8).astype("float32")[:, ::2]
    cpu.sgd([p], [g], 1.0)
    np.testing.assert_array_equal(p, -g)
    for name, slots, options in RULES:
        getattr(cpu, name)(*[[]] * (2 + slots), *options)
    assert cpu.sum_of_squares([]) == 0


def test_infinite_second_moment_stops_a_parameter():
    p, g, v = (np.full(40, x, "float32") for x in (1, 1, np.inf))
    cpu.rmsprop([p], [g], [v], 0.1, 0.9, 1e-7)
    np.testing.assert_array_equal(p, 1)


def test_sum_of_squares():
    parts = arrays([(300, 700), (5,), (), (0, 3)], "float32")
    want = sum((a.astype("float64") ** 2).sum() for a in parts)
    np.testing.assert_allclose(cpu.sum_of_squares(parts), want, rtol=1e-6)
    same_bits(lambda: np.array(cpu.sum_of_squares(parts)))


KERAS = [
    ("SGD", dict(), "sgd", 0, lambda k: (0.01,)),
    ("SGD", dict(momentum=0.9), "sgd_momentum", 1, lambda k: (0.01, 0.9)),
    ("SGD", dict(momentum=0.9, nesterov=True, weight_decay=0.1), "sgd_momentum", 1, lambda k: (0.01, 0.9, True, 0.999)),
    ("Adam", dict(), "adam", 2, lambda k: (0.01, 0.9, 0.999, 1e-7, k)),
    ("AdamW", dict(), "adam", 2, lambda k: (0.01, 0.9, 0.999, 1e-7, k, 1 - 0.004 * 0.01)),
    ("Adam", dict(amsgrad=True), "adam_amsgrad", 3, lambda k: (0.01, 0.9, 0.999, 1e-7, k)),
    ("RMSprop", dict(), "rmsprop", 1, lambda k: (0.01, 0.9, 1e-7)),
    ("Adagrad", dict(initial_accumulator_value=0.0), "adagrad", 1, lambda k: (0.01, 1e-7)),
]


@pytest.mark.parametrize("kind, config, name, slots, options", KERAS)
def test_keras(kind, config, name, slots, options):
    import keras

    params, theirs = arrays([(3, 4), (7,)], "float32"), []
    theirs = [keras.Variable(p) for p in params]
    states = [[np.zeros_like(p) for p in params] for _ in range(slots)]
    optimizer = getattr(keras.optimizers, kind)(learning_rate=0.01, **config)
    for step in range(1, 6):
        grads = arrays([(3, 4), (7,)], "float32", seed=step)
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in grads], theirs)
        getattr(cpu, name)(params, grads, *states, *options(step))
    for p, q in zip(params, theirs):
        np.testing.assert_allclose(p, q.numpy(), rtol=1e-6, atol=1e-6)
