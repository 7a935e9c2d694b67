"""Dtype policies: `get`, `serialize`, `deserialize` and the classes."""

from typing import Any

from kerasish import names as _names
from kerasish.dtype_policies.dtype_policy import QUANTIZED as _QUANTIZED
from kerasish.dtype_policies.dtype_policy import AWQDTypePolicy as AWQDTypePolicy
from kerasish.dtype_policies.dtype_policy import DTypePolicy as DTypePolicy
from kerasish.dtype_policies.dtype_policy import FloatDTypePolicy as FloatDTypePolicy
from kerasish.dtype_policies.dtype_policy import GPTQDTypePolicy as GPTQDTypePolicy
from kerasish.dtype_policies.dtype_policy import Int4DTypePolicy as Int4DTypePolicy
from kerasish.dtype_policies.dtype_policy import QuantizedDTypePolicy as QuantizedDTypePolicy
from kerasish.dtype_policies.dtype_policy import QuantizedFloat8DTypePolicy as QuantizedFloat8DTypePolicy
from kerasish.dtype_policies.dtype_policy import require_supported as require_supported
from kerasish.dtype_policies.dtype_policy_map import DTypePolicyMap as DTypePolicyMap
from kerasish.saving import serialization as _serialization


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Returns the config of a policy."""
    return _serialization.serialize_keras_object(dtype_policy)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """Creates a policy from what `serialize` returned.

    Args:
        config: The policy's config.
        custom_objects: Dictionary of custom classes by name.

    Returns:
        A `DTypePolicy`.
    """
    objects = {cls.__name__: cls for cls in (DTypePolicy, FloatDTypePolicy, DTypePolicyMap, *_QUANTIZED.values())}
    return _serialization.deserialize_keras_object(config, module_objects=objects, custom_objects=custom_objects)


def get(identifier: Any) -> DTypePolicy:
    """The policy that `identifier` stands for.

    Args:
        identifier: A policy, a name such as `"float32"` or `"mixed_float16"`, a dtype, a config dictionary, or `None`
            for the global policy.

    Returns:
        A `DTypePolicy`.

    Raises:
        ValueError: If there is no such policy.
        NotImplementedError: If the policy quantizes.
    """
    from kerasish.core import dtypes

    if isinstance(identifier, DTypePolicy):
        return identifier
    if identifier is None:
        from kerasish.config import dtype_policy

        return dtype_policy()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        mode = identifier.split("_from_")[0].split("/")[0]
        if mode in _QUANTIZED and "_from_" in identifier:
            return _QUANTIZED[mode](identifier.split("_from_")[0], identifier.split("_from_")[1])
        return DTypePolicy(identifier)
    try:
        return DTypePolicy(dtypes.standardize_dtype(identifier))
    except (TypeError, ValueError):
        raise ValueError(
            "Cannot interpret `dtype` argument. Expected a string or an instance of DTypePolicy. "
            f"Received: dtype={identifier}"
        ) from None


_names.explain(__name__)
