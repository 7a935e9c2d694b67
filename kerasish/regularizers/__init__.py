"""keras.regularizers: penalties that keep weights small, sparse or orthogonal."""

from __future__ import annotations

from kerasish import names as _names
from kerasish import saving
from kerasish.regularizers.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer
from kerasish.saving.identifiers import names_of, resolve

l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
_NAMES = names_of(L1, L1L2, L2, OrthogonalRegularizer)


def serialize(regularizer):
    """The config of a regularizer, with its class.

    Args:
        regularizer: A regularizer, or a function that serves as one.
    """
    return saving.serialize_keras_object(regularizer)


def deserialize(config, custom_objects=None):
    """A regularizer from its config.

    Args:
        config: What `serialize` returned, or a name.
        custom_objects: Dictionary of one's own classes and functions by name.
    """
    return saving.deserialize_keras_object(config, module_objects=_NAMES, custom_objects=custom_objects)


def get(identifier):
    """The regularizer that an argument of a layer stands for.

    Args:
        identifier: A name (`"l2"`), a config, a class, a regularizer or function `f(x)`, or `None`.

    Returns:
        A callable, or `None` for `None`.

    Raises:
        ValueError: If it stands for no regularizer.
    """
    return resolve(identifier, deserialize, "regularizer")


__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]

_names.explain(__name__)
