"""keras.constraints: what weights are held to while they are trained."""

from __future__ import annotations

from kerasish import names as _names
from kerasish import saving
from kerasish.constraints.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from kerasish.saving.identifiers import names_of, resolve

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
_NAMES = names_of(MaxNorm, MinMaxNorm, NonNeg, UnitNorm)


def serialize(constraint):
    """The config of a constraint, with its class.

    Args:
        constraint: A constraint, or a function that serves as one.
    """
    return saving.serialize_keras_object(constraint)


def deserialize(config, custom_objects=None):
    """A constraint from its config.

    Args:
        config: What `serialize` returned, or a name.
        custom_objects: Dictionary of one's own classes and functions by name.
    """
    return saving.deserialize_keras_object(config, module_objects=_NAMES, custom_objects=custom_objects)


def get(identifier):
    """The constraint that an argument of a layer stands for.

    Args:
        identifier: A name (`"max_norm"`), a config, a class, a constraint or function `f(w)`, or `None`.

    Returns:
        A callable, or `None` for `None`.

    Raises:
        ValueError: If it stands for no constraint.
    """
    return resolve(identifier, deserialize, "constraint")


__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

_names.explain(__name__)
