"""Losses of overlapping regions, of embeddings and of sequences: Dice, Tversky, Circle, CTC."""

from typing import Any

from kerasish import config, ops
from kerasish.core.tensor import Tensor, convert_to_tensor
from kerasish.losses.loss import LossFunctionWrapper
from kerasish.losses.regression import as_pair


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """`1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))` over `axis` (everything by default)."""
    y_true, y_pred = as_pair(y_true, y_pred)
    overlap = ops.multiply(2.0, ops.sum(ops.multiply(y_true, y_pred), axis=axis))
    size = ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis))
    return ops.subtract(1.0, ops.divide(overlap, ops.add(size, config.epsilon())))


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Tensor:
    """Dice's loss with separate weights for errors.

    Args:
        y_true: True regions, 0 or 1.
        y_pred: Predicted regions, from 0 to 1.
        alpha: Weight of false negatives (in what Keras 3.15 computes; its manual has them the other way round).
        beta: Weight of false positives.
        axis: What to sum over; everything by default.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    overlap = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    false_positives = ops.sum(ops.multiply(ops.subtract(1, y_true), y_pred), axis=axis)
    false_negatives = ops.sum(ops.multiply(y_true, ops.subtract(1, y_pred)), axis=axis)
    errors = ops.add(ops.multiply(false_negatives, alpha), ops.multiply(false_positives, beta))
    return ops.subtract(1, ops.divide(overlap, ops.add(ops.add(overlap, errors), config.epsilon())))


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Circle loss of normalized embeddings (Sun et al., 2020, equation 4), one value per sample.

    Args:
        y_true: Integer labels (N,).
        y_pred: Embeddings (N, D) of length 1.
        ref_labels: Labels of the references; `y_true` by default.
        ref_embeddings: What the embeddings are compared with; `y_pred` by default.
        remove_diagonal: Whether a sample is not its own positive.
        gamma: Scale of the exponents.
        margin: Relaxation of the decision boundary.
    """
    y_pred = convert_to_tensor(y_pred)
    y_true = ops.cast(convert_to_tensor(y_true), "int32")
    references = y_pred if ref_embeddings is None else convert_to_tensor(ref_embeddings)
    ref_labels = y_true if ref_labels is None else ops.cast(convert_to_tensor(ref_labels), "int32")
    distance = ops.maximum(ops.subtract(1.0, ops.matmul(y_pred, ops.transpose(references))), 0.0)
    positive, negative = label_masks(y_true, ref_labels, remove_diagonal)
    pull = ops.relu(ops.add(distance, margin))
    push = ops.relu(ops.subtract(1.0 + margin, distance))
    pull = ops.multiply(ops.multiply(pull, ops.subtract(distance, margin)), gamma)
    push = ops.multiply(ops.multiply(push, ops.subtract(1.0 - margin, distance)), gamma)
    far_positives = ops.logsumexp(ops.where(positive, pull, float("-inf")), axis=1)
    near_negatives = ops.logsumexp(ops.where(negative, push, float("-inf")), axis=1)
    losses = ops.softplus(ops.add(far_positives, near_negatives))
    losses._keras_mask = ops.greater(losses, 0)
    return losses


def label_masks(labels: Tensor, ref_labels: Tensor, remove_diagonal: bool) -> tuple[Tensor, Tensor]:
    """Which pairs share a label, and which do not."""
    rows, columns = ops.reshape(labels, (-1, 1)), ops.reshape(ref_labels, (1, -1))
    positive = ops.equal(rows, columns)
    negative = ops.logical_not(positive)
    if remove_diagonal:
        diagonal = ops.eye(rows.shape[0], columns.shape[1], dtype="bool")
        positive = ops.logical_and(positive, ops.logical_not(diagonal))
    return positive, negative


def ctc(y_true: Any, y_pred: Any) -> Tensor:
    """Connectionist temporal classification.

    Args:
        y_true: Labels (N, L), filled up with 0, which stands for the blank.
        y_pred: Logits (N, T, classes).
    """
    y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred)
    if len(y_true.shape) != 2:
        raise ValueError(f"Targets `y_true` must be a tensor of shape `(batch_size, max_length)`. Got {y_true.shape}")
    if len(y_pred.shape) != 3:
        raise ValueError(
            f"Logits `y_pred` must be a tensor of shape `(batch_size, max_length, num_classes)`. Got {y_pred.shape}"
        )
    frames = ops.full((y_true.shape[0],), y_pred.shape[1], dtype="int32")
    y_true = ops.cast(y_true, "int32")
    labels = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    return ops.ctc_loss(y_true, y_pred, labels, frames, mask_index=0)


class Dice(LossFunctionWrapper):
    """One minus Dice's coefficient of overlap.

    Args:
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        axis: What to sum over; everything by default, which gives one number for the batch.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.
    """

    def __init__(self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None):
        super().__init__(dice, reduction=reduction, name=name, dtype=dtype, axis=axis)
        self.axis = axis


class Tversky(LossFunctionWrapper):
    """Dice's loss with separate weights for false positives and false negatives.

    Args:
        alpha: Weight of false negatives (in what Keras 3.15 computes; its manual has them the other way round).
        beta: Weight of false positives.
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        axis: What to sum over; everything by default.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.
    """

    def __init__(self, alpha=0.5, beta=0.5, reduction="sum_over_batch_size", name="tversky", axis=None, dtype=None):
        super().__init__(tversky, reduction=reduction, name=name, dtype=dtype, alpha=alpha, beta=beta, axis=axis)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis


class Circle(LossFunctionWrapper):
    """Circle loss: draws embeddings of a label together, pushes others apart.

    Args:
        gamma: Scale of the exponents.
        margin: Relaxation of the decision boundary.
        remove_diagonal: Whether a sample is not its own positive.
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.
    """

    def __init__(
        self,
        gamma=80.0,
        margin=0.4,
        remove_diagonal=True,
        reduction="sum_over_batch_size",
        name="circle",
        dtype=None,
    ):
        super().__init__(
            circle,
            reduction=reduction,
            name=name,
            dtype=dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal


class CTC(LossFunctionWrapper):
    """Connectionist temporal classification.

    Args:
        reduction: See `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation; `keras.config.floatx()` by default.
    """

    def __init__(self, reduction="sum_over_batch_size", name="ctc", dtype=None):
        super().__init__(ctc, reduction=reduction, name=name, dtype=dtype)
