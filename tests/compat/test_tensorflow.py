"""The stand-in's functions against NumPy and against values recorded from TensorFlow 2.21."""

import math

import numpy as np
import pytest

import kerasish
from kerasish.compat.tensorflow import rows

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], "float32")
P = np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]], "float32")


@pytest.fixture(scope="module")
def tf():
    kerasish.install_as_keras()
    import tensorflow

    yield tensorflow
    kerasish.compat.uninstall_as_keras()


VALUES = {
    "reduce_mean": (lambda tf: tf.reduce_mean(X, 1), X.mean(1)),
    "reduce_sum": (lambda tf: tf.reduce_sum(X, axis=[0, 1], keepdims=True), X.sum(keepdims=True)),
    "math.reduce_max": (lambda tf: tf.math.reduce_max(input_tensor=X, axis=-1, name="m"), X.max(-1)),
    "math.reduce_variance": (lambda tf: tf.math.reduce_variance(X, 0), X.var(0)),
    "math.log": (lambda tf: tf.math.log(P), np.log(P)),
    "pow": (lambda tf: tf.pow(X, 2.0), X**2),
    "math.cumsum": (lambda tf: tf.math.cumsum(X), X.cumsum(0)),
    "matmul": (lambda tf: tf.matmul(X, X, transpose_b=True), X @ X.T),
    "matmul, a": (lambda tf: tf.linalg.matmul(X, X, True), X.T @ X),
    "linalg.matvec": (lambda tf: tf.linalg.matvec(X, X[0]), X @ X[0]),
    "argmax": (lambda tf: tf.argmax(X), X.argmax(0)),
    "argmax, axis": (lambda tf: tf.argmax(X, axis=1), X.argmax(1)),
    "argmin": (lambda tf: tf.math.argmin(X, 1), X.argmin(1)),
    "one_hot": (lambda tf: tf.one_hot([0, 2], 3, on_value=5.0, off_value=1.0), [[5, 1, 1], [1, 1, 5]]),
    "cast": (lambda tf: tf.cast(X, tf.int32), X.astype("int32")),
    "concat": (lambda tf: tf.concat([X, X], 1), np.concatenate([X, X], 1)),
    "stack": (lambda tf: tf.stack([X, X], axis=1), np.stack([X, X], 1)),
    "transpose": (lambda tf: tf.transpose(X, perm=[1, 0]), X.T),
    "reshape": (lambda tf: tf.reshape(X, [3, -1]), X.reshape(3, 2)),
    "expand_dims": (lambda tf: tf.expand_dims(X, -1), X[..., None]),
    "newaxis": (lambda tf: tf.constant(X)[:, tf.newaxis], X[:, None]),
    "squeeze": (lambda tf: tf.squeeze(X[None]), X),
    "tile": (lambda tf: tf.tile(X, [2, 1]), np.tile(X, (2, 1))),
    "gather": (lambda tf: tf.gather(X, [1, 0, 1]), X[[1, 0, 1]]),
    "boolean_mask": (lambda tf: tf.boolean_mask(X, [False, True]), X[1:]),
    "slice": (lambda tf: tf.slice(X, [0, 1], [2, -1]), X[:, 1:]),
    "split": (lambda tf: tf.split(X, [1, 2], axis=1)[1], X[:, 1:]),
    "split, equal": (lambda tf: tf.split(X, 3, axis=1)[2], X[:, 2:]),
    "unstack": (lambda tf: tf.unstack(X)[1], X[1]),
    "pad": (lambda tf: tf.pad(X, [[1, 0], [0, 2]]), np.pad(X, [(1, 0), (0, 2)])),
    "pad, reflect": (lambda tf: tf.pad(X, [[0, 0], [1, 1]], "REFLECT"), np.pad(X, [(0, 0), (1, 1)], mode="reflect")),
    "where": (lambda tf: tf.where(X > 0, X, tf.zeros_like(X)), np.maximum(X, 0)),
    "range": (lambda tf: tf.range(3), [0, 1, 2]),
    "range, step": (lambda tf: tf.range(1, 7, 2), [1, 3, 5]),
    "fill": (lambda tf: tf.fill([2, 2], 7.0), np.full((2, 2), 7.0)),
    "constant": (lambda tf: tf.constant(3, shape=(2, 2)), np.full((2, 2), 3)),
    "constant, reshaped": (lambda tf: tf.constant([1, 2, 3, 4], shape=(2, 2)), [[1, 2], [3, 4]]),
    "einsum": (lambda tf: tf.einsum("ij,kj->ik", X, X), X @ X.T),
    "shape and size": (lambda tf: tf.range(tf.shape(X)[1] + int(tf.size(X)) + int(tf.rank(X))), np.arange(11)),
    "clip_by_value": (lambda tf: tf.clip_by_value(X, -1.0, 1.0), X.clip(-1, 1)),
    "clip_by_norm": (lambda tf: tf.clip_by_norm(X, 1.0), X / np.linalg.norm(X)),
    "clip_by_norm, short": (lambda tf: tf.clip_by_norm(X, 100.0), X),
    "clip_by_norm, axes": (lambda tf: tf.clip_by_norm(X, 4.0, axes=[1]), [X[0], X[1] * (4 / np.linalg.norm(X[1]))]),
    "clip_by_global_norm, short": (lambda tf: tf.clip_by_global_norm([X, P], 100.0)[0][1], P),
    "clip_by_global_norm, its length": (lambda tf: tf.clip_by_global_norm([X, None], 1.0)[1], np.linalg.norm(X)),
    "clip_by_global_norm": (lambda tf: tf.clip_by_global_norm([X, None], 1.0)[0][0], X / np.linalg.norm(X)),
    "norm": (lambda tf: tf.norm(X), np.linalg.norm(X)),
    "math.l2_normalize": (lambda tf: tf.math.l2_normalize(X, axis=1), X / np.linalg.norm(X, axis=1, keepdims=True)),
    "math.squared_difference": (lambda tf: tf.math.squared_difference(X, P), (X - P) ** 2),
    "math.confusion_matrix": (lambda tf: tf.math.confusion_matrix([0, 1, 1], [0, 1, 0]), [[1, 0], [1, 1]]),
    "math.top_k": (lambda tf: tf.math.top_k(X)[0], [[3], [4]]),
    "nn.relu": (lambda tf: tf.nn.relu(X), np.maximum(X, 0)),
    "nn.leaky_relu": (lambda tf: tf.nn.leaky_relu(X), np.where(X > 0, X, np.float32(0.2) * X)),
    "nn.softmax": (lambda tf: tf.nn.softmax(X), np.exp(X) / np.exp(X).sum(1, keepdims=True)),
    "nn.gelu": (lambda tf: tf.nn.gelu(X), X / 2 * (1 + np.vectorize(math.erf)(X / np.sqrt(2)))),
    "nn.l2_loss": (lambda tf: tf.nn.l2_loss(X), (X**2).sum() / 2),
    "nn.softmax_cross_entropy": (
        lambda tf: tf.nn.softmax_cross_entropy_with_logits(labels=P, logits=X),
        np.log(np.exp(X).sum(1)) - (P * X).sum(1),
    ),
    "nn.sparse_softmax_cross_entropy": (
        lambda tf: tf.nn.sparse_softmax_cross_entropy_with_logits([0, 2], X),
        np.log(np.exp(X).sum(1)) - X[[0, 1], [0, 2]],
    ),
    "nn.sigmoid_cross_entropy": (
        lambda tf: tf.nn.sigmoid_cross_entropy_with_logits(P, X),
        np.log1p(np.exp(X)) - P * X,
    ),
    "nn.conv2d": (
        lambda tf: tf.nn.conv2d(X.reshape(1, 2, 3, 1), np.ones((2, 2, 1, 1), "float32"), [1, 1, 1, 1], "VALID"),
        [[[[3.5], [4.0]]]],
    ),
    "nn.max_pool2d": (
        lambda tf: tf.nn.max_pool2d(X.reshape(1, 2, 3, 1), 2, [1, 1, 1, 1], "SAME"),
        [[[[4.0], [4.0], [3.0]], [[4.0], [4.0], [-1.0]]]],
    ),
    "nn.avg_pool2d": (
        lambda tf: tf.nn.avg_pool2d(X.reshape(1, 2, 3, 1), [1, 2, 2, 1], 1, "VALID"),
        [[[[0.875], [1.0]]]],
    ),
    "nn.bias_add": (lambda tf: tf.nn.bias_add(X, [1.0, 2.0, 3.0]), X + [1, 2, 3]),
    "nn.moments": (lambda tf: tf.nn.moments(X, axes=[0])[1], X.var(0)),
    "image.flip_left_right": (lambda tf: tf.image.flip_left_right(X[..., None]), X[:, ::-1, None]),
    "image.rgb_to_grayscale": (lambda tf: tf.image.rgb_to_grayscale(X[None]), [[[-0.5331], [2.38345]]]),
    "image.per_image_standardization": (
        lambda tf: tf.image.per_image_standardization(X[..., None]),
        ((X - X.mean()) / X.std())[..., None],
    ),
    "image.convert_image_dtype": (lambda tf: tf.image.convert_image_dtype(np.uint8([0, 255]), tf.float32), [0.0, 1.0]),
    "image.resize": (lambda tf: tf.image.resize(X[..., None], [1, 3], method="nearest"), X[1:, :, None]),
    "function": (lambda tf: tf.function(lambda x: x + 1)(1), 2),
    "function of keyword arguments": (lambda tf: tf.function(lambda x, y=0: x - y)(1, y=5), -4),
    "function, decorated, of keyword arguments": (lambda tf: tf.function()(lambda x, *, y=0: x - y)(x=1, y=5), -4),
    "function with arguments": (lambda tf: tf.function(jit_compile=True)(lambda x: x + 1)(1), 2),
}


@pytest.mark.parametrize("make, expected", VALUES.values(), ids=VALUES.keys())
def test_values(tf, make, expected):
    result = make(tf)
    value = result.numpy() if hasattr(result, "numpy") else result
    np.testing.assert_allclose(value, expected, rtol=2e-6, atol=1e-6)
    assert np.shape(value) == np.shape(expected)


@pytest.mark.parametrize("part", ["TOP", "MATH", "LINALG", "NN"])
def test_every_row_has_its_op(tf, part):
    """Each row names an op of keras.ops and parameters that the op takes."""
    import inspect

    from kerasish import ops

    for name, row in getattr(rows, part).items():
        operation, *parameters = row.split()
        accepted = inspect.signature(getattr(ops, operation)).parameters
        for entry in parameters:
            entry = entry.partition(":")[0]
            assert (entry.partition("=")[2] or entry) in accepted, (name, operation, entry)


def test_dtypes(tf):
    assert tf.float32 == "float32" and tf.float32.name == "float32" and tf.float32.as_numpy_dtype is np.float32
    assert tf.constant(1.0).dtype == tf.float32 and tf.constant(1).dtype == tf.int32
    assert tf.as_dtype(np.int64) == tf.int64 and tf.int64.is_integer and tf.float16.is_floating and tf.bool == "bool"


def test_tape_and_variable(tf):
    x = tf.Variable(3.0, name="x")
    with tf.GradientTape() as tape:
        y = x * x + tf.stop_gradient(x)
    assert float(tape.gradient(y, x)) == 6.0
    x.assign_add(1.0)
    assert float(x.numpy()) == 4.0 and tf.Variable([1, 2]).dtype == "int32"
    assert isinstance(tf.convert_to_tensor(1.0), tf.Tensor) and tf.is_tensor(y)


def test_machine(tf):
    assert tf.config.list_physical_devices("GPU") == [] == tf.config.experimental.list_physical_devices("GPU")
    assert tf.config.list_physical_devices("CPU")[0].device_type == "CPU"
    assert not tf.test.is_gpu_available() and tf.test.gpu_device_name() == "" and tf.executing_eagerly()
    with tf.device("/CPU:0"):
        pass
    with pytest.warns(UserWarning, match="has no effect in kerasish"), tf.device("/GPU:0"):
        pass


def test_random(tf):
    tf.random.set_seed(1)
    first = tf.random.normal((2, 3)).numpy()
    tf.random.set_seed(1)
    np.testing.assert_array_equal(tf.random.normal((2, 3)).numpy(), first)
    assert tf.random.uniform((3,), maxval=10, dtype=tf.int32).dtype == "int32"
    assert 0 <= float(tf.random.uniform(())) < 1
    assert sorted(tf.random.shuffle(np.arange(5)).numpy()) == [0, 1, 2, 3, 4]


def test_data(tf):
    dataset = tf.data.Dataset.from_tensor_slices((X, [0, 1])).shuffle(2).batch(2).prefetch(tf.data.AUTOTUNE)
    ((x, y),) = dataset
    assert x.shape == (2, 3) and sorted(y.numpy()) == [0, 1]
    assert isinstance(dataset, kerasish.utils.Dataset)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda tf: tf.nn.conv2d(X[None, ..., None], np.ones((1, 1, 1, 1), "float32"), 1, [[0, 0]]),
            TypeError,
            "use tf.pad",
        ),
        (
            lambda tf: tf.image.resize(X[..., None], (2, 2), preserve_aspect_ratio=True),
            ValueError,
            "preserve_aspect_ratio",
        ),
        (lambda tf: tf.reduce_sum(X, 0, True, "name", 5), TypeError, "'name', 5; it takes input_tensor"),
    ],
)
def test_refusals(tf, call, error, message):
    with pytest.raises(error, match=message):
        call(tf)
