"""How weights of different ranks meet the labels of counting metrics, and what single samples and configs give."""

import numpy as np
import pytest

import kerasish

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(0)
COUNTING = ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives", "Precision", "AUC")
WEIGHTS = {
    (4,): [(), (1,), (4,)],
    (4, 3): [(), (1,), (4,), (4, 1), (4, 3), (1, 3)],
    (4, 4, 3): [(), (1,), (4,), (4, 1), (4, 4), (4, 4, 1), (4, 4, 3)],
    (3, 4, 2): [(4,), (1, 4), (3, 1), (3, 4)],
}
ROWS = [(name, shape, weight) for name in COUNTING for shape, weights in WEIGHTS.items() for weight in weights]


@pytest.mark.parametrize("name, shape, weight", ROWS, ids=str)
def test_counts(name, shape, weight):
    y_true, y_pred = RNG.integers(0, 2, shape).astype("float32"), RNG.random(shape).astype("float32")
    weights, found = RNG.random(weight).astype("float32"), []
    for k in (keras, kerasish):
        metric = getattr(k.metrics, name)(name="m")
        metric.update_state(y_true, y_pred, sample_weight=weights)
        found.append(np.asarray(metric.result()))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", COUNTING)
def test_weights_that_do_not_fit(name):
    with pytest.raises(ValueError, match="broadcast"):
        getattr(kerasish.metrics, name)().update_state(np.ones((4, 5, 3)), np.ones((4, 5, 3)), sample_weight=np.ones(4))


def test_config_keeps_the_number_of_labels_that_was_given():
    for given in (None, 3):
        configs = []
        for k in (keras, kerasish):
            metric = k.metrics.AUC(multi_label=True, num_labels=given, name="m")
            metric.update_state(np.eye(3, dtype="float32"), np.full((3, 3), 0.4, "float32"))
            configs.append(metric.get_config())
        assert configs[0] == configs[1]


@pytest.mark.parametrize("seed", range(20))
def test_r2_score_of_one_weighted_sample(seed):
    """Whose variance is 0 or a rounding error, by the order of the products."""
    rng = np.random.default_rng(seed)
    y_true, y_pred = (rng.standard_normal((1, 3)).astype("float32") for _ in range(2))
    weight, found = rng.random(1).astype("float32"), []
    for k in (keras, kerasish):
        metric = k.metrics.R2Score(class_aggregation=None)
        metric.update_state(y_true, y_pred, sample_weight=weight)
        found.append(np.asarray(metric.result()))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4)


OF_DTYPES = {
    "TruePositives": {},
    "Precision": {"thresholds": [0.2, 0.5]},
    "AUC": {"from_logits": True},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "R2Score": {},
    "F1Score": {},
    "MeanSquaredError": {},
    "IoU": {"num_classes": 2, "target_class_ids": [0, 1]},
}


@pytest.mark.parametrize("dtype", ["float64", "float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", OF_DTYPES)
def test_dtypes_of_state_and_result(name, dtype):
    """Counts are of the default float, unless the metric makes its state in its own dtype."""
    found = []
    for k in (keras, kerasish):
        metric = getattr(k.metrics, name)(**OF_DTYPES[name], name="m", dtype=dtype)
        metric.update_state(np.eye(3, dtype="float32"), np.eye(3, dtype="float32") * 0.75)
        found.append([metric.result().numpy().dtype, [(v.path, v.dtype, tuple(v.shape)) for v in metric.variables]])
    assert found[0] == found[1]


@pytest.mark.parametrize("thresholds", [[0.5], [0.0, 0.5, 1.0], [0.2, 0.5, 0.9]])
def test_labels_that_are_fractions_are_true(thresholds):
    found = []
    for k in (keras, kerasish):
        metric = k.metrics.TruePositives(thresholds=thresholds)
        metric.update_state(np.array([0.0, 0.25, 0.5, 1.0], "float32"), np.array([0.3, 0.6, 0.9, 0.95], "float32"))
        found.append(np.asarray(metric.result()))
    np.testing.assert_array_equal(*found)


def test_f_score_of_one_weight_for_all_is_refused():
    for k in (keras, kerasish):
        with pytest.raises(ValueError):
            k.metrics.F1Score().update_state(np.eye(3), np.eye(3), sample_weight=0.5)
