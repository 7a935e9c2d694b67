"""Models with ops in their graphs: the same nodes as real Keras makes, loaded both ways, with the same results."""

import json

import keras
import numpy as np
import pytest

import kerasish

OPERATORS = {
    "x + 1": lambda k, x: x + 1.0,
    "1 - x": lambda k, x: 1 - x,
    "x * x": lambda k, x: x * x,
    "x / 255": lambda k, x: x / 255.0,
    "2 / x": lambda k, x: 2 / (x + 3.0),
    "-x": lambda k, x: -x,
    "x ** 2": lambda k, x: x**2,
    "x // 2": lambda k, x: x // 2,
    "x @ x'": lambda k, x: x @ k.ops.transpose(x, (0, 2, 1)),
    "x > 0": lambda k, x: k.ops.where(x > 0, x, 0.0),
    "x[:, 1:3]": lambda k, x: x[:, 1:3],
    "x[..., 0]": lambda k, x: x[..., 0],
    "x[:, 0]": lambda k, x: x[:, 0],
}
NAMES = (
    "relu relu6 sigmoid softplus softsign silu log_sigmoid leaky_relu elu selu gelu softmax log_softmax hard_sigmoid "
    "hard_silu tanh exp square abs sign floor ceil round sin cos erf expm1 negative celu ravel normalize"
).split()
CALLS = {
    "mean": lambda k, x: k.ops.mean(x, axis=-1, keepdims=True),
    "sum": lambda k, x: k.ops.sum(x, axis=(1, 2)),
    "max": lambda k, x: k.ops.max(x, axis=1),
    "prod": lambda k, x: k.ops.prod(x, axis=1),
    "var": lambda k, x: k.ops.var(x, axis=-1),
    "std": lambda k, x: k.ops.std(x, axis=-1),
    "norm": lambda k, x: k.ops.norm(x, axis=-1),
    "logsumexp": lambda k, x: k.ops.logsumexp(x, axis=-1),
    "average": lambda k, x: k.ops.average(x, axis=1),
    "cumsum": lambda k, x: k.ops.cumsum(x, axis=1),
    "argmax": lambda k, x: k.ops.argmax(x, axis=-1),
    "concatenate": lambda k, x: k.ops.concatenate([x, x], axis=-1),
    "stack": lambda k, x: k.ops.stack([x, x], axis=1),
    "reshape": lambda k, x: k.ops.reshape(x, (-1, 12)),
    "expand_dims": lambda k, x: k.ops.expand_dims(x, -1),
    "swapaxes": lambda k, x: k.ops.swapaxes(x, 1, 2),
    "moveaxis": lambda k, x: k.ops.moveaxis(x, 1, 2),
    "clip": lambda k, x: k.ops.clip(x, 0, 1),
    "cast": lambda k, x: k.ops.cast(x, "int32"),
    "pad": lambda k, x: k.ops.pad(x, ((0, 0), (1, 1), (0, 0))),
    "repeat": lambda k, x: k.ops.repeat(x, 2, axis=1),
    "split": lambda k, x: k.ops.split(x, 2, axis=-1)[1],
    "unstack": lambda k, x: k.ops.unstack(x, axis=1)[1],
    "maximum": lambda k, x: k.ops.maximum(x, 0.5),
    "einsum": lambda k, x: k.ops.einsum("bij,bkj->bik", x, x),
    "tril": lambda k, x: k.ops.tril(x),
    "zeros_like": lambda k, x: k.ops.zeros_like(x),
}
ROWS = OPERATORS | {name: lambda k, x, name=name: getattr(k.ops, name)(x) for name in NAMES} | CALLS


def build(k, call):
    k.utils.clear_session()
    x = k.Input((3, 4))
    return k.Model(x, call(k, x))


@pytest.mark.parametrize("call", ROWS.values(), ids=ROWS)
def test_graphs_cross(call):
    ours, theirs = (build(k, call).to_json() for k in (kerasish, keras))
    assert json.loads(ours) == json.loads(theirs)
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    expected = np.asarray(build(keras, call)(x))
    for model in (kerasish.models.model_from_json(theirs), keras.models.model_from_json(ours)):
        np.testing.assert_allclose(np.asarray(model(x)), expected, rtol=2e-5, atol=1e-6)
