"""Saving and loading: the registry of custom objects, configs, weights and whole models."""

from kerasish.saving.registration import CustomObjectScope as CustomObjectScope
from kerasish.saving.registration import custom_object_scope as custom_object_scope
from kerasish.saving.registration import get_custom_objects as get_custom_objects
from kerasish.saving.registration import get_registered_name as get_registered_name
from kerasish.saving.registration import get_registered_object as get_registered_object
from kerasish.saving.registration import register_keras_serializable as register_keras_serializable
from kerasish.saving.serialization import deserialize_keras_object as deserialize_keras_object
from kerasish.saving.serialization import serialize_keras_object as serialize_keras_object
