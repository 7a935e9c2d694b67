"""Learning rate schedules."""

from typing import Any

from kerasish import names as _names
from kerasish.optimizers.schedules.learning_rate_schedule import CosineDecay as CosineDecay
from kerasish.optimizers.schedules.learning_rate_schedule import CosineDecayRestarts as CosineDecayRestarts
from kerasish.optimizers.schedules.learning_rate_schedule import ExponentialDecay as ExponentialDecay
from kerasish.optimizers.schedules.learning_rate_schedule import InverseTimeDecay as InverseTimeDecay
from kerasish.optimizers.schedules.learning_rate_schedule import LearningRateSchedule as LearningRateSchedule
from kerasish.optimizers.schedules.learning_rate_schedule import PiecewiseConstantDecay as PiecewiseConstantDecay
from kerasish.optimizers.schedules.learning_rate_schedule import PolynomialDecay as PolynomialDecay
from kerasish.saving import serialization as _serialization

_OBJECTS = {
    cls.__name__: cls
    for cls in (
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    )
}


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The dictionary from which `deserialize` makes an equal schedule."""
    return _serialization.serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> LearningRateSchedule:
    """A schedule from what `serialize` returned.

    Args:
        config: The dictionary.
        custom_objects: Schedules of your own by name.
    """
    return _serialization.deserialize_keras_object(config, module_objects=_OBJECTS, custom_objects=custom_objects)


_names.explain(__name__)
