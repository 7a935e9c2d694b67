"""Intersection over union of classes."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasish import config
from kerasish.core.tensor import Tensor, as_array
from kerasish.metrics.arrays import ratio
from kerasish.metrics.metric import Metric


class ConfusionMatrixMetric(Metric):
    """Base of the IoU metrics: counts classes predicted (columns) for classes (rows)."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(name=name, dtype=dtype or "int64")
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable((num_classes, num_classes), None, self.dtype, name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Classes, or with `sparse_y_true=False` one-hot classes.
            y_pred: Classes, or with `sparse_y_pred=False` scores.
            sample_weight: Weights that broadcast to the classes.
        """
        y_true, y_pred = as_array(y_true), as_array(y_pred)
        y_true = y_true if self.sparse_y_true else y_true.argmax(axis=self.axis)
        y_pred = y_pred if self.sparse_y_pred else y_pred.argmax(axis=self.axis)
        self.add_classes(y_true.astype("int64"), y_pred.astype("int64"), sample_weight)

    def add_classes(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        """Counts pairs of classes; pairs with a class that there is not are left out."""
        shape = y_true.shape
        y_true, y_pred = y_true.reshape(-1), y_pred.reshape(-1)
        valid = (y_true >= 0) & (y_true < self.num_classes) & (y_pred >= 0) & (y_pred < self.num_classes)
        if self.ignore_class is not None:
            valid &= y_true != self.ignore_class
        weights = None
        if sample_weight is not None:
            sample_weight = as_array(sample_weight)
            if 1 < sample_weight.ndim == len(shape) + 1:
                sample_weight = sample_weight[..., 0]
            if sample_weight.size == math.prod(shape):
                sample_weight = sample_weight.reshape(shape)
            if "int" in self.dtype and sample_weight.dtype.kind == "f":
                warnings.warn(
                    f"Metric '{self.name}': sample weight is float, but dtype is int; casting drops the fractions. "
                    "Use integer weights, or pass dtype='float32' to the metric.",
                    stacklevel=4,
                )
            weights = np.broadcast_to(sample_weight, shape).reshape(-1)[valid].astype(self.dtype)
        pairs = y_true[valid] * self.num_classes + y_pred[valid]
        matrix = np.bincount(pairs, weights, self.num_classes**2).reshape(self.num_classes, self.num_classes)
        self.total_cm.mutable_array()[...] += matrix.astype(self.dtype)


class IoU(ConfusionMatrixMetric):
    """Mean over some classes of right predictions / (predictions + labels - right predictions).

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes to average.
        name: Name of the metric.
        dtype: Dtype of the counts.
        ignore_class: A class whose samples count nothing.
        sparse_y_true: Whether labels are integers; otherwise they are one-hot.
        sparse_y_pred: Whether predictions are integers; otherwise they are scores.
        axis: The axis of one-hot classes and scores.

    Raises:
        ValueError: If a target class is out of range.

    Example:

    >>> metric = keras.metrics.IoU(num_classes=2, target_class_ids=[0])
    >>> float(metric([0, 0, 1, 1], [0, 1, 0, 1]))
    0.33333334
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        for target in target_class_ids:
            if target >= num_classes:
                raise ValueError(f"Target class id {target} is out of range, which is [0, {num_classes}).")
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        self.target_class_ids = list(target_class_ids)

    def result(self) -> Tensor:
        matrix = self.total_cm.array.astype(config.floatx())
        right = np.diagonal(matrix)
        union = (matrix.sum(axis=0) + matrix.sum(axis=1) - right)[self.target_class_ids]
        iou = right[self.target_class_ids] / (union + config.epsilon())
        return Tensor(as_array(ratio(iou.sum(), (union != 0).sum()), config.floatx()))

    def get_config(self) -> dict[str, Any]:
        own = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return super().get_config() | {name: getattr(self, name) for name in own}


class BinaryIoU(IoU):
    """IoU of two classes, predicted by probabilities of class 1.

    Args:
        target_class_ids: The classes to average, of 0 and 1.
        threshold: From it on, a prediction is class 1.
        name: Name of the metric.
        dtype: Dtype of the counts.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch of labels 0 and 1 and probabilities."""
        y_pred = as_array(y_pred)
        if self.threshold is not None:
            y_pred = y_pred >= self.threshold
        super().update_state(y_true, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {"target_class_ids": self.target_class_ids, "threshold": self.threshold}
        return Metric.get_config(self) | own


class MeanIoU(IoU):
    """IoU averaged over all classes. Arguments as in `IoU`."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        targets = range(num_classes)
        super().__init__(num_classes, targets, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return without(super().get_config(), "target_class_ids")


class OneHotIoU(IoU):
    """IoU of one-hot labels and scores. Arguments as in `IoU`."""

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return without(super().get_config(), "sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """IoU of one-hot labels and scores, averaged over all classes. Arguments as in `IoU`."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return without(super().get_config(), "sparse_y_true")


def without(config: dict[str, Any], name: str) -> dict[str, Any]:
    """A config less one entry."""
    return {key: value for key, value in config.items() if key != name}
