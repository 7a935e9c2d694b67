"""Rows for `test_symbolic.py`: every public op on symbolic tensors, open and known dimensions, and wrong arguments."""

import numpy as np

N = None  # open in the graph, 3 when it is run


def f(*shape):
    return shape, "float32"


def i(*shape):
    return shape, "int32"


def b(*shape):
    return shape, "bool"


KERNEL = np.linspace(-1, 1, 3 * 2 * 3 * 4).reshape((3, 2, 3, 4)).astype("float32")
TALL = np.linspace(-1, 1, 12).reshape((4, 3)).astype("float32")
IDS = np.array([0, 2, -1], "int32")

UNARY = """abs absolute all amax amin any arccos arccosh arcsin arcsinh arctan arctanh argmax argmin argsort
cast:float16 array cbrt ceil celu copy cos cosh count_nonzero cumprod cumsum deg2rad diagonal elu
empty_like erf erfc exp exp2 expm1 flip floor full_like:2 gelu glu hard_shrink hard_sigmoid hard_silu
hard_swish hard_tanh isfinite isinf isnan isneginf isposinf layer_normalization leaky_relu log log10
log1p log2 log_sigmoid log_softmax logical_not logsumexp max mean median min nan_to_num nanmean nansum
negative norm normalize ones_like prod rad2deg ravel reciprocal relu relu6 rms_normalization round rsqrt
saturate_cast:int8 selu sigmoid sign signbit silu sin sinh soft_shrink softmax softplus softsign sort
sparse_plus sparse_sigmoid sparsemax sqrt square squareplus squeeze std stop_gradient sum swish tan tanh
tanh_shrink trace transpose tril triu trunc var zeros_like convert_to_tensor"""
BINARY = """add arctan2 divide divide_no_nan equal floor_divide fmod greater greater_equal hypot less less_equal
logaddexp maximum minimum mod multiply not_equal power subtract true_divide logical_and logical_or logical_xor"""
BITWISE = "and or xor left_shift right_shift"

ROWS = {}


def row(name, function, *specs):
    if name in ROWS:
        raise ValueError(f"two rows are called {name}")
    ROWS[name] = (function, *specs)


for word in UNARY.split():
    name, _, argument = word.partition(":")
    more = () if not argument else (int(argument),) if argument.isdigit() else (argument,)
    row(name, lambda ops, x, name=name, more=more: getattr(ops, name)(x, *more), f(N, 4))
for name in BINARY.split():
    row(name, lambda ops, x, y, name=name: getattr(ops, name)(x, y), f(N, 4), f(4))
    row(f"{name} of a number", lambda ops, x, name=name: getattr(ops, name)(x, 2), f(N, 4))
for name in BITWISE.split():
    row(f"bitwise_{name}", lambda ops, x, y, name=name: getattr(ops, f"bitwise_{name}")(x, y), i(N, 4), i(4))
row("bitwise_not", lambda ops, x: ops.bitwise_not(x), i(N, 4))
row("bitwise_invert", lambda ops, x: ops.bitwise_invert(x), i(N, 4))
row("left_shift", lambda ops, x, y: ops.left_shift(x, y), i(N, 4), i(4))
row("right_shift", lambda ops, x, y: ops.right_shift(x, y), i(N, 4), i(4))
for name in "sum mean max min prod var std argmax argmin any all logsumexp median nansum nanmean".split():
    row(f"{name} axis", lambda ops, x, name=name: getattr(ops, name)(x, axis=1), f(N, 4, 2))
    row(f"{name} keepdims", lambda ops, x, name=name: getattr(ops, name)(x, axis=-1, keepdims=True), f(N, 4, 2))
    row(f"{name} out of range", lambda ops, x, name=name: getattr(ops, name)(x, axis=3), f(N, 4, 2))
for name in "sum mean max min prod var std any all logsumexp median nansum nanmean count_nonzero norm".split():
    row(f"{name} axes", lambda ops, x, name=name: getattr(ops, name)(x, axis=(0, 2)), f(N, 4, 2))
for name in "softmax log_softmax sparsemax flip cumsum cumprod argsort sort layer_normalization normalize glu".split():
    row(f"{name} axis", lambda ops, x, name=name: getattr(ops, name)(x, axis=1), f(N, 4, 2))
for name in "argsort sort cumsum cumprod flip".split():
    row(f"{name} axis None", lambda ops, x, name=name: getattr(ops, name)(x, axis=None), f(2, 4))
    row(f"{name} axis None, open", lambda ops, x, name=name: getattr(ops, name)(x, axis=None), f(N, 4))
row("sum of ints", lambda ops, x: ops.sum(x, 1), i(N, 4))
row("mean of ints", lambda ops, x: ops.mean(x, 1), i(N, 4))
row("cumsum of bools", lambda ops, x: ops.cumsum(x, 1), b(N, 4))
row("square of bools", lambda ops, x: ops.square(x), b(N, 4))
row("average weights", lambda ops, x, w: ops.average(x, axis=1, weights=w), f(N, 4), f(4))
row("average array weights", lambda ops, x: ops.average(x, 1, np.arange(1, 5, dtype="float32")), f(N, 4))
row("average", lambda ops, x: ops.average(x, axis=1), f(N, 4))
row("moments", lambda ops, x: ops.moments(x, [1]), f(N, 4))
row("quantile", lambda ops, x: ops.quantile(x, 0.5, 1), f(N, 4))
row("quantile of several", lambda ops, x: ops.quantile(x, [0.25, 0.5], 1, keepdims=True), f(N, 4))
row("quantile symbolic q", lambda ops, x, q: ops.quantile(x, q, 1), f(N, 4), f(2))
row("clip", lambda ops, x: ops.clip(x, -0.5, 0.5), f(N, 4))
row("where", lambda ops, c, x, y: ops.where(c, x, y), b(N, 4), f(N, 4), f(4))
row("where of numbers", lambda ops, c: ops.where(c, 1, 2.0), b(N, 4))
row("where alone", lambda ops, c: ops.where(c), b(N, 4))
row("nonzero", lambda ops, x: ops.nonzero(x), f(N, 4))
row("nonzero 1-D", lambda ops, x: ops.nonzero(x), f(4))
row("select", lambda ops, c, x: ops.select([c, x > 0], [x, x * 2], 1.0), b(N, 4), f(N, 4))
row("unique", lambda ops, x: ops.unique(x), f(4))
row("unique and more", lambda ops, x: ops.unique(x, True, True, True, True), f(2, 4))
row("unique sized", lambda ops, x: ops.unique(x, return_counts=True, size=5), f(4))
row("unique axis", lambda ops, x: ops.unique(x, axis=0, return_inverse=True), f(4, 3))
row("searchsorted", lambda ops, s, v: ops.searchsorted(s, v), f(4), f(N, 2))
row("searchsorted right", lambda ops, s, v: ops.searchsorted(s, v, "right"), f(4), f(N, 2))
row("searchsorted 2-D", lambda ops, s, v: ops.searchsorted(s, v), f(2, 4), f(2, 3))
row("digitize", lambda ops, x: ops.digitize(x, np.array([0.0, 1.0], "float32")), f(N, 4))
row("bincount", lambda ops, x: ops.bincount(x), i(N, 4))
row("bincount minlength", lambda ops, x: ops.bincount(x, minlength=7), i(N, 4))
row("bincount weights", lambda ops, x, w: ops.bincount(x, w, 7), i(N, 4), f(N, 4))
row("top_k", lambda ops, x: ops.top_k(x, 2), f(N, 4))
row("in_top_k", lambda ops, t, p: ops.in_top_k(t, p, 2), i(N), f(N, 4))
row("one_hot", lambda ops, x: ops.one_hot(x, 5), i(N, 4))
row("one_hot axis", lambda ops, x: ops.one_hot(x, 5, axis=1, dtype="int32"), i(N, 4))
row("multi_hot", lambda ops, x: ops.multi_hot(x, 5), i(N, 4))
row("multi_hot by its old name", lambda ops, x: ops.multi_hot(x, num_tokens=5), i(N, 4))
row("layer_normalization scaled", lambda ops, x, g, b: ops.layer_normalization(x, g, b), f(N, 4), f(4), f(4))
row(
    "layer_normalization of open axes", lambda ops, x, g: ops.layer_normalization(x, g, axis=(-2, -1)), f(N, 4), f(3, 4)
)
row("rms_normalization of an open axis", lambda ops, x, g: ops.rms_normalization(x, g), f(2, N), f(3))
row("rms_normalization scaled", lambda ops, x, g: ops.rms_normalization(x, g), f(N, 4), f(4))
row("multi_hot 1-D", lambda ops, x: ops.multi_hot(x, 5), i(4))
for name in ("sum", "max", "min"):
    row(f"segment_{name}", lambda ops, x, s, n=name: getattr(ops, f"segment_{n}")(x, s), f(3, 4), i(3))
    row(f"segment_{name} n", lambda ops, x, s, n=name: getattr(ops, f"segment_{n}")(x, s, 5), f(N, 4), i(N))
    row(f"segment_{name} -1", lambda ops, x, n=name: getattr(ops, f"segment_{n}")(x, IDS, 4), f(3, 4))
    row(f"segment_{name} 2-D ids", lambda ops, x, s, n=name: getattr(ops, f"segment_{n}")(x, s, 5), f(3, 4), i(3, 1))
    row(f"segment_{name} lengths", lambda ops, x, s, n=name: getattr(ops, f"segment_{n}")(x, s, 5), f(3, 4), i(2))
row("linspace", lambda ops, a, z: ops.linspace(a, z, 5), f(4), f(4))
row("linspace axis", lambda ops, a, z: ops.linspace(a, z, 5, axis=-1), f(N, 4), f(4))
row("linspace retstep", lambda ops, a, z: ops.linspace(a, z, 5, retstep=True), f(4), f(4))
row("logspace", lambda ops, a, z: ops.logspace(a, z, 5), f(4), f(4))
row("full", lambda ops, x: ops.full((2, 3), x), f())
row("full_like of a tensor", lambda ops, x, v: ops.full_like(x, v), f(N, 4), f())
row("concatenate", lambda ops, x, y: ops.concatenate([x, y], 1), f(N, 4), f(N, 2))
row("concatenate axis 0", lambda ops, x, y: ops.concatenate([x, y], 0), f(N, 4), f(2, 4))
row("concatenate None", lambda ops, x, y: ops.concatenate([x, y], None), f(2, 4), f(3, 4))
row("concatenate None, open", lambda ops, x, y: ops.concatenate([x, y], None), f(N, 4), f(3, 4))
row("concatenate dtypes", lambda ops, x, y: ops.concatenate([x, y], -1), f(N, 4), i(N, 4))
row("concatenate misfit", lambda ops, x, y: ops.concatenate([x, y], 1), f(2, 4), f(3, 4))
row("concatenate ranks", lambda ops, x, y: ops.concatenate([x, y], 0), f(2, 4), f(3))
row("concatenate axis 2", lambda ops, x, y: ops.concatenate([x, y], 2), f(2, 4), f(2, 4))
row("stack", lambda ops, x, y: ops.stack([x, y]), f(N, 4), f(N, 4))
row("stack axis", lambda ops, x, y: ops.stack([x, y], -1), f(N, 4), f(N, 4))
row("stack misfit", lambda ops, x, y: ops.stack([x, y]), f(2, 4), f(2, 3))
row("stack axis 3", lambda ops, x, y: ops.stack([x, y], 3), f(2, 4), f(2, 4))
row("hstack", lambda ops, x, y: ops.hstack([x, y]), f(N, 4), f(N, 2))
row("hstack 1-D", lambda ops, x, y: ops.hstack([x, y]), f(4), f(2))
row("hstack 0-D", lambda ops, x, y: ops.hstack([x, y]), f(), f())
row("vstack", lambda ops, x, y: ops.vstack([x, y]), f(N, 4), f(2, 4))
row("vstack 1-D", lambda ops, x, y: ops.vstack([x, y]), f(4), f(4))
row("vstack 0-D", lambda ops, x, y: ops.vstack([x, y]), f(), f())
row("split", lambda ops, x: ops.split(x, 2, 1), f(N, 4))
row("split at", lambda ops, x: ops.split(x, [1, 3], 1), f(N, 4))
row("split past the end", lambda ops, x: ops.split(x, [1, 7], 1), f(N, 4))
row("split open", lambda ops, x: ops.split(x, 3, 0), f(N, 4))
row("split open at", lambda ops, x: ops.split(x, [1, 2], 0), f(N, 4))
row("split misfit", lambda ops, x: ops.split(x, 3, 1), f(N, 4))
row("split by 0", lambda ops, x: ops.split(x, 0, 1), f(N, 4))
row("split axis 2", lambda ops, x: ops.split(x, 2, 2), f(N, 4))
row("unstack", lambda ops, x: ops.unstack(x, axis=1), f(N, 4))
row("unstack num", lambda ops, x: ops.unstack(x, 3, 0), f(N, 4))
row("unstack open", lambda ops, x: ops.unstack(x), f(N, 4))
row("unstack axis 2", lambda ops, x: ops.unstack(x, axis=2), f(N, 4))
row("reshape", lambda ops, x: ops.reshape(x, (-1, 2, 2)), f(N, 4))
row("reshape -1", lambda ops, x: ops.reshape(x, -1), f(2, 4))
row("reshape -1 open", lambda ops, x: ops.reshape(x, -1), f(N, 4))
row("reshape around the open", lambda ops, x: ops.reshape(x, (-1, 8)), f(N, 4, 2))
row("reshape None", lambda ops, x: ops.reshape(x, (None, 2, 4)), f(N, 4, 2))
row("reshape to an array", lambda ops, x: ops.reshape(x, np.array([4, 2])), f(2, 4))
row("reshape to x's shape", lambda ops, x: ops.reshape(x, (ops.shape(x)[0], 2, 2)), f(N, 4))
row("reshape misfit", lambda ops, x: ops.reshape(x, (3, 3)), f(2, 4))
row("reshape two -1", lambda ops, x: ops.reshape(x, (-1, -1)), f(2, 4))
row("ravel known", lambda ops, x: ops.ravel(x), f(2, 4))
row("transpose axes", lambda ops, x: ops.transpose(x, (0, 2, 1)), f(N, 4, 2))
row("transpose negative", lambda ops, x: ops.transpose(x, (0, -1, -2)), f(N, 4, 2))
row("transpose misfit", lambda ops, x: ops.transpose(x, (0, 1)), f(N, 4, 2))
row("transpose twice", lambda ops, x: ops.transpose(x, (0, 1, 1)), f(N, 4, 2))
row("transpose out of range", lambda ops, x: ops.transpose(x, (0, 1, 3)), f(N, 4, 2))
row("moveaxis", lambda ops, x: ops.moveaxis(x, -1, 1), f(N, 4, 2))
row("moveaxis several", lambda ops, x: ops.moveaxis(x, (0, 1), (-1, -2)), f(N, 4, 2))
row("moveaxis out of range", lambda ops, x: ops.moveaxis(x, 3, 1), f(N, 4, 2))
row("moveaxis lengths", lambda ops, x: ops.moveaxis(x, (0, 1), (1,)), f(N, 4, 2))
row("swapaxes", lambda ops, x: ops.swapaxes(x, 1, -1), f(N, 4, 2))
row("swapaxes out of range", lambda ops, x: ops.swapaxes(x, 1, 3), f(N, 4, 2))
row("expand_dims", lambda ops, x: ops.expand_dims(x, 1), f(N, 4))
row("expand_dims several", lambda ops, x: ops.expand_dims(x, (0, -1)), f(N, 4))
row("expand_dims out of range", lambda ops, x: ops.expand_dims(x, 3), f(N, 4))
row("squeeze axis", lambda ops, x: ops.squeeze(x, 1), f(N, 1, 4, 1))
row("squeeze axes", lambda ops, x: ops.squeeze(x, (1, -1)), f(N, 1, 4, 1))
row("squeeze not 1", lambda ops, x: ops.squeeze(x, 2), f(N, 1, 4, 1))
row("squeeze out of range", lambda ops, x: ops.squeeze(x, 4), f(N, 1, 4, 1))
row("flip out of range", lambda ops, x: ops.flip(x, 2), f(N, 4))
row("flip axes", lambda ops, x: ops.flip(x, (0, 1)), f(N, 4))
row("roll", lambda ops, x: ops.roll(x, 2, 1), f(N, 4))
row("roll flat", lambda ops, x: ops.roll(x, 2), f(N, 4))
row("roll several", lambda ops, x: ops.roll(x, (1, 2), (0, 1)), f(N, 4))
row("roll out of range", lambda ops, x: ops.roll(x, 1, 2), f(N, 4))
row("tile", lambda ops, x: ops.tile(x, (1, 2)), f(N, 4))
row("tile longer", lambda ops, x: ops.tile(x, (2, 1, 2)), f(N, 4))
row("tile shorter", lambda ops, x: ops.tile(x, (2,)), f(N, 4))
row("tile int", lambda ops, x: ops.tile(x, 2), f(N, 4))
row("repeat", lambda ops, x: ops.repeat(x, 2, 1), f(N, 4))
row("repeat flat", lambda ops, x: ops.repeat(x, 2), f(2, 4))
row("repeat flat, open", lambda ops, x: ops.repeat(x, 2), f(N, 4))
row("repeat open", lambda ops, x: ops.repeat(x, 2, 0), f(N, 4))
row("repeat each", lambda ops, x: ops.repeat(x, [1, 2, 0, 1], 1), f(N, 4))
row("repeat each of open", lambda ops, x: ops.repeat(x, [1, 2, 0], 0), f(N, 4))
row("repeat list of one", lambda ops, x: ops.repeat(x, [2], 1), f(N, 4))
row("repeat array", lambda ops, x: ops.repeat(x, np.array([1, 2, 0, 1]), 1), f(N, 4))
row("repeat axis 2", lambda ops, x: ops.repeat(x, 2, 2), f(N, 4))
row("pad", lambda ops, x: ops.pad(x, ((0, 0), (1, 2))), f(N, 4))
row("pad int", lambda ops, x: ops.pad(x, 2), f(N, 4))
row("pad one", lambda ops, x: ops.pad(x, (1,)), f(N, 4))
row("pad pair", lambda ops, x: ops.pad(x, (1, 2)), f(N, 4))
row("pad one pair", lambda ops, x: ops.pad(x, ((1, 2),)), f(N, 4))
row("pad pairs of one", lambda ops, x: ops.pad(x, ((1,), (2,))), f(N, 4))
row("pad value", lambda ops, x: ops.pad(x, ((0, 0), (1, 2)), constant_values=3), f(N, 4))
row("pad symbolic value", lambda ops, x, v: ops.pad(x, ((0, 0), (1, 2)), constant_values=v), f(N, 4), f())
row("pad reflect", lambda ops, x: ops.pad(x, ((0, 0), (1, 2)), mode="reflect"), f(N, 4))
row("pad reflect value", lambda ops, x: ops.pad(x, 1, mode="reflect", constant_values=2), f(N, 4))
row("pad misfit", lambda ops, x: ops.pad(x, ((0, 0), (1, 2), (1, 1))), f(N, 4))
row("pad pairs of one for many", lambda ops, x: ops.pad(x, ((1,),)), f(N, 4))
row("diagonal offset", lambda ops, x: ops.diagonal(x, 1, 1, 2), f(N, 4, 3))
row("diagonal negative", lambda ops, x: ops.diagonal(x, -2, -1, 1), f(N, 4, 3))
row("diagonal far", lambda ops, x: ops.diagonal(x, 7, 1, 2), f(N, 4, 3))
row("diagonal open", lambda ops, x: ops.diagonal(x), f(N, 4, 3))
row("diagonal 1-D", lambda ops, x: ops.diagonal(x), f(4))
row("diagonal out of range", lambda ops, x: ops.diagonal(x, 0, 0, 3), f(N, 4, 3))
row("diagonal same axis", lambda ops, x: ops.diagonal(x, 0, 1, 1), f(N, 4, 3))
row("trace axes", lambda ops, x: ops.trace(x, 1, 1, 2), f(N, 4, 3))
row("trace 1-D", lambda ops, x: ops.trace(x), f(4))
row("trace out of range", lambda ops, x: ops.trace(x, 0, 0, 3), f(N, 4, 3))
row("trace of ints", lambda ops, x: ops.trace(x), i(4, 3))
row("tril 1-D", lambda ops, x: ops.tril(x), f(4))
row("triu batch", lambda ops, x: ops.triu(x, 1), f(N, 4, 3))
row("tril open", lambda ops, x: ops.tril(x, -1), f(4, N))
row("meshgrid", lambda ops, x, y: ops.meshgrid(x, y), f(4), f(2))
row("meshgrid open", lambda ops, x, y: ops.meshgrid(x, y), f(N), f(2))
row("meshgrid ij", lambda ops, x, y: ops.meshgrid(x, y, indexing="ij"), f(4), f(2))
row("meshgrid of three", lambda ops, x, y, z: ops.meshgrid(x, y, z), f(4), f(2), f(3))
row("meshgrid of one", lambda ops, x: ops.meshgrid(x), f(4))
row("meshgrid 0-D", lambda ops, x, y: ops.meshgrid(x, y), f(), f(2))
row("meshgrid 2-D", lambda ops, x, y: ops.meshgrid(x, y), f(2, 2), f(2))
row("meshgrid kl", lambda ops, x, y: ops.meshgrid(x, y, indexing="kl"), f(4), f(2))
row("broadcast_to", lambda ops, x: ops.broadcast_to(x, (3, 3, 4)), f(N, 4))
row("broadcast_to 1", lambda ops, x: ops.broadcast_to(x, (2, 3, 4)), f(3, 1))
row("broadcast_to misfit", lambda ops, x: ops.broadcast_to(x, (3, 5)), f(3, 4))
row("broadcast_to narrower", lambda ops, x: ops.broadcast_to(x, (1, 4)), f(3, 4))
row("take", lambda ops, x, at: ops.take(x, at, 1), f(N, 4), i(N, 2))
row("take flat", lambda ops, x, at: ops.take(x, at), f(N, 4), i(N, 2))
row("take array", lambda ops, x: ops.take(x, np.array([0, -1]), 1), f(N, 4))
row("take list", lambda ops, x: ops.take(x, [[0, -1]], 1), f(N, 4))
row("take one", lambda ops, x: ops.take(x, 2, -1), f(N, 4))
row("take axis 2", lambda ops, x: ops.take(x, 2, 2), f(N, 4))
row("take_along_axis", lambda ops, x, at: ops.take_along_axis(x, at, 1), f(N, 4), i(N, 2))
row("take_along_axis 1", lambda ops, x, at: ops.take_along_axis(x, at, 1), f(N, 4), i(1, 2))
row("take_along_axis flat", lambda ops, x, at: ops.take_along_axis(x, at), f(N, 4), i(5))
row("take_along_axis array", lambda ops, x: ops.take_along_axis(x, np.array([[0, 3]]), 1), f(N, 4))
row("take_along_axis ranks", lambda ops, x, at: ops.take_along_axis(x, at, 1), f(N, 4), i(3))
row("take_along_axis misfit", lambda ops, x, at: ops.take_along_axis(x, at, 1), f(3, 4), i(2, 2))
row("take_along_axis axis 2", lambda ops, x, at: ops.take_along_axis(x, at, 2), f(3, 4), i(3, 2))
row("get_item", lambda ops, x: ops.get_item(x, (slice(None), slice(1, 3))), f(N, 4))
row("get_item int", lambda ops, x: x[:, 1], f(N, 4))
row("get_item first", lambda ops, x: x[0], f(N, 4))
row("get_item new axis", lambda ops, x: x[..., None, 1], f(N, 4))
row("get_item step", lambda ops, x: x[:, ::-2], f(N, 4))
row("get_item of open", lambda ops, x: x[1:3], f(N, 4))
row("get_item array", lambda ops, x: ops.get_item(x, (slice(None), np.array([0, 2]))), f(3, 4))
row("get_item tensor", lambda ops, x, at: ops.get_item(x, at), f(3, 4), i())
row("get_item too many", lambda ops, x: x[1, 1, 1], f(N, 4))
row("get_item out of range", lambda ops, x: x[:, 4], f(N, 4))
row("scatter", lambda ops, at, v: ops.scatter(at, v, (5, 2)), i(N, 1), f(N, 2))
row("scatter_update", lambda ops, x, at, v: ops.scatter_update(x, at, v), f(5, 2), i(N, 1), f(N, 2))
row("scatter_update add", lambda ops, x, at, v: ops.scatter_update(x, at, v, "add"), f(5, 2), i(N, 1), f(N, 2))
row("scatter_update array", lambda ops, x, v: ops.scatter_update(x, np.array([[0], [2], [1]]), v), f(5, 2), f(3, 2))
row("slice", lambda ops, x: ops.slice(x, (0, 1), (2, 2)), f(N, 4))
row("slice -1", lambda ops, x: ops.slice(x, (1, 1), (-1, 2)), f(N, 4))
row("slice -1 known", lambda ops, x: ops.slice(x, (1, 1), (2, -1)), f(3, 4))
row("slice array", lambda ops, x: ops.slice(x, np.array([1, 1]), np.array([2, 2])), f(3, 4))
row("slice tensor", lambda ops, x, s: ops.slice(x, s, (2, 2)), f(3, 4), i(2))
row("slice tensors", lambda ops, x, s: ops.slice(x, (s, 1), (2, 2)), f(3, 4), i())
row("slice_update", lambda ops, x, v: ops.slice_update(x, (1, 0), v), f(3, 4), f(2, 2))
row("slice_update open", lambda ops, x, v: ops.slice_update(x, (0, 1), v), f(N, 4), f(2, 2))
row("slice_update tensor", lambda ops, x, s, v: ops.slice_update(x, s, v), f(3, 4), i(2), f(2, 2))
row("slice_update ranks", lambda ops, x, v: ops.slice_update(x, (1, 0), v), f(3, 4), f(2))
row("matmul", lambda ops, x, y: ops.matmul(x, y), f(N, 4), f(4, 2))
row("matmul array", lambda ops, x: ops.matmul(x, TALL), f(N, 4))
row("matmul array first", lambda ops, x: ops.matmul(TALL, x), f(3, 2))
row("matmul batch", lambda ops, x, y: ops.matmul(x, y), f(N, 2, 4), f(4, 3))
row("matmul vector", lambda ops, x, y: ops.matmul(x, y), f(N, 2, 4), f(4))
row("matmul vector first", lambda ops, x, y: ops.matmul(x, y), f(4), f(N, 4, 2))
row("matmul vectors", lambda ops, x, y: ops.matmul(x, y), f(4), f(4))
row("matmul misfit", lambda ops, x, y: ops.matmul(x, y), f(N, 4), f(3, 2))
row("matmul 0-D", lambda ops, x, y: ops.matmul(x, y), f(N, 4), f())
row("dot", lambda ops, x, y: ops.dot(x, y), f(N, 4), f(4, 2))
row("dot vector", lambda ops, x, y: ops.dot(x, y), f(N, 4), f(4))
row("dot 3-D", lambda ops, x, y: ops.dot(x, y), f(N, 2, 4), f(N, 4, 3))
row("dot 0-D", lambda ops, x, y: ops.dot(x, y), f(N, 4), f())
row("dot misfit", lambda ops, x, y: ops.dot(x, y), f(N, 4), f(3, 2))
row("vdot", lambda ops, x, y: ops.vdot(x, y), f(2, 4), f(2, 4))
row("inner", lambda ops, x, y: ops.inner(x, y), f(N, 4), f(2, 4))
row("inner vectors", lambda ops, x, y: ops.inner(x, y), f(4), f(4))
row("inner 3-D", lambda ops, x, y: ops.inner(x, y), f(N, 2, 4), f(N, 3, 4))
row("inner 0-D", lambda ops, x, y: ops.inner(x, y), f(N, 4), f())
row("inner misfit", lambda ops, x, y: ops.inner(x, y), f(N, 4), f(2, 3))
row("outer", lambda ops, x, y: ops.outer(x, y), f(4), f(N))
row("outer 2-D", lambda ops, x, y: ops.outer(x, y), f(2, 4), f(2))
row("outer open", lambda ops, x, y: ops.outer(x, y), f(N, 4), f(2))
row("tensordot", lambda ops, x, y: ops.tensordot(x, y, 1), f(N, 4), f(4, 2))
row("tensordot 0", lambda ops, x, y: ops.tensordot(x, y, 0), f(N, 4), f(2))
row("tensordot axes", lambda ops, x, y: ops.tensordot(x, y, [[1, 2], [1, 0]]), f(N, 4, 2), f(2, 4, 3))
row("tensordot axes of open", lambda ops, x, y: ops.tensordot(x, y, [[0], [0]]), f(N, 4), f(N, 2))
row("tensordot one axis each", lambda ops, x, y: ops.tensordot(x, y, [1, 0]), f(N, 4), f(4, 2))
row("tensordot both open", lambda ops, x, y: ops.tensordot(x, y, 1), f(N, 4), f(4, N))
row("tensordot misfit", lambda ops, x, y: ops.tensordot(x, y, 1), f(N, 4), f(3, 2))
row("einsum", lambda ops, x, y: ops.einsum("bij,jk->bik", x, y), f(N, 2, 4), f(4, 3))
row("einsum implicit", lambda ops, x, y: ops.einsum("ij,jk", x, y), f(N, 4), f(4, 3))
row("einsum dots", lambda ops, x, y: ops.einsum("...ij,jk->...ik", x, y), f(N, 2, 4), f(4, 3))
row("einsum dots broadcast", lambda ops, x, y: ops.einsum("...i,...j->...ij", x, y), f(N, 2, 4), f(2, 3))
row("einsum trace", lambda ops, x: ops.einsum("bii->b", x), f(N, 4, 4))
row("einsum diagonal", lambda ops, x: ops.einsum("ii->i", x), f(4, 4))
row("einsum of open", lambda ops, x, y: ops.einsum("bi,bj->ij", x, y), f(N, 4), f(N, 2))
row("einsum misfit", lambda ops, x, y: ops.einsum("ij,jk->ik", x, y), f(N, 4), f(3, 2))
row("einsum ranks", lambda ops, x, y: ops.einsum("bij,jk->bik", x, y), f(N, 4), f(4, 2))
row("einsum operands", lambda ops, x, y: ops.einsum("ij->i", x, y), f(N, 4), f(4, 2))
row("vstack of open", lambda ops, x, y: ops.vstack([x, y]), f(N, 3), f(3, N))
row("hstack of open", lambda ops, x, y: ops.hstack([x, y]), f(N, 2), f(N, N))
row("einsum of a letter twice", lambda ops, x: ops.einsum("iij->ij", x), f(N, 3, 2))
row("einsum of a letter twice, open last", lambda ops, x: ops.einsum("iij->ij", x), f(3, N, 2))
row("einsum of a letter twice behind dots", lambda ops, x: ops.einsum("...ii->...i", x), f(2, 3, N))
row("einsum of a letter twice, open behind dots", lambda ops, x: ops.einsum("...ii->...i", x), f(2, N, 3))
row("einsum of a letter about dots", lambda ops, x: ops.einsum("i...i->i...", x), f(N, 2, 3))
row(
    "layer_normalization along two open axes",
    lambda ops, x, g: ops.layer_normalization(x, g, axis=(0, 1)),
    f(N, N),
    f(3, 3),
)
row("rms_normalization along two open axes", lambda ops, x, g: ops.rms_normalization(x, g, (0, 1)), f(N, N), f(3, 3))
row("einsum of two lengths", lambda ops, x: ops.einsum("ii", x), f(2, 3))
row("trace of open", lambda ops, x: ops.trace(x), f(N, 3))
row("moments of open", lambda ops, x: ops.moments(x, [0, 1]), f(N, N))
row("logsumexp of open", lambda ops, x: ops.logsumexp(x, 1), f(N, 4, N))
row("var of open", lambda ops, x: ops.var(x, 0), f(N, N, 2))
row("average of open", lambda ops, x: ops.average(x, 0), f(N, N))
row("normalize of open", lambda ops, x: ops.normalize(x, 1), f(N, N))
row("nan_to_num of open", lambda ops, x: ops.nan_to_num(x), f(N, N))
row("norm axis", lambda ops, x: ops.norm(x, axis=1), f(N, 4))
row("norm order", lambda ops, x: ops.norm(x, ord=3, axis=-1, keepdims=True), f(N, 4))
row("norm inf", lambda ops, x: ops.norm(x, ord=np.inf, axis=1), f(N, 4))
row("norm fro", lambda ops, x: ops.norm(x, ord="fro", axis=(1, 2)), f(N, 4, 2))
row("norm matrix 2", lambda ops, x: ops.norm(x, ord=2, axis=(1, 2)), f(N, 4, 2))
row("norm matrix inf", lambda ops, x: ops.norm(x, ord=np.inf), f(3, 4))
row("norm nuc", lambda ops, x: ops.norm(x, ord="nuc", axis=(1, 2), keepdims=True), f(N, 4, 2))
row("norm fro 1-D", lambda ops, x: ops.norm(x, ord="fro"), f(4))
row("norm three axes", lambda ops, x: ops.norm(x, axis=(0, 1, 2)), f(3, 4, 2))
row("norm of ints", lambda ops, x: ops.norm(x, axis=1), i(N, 4))
row("normalize order 3", lambda ops, x: ops.normalize(x, axis=(1, 2), order=3), f(N, 4, 2))
row("normalize order 0", lambda ops, x: ops.normalize(x, order=0), f(N, 4))
row("qr", lambda ops, x: ops.qr(x), f(N, 4, 3))
row("qr complete", lambda ops, x: ops.qr(x, mode="complete"), f(4, 3))
row("qr wide", lambda ops, x: ops.qr(x), f(3, 4))
row("qr 1-D", lambda ops, x: ops.qr(x), f(4))
row("qr open", lambda ops, x: ops.qr(x), f(N, 4))
row("qr mode", lambda ops, x: ops.qr(x, mode="raw"), f(4, 3))
row("shape", lambda ops, x: ops.zeros_like(x) + ops.shape(x)[1], f(N, 4))
row("size", lambda ops, x: ops.size(x), f(N, 4))
row("cond", lambda ops, p, x: ops.cond(p, lambda: x + 1, lambda: x * 2), b(), f(N, 4))
row("cond of comparison", lambda ops, x: ops.cond(ops.sum(x) > 0, lambda: x + 1, lambda: x * 2), f(N, 4))
row("cond two outputs", lambda ops, p, x: ops.cond(p, lambda: (x, x + 1), lambda: (x, x)), b(), f(N, 4))
row("cond shapes", lambda ops, p, x: ops.cond(p, lambda: x, lambda: x[:, :2]), b(), f(N, 4))
row("switch", lambda ops, k, x: ops.switch(k, [lambda v: v + 1, lambda v: v * 2], x), i(), f(N, 4))
row("map", lambda ops, x: ops.map(lambda v: v * 2, x), f(N, 4))
row("map to a scalar", lambda ops, x: ops.map(lambda v: v[0] * v[1], x), f(3, 4))
row("map of two", lambda ops, x, y: ops.map(lambda v: v[0] + v[1], (x, y)), f(N, 4), f(N, 4))
row("vectorized_map", lambda ops, x: ops.vectorized_map(lambda v: v * 2, x), f(N, 4))
row("scan", lambda ops, x: ops.scan(lambda c, v: (c + v, c * v), np.zeros(4, "float32"), x), f(3, 4))
row("scan symbolic", lambda ops, c, x: ops.scan(lambda c, v: (c + v, c * v), c, x), f(4), f(3, 4))
row("fori_loop", lambda ops, x: ops.fori_loop(0, 3, lambda i, v: v + 1, x), f(N, 4))
row("while_loop", lambda ops, x: ops.while_loop(lambda v: v[0, 0] < 100, lambda v: (v * v + 1,), (x,)), f(3, 4))
row("while_loop alone", lambda ops, x: ops.while_loop(lambda v: v[0, 0] < 99, lambda v: v * v + 1, x), f(3, 4))
row("image.resize", lambda ops, x: ops.image.resize(x, (5, 4)), f(N, 7, 6, 3))
row("image.resize open", lambda ops, x: ops.image.resize(x, (5, 4)), f(N, N, N, 3))
row("image.resize 3-D", lambda ops, x: ops.image.resize(x, (5, 4)), f(7, 6, 3))
row("image.resize nearest", lambda ops, x: ops.image.resize(x, (5, 4), "nearest"), f(N, 7, 6, 3))
row("image.resize first", lambda ops, x: ops.image.resize(x, (5, 4), data_format="channels_first"), f(N, 3, 7, 6))
row("image.resize of ints", lambda ops, x: ops.image.resize(x, (5, 4)), i(N, 7, 6, 3))
row("image.resize 2-D", lambda ops, x: ops.image.resize(x, (5, 4)), f(7, 6))
row("image.resize to 0", lambda ops, x: ops.image.resize(x, (0, 4)), f(N, 7, 6, 3))
row("image.resize to one", lambda ops, x: ops.image.resize(x, (4,)), f(N, 7, 6, 3))
row("image.resize unknown", lambda ops, x: ops.image.resize(x, (4, 4), "spline"), f(N, 7, 6, 3))
row("conv", lambda ops, x: ops.conv(x, KERNEL, 2, "same"), f(N, 7, 6, 3))
row("conv open", lambda ops, x: ops.conv(x, KERNEL, 1, "valid"), f(N, N, N, 3))
row("conv symbolic", lambda ops, x, k: ops.conv(x, k, 1, "valid"), f(N, 7, 6, 3), f(3, 2, 3, 4))
row("conv 1-D", lambda ops, x, k: ops.conv(x, k, 2, "same"), f(N, 7, 3), f(3, 3, 4))
row("conv of an open kernel", lambda ops, x, k: ops.conv(x, k, 2, "same"), f(N, 7, 6, 3), f(N, 2, 3, 4))
row("conv of open channels", lambda ops, x, k: ops.conv(x, k, 1), f(2, 7, N), f(3, N, 4))
row("depthwise_conv of an open kernel", lambda ops, x, k: ops.depthwise_conv(x, k, 1, "same"), f(2, 5, 2), f(N, 2, 1))
row("conv channels", lambda ops, x: ops.conv(x, KERNEL, 1, "same"), f(N, 7, 6, 4))
row("conv ranks", lambda ops, x: ops.conv(x, KERNEL, 1, "same"), f(N, 7, 3))
row("conv too small", lambda ops, x: ops.conv(x, KERNEL, 1, "valid"), f(N, 2, 6, 3))
row("conv_transpose", lambda ops, x, k: ops.conv_transpose(x, k, 2, "same"), f(N, 5, 4, 2), f(3, 2, 3, 2))
row("conv_transpose valid", lambda ops, x, k: ops.conv_transpose(x, k, 2), f(N, 5, 4, 2), f(3, 2, 3, 2))
row("depthwise_conv", lambda ops, x, k: ops.depthwise_conv(x, k, 1, "same"), f(N, 5, 4, 2), f(3, 2, 2, 3))
row("depthwise_conv channels", lambda ops, x, k: ops.depthwise_conv(x, k, 1), f(N, 5, 4, 4), f(3, 2, 2, 3))
row(
    "separable_conv",
    lambda ops, x, k, p: ops.separable_conv(x, k, p, 1, "same"),
    f(N, 5, 4, 2),
    f(3, 2, 2, 3),
    f(1, 1, 6, 5),
)
row("max_pool", lambda ops, x: ops.max_pool(x, 3, 2, "same"), f(N, 7, 6, 3))
row("average_pool", lambda ops, x: ops.average_pool(x, 2), f(N, 7, N, 3))
row("max_pool too small", lambda ops, x: ops.max_pool(x, 3), f(N, 2, 6, 3))
row("max_pool padding", lambda ops, x: ops.max_pool(x, 3, 2, "full"), f(N, 7, 6, 3))
row("adaptive_average_pool", lambda ops, x: ops.adaptive_average_pool(x, (3, 2)), f(N, 7, 6, 3))
row("adaptive_max_pool", lambda ops, x: ops.adaptive_max_pool(x, 2), f(N, 7, 6, 3))
row(
    "batch_normalization",
    lambda ops, x, m, v: ops.batch_normalization(x, m, v, -1),
    f(N, 4),
    f(4),
    f(4),
)
row("batch_normalization misfit", lambda ops, x, m, v: ops.batch_normalization(x, m, v, -1), f(N, 4), f(3), f(4))
row("binary_crossentropy", lambda ops, t, o: ops.binary_crossentropy(t, o), f(N, 4), f(N, 4))
row("binary_crossentropy misfit", lambda ops, t, o: ops.binary_crossentropy(t, o), f(N, 4), f(N, 3))
row("categorical_crossentropy", lambda ops, t, o: ops.categorical_crossentropy(t, o), f(N, 4), f(N, 4))
row("sparse_categorical_crossentropy", lambda ops, t, o: ops.sparse_categorical_crossentropy(t, o), i(N), f(N, 4))
row("ctc_loss", lambda ops, t, o, n, m: ops.ctc_loss(t, o, n, m), i(N, 2), f(N, 5, 4), i(N), i(N))
row("threshold", lambda ops, x: ops.threshold(x, 0.5, 2.0), f(N, 4))
row("operators", lambda ops, x, y: (x + y) * 2 - x / 3 + x**2 + (x @ y[:, None]), f(N, 4), f(4))
row("arange of x's shape", lambda ops, x: x + ops.arange(4, dtype="float32"), f(N, 4))
row("convert_to_numpy", lambda ops, x: ops.convert_to_numpy(x), f(N, 4))

row("while_loop for ever", lambda ops, x: ops.while_loop(lambda v: True, lambda v: v, x, maximum_iterations=3), f(N, 4))
row("pad 5-D", lambda ops, x: ops.pad(x, ((1, 1), (1, 1), (2, 3), (0, 0), (0, 0))), f(2, 3, 4, 5, 6))
row("pad 3-D", lambda ops, x: ops.pad(x, ((1, 2), (3, 4), (5, 6))), f(2, 3, 4))
row("saturate_cast to uint8", lambda ops, x: ops.saturate_cast(x * 1000.0 - 300.0, "uint8"), f(N, 4))
row("saturate_cast of ints", lambda ops, x: ops.saturate_cast(x * 1000, "int8"), i(N, 4))
row("split at a tensor", lambda ops, x: ops.split(x, ops.convert_to_tensor([1, 2]), 1), f(N, 4))
row("split of nothing", lambda ops, x: ops.split(x, 2, 0), f(0, 4))
row("reshape negative", lambda ops, x: ops.reshape(x, (-2, 4)), f(2, 4))
row("scatter_update unknown", lambda ops, x, v: ops.scatter_update(x, [[0]], v, "avg"), f(5, 2), f(1, 2))
row("slice_update over the end", lambda ops, x, v: ops.slice_update(x, (2, 3), v), f(3, 4), f(2, 2))
row("slice over the end", lambda ops, x: ops.slice(x, (2, 3), (2, 2)), f(3, 4))
row("slice lengths", lambda ops, x: ops.slice(x, (1,), (2, 2)), f(3, 4))
row("scan without steps", lambda ops, x: ops.scan(lambda c, v: (c, c), x), f(3))
row("scan by length", lambda ops, x: ops.scan(lambda c, v: (c + 1, c), x, length=3), f(4))
row("conv causal", lambda ops, x, k: ops.conv(x, k, 1, "causal"), f(N, 7, 3), f(3, 3, 4))
row("conv_transpose channels", lambda ops, x, k: ops.conv_transpose(x, k, 2), f(N, 5, 4, 3), f(3, 2, 3, 2))
row("einsum bytes", lambda ops, x, y: ops.einsum("ij,jk->ik", x, y), ((N, 4), "int8"), ((4, 2), "int8"))
row("matmul bytes", lambda ops, x, y: ops.matmul(x, y), ((N, 4), "int8"), ((4, 2), "int8"))
row("vdot bytes", lambda ops, x, y: ops.vdot(x, y), ((4,), "int8"), ((4,), "int8"))
for way in ("bicubic", "lanczos3", "lanczos5", "area"):
    row(f"image.resize {way}", lambda ops, x, way=way: ops.image.resize(x, (5, 9), way), f(N, 7, 6, 3))
for way in ("bilinear", "bicubic", "lanczos3"):
    row(f"image.resize {way}, antialias", lambda ops, x, way=way: ops.image.resize(x, (3, 9), way, True), f(N, 7, 6, 3))
row("image.resize crop", lambda ops, x: ops.image.resize(x, (5, 4), crop_to_aspect_ratio=True), f(N, 7, 9, 3))
row(
    "image.resize pad",
    lambda ops, x: ops.image.resize(x, (5, 4), pad_to_aspect_ratio=True, fill_value=2.0),
    f(N, 7, 9, 3),
)
row(
    "image.resize crop and pad",
    lambda ops, x: ops.image.resize(x, (5, 4), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
    f(N, 7, 9, 3),
)

# Where we differ: what differs ("symbolic", "eager", "in Keras": the graph read by Keras), and why it stays.
TF_ONLY = "Keras on TensorFlow alone"
NUMPY = "NumPy's meaning, and Keras's on its other back-ends; TensorFlow's kernel refuses it"
SPEC = "Keras's spec is not what its run gives"
KEPT = {
    "sparsemax": (("eager", "in Keras"), "Keras is at fault"),
    "sparsemax axis": (("eager", "in Keras"), "Keras is at fault"),
    "hypot of a number": (("symbolic", "in Keras"), SPEC),
    "where alone": (("symbolic",), SPEC),
    "multi_hot": (("symbolic",), SPEC),
    "multi_hot by its old name": (("symbolic",), SPEC),
    "multi_hot 1-D": (("symbolic",), SPEC),
    "searchsorted": (("eager",), NUMPY),
    "searchsorted right": (("eager",), NUMPY),
    "hstack 1-D": (("symbolic", "in Keras"), SPEC),
    "hstack 0-D": (("symbolic", "eager"), NUMPY),
    "vstack 1-D": (("symbolic", "eager", "in Keras"), NUMPY),
    "vstack 0-D": (("symbolic", "eager"), NUMPY),
    "pad int": (("eager",), NUMPY),
    "pad one": (("symbolic", "eager"), NUMPY),
    "pad pair": (("eager",), NUMPY),
    "pad one pair": (("eager",), NUMPY),
    "pad pairs of one": (("symbolic", "eager"), NUMPY),
    "pad pairs of one for many": (("symbolic", "eager"), NUMPY),
    "diagonal far": (("eager",), NUMPY),
    "meshgrid of one": (("symbolic", "in Keras"), SPEC),
    "get_item of open": (("symbolic", "in Keras"), SPEC),
    "get_item array": (("eager",), NUMPY),
    "slice array": (("in Keras",), "Keras cannot write it either"),
    "tensordot one axis each": (("symbolic", "in Keras"), SPEC),
    "einsum ranks": (("eager",), "Keras multiplies what the formula does not describe"),
    "reshape None": (("eager",), "a graph holds None where a dimension is open, and must run"),
    "reshape to x's shape": (("in Keras",), "Keras's graph holds None, which it cannot run"),
    "fori_loop": (("in Keras",), "Keras does not read the functions in its config"),
    "while_loop": (("in Keras",), "Keras does not read the functions in its config"),
    "while_loop alone": (("in Keras",), "Keras does not read the functions in its config"),
    "while_loop for ever": (("in Keras",), "Keras does not read the functions in its config"),
    "bincount weights": (("symbolic", "in Keras"), "Keras keeps the weights in the config, which a graph cannot fill"),
    "linspace retstep": (("symbolic", "in Keras"), SPEC),
    "conv too small": (("eager",), "Keras on TensorFlow reads beyond its input"),
    "conv_transpose": (("in Keras",), "Keras's op mixes up its arguments"),
    "conv_transpose valid": (("in Keras",), "Keras's op mixes up its arguments"),
    "adaptive_average_pool": (("symbolic", "in Keras"), SPEC),
    "adaptive_max_pool": (("symbolic", "in Keras"), SPEC),
}
