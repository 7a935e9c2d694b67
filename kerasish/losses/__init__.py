"""Losses: what training makes small."""

from collections.abc import Callable
from typing import Any

from kerasish import names as _names
from kerasish.losses.crossentropy import BinaryCrossentropy as BinaryCrossentropy
from kerasish.losses.crossentropy import BinaryFocalCrossentropy as BinaryFocalCrossentropy
from kerasish.losses.crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from kerasish.losses.crossentropy import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy
from kerasish.losses.crossentropy import CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy
from kerasish.losses.crossentropy import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from kerasish.losses.crossentropy import binary_crossentropy as binary_crossentropy
from kerasish.losses.crossentropy import binary_focal_crossentropy as binary_focal_crossentropy
from kerasish.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from kerasish.losses.crossentropy import categorical_focal_crossentropy as categorical_focal_crossentropy
from kerasish.losses.crossentropy import categorical_generalized_cross_entropy as categorical_generalized_cross_entropy
from kerasish.losses.crossentropy import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from kerasish.losses.hinge import CategoricalHinge as CategoricalHinge
from kerasish.losses.hinge import Hinge as Hinge
from kerasish.losses.hinge import SquaredHinge as SquaredHinge
from kerasish.losses.hinge import categorical_hinge as categorical_hinge
from kerasish.losses.hinge import hinge as hinge
from kerasish.losses.hinge import squared_hinge as squared_hinge
from kerasish.losses.loss import Loss as Loss
from kerasish.losses.overlap import CTC as CTC
from kerasish.losses.overlap import Circle as Circle
from kerasish.losses.overlap import Dice as Dice
from kerasish.losses.overlap import Tversky as Tversky
from kerasish.losses.overlap import circle as circle
from kerasish.losses.overlap import ctc as ctc
from kerasish.losses.overlap import dice as dice
from kerasish.losses.overlap import tversky as tversky
from kerasish.losses.regression import CosineSimilarity as CosineSimilarity
from kerasish.losses.regression import Huber as Huber
from kerasish.losses.regression import KLDivergence as KLDivergence
from kerasish.losses.regression import LogCosh as LogCosh
from kerasish.losses.regression import MeanAbsoluteError as MeanAbsoluteError
from kerasish.losses.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from kerasish.losses.regression import MeanSquaredError as MeanSquaredError
from kerasish.losses.regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from kerasish.losses.regression import Poisson as Poisson
from kerasish.losses.regression import cosine_similarity as cosine_similarity
from kerasish.losses.regression import huber as huber
from kerasish.losses.regression import kl_divergence as kl_divergence
from kerasish.losses.regression import log_cosh as log_cosh
from kerasish.losses.regression import mean_absolute_error as mean_absolute_error
from kerasish.losses.regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from kerasish.losses.regression import mean_squared_error as mean_squared_error
from kerasish.losses.regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from kerasish.losses.regression import poisson as poisson
from kerasish.saving import serialization as _serialization
from kerasish.saving.identifiers import interpreted as _interpreted

_CLASSES = (
    Loss,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    CTC,
    Circle,
    Dice,
    Tversky,
    CosineSimilarity,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
)
_FUNCTIONS = (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
    categorical_hinge,
    hinge,
    squared_hinge,
    ctc,
    circle,
    dice,
    tversky,
    cosine_similarity,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)

_SHORT = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}
_OBJECTS: dict[str, Any] = {
    **{loss.__name__: loss for loss in (*_CLASSES, *_FUNCTIONS)},
    **_SHORT,
    **{name.upper(): function for name, function in _SHORT.items()},
}


def serialize(loss: Any) -> Any:
    """The dictionary (or, for a function, what names it) from which `deserialize` makes an equal loss."""
    return _serialization.serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """A loss from its name or from what `serialize` returned.

    Args:
        name: Name or dictionary.
        custom_objects: Losses of your own by name.
    """
    return _serialization.deserialize_keras_object(name, module_objects=_OBJECTS, custom_objects=custom_objects)


def get(identifier: Any) -> Loss | Callable | None:
    """A loss from its name, its dictionary, or a callable (which is returned as it is).

    Args:
        identifier: `None`, a name such as `"mse"`, a dictionary, a loss class, or a callable.

    Returns:
        The loss, a callable of `(y_true, y_pred)`.

    Raises:
        ValueError: If it cannot be understood.
    """
    if identifier is None:
        return None
    found = _interpreted(identifier, deserialize, "loss") if isinstance(identifier, (dict, str)) else identifier
    if callable(found):
        return found() if isinstance(found, type) else found
    raise ValueError(f"Could not interpret loss identifier: {identifier}")


_names.explain(__name__)
