"""Tensor, Variable and KerasTensor as Python objects."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import kerasish as keras
from kerasish import ops
from kerasish.core import dtypes

X = ops.convert_to_tensor([[1.0, -2.0], [3.0, 4.0]])


def test_operators():
    a, n = X, X.numpy()
    for got, want in [
        (a + 1, n + 1), (1 - a, 1 - n), (a * a, n * n), (2 / a, 2 / n), (a // 2, n // 2), (a % 3, n % 3),
        (a**2, n**2), (a @ a, n @ n), (-a, -n), (abs(a), abs(n)), (round(a), n), (~(a > 0), ~(n > 0)),
        (a > 1, n > 1), (a <= 1, n <= 1), (a == 1, n == 1), (a != 1, n != 1), ((a > 0) & (a < 3), (n > 0) & (n < 3)),
        (np.ones((2, 2), "float32") + a, 1 + n), (np.float32(2) * a, 2 * n),
        (a[0], n[0]), (a[:, -1], n[:, -1]), (a[..., None], n[..., None]), (a.T, n.T),
    ]:  # fmt: skip
        assert isinstance(got, keras.Tensor)
        np.testing.assert_allclose(got.numpy(), want)


def test_protocols():
    assert X.shape == (2, 2) and X.dtype == "float32" and X.ndim == 2 and len(X) == 2
    np.testing.assert_array_equal(np.asarray(X), X.numpy())
    np.testing.assert_array_equal(np.from_dlpack(X), X.numpy())
    assert [r.shape for r in X] == [(2,), (2,)]
    assert (float(X[0, 0]), int(X[1, 1]), bool(X[0, 0] > 0)) == (1.0, 4, True)
    assert [10, 20][ops.convert_to_tensor(1)] == 20
    assert f"{X[0, 0]:.2f}" == "1.00"
    for twin in (copy.deepcopy(X), pickle.loads(pickle.dumps(X))):
        np.testing.assert_array_equal(twin.numpy(), X.numpy())
    with pytest.raises(TypeError):
        iter(X[0, 0])


@pytest.mark.parametrize(
    "value, dtype",
    [
        (1, "int32"),
        (1.0, "float32"),
        (True, "bool"),
        ([1, 2], "int32"),
        ([1.0], "float32"),
        ([[1.0], [2.0]], "float32"),
        ([np.float64(1)], "float64"),
        (np.ones(2), "float64"),
        (np.arange(2), "int64"),
        (np.float16(1), "float16"),
    ],
)
def test_conversion(value, dtype):
    assert ops.convert_to_tensor(value).dtype == dtype


def test_promotion_equals_keras():
    from keras import backend

    names = [*dtypes.FLOATS, *dtypes.SIGNED, *dtypes.UNSIGNED, "bool", int, float]
    for pair in itertools.product(names, repeat=2):
        assert dtypes.result_type(*pair) == backend.result_type(*pair), pair


def test_variable():
    v = keras.Variable([1.0, 2.0], name="v")
    v.assign_add([1.0, 1.0])
    np.testing.assert_array_equal(v.numpy(), [2.0, 3.0])
    v.numpy()[:] = 0
    np.testing.assert_array_equal(v, [2.0, 3.0])
    np.testing.assert_array_equal((v * 2).numpy(), [4.0, 6.0])
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        v.assign([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="shape"):
        keras.Variable("zeros")
    assert keras.Variable("ones", shape=(2,)).numpy().tolist() == [1.0, 1.0]


def test_symbolic_tensors_refuse_to_have_values():
    x = keras.Input((3,))
    for attempt in (lambda: bool(x), lambda: np.asarray(x), lambda: float(x), lambda: list(x)):
        with pytest.raises((TypeError, ValueError, NotImplementedError)):
            attempt()


def test_name_scopes():
    with keras.name_scope("a"):
        with keras.name_scope("b"):
            assert keras.Variable(1.0, name="v").path == "a/b/v"
    with pytest.raises(ValueError, match="/"):
        keras.name_scope("a/b")
