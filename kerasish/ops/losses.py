"""Cross-entropies: from logits by a fused kernel, from probabilities by clipping, as Keras on TensorFlow does."""

from __future__ import annotations

import numpy as np

from kerasish.config import epsilon
from kerasish.core import shapes
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import Tensor, as_array
from kerasish.ops import reduce
from kerasish.ops.activations import NN, log_softmax, sigmoid
from kerasish.ops.choosing import one_hot
from kerasish.ops.elementwise import clip, log
from kerasish.ops.fused import FusedOp
from kerasish.ops.shaping import moveaxis
from kerasish.ops.table import float_of, tensor_of, to_dtype


class CrossEntropyLogits(FusedOp):
    """target, logits (..., C) -> (...), the cross-entropy of softmax(logits)."""

    arity = 2

    def forward(self, ctx, target, logits):
        ctx.save(target, logits)
        return ctx.kernels.cross_entropy_logits(target, logits)

    def fused_backward(self, ctx, gy):
        target, logits = ctx.saved
        need_target, need_logits = ctx.needs
        glogits = ctx.kernels.cross_entropy_logits_grad(gy.value, target.value, logits.value) if need_logits else None
        gtarget = -log_softmax(logits) * gy.value[..., None] if need_target else None
        return gtarget, None if glogits is None else Tensor(glogits)

    def compose(self, target, logits):
        return -reduce.sum(target * log_softmax(logits), -1)


class SparseCrossEntropyLogits(FusedOp):
    """target (...) of indices, logits (..., C) -> (...), the cross-entropy of softmax(logits)."""

    arity = 2

    def forward(self, ctx, target, logits):
        ctx.save(target, logits)
        return ctx.kernels.sparse_cross_entropy_logits(target, logits)

    def fused_backward(self, ctx, gy):
        target, logits = ctx.saved
        return None, Tensor(ctx.kernels.sparse_cross_entropy_logits_grad(gy.value, target.value, logits.value))

    def compose(self, target, logits):
        hot = one_hot(target, logits.shape[-1], dtype=logits.dtype)
        return -reduce.sum(hot * log_softmax(logits), -1)


class BinaryCrossEntropyLogits(Op):
    """target, logits -> the cross-entropy of sigmoid(logits), elementwise: max(x, 0) - x t + log(1 + exp(-|x|))."""

    module = NN

    def infer(self, target, logits):
        return logits

    def forward(self, ctx, target, logits):
        ctx.save(target, logits)
        k = ctx.kernels
        return k.relu(logits) - logits * target + k.softplus(-abs(logits))

    def backward(self, ctx, gy):
        target, logits = ctx.saved
        need_target, need_logits = ctx.needs
        # of the whole: of its parts, the derivatives at 0 would not add up to it
        return -gy * logits if need_target else None, gy * (sigmoid(logits) - target) if need_logits else None


def _logits_of(output, from_logits):
    """The logits behind an activation's output, where they are known: exact where probabilities have been rounded."""
    behind = getattr(output, "_keras_logits", None)
    return (behind, True) if behind is not None else (output, from_logits)


class _CrossEntropy(Op):
    """The public op of a graph."""

    module = NN

    def __init__(self, from_logits=False, axis=-1):
        self.from_logits, self.axis = from_logits, axis

    def call(self, target, output):
        output, from_logits = _logits_of(output, self.from_logits)
        output = tensor_of(output)
        target, output = self.checked(tensor_of(target), to_dtype(output, float_of(output.dtype)))
        target, output = self.last(target), moveaxis(output, self.axis, -1)
        return self.of_logits(target, output) if from_logits else self.of_probabilities(target, output)

    def last(self, target):
        return moveaxis(target, self.axis, -1)

    def infer(self, target, output):
        self.check(target.shape, output.shape)
        return Spec(shapes.reduce(output.shape, self.axis), float_of(output.dtype))

    def checked(self, target, output):
        self.check(target.shape, output.shape)
        return target, output


def _normalized(output):
    return clip(output / reduce.sum(output, -1, keepdims=True), epsilon(), 1.0 - epsilon())


class CategoricalCrossentropy(_CrossEntropy):
    """Cross-entropy with targets of the output's shape."""

    def check(self, target, output):
        _check_shapes(target, output)

    def checked(self, target, output):
        self.check(target.shape, output.shape)
        return to_dtype(target, output.dtype), output

    def of_logits(self, target, output):
        return CrossEntropyLogits()(target, output)

    def of_probabilities(self, target, output):
        return -reduce.sum(target * log(_normalized(output)), -1)


def _check_shapes(target, output):
    received = f"Received: target.shape={tuple(target)}, output.shape={tuple(output)}"
    if len(target) < 1:
        raise ValueError(f"Arguments `target` and `output` must be at least rank 1. {received}")
    if len(target) != len(output):
        raise ValueError(f"Arguments `target` and `output` must have the same rank (ndim). {received}")
    if any(a is not None and b is not None and a != b for a, b in zip(target, output)):
        raise ValueError(f"Arguments `target` and `output` must have the same shape. {received}")


class SparseCategoricalCrossentropy(_CrossEntropy):
    """Cross-entropy with indices as targets."""

    def last(self, target):
        return target

    def check(self, target, output):
        if len(output) < 1:
            raise ValueError(f"Argument `output` must be at least rank 1. Received: output.shape={tuple(output)}")
        target = target[:-1] if len(target) == len(output) and target[-1] == 1 else target
        expected = shapes.reduce(output, self.axis)
        if len(target) != len(expected) or any(
            a is not None and b is not None and a != b for a, b in zip(target, expected)
        ):
            raise ValueError(
                f"Arguments `target` and `output` must have the same shape up until the last dimension: "
                f"target.shape={tuple(target)}, output.shape={tuple(output)}"
            )

    def checked(self, target, output):
        self.check(target.shape, output.shape)
        array = as_array(target)
        if array.ndim == len(output.shape) and array.shape[-1] == 1:
            array = array[..., 0]
        return Tensor(_labels(array, output.shape[self.axis])), output

    def of_logits(self, target, output):
        return SparseCrossEntropyLogits()(target, output)

    def of_probabilities(self, target, output):
        # Clipped only: the logarithm's softmax normalizes, and a row of zeros stays finite.
        return SparseCrossEntropyLogits()(target, log(clip(output, epsilon(), 1.0 - epsilon())))


def _labels(array, classes):
    """Labels as integers.

    Raises:
        ValueError: for one that is no class; on a card, where looking would mean waiting, the loss is NaN instead.
    """
    labels = array if array.dtype.kind in "iu" else array.astype(np.int64)
    if isinstance(labels, np.ndarray) and labels.size and (labels.min() < 0 or labels.max() >= classes):
        wrong = labels[(labels < 0) | (labels >= classes)].flat[0]
        raise ValueError(
            f"Received a label value of {wrong} which is outside the valid range of [0, {classes}): sparse categorical "
            f"crossentropy with {classes} classes expects labels from 0 to {classes - 1}; "
            "give the last layer one unit for each class, or start the labels at 0"
        )
    return labels


class BinaryCrossentropy(Op):
    """Cross-entropy of independent yes-or-no probabilities."""

    module = NN

    def __init__(self, from_logits=False):
        self.from_logits = from_logits

    def infer(self, target, output):
        _check_shapes(target.shape, output.shape)
        return Spec(output.shape, float_of(output.dtype))

    def call(self, target, output):
        output, from_logits = _logits_of(output, self.from_logits)
        target, output = tensor_of(target), tensor_of(output)
        output = to_dtype(output, float_of(output.dtype))
        if len(target.shape) != len(output.shape) or any(a != b for a, b in zip(target.shape, output.shape)):
            _check_shapes(target.shape, output.shape)
        target = to_dtype(target, output.dtype)
        if from_logits:
            return BinaryCrossEntropyLogits()(target, output)
        p = clip(output, epsilon(), 1.0 - epsilon())
        return -(target * log(p) + (1.0 - target) * log(1.0 - p))


def categorical_crossentropy(target, output, from_logits: bool = False, axis: int = -1):
    """-sum(target * log(output)) along `axis`.

    Args:
        target: probabilities of the classes, in the output's shape.
        output: predicted probabilities, or logits.
        from_logits: whether `output` holds logits.
        axis: the axis of the classes.

    Raises:
        ValueError: for shapes that do not fit.
    """
    return CategoricalCrossentropy(from_logits, axis)(target, output)


def sparse_categorical_crossentropy(target, output, from_logits: bool = False, axis: int = -1):
    """-log(output[target]) along `axis`.

    Args:
        target: indices of classes, in the output's shape without `axis` (or with one of length 1 at the end).
        output: predicted probabilities, or logits.
        from_logits: whether `output` holds logits.
        axis: the axis of the classes.

    Raises:
        ValueError: for a label that is no index of `axis`, or shapes that do not fit.
    """
    return SparseCategoricalCrossentropy(from_logits, axis)(target, output)


def binary_crossentropy(target, output, from_logits: bool = False):
    """-(target * log(output) + (1 - target) * log(1 - output)), elementwise.

    Args:
        target: probabilities, in the output's shape.
        output: predicted probabilities, or logits.
        from_logits: whether `output` holds logits.

    Raises:
        ValueError: for shapes that do not fit.
    """
    return BinaryCrossentropy(from_logits)(target, output)
