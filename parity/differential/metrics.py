"""One metric: several batches with and without weights, its state, its configuration."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import array, booleans, made, one, some, with_required
from parity.differential.outcome import as_json, attempt, plain
from parity.differential.subject import subject


def run(keras, data):
    """Results after each batch, the state, and what is left after a reset."""
    metric = getattr(keras.metrics, data["metric"])(**data["arguments"])
    out = {"config": as_json(metric.get_config()), "empty": attempt(lambda: plain(metric.result())), "results": []}
    for batch in data["batches"]:
        weight = made(batch["weight"]) if batch["weight"] is not None else None
        given = [made(batch[k]) for k in ("y_true", "y_pred") if k in batch]
        metric.update_state(*given, sample_weight=weight)
        out["results"].append(plain(metric.result()))
    out["variables"] = [[v.name, v.dtype, plain(v)] for v in metric.variables]
    metric.reset_state()
    out["reset"] = plain(metric.result())
    out["again"] = as_json(type(metric).from_config(metric.get_config()).get_config())
    return out


def _weights(shape):
    """Weights for values of some shape: none, one a row, one each."""
    forms = [shape[:1], shape[:-1], shape]
    return st.one_of(st.none(), *[array(form, values=one("unit", "bits")) for form in forms])


@st.composite
def batch(draw, shape, truth, guess, sparse, true_dtypes):
    """Data of one call."""
    true_shape = draw(one(shape[:-1], (*shape[:-1], 1))) if sparse else shape
    return {
        "y_true": draw(array(true_shape, one(*true_dtypes), one(truth), classes=st.just(shape[-1]))),
        "y_pred": draw(array(shape, one("float32", "float32", "float64"), one(*guess.split()), classes=st.just(3))),
        "weight": draw(_weights(true_shape if sparse and true_shape else shape)),
    }


@st.composite
def calls(
    draw, name, truth, guess, arguments, ranks=(2, 3), width=(3, 4, 1), sparse=False, dtypes=("float32", "int32")
):
    """Data of some calls of one metric."""
    rank = draw(one(*ranks))
    rows = [draw(one(4, 2, 1)) for _ in range(rank - 1)]
    shape = (*rows, draw(one(*width)))
    made_of = batch(shape, truth, guess, sparse, dtypes)
    return {
        "metric": name,
        "arguments": draw(arguments),
        "batches": draw(st.lists(made_of, min_size=1, max_size=3)),
    }


def metric(name, truth, guess, arguments=None, required=None, **options):
    """A subject: a metric, what its targets and predictions are, the strategies of its arguments."""
    arguments = with_required(required or {}, {"name": one("mine"), **(arguments or {})})
    subject("metrics", name, calls(name, truth, guess, arguments, **options), run)


REAL = {"dtypes": ("float32", "float64")}
for name in (
    "MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError RootMeanSquaredError CosineSimilarity LogCoshError"
).split():
    metric(name, "normal", "normal", **REAL)
metric("MeanSquaredLogarithmicError", "positive", "positive", **REAL)
metric("Poisson", "positive", "positive", **REAL)
metric("KLDivergence", "probabilities", "probabilities", **REAL)
metric("Hinge", "signs", "normal")
metric("SquaredHinge", "bits", "normal")
metric("CategoricalHinge", "one_hot", "normal")
metric(
    "R2Score",
    "normal",
    "normal",
    {"class_aggregation": one("uniform_average", "variance_weighted_average", None)},
    ranks=(2,),
    **REAL,
)
metric("PearsonCorrelation", "normal", "normal", {"axis": one(-1)}, ranks=(2,), width=(4, 3), **REAL)
metric("ConcordanceCorrelation", "normal", "normal", {"axis": one(-1)}, ranks=(2,), width=(4, 3), **REAL)
metric("Accuracy", "ties", "ties", ranks=(2, 1, 3), width=(3, 1))
metric("BinaryAccuracy", "bits", "unit", {"threshold": one(0.5, 0.2)}, ranks=(2, 1, 3))
metric("CategoricalAccuracy", "one_hot", "probabilities normal")
metric("TopKCategoricalAccuracy", "one_hot", "probabilities normal ties", {"k": one(1, 2, 5)}, ranks=(2,))
LABELS = {"sparse": True, "dtypes": ("int32", "float32", "int64")}
metric("SparseCategoricalAccuracy", "labels", "probabilities normal", **LABELS)
metric("SparseTopKCategoricalAccuracy", "labels", "probabilities ties", {"k": one(1, 2, 5)}, ranks=(2,), **LABELS)
metric("SparseCategoricalCrossentropy", "labels", "probabilities", {"from_logits": booleans}, **LABELS)
metric("CategoricalCrossentropy", "one_hot", "probabilities", {"from_logits": booleans, "label_smoothing": one(0, 0.2)})
metric("BinaryCrossentropy", "bits", "unit", {"from_logits": booleans, "label_smoothing": one(0, 0.2)})
THRESHOLDS = {"thresholds": one(None, 0.3, [0.2, 0.5, 0.9])}
for name in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"):
    metric(name, "bits", "unit", THRESHOLDS, ranks=(2, 1, 3))
for name in ("Precision", "Recall"):
    metric(
        name,
        "bits",
        "unit",
        THRESHOLDS | {"top_k": one(None, 1, 2), "class_id": one(None, 0)},
        ranks=(2,),
        width=(3, 4),
    )
SCORES = {"average": one(None, "micro", "macro", "weighted"), "threshold": one(None, 0.5)}
metric("F1Score", "one_hot", "unit", SCORES, ranks=(2,), width=(3, 4), dtypes=("float32",))
metric(
    "FBetaScore",
    "one_hot",
    "unit",
    SCORES | {"beta": one(1.0, 2.0, 0.5)},
    ranks=(2,),
    width=(3, 4),
    dtypes=("float32",),
)
metric(
    "AUC",
    "bits",
    "unit",
    {
        "num_thresholds": one(200, 5, 17),
        "curve": one("ROC", "PR"),
        "summation_method": one("interpolation", "majoring", "minoring"),
        "from_logits": booleans,
        "multi_label": booleans,
    },
    ranks=(2,),
)
for name, argument in (
    ("PrecisionAtRecall", "recall"),
    ("RecallAtPrecision", "precision"),
    ("SensitivityAtSpecificity", "specificity"),
    ("SpecificityAtSensitivity", "sensitivity"),
):
    required = {argument: one(0.5, 0.1, 0.9)}
    metric(name, "bits", "unit", {"num_thresholds": one(200, 5, 1), "class_id": one(None, 0)}, required, ranks=(2,))


@st.composite
def classes(draw, name, required, sparse):
    """Data of an intersection over union: labels, or one-hot rows of them."""
    n = draw(one(3, 2, 4))
    shape = tuple(draw(st.lists(one(3, 2, 1), min_size=1, max_size=2)))
    labels = array(shape, one("int32", "float32"), one("labels"), classes=st.just(n))
    rows = array((*shape, n), one("float32"), one("one_hot"))
    guesses = array((*shape, n), one("float32"), one("probabilities"))
    one_batch = st.fixed_dictionaries(
        {
            "y_true": labels if sparse else rows,
            "y_pred": labels if sparse else guesses,
            "weight": st.one_of(st.none(), array(shape, values=one("unit"))),
        }
    )
    arguments = {"num_classes": n, **draw(some(ignore_class=one(None, 0, -1)))}
    if required:
        arguments["target_class_ids"] = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=2, unique=True))
    return {"metric": name, "arguments": arguments, "batches": draw(st.lists(one_batch, min_size=1, max_size=2))}


for name, required, sparse in (
    ("IoU", True, True),
    ("MeanIoU", False, True),
    ("OneHotIoU", True, False),
    ("OneHotMeanIoU", False, False),
):
    subject("metrics", name, classes(name, required, sparse), run)

metric(
    "BinaryIoU", "bits", "unit", {"target_class_ids": one([0, 1], [0], [1]), "threshold": one(0.5, 0.2)}, ranks=(1, 2)
)


@st.composite
def values(draw, name):
    """Data of a mean or a sum of values."""
    shape = tuple(draw(st.lists(one(3, 1), max_size=2)))
    batch = st.fixed_dictionaries(
        {
            "y_true": array(shape, one("float32", "int32", "bool"), one("ties", "normal")),
            "weight": st.one_of(st.none(), array(shape, values=one("unit"))),
        }
    )
    return {"metric": name, "arguments": {}, "batches": draw(st.lists(batch, min_size=1, max_size=3))}


for name in ("Mean", "Sum"):
    subject("metrics", name, values(name), run)
