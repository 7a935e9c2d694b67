"""MonitorCallback: what the callbacks that watch one value have in common."""

import warnings

from kerasish import ops
from kerasish.callbacks.callback import Callback

_UP = frozenset(
    "Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy TopKCategoricalAccuracy "
    "SparseTopKCategoricalAccuracy AUC IoU Precision Recall SensitivityAtSpecificity SpecificityAtSensitivity "
    "PrecisionAtRecall RecallAtPrecision FBetaScore R2Score CosineSimilarity PearsonCorrelation "
    "ConcordanceCorrelation".split()
)
_DOWN = frozenset(
    "BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy CategoricalHinge Hinge SquaredHinge "
    "KLDivergence Poisson LogCoshError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError "
    "MeanSquaredLogarithmicError RootMeanSquaredError".split()
)
_COMPARISONS = {"min": ops.less, "max": ops.greater}
_DIRECTIONS = {"down": ops.less, "up": ops.greater}


class MonitorCallback(Callback):
    """Watches a value of the logs and knows when it got better.

    Args:
        monitor: Name of the value.
        mode: "min" (less is better), "max", or "auto": as the metric of that name says of itself.
        baseline: The best value so far; None if there is none.
        min_delta: Changes that are not greater than this are none.
    """

    def __init__(self, monitor="val_loss", mode="auto", baseline=None, min_delta=0):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op = None

    def _decide_direction(self) -> None:
        """Settles whether less or more is better.

        Raises:
            ValueError: If neither `mode` nor a metric says so.
        """
        self.monitor_op = _COMPARISONS.get(self.mode) or _DIRECTIONS.get(self._direction_of_metric())
        if self.monitor_op is None:
            raise ValueError(
                f"{type(self).__name__} callback received monitor={self.monitor}, but Keras isn't able to "
                "automatically determine whether that metric should be maximized or minimized. "
                "Pass `mode='max'` in order to monitor based on the highest metric value, "
                "or pass `mode='min'` in order to use the lowest value."
            )

    def _direction_of_metric(self):
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "down"
        for metric in getattr(self.model, "metrics", ()):
            for entry in getattr(metric, "entries", ()):
                if name in (entry.name, entry.metric.name):
                    return direction_of(entry.metric)
            if metric.name == name:
                return "down" if name.endswith("_loss") else direction_of(metric)
        return None

    def _is_improvement(self, value, reference) -> bool:
        """Whether `value` is better than `reference` by more than `min_delta`."""
        if reference is None:
            return True
        if self.monitor_op is None:
            self._decide_direction()
        delta = self.min_delta if self.monitor_op is ops.greater else -self.min_delta
        return bool(self.monitor_op(value - delta, reference))

    def _missing(self, what: str, logs, end: str = "") -> None:
        """Warns that the logs do not have the value."""
        warnings.warn(
            f"{what} conditioned on metric `{self.monitor}` which is not available. "
            f"Available metrics are: {','.join(logs)}{end}",
            stacklevel=4,
        )


def direction_of(metric) -> str | None:
    """Where a metric gets better, "up" or "down": as its `_direction` says, else by its class."""
    declared = getattr(metric, "_direction", None)
    kinds = {kind.__name__ for kind in type(metric).__mro__}
    return declared or ("up" if kinds & _UP else "down" if kinds & _DOWN else None)
