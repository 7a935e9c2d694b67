"""One metric: several batches with and without weights, its state, its configuration."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import FLOATS, array, booleans, made, one, some, with_required
from parity.differential.outcome import as_json, attempt, plain
from parity.differential.subject import subject

POLICIES = one(None, None, "float32", "float64", "float16", "mixed_float16", "bfloat16")


def run(keras, data):
    """Results after each batch, the state, and what is left after a reset; a copy of the metric goes without state."""
    metric = getattr(keras.metrics, data["metric"])(**data["arguments"])
    out = {"config": as_json(metric.get_config()), "empty": attempt(lambda: plain(metric.result())), "results": []}
    out["dtypes"] = [str(metric.dtype), [[v.path, v.dtype] for v in metric.variables]]
    given = [_given(keras, batch) for batch in data["batches"]]
    for arguments in given:
        metric.update_state(*arguments[0], **arguments[1])
        out["results"].append(plain(metric.result()))
    out["variables"] = [[v.name, v.dtype, plain(v)] for v in metric.variables]
    metric.reset_state()
    out["reset"] = plain(metric.result())
    out["called"] = plain(metric(*given[0][0], **given[0][1]))
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    out["again"] = as_json(again.get_config())
    if not metric.variables or len(again.variables) != len(metric.variables):
        return out  # one that makes its variables when it sees data
    state = again.variables
    for arguments in given:
        state = again.stateless_update_state(state, *arguments[0], **arguments[1])
    out["without state"] = [plain(state), plain(again.stateless_result(state)), plain(again.variables)]
    out["stateless reset"] = plain(again.stateless_reset_state())
    return out


def _given(keras, batch):
    """The arguments of an update."""
    values = [made(batch[k]) for k in ("y_true", "y_pred") if k in batch]
    if batch.get("mask") is not None:
        values[-1] = keras.ops.convert_to_tensor(values[-1])
        values[-1]._keras_mask = keras.ops.convert_to_tensor(made(batch["mask"]))
    if batch.get("lists"):
        values = [v.tolist() for v in values]
    return values, {"sample_weight": made(batch["weight"]) if batch["weight"] is not None else None}


def _weights(shape):
    """Weights for values of some shape: none, one for all, one a row, one each."""
    forms = [shape[:1], shape[:-1], shape, (), shape[:1], (*shape[:-1], 1)]
    return st.one_of(st.none(), *[array(form, values=one("unit", "bits")) for form in forms])


@st.composite
def batch(draw, shape, truth, guess, sparse, by_row, true_dtypes, pred_dtypes):
    """Data of one call."""
    true_shape = draw(one(shape[:-1], (*shape[:-1], 1))) if sparse else shape
    return {
        "y_true": draw(array(true_shape, one(*true_dtypes), one(truth), classes=st.just(shape[-1]))),
        "y_pred": draw(array(shape, one(*pred_dtypes), one(*guess.split()), classes=st.just(3))),
        "weight": draw(_weights(shape[:-1] if sparse or by_row else shape)),
        "mask": draw(st.one_of(st.none(), st.none(), array(shape[:-1], one("bool"), one("bits")))) if shape else None,
    }


@st.composite
def calls(
    draw,
    name,
    truth,
    guess,
    arguments,
    ranks=(2, 3),
    width=(3, 4, 1),
    sparse=False,
    by_row=True,
    dtypes=("float32", "int32"),
    pred_dtypes=("float32", "float32", *FLOATS),
):
    """Data of some calls of one metric."""
    rank = draw(one(*ranks))
    rows = [draw(one(4, 2, 1)) for _ in range(rank - 1)]
    shape = (*rows, draw(one(*width)))
    made_of = batch(shape, truth, guess, sparse, by_row, dtypes, pred_dtypes)
    return {
        "metric": name,
        "arguments": draw(arguments),
        "batches": draw(st.lists(made_of, min_size=1, max_size=3)),
    }


def metric(name, truth, guess, arguments=None, required=None, **options):
    """A subject: a metric, what its targets and predictions are, the strategies of its arguments."""
    arguments = with_required(required or {}, {"name": one("mine"), "dtype": POLICIES, **(arguments or {})})
    subject("metrics", name, calls(name, truth, guess, arguments, **options), run, halves=True)


REAL = {"dtypes": ("float32", "float64", "float16")}
COUNTED = {"by_row": False}
for name in (
    "MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError RootMeanSquaredError LogCoshError"
).split():
    metric(name, "normal", "normal", **REAL)
metric("CosineSimilarity", "normal", "normal", {"axis": one(-1, 0, 1)}, width=(3, 4), **REAL)  # of one number: 1 or -1
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
    {
        "class_aggregation": one("uniform_average", "variance_weighted_average", None),
        "num_regressors": one(0, 1, 5),
    },
    ranks=(2,),
    **REAL,
)
metric("PearsonCorrelation", "normal", "normal", {"axis": one(-1, 0, 1)}, width=(4, 3), **REAL)
metric("ConcordanceCorrelation", "normal", "normal", {"axis": one(-1, 0, 1)}, width=(4, 3), **REAL)
metric("Accuracy", "ties", "ties", ranks=(2, 1, 3), width=(3, 1), **COUNTED)
metric("BinaryAccuracy", "bits", "unit", {"threshold": one(0.5, 0.2)}, ranks=(2, 1, 3))
metric("CategoricalAccuracy", "one_hot", "probabilities normal")
SINGLE = {"pred_dtypes": ("float32",) * 12 + FLOATS}  # TensorFlow ranks no other floats
metric("TopKCategoricalAccuracy", "one_hot", "probabilities normal ties", {"k": one(1, 2, 5)}, ranks=(2,), **SINGLE)
LABELS = {"sparse": True, "dtypes": ("int32", "float32", "int64")}
metric("SparseCategoricalAccuracy", "labels", "probabilities normal", **LABELS)
metric(
    "SparseTopKCategoricalAccuracy",
    "labels",
    "probabilities ties",
    {"k": one(1, 2, 5)},
    ranks=(2,),
    **LABELS,
    **SINGLE,
)
metric("SparseCategoricalCrossentropy", "labels", "probabilities", {"from_logits": booleans, "axis": one(-1)}, **LABELS)
metric(
    "CategoricalCrossentropy",
    "one_hot",
    "probabilities normal",
    {"from_logits": booleans, "label_smoothing": one(0, 0.2), "axis": one(-1, 1)},
)
metric("BinaryCrossentropy", "bits", "unit", {"from_logits": booleans, "label_smoothing": one(0, 0.2)})
THRESHOLDS = {"thresholds": one(None, 0.3, [0.2, 0.5, 0.9], [0.5], [0.7, 0.1], [0.0, 0.5, 1.0], 0, 1.0)}
for name in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"):
    metric(name, "bits", "unit", THRESHOLDS, ranks=(2, 1, 3), **COUNTED)
for name in ("Precision", "Recall"):
    metric(
        name,
        "bits",
        "unit",
        THRESHOLDS | {"top_k": one(None, 1, 2, 3), "class_id": one(None, 0, 2, -1)},
        ranks=(2, 1, 3),
        width=(3, 4),
        **COUNTED,
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
        "num_thresholds": one(200, 5, 17, 2),
        "thresholds": one(None, [0.3, 0.6], [0.5], [0.9, 0.2], [0.25, 0.5, 0.75]),
        "curve": one("ROC", "PR", "PRGAIN"),
        "summation_method": one("interpolation", "majoring", "minoring"),
        "from_logits": booleans,
        "multi_label": booleans,
        "num_labels": one(None, None, 3),
        "label_weights": one(None, [0.5, 1.0, 2.0]),
    },
    ranks=(2, 1),
    width=(3, 3, 3, 4, 1),
    **COUNTED,
)
for name, argument in (
    ("PrecisionAtRecall", "recall"),
    ("RecallAtPrecision", "precision"),
    ("SensitivityAtSpecificity", "specificity"),
    ("SpecificityAtSensitivity", "sensitivity"),
):
    required = {argument: one(0.5, 0.1, 0.9)}
    options = {"num_thresholds": one(200, 5, 1, 2), "class_id": one(None, 0, -1)}
    metric(name, "bits", "unit", options, required, ranks=(2, 1), **COUNTED)


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
    optional = some(
        ignore_class=one(None, 0, -1),
        name=one("mine"),
        dtype=POLICIES,
        axis=one(-1),
        **({"sparse_y_pred": one(False)} if not sparse else {}),
    )
    arguments = {"num_classes": n, **draw(optional)}
    if required:
        arguments["target_class_ids"] = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=2, unique=True))
    return {"metric": name, "arguments": arguments, "batches": draw(st.lists(one_batch, min_size=1, max_size=2))}


for name, required, sparse in (
    ("IoU", True, True),
    ("MeanIoU", False, True),
    ("OneHotIoU", True, False),
    ("OneHotMeanIoU", False, False),
):
    subject("metrics", name, classes(name, required, sparse), run, halves=True)

metric(
    "BinaryIoU",
    "bits",
    "unit",
    {"target_class_ids": one([0, 1], [0], [1]), "threshold": one(0.5, 0.2)},
    ranks=(1, 2),
    **COUNTED,
)


@st.composite
def values(draw, name):
    """Data of a mean or a sum of values."""
    shape = tuple(draw(st.lists(one(3, 1, 2), max_size=3)))
    batch = st.fixed_dictionaries(
        {
            "y_true": array(shape, one("float32", "int32", "bool"), one("ties", "normal")),
            "weight": st.one_of(st.none(), *[array(form, values=one("unit")) for form in (shape, shape[:1], ())]),
            "mask": st.one_of(st.none(), array(shape, one("bool"), one("bits"))),
        }
    )
    arguments = draw(some(name=one("mine"), dtype=POLICIES))
    return {"metric": name, "arguments": arguments, "batches": draw(st.lists(batch, min_size=1, max_size=3))}


for name in ("Mean", "Sum"):
    subject("metrics", name, values(name), run, halves=True)
