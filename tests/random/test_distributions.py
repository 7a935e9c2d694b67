"""keras.random beside real Keras, which runs the same call."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasish
import kerasish.random
from kerasish import ops
from kerasish.core.autodiff import GradientTape
from kerasish.core.scopes import shape_scope
from kerasish.core.symbolic import KerasTensor

LOGITS = np.log([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]]).astype("float32")


def row(name, call, tolerance=0):
    return pytest.param(call, tolerance, id=name)


@pytest.mark.parametrize(
    "call, tolerance",
    [
        row("uniform", lambda r: r.uniform((2, 3), seed=1)),
        row("binomial, none", lambda r: r.binomial((0, 7), 5.0, 0.5, seed=1)),
        row("gamma, none", lambda r: r.gamma((0,), 1.0, seed=1)),
        row("beta, no axes", lambda r: r.beta((), 1.0, 2.0, seed=1), 1e-5),
        row("normal, none", lambda r: r.normal((0, 3), seed=1)),
        row("categorical, none", lambda r: r.categorical(LOGITS, 0, seed=1)),
        row("dropout, no axes", lambda r: r.dropout(np.array(3.0, "f4"), 0.5, seed=1)),
        row("shuffle, none", lambda r: r.shuffle(np.zeros((0, 3), "f4"), seed=1)),
        row("uniform, bounds", lambda r: r.uniform((5,), -1, 3, seed=1)),
        row("uniform, bounds the wrong way", lambda r: r.uniform((5,), 1, 0, seed=1)),
        row("uniform, tensors", lambda r: r.uniform((3, 2), np.array([0, 10], "f4"), [1.0, 12.0], seed=1)),
        row("uniform, float64", lambda r: r.uniform((5,), dtype="float64", seed=1)),
        row("uniform, bfloat16", lambda r: r.uniform((5,), dtype="bfloat16", seed=1)),
        row("uniform, scalar", lambda r: r.uniform((), seed=1)),
        row("uniform, list", lambda r: r.uniform([2, np.int64(3)], seed=1)),
        row("uniform, array", lambda r: r.uniform(np.array([2, 3]), seed=1)),
        row("uniform, seed below 0", lambda r: r.uniform((5,), seed=-5)),
        row("uniform, long seed", lambda r: r.uniform((5,), seed=2**40)),
        row("normal", lambda r: r.normal((2, 3), 1, 2, seed=1), 1e-6),
        row("normal, tensors", lambda r: r.normal((3, 2), np.array([0, 10], "f4"), [1.0, 2.0], seed=1), 1e-6),
        row("truncated_normal", lambda r: r.truncated_normal((50,), 1, 2, seed=1), 1e-6),
        row("truncated_normal, tensors", lambda r: r.truncated_normal((3, 2), mean=[0.0, 10.0], seed=1), 1e-6),
        row("randint", lambda r: r.randint((50,), 0, 10, seed=1)),
        row("randint, uint8", lambda r: r.randint((50,), 0, 300, dtype="uint8", seed=1)),
        row("randint, int64", lambda r: r.randint((50,), -5, 2**40, dtype="int64", seed=1)),
        row("randint, uint32", lambda r: r.randint((50,), 0, 10, dtype="uint32", seed=1)),
        row("categorical", lambda r: r.categorical(LOGITS, 9, seed=1)),
        row("categorical, int64", lambda r: r.categorical(LOGITS.tolist(), 9, dtype="int64", seed=1)),
        row("dropout", lambda r: r.dropout(np.ones((4, 5), "f4"), 0.4, seed=1)),
        row("dropout, float16", lambda r: r.dropout(np.ones((4, 5), "f2"), 0.4, seed=1)),
        row("dropout, float64", lambda r: r.dropout(np.ones((4, 5)), 0.4, seed=1)),
        row("dropout, nothing", lambda r: r.dropout(np.ones((4, 5), "f4"), 0, seed=1)),
        row("dropout, all", lambda r: r.dropout(np.ones((4, 5), "f4"), 1.0, seed=1)),
        row("dropout, rows", lambda r: r.dropout(np.ones((4, 5), "f4"), 0.4, (None, 1), seed=1)),
        row("dropout, columns", lambda r: r.dropout(np.ones((4, 5), "f4"), 0.4, (5,), seed=1)),
        row("dropout of NaN", lambda r: r.dropout(np.full(9, np.nan, "f4"), 0.4, seed=1)),
        row("shuffle", lambda r: r.shuffle(np.arange(20), seed=1)),
        row("shuffle, axis", lambda r: r.shuffle(np.arange(12).reshape(3, 4), axis=-1, seed=1)),
        row("shuffle, ties", lambda r: r.shuffle(np.arange(50_000), seed=1)),
        row("gamma", lambda r: r.gamma((2, 3), [1.0, 2.0, 0.5], seed=1)),
        row("gamma, bfloat16", lambda r: r.gamma((9,), 2.0, dtype="bfloat16", seed=1)),
        row("beta", lambda r: r.beta((2, 3), [1.0, 2.0, 3.0], [[2.0], [0.5]], seed=1), 1e-7),
        row("beta, bfloat16", lambda r: r.beta((9,), 2.0, 3.0, dtype="bfloat16", seed=1)),
        row("binomial", lambda r: r.binomial((4, 2, 3), [10.0, 20.0, 30.0], [[0.1], [0.6]], seed=1)),
        row("binomial, int32", lambda r: r.binomial((9,), 100, 0.3, dtype="int32", seed=1)),
    ],
)
def test_numbers(call, tolerance):
    ours, theirs = call(kerasish.random), call(keras.random)
    assert ours.dtype == keras.backend.standardize_dtype(theirs.dtype)
    ours, theirs = np.asarray(ours.numpy()), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours.astype("f8"), theirs.astype("f8"), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda r: r.uniform((2,), dtype="int32"), ValueError),
        (lambda r: r.uniform((2,), dtype="nonsense"), ValueError),
        (lambda r: r.uniform((2,), seed="a"), ValueError),
        (lambda r: r.uniform((2,), seed=1.5), ValueError),
        (lambda r: r.uniform((2,), seed=2**63), ValueError),
        (lambda r: r.uniform((None, 2)), ValueError),
        (lambda r: r.uniform(None), ValueError),
        (lambda r: r.normal((2,), dtype="int8"), TypeError),
        (lambda r: r.truncated_normal((2,), dtype="int32"), TypeError),
        (lambda r: r.randint((2,), 0, 10, dtype="float32"), ValueError),
        (lambda r: r.randint((2,), 0.0, 10.0), TypeError),
        (lambda r: r.randint((2,), 0, 2**63, dtype="uint64"), ValueError),
        (lambda r: r.categorical(np.zeros(3, "f4"), 2), ValueError),
        (lambda r: r.categorical(np.zeros((1, 3), "f4"), 2.0), TypeError),
        (lambda r: r.dropout(np.ones(3, "f4"), 1.5), ValueError),
        (lambda r: r.dropout(np.ones(3, "f4"), -0.1), ValueError),
        (lambda r: r.dropout(np.ones(3, "f4"), "a"), ValueError),
        (lambda r: r.dropout(np.ones(3, "i4"), 0.5), ValueError),
    ],
)
def test_refusals(call, error):
    for module in (kerasish.random, keras.random):
        with pytest.raises(error):
            call(module)


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda r: r.randint((2,), 10, 10), "less than"),
        (lambda r: r.uniform((2, -1)), "not negative"),
        (lambda r: r.uniform(3), "tuple"),
        (lambda r: r.categorical(np.zeros((2, 0), "f4"), 1), "at least one class"),
        (lambda r: r.categorical(np.zeros((2, 3), "f4"), -1), "not be negative"),
        (lambda r: r.dropout(np.ones((2, 3), "f4"), 0.5, (2, 2)), "noise_shape"),
        (lambda r: r.shuffle(np.ones((2, 3)), axis=2), "no axis 2"),
        (lambda r: r.gamma((2, 3), np.ones(2)), "end with"),
    ],
)
def test_refusals_where_keras_lets_tensorflow_speak(call, text):
    with pytest.raises(ValueError, match=text):
        call(kerasish.random)
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        call(keras.random)


def test_symbolic_tensors_are_refused_outside_of_layers():
    x = KerasTensor((None, 3))
    for call in (lambda: kerasish.random.dropout(x, 0.5), lambda: kerasish.random.shuffle(x)):
        with pytest.raises(ValueError):
            call()


def test_shapes_alone():
    x = KerasTensor((None, 3))
    with shape_scope():
        assert kerasish.random.dropout(x, 0.5).shape == (None, 3)
        assert kerasish.random.categorical(x, 2).shape == (None, 2)
        assert kerasish.random.shuffle(x).shape == (None, 3)
        assert kerasish.random.normal((None, 3), dtype="float16").dtype == "float16"


def test_gradient_of_dropout_is_its_mask():
    x = ops.convert_to_tensor(np.linspace(-1, 1, 20, dtype="float32").reshape(4, 5))
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as tape:
            tape.watch(x)
            y = kerasish.random.dropout(ops.square(x), 0.4, (None, 1), seed=3)
        gx = tape.gradient(y, x)
        total = ops.sum(gx)
    kept = kerasish.random.dropout(ops.ones_like(x), 0.4, (None, 1), seed=3).numpy()
    np.testing.assert_allclose(gx.numpy(), kept * 2 * x.numpy(), rtol=1e-6)
    np.testing.assert_allclose(outer.gradient(total, x).numpy(), kept * 2, rtol=1e-6)


def test_gradients_flow_into_mean_and_stddev():
    mean, stddev = (ops.convert_to_tensor(np.full(3, v, "float32")) for v in (0.5, 2.0))
    with GradientTape() as tape:
        tape.watch(mean)
        tape.watch(stddev)
        y = ops.sum(kerasish.random.normal((4, 3), mean, stddev, seed=1))
    g_mean, g_stddev = tape.gradient(y, [mean, stddev])
    np.testing.assert_allclose(g_mean.numpy(), 4)
    np.testing.assert_allclose(g_stddev.numpy(), kerasish.random.normal((4, 3), seed=1).numpy().sum(0), rtol=1e-5)
