"""MultiOptimizer: an optimizer for each part of a model."""

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

from kerasish.core.variable import Variable
from kerasish.optimizers.optimizer import Optimizer


class OptimizerMap(MutableMapping):
    """Optimizers by regular expressions over the paths of variables.

    Args:
        default_optimizer: Takes the variables that no expression matches.
        optimizer_map: Dictionary `{expression: optimizer}`.

    Raises:
        TypeError: If something is not an optimizer.

    Example:

    ```python
    choice = keras.optimizers.OptimizerMap(keras.optimizers.SGD())
    choice["encoder/.*"] = keras.optimizers.Adam()
    ```
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"default_optimizer must be a Keras Optimizer instance. Received: {default_optimizer}")
        self.default_optimizer = default_optimizer
        self._map: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    def __getitem__(self, path: str) -> Optimizer:
        if path in self._map:
            return self._map[path]
        return next((found for key, found in self._map.items() if re.search(key, path)), self.default_optimizer)

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"The value for '{key}' must be a Keras Optimizer instance. Received: {optimizer}")
        self._map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._map[key]

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def get_config(self) -> dict[str, Any]:
        from kerasish.saving.serialization import serialize_keras_object

        return {
            "default_optimizer": serialize_keras_object(self.default_optimizer),
            "optimizer_map": {key: serialize_keras_object(optimizer) for key, optimizer in self._map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "OptimizerMap":
        from kerasish.saving.serialization import deserialize_keras_object

        chosen = {key: deserialize_keras_object(value) for key, value in config["optimizer_map"].items()}
        return cls(deserialize_keras_object(config["default_optimizer"]), chosen)


class MultiOptimizer(Optimizer):
    """Hands each variable to its own optimizer.

    It has no learning rate: the optimizers in `optimizers` have.

    Args:
        optimizer_map: An `OptimizerMap`, or a function that takes a variable and returns an optimizer.
        loss_scale_factor: Factor of the loss, which is divided out of the gradients again.
        name: Name of the optimizer.

    Example:

    ```python
    choice = keras.optimizers.OptimizerMap(keras.optimizers.SGD(), {"encoder/.*": keras.optimizers.Adam()})
    model.compile(optimizer=keras.optimizers.MultiOptimizer(choice), loss="mse")
    ```
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ):
        if not isinstance(optimizer_map, OptimizerMap) and not callable(optimizer_map):
            raise TypeError(
                "`optimizer_map` must be an OptimizerMap or a callable that takes a variable and returns an "
                f"optimizer. Received: {optimizer_map}"
            )
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        self.optimizers: list[Optimizer] = []
        if isinstance(optimizer_map, OptimizerMap):
            self._know([*(optimizer_map[key] for key in optimizer_map), optimizer_map.default_optimizer])

    def _know(self, optimizers: Iterable[Optimizer]) -> None:
        for optimizer in optimizers:
            if not any(o is optimizer for o in self.optimizers):
                self.optimizers.append(optimizer)

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        by_path = isinstance(self.optimizer_map, OptimizerMap)
        chosen = [self.optimizer_map[v.path] if by_path else self.optimizer_map(v) for v in self._trainable_variables]
        self._know(chosen)
        self._owner = {id(v): optimizer for v, optimizer in zip(self._trainable_variables, chosen)}
        for optimizer in self.optimizers:
            optimizer.build([v for v, owner in zip(self._trainable_variables, chosen) if owner is optimizer])

    @property
    def variables(self) -> list[Variable]:
        return [*self._variables, *(v for optimizer in self.optimizers for v in optimizer.variables)]

    @property
    def learning_rate(self) -> Any:
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on the individual "
            "sub-optimizers instead."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on the individual "
            "sub-optimizers instead."
        )

    def _take_step(self, grads: list[Any], variables: list[Variable]) -> None:
        if self.loss_scale_factor is not None:
            grads = [g / self.loss_scale_factor for g in grads]
        for optimizer in self.optimizers:
            mine = [(g, v) for g, v in zip(grads, variables) if self._owner[id(v)] is optimizer]
            if mine:
                optimizer.apply(*zip(*mine))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        variables = list(var_list)
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values([v for v in variables if self._owner[id(v)] is optimizer])

    def exclude_from_weight_decay(self, var_list: Iterable[Variable] | None = None, var_names: Any = None) -> None:
        for optimizer in self.optimizers:
            optimizer.exclude_from_weight_decay(var_list, var_names)

    def __setstate__(self, state: dict) -> None:
        owners = list(state.get("_owner", {}).values())
        super().__setstate__(state)
        self._owner = {id(v): owner for v, owner in zip(self._trainable_variables, owners)}

    def get_config(self) -> dict[str, Any]:
        from kerasish.saving.serialization import serialize_keras_object

        return {
            "optimizer_map": serialize_keras_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "MultiOptimizer":
        from kerasish.saving.serialization import deserialize_keras_object

        chosen = deserialize_keras_object(config["optimizer_map"], custom_objects=custom_objects)
        return cls(**(config | {"optimizer_map": chosen}))
