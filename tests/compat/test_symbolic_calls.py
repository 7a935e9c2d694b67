"""`tf.` functions, losses and metrics in the `call` of a layer, which a Functional model asks for shapes first."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, losses, metrics

X = np.random.default_rng(0).uniform(0.1, 1, (2, 4, 4, 3)).astype("float32")
FILTERS = np.ones((2, 2, 3, 5), "float32")


@pytest.fixture(scope="module", autouse=True)
def installed():
    keras.install_as_keras()
    yield
    keras.uninstall_as_keras()


class Calling(layers.Layer):
    """A layer that is a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


def check(function, shared=True):
    """The symbolic shape is that of the result, and the model computes what the function does; returns that."""
    expected = function(X)
    inputs = keras.Input(X.shape[1:])
    outputs = Calling(function)(inputs)
    batch = 0 if outputs.shape and outputs.shape[0] is None else None
    known = [n for i, n in enumerate(np.shape(expected)) if i != batch]
    assert [n for i, n in enumerate(outputs.shape) if i != batch] == known and outputs.dtype == expected.dtype
    if shared:
        np.testing.assert_allclose(keras.Model(inputs, outputs)(X), expected, rtol=1e-6)
    return expected


TF = {
    "matmul": lambda tf, x: tf.matmul(x, x, transpose_b=True),
    "linalg.matmul": lambda tf, x: tf.linalg.matmul(x, x, transpose_a=True),
    "linalg.matvec": lambda tf, x: tf.linalg.matvec(x, np.ones(3, "float32")),
    "image.resize": lambda tf, x: tf.image.resize(x, (8, 8)),
    "image.rgb_to_grayscale": lambda tf, x: tf.image.rgb_to_grayscale(x),
    "image.convert_image_dtype": lambda tf, x: tf.image.convert_image_dtype(x, tf.uint8),
    "image.per_image_standardization": lambda tf, x: tf.image.per_image_standardization(x),
    "convert_to_tensor": lambda tf, x: tf.convert_to_tensor(x, dtype=tf.float64) * 2,
    "slice": lambda tf, x: tf.slice(x, [0, 0, 1, 0], [-1, 2, 2, 3]),
    "split": lambda tf, x: tf.split(x, [1, 3], axis=1)[1],
    "gather": lambda tf, x: tf.gather(x, [0, 1], axis=1),
    "pad": lambda tf, x: tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]),
    "argmax": lambda tf, x: tf.argmax(x, axis=-1),
    "boolean_mask": lambda tf, x: tf.boolean_mask(x, [True, False, True, True], axis=1),
    "clip_by_norm": lambda tf, x: tf.clip_by_norm(x, 1.0, axes=[1, 2, 3]),
    "nn.conv2d": lambda tf, x: tf.nn.conv2d(x, FILTERS, 1, "SAME"),
    "nn.softmax_cross_entropy_with_logits": lambda tf, x: tf.nn.softmax_cross_entropy_with_logits(x, x),
    "reshape by shape": lambda tf, x: tf.reshape(x, [tf.shape(x)[0], -1]),
}


@pytest.mark.parametrize("function", TF.values(), ids=TF)
def test_tensorflows_functions(function):
    import tensorflow as tf

    check(lambda x: function(tf, x))


LABELS = {"sparse_categorical_crossentropy", "categorical_generalized_cross_entropy", "circle", "ctc"}
NAMES = sorted(n for n in dir(losses) if n.islower() and n not in ("get", "serialize", "deserialize", "kld"))
FUNCTIONS = [n for n in NAMES if callable(getattr(losses, n)) and not n.startswith("_") and n not in LABELS]
OTHERS = {"Any", "CTC", "Callable", "CategoricalGeneralizedCrossEntropy", "Circle", "Loss"}
CLASSES = [n for n in dir(losses) if n[0].isupper() and n not in OTHERS]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_losses(name):
    check(lambda x: getattr(losses, name)(x, keras.ops.convert_to_tensor(x) * 0.5))


def test_losses_of_labels():
    check(lambda x: losses.sparse_categorical_crossentropy(keras.ops.argmax(x, -1), x))
    check(lambda x: losses.categorical_generalized_cross_entropy(keras.ops.argmax(x, -1), x, 0.5))


@pytest.mark.parametrize("name", [n for n in CLASSES if "Sparse" not in n])
def test_loss_objects(name):
    check(lambda x: getattr(losses, name)()(x, x), shared=False)


@pytest.mark.parametrize(
    "name", ["MeanSquaredError", "Mean", "CategoricalAccuracy", "Precision", "AUC", "R2Score", "F1Score"]
)
def test_metrics(name):
    """Shapes do not count as an update; the call afterwards does."""
    metric = getattr(metrics, name)()
    pair = name != "Mean"

    def function(x):
        rows = keras.ops.reshape(x, (-1, 3)) if "Score" in name else x
        return metric(rows, rows) if pair else metric(rows)

    outputs = Calling(function)(keras.Input(X.shape[1:]))
    assert isinstance(outputs, keras.KerasTensor)
    assert all(not np.any(v.numpy()) for v in metric.variables if v.ndim == 0)
    expected = getattr(metrics, name)()
    rows = X.reshape(-1, 3) if "Score" in name else X
    expected = expected(rows, rows) if pair else expected(rows)
    np.testing.assert_allclose(function(X), expected, rtol=1e-6)
    assert outputs.shape == np.shape(expected) and outputs.dtype == expected.dtype


def test_a_metric_of_ones_own():
    class Seen(metrics.Metric):
        def __init__(self):
            super().__init__()
            self.count = self.add_weight(name="count", initializer="zeros")

        def update_state(self, x):
            self.count.assign_add(float(np.size(np.asarray(x))))

        def result(self):
            return self.count

    seen = Seen()
    inputs = keras.Input((3,))
    model = keras.Model(inputs, Calling(lambda x: x * seen(x))(inputs))
    assert float(seen.count) == 0
    model(np.ones((2, 3), "float32"))
    assert float(seen.count) == 6
