"""Evenly spaced numbers beside real Keras, to the last bit: halves tell one order of computing from another."""

import ml_dtypes
import numpy as np
import pytest

import kerasish
from parity.libraries import each

FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")
ENDS = np.array([[0.3, -1.7, 2.5, 0.0], [7.1, 3.3, -2.4, 1.0]])
WHOLE = np.array([[0, 3, 7], [100, 5, 88]])

LINES = {
    "tensors": lambda ops, a, b, dtype: ops.linspace(a, b, 33),
    "numbers": lambda ops, a, b, dtype: ops.linspace(0.3, 7.1, 50, dtype=dtype),
    "without the last": lambda ops, a, b, dtype: ops.linspace(a, b, 33, False, dtype=dtype),
    "step": lambda ops, a, b, dtype: ops.linspace(a, b, 12, retstep=True, dtype=dtype),
    "step without the last": lambda ops, a, b, dtype: ops.linspace(a, b, 12, False, True, dtype),
    "along the last axis": lambda ops, a, b, dtype: ops.linspace(a, b, 7, axis=-1, dtype=dtype),
    "one": lambda ops, a, b, dtype: ops.linspace(a, b, 1, dtype=dtype),
    "one without the last": lambda ops, a, b, dtype: ops.linspace(a, b, 1, False, True, dtype),
    "none": lambda ops, a, b, dtype: ops.linspace(a, b, 0, retstep=True, dtype=dtype),
    "two": lambda ops, a, b, dtype: ops.linspace(a, b, 2, dtype=dtype),
    "a tensor and a number": lambda ops, a, b, dtype: ops.linspace(a, 9, 20, dtype=dtype),
}
POWERS = {
    "ten": lambda ops, a, b, dtype: ops.logspace(a / 2, b / 2, 20),
    "without the last": lambda ops, a, b, dtype: ops.logspace(a, b, 20, False, 2, dtype),
    "numbers": lambda ops, a, b, dtype: ops.logspace(-1.3, 2.7, 50, dtype=dtype),
    "along the last axis": lambda ops, a, b, dtype: ops.logspace(a, b, 7, base=1.5, axis=-1, dtype=dtype),
}
RANGES = {
    "tenths": lambda ops, a, b, dtype: ops.arange(0.3, 20, 0.1, dtype=dtype),
    "down": lambda ops, a, b, dtype: ops.arange(9.5, -3.0, -0.7, dtype=dtype),
    "beyond the whole halves": lambda ops, a, b, dtype: ops.arange(-3.0, 3000.0, 1.5, dtype=dtype),
    "one number": lambda ops, a, b, dtype: ops.arange(777.9, dtype=dtype),
    "tensors": lambda ops, a, b, dtype: ops.arange(a[0], b[0], b[3] / 7),
}


def both(function, dtype, ends):
    """What either library gives: pairs of arrays."""
    first, last = ends.astype(dtype)
    results = each(
        lambda keras: function(keras.ops, keras.ops.convert_to_tensor(first), keras.ops.convert_to_tensor(last), dtype)
    )
    want, got = (y if isinstance(y, tuple) else (y,) for y in results)
    return [(np.asarray(a), np.asarray(b)) for a, b in zip(want, got, strict=True)]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "function", [*LINES.values(), *RANGES.values()], ids=[*LINES, *(f"range, {r}" for r in RANGES)]
)
def test_floats_are_equal(function, dtype):
    for want, got in both(function, dtype, ENDS):
        assert want.dtype == got.dtype
        np.testing.assert_array_equal(got.astype("float64"), want.astype("float64"))


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("function", LINES.values(), ids=LINES)
def test_integers_are_equal(function, dtype):
    for want, got in both(function, dtype, WHOLE):
        assert want.dtype == got.dtype
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("function", POWERS.values(), ids=POWERS)
def test_powers_are_as_near_as_the_libraries_power(function, dtype):
    for want, got in both(function, dtype, ENDS):
        assert want.dtype == got.dtype
        bound = float(ml_dtypes.finfo(dtype).eps) * (1 if "16" in dtype else 2)
        np.testing.assert_allclose(got.astype("float64"), want.astype("float64"), rtol=bound, atol=0)


def test_integers_do_not_wrap_between_the_ends():
    assert kerasish.ops.linspace(5, 2, 4, dtype="uint8").numpy().tolist() == [5, 4, 3, 2]
    assert kerasish.ops.linspace(-100, 100, 3, dtype="int8").numpy().tolist() == [-100, 0, 100]


@pytest.mark.parametrize("arguments", [(0, 5, 0), (0, 5, 0, "float32"), (0.0, float("inf")), (0, 1e5, 1e4, "float16")])
def test_what_makes_no_range_is_refused(arguments):
    with pytest.raises(ValueError, match="arange"):
        kerasish.ops.arange(arguments[0], *arguments[1:3], dtype=arguments[3] if len(arguments) > 3 else None)
