"""Dtypes of losses and of the functions behind losses and metrics, for targets and predictions of different ones."""

import ml_dtypes  # noqa: F401  (lets NumPy know bfloat16)
import numpy as np
import pytest

import kerasish

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

RNG = np.random.default_rng(5)
UNIT, BITS = RNG.random((2, 3)) + 0.01, RNG.integers(0, 2, (2, 3))
PROBABILITIES, LABELS = UNIT / UNIT.sum(-1, keepdims=True), np.array([2, 0])
ONE_HOT = np.eye(3)[LABELS]
FUNCTIONS = {
    "mean_squared_error": (UNIT, BITS),
    "mean_absolute_error": (UNIT, BITS),
    "mean_absolute_percentage_error": (UNIT + 1, UNIT),
    "mean_squared_logarithmic_error": (BITS + 1, UNIT),
    "huber": (BITS, UNIT),
    "log_cosh": (BITS, UNIT),
    "cosine_similarity": (UNIT + 1, UNIT),
    "poisson": (BITS, UNIT),
    "kl_divergence": (BITS, UNIT),
    "hinge": (BITS, UNIT),
    "squared_hinge": (BITS, UNIT),
    "categorical_hinge": (ONE_HOT, UNIT),
    "binary_crossentropy": (BITS, UNIT * 0.9),
    "binary_focal_crossentropy": (BITS, UNIT * 0.9),
    "categorical_crossentropy": (ONE_HOT, PROBABILITIES),
    "categorical_focal_crossentropy": (ONE_HOT, PROBABILITIES),
    "sparse_categorical_crossentropy": (LABELS, PROBABILITIES),
    "dice": (BITS, UNIT),
    "tversky": (BITS, UNIT),
    "circle": (LABELS, UNIT),
    "binary_accuracy": (BITS, UNIT),
    "categorical_accuracy": (ONE_HOT, PROBABILITIES),
    "sparse_categorical_accuracy": (LABELS, PROBABILITIES),
    "top_k_categorical_accuracy": (ONE_HOT, PROBABILITIES),
    "sparse_top_k_categorical_accuracy": (LABELS, PROBABILITIES),
    "pearson_correlation": (BITS, UNIT),
    "concordance_correlation": (BITS, UNIT),
}
PAIRS = [
    ("float32", "float16"),
    ("float16", "float32"),
    ("int32", "bfloat16"),
    ("float64", "float32"),
    ("bool", "float64"),
]
TOLERANCES = {"float16": 5e-3, "bfloat16": 3e-2}


@pytest.mark.parametrize("true_dtype, pred_dtype", PAIRS)
def test_functions(true_dtype, pred_dtype):
    for name in FUNCTIONS:
        home = "losses" if hasattr(keras.losses, name) else "metrics"
        y_true, y_pred = FUNCTIONS[name][0].astype(true_dtype), FUNCTIONS[name][1].astype(pred_dtype)
        if name.endswith("top_k_categorical_accuracy") and pred_dtype != "float32":
            continue  # TensorFlow has it for float32 alone
        functions = [getattr(getattr(k, home), name) for k in (kerasish, keras)]
        got, want = (np.asarray(f(y_true, y_pred).numpy()) for f in functions)
        assert (got.dtype, got.shape) == (want.dtype, want.shape), name
        tolerance = TOLERANCES.get(want.dtype.name, 1e-5)
        np.testing.assert_allclose(got.astype("f8"), want.astype("f8"), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "mixed_float16"])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", None])
@pytest.mark.parametrize("mask", [[[1, 0], [1, 1]], [[0, 0], [0, 0]], None], ids=["mask", "nothing left", "no mask"])
def test_loss_with_a_mask(dtype, reduction, mask):
    found = []
    for k in (keras, kerasish):
        loss = k.losses.MeanSquaredLogarithmicError(reduction=reduction, dtype=dtype)
        y_pred = k.ops.convert_to_tensor(np.ones((2, 2, 3), "float32") * [[[1], [2]], [[3], [4]]])
        y_pred._keras_mask = None if mask is None else k.ops.convert_to_tensor(np.array(mask, "bool"))
        y = loss(np.zeros((2, 2, 3), "float32"), y_pred, sample_weight=np.array([[0.5, 2.0], [1.0, 0.25]], "float32"))
        found.append(np.asarray(y.numpy()))
    assert found[0].dtype == found[1].dtype
    np.testing.assert_allclose(*(f.astype("f8") for f in found), rtol=TOLERANCES.get(found[0].dtype.name, 1e-5))


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"])
def test_loss_of_nothing(reduction):
    empty = np.zeros((0, 4, 3), "float32")
    want, got = (np.asarray(k.losses.MeanSquaredError(reduction=reduction)(empty, empty)) for k in (keras, kerasish))
    np.testing.assert_array_equal(got, want)
