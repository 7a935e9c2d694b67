"""One loss: as an object with weights, reductions and masks, as a function, and its gradient."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import FLOATS, array, booleans, made, one, some
from parity.differential.outcome import as_json, plain
from parity.differential.subject import subject
from parity.differential.tapes import gradients

COMMON = ("reduction", "dtype", "name")
POLICIES = one(None, None, None, "float32", "float64", "float16", "mixed_float16", "bfloat16")
REDUCTIONS = one("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def run(keras, data):
    """Value, gradient, configuration, and the function of the same name."""
    loss = getattr(keras.losses, data["loss"])(**data["arguments"])
    y_true, y_pred = made(data["y_true"]), made(data["y_pred"])
    mask = data.get("mask")
    weight = made(data["weight"]) if data["weight"] is not None else None
    out = {"config": as_json(loss.get_config())}

    def value(y):
        if mask is not None:
            y._keras_mask = keras.ops.convert_to_tensor(made(mask))
        return loss(y_true, y, sample_weight=weight)

    out["value"], out["gradient"] = gradients(keras, value, [y_pred])
    out["dtypes"] = str(loss.dtype)
    if data["loss"] != "CategoricalGeneralizedCrossEntropy":  # which Keras does not find by its name
        out["again"] = as_json(keras.losses.deserialize(keras.losses.serialize(loss)).get_config())
        out["by name"] = as_json(keras.losses.serialize(keras.losses.get(data["loss"])))
    if data.get("function"):
        own = {k: v for k, v in data["arguments"].items() if k not in COMMON}
        out["function"] = getattr(keras.losses, data["function"])(y_true, y_pred, **own)
    return {k: v if isinstance(v, list) else plain(v) for k, v in out.items()}


def _weights(shape):
    """Weights that go with values of some shape: none, one for all, a row, a column, one for each."""
    forms = [(), shape[:1], (*shape[:-1], 1), shape[:-1], (1,)]
    dtypes = one("float32", "float32", "float64", "float16", "int32")
    return st.one_of(st.none(), *[array(form, dtypes, one("unit", "bits")) for form in forms])


@st.composite
def pair(draw, truth, guess, least=2, most=3, width=one(3, 1, 4), sparse=False):
    """Data of targets, predictions and weights."""
    shape = (*draw(st.lists(one(2, 3, 1), min_size=least - 1, max_size=most - 1)), draw(width))
    true_shape = draw(one(shape[:-1], (*shape[:-1], 1))) if sparse else shape
    more = {"classes": st.just(shape[-1])} if sparse else {}
    kinds = {"int32": one("int32", "int64", "uint8"), "float32": one("float32", "float32", *FLOATS)}
    dtype = kinds["int32"] if sparse else draw(one(kinds["float32"], kinds["float32"], one("int32", "bool", "int64")))
    if truth in ("probabilities", "unit", "positive", "normal"):
        dtype = kinds["float32"]
    return {
        "y_true": draw(array(true_shape, dtype, one(truth), **more)),
        "y_pred": draw(array(shape, kinds["float32"], guess)),
        "weight": draw(_weights(shape)),
        "mask": draw(st.one_of(st.none(), st.none(), st.none(), array(shape[:-1], one("bool"), one("bits")))),
    }


def loss(name, truth, guess, arguments=None, function=None, **options):
    """A subject: a loss, what its targets and predictions are, and the strategy of its arguments."""
    arguments = some(reduction=REDUCTIONS, dtype=POLICIES, name=one("mine"), **(arguments or {}))
    parts = pair(truth, one(*guess.split()), **options)
    draw = st.tuples(parts, arguments).map(
        lambda both: {"loss": name, "arguments": both[1], "function": function, **both[0]}
    )
    subject("losses", name, draw, run, halves=True)


SMOOTHED = {"from_logits": booleans, "label_smoothing": one(0.0, 0.1, 0.5, 1.0), "axis": one(-1, 1, 0)}

loss("MeanSquaredError", "normal", "normal", function="mean_squared_error")
loss("MeanAbsoluteError", "normal", "normal ties", function="mean_absolute_error")
loss("MeanAbsolutePercentageError", "normal", "normal", function="mean_absolute_percentage_error")
loss("MeanSquaredLogarithmicError", "positive", "positive", function="mean_squared_logarithmic_error")
loss("Huber", "normal", "normal ties", {"delta": one(1.0, 0.3)}, function="huber")
loss("LogCosh", "normal", "normal", function="log_cosh")
loss("CosineSimilarity", "normal", "normal", {"axis": one(-1, 1, 0)}, function="cosine_similarity")
loss("Poisson", "positive", "positive", function="poisson")
loss("KLDivergence", "probabilities", "probabilities", function="kl_divergence")
loss("Hinge", "signs", "normal ties", function="hinge")
loss("SquaredHinge", "bits", "normal", function="squared_hinge")
loss("CategoricalHinge", "one_hot", "normal", function="categorical_hinge")
loss("BinaryCrossentropy", "bits", "unit normal", SMOOTHED, function="binary_crossentropy")
loss("CategoricalCrossentropy", "one_hot", "probabilities normal", SMOOTHED, function="categorical_crossentropy")
loss(
    "SparseCategoricalCrossentropy",
    "labels",
    "probabilities normal",
    {"from_logits": booleans, "ignore_class": one(None, 0, -1), "axis": one(-1)},
    function="sparse_categorical_crossentropy",
    sparse=True,
)
FOCAL = SMOOTHED | {"alpha": one(0.25, 0.6, 1), "gamma": one(2.0, 0.0, 1.0)}
loss(
    "BinaryFocalCrossentropy",
    "bits",
    "unit",
    FOCAL | {"apply_class_balancing": booleans},
    function="binary_focal_crossentropy",
)
loss(
    "CategoricalFocalCrossentropy", "one_hot", "probabilities normal", FOCAL, function="categorical_focal_crossentropy"
)
loss("CategoricalGeneralizedCrossEntropy", "labels", "probabilities", {"q": one(0.5, 0.9)}, most=2, sparse=True)
loss("Dice", "bits", "unit", {"axis": one(None, -1, (1,), (0, 1), 0)}, function="dice")
loss(
    "Tversky",
    "bits",
    "unit",
    {"alpha": one(0.5, 0.2), "beta": one(0.5, 0.9), "axis": one(None, -1, (0,))},
    function="tversky",
)


@st.composite
def embeddings(draw):
    """Data of a Circle loss: labels and unit vectors."""
    n = draw(st.integers(2, 6))
    arguments = draw(
        some(gamma=one(80.0, 2.0), margin=one(0.4, 0.1), remove_diagonal=booleans, dtype=POLICIES, reduction=REDUCTIONS)
    )
    return {
        "loss": "Circle",
        "arguments": arguments,
        "y_true": draw(array((n,), one("int32"), one("labels"), classes=one(3, 2))),
        "y_pred": draw(array((n, 4), one("float32", "float64"))),
        "weight": draw(_weights((n, 4))),
    }


subject("losses", "Circle", embeddings(), run, halves=True)


@st.composite
def sequences(draw):
    """Data of a CTC loss: labels without blanks, logits."""
    n, steps, classes = draw(one(2, 1, 3)), draw(st.integers(3, 7)), draw(one(4, 3))
    labels = draw(array((n, draw(st.integers(1, 3))), one("int32"), one("labels"), classes=st.just(classes - 1)))
    return {
        "loss": "CTC",
        "arguments": draw(some(reduction=REDUCTIONS)),
        "y_true": labels,
        "y_pred": draw(array((n, steps, classes))),
        "weight": draw(st.one_of(st.none(), array((n,), one("float32"), one("unit")))),
    }


subject("losses", "CTC", sequences(), run, halves=True)
