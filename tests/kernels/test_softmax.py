"""Softmax and cross-entropy: twins, gradients, Keras, and what happens at infinity."""

import numpy as np
import pytest

from kerasish.kernels import find, twin_of

from . import thin
from .harness import array, check_twins
from .thin import check_slope, same_bits

cpu = twin_of(np.zeros(1))
reference = lambda name: find("reference", name)


@pytest.mark.parametrize("shape", thin.ROWS)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(name, shape):
    x, gy = array(*shape) * 2, array(*shape, seed=1)
    y = check_twins(name, x)
    gx = check_twins(f"{name}_grad", gy, y)
    check_slope(reference(name), x, gy, gx)


@pytest.mark.parametrize("shape", thin.ROWS)
def test_cross_entropy(shape):
    labels, logits = reference("softmax")(array(*shape)), array(*shape, seed=1) * 5
    loss = check_twins("cross_entropy_logits", labels, logits)
    g = array(*loss.shape, seed=2)
    gx = check_twins("cross_entropy_logits_grad", g, labels, logits)
    check_slope(lambda v: reference("cross_entropy_logits")(labels, v), logits, g, gx)


@pytest.mark.parametrize("shape", thin.ROWS)
def test_sparse_cross_entropy(shape):
    labels, logits = np.random.default_rng(0).integers(0, shape[-1], shape[:-1]), array(*shape) * 5
    loss = check_twins("sparse_cross_entropy_logits", labels, logits)
    g = array(*loss.shape, seed=2)
    gx = check_twins("sparse_cross_entropy_logits_grad", g, labels, logits)
    check_slope(lambda v: reference("sparse_cross_entropy_logits")(labels, v), logits, g, gx)


def test_infinities_and_nan():
    x = array(7, 34).astype("float32")[:, ::2]
    x[0, 3], x[1, 2], x[2], x[3, 1], x[4, 0], x[5] = np.nan, -np.inf, -np.inf, np.inf, -np.float32(np.nan), 1e38
    t = np.full(x.shape, 1 / 17, "float32")
    for name, given in [("softmax", (x,)), ("log_softmax", (x,)), ("cross_entropy_logits", (t, x))]:
        np.testing.assert_allclose(getattr(cpu, name)(*given), reference(name)(*given), rtol=1e-5, atol=1e-6)


def test_a_label_out_of_range_is_nan():
    x = array(3, 5).astype("float32")
    loss = cpu.sparse_cross_entropy_logits(np.array([0, 5, -1]), x)
    assert np.isnan(loss).tolist() == [False, True, True]
    gx = cpu.sparse_cross_entropy_logits_grad(np.ones(3, "float32"), np.array([0, 5, -1]), x)
    assert np.isnan(gx).all(1).tolist() == [False, True, True]


def test_bits_do_not_depend_on_threads():
    x = array(500, 1001).astype("float32")
    same_bits(lambda: cpu.softmax(x))
    same_bits(lambda: cpu.cross_entropy_logits(x, x))


def test_keras():
    from keras import ops

    x, labels = array(6, 10).astype("float32") * 4, np.arange(6)
    t = np.eye(10, dtype="float32")[labels]
    close = lambda a, b: np.testing.assert_allclose(a, b.numpy(), rtol=2e-6, atol=1e-6)
    close(cpu.softmax(x), ops.softmax(x))
    close(cpu.log_softmax(x), ops.log_softmax(x))
    close(cpu.cross_entropy_logits(t, x), ops.categorical_crossentropy(t, x, from_logits=True))
    want = ops.sparse_categorical_crossentropy(labels, x, from_logits=True)
    close(cpu.sparse_cross_entropy_logits(labels, x), want)
