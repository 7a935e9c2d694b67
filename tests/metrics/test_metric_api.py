"""Names, signatures, configs, state and errors of the metrics, beside real Keras."""

import inspect

import numpy as np
import pytest

import kerasish.metrics as ours
from kerasish.core.variable import Variable

from .rows import ROWS

keras = pytest.importorskip("keras")
theirs = keras.metrics


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


def test_state_in_containers_is_found():
    metric = ours.Mean(name="m")
    metric.more = {"a": [Variable(0.0, name="x"), ours.Sum(name="s")]}
    assert [v.path for v in metric.variables] == ["m/total", "m/count", "x", "s/total"]


def test_float_weights_of_an_integer_metric_are_warned_about():
    with pytest.warns(UserWarning, match="weight is float, but dtype is int"):
        ours.MeanIoU(2).update_state([0, 1], [0, 1], sample_weight=[0.5, 1.5])


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
