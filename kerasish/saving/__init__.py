"""Saving and loading: the registry of custom objects, configs, weights and whole models."""

import importlib

from kerasish.saving.registration import CustomObjectScope as CustomObjectScope
from kerasish.saving.registration import custom_object_scope as custom_object_scope
from kerasish.saving.registration import get_custom_objects as get_custom_objects
from kerasish.saving.registration import get_registered_name as get_registered_name
from kerasish.saving.registration import get_registered_object as get_registered_object
from kerasish.saving.registration import register_keras_serializable as register_keras_serializable
from kerasish.saving.serialization import deserialize_keras_object as deserialize_keras_object
from kerasish.saving.serialization import serialize_keras_object as serialize_keras_object

# What touches files is imported when it is first used, so that `import kerasish` stays quick.
_HOMES = {
    "load_model": "keras_file",
    "load_weights": "weights_h5",
    "save_model": "keras_file",
    "save_weights": "weights_h5",
}


def __getattr__(name: str):
    if name in _HOMES:
        value = getattr(importlib.import_module(f"kerasish.saving.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'kerasish.saving' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOMES))
