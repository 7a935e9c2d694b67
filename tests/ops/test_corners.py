"""Gradients of elementwise ops at zeros, infinities, NaN and equal arguments, beside Keras's."""

import numpy as np
import pytest

import kerasish
from parity.differential.tapes import gradients
from parity.libraries import real

CORNERS = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 3.0, -3.0, 6.0, 40.0, -40.0], "float32")
ONE = """abs negative square exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh erf erfc deg2rad rad2deg sqrt
rsqrt reciprocal log log1p log2 log10 arccosh arcsin arccos arctanh relu relu6 sigmoid log_sigmoid softplus softsign
silu
hard_sigmoid hard_silu hard_tanh selu elu celu leaky_relu gelu sparse_plus sparse_sigmoid tanh_shrink soft_shrink
hard_shrink squareplus nan_to_num cbrt""".split()
TWO = """add subtract multiply divide maximum minimum arctan2 mod floor_divide power hypot logaddexp divide_no_nan
fmod""".split()
KEPT = {  # where Keras's derivative is none
    "cbrt": lambda x: x == 0,  # sign(0) times infinity
    "fmod": lambda a, b: (a == 0) | (b == 0) | ~np.isfinite(a) | ~np.isfinite(b) | (np.abs(a) == np.abs(b)),
    "hypot": lambda a, b: (np.abs(a) == np.abs(b)) | ~np.isfinite(a) | ~np.isfinite(b),  # infinity over infinity
    "logaddexp": lambda a, b: a == b,  # all of it to one of equal arguments
}


def differing(name, arrays):
    """Where the gradients differ, for each argument, and both of them."""
    call = lambda keras: lambda *x: getattr(keras.ops, name)(*x)
    with np.errstate(all="ignore"):
        theirs, ours = (gradients(k, call(k), arrays)[1] for k in (real(), kerasish))
    for x, want, got in zip(arrays, theirs, ours):
        want, got = (np.zeros_like(x) if g is None else g for g in (want, got))
        yield ~np.isclose(want, got, rtol=1e-4, atol=1e-5, equal_nan=True), want, got


@pytest.mark.parametrize("name", ONE)
def test_one_argument(name):
    ((wrong, want, got),) = differing(name, [CORNERS])
    wrong &= ~KEPT[name](CORNERS) if name in KEPT else True
    assert not wrong.any(), (CORNERS[wrong], want[wrong], got[wrong])


@pytest.mark.parametrize("name", TWO)
def test_two_arguments(name):
    a, b = (np.ravel(x) for x in np.meshgrid(CORNERS, CORNERS))
    for i, (wrong, want, got) in enumerate(differing(name, [a, b])):
        wrong &= ~KEPT[name](a, b) if name in KEPT else True
        assert not wrong.any(), (i, a[wrong], b[wrong], want[wrong], got[wrong])


@pytest.mark.parametrize("name", "max min amax amin sum mean logsumexp cumsum var std nansum nanmean".split())
@pytest.mark.parametrize("axis", [0, 1])
def test_along_axes(name, axis):
    x = np.stack([CORNERS[:6], CORNERS[5:11], np.zeros(6, "float32")])
    call = lambda keras: lambda v: getattr(keras.ops, name)(v, axis=axis)
    with np.errstate(all="ignore"):
        (want,), (got,) = (gradients(k, call(k), [x])[1] for k in (real(), kerasish))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("limits", [[], [-1, 0, 0, 2], [-np.inf, 1, np.inf]])
def test_searching_for_nan_and_infinities(limits, side, dtype):
    arrays = [np.asarray(x).astype(dtype) for x in (limits, CORNERS)]
    want, got = (np.asarray(keras.ops.searchsorted(*arrays, side)) for keras in (real(), kerasish))
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("bins", [[], [0, 2], [-1.0, 0.0, 0.0, 2.0]])
def test_bins_of_nan_and_infinities(bins, dtype):
    x = CORNERS.astype(dtype)
    want, got = (np.asarray(keras.ops.digitize(x, np.array(bins))) for keras in (real(), kerasish))
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("initial", [0.5, -0.5, -1, 2, True, False])
@pytest.mark.parametrize("x", [[True, True], [False, True], [False, False]])
@pytest.mark.parametrize("name", ["max", "min"])
def test_initial_values_beside_booleans(name, x, initial):
    want, got = (np.asarray(getattr(k.ops, name)(np.array(x), initial=initial)) for k in (real(), kerasish))
    assert (got.dtype, got) == (want.dtype, want)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 4, 5, 2)])
@pytest.mark.parametrize("name", ["max_pool", "adaptive_max_pool"])
def test_equal_numbers_in_windows(name, shape, size):
    x = np.random.default_rng(0).integers(0, 2, shape).astype("float32")
    call = lambda keras: lambda v: getattr(keras.ops, name)(v, size, data_format="channels_last")
    (want,), (got,) = (gradients(k, call(k), [x])[1] for k in (real(), kerasish))
    np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "int64", "bool"])
@pytest.mark.parametrize("name", ["mean", "nanmean", "average", "median", "std", "norm"])
def test_means_of_integers_do_not_overflow(name, dtype):
    most = 1 if dtype == "bool" else np.iinfo(dtype).max
    x = np.array([[most, most, 0], [most, most - 1, most]]).astype(dtype)
    for axis in (None, 1):
        want, got = (getattr(k.ops, name)(x, axis=axis).numpy() for k in (real(), kerasish))
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8"])
def test_logsumexp_of_integers_is_that_of_floats(dtype):
    x = np.array([[1, 2, 3], [4, 0, 1]])
    found = kerasish.ops.logsumexp(x.astype(dtype), axis=1)
    np.testing.assert_allclose(found, real().ops.logsumexp(x.astype("float32"), axis=1), rtol=1e-6)
