"""Ops beside keras.ops: values, dtypes and shapes, on tensors and on symbolic tensors."""

import numpy as np
import pytest

import kerasish

RNG = np.random.default_rng(2)
X = RNG.standard_normal((3, 4)).astype("float32")
Y = RNG.standard_normal((4,)).astype("float32")
I = RNG.integers(-4, 5, (3, 4)).astype("int32")
B = X > 0
IMAGE = RNG.standard_normal((2, 7, 6, 3)).astype("float32")

ROWS = {
    "add int float": lambda ops: ops.add(I, X),
    "add scalar": lambda ops: ops.add(X, 2),
    "scalar of an int": lambda ops: ops.multiply(I, 1.5),
    "divide ints": lambda ops: ops.divide(I, 3),
    "floor_divide": lambda ops: ops.floor_divide(I, 3),
    "mod": lambda ops: ops.mod(I, 3),
    "power": lambda ops: ops.power(I, 2),
    "mean of ints": lambda ops: ops.mean(I, axis=0),
    "sum of bools": lambda ops: ops.sum(B, axis=1),
    "var": lambda ops: ops.var(X, axis=1, keepdims=True),
    "argmax": lambda ops: ops.argmax(X, axis=1),
    "logsumexp": lambda ops: ops.logsumexp(X, axis=0),
    "exp of ints": lambda ops: ops.exp(I),
    "sqrt of ints": lambda ops: ops.sqrt(ops.abs(I)),
    "round": lambda ops: ops.round(X * 10, 1),
    "floor": lambda ops: ops.floor(X),
    "sign": lambda ops: ops.sign(I),
    "clip": lambda ops: ops.clip(I, -2, 2),
    "maximum": lambda ops: ops.maximum(X, 0),
    "where": lambda ops: ops.where(B, X, 0.0),
    "logical_and": lambda ops: ops.logical_and(B, I > 0),
    "equal": lambda ops: ops.equal(I, 2),
    "matmul": lambda ops: ops.matmul(X, Y),
    "einsum": lambda ops: ops.einsum("ij,j->i", X, Y),
    "tensordot": lambda ops: ops.tensordot(X, Y, 1),
    "norm": lambda ops: ops.norm(X, axis=-1),
    "one_hot": lambda ops: ops.one_hot(np.array([0, 2, 5]), 4),
    "take": lambda ops: ops.take(X, [0, -1], axis=1),
    "top_k": lambda ops: ops.top_k(X, 2),
    "argsort": lambda ops: ops.argsort(X, axis=-1),
    "cumsum": lambda ops: ops.cumsum(X, axis=1),
    "concatenate": lambda ops: ops.concatenate([X, ops.expand_dims(Y, 0)], 0),
    "stack": lambda ops: ops.stack([X, X], -1),
    "split": lambda ops: ops.split(X, [1, 3], axis=1),
    "reshape": lambda ops: ops.reshape(X, (2, -1)),
    "transpose": lambda ops: ops.transpose(IMAGE, (0, 3, 1, 2)),
    "moveaxis": lambda ops: ops.moveaxis(IMAGE, -1, 1),
    "pad": lambda ops: ops.pad(X, ((1, 0), (2, 1)), constant_values=3.0),
    "tile": lambda ops: ops.tile(Y, (2, 3)),
    "repeat": lambda ops: ops.repeat(X, 2, axis=0),
    "flip": lambda ops: ops.flip(X, 1),
    "arange": lambda ops: ops.arange(1, 7, 2),
    "linspace": lambda ops: ops.linspace(0, 1, 5),
    "eye": lambda ops: ops.eye(3, 4, 1),
    "full_like": lambda ops: ops.full_like(I, 7),
    "cast": lambda ops: ops.cast(X, "int32"),
    "softmax over two axes": lambda ops: ops.softmax(IMAGE, (1, 2)),
    "log_softmax": lambda ops: ops.log_softmax(X, 0),
    "gelu exact": lambda ops: ops.gelu(X, approximate=False),
    "leaky_relu": lambda ops: ops.leaky_relu(X),
    "hard_silu": lambda ops: ops.hard_silu(X),
    "conv": lambda ops: ops.conv(IMAGE, np.ones((3, 2, 3, 4), "float32"), 2, "same"),
    "conv_transpose": lambda ops: ops.conv_transpose(IMAGE, np.ones((3, 2, 4, 3), "float32"), 2, "same"),
    "depthwise_conv": lambda ops: ops.depthwise_conv(IMAGE, np.ones((3, 2, 3, 2), "float32")),
    "separable_conv": lambda ops: ops.separable_conv(
        IMAGE, np.ones((3, 2, 3, 2), "float32"), np.ones((1, 1, 6, 5), "float32")
    ),
    "max_pool": lambda ops: ops.max_pool(IMAGE, 2, 2, "same"),
    "average_pool": lambda ops: ops.average_pool(IMAGE, 3, 2, "same"),
    "moments": lambda ops: ops.moments(X, [0]),
    "in_top_k": lambda ops: ops.in_top_k(np.array([1, 2, 0]), X, 2),
    "bincount": lambda ops: ops.bincount(np.array([1, 1, 3]), minlength=6),
    "nan_to_num": lambda ops: ops.nan_to_num(np.array([np.nan, np.inf, 1.0], "float32")),
    "vectorized_map": lambda ops: ops.vectorized_map(lambda x: x * 2, X),
    "scan": lambda ops: ops.scan(lambda c, x: (c + x, c * x), ops.zeros((4,)), X),
    "while_loop": lambda ops: ops.while_loop(lambda i: i < 10, lambda i: (i + 3,), (0,)),
    "slice": lambda ops: ops.slice(X, (1, 1), (2, 2)),
    "segment_sum": lambda ops: ops.segment_sum(X, np.array([0, 0, 2]), 3),
    "meshgrid": lambda ops: ops.meshgrid(Y, Y[:2]),
    "tril": lambda ops: ops.tril(X, 1),
    "isnan": lambda ops: ops.isnan(np.array([np.nan, 1.0], "float32")),
    "median": lambda ops: ops.median(X, axis=1),
    "unique": lambda ops: ops.unique(I, return_index=True, return_inverse=True, return_counts=True),
    "unique, filled up": lambda ops: ops.unique(I, True, True, False, True, None, 12),
    "unique rows": lambda ops: ops.unique(np.array([[1, 2], [0, 3], [1, 2]], "int32"), axis=0, size=3, fill_value=9),
    "multi_hot": lambda ops: ops.multi_hot(np.array([[0, 2], [1, 1]]), num_tokens=4),
    "arctan2 of a number": lambda ops: ops.arctan2(0.5, X.astype("float16")),
    "a number's bits moved by an array": lambda ops: ops.bitwise_left_shift(2, np.array([0, 3], "uint8")),
    "an array's bits moved by a number": lambda ops: ops.right_shift(np.array([9, 3], "uint16"), 1),
    "hard_shrink of ints": lambda ops: ops.hard_shrink(ops.convert_to_tensor(I), 1),
    "soft_shrink of ints": lambda ops: ops.soft_shrink(ops.convert_to_tensor(I), 1),
    "saturate_cast to bool": lambda ops: ops.saturate_cast(X, "bool"),
    "saturate_cast of ints to bool": lambda ops: ops.saturate_cast(I, "bool"),
    "nan_to_num of a list of ints": lambda ops: ops.nan_to_num([0, 253]),
    "repeat of a number": lambda ops: ops.repeat(np.int32(2), 3, axis=0),
    "segment_min, sorted, a gap": lambda ops: ops.segment_min(3 + I[:, 0] * 0, np.array([0, 0, 2]), None, True),
    "segment_max, sorted, a gap": lambda ops: ops.segment_max(-3 + I[:, 0] * 0, np.array([0, 0, 2]), None, True),
    "comparison with a number beyond the dtype": lambda ops: ops.less(np.array([-3, 4], "int8"), 300),
    "comparison of halves with a number": lambda ops: ops.equal(np.array([0.1, 0.5], "float16"), 0.1),
    "unsigned beside a negative number": lambda ops: ops.greater(np.array([0, 4], "uint8"), -1),
    "hypot of a number": lambda ops: ops.hypot(np.array([3, 4], "uint32"), 4),
    "logaddexp of a number": lambda ops: ops.logaddexp(np.array([3, 4], "float16"), 4.0),
    "floor_divide of floats": lambda ops: ops.floor_divide(np.array([1, np.inf, -1], "float32"), np.float32(0.1)),
    "the least int32 in a list": lambda ops: ops.minimum([-(2**31), 2**31 - 1], 2),
    "softmax of nothing": lambda ops: ops.softmax(np.ones((2, 2, 0), "float32"), axis=(0, 1)),
    "take_along_axis of no indices": lambda ops: ops.take_along_axis(X, []),
    "fori_loop of no steps": lambda ops: ops.fori_loop(3, 3, lambda i, v: v, 1.5),
    "separable_conv 1x1": lambda ops: ops.separable_conv(
        IMAGE, np.ones((3, 2, 3, 1), "float32"), np.ones((1, 1, 3, 5), "float32"), 1, "same"
    ),
    "einsum, optimized": lambda ops: ops.einsum("ij,j->i", X, Y, optimize="greedy"),
}


@pytest.fixture(scope="module")
def real():
    import keras

    return keras.ops


def leaves(x):
    return [v for part in x for v in leaves(part)] if isinstance(x, (list, tuple)) else [x]


@pytest.mark.parametrize("name", ROWS)
def test_equals_keras(name, real):
    want, got = leaves(ROWS[name](real)), leaves(ROWS[name](kerasish.ops))
    assert len(want) == len(got)
    for a, b in zip(want, got):
        assert b.dtype == real.convert_to_tensor(a).dtype.name
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=2e-5, atol=2e-6)


def test_unknown_arguments_are_refused():
    with pytest.raises(TypeError, match="Invalid keyword arguments for einsum: order"):
        kerasish.ops.einsum("ij,j->i", X, Y, order="C")
    with pytest.raises(NotImplementedError, match="rms_normalization"):
        kerasish.ops.layer_normalization(X, rms_scaling=True)
    for attempt in (kerasish.ops.layer_normalization, kerasish.ops.multi_hot):
        with pytest.raises(TypeError, match="unexpected keyword arguments"):
            attempt(I, 4, bias=None)


LISTS = {
    "conv": lambda ops, f: ops.conv(f(IMAGE), f(np.ones((3, 2, 3, 4), "float32"))),
    "conv_transpose": lambda ops, f: ops.conv_transpose(f(IMAGE), f(np.ones((3, 2, 4, 3), "float32"))),
    "depthwise_conv": lambda ops, f: ops.depthwise_conv(f(IMAGE), f(np.ones((3, 2, 3, 1), "float32"))),
    "max_pool": lambda ops, f: ops.max_pool(f(IMAGE), 2),
    "average_pool": lambda ops, f: ops.average_pool(f(IMAGE), 2),
    "batch_normalization": lambda ops, f: ops.batch_normalization(f(X), f(Y), f(Y * Y), -1),
    "layer_normalization": lambda ops, f: ops.layer_normalization(f(X), f(Y), f(Y)),
    "clip": lambda ops, f: ops.clip(f(X), -1, 1),
    "categorical_crossentropy": lambda ops, f: ops.categorical_crossentropy(f(X), f(X), True),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_numbers_are_tensors(name):
    want, got = (LISTS[name](kerasish.ops, f) for f in (kerasish.ops.convert_to_tensor, lambda x: x.tolist()))
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_a_pointwise_kernel_has_one_tap(real):
    for ops in (real, kerasish.ops):
        with pytest.raises(ValueError):
            ops.separable_conv(IMAGE, np.ones((3, 2, 3, 1), "float32"), np.ones((2, 1, 3, 5), "float32"))


@pytest.mark.parametrize("x", [0.5, 3, True, [1, 2.5], [[1], [2]], (), np.float16(2)])
def test_numbers_as_numpy(x, real):
    want, got = real.convert_to_numpy(x), kerasish.ops.convert_to_numpy(x)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


def test_the_gradient_of_a_diagonal_of_nothing():
    x = kerasish.ops.ones((2, 0, 3))
    with kerasish.GradientTape() as tape:
        tape.watch(x)
        y = kerasish.ops.diagonal(x)
    assert tape.gradient(y, x).shape == (2, 0, 3)


def test_multi_hot_of_no_labels():
    np.testing.assert_array_equal(kerasish.ops.multi_hot(np.zeros(0, "int32"), 3), np.zeros(3))
    np.testing.assert_array_equal(kerasish.ops.multi_hot(np.zeros((2, 0), "int32"), 3), np.zeros((2, 3)))


def test_clip_of_ints_by_a_fraction(real):
    for ops in (real, kerasish.ops):
        with pytest.raises(TypeError):
            ops.clip(ops.convert_to_tensor(I), -0.5, 2)


def test_an_array_among_the_indices_of_a_symbolic_tensor():
    x = kerasish.KerasTensor((3, None, 4))
    for key in ((slice(None), slice(None), np.array([0, 2, 1])), (np.array([0, 2]), ..., 1), np.array([0])):
        with pytest.raises(ValueError, match="ops.take"):
            x[key]


EMPTY = {
    "multi_hot without classes": lambda ops: ops.multi_hot(I, unknown=4),
    "multi_hot by both names": lambda ops: ops.multi_hot(np.array([[0, 2], [1, 1]]), num_classes=4, num_tokens=3),
    "map of []": lambda ops: ops.map(lambda v: v, []),
    "map of ()": lambda ops: ops.map(lambda v: v, ()),
    "map of {}": lambda ops: ops.map(lambda v: v, {}),
    "vectorized_map of []": lambda ops: ops.vectorized_map(lambda v: v, []),
    "scan of []": lambda ops: ops.scan(lambda c, v: (c, v), 0, []),
    "stack of []": lambda ops: ops.stack([]),
    "stack of no rows": lambda ops: ops.stack(np.zeros((0, 3), "int32")),
    "meshgrid of nothing": lambda ops: ops.meshgrid(),
    "unstack of no rows": lambda ops: ops.unstack(np.zeros((0, 3))),
    "hstack of []": lambda ops: ops.hstack([]),
}


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_as_in_keras(name, real):
    """The values of Keras, or its class of exception."""
    found = []
    for ops in (real, kerasish.ops):
        try:
            found.append([(x.shape, x.dtype, x.tolist()) for x in map(np.asarray, leaves(EMPTY[name](ops)))])
        except Exception as error:
            found.append(type(error))
    assert found[1] == found[0]


SYMBOLIC = {
    "conv": lambda ops, x: ops.conv(x, np.ones((3, 2, 3, 4), "float32"), 2, "same"),
    "max_pool": lambda ops, x: ops.max_pool(x, 2, 2, "same"),
    "mean": lambda ops, x: ops.mean(x, (1, 2)),
    "reshape": lambda ops, x: ops.reshape(x, (-1, 7 * 6, 3)),
    "transpose": lambda ops, x: ops.transpose(x, (0, 3, 1, 2)),
    "concatenate": lambda ops, x: ops.concatenate([x, x], 2),
    "get_item": lambda ops, x: x[:, 1:4, ..., None],
    "matmul": lambda ops, x: ops.matmul(x, np.ones((3, 5), "float32")),
    "arithmetic": lambda ops, x: (x * 2 + 1) / 3 - ops.relu(x),
    "split": lambda ops, x: ops.split(x, 3, -1)[1],
    "expand_dims": lambda ops, x: ops.squeeze(ops.expand_dims(x, 1), 1),
    "softmax": lambda ops, x: ops.softmax(x),
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_symbolic_shapes_and_graphs(name, real):
    import keras

    found = []
    for module in (keras, kerasish):
        x = module.KerasTensor((None, 7, 6, 3))
        found.append(tuple(SYMBOLIC[name](module.ops, module.Input((7, 6, 3))).shape))
        assert x.shape == (None, 7, 6, 3)
    assert found[0] == found[1]
    x = kerasish.Input((7, 6, 3))
    model = kerasish.Function(x, SYMBOLIC[name](kerasish.ops, x))
    np.testing.assert_allclose(
        model(IMAGE),
        SYMBOLIC[name](kerasish.ops, IMAGE if "get" not in name and "arith" not in name else kerasish.ops.array(IMAGE)),
        rtol=1e-6,
    )


@pytest.mark.parametrize("call", [lambda f: f([1.0], 0.5, 0.5, 0.5), lambda f: f([1.0], nope=1), lambda f: f()])
@pytest.mark.parametrize("name", ["hard_silu", "soft_shrink", "sparsemax", "threshold"])
def test_no_argument_is_dropped(name, call):
    with pytest.raises(TypeError):
        call(getattr(kerasish.ops, name))


@pytest.mark.parametrize("name", ["adaptive_average_pool", "adaptive_max_pool"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (1, 2, 3, 4, 5, 6)])
@pytest.mark.parametrize("size", [2, (2,), (2, 2)])
def test_adaptive_pooling_of_other_ranks(name, shape, size, real):
    for ops in (real, kerasish.ops):
        with pytest.raises(ValueError, match=f"{name} supports 1D, 2D, or 3D inputs only"):
            getattr(ops, name)(np.ones(shape, "float32"), size)


@pytest.mark.parametrize("name", ["adaptive_average_pool", "adaptive_max_pool"])
def test_adaptive_pooling_to_sizes_that_do_not_fit(name):
    for shape, size in (((2, 4, 4), (2, 2)), ((2, 4, 4, 3), (2,)), ((2, 4, 4), 0), ((2, 4, 4), -1), ((2, 0, 3), 2)):
        for x in (np.ones(shape, "float32"), kerasish.KerasTensor(shape)):
            with pytest.raises(ValueError, match=name):
                getattr(kerasish.ops, name)(x, size)


@pytest.mark.parametrize("name", ["dot", "vdot", "inner", "matmul", "tensordot", "einsum"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_products_of_halves_are_summed_in_floats(name, dtype):
    """Large terms that nearly cancel: rounded to halves one by one, they would leave another sum."""
    ops = kerasish.ops
    x = ops.cast(ops.convert_to_tensor([0.77, -0.352, 1.518, -0.8066, -0.389]), dtype)
    y = ops.cast(ops.convert_to_tensor([254.0, 253.0, 2.0, 3.0, 255.0]), dtype)
    call = {"einsum": lambda: ops.einsum("i,i->", x, y), "tensordot": lambda: ops.tensordot(x, y, 1)}
    found = call.get(name, lambda: getattr(ops, name)(x, y))()
    want = np.dot(np.asarray(ops.cast(x, "float64")), np.asarray(ops.cast(y, "float64")))
    assert found.dtype == dtype
    assert float(ops.cast(found, "float64")) == float(ops.cast(ops.cast(ops.convert_to_tensor(want), dtype), "float64"))
