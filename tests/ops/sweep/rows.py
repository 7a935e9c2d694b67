"""A row for each thing to try on an op. Every public op has one at least (`test_every_op_has_a_row`).

A row is `label: (function, *inputs)`; the label's first word is the op's name, and the function is called with
`keras.ops`' namespace and the inputs. Where it is no more than the op itself, the row is in `PLAIN`.
"""

from __future__ import annotations

import numpy as np

from kerasish.ops import numba_op
from tests.ops.sweep.inputs import above, distinct, given, inside, positive, probability, real, table

PLAIN = {
    # names, and what each is given
    "negative absolute abs square exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh erf erfc deg2rad rad2deg "
    "copy "
    "sign floor ceil trunc isfinite isinf isnan isposinf isneginf signbit logical_not bitwise_not bitwise_invert "
    "sigmoid log_sigmoid softplus softsign silu swish relu relu6 hard_sigmoid hard_silu hard_swish hard_tanh "
    "leaky_relu "
    "elu selu celu gelu softmax log_softmax squareplus tanh_shrink soft_shrink hard_shrink sparse_plus glu "
    "sparse_sigmoid logsumexp sum mean prod max min amax amin any all argmax argmin cumsum cumprod count_nonzero "
    "var std "
    "nansum nanmean average median argsort sort round nan_to_num ravel flip transpose squeeze normalize norm trace "
    "diagonal tril triu zeros_like ones_like empty_like array convert_to_tensor convert_to_numpy "
    "stop_gradient is_tensor "
    "shape size ndim dtype nonzero unique rms_normalization layer_normalization": (real(3, 4),),
    "sqrt rsqrt reciprocal cbrt log log1p log2 log10": (positive(3, 4),),
    "arcsin arccos arctanh": (inside(3, 4),),
    "arccosh": (above(3, 4),),
    "add subtract multiply divide true_divide floor_divide mod fmod maximum minimum arctan2 hypot logaddexp "
    "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or "
    "bitwise_xor divide_no_nan": (real(3, 4), positive(4)),
    "power left_shift right_shift bitwise_left_shift bitwise_right_shift": (positive(3, 4), positive(4)),
    "matmul dot": (real(3, 4), real(4, 3)),
    "tensordot": (real(3, 4), real(3, 4)),
    "inner vdot": (real(3, 4), real(3, 4)),
    "outer": (real(3), real(4)),
    "linspace logspace": (real(3), real(3)),
    "digitize": (real(3, 4), given(-1, 0, 1)),
    "searchsorted": (given(-1, 0, 1), real(3, 4)),
    "binary_crossentropy": (probability(3, 4), probability(3, 4)),
    "categorical_crossentropy": (probability(3, 4), probability(3, 4)),
}

KINKS = given(-2, -1, -0.5, 0, 0, 0.5, 1, 2)
TIES = table((1, 3, 3, 0), (2, 2, 2, 2), (-1, -1, 0, 0))
ZEROS = table((1, 2, 3, 4), (0, 2, 3, 4), (0, 0, 3, 4))
IMAGE, FILTER = real(2, 5, 6, 3), real(3, 2, 3, 4)
LABELS = np.array([1, 0, 3])
MASK = np.array([[True, False, True, False]] * 3)

ROWS = {
    "absolute at kinks": (lambda ops, x: ops.absolute(x), KINKS),
    "sign at kinks": (lambda ops, x: ops.sign(x), KINKS),
    "sqrt at 0": (lambda ops, x: ops.sqrt(x), given(0, 1, 4)),
    "power at 0": (lambda ops, x: ops.power(x, 2), KINKS),
    "power of 0 to a float": (lambda ops, x: ops.power(x, 2.0), given(0, 1, 2)),
    "power, exponents at 0": (lambda ops, x, y: ops.power(x, y), given(0, 0, 1, 2), given(1, 2, 0, -1)),
    "maximum, ties": (lambda ops, x, y: ops.maximum(x, y), TIES, given(1, 2, 2, 0)),
    "minimum, ties": (lambda ops, x, y: ops.minimum(x, y), TIES, given(1, 2, 2, 0)),
    "maximum of a number": (lambda ops, x: ops.maximum(x, 0), KINKS),
    "add a number": (lambda ops, x: ops.add(x, 2), real(3, 4)),
    "add a float": (lambda ops, x: ops.add(x, 2.5), real(3, 4)),
    "subtract from a number": (lambda ops, x: ops.subtract(2, x), real(3, 4)),
    "multiply by a float": (lambda ops, x: ops.multiply(1.5, x), real(3, 4)),
    "divide by a number": (lambda ops, x: ops.divide(x, 3), real(3, 4)),
    "divide by 0": (lambda ops, x, y: ops.divide(x, y), given(1, 0, -1), given(0, 0, 2)),
    "divide_no_nan at 0": (lambda ops, x, y: ops.divide_no_nan(x, y), given(1, 0, -1), given(0, 0, 2)),
    "mod of negative ones": (lambda ops, x, y: ops.mod(x, y), KINKS, positive(8)),
    "mod by a number": (lambda ops, x: ops.mod(x, 3), real(3, 4)),
    "floor_divide by a number": (lambda ops, x: ops.floor_divide(x, 3), real(3, 4)),
    "bitwise_and with a number": (lambda ops, x: ops.bitwise_and(x, 3), real(3, 4)),
    "bitwise_or with a number": (lambda ops, x: ops.bitwise_or(x, 3), real(3, 4)),
    "bitwise_xor with a number": (lambda ops, x: ops.bitwise_xor(x, 3), real(3, 4)),
    "left_shift by a number": (lambda ops, x: ops.left_shift(x, 2), positive(3, 4)),
    "right_shift by a number": (lambda ops, x: ops.right_shift(x, 1), positive(3, 4)),
    "logical_and with a number": (lambda ops, x: ops.logical_and(x, 1), real(3, 4)),
    "equal to a number": (lambda ops, x: ops.equal(x, 1), real(3, 4)),
    "less than a float": (lambda ops, x: ops.less(x, 0.5), real(3, 4)),
    "hypot at 0": (lambda ops, x, y: ops.hypot(x, y), given(0, 3, 0), given(0, 4, 1)),
    "arctan2 at axes": (lambda ops, x, y: ops.arctan2(x, y), given(1, 0, -1), given(0, 2, 0)),
    "logaddexp of infinities": (lambda ops, x, y: ops.logaddexp(x, y), given(1, 0), given(-1, 0)),
    "arcsin at bounds": (lambda ops, x: ops.arcsin(x), given(-1, 0, 1)),
    "relu at kinks": (lambda ops, x: ops.relu(x), KINKS),
    "relu6 at kinks": (lambda ops, x: ops.relu6(x), given(-1, 0, 3, 6, 7)),
    "hard_sigmoid at kinks": (lambda ops, x: ops.hard_sigmoid(x), given(-4, -3, 0, 3, 4)),
    "hard_silu at kinks": (lambda ops, x: ops.hard_silu(x), given(-4, -3, 0, 3, 4)),
    "hard_tanh at kinks": (lambda ops, x: ops.hard_tanh(x), KINKS),
    "hard_shrink at kinks": (lambda ops, x: ops.hard_shrink(x), KINKS),
    "soft_shrink at kinks": (lambda ops, x: ops.soft_shrink(x), KINKS),
    "sparse_plus at kinks": (lambda ops, x: ops.sparse_plus(x), KINKS),
    "sparse_sigmoid at kinks": (lambda ops, x: ops.sparse_sigmoid(x), KINKS),
    "leaky_relu at kinks": (lambda ops, x: ops.leaky_relu(x, 0.3), KINKS),
    "elu at kinks": (lambda ops, x: ops.elu(x, 0.5), KINKS),
    "selu at kinks": (lambda ops, x: ops.selu(x), KINKS),
    "celu at kinks": (lambda ops, x: ops.celu(x, 0.5), KINKS),
    "softsign at kinks": (lambda ops, x: ops.softsign(x), KINKS),
    "threshold": (lambda ops, x: ops.threshold(x, 0.5, -1.0), KINKS),
    "threshold by ints": (lambda ops, x: ops.threshold(x, 1, 2), KINKS),
    "squareplus, b": (lambda ops, x: ops.squareplus(x, b=2), real(3, 4)),
    "gelu exact": (lambda ops, x: ops.gelu(x, approximate=False), real(3, 4)),
    "glu, axis": (lambda ops, x: ops.glu(x, axis=0), real(4, 3)),
    "softmax, axis": (lambda ops, x: ops.softmax(x, 0), real(3, 4)),
    "softmax, axes": (lambda ops, x: ops.softmax(x, (0, 2)), real(3, 4, 2)),
    "softmax, all": (lambda ops, x: ops.softmax(x, None), real(3, 4)),
    "log_softmax, axis": (lambda ops, x: ops.log_softmax(x, 0), real(3, 4)),
    "log_softmax, axes": (lambda ops, x: ops.log_softmax(x, (0, 2)), real(3, 4, 2)),
    "sparsemax": (lambda ops, x: ops.sparsemax(x), distinct(2, 4)),
    "clip": (lambda ops, x: ops.clip(x, -1, 1), KINKS),
    "clip to floats": (lambda ops, x: ops.clip(x, -0.5, 0.5), KINKS),
    "clip to swept tensors": (lambda ops, x, a, b: ops.clip(x, a, b), KINKS, given(-1), given(1)),
    "clip, bounds crossed": (lambda ops, x: ops.clip(x, 1, -1), KINKS),
    "fmod by a number": (lambda ops, x: ops.fmod(x, 3), real(3, 4)),
    "clip to tensors": (lambda ops, x: ops.clip(x, np.zeros(4, "float32"), np.ones(4, "float32")), real(3, 4)),
    "round, decimals": (lambda ops, x: ops.round(x, 1), real(3, 4)),
    "round to tens": (lambda ops, x: ops.round(x, -1), given(14, 15, 25, 26)),
    "round, halves": (lambda ops, x: ops.round(x), given(-1.5, -0.5, 0.5, 1.5, 2.5)),
    "nan_to_num, values": (lambda ops, x: ops.nan_to_num(x, 1.0, 2.0, 3.0), given(np.nan, np.inf, -np.inf, 1)),
    "where": (lambda ops, x, y: ops.where(MASK, x, y), real(3, 4), real(4)),
    "where, number": (lambda ops, x: ops.where(MASK, x, 0), real(3, 4)),
    "where, float": (lambda ops, x: ops.where(MASK, x, 0.5), real(3, 4)),
    "where, condition swept": (lambda ops, x: ops.where(x, 1, 2), real(3, 4)),
    "where alone": (lambda ops, x: ops.where(x), real(3, 4)),
    "select": (lambda ops, x, y: ops.select([MASK, ~MASK], [x, y]), real(3, 4), real(3, 4)),
    "select, default": (lambda ops, x: ops.select([MASK], [x], 1.5), real(3, 4)),
    # along axes
    "sum, axis": (lambda ops, x: ops.sum(x, -2), real(3, 4)),
    "sum, axes": (lambda ops, x: ops.sum(x, (0, -1), keepdims=True), real(2, 3, 4)),
    "mean, axis": (lambda ops, x: ops.mean(x, -1), real(3, 4)),
    "mean, axes": (lambda ops, x: ops.mean(x, (0, 2), keepdims=True), real(2, 3, 4)),
    "max, ties": (lambda ops, x: ops.max(x, -1), TIES),
    "max, initial": (lambda ops, x: ops.max(x, 0, initial=1), TIES),
    "max, axes": (lambda ops, x: ops.max(x, (0, -1), keepdims=True), real(2, 3, 4)),
    "min, ties": (lambda ops, x: ops.min(x, -1), TIES),
    "min, initial": (lambda ops, x: ops.min(x, -1, initial=0, keepdims=True), TIES),
    "prod, zeros": (lambda ops, x: ops.prod(x, -1), ZEROS),
    "prod, axes": (lambda ops, x: ops.prod(x, (0, -1), keepdims=True), real(2, 3, 2)),
    "prod, dtype": (lambda ops, x: ops.prod(x, 0, dtype="float32"), real(3, 4)),
    "cumprod, axis": (lambda ops, x: ops.cumprod(x, -1), real(3, 4)),
    "cumprod, zeros": (lambda ops, x: ops.cumprod(x, 1), ZEROS),
    "cumprod, dtype": (lambda ops, x: ops.cumprod(x, 0, dtype="float32"), real(3, 4)),
    "cumsum, axis": (lambda ops, x: ops.cumsum(x, -2), real(3, 4)),
    "cumsum, dtype": (lambda ops, x: ops.cumsum(x, 0, dtype="float32"), real(3, 4)),
    "any, axis": (lambda ops, x: ops.any(x, -1), real(3, 4)),
    "all, axes": (lambda ops, x: ops.all(x, (0, 1), keepdims=True), real(3, 4)),
    "argmax, axis": (lambda ops, x: ops.argmax(x, -1, keepdims=True), TIES),
    "argmin, axis": (lambda ops, x: ops.argmin(x, 0), TIES),
    "argmax, all, keepdims": (lambda ops, x: ops.argmax(x, keepdims=True), TIES),
    "count_nonzero, axis": (lambda ops, x: ops.count_nonzero(x, -1), ZEROS),
    "count_nonzero, axes": (lambda ops, x: ops.count_nonzero(x, (0, 1)), ZEROS),
    "var, axis": (lambda ops, x: ops.var(x, -1, keepdims=True), real(3, 4)),
    "std, axes": (lambda ops, x: ops.std(x, (0, -1)), real(2, 3, 4)),
    "std of equals": (lambda ops, x: ops.std(x, 1), table((1, 1), (2, 3))),
    "logsumexp, axis": (lambda ops, x: ops.logsumexp(x, -1, keepdims=True), real(3, 4)),
    "logsumexp, axes": (lambda ops, x: ops.logsumexp(x, (0, -1)), real(2, 3, 4)),
    "nansum, axis": (lambda ops, x: ops.nansum(x, -1, keepdims=True), real(3, 4)),
    "nanmean, axes": (lambda ops, x: ops.nanmean(x, (0, 1)), real(3, 4)),
    "average, axis": (lambda ops, x: ops.average(x, -1), real(3, 4)),
    "average, weights": (lambda ops, x, w: ops.average(x, weights=w), real(3, 4), positive(3, 4)),
    "average, weights, axis": (lambda ops, x, w: ops.average(x, axis=-1, weights=w), real(3, 4), positive(4)),
    "average, weights, first axis": (lambda ops, x, w: ops.average(x, axis=-2, weights=w), real(3, 4), positive(3)),
    "moments": (lambda ops, x: ops.moments(x, [0]), real(3, 4)),
    "moments, keepdims": (lambda ops, x: ops.moments(x, [0, -1], keepdims=True), real(2, 3, 4)),
    "median, axis": (lambda ops, x: ops.median(x, -1), real(3, 5)),
    "median, axes": (lambda ops, x: ops.median(x, (0, -1), keepdims=True), real(2, 3, 4)),
    "median, keepdims": (lambda ops, x: ops.median(x, keepdims=True), real(3, 4)),
    "quantile": (lambda ops, x: ops.quantile(x, 0.3), real(3, 4)),
    "quantile, several": (lambda ops, x: ops.quantile(x, np.array([0.0, 0.3, 1.0], "float32"), axis=-1), real(3, 4)),
    "quantile, table of q": (
        lambda ops, x: ops.quantile(x, np.array([[0.2], [0.7]], "float32"), axis=1, keepdims=True),
        real(3, 5),
    ),
    "quantile, axes": (lambda ops, x: ops.quantile(x, 0.25, axis=(0, -1)), real(2, 3, 4)),
    "quantile, lower": (lambda ops, x: ops.quantile(x, 0.4, axis=1, method="lower"), real(3, 4)),
    "quantile, higher": (lambda ops, x: ops.quantile(x, 0.4, axis=1, method="higher"), real(3, 4)),
    "quantile, midpoint": (lambda ops, x: ops.quantile(x, 0.4, axis=1, method="midpoint"), real(3, 4)),
    "quantile, nearest": (lambda ops, x: ops.quantile(x, 0.4, axis=1, method="nearest"), real(3, 4)),
    "argsort, axis": (lambda ops, x: ops.argsort(x, 0), TIES),
    "argsort, all": (lambda ops, x: ops.argsort(x, None), TIES),
    "sort, axis": (lambda ops, x: ops.sort(x, 0), distinct(3, 4)),
    "sort, ties": (lambda ops, x: ops.sort(x), TIES),
    "sort, all": (lambda ops, x: ops.sort(x, None), distinct(3, 4)),
    "top_k": (lambda ops, x: ops.top_k(x, 2), distinct(3, 4)),
    "top_k, ties": (lambda ops, x: ops.top_k(x, 3), TIES),
    "in_top_k": (lambda ops, x: ops.in_top_k(LABELS, x, 2), distinct(3, 4)),
    "in_top_k, ties": (lambda ops, x: ops.in_top_k(LABELS, x, 2), TIES),
    "searchsorted, right": (lambda ops, s, x: ops.searchsorted(s, x, "right"), given(-1, 0, 0, 1), TIES),
    "digitize, ties": (lambda ops, x, b: ops.digitize(x, b), TIES, given(-1, 0, 2)),
    "bincount": (lambda ops, x: ops.bincount(np.array([1, 1, 3]), weights=x, minlength=6), real(3)),
    "bincount of ints": (lambda ops, x: ops.bincount(x, minlength=6), positive(4)),
    "bincount of rows": (lambda ops, x: ops.bincount(x), positive(2, 4)),
    "unique, all": (lambda ops, x: ops.unique(x, True, True, True, True), TIES),
    "unique, axis": (lambda ops, x: ops.unique(x, axis=0), table((1, 2), (0, 3), (1, 2))),
    # indices
    "take": (lambda ops, x: ops.take(x, [0, -1, 2], axis=-1), real(3, 4)),
    "take one": (lambda ops, x: ops.take(x, -1, axis=0), real(3, 4)),
    "take flat": (lambda ops, x: ops.take(x, [[0, -1], [5, 5]]), real(3, 4)),
    "take_along_axis": (lambda ops, x: ops.take_along_axis(x, np.array([[0, -1], [2, 2], [3, 0]]), -1), real(3, 4)),
    "take_along_axis, flat": (lambda ops, x: ops.take_along_axis(x, np.array([0, 5, -1])), real(3, 4)),
    "get_item": (lambda ops, x: ops.get_item(x, (slice(None), -1)), real(3, 4)),
    "get_item, slices": (lambda ops, x: ops.get_item(x, (slice(None), slice(3, 0, -2), None)), real(3, 4)),
    "one_hot": (lambda ops, x: ops.one_hot(x, 4), given(0, 3, 4)),
    "one_hot, axis": (lambda ops, x: ops.one_hot(x, 4, axis=0, dtype="int32"), given(0, 3, 4)),
    "multi_hot": (lambda ops, x: ops.multi_hot(x, 5), table((0, 1), (3, 3))),
    "scatter": (lambda ops, x: ops.scatter(np.array([[0], [2], [0]]), x, (4,)), real(3)),
    "scatter_update": (
        lambda ops, x, u: ops.scatter_update(x, np.array([[0, 1], [2, 2]]), u),
        real(3, 3),
        real(2),
    ),
    "scatter_update, add": (
        lambda ops, x, u: ops.scatter_update(x, np.array([[0, 1], [0, 1]]), u, "add"),
        real(3, 3),
        real(2),
    ),
    "scatter_update, max": (
        lambda ops, x, u: ops.scatter_update(x, np.array([[0, 1], [2, 2]]), u, "max"),
        real(3, 3),
        real(2),
    ),
    "scatter_update, mul": (
        lambda ops, x, u: ops.scatter_update(x, np.array([[0, 1], [0, 1]]), u, "mul"),
        real(3, 3),
        real(2),
    ),
    "slice": (lambda ops, x: ops.slice(x, (1, 0), (2, 3)), real(3, 4)),
    "slice_update": (lambda ops, x, u: ops.slice_update(x, (1, 0), u), real(3, 3), real(2, 2)),
    "segment_sum": (lambda ops, x: ops.segment_sum(x, np.array([0, 0, 2]), 4), real(3, 2)),
    "segment_sum, dropped": (lambda ops, x: ops.segment_sum(x, np.array([0, -1, 2]), 3), real(3, 2)),
    "segment_max": (lambda ops, x: ops.segment_max(x, np.array([0, 0, 1]), 2), distinct(3, 2)),
    "segment_max, ties": (lambda ops, x: ops.segment_max(x, np.array([0, 0, 1]), 2), given(1, 1, 0)),
    "segment_max of negative ones": (lambda ops, x: ops.segment_max(x, np.array([0, 0, 1]), 2), given(-3, -2, -1)),
    "segment_max, dropped": (lambda ops, x: ops.segment_max(x, np.array([0, -1, 1]), 2), distinct(3)),
    "segment_min": (lambda ops, x: ops.segment_min(x, np.array([0, 0, 1]), 2), distinct(3, 2)),
    "segment_min of positive ones": (lambda ops, x: ops.segment_min(x, np.array([0, 0, 1]), 2), given(3, 2, 1)),
    # shapes
    "reshape": (lambda ops, x: ops.reshape(x, (-1, 2)), real(3, 4)),
    "transpose, axes": (lambda ops, x: ops.transpose(x, (1, 2, 0)), real(2, 3, 4)),
    "moveaxis": (lambda ops, x: ops.moveaxis(x, 0, -1), real(2, 3, 4)),
    "swapaxes": (lambda ops, x: ops.swapaxes(x, 0, -1), real(2, 3, 4)),
    "expand_dims": (lambda ops, x: ops.expand_dims(x, -1), real(3, 4)),
    "squeeze, axis": (lambda ops, x: ops.squeeze(x, -1), real(3, 1)),
    "broadcast_to": (lambda ops, x: ops.broadcast_to(x, (2, 3, 4)), real(3, 4)),
    "concatenate": (lambda ops, x, y: ops.concatenate([x, y], -1), real(3, 4), real(3, 2)),
    "stack": (lambda ops, x, y: ops.stack([x, y], -1), real(3, 4), real(3, 4)),
    "hstack": (lambda ops, x, y: ops.hstack([x, y]), real(3, 4), real(3, 2)),
    "vstack": (lambda ops, x, y: ops.vstack([x, y]), real(3, 4), real(2, 4)),
    "unstack": (lambda ops, x: ops.unstack(x, axis=-1), real(3, 4)),
    "split": (lambda ops, x: ops.split(x, 2, -1), real(3, 4)),
    "split at": (lambda ops, x: ops.split(x, [1, 3], -1), real(3, 4)),
    "flip, axis": (lambda ops, x: ops.flip(x, -1), real(3, 4)),
    "roll": (lambda ops, x: ops.roll(x, 2), real(3, 4)),
    "roll, axis": (lambda ops, x: ops.roll(x, -1, -1), real(3, 4)),
    "repeat": (lambda ops, x: ops.repeat(x, 2, -1), real(3, 4)),
    "tile": (lambda ops, x: ops.tile(x, (1, 2)), real(3, 4)),
    "pad": (lambda ops, x: ops.pad(x, ((0, 1), (2, 0))), real(3, 4)),
    "pad, value": (lambda ops, x: ops.pad(x, ((0, 1), (2, 0)), constant_values=2), real(3, 4)),
    "pad, reflect": (lambda ops, x: ops.pad(x, ((0, 1), (2, 0)), "reflect"), real(3, 4)),
    "pad, symmetric": (lambda ops, x: ops.pad(x, ((0, 1), (2, 0)), "symmetric"), real(3, 4)),
    "meshgrid": (lambda ops, x, y: ops.meshgrid(x, y), real(3), real(2)),
    "diagonal, offset": (lambda ops, x: ops.diagonal(x, 1, -1, 0), real(3, 4)),
    "trace, offset": (lambda ops, x: ops.trace(x, 1, -1, 0), real(3, 4)),
    "tril, k": (lambda ops, x: ops.tril(x, -1), real(3, 4)),
    "triu, k": (lambda ops, x: ops.triu(x, 1), real(3, 4)),
    # products
    "matmul, batches": (lambda ops, x, y: ops.matmul(x, y), real(2, 3, 4), real(4, 2)),
    "matmul, vector": (lambda ops, x, y: ops.matmul(x, y), real(3, 4), real(4)),
    "dot, vectors": (lambda ops, x, y: ops.dot(x, y), real(4), real(4)),
    "tensordot, one axis": (lambda ops, x, y: ops.tensordot(x, y, 1), real(2, 3, 4), real(4, 2)),
    "einsum": (lambda ops, x, y: ops.einsum("ij,jk->ki", x, y), real(3, 4), real(4, 2)),
    "einsum, dots": (lambda ops, x, y: ops.einsum("...ij,jk->...k", x, y), real(2, 3, 4), real(4, 2)),
    "norm, axis": (lambda ops, x: ops.norm(x, axis=-1), real(3, 4)),
    "norm, order 1": (lambda ops, x: ops.norm(x, ord=1, axis=-1, keepdims=True), real(3, 4)),
    "norm, order 3": (lambda ops, x: ops.norm(x, ord=3, axis=0), real(3, 4)),
    "norm, order inf": (lambda ops, x: ops.norm(x, ord=np.inf, axis=-1), real(3, 4)),
    "norm of a matrix, 1": (lambda ops, x: ops.norm(x, ord=1), real(3, 4)),
    "norm of a matrix, nuc": (lambda ops, x: ops.norm(x, ord="nuc"), real(3, 4)),
    "normalize, axes": (lambda ops, x: ops.normalize(x, axis=(0,), order=3), real(3, 4)),
    "normalize, order 1": (lambda ops, x: ops.normalize(x, axis=-1, order=1), real(3, 4)),
    "qr": (lambda ops, x: ops.qr(x), real(4, 3)),
    # layers' computations
    "batch_normalization": (
        lambda ops, x, m, v, b, g: ops.batch_normalization(x, m, v, -1, b, g),
        real(3, 4),
        real(4),
        positive(4),
        real(4),
        real(4),
    ),
    "batch_normalization, axis": (
        lambda ops, x, m, v: ops.batch_normalization(x, m, v, 1),
        real(3, 4, 2),
        real(4),
        positive(4),
    ),
    "layer_normalization, scaled": (
        lambda ops, x, g, b: ops.layer_normalization(x, g, b),
        real(3, 4),
        real(4),
        real(4),
    ),
    "layer_normalization, axes": (lambda ops, x: ops.layer_normalization(x, axis=(1, 2)), real(2, 3, 4)),
    "rms_normalization, scaled": (lambda ops, x, g: ops.rms_normalization(x, g), real(3, 4), real(4)),
    "rms_normalization, axes": (lambda ops, x: ops.rms_normalization(x, axis=(1, 2)), real(2, 3, 4)),
    "binary_crossentropy of logits": (
        lambda ops, t, x: ops.binary_crossentropy(t, x, True),
        probability(3, 4),
        real(3, 4),
    ),
    "binary_crossentropy at bounds": (lambda ops, t, x: ops.binary_crossentropy(t, x), given(0, 1, 1), given(0, 0, 1)),
    "categorical_crossentropy of logits": (
        lambda ops, t, x: ops.categorical_crossentropy(t, x, True),
        probability(3, 4),
        real(3, 4),
    ),
    "categorical_crossentropy, axis": (
        lambda ops, t, x: ops.categorical_crossentropy(t, x, axis=0),
        probability(3, 4),
        probability(3, 4),
    ),
    "sparse_categorical_crossentropy": (
        lambda ops, x: ops.sparse_categorical_crossentropy(LABELS, x),
        probability(3, 4),
    ),
    "sparse_categorical_crossentropy of logits": (
        lambda ops, x: ops.sparse_categorical_crossentropy(LABELS, x, True),
        real(3, 4),
    ),
    "ctc_loss": (
        lambda ops, x: ops.ctc_loss(np.array([[1, 2], [3, 0]]), x, np.array([2, 1]), np.array([5, 4])),
        real(2, 5, 4),
    ),
    "conv": (lambda ops, x, w: ops.conv(x, w, 2, "same"), IMAGE, FILTER),
    "conv_transpose": (lambda ops, x, w: ops.conv_transpose(x, w, 2, "same"), IMAGE, real(3, 2, 4, 3)),
    "depthwise_conv": (lambda ops, x, w: ops.depthwise_conv(x, w, 1, "valid"), IMAGE, real(3, 2, 3, 2)),
    "separable_conv": (
        lambda ops, x, w, p: ops.separable_conv(x, w, p, 1, "same"),
        IMAGE,
        real(3, 2, 3, 2),
        real(1, 1, 6, 2),
    ),
    "max_pool": (lambda ops, x: ops.max_pool(x, 2, 2, "same"), IMAGE),
    "average_pool": (lambda ops, x: ops.average_pool(x, 3, 2, "same"), IMAGE),
    "adaptive_average_pool": (lambda ops, x: ops.adaptive_average_pool(x, 3), IMAGE),
    "adaptive_max_pool": (lambda ops, x: ops.adaptive_max_pool(x, 3), IMAGE),
    # dtypes and values
    "cast": (lambda ops, x: ops.cast(x, "float16"), real(3, 4)),
    "cast to int": (lambda ops, x: ops.cast(x, "int32"), KINKS),
    "cast to bool": (lambda ops, x: ops.cast(x, "bool"), KINKS),
    "saturate_cast": (lambda ops, x: ops.saturate_cast(x, "uint8"), given(-2, 3, 100)),
    "convert_to_tensor, dtype": (lambda ops, x: ops.convert_to_tensor(x, "float32"), real(3, 4)),
    "array, dtype": (lambda ops, x: ops.array(x, "float32"), real(3, 4)),
    "full": (lambda ops, x: ops.full((2, 3), 2.5, "float32") + x, real(3)),
    "full of a tensor": (lambda ops, x: ops.full((2, 3), x), given(2.5)),
    "full_like": (lambda ops, x: ops.full_like(x, 2), real(3, 4)),
    "zeros_like, dtype": (lambda ops, x: ops.zeros_like(x, "int32"), real(3, 4)),
    "zeros": (lambda ops, x: ops.zeros((2, 3)) + x, real(3)),
    "ones": (lambda ops, x: ops.ones((2, 3), "int32") + x, real(3)),
    "empty": (lambda ops, x: ops.shape(ops.empty((2, 3))), real(3)),
    "eye": (lambda ops, x: ops.eye(3, 4, -1) + x, real(4)),
    "identity": (lambda ops, x: ops.identity(3) + x, real(3)),
    "tri": (lambda ops, x: ops.tri(3, 4, 1) + x, real(4)),
    "arange": (lambda ops, x: ops.arange(1, 7, 2), real(1)),
    "arange of floats": (lambda ops, x: ops.arange(0.0, 1.0, 0.3), real(1)),
    "linspace, options": (lambda ops, x, y: ops.linspace(x, y, 5, False, axis=-1), real(3), real(3)),
    "linspace, step": (lambda ops, x: ops.linspace(x, 10.0, 4, retstep=True), real(3)),
    "linspace, numbers": (lambda ops, x: ops.linspace(0, 10, 4) + x, real(4)),
    "linspace, one": (lambda ops, x, y: ops.linspace(x, y, 1), real(3), real(3)),
    "linspace, dtype": (lambda ops, x, y: ops.linspace(x, y, 4, dtype="float32"), real(3), real(3)),
    "logspace, options": (lambda ops, x, y: ops.logspace(x, y, 5, False, base=2, axis=-1), real(3), real(3)),
    "logspace, numbers": (lambda ops, x: ops.logspace(0, 2, 4) + x, real(4)),
    # control
    "cond": (lambda ops, x: ops.cond(True, lambda: ops.multiply(x, 2), lambda: x), real(3)),
    "switch": (lambda ops, x: ops.switch(1, [lambda v: v, lambda v: ops.multiply(v, 2)], x), real(3)),
    "fori_loop": (lambda ops, x: ops.fori_loop(0, 3, lambda i, v: v + v, x), real(3)),
    "while_loop": (lambda ops, x: ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v + v), (0, x)), real(3)),
    "scan": (lambda ops, x: ops.scan(lambda c, v: (c + v, c + v), ops.zeros_like(x)[0], x), real(3, 2)),
    "map": (lambda ops, x: ops.map(lambda v: ops.multiply(v, 2), x), real(3, 2)),
    "vectorized_map": (lambda ops, x: ops.vectorized_map(lambda v: ops.multiply(v, 2), x), real(3, 2)),
    "custom_gradient": (lambda ops, x: _doubled(ops)(x), real(3)),
    "image.resize": (lambda ops, x: ops.image.resize(x, (3, 4)), IMAGE),
}


def _cube_and_its_gradients():
    """An op of array functions, which do on a card what they do on the host."""
    cube, slope = lambda x: x * x * x, lambda g, x: 3 * x * x * g
    of_slope = lambda gg, g, x: (3 * x * x * gg, 6 * x * g * gg)
    inner = numba_op(slope, of_slope, cuda=slope, cuda_backward=of_slope, name="square_of_three")
    return numba_op(cube, inner, cuda=cube, name="cube")


CUBE = _cube_and_its_gradients()
# Ops that Keras does not have: values beside their symbolic shapes, gradients beside differences.
OWN = {
    "batch_norm_train": (lambda ops, x, g, b: ops.batch_norm_train(x, g, b)[0], real(3, 4), real(4), real(4)),
    "conv_bias_act": (
        lambda ops, x, w, b: ops.conv_bias_act(x, w, b, 1, "same", activation="relu"),
        IMAGE,
        FILTER,
        real(4),
    ),
    "depthwise_bias_act": (
        lambda ops, x, w, b: ops.depthwise_bias_act(x, w, b, 1, ((1, 1), (1, 0)), activation="relu"),
        IMAGE,
        real(3, 2, 3, 1),
        real(3),
    ),
    "dense_bias_act": (lambda ops, x, w, b: ops.dense_bias_act(x, w, b, "relu"), real(3, 4), real(4, 2), real(2)),
    "numba_op": (lambda ops, x: CUBE(x), real(3, 4)),
    "upsample": (lambda ops, x: ops.upsample(x, (2, 3)), IMAGE),
}


def _doubled(ops):
    """Multiplication by 1 whose gradient is doubled."""
    if ops.__name__.startswith("kerasish"):
        return ops.custom_gradient(lambda x: (ops.multiply(x, 1), lambda g: g * 2))
    import tensorflow as tf

    return tf.custom_gradient(lambda x: (ops.multiply(x, 1), lambda g: g * 2))


def rows() -> dict:
    """All rows beside Keras: label -> (function, inputs)."""
    found = {}
    for names, inputs in PLAIN.items():
        for name in names.split():
            found[name] = (lambda ops, *x, name=name: getattr(ops, name)(*x), inputs)
    for label, (function, *inputs) in ROWS.items():
        found[label] = (function, tuple(inputs))
    return found


def name_of(label: str) -> str:
    """The op's name in a row's label."""
    return label.replace(",", " ").split()[0]
