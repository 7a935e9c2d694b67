"""The random kernels beside TensorFlow's stateless generators."""

import numpy as np
import pytest
import tensorflow as tf

from kerasish.kernels.reference import random as kernels

SEEDS = [(0, 0), (1337, 42), (2**31 - 3, 7)]
SHAPE = (7, 33, 5)  # neither a multiple of a block nor of a power of two
FLOATS = ["float16", "bfloat16", "float32", "float64"]
ULP = {"float16": 0, "bfloat16": 0, "float32": 5e-7, "float64": 1e-15}


def close(ours, theirs, tolerance=0):
    theirs = theirs.numpy()
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    np.testing.assert_allclose(ours.astype("f8"), theirs.astype("f8"), rtol=0, atol=tolerance)


@pytest.mark.parametrize("seed", SEEDS)
def test_bits(seed):
    expected = tf.random.stateless_uniform([1001], seed, None, None, tf.uint32).numpy()
    np.testing.assert_array_equal(kernels.philox_bits(1001, seed), expected)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform(dtype, seed):
    close(kernels.uniform(SHAPE, seed, dtype=dtype), tf.random.stateless_uniform(SHAPE, seed, dtype=dtype))
    theirs = tf.random.stateless_uniform(SHAPE, seed, -0.3, 0.7, dtype=dtype)
    close(kernels.uniform(SHAPE, seed, -0.3, 0.7, dtype), theirs)


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal(dtype):
    for seed in SEEDS:
        theirs = tf.random.stateless_normal(SHAPE, seed, 0.5, 0.1, dtype)
        close(kernels.normal(SHAPE, seed, 0.5, 0.1, dtype), theirs, ULP[dtype])


@pytest.mark.parametrize("dtype", FLOATS)
def test_truncated_normal(dtype):
    for seed in SEEDS:
        theirs = tf.random.stateless_truncated_normal(SHAPE, seed, 0.5, 0.1, dtype)
        close(kernels.truncated_normal(SHAPE, seed, 0.5, 0.1, dtype), theirs, ULP[dtype])


@pytest.mark.parametrize(
    "dtype, low, high",
    [("int32", -5, 17), ("int32", -(2**31), 2**31 - 1), ("int64", -5, 17), ("int64", -(2**60), 2**62)],
)
def test_randint(dtype, low, high):
    theirs = tf.random.stateless_uniform(SHAPE, SEEDS[1], low, high, dtype)
    close(kernels.randint(SHAPE, SEEDS[1], low, high, dtype), theirs)


@pytest.mark.parametrize("dtype", FLOATS)
def test_dropout_mask(dtype):
    x = tf.ones(SHAPE, dtype)
    kept = kernels.dropout_mask(SHAPE, SEEDS[1], 0.3, dtype)
    expected = tf.nn.experimental.stateless_dropout(x, 0.3, SEEDS[1]).numpy()
    np.testing.assert_array_equal(kept, expected != 0)
    np.testing.assert_array_equal(kernels.masked_scale(x.numpy(), kept, 1 / 0.7), expected)


@pytest.mark.parametrize("samples", [1, 3, 50])
def test_categorical(samples):
    logits = np.random.default_rng(0).normal(size=(7, 5)).astype("float32")
    logits[1, 2], logits[2, 3], logits[3, 1], logits[4] = -np.inf, np.nan, np.inf, -np.inf
    theirs = tf.random.stateless_categorical(logits, samples, SEEDS[1])
    np.testing.assert_array_equal(kernels.categorical(logits, samples, SEEDS[1]), theirs.numpy())


@pytest.mark.parametrize("dtype, tolerance", [("float16", 0), ("float32", 0), ("float64", 1e-14)])
def test_gamma(dtype, tolerance):
    alpha = np.concatenate([np.linspace(0, 9, 500), np.ones(20)]).astype(dtype)
    close(
        kernels.gamma(alpha, SEEDS[1], dtype), tf.random.stateless_gamma([520], SEEDS[1], alpha, dtype=dtype), tolerance
    )


def test_binomial():
    rng = np.random.default_rng(0)
    counts, p = rng.integers(-1, 200, size=2000).astype("f8"), rng.uniform(-0.1, 1.1, size=2000)
    theirs = tf.random.stateless_binomial([2000], SEEDS[1], counts, p, output_dtype=tf.float64)
    close(kernels.binomial(counts, p, SEEDS[1], "float64"), theirs)


def test_binomial_of_no_number_is_nan():
    counts, p = np.array([np.nan, np.inf, 3.0]), np.array([0.5, 0.5, np.nan])
    assert np.isnan(kernels.binomial(counts, p, SEEDS[0])).all()


@pytest.mark.parametrize("draw", [kernels.uniform, kernels.normal, kernels.truncated_normal, kernels.randint])
def test_chunks_do_not_show(draw, monkeypatch):
    bounds = (0, 9) if draw is kernels.randint else ()
    whole = draw((1001,), SEEDS[1], *bounds)
    monkeypatch.setattr(kernels, "CHUNK", 3)
    np.testing.assert_array_equal(draw((1001,), SEEDS[1], *bounds), whole)
    assert draw((0, 3), SEEDS[1], *bounds).shape == (0, 3)


def test_lanes_do_not_depend_on_chunks(monkeypatch):
    alpha = np.linspace(0.1, 3, 50)
    whole = kernels.gamma(alpha, SEEDS[1])
    monkeypatch.setattr(kernels, "CHUNK", 7)
    np.testing.assert_array_equal(kernels.gamma(alpha, SEEDS[1]), whole)
