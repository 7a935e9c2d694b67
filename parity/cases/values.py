"""Numbers without a model: losses, metrics, random draws, initializers, optimizers, activations."""

import numpy as np

from parity.case import register
from parity.compare import compare_values

RNG = np.random.default_rng(3)
PROBABILITIES = RNG.dirichlet(np.ones(5), 12).astype("float32")
TRUE = RNG.dirichlet(np.ones(5), 12).astype("float32")
LOGITS = RNG.standard_normal((12, 5)).astype("float32")
LABELS = RNG.integers(0, 5, 12)
WEIGHTS = RNG.random(12).astype("float32")


def value(family, name, **options):
    return register(compare_values, family, name, **options)


def loss(name, y_true, y_pred, **arguments):
    @value("losses", name + "".join(f", {k}={v}" for k, v in arguments.items()))
    def _loss(keras):
        made = getattr(keras.losses, name)(**arguments)
        return [np.asarray(made(y_true, y_pred)), np.asarray(made(y_true, y_pred, sample_weight=WEIGHTS))]


ONE_HOT = np.eye(5, dtype="float32")[LABELS]
SIGNS = np.sign(LOGITS)
for _name, _true, _pred in [
    ("CategoricalCrossentropy", ONE_HOT, PROBABILITIES),
    ("SparseCategoricalCrossentropy", LABELS, PROBABILITIES),
    ("BinaryCrossentropy", ONE_HOT, PROBABILITIES),
    ("BinaryFocalCrossentropy", ONE_HOT, PROBABILITIES),
    ("MeanSquaredError", TRUE, LOGITS),
    ("MeanAbsoluteError", TRUE, LOGITS),
    ("Huber", TRUE, LOGITS * 3),
    ("Hinge", SIGNS, LOGITS),
    ("SquaredHinge", SIGNS, LOGITS),
    ("CategoricalHinge", ONE_HOT, LOGITS),
    ("LogCosh", TRUE, LOGITS),
    ("KLDivergence", TRUE, PROBABILITIES),
    ("Poisson", TRUE, PROBABILITIES),
    ("CosineSimilarity", TRUE, LOGITS),
]:
    loss(_name, _true, _pred)
loss("CategoricalCrossentropy", ONE_HOT, LOGITS, from_logits=True, label_smoothing=0.1)
loss("SparseCategoricalCrossentropy", LABELS, LOGITS, from_logits=True)
loss("BinaryCrossentropy", ONE_HOT, LOGITS, from_logits=True, label_smoothing=0.1)
loss("MeanSquaredError", TRUE, LOGITS, reduction="sum")


def metric(name, y_true, y_pred, **arguments):
    @value("metrics", name + "".join(f", {k}={v}" for k, v in arguments.items()))
    def _metric(keras):
        made = getattr(keras.metrics, name)(**arguments)
        made.update_state(y_true[:5], y_pred[:5])
        first = np.array(made.result())
        made.update_state(y_true, y_pred, sample_weight=WEIGHTS)
        return [first, np.array(made.result())]


BITS = (LOGITS[:, 0] > 0).astype("float32")
for _name, _true, _pred in [
    ("Accuracy", LABELS, RNG.integers(0, 5, 12)),
    ("BinaryAccuracy", BITS, PROBABILITIES[:, 0] * 3),
    ("CategoricalAccuracy", ONE_HOT, PROBABILITIES),
    ("SparseCategoricalAccuracy", LABELS, PROBABILITIES),
    ("TopKCategoricalAccuracy", ONE_HOT, PROBABILITIES),
    ("MeanSquaredError", TRUE, LOGITS),
    ("MeanAbsoluteError", TRUE, LOGITS),
    ("RootMeanSquaredError", TRUE, LOGITS),
    ("AUC", BITS, PROBABILITIES[:, 0]),
    ("Precision", BITS, PROBABILITIES[:, 0] * 3),
    ("Recall", BITS, PROBABILITIES[:, 0] * 3),
]:
    metric(_name, _true, _pred)
metric("AUC", BITS, PROBABILITIES[:, 0], curve="PR", num_thresholds=50)


def initializer(name, shape=(3, 3, 4, 5), tolerance=0.0, **arguments):
    @value("initializers", name, tolerance=tolerance)
    def _initializer(keras):
        return np.asarray(getattr(keras.initializers, name)(**arguments)(shape))


for _name in ("GlorotUniform", "HeUniform", "LecunUniform", "RandomUniform"):
    initializer(_name, seed=11)  # uniform ones are equal to the bit
for _name in ("GlorotNormal", "HeNormal", "LecunNormal", "RandomNormal", "TruncatedNormal"):
    initializer(_name, seed=11, tolerance=3e-6)  # normal ones go through another library's logarithm
initializer("VarianceScaling", seed=5, scale=2.0, mode="fan_avg", distribution="uniform")
initializer("Orthogonal", (6, 4), 1e-5, seed=5)
initializer("Zeros"), initializer("Ones"), initializer("Constant", value=3.0), initializer("Identity", (4, 4))


def draw(name, function, tolerance=0.0):
    @value("random", name, tolerance=tolerance)
    def _draw(keras):
        seed = keras.random.SeedGenerator(1234)
        return [np.asarray(function(keras.random, seed)), np.asarray(function(keras.random, 99))]


draw("uniform", lambda r, s: r.uniform((5, 7), -1.0, 2.0, seed=s))
draw("normal", lambda r, s: r.normal((5, 7), 1.0, 2.0, seed=s), 3e-6)
draw("truncated_normal", lambda r, s: r.truncated_normal((50,), seed=s), 3e-6)
draw("randint", lambda r, s: r.randint((40,), 3, 90, seed=s))
draw("dropout", lambda r, s: r.dropout(np.ones((9, 8), "float32"), 0.4, seed=s))


@value("random", "global seed: the same sequence of layers")
def _global_seed(keras):
    keras.utils.set_random_seed(42)
    layer = keras.layers.Dense(5)
    layer.build((None, 6))
    return [
        np.asarray(layer.kernel),
        np.asarray(keras.random.uniform((4,))),
        np.asarray(keras.layers.Dropout(0.5)(np.ones((4, 5), "float32"), training=True)),
    ]


def optimizer(name, **arguments):
    label = name + "".join(f", {k}={v}" for k, v in arguments.items())

    # float32 steps in another order of operations, relative to weights of size 1
    @value("optimizers", label, tolerance=2e-6)
    def _optimizer(keras):
        made = getattr(keras.optimizers, name)(**arguments)
        rng = np.random.default_rng(0)
        variables = [keras.Variable(rng.standard_normal(s).astype("float32")) for s in ((7, 5), (5,))]
        for _ in range(10):
            made.apply(
                [keras.ops.convert_to_tensor(rng.standard_normal(v.shape).astype("float32")) for v in variables],
                variables,
            )
        return [np.array(v) for v in variables]


for _name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adamax", "Nadam", "Adadelta", "Ftrl", "Lion"):
    optimizer(_name)
optimizer("SGD", learning_rate=0.1, momentum=0.9)
optimizer("SGD", learning_rate=0.1, momentum=0.9, nesterov=True)
optimizer("Adam", learning_rate=0.01, amsgrad=True, clipnorm=0.5)
optimizer("RMSprop", momentum=0.9, centered=True)
optimizer("Adam", weight_decay=0.01, use_ema=True)
