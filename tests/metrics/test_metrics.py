"""Every metric over several batches, beside real Keras."""

import numpy as np
import pytest

import kerasish.metrics as ours
from kerasish.core.tensor import convert_to_tensor

from .rows import ROWS, cube, sparse_sequence

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
theirs = keras.metrics


def stream(metric, batches, weights):
    results = []
    for (y_true, y_pred), weight in zip(batches, weights):
        metric.update_state(y_true, y_pred, sample_weight=weight)
        results.append(np.asarray(metric.result()))
    return results


def compare(name, options, data, weight_shape):
    rng = np.random.default_rng(3)
    batches = [data(rng) for _ in range(3)]
    weights = [None if weight_shape is None else rng.uniform(size=weight_shape).astype("float32") for _ in range(3)]
    mine, reference = (getattr(m, name)(**options, name="m") for m in (ours, theirs))
    got, want = stream(mine, batches, weights), stream(reference, batches, weights)
    for g, w in zip(got, want):
        assert (g.dtype, g.shape) == (w.dtype, w.shape)
        np.testing.assert_allclose(g, w, rtol=2e-6, atol=1e-6)
    assert [(v.path, v.dtype) for v in mine.variables] == [(v.path, v.dtype) for v in reference.variables]
    for g, w in zip(mine.variables, reference.variables):
        np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=2e-6, atol=2e-6, err_msg=g.path)


@pytest.mark.parametrize("name, options, data", ROWS, ids=lambda x: getattr(x, "__name__", str(x)[:60]))
def test_stream(name, options, data):
    compare(name, options, data, None)


WEIGHTED = [(n, o, d) for n, o, d in ROWS if not n.startswith("OneHot")]


@pytest.mark.parametrize("name, options, data", WEIGHTED, ids=lambda x: getattr(x, "__name__", str(x)[:60]))
def test_weighted_stream(name, options, data):
    y_true, y_pred = data(np.random.default_rng(0))
    whole = np.shape(y_true)
    for shape in (whole[:1], (whole[0], 1), whole):
        try:
            compare_accepted(name, options, data, shape)
        except Unsupported:
            continue


class Unsupported(Exception):
    """Weights of a shape that Keras does not take either."""


def compare_accepted(name, options, data, shape):
    rng = np.random.default_rng(3)
    try:
        getattr(theirs, name)(**options).update_state(*data(rng), sample_weight=np.ones(shape, "float32"))
    except Exception as error:
        raise Unsupported from error
    compare(name, options, data, shape)


@pytest.mark.parametrize("weights", [None, (6,), (6, 3), (6, 1), (6, 3, 1)], ids=str)
@pytest.mark.parametrize("name", ["MeanSquaredError", "RootMeanSquaredError", "SparseCategoricalAccuracy"])
def test_masks(name, weights):
    rng = np.random.default_rng(3)
    mask = rng.integers(0, 2, size=(6, 3)).astype("bool")
    y_true, y_pred = (sparse_sequence if name.startswith("Sparse") else cube)(rng)
    weights = None if weights is None else rng.uniform(size=weights).astype("float32")
    results = []
    for module, tensor in ((theirs, tf.convert_to_tensor), (ours, convert_to_tensor)):
        predicted = tensor(y_pred)
        predicted._keras_mask = tensor(mask)
        metric = getattr(module, name)()
        try:
            metric.update_state(y_true, predicted, sample_weight=weights)
        except Exception:
            if module is theirs:
                return  # Keras does not take these weights
            raise
        results.append(np.asarray(metric.result()))
    np.testing.assert_allclose(*results, rtol=2e-6)


VALUES = [
    ([1.0, 2.0, 5.0], None),
    (3.0, None),
    ([[1.0, 2.0], [3.0, 5.0]], None),
    ([[1.0, 2.0], [3.0, 5.0]], [0.5, 2.0]),
    ([[1.0, 2.0], [3.0, 5.0]], [[0.5, 2.0], [1.0, 0.0]]),
    ([1.0, 2.0], [[0.5], [2.0]]),
    ([1.0, 2.0, 5.0], 0.5),
    (3.0, 0.5),
    (np.ones((2, 3, 4)) * np.arange(3)[:, None], np.array([[1.0, 2, 3], [0, 1, 0]])),
]


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize("values, weights", VALUES, ids=range(len(VALUES)))
def test_mean_and_sum(name, values, weights):
    mine, reference = getattr(ours, name)(), getattr(theirs, name)()
    for _ in range(2):
        mine.update_state(values, weights)
        reference.update_state(values, weights)
    np.testing.assert_allclose(np.asarray(mine.result()), np.asarray(reference.result()), rtol=1e-6)
    mine.reset_state()
    assert float(mine.result()) == 0
