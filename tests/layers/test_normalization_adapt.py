"""`Normalization.adapt` on all kinds of data, in both libraries."""

import keras as real
import numpy as np
import pytest

import kerasish

X = np.random.default_rng(0).normal(3, 2, size=(12, 4, 3)).astype("float32")


def rows(keras, values):
    class Rows(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return values[4 * i : 4 * i + 4], np.zeros(4)

    return Rows()


DATA = {
    "array": lambda keras: X,
    "list of batches": lambda keras: [X[:4], X[4:9], X[9:]],
    "one batch": lambda keras: [X],
    "pairs": lambda keras: [(X[:4], X[:4, 0, 0]), (X[4:], X[4:, 0, 0])],
    "triples": lambda keras: ((X[i : i + 3], X[i : i + 3], X[i : i + 3]) for i in range(0, 12, 3)),
    "generator": lambda keras: (X[i : i + 5] for i in range(0, 12, 5)),
    "PyDataset": lambda keras: rows(keras, X),
}


@pytest.mark.parametrize("axis", [-1, (1, 2), 1, None], ids=str)
@pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())
def test_adapt(data, axis):
    results = []
    for keras in (real, kerasish):
        layer = keras.layers.Normalization(axis=axis)
        layer.adapt(data(keras))
        results.append([np.asarray(v) for v in (layer.mean, layer.variance, layer(X), layer(X[None]))])
    for want, got in zip(*results):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


def test_single_rows_are_batched():
    layer = kerasish.layers.Normalization()
    layer.adapt(kerasish.utils.Dataset.from_tensor_slices(X[:, 0]))
    np.testing.assert_allclose(np.asarray(layer.mean)[0], X[:, 0].mean(0), rtol=1e-5)


@pytest.mark.parametrize(
    "data, error, match",
    [
        ([], ValueError, "empty iterable"),
        ([["a"], ["b"]], TypeError, "`.shape` attribute"),
        ([X, X[..., :2]], ValueError, "incompatible shape"),
        (3.0, TypeError, "Unsupported data type"),
    ],
)
def test_refused(data, error, match):
    for keras in (real, kerasish):
        with pytest.raises(error, match=match):
            keras.layers.Normalization().adapt(data)


def test_statistics_for_some_of_the_axes():
    """Fewer axes than are kept: they are the last of these."""
    for keras in (real, kerasish):
        layer = keras.layers.Normalization(axis=(1, 2), mean=np.arange(3.0), variance=np.ones(3))
        np.testing.assert_allclose(np.asarray(layer(X)), X - np.arange(3.0), rtol=1e-5)
