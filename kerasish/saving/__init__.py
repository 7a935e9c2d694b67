"""Saving and loading: the registry of custom objects, configs, weights and whole models."""

from typing import TYPE_CHECKING

from kerasish import names as _names
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
    "load_model": "kerasish.saving.keras_file",
    "load_weights": "kerasish.saving.weights_h5",
    "save_model": "kerasish.saving.keras_file",
    "save_weights": "kerasish.saving.weights_h5",
}
if TYPE_CHECKING:  # for editors, what _HOMES says
    from kerasish.saving.keras_file import load_model as load_model
    from kerasish.saving.keras_file import save_model as save_model
    from kerasish.saving.weights_h5 import load_weights as load_weights
    from kerasish.saving.weights_h5 import save_weights as save_weights

_names.lazy(__name__, _HOMES)
