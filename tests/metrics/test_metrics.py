"""Every metric over several batches, beside real Keras."""

import inspect

import numpy as np
import pytest

import kerasish.metrics as ours
from kerasish.core.tensor import convert_to_tensor
from kerasish.core.variable import Variable

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
theirs = keras.metrics


def softmax(x):
    e = np.exp(x)
    return (e / e.sum(-1, keepdims=True)).astype("float32")


def real(rng):
    return rng.normal(size=(6, 4)).astype("float32"), rng.normal(size=(6, 4)).astype("float32")


def cube(rng):
    return rng.normal(size=(6, 3, 4)).astype("float32"), rng.normal(size=(6, 3, 4)).astype("float32")


def positive(rng):
    return tuple(np.abs(x) + 0.1 for x in real(rng))


def simplex(rng):
    return tuple(softmax(x) for x in real(rng))


def one_hot(rng):
    return np.eye(4, dtype="float32")[rng.integers(0, 4, size=6)], softmax(rng.normal(size=(6, 4)))


def sparse(rng):
    return rng.integers(0, 4, size=6), softmax(rng.normal(size=(6, 4)))


def sparse_column(rng):
    return rng.integers(0, 4, size=(6, 1)), softmax(rng.normal(size=(6, 4)))


def sparse_sequence(rng):
    return rng.integers(0, 4, size=(6, 3)), softmax(rng.normal(size=(6, 3, 4)))


def classes(rng):
    return rng.integers(0, 4, size=(6, 3)), rng.integers(0, 4, size=(6, 3))


def ids(rng):
    return rng.integers(0, 4, size=6), np.argsort(rng.normal(size=(6, 4))).astype("int32")


def binary(rng):
    return rng.integers(0, 2, size=6).astype("float32"), rng.uniform(size=6).astype("float32")


def binary_column(rng):
    return rng.integers(0, 2, size=(6, 1)).astype("float32"), rng.uniform(size=(6, 1)).astype("float32")


def many(rng):
    return rng.integers(0, 2, size=(6, 4)).astype("float32"), rng.uniform(size=(6, 4)).astype("float32")


def rounded(rng):
    return rng.integers(0, 2, size=(40,)).astype("float32"), rng.integers(0, 5, size=(40,)).astype("float32") / 4


def logits(rng):
    return rng.integers(0, 2, size=(6, 4)).astype("float32"), rng.normal(size=(6, 4)).astype("float32")


ROWS = [
    ("MeanSquaredError", {}, real),
    ("MeanSquaredError", {}, cube),
    ("MeanSquaredError", dict(dtype="float64"), real),
    ("RootMeanSquaredError", {}, real),
    ("RootMeanSquaredError", {}, cube),
    ("MeanAbsoluteError", {}, real),
    ("MeanAbsolutePercentageError", {}, real),
    ("MeanSquaredLogarithmicError", {}, positive),
    ("LogCoshError", {}, real),
    ("CosineSimilarity", {}, real),
    ("CosineSimilarity", dict(axis=1), cube),
    ("PearsonCorrelation", {}, real),
    ("ConcordanceCorrelation", {}, real),
    ("PearsonCorrelation", dict(axis=1), cube),
    ("KLDivergence", {}, simplex),
    ("Poisson", {}, positive),
    ("Hinge", {}, logits),
    ("SquaredHinge", {}, real),
    ("CategoricalHinge", {}, one_hot),
    ("BinaryCrossentropy", {}, many),
    ("BinaryCrossentropy", dict(from_logits=True, label_smoothing=0.1), logits),
    ("CategoricalCrossentropy", {}, one_hot),
    ("CategoricalCrossentropy", dict(label_smoothing=0.1), one_hot),
    ("SparseCategoricalCrossentropy", {}, sparse),
    ("SparseCategoricalCrossentropy", {}, sparse_sequence),
    ("SparseCategoricalCrossentropy", dict(ignore_class=1), sparse_sequence),
    ("Accuracy", {}, classes),
    ("BinaryAccuracy", {}, binary),
    ("BinaryAccuracy", dict(threshold=0.3), many),
    ("CategoricalAccuracy", {}, one_hot),
    ("SparseCategoricalAccuracy", {}, sparse),
    ("SparseCategoricalAccuracy", {}, sparse_column),
    ("SparseCategoricalAccuracy", {}, sparse_sequence),
    ("TopKCategoricalAccuracy", dict(k=2), one_hot),
    ("SparseTopKCategoricalAccuracy", dict(k=2), sparse),
    ("SparseTopKCategoricalAccuracy", dict(k=2), sparse_column),
    ("SparseTopKCategoricalAccuracy", dict(k=2), sparse_sequence),
    ("SparseTopKCategoricalAccuracy", dict(k=2, from_sorted_ids=True), ids),
    ("TruePositives", {}, binary),
    ("TrueNegatives", dict(thresholds=[0.2, 0.7]), many),
    ("FalsePositives", dict(thresholds=0.3), many),
    ("FalseNegatives", dict(thresholds=[0.0, 0.5, 1.0]), rounded),
    ("Precision", {}, binary),
    ("Precision", {}, binary_column),
    ("Precision", dict(thresholds=[0.2, 0.5, 0.7]), many),
    ("Precision", dict(thresholds=[0.0, 0.25, 0.5, 0.75, 1.0]), rounded),
    ("Precision", dict(top_k=2), many),
    ("Precision", dict(top_k=2, class_id=1), many),
    ("Precision", dict(class_id=2, thresholds=0.4), many),
    ("Recall", {}, many),
    ("Recall", dict(top_k=3, thresholds=0.4), many),
    ("Recall", dict(class_id=0), many),
    ("SensitivityAtSpecificity", dict(specificity=0.6, num_thresholds=20), many),
    ("SensitivityAtSpecificity", dict(specificity=0.5, num_thresholds=1), many),
    ("SpecificityAtSensitivity", dict(sensitivity=0.6), many),
    ("PrecisionAtRecall", dict(recall=0.6), many),
    ("PrecisionAtRecall", dict(recall=0.6, class_id=1), many),
    ("RecallAtPrecision", dict(precision=0.6), many),
    ("RecallAtPrecision", dict(precision=1.0, num_thresholds=5), rounded),
    ("AUC", {}, binary),
    ("AUC", {}, binary_column),
    ("AUC", {}, many),
    ("AUC", {}, rounded),
    ("AUC", dict(curve="PR"), many),
    ("AUC", dict(curve="PRGAIN"), many),
    ("AUC", dict(curve="PR", summation_method="minoring", num_thresholds=7), many),
    ("AUC", dict(curve="ROC", summation_method="majoring", num_thresholds=7), many),
    ("AUC", dict(thresholds=[0.2, 0.3, 0.9]), many),
    ("AUC", dict(thresholds=[0.25, 0.5, 0.75]), rounded),
    ("AUC", dict(multi_label=True), many),
    ("AUC", dict(multi_label=True, num_labels=4, curve="PR", label_weights=[0.1, 0.2, 0.3, 1.0]), many),
    ("AUC", dict(multi_label=True, thresholds=[0.2, 0.6]), many),
    ("AUC", dict(label_weights=[0.1, 0.2, 0.3, 1.0]), many),
    ("AUC", dict(from_logits=True), logits),
    ("IoU", dict(num_classes=4, target_class_ids=[0, 2]), classes),
    ("IoU", dict(num_classes=4, target_class_ids=[1], sparse_y_pred=False, axis=-1), sparse_sequence),
    ("MeanIoU", dict(num_classes=4), classes),
    ("MeanIoU", dict(num_classes=4, ignore_class=1), classes),
    ("MeanIoU", dict(num_classes=6), classes),
    ("BinaryIoU", {}, many),
    ("BinaryIoU", dict(threshold=0.3, target_class_ids=[1]), many),
    ("OneHotIoU", dict(num_classes=4, target_class_ids=[0, 3]), one_hot),
    ("OneHotMeanIoU", dict(num_classes=4), one_hot),
    ("F1Score", {}, one_hot),
    ("F1Score", dict(average="micro"), one_hot),
    ("F1Score", dict(average="macro", threshold=0.5), many),
    ("FBetaScore", dict(beta=2.0, average="weighted", threshold=0.4), many),
    ("R2Score", {}, real),
    ("R2Score", dict(class_aggregation=None), real),
    ("R2Score", dict(class_aggregation="variance_weighted_average", num_regressors=2), real),
]


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


def options_of(cls):
    wanted = [
        p
        for p in inspect.signature(cls).parameters.values()
        if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD
    ]
    samples = {"num_classes": 3, "target_class_ids": [0, 1], "fn": None}
    return {p.name: samples.get(p.name, 0.5) for p in wanted}


CLASSES = sorted(n for n in dir(theirs) if inspect.isclass(getattr(theirs, n)))
FUNCTIONS = sorted(n for n in dir(theirs) if inspect.isfunction(getattr(theirs, n)))


@pytest.mark.parametrize("name", CLASSES)
def test_class_has_keras_signature_and_config(name):
    mine, reference = getattr(ours, name), getattr(theirs, name)
    assert parameters(mine) == parameters(reference)
    if name == "MeanMetricWrapper":
        return
    got, want = mine(**options_of(mine), name="n"), reference(**options_of(reference), name="n")
    assert got.get_config() == want.get_config()
    assert ours.serialize(got) == theirs.serialize(want)
    assert ours.deserialize(theirs.serialize(want)).get_config() == want.get_config()
    assert repr(got) == repr(want)


@pytest.mark.parametrize("name", CLASSES)
def test_options_survive_the_config(name):
    for row, options, _ in ROWS:
        if row == name and "label_weights" not in options:
            metric = getattr(ours, name)(**options)
            config = metric.get_config()
            assert config == getattr(theirs, name)(**options, name=metric.name).get_config()
            assert getattr(ours, name).from_config(config).get_config() == config


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_keras_signature(name):
    assert parameters(getattr(ours, name)) == parameters(getattr(theirs, name))


def parameters(f):
    return [(p.name, p.default) for p in inspect.signature(f).parameters.values()]


ALIASES = "acc accuracy Accuracy bce BCE mse MSE mae MAPE msle rmse kl_divergence auc AUC precision r2_score sum huber"


@pytest.mark.parametrize("alias", ALIASES.split())
def test_get(alias):
    try:
        want = type(theirs.get(alias)).__name__
    except ValueError:
        with pytest.raises(ValueError, match="Could not interpret metric identifier"):
            ours.get(alias)
    else:
        assert type(ours.get(alias)).__name__ == want


def test_get_of_other_things():
    function = lambda y_true, y_pred: y_pred
    assert ours.get(None) is None and ours.get(function) is function
    assert isinstance(ours.get(ours.Mean), ours.Mean)
    with pytest.raises(ValueError, match="Could not interpret"):
        ours.get(3)


ERRORS = [
    lambda m: m.AUC(num_thresholds=1),
    lambda m: m.AUC(curve="x"),
    lambda m: m.AUC(summation_method="x"),
    lambda m: m.AUC(num_labels=2),
    lambda m: m.AUC(multi_label=True).update_state(np.ones(3), np.ones(3)),
    lambda m: m.Precision(thresholds=2.0),
    lambda m: m.Precision(thresholds=[None]),
    lambda m: m.TruePositives(thresholds=[-1]),
    lambda m: m.SensitivityAtSpecificity(2.0),
    lambda m: m.SensitivityAtSpecificity(0.5, num_thresholds=0),
    lambda m: m.PrecisionAtRecall(-1.0),
    lambda m: m.RecallAtPrecision(3),
    lambda m: m.FBetaScore(average="x"),
    lambda m: m.FBetaScore(beta=0),
    lambda m: m.FBetaScore(beta=-1.0),
    lambda m: m.FBetaScore(threshold="a"),
    lambda m: m.FBetaScore(threshold=2.0),
    lambda m: m.F1Score().update_state(np.ones(3), np.ones(3)),
    lambda m: m.R2Score(class_aggregation="x"),
    lambda m: m.R2Score(num_regressors=-1),
    lambda m: m.R2Score().update_state(np.ones((3, 1)), np.ones((3, 1, 2))),
    lambda m: m.IoU(2, (2,)),
    lambda m: m.Metric().result(),
    lambda m: m.Metric().update_state(),
    lambda m: m.Mean().stateless_update_state([1], 3.0),
    lambda m: m.Mean().stateless_result([1]),
]


@pytest.mark.parametrize("action", ERRORS, ids=range(len(ERRORS)))
def test_errors(action):
    with pytest.raises(Exception) as want:
        action(theirs)
    with pytest.raises(want.type):
        action(ours)


def test_stateless():
    metric = ours.Mean()
    state = metric.stateless_reset_state()
    state = metric.stateless_update_state(state, [1.0, 2.0])
    state = metric.stateless_update_state(state, [6.0])
    assert float(metric.stateless_result(state)) == 3 and float(metric.result()) == 0


def test_result_does_not_change_with_later_updates():
    for metric in (ours.Sum(), ours.Mean()):
        first = metric(1.0)
        metric.update_state(10.0)
        assert float(first) == 1.0


def test_state_in_attributes_is_found():
    class Both(ours.Metric):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.precision = ours.Precision(name="p")
            self.seen = self.add_weight(name="seen", initializer="zeros")
            self.factor = Variable(2.0, name="factor")

        def update_state(self, values):
            self.seen.assign_add(values)

        def result(self):
            return self.seen * 2

    metric = Both(name="both")
    assert [v.path for v in metric.variables] == ["both/seen", "factor", "p/true_positives", "p/false_positives"]
    assert float(metric(3.0)) == 6
    metric.reset_state()
    assert float(metric.result()) == 0


def test_wrapped_function_round_trip():
    metric = ours.MeanMetricWrapper(ours.mean_squared_error, name="w")
    again = ours.deserialize(ours.serialize(metric))
    assert float(again([1.0, 2.0], [1.0, 4.0])) == 2.0
    assert metric.get_config() == theirs.MeanMetricWrapper(theirs.mean_squared_error, name="w").get_config()


def test_adjusted_r2_falls_back():
    metric = ours.R2Score(num_regressors=5)
    metric.update_state(np.arange(6.0).reshape(3, 2), np.ones((3, 2)))
    with pytest.warns(UserWarning, match="Falling back to standard R2 score"):
        metric.result()
