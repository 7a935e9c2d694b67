"""One row about a layer buys: configuration, weights, shapes, values and gradients, all against real Keras.

A layer's builder takes the module: `lambda k: k.layers.Conv2D(8, 3)` is run with `keras` and with `kerasish`.
"""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasish
from kerasish.core.autodiff import GradientTape


def row(name, build, *shapes, **options):
    """A test case of `check_layer`."""
    return pytest.param(build, shapes, options, id=name)


def cases(*rows):
    """Run the test once for each row."""
    return pytest.mark.parametrize("build, shapes, options", rows)


def check_layer(
    build,
    shapes,
    *,
    dtype="float32",
    training=None,
    oracle=None,
    call=None,
    tolerance=1e-5,
    gradients=True,
    config=True,
):
    """Check a layer against real Keras.

    Args:
        build: makes the layer from a module.
        shapes: of the inputs; several make a list of inputs.
        dtype: of the inputs; integers are 0 or 1.
        training: passed to the call, if not None.
        oracle: what computes the output in its place where Keras on a CPU cannot: `oracle(their_layer, input)`.
        call: further arguments of the call.
        tolerance: of the values, absolute and relative; gradients get ten times as much.
        gradients: whether gradients are compared.
        config: whether configurations are compared.
    """
    keras.utils.clear_session(free_memory=False)
    kerasish.utils.clear_session(free_memory=False)
    ours, theirs = seeded(build, kerasish), seeded(build, keras)
    if config:
        check_config(ours, theirs)
    inputs = [random_array(shape, dtype) for shape in shapes]
    options = dict(call or {}) if training is None else {**(call or {}), "training": training}
    check_symbolic(build, shapes, dtype)
    structure = inputs if len(inputs) > 1 else inputs[0]
    seeded(lambda k: ours(structure, **options))
    seeded(lambda k: theirs(structure, **options) if oracle is None else theirs.build(inputs[0].shape))
    check_weights(ours, theirs)
    y, gradient = run_ours(ours, inputs, options)
    their_y, their_gradient = run_theirs(theirs, inputs, options, oracle)
    assert y.dtype == their_y.dtype and y.shape == their_y.shape
    assert ours.compute_output_shape(shape_of(shapes)) == tuple(theirs.compute_output_shape(shape_of(shapes)))
    np.testing.assert_allclose(y, their_y, rtol=tolerance, atol=tolerance)
    for mine, wanted in zip(ours.weights, theirs.weights):
        np.testing.assert_allclose(mine.numpy(), wanted.numpy(), rtol=tolerance, atol=tolerance, err_msg=mine.name)
    if gradients and dtype == "float32":
        names = [*(f"input {i}" for i in range(len(inputs))), *(w.name for w in ours.trainable_weights)]
        scale = max([1.0, *(float(np.abs(g).max(initial=0)) for g in their_gradient)])
        for name, mine, wanted in zip(names, gradient, their_gradient, strict=True):
            np.testing.assert_allclose(mine, wanted, rtol=10 * tolerance, atol=10 * tolerance * scale, err_msg=name)


def seeded(function, module=None):
    """`function(module)`; what it draws without a seed of its own is the same for both modules."""
    random.seed(1)
    return function(module)


def random_array(shape, dtype="float32", seed=0):
    rng = np.random.default_rng([seed, *shape])
    if dtype == "bool" or dtype.startswith(("int", "uint")):
        return rng.integers(0, 2, shape).astype(dtype)
    return rng.normal(size=shape).astype(dtype)


def shape_of(shapes):
    return list(shapes) if len(shapes) > 1 else shapes[0]


def check_config(ours, theirs):
    """Equal dictionaries, and a layer made from its own that has it again."""
    mine, wanted = ours.get_config(), theirs.get_config()
    assert mine == wanted
    assert list(mine) == list(wanted)
    again = type(ours).from_config(mine)
    assert again.get_config() == mine


def check_symbolic(build, shapes, dtype):
    """Symbolic calls give Keras's shapes, with the batch open."""
    results = []
    for module in (kerasish, keras):
        symbols = [module.Input(batch_shape=(None, *shape[1:]), dtype=dtype) for shape in shapes]
        y = build(module)(symbols if len(symbols) > 1 else symbols[0])
        results.append((tuple(y.shape), y.dtype))
    assert results[0] == results[1]


def check_weights(ours, theirs):
    """The same names, shapes, dtypes, trainability and first values; then both get the same random values."""
    described = [
        [(w.name, w.path, tuple(w.shape), w.dtype, w.trainable) for w in layer.weights] for layer in (ours, theirs)
    ]
    described[1] = [(*w[:3], ours_dtype(w), w[4]) for w in described[1]]
    assert described[0] == described[1]
    assert ours.count_params() == theirs.count_params()
    for mine, wanted in zip(ours.weights, theirs.weights):
        if mine.trainable:
            np.testing.assert_allclose(mine.numpy(), wanted.numpy(), rtol=1e-5, atol=1e-6, err_msg=mine.path)
    values = [random_weight(w) for w in ours.weights]
    ours.set_weights(values)
    theirs.set_weights(values)
    if hasattr(theirs, "finalize_state"):
        theirs.finalize_state()
    for mine, wanted in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_array_equal(mine, wanted)


def ours_dtype(description):
    """TensorFlow widens the integer weights of a CPU."""
    return "int32" if description[3] == "int64" else description[3]


def random_weight(weight):
    rng = np.random.default_rng([1, *weight.shape])
    if weight.trainable:
        return rng.normal(size=weight.shape).astype(weight.dtype)
    return rng.uniform(0.5, 1.5, weight.shape).astype(weight.dtype)


def run_ours(layer, inputs, options):
    """Output and gradients of a random projection of it."""
    tensors = [kerasish.ops.convert_to_tensor(x) for x in inputs]
    with GradientTape() as tape:
        for x in tensors:
            tape.watch(x)
        y = layer(tensors if len(tensors) > 1 else tensors[0], **options)
        loss = kerasish.ops.sum(y * kerasish.ops.convert_to_tensor(projection(y.shape)))
    sources = [*tensors, *layer.trainable_weights]
    gradient = tape.gradient(loss, sources)
    return y.numpy(), [np.zeros(s.shape) if g is None else g.numpy() for s, g in zip(sources, gradient)]


def run_theirs(layer, inputs, options, oracle):
    tensors = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        for x in tensors:
            tape.watch(x)
        y = oracle(layer, tensors[0]) if oracle else layer(tensors if len(tensors) > 1 else tensors[0], **options)
        loss = tf.reduce_sum(y * tf.cast(projection(tuple(y.shape)), y.dtype))
    sources = [*tensors, *(w.value for w in layer.trainable_weights)]
    gradient = [tf.convert_to_tensor(g) if g is not None else None for g in tape.gradient(loss, sources)]
    return y.numpy(), [np.zeros(s.shape) if g is None else g.numpy() for s, g in zip(sources, gradient)]


def projection(shape):
    return random_array(tuple(shape), seed=2)


def channels_last_oracle(layer, x):
    """A channels_first layer's output, by way of the same layer with the channels last."""
    twin = type(layer).from_config({**layer.get_config(), "data_format": "channels_last"})
    rank = len(x.shape)
    last = tf.transpose(x, (0, *range(2, rank), 1))
    twin.build(last.shape)
    vars(twin).update({name: value for name, value in vars(layer).items() if isinstance(value, keras.Variable)})
    y = twin(last)
    return tf.transpose(y, (0, rank - 1, *range(1, rank - 1))) if len(y.shape) == rank else y


def grouped_oracle(layer, x):
    """A grouped convolution, as one convolution for each group."""
    groups = layer.groups
    parts = zip(tf.split(x, groups, axis=-1), tf.split(layer.kernel.value, groups, axis=-1))
    options = dict(strides=layer.strides, padding=layer.padding, dilation_rate=layer.dilation_rate)
    y = tf.concat([keras.ops.conv(part, kernel, **options) for part, kernel in parts], axis=-1)
    y = y + layer.bias.value if layer.use_bias else y
    return layer.activation(y)


def refusal(name, attempt, *texts, error=None):
    """A test case of `check_refusal`."""
    return pytest.param(attempt, texts, error, id=name)


def refusals(*rows):
    """Run the test once for each row."""
    return pytest.mark.parametrize("attempt, texts, error", rows)


def check_refusal(attempt, texts, error):
    """Both refuse `attempt(module)` with the same class of exception, and ours says all of `texts`.

    Args:
        attempt: what is refused, from a module.
        texts: parts of our message.
        error: our class, where Keras accepts, or fails by accident with another.
    """
    if error is None:
        with pytest.raises(Exception) as theirs:
            attempt(keras)
        error = next(c for c in type(theirs.value).__mro__ if c.__module__ == "builtins")
    with pytest.raises(error) as ours:
        attempt(kerasish)
    assert type(ours.value) is error
    for text in texts:
        assert text in str(ours.value)
