"""Values, gradients, weights, masks and configs of every loss, beside real Keras."""

import inspect
import warnings

import numpy as np
import pytest

import kerasish.losses as ours
from kerasish import ops
from kerasish.core.autodiff import GradientTape
from kerasish.core.tensor import convert_to_tensor

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
theirs = keras.losses
RNG = np.random.default_rng(7)


def softmax(x):
    e = np.exp(x)
    return (e / e.sum(-1, keepdims=True)).astype("float32")


REAL = RNG.normal(size=(4, 3, 5)).astype("float32"), RNG.normal(size=(4, 3, 5)).astype("float32")
POSITIVE = np.abs(REAL[0]) + 0.1, np.abs(REAL[1]) + 0.1
PROBABILITIES = softmax(REAL[0]), softmax(REAL[1])
LABELS = RNG.integers(0, 5, size=(4, 3))
ONE_HOT = np.eye(5, dtype="float32")[LABELS], PROBABILITIES[1]
ONE_HOT_LOGITS = ONE_HOT[0], REAL[1]
SPARSE = LABELS, PROBABILITIES[1]
SPARSE_LOGITS = LABELS, REAL[1]
BINARY = (REAL[0] > 0).astype("float32"), 1 / (1 + np.exp(-REAL[1]))
BINARY_LOGITS = BINARY[0], REAL[1]
SIGNS = np.sign(REAL[0]), REAL[1]
HARD = ONE_HOT[0], np.eye(5, dtype="float32")[RNG.integers(0, 5, size=(4, 3))]
EMBEDDINGS = LABELS[:, 0], (REAL[1][:, 0] / np.linalg.norm(REAL[1][:, 0], axis=-1, keepdims=True))

ROWS = [
    ("MeanSquaredError", {}, REAL),
    ("MeanAbsoluteError", {}, REAL),
    ("MeanAbsolutePercentageError", {}, REAL),
    ("MeanSquaredLogarithmicError", {}, POSITIVE),
    ("MeanSquaredLogarithmicError", {}, REAL),
    ("Huber", {}, REAL),
    ("Huber", dict(delta=0.3), REAL),
    ("LogCosh", {}, REAL),
    ("LogCosh", {}, (REAL[0] * 100, REAL[1] * 100)),
    ("CosineSimilarity", {}, REAL),
    ("CosineSimilarity", dict(axis=1), REAL),
    ("Poisson", {}, POSITIVE),
    ("KLDivergence", {}, PROBABILITIES),
    ("KLDivergence", {}, HARD),
    ("Hinge", {}, SIGNS),
    ("Hinge", {}, BINARY_LOGITS),
    ("SquaredHinge", {}, SIGNS),
    ("SquaredHinge", {}, BINARY_LOGITS),
    ("CategoricalHinge", {}, ONE_HOT_LOGITS),
    ("BinaryCrossentropy", {}, BINARY),
    ("BinaryCrossentropy", {}, HARD),
    ("BinaryCrossentropy", dict(from_logits=True), BINARY_LOGITS),
    ("BinaryCrossentropy", dict(label_smoothing=0.1, axis=1), BINARY),
    ("BinaryFocalCrossentropy", {}, BINARY),
    ("BinaryFocalCrossentropy", dict(apply_class_balancing=True, alpha=0.3, gamma=1.5), BINARY),
    ("BinaryFocalCrossentropy", dict(from_logits=True, label_smoothing=0.1), BINARY_LOGITS),
    ("CategoricalCrossentropy", {}, ONE_HOT),
    ("CategoricalCrossentropy", {}, HARD),
    ("CategoricalCrossentropy", {}, (ONE_HOT[0], POSITIVE[1])),
    ("CategoricalCrossentropy", dict(from_logits=True), ONE_HOT_LOGITS),
    ("CategoricalCrossentropy", dict(from_logits=True, label_smoothing=0.2), ONE_HOT_LOGITS),
    ("CategoricalCrossentropy", dict(from_logits=True, axis=1), ONE_HOT_LOGITS),
    ("CategoricalCrossentropy", dict(label_smoothing=0.2), ONE_HOT),
    ("CategoricalFocalCrossentropy", {}, ONE_HOT),
    ("CategoricalFocalCrossentropy", dict(alpha=0.4, gamma=1.0, label_smoothing=0.1), ONE_HOT),
    ("CategoricalFocalCrossentropy", dict(from_logits=True), ONE_HOT_LOGITS),
    ("SparseCategoricalCrossentropy", {}, SPARSE),
    ("SparseCategoricalCrossentropy", {}, (LABELS, HARD[1])),
    ("SparseCategoricalCrossentropy", {}, (LABELS[..., None], PROBABILITIES[1])),
    ("SparseCategoricalCrossentropy", {}, (LABELS.astype("float32"), PROBABILITIES[1])),
    ("SparseCategoricalCrossentropy", {}, (LABELS, POSITIVE[1])),
    ("SparseCategoricalCrossentropy", {}, (LABELS, np.zeros((4, 3, 5), "float32"))),
    ("SparseCategoricalCrossentropy", dict(from_logits=True), SPARSE_LOGITS),
    ("SparseCategoricalCrossentropy", dict(ignore_class=2), SPARSE),
    ("SparseCategoricalCrossentropy", dict(ignore_class=-1, from_logits=True), (LABELS - (LABELS == 0), REAL[1])),
    ("CategoricalGeneralizedCrossEntropy", {}, SPARSE),
    ("CategoricalGeneralizedCrossEntropy", dict(q=0.2), SPARSE),
    ("Dice", {}, BINARY),
    ("Dice", dict(axis=(1, 2)), BINARY),
    ("Tversky", {}, BINARY),
    ("Tversky", dict(alpha=0.3, beta=0.6, axis=(1, 2)), BINARY),
    ("Circle", {}, EMBEDDINGS),
    ("Circle", dict(gamma=10.0, margin=0.2, remove_diagonal=False), EMBEDDINGS),
]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]


def value_and_gradient(loss, y_true, y_pred, tape_class, tensor, **kwargs):
    y_pred = tensor(y_pred)
    with tape_class() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred, **kwargs)
    return np.asarray(value), np.asarray(tape.gradient(value, y_pred))


def compare(name, options, data, **kwargs):
    pair = []
    for module, tape, tensor in (
        (ours, GradientTape, convert_to_tensor),
        (theirs, tf.GradientTape, tf.convert_to_tensor),
    ):
        loss = getattr(module, name)(**options)
        pair.append(value_and_gradient(loss, *data, tape, tensor, **kwargs))
    (value, gradient), (expected_value, expected_gradient) = pair
    assert value.dtype == expected_value.dtype and value.shape == expected_value.shape
    np.testing.assert_allclose(value, expected_value, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name, options, data", ROWS, ids=lambda x: str(x)[:50] if not isinstance(x, tuple) else "")
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_value_and_gradient(name, options, data, weighted):
    if weighted and options.get("axis") == (1, 2) or name == "Dice":
        weighted = False
    weights = np.array([1.0, 0.5, 0.0, 2.0], "float32")
    shape = np.shape(np.asarray(getattr(theirs, name)(**options, reduction="none")(*data)))
    weights = weights.reshape((4,) + (1,) * (len(shape) - 1)) if len(shape) else np.float32(0.5)
    compare(name, options, data, **({"sample_weight": weights} if weighted else {}))


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
@pytest.mark.parametrize("weights", [None, (4,), (4, 1), (4, 3), (4, 3, 1), ()], ids=str)
@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
def test_reduction(reduction, weights, masked):
    y_true, y_pred = REAL
    if weights == (4,):
        y_true, y_pred = y_true[:, 0], y_pred[:, 0]
    weights = None if weights is None else RNG.uniform(size=weights).astype("float32")
    mask = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 1]], "bool")
    results = []
    for module, tensor in ((ours, convert_to_tensor), (theirs, tf.convert_to_tensor)):
        predicted = tensor(y_pred)
        if masked:
            predicted._keras_mask = tensor(mask if y_pred.ndim == 3 else mask[:, 0])
        results.append(np.asarray(module.MeanSquaredError(reduction=reduction)(y_true, predicted, weights)))
    assert results[0].shape == results[1].shape
    np.testing.assert_allclose(*results, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("y_true, y_pred", [((4,), (4, 1)), ((4, 1), (4,)), ((4, 3), (4, 3, 1)), ((4, 3, 1), (4, 3))])
def test_ranks_that_differ_by_one(y_true, y_pred):
    y_true, y_pred = RNG.normal(size=y_true).astype("float32"), RNG.normal(size=y_pred).astype("float32")
    for reduction in ("none", "sum"):
        got, want = (m.MeanSquaredError(reduction=reduction)(y_true, y_pred) for m in (ours, theirs))
        np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_dtype(dtype):
    loss = ours.MeanSquaredError(dtype=dtype)
    assert loss.dtype == dtype and loss(*REAL).dtype == dtype


@pytest.mark.parametrize("name", ["CategoricalCrossentropy", "BinaryCrossentropy", "MeanSquaredError"])
def test_nan_stays_nan(name):
    y_true, y_pred = ONE_HOT[0].copy(), ONE_HOT[1].copy()
    y_true[0, 0, 0] = np.nan
    y_pred[1, 0, 0] = np.nan
    got, want = (np.asarray(getattr(m, name)(reduction="none")(y_true, y_pred)) for m in (ours, theirs))
    assert np.isnan(got[0]).any() and np.isnan(got[1]).any()
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))


@pytest.mark.parametrize(
    "activation, name", [("softmax", "CategoricalCrossentropy"), ("sigmoid", "BinaryCrossentropy")]
)
def test_logits_behind_an_activation_are_used(activation, name):
    activations = pytest.importorskip("kerasish.activations")
    logits = REAL[1] * 60
    got = getattr(ours, name)()(ONE_HOT[0], getattr(activations, activation)(convert_to_tensor(logits)))
    want = getattr(theirs, name)()(ONE_HOT[0], getattr(keras.activations, activation)(tf.convert_to_tensor(logits)))
    np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=2e-6)


CLASSES = sorted(n for n in dir(theirs) if inspect.isclass(getattr(theirs, n)))
FUNCTIONS = sorted(n for n in dir(theirs) if inspect.isfunction(getattr(theirs, n)))


@pytest.mark.parametrize("name", CLASSES)
def test_class_has_keras_signature_and_config(name):
    mine, reference = getattr(ours, name), getattr(theirs, name)
    assert parameters(mine) == parameters(reference)
    got, want = mine(name="n"), reference(name="n")
    assert got.get_config() == want.get_config()
    assert ours.serialize(got) == theirs.serialize(want)
    assert ours.deserialize(theirs.serialize(want)).get_config() == want.get_config()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_keras_signature(name):
    assert parameters(getattr(ours, name)) == parameters(getattr(theirs, name))


def parameters(f):
    return [(p.name, p.default) for p in inspect.signature(f).parameters.values()]


ALIASES = "mse MSE mae MAE mape MAPE msle MSLE bce BCE kld KLD mean_squared_error MeanSquaredError huber ctc".split()


@pytest.mark.parametrize("alias", ALIASES)
def test_get(alias):
    got, want = ours.get(alias), theirs.get(alias)
    name = lambda loss: getattr(loss, "__name__", type(loss).__name__)
    assert name(got) == name(want)
    assert ours.get(ours.get(alias)) is not None


def test_get_of_other_things():
    function = lambda y_true, y_pred: y_pred
    assert ours.get(None) is None and ours.get(function) is function
    assert isinstance(ours.get(ours.MeanSquaredError), ours.MeanSquaredError)
    for identifier in ("no_such_loss", 3):
        with pytest.raises(ValueError, match="Could not interpret loss identifier"):
            ours.get(identifier)


ERRORS = [
    (lambda m: m.MeanSquaredError(reduction="median"), "reduction"),
    (lambda m: m.CategoricalGeneralizedCrossEntropy(q=1.0), "q must be"),
    (lambda m: m.CategoricalCrossentropy(axis=True)(*ONE_HOT), "`axis` must be of type `int`"),
    (lambda m: m.CategoricalCrossentropy()(ONE_HOT[0][..., :4], ONE_HOT[1]), "same shape"),
    (lambda m: m.SparseCategoricalCrossentropy()(LABELS[:2], ONE_HOT[1]), "same shape"),
    (lambda m: m.BinaryCrossentropy()(BINARY[0][:2], BINARY[1]), "same shape"),
    (lambda m: m.ctc(np.ones((2,)), np.ones((2, 3, 4))), "y_true"),
    (lambda m: m.ctc(np.ones((2, 3)), np.ones((2, 3))), "y_pred"),
]


@pytest.mark.parametrize("action, text", ERRORS, ids=[text for _, text in ERRORS])
def test_errors(action, text):
    with pytest.raises(ValueError):
        action(theirs)
    with pytest.raises(ValueError, match=text):
        action(ours)


@pytest.mark.parametrize("label", [-1, 5])
def test_a_label_out_of_range_is_an_error(label):
    labels = LABELS.copy()
    labels[1, 1] = label
    with pytest.raises(ValueError, match=f"label value of {label} which is outside the valid range"):
        ours.SparseCategoricalCrossentropy()(labels, ONE_HOT[1])


def test_one_class_is_warned_about():
    one = np.ones((4, 1), "float32")
    with pytest.warns(SyntaxWarning, match="num_classes > 1"):
        ours.CategoricalCrossentropy()(one, one)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.CategoricalCrossentropy()(*ONE_HOT)


def test_structures():
    class Sum(ours.Loss):
        def call(self, y_true, y_pred):
            return ops.sum(y_pred["a"] - y_true["a"], axis=-1) + ops.sum(y_pred["b"][0], axis=-1)

    ones = np.ones((2, 3))
    value = Sum()({"a": ones, "b": [ones]}, {"a": ones, "b": [ones]})
    assert float(value) == 3 and value.dtype == "float32"


def test_lists_of_numbers():
    assert float(ours.MeanSquaredError()([[0.0, 2.0]], [[1.0, 0.0]])) == 2.5
    assert float(ours.mean_squared_error([1, 2], [2.0, 4.0])) == 2.5


def test_custom_loss_needs_call():
    with pytest.raises(NotImplementedError, match="call"):
        ours.Loss()(*REAL)
