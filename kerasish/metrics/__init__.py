"""Metrics: what is measured while training and evaluating."""

from collections.abc import Callable
from typing import Any

from kerasish import names as _names
from kerasish.core.scopes import snake_case
from kerasish.losses.crossentropy import binary_crossentropy as binary_crossentropy
from kerasish.losses.crossentropy import binary_focal_crossentropy as binary_focal_crossentropy
from kerasish.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from kerasish.losses.crossentropy import categorical_focal_crossentropy as categorical_focal_crossentropy
from kerasish.losses.crossentropy import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from kerasish.losses.hinge import categorical_hinge as categorical_hinge
from kerasish.losses.hinge import hinge as hinge
from kerasish.losses.hinge import squared_hinge as squared_hinge
from kerasish.losses.regression import huber as huber
from kerasish.losses.regression import kl_divergence as kl_divergence
from kerasish.losses.regression import log_cosh as log_cosh
from kerasish.losses.regression import mean_absolute_error as mean_absolute_error
from kerasish.losses.regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from kerasish.losses.regression import mean_squared_error as mean_squared_error
from kerasish.losses.regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from kerasish.losses.regression import poisson as poisson
from kerasish.metrics.accuracy import Accuracy as Accuracy
from kerasish.metrics.accuracy import BinaryAccuracy as BinaryAccuracy
from kerasish.metrics.accuracy import CategoricalAccuracy as CategoricalAccuracy
from kerasish.metrics.accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from kerasish.metrics.accuracy import SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy
from kerasish.metrics.accuracy import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from kerasish.metrics.accuracy import binary_accuracy as binary_accuracy
from kerasish.metrics.accuracy import categorical_accuracy as categorical_accuracy
from kerasish.metrics.accuracy import sparse_categorical_accuracy as sparse_categorical_accuracy
from kerasish.metrics.accuracy import sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy
from kerasish.metrics.accuracy import top_k_categorical_accuracy as top_k_categorical_accuracy
from kerasish.metrics.auc import AUC as AUC
from kerasish.metrics.iou import BinaryIoU as BinaryIoU
from kerasish.metrics.iou import IoU as IoU
from kerasish.metrics.iou import MeanIoU as MeanIoU
from kerasish.metrics.iou import OneHotIoU as OneHotIoU
from kerasish.metrics.iou import OneHotMeanIoU as OneHotMeanIoU
from kerasish.metrics.metric import Metric as Metric
from kerasish.metrics.operating_point import PrecisionAtRecall as PrecisionAtRecall
from kerasish.metrics.operating_point import RecallAtPrecision as RecallAtPrecision
from kerasish.metrics.operating_point import SensitivityAtSpecificity as SensitivityAtSpecificity
from kerasish.metrics.operating_point import SpecificityAtSensitivity as SpecificityAtSensitivity
from kerasish.metrics.precision import FalseNegatives as FalseNegatives
from kerasish.metrics.precision import FalsePositives as FalsePositives
from kerasish.metrics.precision import Precision as Precision
from kerasish.metrics.precision import Recall as Recall
from kerasish.metrics.precision import TrueNegatives as TrueNegatives
from kerasish.metrics.precision import TruePositives as TruePositives
from kerasish.metrics.probabilistic import BinaryCrossentropy as BinaryCrossentropy
from kerasish.metrics.probabilistic import CategoricalCrossentropy as CategoricalCrossentropy
from kerasish.metrics.probabilistic import CategoricalHinge as CategoricalHinge
from kerasish.metrics.probabilistic import Hinge as Hinge
from kerasish.metrics.probabilistic import KLDivergence as KLDivergence
from kerasish.metrics.probabilistic import Poisson as Poisson
from kerasish.metrics.probabilistic import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from kerasish.metrics.probabilistic import SquaredHinge as SquaredHinge
from kerasish.metrics.reduction import Mean as Mean
from kerasish.metrics.reduction import MeanMetricWrapper as MeanMetricWrapper
from kerasish.metrics.reduction import Sum as Sum
from kerasish.metrics.regression import ConcordanceCorrelation as ConcordanceCorrelation
from kerasish.metrics.regression import CosineSimilarity as CosineSimilarity
from kerasish.metrics.regression import LogCoshError as LogCoshError
from kerasish.metrics.regression import MeanAbsoluteError as MeanAbsoluteError
from kerasish.metrics.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from kerasish.metrics.regression import MeanSquaredError as MeanSquaredError
from kerasish.metrics.regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from kerasish.metrics.regression import PearsonCorrelation as PearsonCorrelation
from kerasish.metrics.regression import RootMeanSquaredError as RootMeanSquaredError
from kerasish.metrics.regression import concordance_correlation as concordance_correlation
from kerasish.metrics.regression import pearson_correlation as pearson_correlation
from kerasish.metrics.scores import F1Score as F1Score
from kerasish.metrics.scores import FBetaScore as FBetaScore
from kerasish.metrics.scores import R2Score as R2Score
from kerasish.saving import serialization as _serialization
from kerasish.saving.identifiers import interpreted as _interpreted

_CLASSES = (
    AUC,
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    BinaryIoU,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    ConcordanceCorrelation,
    CosineSimilarity,
    F1Score,
    FBetaScore,
    FalseNegatives,
    FalsePositives,
    Hinge,
    IoU,
    KLDivergence,
    LogCoshError,
    Mean,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanIoU,
    MeanMetricWrapper,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Metric,
    OneHotIoU,
    OneHotMeanIoU,
    PearsonCorrelation,
    Poisson,
    Precision,
    PrecisionAtRecall,
    R2Score,
    Recall,
    RecallAtPrecision,
    RootMeanSquaredError,
    SensitivityAtSpecificity,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SpecificityAtSensitivity,
    SquaredHinge,
    Sum,
    TopKCategoricalAccuracy,
    TrueNegatives,
    TruePositives,
)

_SHORT = {
    "bce": BinaryCrossentropy,
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
}
_OBJECTS: dict[str, Any] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{snake_case(cls.__name__): cls for cls in _CLASSES},
    **_SHORT,
    **{name.upper(): cls for name, cls in _SHORT.items()},
}


def serialize(metric: Any) -> Any:
    """The dictionary (or, for a function, what names it) from which `deserialize` makes an equal metric."""
    return _serialization.serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """A metric from its name or from what `serialize` returned.

    Args:
        config: Name or dictionary.
        custom_objects: Metrics of your own by name.
    """
    return _serialization.deserialize_keras_object(config, module_objects=_OBJECTS, custom_objects=custom_objects)


def get(identifier: Any) -> Metric | Callable | None:
    """A metric from its name, its dictionary, or a callable (which is returned as it is).

    Args:
        identifier: `None`, a name such as `"accuracy"`, a dictionary, a metric class, or a callable.

    Returns:
        The metric.

    Raises:
        ValueError: If it cannot be understood.
    """
    if identifier is None:
        return None
    found = _interpreted(identifier, deserialize, "metric") if isinstance(identifier, (dict, str)) else identifier
    if isinstance(found, type):
        return found()
    if callable(found):
        return found
    raise ValueError(f"Could not interpret metric identifier: {identifier}")


_names.explain(__name__)
