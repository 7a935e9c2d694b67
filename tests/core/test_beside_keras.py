"""Conversions, operators and their refusals, beside real Keras."""

import numpy as np
import pytest

import kerasish

keras = pytest.importorskip("keras")

CONVERSIONS = {
    "NumPy's float64": lambda k: k.ops.convert_to_tensor(np.float64(1)),
    "NumPy's int64": lambda k: k.ops.convert_to_tensor(np.int64(1)),
    "float": lambda k: k.ops.convert_to_tensor(1.5),
    "large integer": lambda k: k.ops.convert_to_tensor(2**40),
    "integer that wraps": lambda k: k.ops.convert_to_tensor(300, "int8"),
    "float that wraps": lambda k: k.ops.convert_to_tensor(300.5, "int8"),
    "negative float without sign": lambda k: k.ops.convert_to_tensor(-1.2, "uint8"),
    "float beyond the integers": lambda k: k.ops.convert_to_tensor(3e9, "int32"),
    "infinity as an integer": lambda k: k.ops.convert_to_tensor(float("-inf"), "int64"),
    "float's NaN as an integer": lambda k: k.ops.convert_to_tensor(float("nan"), "int16"),
    "list that wraps": lambda k: k.ops.convert_to_tensor([300, -200], "int8"),
    "negative without sign": lambda k: k.ops.array(-1, "uint8"),
    "integer wider than the dtype": lambda k: k.ops.array(2**40, "int8"),
    "number beside a dtype": lambda k: k.ops.add(np.array([1, 2, 200], "uint8"), -1),
    "number as a tensor": lambda k: k.ops.mod(np.array([1, 2, 200], "uint8"), -1),
    "NaN as an integer": lambda k: k.ops.cast(np.array([np.nan, 1e10], "float32"), "int32"),
    "complex number": lambda k: k.ops.convert_to_tensor(1j),
    "empty list": lambda k: k.ops.convert_to_tensor([]),
    "and of variables": lambda k: k.Variable(np.array([1, 2])) & 1,
    "or of float variables": lambda k: k.Variable(np.array([1.0, 0.0])) | 0,
    "xor of float variables": lambda k: k.Variable(np.array([1.0, 0.0])) ^ 1,
    "and before a variable": lambda k: np.array([1, 0]).tolist() & k.Variable(np.array([1, 2])),
    "not of an integer variable": lambda k: ~k.Variable(np.array([1, 0])),
    "plus a variable": lambda k: +k.Variable(np.array([1.0, 0.0])),
    "and of integer tensors": lambda k: k.ops.convert_to_tensor(np.array([1, 2])) & 3,
    "not of an integer tensor": lambda k: ~k.ops.convert_to_tensor(np.array([1, 2])),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_values(name):
    want, got = CONVERSIONS[name](keras), CONVERSIONS[name](kerasish)
    assert got.dtype == want.dtype.name
    assert isinstance(got.numpy(), np.ndarray)
    np.testing.assert_array_equal(got.numpy(), want.numpy())


SYMBOLIC = {
    "and": lambda x: x & 1,
    "or": lambda x: x | x,
    "xor": lambda x: x ^ 1,
    "not": lambda x: ~x,
}


@pytest.mark.parametrize("dtype", ["int32", "float32", "bool"])
@pytest.mark.parametrize("name", SYMBOLIC)
def test_symbolic_operators_are_logical(name, dtype):
    assert [SYMBOLIC[name](k.KerasTensor((2,), dtype)).dtype for k in (keras, kerasish)] == ["bool", "bool"]


REFUSALS = {
    "truth of a variable": lambda k: bool(k.Variable(1.0)),
    "number of a vector": lambda k: int(k.Variable([1, 2])),
    "float of a vector": lambda k: float(k.Variable([1, 2])),
    "integer beyond int64": lambda k: k.ops.convert_to_tensor(2**70),
    "None": lambda k: k.ops.convert_to_tensor(None),
    "ragged list": lambda k: k.ops.convert_to_tensor([1, [2, 3]]),
    "walk over a symbolic tensor": lambda k: list(k.KerasTensor((2,))),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name):
    with pytest.raises(Exception) as want:
        REFUSALS[name](keras)
    with pytest.raises(want.type):
        REFUSALS[name](kerasish)
