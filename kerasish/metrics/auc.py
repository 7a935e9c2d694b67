"""AUC: the area under a curve of rates."""

from typing import Any

import numpy as np

from kerasish import config, ops
from kerasish.core import budget
from kerasish.core.tensor import Tensor, as_array
from kerasish.core.whole import whole
from kerasish.metrics.arrays import ratio
from kerasish.metrics.confusion import Counts, count, evenly_spaced
from kerasish.metrics.metric import Metric

CURVES = ("PR", "ROC", "PRGAIN")
HEIGHTS = {
    "interpolation": lambda y: (y[:-1] + y[1:]) / 2,
    "minoring": lambda y: np.minimum(y[:-1], y[1:]),
    "majoring": lambda y: np.maximum(y[:-1], y[1:]),
}


class AUC(Metric):
    """Area under the ROC or precision-recall curve, by sums over thresholds.

    Args:
        num_thresholds: Number of thresholds, spread evenly over [0, 1].
        curve: `"ROC"`, `"PR"` or `"PRGAIN"`.
        summation_method: `"interpolation"`, `"minoring"` (never too large) or `"majoring"` (never too small).
        name: Name of the metric.
        dtype: Dtype of state and result.
        thresholds: Thresholds of your own, 0 and 1 left out.
        multi_label: Whether each label has a curve, whose areas are averaged.
        num_labels: Number of labels, with `multi_label`; found from the data if `None`.
        label_weights: Weight of each label.
        from_logits: Whether predictions are logits, which a sigmoid turns into probabilities.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> metric = keras.metrics.AUC(num_thresholds=3)
    >>> float(metric([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ):
        if curve not in CURVES:
            raise ValueError(f'Invalid AUC curve value: "{curve}". Expected values are {list(CURVES)}')
        if summation_method not in HEIGHTS:
            raise ValueError(
                f'Invalid AUC summation method value: "{summation_method}". Expected values are {list(HEIGHTS)}'
            )
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        super().__init__(name=name, dtype=dtype)
        self._init_from_thresholds = thresholds is not None
        inner = self._inner_thresholds(num_thresholds, thresholds)
        self.num_thresholds = len(inner) + 2
        self._even = evenly_spaced([0.0, *inner, 1.0])
        self._thresholds = np.array([-config.epsilon(), *inner, 1.0 + config.epsilon()])
        self.curve, self.summation_method = curve, summation_method
        self.multi_label, self.num_labels = multi_label, num_labels  # the number that was given, as configs have it
        self.label_weights = None if label_weights is None else Tensor(as_array(label_weights, self.dtype))
        self._from_logits = from_logits
        self._built = False
        if not multi_label or num_labels:
            self._build((None, num_labels) if multi_label else None)

    @staticmethod
    def _inner_thresholds(num_thresholds: int, thresholds: Any) -> list[float]:
        if thresholds is not None:
            return sorted(float(t) for t in thresholds)
        if num_thresholds <= 1:
            raise ValueError(
                f"Argument `num_thresholds` must be an integer > 1. Received: num_thresholds={num_thresholds}"
            )
        budget.charge("thresholds", (num_thresholds,), 64)
        return [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]

    @property
    def thresholds(self) -> list[float]:
        """The thresholds, the outer ones a little outside of [0, 1]."""
        return list(self._thresholds)

    @whole
    def _build(self, shape: tuple | None) -> None:
        """Adds the counts, by label if `multi_label`."""
        if self.multi_label:
            if len(shape) != 2:
                raise ValueError(
                    f"`y_pred` must have rank 2 when `multi_label=True`. Found rank {len(shape)}. "
                    f"Full shape received for `y_pred`: {shape}"
                )
            state = (self.num_thresholds, shape[1])
        else:
            state = (self.num_thresholds,)
        for which in Counts._fields:
            setattr(self, which, self.add_variable(state, None, name=which))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: Labels 0 and 1.
            y_pred: Predictions in [0, 1], or logits.
            sample_weight: Weights that broadcast to the labels.
        """
        y_pred = as_array(y_pred)
        if not self._built:
            self._build(y_pred.shape)
        if self._from_logits:
            y_pred = as_array(ops.sigmoid(Tensor(y_pred)))
        batch = count(
            y_true,
            y_pred,
            self._thresholds,
            self.true_positives.dtype,
            sample_weight,
            by_label=self.multi_label,
            label_weights=self.label_weights,
            even=self._even,
        )
        for which, values in zip(Counts._fields, batch):
            getattr(self, which).mutable_array()[...] += values

    def result(self) -> Tensor:
        counts = Counts(*(getattr(self, which).array for which in Counts._fields))
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = pr_area(counts)
        else:
            x, y = self._curve(counts)
            areas = (x[:-1] - x[1:]) * HEIGHTS[self.summation_method](y)
        area = areas.sum(axis=0)
        if self.multi_label and self.label_weights is None:
            area = area.mean()
        elif self.multi_label:
            weights = self.label_weights.value
            area = ratio((area * weights).sum(), weights.sum())
        return Tensor(as_array(area, self.true_positives.dtype))

    def interpolate_pr_auc(self) -> Tensor:
        """The area under the precision-recall curve (see `pr_area`), whatever `curve` is."""
        counts = Counts(*(getattr(self, which).array for which in Counts._fields))
        return Tensor(as_array(pr_area(counts).sum(axis=0), self.true_positives.dtype))

    def _curve(self, counts: Counts) -> tuple[Any, Any]:
        tp, fp, tn, fn = counts
        recall = ratio(tp, tp + fn)
        if self.curve == "ROC":
            return ratio(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, ratio(tp, tp + fp)
        # Gains (Flach and Kull, 2015): no better than chance is 0; without a true positive they are undefined.
        odds, none = ratio(tp + fn, fp + tn), tp == 0
        recall_gain = np.where(none, 0, 1 - odds * ratio(fn, tp))
        return np.maximum(recall_gain, 0), np.where(none, 1, 1 - odds * ratio(fp, tp))

    def get_config(self) -> dict[str, Any]:
        own = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self._from_logits,
        }
        if self._init_from_thresholds:
            own["thresholds"] = self.thresholds[1:-1]
        return super().get_config() | own


def pr_area(counts: Counts) -> Any:
    """The area between neighbouring thresholds under the precision-recall curve.

    True positives are interpolated between thresholds, not precision (Davis and Goadrich, 2006).
    """
    tp, fp, _, fn = counts
    positive = tp + fp
    gained, steps = tp[:-1] - tp[1:], positive[:-1] - positive[1:]
    slope = ratio(gained, np.maximum(steps, 0))
    intercept = tp[1:] - slope * positive[1:]
    both = (positive[:-1] > 0) & (positive[1:] > 0)
    growth = np.where(both, ratio(positive[:-1], np.maximum(positive[1:], 0)), np.ones_like(slope))
    return ratio(slope * (gained + intercept * np.log(growth)), np.maximum(tp[1:] + fn[1:], 0))
