"""Normalization."""

from __future__ import annotations

from kerasish.config import epsilon as default_epsilon
from kerasish.core import autodiff, dtypes, shapes
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor, as_array
from kerasish.kernels import twin_of
from kerasish.ops import reduce
from kerasish.ops.activations import relu, relu6
from kerasish.ops.composite import composite
from kerasish.ops.conv import NN
from kerasish.ops.elementwise import rsqrt, spec_dtype, square
from kerasish.ops.fused import FusedOp
from kerasish.ops.shaping import moveaxis, reshape
from kerasish.ops.table import tensor_of, to_dtype


class BatchNormTrain(FusedOp):
    """x (..., C), gamma, beta (C,) or None -> normalized x, and the batch's mean and variance (C,), as constants."""

    arity = 3

    def __init__(self, epsilon, activation=None):
        self.epsilon, self.activation = epsilon, activation

    def infer(self, x, gamma, beta):
        channels = Spec(x.shape[-1:], x.dtype)
        return Spec(x.shape, x.dtype), channels, channels

    def forward(self, ctx, x, gamma, beta):
        y, mean, variance, inverse_std = ctx.kernels.batch_norm_train(x, gamma, beta, self.epsilon, self.activation)
        ctx.save(x, gamma, beta, mean, inverse_std)
        return y, mean, variance

    def fused_backward(self, ctx, gy, *_):
        if gy is None:
            return None, None, None
        saved = [v if v is None else v.value for v in ctx.saved]
        gx, ggamma, gbeta = ctx.kernels.batch_norm_grad(gy.value, *saved, self.activation)
        gamma, beta = saved[1:3]
        return Tensor(gx), None if gamma is None else Tensor(ggamma), None if beta is None else Tensor(gbeta)

    def compose(self, x, gamma, beta):
        axes = tuple(range(len(x.shape) - 1))
        mean = reduce.mean(x, axes)
        variance = reduce.mean(square(x - mean), axes)
        y = (x - mean) * rsqrt(variance + self.epsilon)
        y = y if gamma is None else y * gamma
        y = y if beta is None else y + beta
        y = y if self.activation is None else {"relu": relu, "relu6": relu6}[self.activation](y)
        return y, mean, variance


def batch_norm_train(x, gamma=None, beta=None, axis=-1, epsilon=1e-3, activation=None):
    """x normalized over all axes but `axis` by its own statistics; through an `activation` ("relu" or "relu6").

    Returns:
        The normalized x, and the mean and (biased) variance, of shape (C,), through which no gradient passes.
    """
    last = axis in (-1, len(x.shape) - 1)
    y, mean, variance = BatchNormTrain(epsilon, activation)(x if last else moveaxis(x, axis, -1), gamma, beta)
    return y if last else moveaxis(y, -1, axis), mean, variance


class BatchNorm(Op):
    """x normalized by given statistics."""

    module = NN

    def __init__(self, axis, epsilon=1e-3):
        self.axis, self.epsilon = axis, epsilon

    def infer(self, x, *statistics):
        return Spec(x.shape, x.dtype)

    def call(self, x, mean, variance, offset, scale):
        inputs = (x, mean, variance, offset, scale)
        axis = shapes.normal_axis(self.axis, len(x.shape))
        if axis == len(x.shape) - 1 and not (
            autodiff.recording() and autodiff.watchers([v for v in inputs if v is not None])
        ):
            arrays = [None if v is None else as_array(v) for v in (x, mean, variance, scale, offset)]
            return Tensor(twin_of(arrays[0]).batch_norm_infer(*arrays, self.epsilon))
        shape = [-1 if i == axis else 1 for i in range(len(x.shape))]
        mean, variance, offset, scale = (
            None if v is None else reshape(v, shape) for v in (mean, variance, offset, scale)
        )
        inverse = rsqrt(variance + self.epsilon)
        inverse = inverse if scale is None else inverse * scale
        shift = -mean * inverse
        return to_dtype(x * inverse + (shift if offset is None else shift + offset), spec_dtype(x))


def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """x normalized by a given mean and variance, then scaled and shifted.

    Args:
        x: the tensor.
        mean, variance, offset, scale: (C,), the length of `axis`; the last two may be None.
        axis: the channels' axis.
        epsilon: added to the variance.

    Raises:
        ValueError: for one of another shape.
    """
    x, mean, variance, offset, scale = (v if v is None else tensor_of(v) for v in (x, mean, variance, offset, scale))
    length = x.shape[axis]
    for name, v in (("mean", mean), ("variance", variance), ("offset", offset), ("scale", scale)):
        if v is not None and (len(v.shape) != 1 or None not in (length, v.shape[0]) and v.shape[0] != length):
            raise ValueError(
                f"Argument `{name}` must be a vector of length `x.shape[axis]`={length}. "
                f"Received: {name}.shape={tuple(v.shape)} and x.shape={tuple(x.shape)}"
            )
    return BatchNorm(axis, epsilon)(x, mean, variance, offset, scale)


class LayerNorm(FusedOp):
    """x (..., C) normalized along its last axis, scaled and shifted."""

    arity = 3

    def __init__(self, epsilon):
        self.epsilon = epsilon

    def infer(self, x, gamma, beta):
        return Spec(x.shape, x.dtype)

    def forward(self, ctx, x, gamma, beta):
        y, mean, inverse_std = ctx.kernels.layer_norm(x, gamma, beta, self.epsilon)
        ctx.save(x, gamma, beta, mean, inverse_std)
        return y

    def fused_backward(self, ctx, gy):
        x, gamma, beta, mean, inverse_std = (v if v is None else v.value for v in ctx.saved)
        gx, ggamma, gbeta = ctx.kernels.layer_norm_grad(gy.value, x, gamma, mean, inverse_std)
        return Tensor(gx), None if gamma is None else Tensor(ggamma), None if beta is None else Tensor(gbeta)

    def compose(self, x, gamma, beta):
        mean = reduce.mean(x, -1, keepdims=True)
        variance = reduce.mean(square(x - mean), -1, keepdims=True)
        y = (x - mean) * rsqrt(variance + self.epsilon)
        y = y if gamma is None else y * gamma
        return y if beta is None else y + beta


@composite(NN, keywords=("gamma", "beta"), class_name="LayerNorm")
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, **kwargs):
    """x normalized along `axis` by its own statistics, scaled and shifted.

    Args:
        x: the tensor.
        gamma, beta: the scale and the shift, of the lengths of `axis`, or None.
        axis: an axis or several.
        epsilon: added to the variance; the configured one by default.
        **kwargs: Keras's deprecated `rms_scaling`, which must be False.

    Raises:
        NotImplementedError: for `rms_scaling=True`.
    """
    if kwargs.pop("rms_scaling", False):
        raise NotImplementedError("layer_normalization has no rms_scaling in kerasish; call ops.rms_normalization")
    if kwargs:
        raise TypeError(f"layer_normalization got unexpected keyword arguments: {sorted(kwargs)}")
    epsilon = default_epsilon() if epsilon is None else epsilon
    x = tensor_of(x)
    axes = shapes.axes(axis, len(x.shape))
    if isinstance(x, KerasTensor):
        return KerasTensor(x.shape, x.dtype)
    last = axes == (len(x.shape) - 1,) and isinstance(epsilon, (int, float))  # kernels take one number
    if last and dtypes.is_float(x.dtype):
        op = LayerNorm(epsilon)
        if all(v is None or tuple(spec_of(v).shape) == x.shape[-1:] for v in (gamma, beta)):
            return op(x, gamma, beta)
        if axis in (axes[0], [axes[0]], axes):  # not for -1: there Keras refuses other lengths, here it broadcasts
            return op.compose(x, gamma, beta)
    wide = dtypes.result_type(x.dtype, "float32")
    if x.dtype != wide:
        return to_dtype(layer_normalization(to_dtype(x, wide), gamma, beta, axis, epsilon), x.dtype)
    mean = reduce.mean(x, axes, keepdims=True)
    variance = reduce.mean(square(x - mean), axes, keepdims=True)
    shape = [d if i in axes else 1 for i, d in enumerate(x.shape)]
    y = (x - mean) * rsqrt(variance + epsilon)
    y = y if gamma is None else y * reshape(gamma, shape)
    y = y if beta is None else y + reshape(beta, shape)
    return to_dtype(y, x.dtype)


class GroupNorm(FusedOp):
    """x (N, ..., C), each group of channels of each sample normalized; then scaled and shifted."""

    arity = 3

    def __init__(self, groups, epsilon):
        self.groups, self.epsilon = groups, epsilon

    def infer(self, x, gamma, beta):
        return Spec(x.shape, x.dtype)

    def forward(self, ctx, x, gamma, beta):
        y, mean, inverse_std = ctx.kernels.group_norm(x, gamma, beta, self.groups, self.epsilon)
        ctx.save(x, gamma, beta, mean, inverse_std)
        return y

    def fused_backward(self, ctx, gy):
        x, gamma, beta, mean, inverse_std = (v if v is None else v.value for v in ctx.saved)
        gx, ggamma, gbeta = ctx.kernels.group_norm_grad(gy.value, x, gamma, mean, inverse_std)
        return Tensor(gx), None if gamma is None else Tensor(ggamma), None if beta is None else Tensor(gbeta)

    def compose(self, x, gamma, beta):
        *outer, channels = x.shape
        parts = reshape(x, (*outer, self.groups, channels // self.groups))
        within = [*range(1, len(outer)), len(outer) + 1]
        mean = reduce.mean(parts, within, keepdims=True)
        variance = reduce.mean(square(parts - mean), within, keepdims=True)
        y = reshape((parts - mean) * rsqrt(variance + self.epsilon), x.shape)
        y = y if gamma is None else y * gamma
        return y if beta is None else y + beta


def group_normalization(x, groups, gamma=None, beta=None, axis=-1, epsilon=1e-3):
    """x with each group of neighbours along `axis`, of each sample, normalized by its own statistics.

    Args:
        x: the tensor, samples along its first axis; if `axis` is the first, along its last, as in Keras's layer.
        groups: number of groups, a divisor of the length of `axis`.
        gamma, beta: the scale and the shift, of the length of `axis`, or None.
        axis: the channels' axis.
        epsilon: added to the variance.
    """
    axis, last = shapes.normal_axis(axis, len(x.shape)), len(x.shape) - 1
    if axis == 0:
        return moveaxis(group_normalization(moveaxis(x, -1, 0), groups, gamma, beta, 1, epsilon), 0, -1)
    y = GroupNorm(groups, epsilon)(x if axis == last else moveaxis(x, axis, -1), gamma, beta)
    return y if axis == last else moveaxis(y, -1, axis)


@composite(NN, keywords=("scale",), class_name="RMSNorm")
def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """x divided by its root mean square along `axis`, then scaled.

    Args:
        x: the tensor.
        scale: of the lengths of `axis`, or None.
        axis: an axis or several.
        epsilon: added to the mean square; the configured one by default.

    Returns:
        A tensor of x's shape and dtype.
    """
    x = tensor_of(x)
    x = x if len(x.shape) else reshape(x, (1,))
    axes = shapes.axes(axis, len(x.shape))
    if isinstance(x, KerasTensor):
        return KerasTensor(x.shape, x.dtype)
    wide = to_dtype(x, dtypes.result_type(x.dtype, "float32"))
    epsilon = default_epsilon() if epsilon is None else epsilon
    y = wide * rsqrt(reduce.mean(square(wide), axis, keepdims=True) + epsilon)
    if scale is not None:
        rank = len(x.shape)
        last, given = axes == tuple(range(rank - len(axes), rank)), spec_of(scale).shape
        in_place = len(given) == rank or last and given in (tuple(x.shape[i] for i in axes), (), (1,))
        y = y * (scale if in_place else reshape(scale, [d if i in axes else 1 for i, d in enumerate(x.shape)]))
    return to_dtype(y, x.dtype)
