"""Lists that hold tensors go into ops as tensors do, beside TensorFlow: values, dtypes and gradients."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasish
from kerasish import ops
from kerasish.core.autodiff import GradientTape
from kerasish.core.tensor import Tensor

ROWS = {
    "conversion": lambda k, a, b, v: k.ops.convert_to_tensor([a, b]),
    "conversion of a tuple": lambda k, a, b, v: k.ops.convert_to_tensor((a, b)),
    "conversion with a variable": lambda k, a, b, v: k.ops.convert_to_tensor([a, v, b]),
    "conversion of a nest with numbers": lambda k, a, b, v: k.ops.convert_to_tensor([[a, 1.5], [2, b]]),
    "conversion beside True": lambda k, a, b, v: k.ops.convert_to_tensor([a, True]),
    "conversion beside NumPy's numbers": lambda k, a, b, v: k.ops.convert_to_tensor([np.float64(1), a, np.int64(3)]),
    "conversion beside an array": lambda k, a, b, v: k.ops.convert_to_tensor([[a, b], np.arange(2)]),
    "conversion beside a list of numbers": lambda k, a, b, v: k.ops.convert_to_tensor([[1, 2], [a, b]]),
    "conversion to float16": lambda k, a, b, v: k.ops.convert_to_tensor([a, b], dtype="float16"),
    "conversion to int32": lambda k, a, b, v: k.ops.convert_to_tensor([a, b], dtype="int32"),
    "cast": lambda k, a, b, v: k.ops.cast([a, b], "float16"),
    "sum": lambda k, a, b, v: k.ops.sum([a, b]),
    "sum with a variable": lambda k, a, b, v: k.ops.sum([a, v]),
    "mean": lambda k, a, b, v: k.ops.mean([a, b]),
    "max": lambda k, a, b, v: k.ops.max((a, b)),
    "var": lambda k, a, b, v: k.ops.var([a, b, v]),
    "logsumexp": lambda k, a, b, v: k.ops.logsumexp([a, b]),
    "matmul": lambda k, a, b, v: k.ops.matmul([[a, b]], np.ones((2, 1), "float32")),
    "add of a number": lambda k, a, b, v: k.ops.add([a, b], 1),
    "multiply of two": lambda k, a, b, v: k.ops.multiply([a, b], [b, v]),
    "where": lambda k, a, b, v: k.ops.where([True, False], [a, a], [b, b]),
    "exp": lambda k, a, b, v: k.ops.exp([a, b]),
    "relu": lambda k, a, b, v: k.ops.relu([a, b]),
    "reshape": lambda k, a, b, v: k.ops.reshape([a, b], (2, 1)),
    "moveaxis": lambda k, a, b, v: k.ops.moveaxis([[a, b]], 0, 1),
    "swapaxes": lambda k, a, b, v: k.ops.swapaxes([[a, b]], 0, 1),
    "take": lambda k, a, b, v: k.ops.take([a, b], [0, 0]),
    "norm": lambda k, a, b, v: k.ops.norm([a, b]),
    "stack of lists": lambda k, a, b, v: k.ops.stack([[a, b], [b, v]]),
    "tensor plus list": lambda k, a, b, v: a + [a, b],
    "list times variable": lambda k, a, b, v: [a, b] * v,
    "function of a loss": lambda k, a, b, v: k.losses.mean_squared_error([0.0, 0.0], [a, b]),
    "loss": lambda k, a, b, v: k.losses.MeanSquaredError()([[0.0], [1.0]], [[a], [b]]),
    "loss with weights": lambda k, a, b, v: k.losses.MeanAbsoluteError()([[0.0], [1.0]], [[a], [b]], [a, b]),
    "activation layer": lambda k, a, b, v: k.layers.Activation("tanh")([[a, b]]),
}


def followed(k, tape, tensor, row):
    """The value and the gradients of a row's result."""
    a, b, v = tensor(1.0), tensor(2.0), k.Variable(3.0)
    with tape:
        for x in (a, b):
            tape.watch(x)
        y = row(k, a, b, v)
        total = k.ops.sum(y)
    return y, tape.gradient(total, [a, b, v.value if k is keras else v])


@pytest.mark.parametrize("name", ROWS)
def test_beside_tensorflow(name):
    want, their = followed(keras, tf.GradientTape(), tf.constant, ROWS[name])
    got, ours = followed(kerasish, GradientTape(), ops.convert_to_tensor, ROWS[name])
    assert (got.dtype, tuple(got.shape)) == (want.dtype.name, tuple(want.shape))
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-6)
    for g, w in zip(ours, their, strict=True):
        assert (g is None) == (w is None)
        if g is not None:
            np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-5)


# What makes an op of one argument out of others: what stands before and after the list.
SURROUNDINGS = [
    ((), ()),
    ((), (0,)),
    ((), (0, 1)),
    ((), ((4,),)),
    ((), (0.1, 0.9)),
    ((), ([0, 1],)),
    ((), ([[0.5, 0.6], [0.7, 0.8]],)),
    (([[0.5, 0.6], [0.7, 0.8]],), ()),
    (([[True, False], [True, True]],), (0.5,)),
]
OPS = [n for n in dir(ops) if inspect.isfunction(getattr(ops, n)) and not n.startswith("_")]
# Indexing is that of the list itself; these read `x.shape`, as in Keras, and refuse a list.
BUT = {"get_item", "batch_norm_train", "soft_shrink", "softmax", "log_softmax", "select"}


def gradients_through(function, as_list, before, after):
    numbers = [ops.convert_to_tensor(v) for v in (0.3, 0.5, 0.2, 0.7)]
    with GradientTape() as tape:
        tape.watch(numbers)
        x = [numbers[:2], numbers[2:]]
        x = x if as_list else ops.stack([ops.stack(row) for row in x])
        y = function(*before, x, *after)
        y = kerasish.tree.flatten(y)[0]
        total = ops.sum(y)
    return [y, *tape.gradient(total, numbers)]


@pytest.mark.parametrize("name", [n for n in OPS if n not in BUT])
@pytest.mark.filterwarnings("ignore")
def test_every_op_follows_a_list_as_it_follows_a_tensor(name):
    for before, after in SURROUNDINGS:
        try:
            want = gradients_through(getattr(ops, name), False, before, after)
        except Exception:
            continue  # an op that does not take these arguments
        if all(g is None for g in want[1:]):
            continue
        got = gradients_through(getattr(ops, name), True, before, after)
        for g, w in zip(got, want, strict=True):
            assert (g is None) == (w is None)
            if g is not None:
                np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-6, atol=1e-6)


REFUSALS = {
    "dtypes that differ": lambda k, t: k.ops.convert_to_tensor([t(1.0), t(1)]),
    "a fraction beside an integer": lambda k, t: k.ops.convert_to_tensor([1.5, t(1)]),
    "a number beside a truth value": lambda k, t: k.ops.convert_to_tensor([t(True), 1]),
    "a complex number beside a float": lambda k, t: k.ops.convert_to_tensor([t(1.0), 1j]),
    "shapes that differ": lambda k, t: k.ops.convert_to_tensor([[t(1.0), t(2.0)], [t(1.0)]]),
    "None": lambda k, t: k.ops.convert_to_tensor([t(1.0), None]),
    "a symbolic tensor": lambda k, t: k.ops.convert_to_tensor([k.Input((3,)), k.Input((3,))]),
    "a symbolic tensor in an op": lambda k, t: k.ops.sum([k.Input((3,)), k.Input((3,))]),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name):
    with pytest.raises(Exception):
        REFUSALS[name](keras, tf.constant)
    with pytest.raises((ValueError, TypeError)):
        REFUSALS[name](kerasish, ops.convert_to_tensor)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64", "float16", "bfloat16", "float64", "complex64"])
def test_numbers_take_the_dtype_of_the_tensors(dtype):
    number = False if dtype == "bool" else 3
    got = ops.convert_to_tensor([Tensor(ops.ones((), dtype).value), number if dtype != "complex64" else 3.0])
    want = tf.convert_to_tensor([tf.ones((), dtype), number if dtype != "complex64" else 3.0])
    assert got.dtype == want.dtype.name == dtype
    np.testing.assert_array_equal(got.numpy(), want.numpy())


def sums_in_a_call(k):
    class Both(k.layers.Layer):
        def call(self, x):
            first, second = x
            return k.ops.mean([first, second], axis=0) + k.ops.convert_to_tensor([[1.0, 2.0, 3.0]])

    x, z = k.Input((3,)), k.Input((3,))
    return k.Model([x, z], Both()([x, z]))


def test_lists_in_the_call_of_a_layer_in_a_graph():
    data = [np.arange(6, dtype="float32").reshape(2, 3), np.ones((2, 3), "float32")]
    want, got = sums_in_a_call(keras), sums_in_a_call(kerasish)
    assert got.output_shape == want.output_shape
    np.testing.assert_allclose(got(data).numpy(), want(data).numpy())
