"""The best of one rate where another is held: sensitivity at specificity, precision at recall, and so on."""

from typing import Any

from kerasish.core import budget
from kerasish.core.tensor import Tensor, as_array
from kerasish.metrics.arrays import ratio
from kerasish.metrics.confusion import Counts, count
from kerasish.metrics.metric import Metric


def sensitivity(counts: Counts) -> Any:
    """Predicted positives among the positives; also called recall."""
    return ratio(counts.true_positives, counts.true_positives + counts.false_negatives)


def specificity(counts: Counts) -> Any:
    """Predicted negatives among the negatives."""
    return ratio(counts.true_negatives, counts.true_negatives + counts.false_positives)


def precision(counts: Counts) -> Any:
    """Positives among the predicted positives."""
    return ratio(counts.true_positives, counts.true_positives + counts.false_positives)


class OperatingPoint(Metric):
    """Base: over all thresholds where the `held` rate reaches a bound, the highest `wanted` rate."""

    argument = ""  # name of the bound

    def __init__(self, bound: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any):
        if bound < 0 or bound > 1:
            raise ValueError(
                f"Argument `{self.argument}` must be in the range [0, 1]. Received: {self.argument}={bound}"
            )
        if num_thresholds <= 0:
            raise ValueError(
                f"Argument `num_thresholds` must be an integer > 0. Received: num_thresholds={num_thresholds}"
            )
        budget.charge("thresholds", (num_thresholds,), 64)
        super().__init__(name=name, dtype=dtype)
        setattr(self, self.argument, bound)
        self.value = bound
        self.class_id = class_id
        self.num_thresholds = num_thresholds
        if num_thresholds == 1:
            self.thresholds = [0.5]
        else:
            self.thresholds = [i / (num_thresholds - 1) for i in range(num_thresholds)]
        for which in Counts._fields:
            setattr(self, which, self.add_variable((num_thresholds,), None, name=which))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels 0 and 1.
            y_pred: Predictions in [0, 1].
            sample_weight: Weights that broadcast to the labels.
        """
        even, dtype = self.num_thresholds > 1, self.true_positives.dtype
        batch = count(y_true, y_pred, self.thresholds, dtype, sample_weight, class_id=self.class_id, even=even)
        for which, values in zip(Counts._fields, batch):
            getattr(self, which).mutable_array()[...] += values

    def held(self, counts: Counts) -> Any:
        """The rate that must reach the bound, per threshold."""
        raise NotImplementedError

    def wanted(self, counts: Counts) -> Any:
        """The rate to be as high as possible, per threshold."""
        raise NotImplementedError

    def result(self) -> Tensor:
        counts = Counts(*(getattr(self, which).array for which in Counts._fields))
        possible = self.wanted(counts)[self.held(counts) >= self.value]
        return Tensor(as_array(possible.max() if possible.size else 0, self.true_positives.dtype))

    def get_config(self) -> dict[str, Any]:
        own = {"class_id": self.class_id, "num_thresholds": self.num_thresholds, self.argument: self.value}
        return super().get_config() | own


class SensitivityAtSpecificity(OperatingPoint):
    """Highest sensitivity at a specificity of at least so much.

    Args:
        specificity: Least specificity, in [0, 1].
        num_thresholds: How many thresholds to try.
        class_id: If set, the only class that counts.
        name: Name of the metric.
        dtype: Dtype of state and result.
    """

    argument = "specificity"
    held, wanted = staticmethod(specificity), staticmethod(sensitivity)

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(OperatingPoint):
    """Highest specificity at a sensitivity of at least so much. Arguments as in `SensitivityAtSpecificity`."""

    argument = "sensitivity"
    held, wanted = staticmethod(sensitivity), staticmethod(specificity)

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(OperatingPoint):
    """Highest precision at a recall of at least so much. Arguments as in `SensitivityAtSpecificity`."""

    argument = "recall"
    held, wanted = staticmethod(sensitivity), staticmethod(precision)

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(OperatingPoint):
    """Highest recall at a precision of at least so much. Arguments as in `SensitivityAtSpecificity`."""

    argument = "precision"
    held, wanted = staticmethod(precision), staticmethod(sensitivity)

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
