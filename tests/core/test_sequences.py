"""Lists of numbers of several kinds become what they become in real Keras on TensorFlow."""

import itertools

import numpy as np
import pytest

import kerasish

keras = pytest.importorskip("keras")

NUMBERS = {
    "True": True, "1": 1, "1.5": 1.5, "2**40": 2**40, "1j": 1j, "a": "a", "np.True_": np.True_, "int32": np.int32(3),
    "int64": np.int64(4), "uint8": np.uint8(5), "float16": np.float16(1.5), "float32": np.float32(2.5),
    "float64": np.float64(3.5), "array of float32": np.array(1.25, "float32"), "array of int32": np.array(2, "int32"),
}  # fmt: skip
ROWS = {
    "[1, 2]": [1, 2], "[1.0, 2]": [1.0, 2], "[True, False]": [True, False], "(1, True)": (1, True),
    "[float32, 1]": [np.float32(1), 1], "int64s": [np.int64(1), np.int64(2)], "uint8s": [np.uint8(1)] * 2,
    "range": range(2), "[2**40, 1]": [2**40, 1],
}  # fmt: skip
for dtype in ("bool", "uint8", "int32", "int64", "float16", "float32", "float64"):
    ROWS[f"array of {dtype}"] = np.array([0, 1], dtype)


def converted(k, x, dtype=None):
    """The dtype and the values of a tensor; the class of an error."""
    try:
        y = k.ops.convert_to_tensor(x, dtype=dtype)
    except (ValueError, TypeError) as error:
        return type(error)
    values = [v.decode() if isinstance(v, bytes) else v for v in np.asarray(y).ravel().tolist()]
    return k.backend.standardize_dtype(y.dtype), tuple(y.shape), values


@pytest.mark.parametrize("first", NUMBERS)
def test_numbers(first):
    for second in NUMBERS:
        x = [NUMBERS[first], NUMBERS[second]]
        assert converted(kerasish, x) == converted(keras, x), (first, second)
        assert converted(kerasish, [x, x]) == converted(keras, [x, x]), (first, second)


@pytest.mark.parametrize("first", ROWS)
def test_rows(first):
    for second in ROWS:
        x = [ROWS[first], ROWS[second]]
        assert converted(kerasish, x) == converted(keras, x), (first, second)


@pytest.mark.parametrize("dtype", ["float32", "int32", "float64"])
def test_a_dtype_does_not_let_kinds_be_mixed(dtype):
    for first, second in itertools.product(["True", "1", "1.5", "float16", "float64", "uint8"], repeat=2):
        x = [NUMBERS[first], NUMBERS[second]]
        assert converted(kerasish, x, dtype) == converted(keras, x, dtype), (first, second)


def test_booleans_beside_tensors():
    for make in (lambda k: [True, k.ops.convert_to_tensor(7)], lambda k: [k.ops.convert_to_tensor(7), True]):
        assert converted(kerasish, make(kerasish)) == converted(keras, make(keras))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "uint32", "float16", "float32", "float64"])
def test_stacked_arrays(dtype):
    rows = [np.array([0, 1], dtype), np.array([2, 3], dtype)]
    for axis in (0, 1):
        ours, theirs = (k.ops.stack(rows, axis=axis) for k in (kerasish, keras))
        assert ours.dtype == keras.backend.standardize_dtype(theirs.dtype)
        assert np.array_equal(ours, theirs)
