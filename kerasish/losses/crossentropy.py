"""Crossentropies: binary, categorical, sparse, and their focal and generalized forms."""

import warnings
from typing import Any

from kerasish import config, ops
from kerasish.core.tensor import Tensor, convert_to_tensor
from kerasish.losses.loss import LossFunctionWrapper
from kerasish.losses.regression import as_pair


def check_axis(axis: Any) -> None:
    """Refuses an axis that is a boolean, the sign of arguments in the wrong order."""
    if isinstance(axis, bool):
        raise ValueError(f"`axis` must be of type `int`. Received: axis={axis} of type {type(axis)}")


def warn_of_one_class(name: str, y_pred: Tensor) -> None:
    """A single class always has probability 1 after a softmax: surely not what was meant."""
    if y_pred.shape and y_pred.shape[-1] == 1:
        warnings.warn(
            f"In loss {name}, expected y_pred.shape to be (batch_size, num_classes) with num_classes > 1. Received: "
            f"y_pred.shape={y_pred.shape}. Consider using 'binary_crossentropy' if you only have 2 classes.",
            SyntaxWarning,
            stacklevel=3,
        )


def smooth(y_true: Tensor, label_smoothing: float, classes: int) -> Tensor:
    """Moves `label_smoothing` of the labels' weight evenly onto all classes."""
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / classes)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """Crossentropy of one-hot labels and predictions, one value per sample.

    Args:
        y_true: One-hot labels, or probabilities.
        y_pred: Predicted probabilities, or logits.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: In [0, 1]: the weight that is spread evenly over the classes.
        axis: The axis of the classes.
    """
    check_axis(axis)
    y_true, y_pred = as_pair(y_true, y_pred)
    warn_of_one_class("categorical_crossentropy", y_pred)
    y_true = smooth(y_true, label_smoothing, y_true.shape[-1])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Crossentropy in which easy samples weigh less: `alpha * (1 - p) ** gamma * crossentropy`.

    Args:
        y_true: One-hot labels.
        y_pred: Predicted probabilities, or logits.
        alpha: Weight of the classes, one number or one per class.
        gamma: How strongly easy samples are played down; 0 not at all.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: In [0, 1]: the weight that is spread evenly over the classes.
        axis: The axis of the classes.
    """
    check_axis(axis)
    y_true, y_pred = as_pair(y_true, y_pred)
    warn_of_one_class("categorical_focal_crossentropy", y_pred)
    y_true = smooth(y_true, label_smoothing, y_true.shape[-1])
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    y_pred = ops.divide(y_pred, ops.sum(y_pred, axis=axis, keepdims=True))
    y_pred = ops.clip(y_pred, config.epsilon(), 1.0 - config.epsilon())
    crossentropy = ops.multiply(ops.negative(y_true), ops.log(y_pred))
    weight = ops.multiply(ops.power(ops.subtract(1.0, y_pred), gamma), alpha)
    return ops.sum(ops.multiply(weight, crossentropy), axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """Crossentropy of integer labels and predictions, one value per sample.

    Args:
        y_true: Integer labels, with or without a last axis of length 1.
        y_pred: Predicted probabilities, or logits.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label whose samples count nothing, such as the void class of a segmentation.
        axis: The axis of the classes.
    """
    y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis=axis)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    valid = ops.not_equal(y_true, ops.cast(ignore_class, y_true.dtype))
    y_true = ops.multiply(y_true, ops.cast(valid, y_true.dtype))
    y_pred = ops.multiply(y_pred, ops.cast(ops.expand_dims(valid, -1), y_pred.dtype))
    losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    losses = ops.where(valid, losses, 0.0)
    losses._keras_mask = valid
    return losses


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """Crossentropy of labels 0 and 1, averaged over an axis.

    Args:
        y_true: Labels.
        y_pred: Predicted probabilities of 1, or logits.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: In [0, 1]: how far the labels are drawn towards 0.5.
        axis: The axis that is averaged over.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, 2)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Binary crossentropy in which easy samples weigh less.

    Args:
        y_true: Labels 0 and 1.
        y_pred: Predicted probabilities of 1, or logits.
        apply_class_balancing: Whether class 1 weighs `alpha` and class 0 `1 - alpha`.
        alpha: See `apply_class_balancing`.
        gamma: How strongly easy samples are played down; 0 not at all.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: In [0, 1]: how far the labels are drawn towards 0.5.
        axis: The axis that is averaged over.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = smooth(y_true, label_smoothing, 2)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    losses = ops.binary_crossentropy(y_true, y_pred, from_logits=False)
    untrue = ops.subtract(1.0, y_true)
    right = ops.add(ops.multiply(y_true, y_pred), ops.multiply(untrue, ops.subtract(1.0, y_pred)))
    losses = ops.multiply(ops.power(ops.subtract(1.0, right), gamma), losses)
    if apply_class_balancing:
        losses = ops.multiply(ops.add(ops.multiply(y_true, alpha), ops.multiply(untrue, 1.0 - alpha)), losses)
    return ops.mean(losses, axis=axis)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Tensor:
    """`(1 - p ** q) / q` of the probability p given to the integer label: robust against wrong labels.

    Args:
        y_true: Integer labels, with or without a last axis of length 1.
        y_pred: Predicted probabilities.
        q: Between 0 (crossentropy) and 1 (absolute error).
    """
    y_pred = convert_to_tensor(y_pred)
    y_true = ops.cast(convert_to_tensor(y_true), "int64")
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    label = ops.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype)
    p = ops.sum(ops.multiply(y_pred, label), axis=-1)
    return ops.divide(ops.subtract(1.0, ops.power(p, q)), q)


class BinaryCrossentropy(LossFunctionWrapper):
    """Crossentropy of labels 0 and 1.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: In [0, 1]: how far the labels are drawn towards 0.5.
        axis: The axis that is averaged over.
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.

    Example:

    >>> keras.losses.BinaryCrossentropy(from_logits=True)([[0., 1.]], [[-18.6, 0.51]])
    0.235
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_crossentropy",
        dtype=None,
    ):
        super().__init__(
            binary_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary crossentropy in which easy samples weigh less.

    Args:
        apply_class_balancing: Whether class 1 weighs `alpha` and class 0 `1 - alpha`.
        alpha: See `apply_class_balancing`.
        gamma: How strongly easy samples are played down; 0 not at all.
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: In [0, 1]: how far the labels are drawn towards 0.5.
        axis: The axis that is averaged over.
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.
    """

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(
            binary_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma


class CategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy of one-hot labels. Arguments as in `BinaryCrossentropy`; `axis` is the classes'."""

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(
            categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical crossentropy in which easy samples weigh less.

    Args:
        alpha: Weight of the classes, one number or one per class.
        gamma: How strongly easy samples are played down; 0 not at all.
        from_logits: Whether predictions are logits instead of probabilities.
        label_smoothing: In [0, 1]: the weight that is spread evenly over the classes.
        axis: The axis of the classes.
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.
    """

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(
            categorical_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
        self.alpha = alpha
        self.gamma = gamma


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy of integer labels.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.
        ignore_class: A label whose samples count nothing.
        reduction: See `keras.losses.Loss`.
        axis: The axis of the classes.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.

    Example:

    >>> keras.losses.SparseCategoricalCrossentropy()([1, 2], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]])
    1.177
    """

    hidden_from_config = ("axis",)

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(
            sparse_categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """Crossentropy of integer labels that is robust against wrong ones.

    Args:
        q: Between 0 (crossentropy) and 1 (absolute error), both excluded.
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.

    Raises:
        ValueError: If `q` is outside (0, 1).
    """

    def __init__(
        self, q=0.5, reduction="sum_over_batch_size", name="categorical_generalized_cross_entropy", dtype=None
    ):
        if not 0 < q < 1:
            raise ValueError(f"q must be in the interval (0, 1). Received: q={q}")
        super().__init__(categorical_generalized_cross_entropy, reduction=reduction, name=name, dtype=dtype, q=q)
        self.q = q
