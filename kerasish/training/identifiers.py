"""Losses and metrics from what `compile()` takes for them: names, functions, classes, objects."""

from kerasish import losses, metrics
from kerasish.losses.loss import LossFunctionWrapper

_ACCURACY = ("accuracy", "acc")
_CROSSENTROPY = ("crossentropy", "ce")


def is_identifier(x) -> bool:
    """Whether x names or is one loss or metric."""
    return isinstance(x, str) or callable(x)


def problem_of(y_true, y_pred) -> str:
    """What kind of classification targets and predictions of these shapes are: "binary", "sparse" or "categorical"."""
    true_shape, pred_shape = y_true.shape, y_pred.shape
    if not pred_shape or pred_shape[-1] == 1:
        return "binary"
    if len(true_shape) < len(pred_shape) or true_shape[-1] == 1:
        return "sparse"
    return "categorical"


def loss_of(identifier, y_true, y_pred) -> losses.Loss | None:
    """The loss that an identifier means for such targets and predictions."""
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier.lower() in _CROSSENTROPY:
        found = _crossentropy_of(losses, y_true, y_pred)
    else:
        found = losses.get(identifier)
    if isinstance(found, losses.Loss):
        return found
    return LossFunctionWrapper(found, name=name_of(found))


def metric_of(identifier, y_true, y_pred) -> metrics.Metric:
    """The metric that an identifier means for such targets and predictions; a name stays its name."""
    if identifier is None:
        raise ValueError("Expected metric, received `None`.")
    name = identifier if isinstance(identifier, str) else None
    if name and name.lower() in _ACCURACY:
        return _accuracy_of(y_true, y_pred, name)
    if name and name.lower() in _CROSSENTROPY:
        return _crossentropy_of(metrics, y_true, y_pred, name=name)
    found = metrics.get(identifier)
    if not isinstance(found, metrics.Metric):
        found = metrics.MeanMetricWrapper(found, name=name_of(found))
    if name:
        found.name = name
    return found


def name_of(function) -> str:
    """The name that a loss or metric function has in the logs."""
    if isinstance(function, losses.Loss):
        return function.name
    name = getattr(function, "__name__", None) or type(function).__name__
    return "lambda" if name == "<lambda>" else name


def _accuracy_of(y_true, y_pred, name) -> metrics.Metric:
    kinds = {
        "binary": metrics.BinaryAccuracy,
        "sparse": metrics.SparseCategoricalAccuracy,
        "categorical": metrics.CategoricalAccuracy,
    }
    return kinds[problem_of(y_true, y_pred)](name=name)


def _crossentropy_of(family, y_true, y_pred, **kwargs):
    kinds = {
        "binary": family.BinaryCrossentropy,
        "sparse": family.SparseCategoricalCrossentropy,
        "categorical": family.CategoricalCrossentropy,
    }
    return kinds[problem_of(y_true, y_pred)](**kwargs)
