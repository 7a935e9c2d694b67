"""Every differentiable op, and the gradient of its gradient, against differences in float64."""

import numpy as np
import pytest

from kerasish import GradientTape, ops
from kerasish.ops.norm import group_normalization
from tests.ops.gradients import check_gradient

RNG = np.random.default_rng(1)
AT = np.array([[0], [2], [0], [3], [2]])


def real(*shape):
    return RNG.standard_normal(shape)


def positive(*shape):
    return np.abs(RNG.standard_normal(shape)) + 0.5


def inside(*shape):
    return RNG.uniform(-0.8, 0.8, shape)


UNARY = {
    real: "negative absolute square exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh erf erfc deg2rad copy "
    "sigmoid log_sigmoid softplus softsign silu relu relu6 hard_sigmoid hard_silu hard_tanh leaky_relu elu selu celu "
    "gelu softmax log_softmax sparsemax logsumexp squareplus tanh_shrink soft_shrink hard_shrink sparse_plus "
    "sparse_sigmoid",
    positive: "sqrt rsqrt reciprocal cbrt log log1p log2 log10",
    inside: "arcsin arccos arctanh",
}


@pytest.mark.parametrize("name", [n for names in UNARY.values() for n in names.split()])
def test_unary(name):
    draw = next(d for d, names in UNARY.items() if name in names.split())
    check_gradient(getattr(ops, name), draw(3, 4))


@pytest.mark.parametrize("name", "add subtract multiply divide maximum minimum arctan2 hypot logaddexp mod".split())
def test_binary_with_broadcasting(name):
    rng = np.random.default_rng(4)
    check_gradient(getattr(ops, name), rng.standard_normal((3, 4)), rng.standard_normal(4))


ROWS = {
    "power": (ops.power, positive(3, 4), real(4)),
    "where": (lambda x, y: ops.where(x > 0, x * x, y), real(4, 5), real(5)),
    "clip": (lambda x: ops.clip(x, -0.5, 0.5), real(4, 5)),
    "divide_no_nan": (ops.divide_no_nan, real(3), real(3)),
    "matmul batched": (ops.matmul, real(2, 3, 4), real(4, 5)),
    "matmul matrix vector": (ops.matmul, real(3, 4), real(4)),
    "matmul vector matrix": (ops.matmul, real(4), real(4, 3)),
    "dot": (ops.dot, real(4), real(4)),
    "outer": (ops.outer, real(3), real(4)),
    "tensordot": (lambda x, y: ops.tensordot(x, y, 2), real(2, 3, 4), real(3, 4, 5)),
    "einsum": (lambda a, b: ops.einsum("bij,jk->bki", a, b), real(2, 3, 4), real(4, 5)),
    "einsum with dots": (lambda a, b: ops.einsum("...ij,jk->...k", a, b), real(2, 3, 4), real(4, 5)),
    "einsum with a sum": (lambda a, b: ops.einsum("ij,k->k", a, b), real(2, 3), real(4)),
    "norm": (lambda x: ops.norm(x, axis=1), real(4, 5)),
    "norm of order 3": (lambda x: ops.norm(x, 3, axis=1), real(4, 5)),
    "norm inf of a matrix": (lambda x: ops.norm(x, np.inf), real(4, 5)),
    "norm 1 of matrices": (lambda x: ops.norm(x, 1, axis=(0, 2)), real(4, 3, 5)),
    "normalize": (ops.normalize, real(4, 5)),
    "normalize by order 3": (lambda x: ops.normalize(x, axis=(0,), order=3), real(4, 5)),
    "normalize by order 1": (lambda x: ops.normalize(x, order=1), real(4, 5)),
    "inner": (ops.inner, real(2, 3), real(4, 3)),
    "vdot": (ops.vdot, real(2, 3), real(2, 3)),
    "einsum of a diagonal": (lambda x: ops.einsum("ii->i", x), real(4, 4)),
    "einsum of diagonals": (lambda x, y: ops.einsum("bii,bij->bj", x, y), real(2, 3, 3), real(2, 3, 4)),
    "einsum of a trace": (lambda x: ops.einsum("ii", x), real(4, 4)),
    "einsum of three alike": (lambda x: ops.einsum("iii->i", x), real(3, 3, 3)),
    "trace": (ops.trace, real(4, 5)),
    "sum": (lambda x: ops.sum(x, 1), real(2, 3, 4)),
    "mean": (lambda x: ops.mean(x, (0, 2), keepdims=True), real(2, 3, 4)),
    "max": (lambda x: ops.max(x, 1), real(2, 3, 4)),
    "min": (lambda x: ops.min(x, (0, 1)), real(2, 3, 4)),
    "prod": (lambda x: ops.prod(x, 1), real(2, 3, 4)),
    "var": (lambda x: ops.var(x, 1), real(2, 3, 4)),
    "std": (lambda x: ops.std(x, (0, 1)), real(2, 3, 4)),
    "average": (lambda x: ops.average(x, 1, np.array([1.0, 2.0, 3.0])), real(2, 3)),
    "cumsum": (lambda x: ops.cumsum(x, 1), real(4, 5)),
    "get_item": (lambda x: x[1:, ::2], real(3, 5)),
    "get_item by arrays": (lambda x: x[np.array([0, 2, 2])], real(3, 5)),
    "take": (lambda x: ops.take(x, [0, 2, 2], 1), real(3, 5)),
    "take at negative indices": (lambda x: ops.take(x, [-1, 2, -3], 1), real(3, 5)),
    "take of all, negative": (lambda x: ops.take(x, [-1, 2, -3]), real(3, 5)),
    "take_along_axis, broadcast": (lambda x: ops.take_along_axis(x, np.array([[0, -1]]), 1), real(3, 4)),
    "take_along_axis of one row": (lambda x: ops.take_along_axis(x, np.array([[0], [2]]), 1), real(1, 4)),
    "take_along_axis of all": (lambda x: ops.take_along_axis(x, np.array([0, 2, 2])), real(2, 4)),
    "take_along_axis": (lambda x: ops.take_along_axis(x, np.array([[0, 0], [2, 1]]), 1), real(2, 4)),
    "top_k": (lambda x: ops.top_k(x, 2)[0], real(4, 5)),
    "sort": (lambda x: ops.sort(x, 1), real(4, 5)),
    "concatenate": (lambda x, y: ops.concatenate([x, y], -1), real(3, 5), real(3, 2)),
    "stack": (lambda x, y: ops.stack([x, y], 1), real(3, 5), real(3, 5)),
    "split": (lambda x: ops.split(x, 2, 1)[1] * 2, real(3, 6)),
    "tile": (lambda x: ops.tile(x, (2, 3)), real(3, 5)),
    "repeat": (lambda x: ops.repeat(x, 3, 1), real(3, 5)),
    "repeat each": (lambda x: ops.repeat(x, [1, 0, 2], 0), real(3, 5)),
    "repeat of all": (lambda x: ops.repeat(x, 2), real(3, 5)),
    "unstack": (lambda x: ops.unstack(x, axis=1)[2], real(3, 5)),
    "select": (lambda x: ops.select([x > 1, x > 0], [x * x, x], 0.5), real(4, 5)),
    "resize bicubic": (lambda x: ops.image.resize(x, (5, 4), "bicubic"), real(1, 4, 3, 2)),
    "resize, antialias": (lambda x: ops.image.resize(x, (2, 2), "lanczos3", True), real(1, 4, 5, 2)),
    "pad": (lambda x: ops.pad(x, ((1, 2), (0, 1))), real(3, 5)),
    "diagonal": (ops.diagonal, real(4, 5)),
    "tril": (ops.tril, real(4, 5)),
    "flip, roll, transpose": (lambda x: ops.transpose(ops.roll(ops.flip(x, 0), 2, 1)), real(4, 5)),
    **{
        f"pad, {mode}": (lambda x, mode=mode: ops.pad(x, ((2, 2), (0, 3), (0, 0)), mode), real(3, 5, 2))
        for mode in ("reflect", "symmetric", "edge", "wrap")
    },
    "pad, reflect far": (lambda x: ops.pad(x, ((5, 7),), "reflect"), real(3)),
    **{
        f"scatter_update, {how}": (lambda x, u, how=how: ops.scatter_update(x, AT, u, how), real(4, 3), real(5, 3))
        for how in ("add", "max", "min", "mul")
    },
    "scatter_update, mul of zeros": (
        lambda x, u: ops.scatter_update(x, AT, u * np.array([0, 0, 0, 1, 1]), "mul"),
        real(4),
        real(5),
    ),
    "scatter_update": (lambda x, u: ops.scatter_update(x, [[0, 1], [2, 2]], u), real(3, 3), real(2)),
    "slice_update": (lambda x, u: ops.slice_update(x, (1, 0), u), real(3, 3), real(2, 2)),
    "segment_sum": (lambda x: ops.segment_sum(x, [0, 0, 2], 3), real(3, 2)),
    "glu": (ops.nn.glu, real(3, 4)),
    "conv strides": (lambda x, w: ops.conv(x, w, (2, 1), "same"), real(2, 7, 6, 3), real(3, 2, 3, 4)),
    "conv dilated, grouped": (
        lambda x, w: ops.conv(x, w, 1, "valid", dilation_rate=2),
        real(2, 7, 6, 4),
        real(3, 2, 2, 6),
    ),
    "conv channels first": (
        lambda x, w: ops.conv(x, w, 1, "same", "channels_first"),
        real(1, 3, 5, 4),
        real(2, 2, 3, 2),
    ),
    "conv 1-D": (lambda x, w: ops.conv(x, w, 2, "same"), real(2, 7, 4), real(3, 4, 6)),
    "conv 3-D": (lambda x, w: ops.conv(x, w, 2, "same"), real(1, 5, 4, 4, 2), real(3, 2, 2, 2, 3)),
    "conv_transpose": (lambda x, w: ops.conv_transpose(x, w, 2, "same"), real(2, 5, 4, 2), real(3, 2, 3, 2)),
    "conv_transpose 3-D": (lambda x, w: ops.conv_transpose(x, w, 2, "valid"), real(1, 3, 2, 3, 2), real(3, 2, 2, 3, 2)),
    "depthwise_conv 3-D": (lambda x, w: ops.depthwise_conv(x, w, 1, "same"), real(1, 3, 4, 3, 2), real(2, 2, 2, 2, 3)),
    "depthwise_conv": (lambda x, w: ops.depthwise_conv(x, w, 1, "same"), real(2, 5, 4, 2), real(3, 2, 2, 3)),
    "conv bias relu": (
        lambda x, w, b: ops.nn.conv_bias_act(x, w, b, 1, "same", activation="relu"),
        real(1, 3, 3, 2),
        real(3, 3, 2, 2),
        real(2),
    ),
    "conv bias relu6": (
        lambda x, w, b: ops.nn.conv_bias_act(x, w * 9, b, 1, "same", activation="relu6"),
        real(1, 3, 3, 2),
        real(3, 3, 2, 2),
        real(2),
    ),
    "depthwise, own pads": (
        lambda x, w: ops.nn.depthwise_bias_act(x, w, None, 2, ((0, 1), (2, 0))),
        real(1, 5, 4, 2),
        real(3, 3, 2, 1),
    ),
    "dense bias relu": (lambda x, w, b: ops.nn.dense_bias_act(x, w, b, "relu"), real(3, 3), real(3, 2), real(2)),
    "dense bias relu6": (lambda x, w, b: ops.nn.dense_bias_act(x, w * 9, b, "relu6"), real(3, 3), real(3, 2), real(2)),
    "max_pool": (lambda x: ops.max_pool(x, 3, 2, "same"), real(2, 7, 6, 3)),
    "max_pool_relu": (lambda x: ops.nn.max_pool_relu(x, 3, 2, "same"), real(2, 7, 6, 3)),
    "max_pool 3-D": (lambda x: ops.max_pool(x, 2, 2, "same"), real(1, 5, 4, 3, 2)),
    "average_pool": (lambda x: ops.average_pool(x, 3, 2, "same"), real(2, 7, 6, 3)),
    "upsample": (lambda x: ops.nn.upsample(x, (2, 3)), real(1, 2, 3, 2)),
    "resize": (lambda x: ops.image.resize(x, (5, 4)), real(1, 2, 3, 2)),
    "batch_norm_train": (lambda x, g, b: ops.nn.batch_norm_train(x, g, b)[0], real(4, 3, 3, 5), real(5), real(5)),
    "batch_norm_train relu6": (
        lambda x, g, b: ops.nn.batch_norm_train(x, g * 5, b, activation="relu6")[0],
        real(4, 3, 3, 5),
        real(5),
        real(5),
    ),
    "batch_normalization": (
        lambda x, m, v: ops.batch_normalization(x, m, v, -1, np.ones(3), np.full(3, 2.0)),
        real(4, 3),
        real(3),
        positive(3),
    ),
    "layer_normalization": (ops.layer_normalization, real(4, 3, 5), real(5), real(5)),
    "group_normalization": (lambda x, a, b: group_normalization(x, 2, a, b), real(3, 4, 6), real(6), real(6)),
    "group_normalization, axis": (lambda x, a: group_normalization(x, 2, a, axis=1), real(3, 4, 2), real(4)),
    "rms_normalization": (ops.rms_normalization, real(4, 5), real(5)),
    "categorical_crossentropy": (
        lambda x: ops.categorical_crossentropy(np.eye(5)[[1, 2, 3]], x, from_logits=True),
        real(3, 5),
    ),
    "sparse_categorical_crossentropy": (
        lambda x: ops.sparse_categorical_crossentropy([1, 2, 3], x, from_logits=True),
        real(3, 5),
    ),
    "binary_crossentropy": (lambda x: ops.binary_crossentropy(np.eye(3), x, from_logits=True), real(3, 3)),
    "crossentropy of probabilities": (
        lambda x: ops.categorical_crossentropy(np.eye(5)[[1, 2, 3]], ops.softmax(x)),
        real(3, 5),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows(name):
    check_gradient(*ROWS[name])


FIRST = {  # whose second derivative is refused
    "norm 2 of matrices": (lambda x: ops.norm(x, 2, axis=(1, 2)), real(2, 3, 4)),
    "norm -2 of a matrix": (lambda x: ops.norm(x, -2), real(3, 3)),
    "nuclear norm": (lambda x: ops.norm(x, "nuc"), real(3, 4)),
    "q": (lambda x: ops.qr(x)[0], real(2, 4, 3)),
    "r": (lambda x: ops.qr(x)[1], real(4, 4)),
}


@pytest.mark.parametrize("name", FIRST)
def test_first_derivative(name):
    check_gradient(*FIRST[name], second=False)
    with pytest.raises(NotImplementedError, match="second derivative"):
        check_gradient(*FIRST[name])


HIDDEN = {  # what an op lets no gradient through to, of these
    "clip": (lambda x: ops.clip(x, -1.0, 1.0), [-5.0, 5.0]),
    "clip in half precision, whose bounds round": (lambda x: ops.clip(ops.cast(x, "float16"), 1e-9, 2.0), [-5.0, 5.0]),
    "relu": (ops.relu, [-5.0, 0.0]),
    "relu6": (ops.relu6, [-5.0, 7.0]),
    "hard_tanh": (ops.hard_tanh, [-5.0, 5.0]),
    "slice_update": (lambda x: ops.slice_update(x, (0,), np.ones(2, "float32")), [1.0, 2.0]),
    "scatter_update": (lambda x: ops.scatter_update(x, [[0], [1]], np.ones(2, "float32")), [1.0, 2.0]),
    "maximum": (lambda x: ops.maximum(x, 3.0), [1.0, 2.0]),
    "minimum": (lambda x: ops.minimum(x, -3.0), [1.0, 2.0]),
    "where": (lambda x: ops.where(x > 3, x, 0.0), [1.0, 2.0]),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_hidden_has_no_gradient_not_even_an_infinite_one(name):
    function, values = HIDDEN[name]
    x = ops.convert_to_tensor(np.array(values, "float32"))
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(ops.cast(function(x), "float32") * np.float32(np.inf))
    np.testing.assert_array_equal(tape.gradient(y, x), [0, 0])


def test_a_bound_counts_as_it_is_in_the_dtype_of_what_it_holds():
    x = ops.convert_to_tensor(np.array([1.0, 0.5], "float16"))
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(ops.clip(x, 1e-7, 1 - 1e-7))  # up to 1, in half precision
    np.testing.assert_array_equal(tape.gradient(y, x), [1, 1])
