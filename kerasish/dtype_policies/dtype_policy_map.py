"""A dictionary of dtype policies by layer path."""

from collections.abc import Iterator, MutableMapping
from typing import Any

from kerasish.dtype_policies.dtype_policy import DTypePolicy
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Gives each layer of a model its own dtype policy, by the layer's path.

    Args:
        default_policy: The policy of layers that are not in the map: a `DTypePolicy`, a string, or `None` for the
            global policy.
        policy_map: Dictionary from paths to policies.

    Raises:
        TypeError: If `policy_map` is not a dictionary.

    Example:

    ```python
    policies = keras.dtype_policies.DTypePolicyMap("float32", {"head/dense": "float64"})
    policies["head/dense"]  # <DTypePolicy "float64">
    ```
    """

    def __init__(self, default_policy: Any = None, policy_map: dict[str, Any] | None = None):
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                f"If specified, `policy_map` must be a dict. Received: policy_map={policy_map} of type "
                f"{type(policy_map)}"
            )
        self._given_default = default_policy
        self._default_policy = _get(default_policy)
        self._policy_map: dict[str, DTypePolicy] = {}
        for path, policy in (policy_map or {}).items():
            self[path] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that are not in the map."""
        return self._default_policy

    @property
    def name(self) -> str:
        """`"map_"` and the name of the default policy."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        """The compute dtype of the default policy."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The variable dtype of the default policy."""
        return self.default_policy.variable_dtype

    def __getitem__(self, path: str) -> DTypePolicy:
        return self._policy_map.get(path, self.default_policy)

    def __setitem__(self, path: str, policy: Any) -> None:
        if path in self._policy_map:
            raise ValueError(
                f"{path} already exist in the DTypePolicyMap with value {self._policy_map[path]}. "
                "Please make sure to not use duplicated keys."
            )
        try:
            self._policy_map[path] = _get(policy)
        except (TypeError, ValueError):
            raise ValueError(
                "Cannot interpret the assigned value by `keras.dtype_policies.get`. "
                f"Received: {policy} of type {type(policy)}"
            ) from None

    def __delitem__(self, path: str) -> None:
        del self._policy_map[path]

    def __contains__(self, path: object) -> bool:
        return path in self._policy_map

    def __iter__(self) -> Iterator[str]:
        return iter(self._policy_map)

    def __len__(self) -> int:
        return len(self._policy_map)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, serialized."""
        default = None if self._given_default is None else serialize_keras_object(self._default_policy)
        return {"default_policy": default, "policy_map": serialize_keras_object(self._policy_map)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "DTypePolicyMap":
        """Creates a map from what `get_config()` returned."""
        return cls(**deserialize_keras_object(dict(config), custom_objects=custom_objects))

    def __eq__(self, other: Any) -> bool:
        return (
            type(self) is type(other)
            and self.default_policy == other.default_policy
            and self._policy_map == other._policy_map
        )

    __hash__ = None

    def __repr__(self) -> str:
        mapping = [(path, policy.name) for path, policy in self._policy_map.items()]
        return f"<DTypePolicyMap at {id(self):#x} default_policy={self.default_policy.name}, mapping={mapping}>"


def _get(policy: Any) -> DTypePolicy:
    from kerasish.dtype_policies import get

    return get(policy)
