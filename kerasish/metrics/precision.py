"""Precision, recall, and the counts that they are made of."""

from typing import Any

from kerasish.core.tensor import Tensor
from kerasish.metrics.arrays import ratio
from kerasish.metrics.confusion import NEVER_POSITIVE, count, evenly_spaced, parse_thresholds
from kerasish.metrics.metric import Metric


class ConditionCount(Metric):
    """Base of the four counts; a subclass names which."""

    which = ""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = parse_thresholds(thresholds)
        self._even = evenly_spaced(self.thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), None, name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels.
            y_pred: Predictions.
            sample_weight: Weights that broadcast to the labels.
        """
        counts = count(y_true, y_pred, self.thresholds, self.accumulator.dtype, sample_weight, even=self._even)
        self.accumulator.mutable_array()[...] += getattr(counts, self.which)

    def result(self) -> Tensor:
        return one_or_all(self.accumulator.array.copy())

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"thresholds": self.init_thresholds}


class TruePositives(ConditionCount):
    """Counts positives that are predicted.

    Args:
        thresholds: Above it, a prediction is positive; a list gives a result for each. 0.5 by default.
        name: Name of the metric.
        dtype: Dtype of state and result.
    """

    which = "true_positives"


class TrueNegatives(ConditionCount):
    """Counts negatives that are predicted. Arguments as in `TruePositives`."""

    which = "true_negatives"


class FalsePositives(ConditionCount):
    """Counts negatives that are predicted positive. Arguments as in `TruePositives`."""

    which = "false_positives"


class FalseNegatives(ConditionCount):
    """Counts positives that are predicted negative. Arguments as in `TruePositives`."""

    which = "false_negatives"


class PrecisionOrRecall(Metric):
    """Base of Precision and Recall: true positives over these and another count."""

    other = ""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self.thresholds = parse_thresholds(thresholds, default=0.5 if top_k is None else NEVER_POSITIVE)
        self._even = evenly_spaced(self.thresholds)
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, None, name="true_positives")
        setattr(self, self.other, self.add_variable(shape, None, name=self.other))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: Labels.
            y_pred: Predictions.
            sample_weight: Weights that broadcast to the labels.
        """
        which = (self.top_k, self.class_id)
        dtype = self.true_positives.dtype
        counts = count(y_true, y_pred, self.thresholds, dtype, sample_weight, *which, even=self._even)
        for name in ("true_positives", self.other):
            getattr(self, name).mutable_array()[...] += getattr(counts, name)

    def result(self) -> Tensor:
        right = self.true_positives.array
        return one_or_all(ratio(right, right + getattr(self, self.other).array))

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return super().get_config() | own


class Precision(PrecisionOrRecall):
    """How many of the predicted positives are positive.

    Args:
        thresholds: Above it, a prediction is positive; a list gives a result for each. 0.5 by default.
        top_k: If set, the `top_k` highest predictions of a sample are the positive ones.
        class_id: If set, the only class that counts.
        name: Name of the metric.
        dtype: Dtype of state and result.

    Example:

    >>> metric = keras.metrics.Precision()
    >>> float(metric([0, 1, 1, 1], [1, 0, 1, 1]))
    0.6666667
    """

    other = "false_positives"


class Recall(PrecisionOrRecall):
    """How many of the positives are predicted. Arguments as in `Precision`."""

    other = "false_negatives"


def one_or_all(values: Any) -> Tensor:
    """A scalar for a single threshold."""
    return Tensor(values.reshape(()) if len(values) == 1 else values)
