"""MultiOptimizer: an optimizer for each part of a model."""

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

from kerasish.core.variable import Variable
from kerasish.optimizers.loss_scale_optimizer import LossScaleOptimizer
from kerasish.optimizers.optimizer import Optimizer
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


class OptimizerMap(MutableMapping):
    """Optimizers by regular expressions, which must match the whole path of a variable.

    Args:
        default_optimizer: Takes the variables that no expression matches.
        optimizer_map: Dictionary `{expression: optimizer}`.

    Raises:
        TypeError: If the default is not an optimizer.
        ValueError: If an expression stands for something else, or stands twice.

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
        self._optimizer_map: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer of a variable."""
        return self[variable.path]

    def __getitem__(self, path: str) -> Optimizer:
        if path in self._optimizer_map:
            return self._optimizer_map[path]
        found = [optimizer for key, optimizer in self._optimizer_map.items() if re.fullmatch(key, path)]
        if len(found) > 1:
            raise ValueError(f"Multiple optimizers assigned to variable {path}.")
        return found[0] if found else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ValueError(f"optimizer must be a Keras Optimizer instance. Received: {optimizer}")
        if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
            raise ValueError(f"optimizer cannot be {type(optimizer).__name__}.")
        if key in self._optimizer_map:
            raise ValueError(
                f"'{key}' already exists in the OptimizerMap with value {self._optimizer_map[key]}. Please make sure "
                "to not use duplicated keys."
            )
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def get_config(self) -> dict[str, Any]:
        return {
            "default_optimizer": serialize_keras_object(self.default_optimizer),
            "optimizer_map": {key: serialize_keras_object(optimizer) for key, optimizer in self._optimizer_map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "OptimizerMap":
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
        self.optimizers: list[Optimizer] = []
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        if isinstance(optimizer_map, OptimizerMap):
            self._know([*(optimizer_map[key] for key in optimizer_map), optimizer_map.default_optimizer])

    def _know(self, optimizers: Iterable[Optimizer]) -> None:
        for optimizer in optimizers:
            if not any(o is optimizer for o in self.optimizers):
                optimizer.loss_scale_factor = self.loss_scale_factor
                self.optimizers.append(optimizer)

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        chosen = [self._choose(v) for v in variables]
        super().build(variables)
        self._know(chosen)
        self._owner = {id(v): optimizer for v, optimizer in zip(self._trainable_variables, chosen)}
        for optimizer in self.optimizers:
            if mine := [v for v, owner in zip(self._trainable_variables, chosen) if owner is optimizer]:
                optimizer.build(mine)

    def _variables_for(self, grads: list[Any], variables: Iterable[Variable] | None) -> list[Variable]:
        """Those variables; built first outside of this optimizer's name scope, since the state is the others'."""
        if variables is not None and not self.built:
            self.build(variables := list(variables))
        return super()._variables_for(grads, variables)

    def _choose(self, variable: Variable) -> Optimizer:
        optimizer = self.optimizer_map(variable) if callable(self.optimizer_map) else None
        if not isinstance(optimizer, Optimizer):
            raise ValueError(f"Optimizer for variable {variable} is not an Optimizer instance. Received: {optimizer}")
        if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
            raise ValueError(f"{type(optimizer).__name__} cannot be used inside an MultiOptimizer.")
        return optimizer

    @property
    def loss_scale_factor(self) -> float | None:
        """The factor of the loss, the same for all optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self.optimizers:
            optimizer.loss_scale_factor = value

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

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None) -> None:
        grads = list(grads)
        if not grads:
            return
        variables = self._variables_for(grads, trainable_variables)
        if len(grads) != len(self._trainable_variables):
            raise ValueError(
                f"Optimizer '{self.name}': gradients must match trainable variables one-to-one. "
                f"Received {len(grads)} gradients and {len(self._trainable_variables)} variables."
            )
        shares = [(o, [(g, v) for g, v in zip(grads, variables) if self._owner[id(v)] is o]) for o in self.optimizers]
        for optimizer, share in shares:
            if share and all(g is None for g, _ in share):
                raise ValueError(f"No gradients provided for any variable of optimizer '{optimizer.name}'.")
        for optimizer, share in shares:
            if share:
                optimizer.apply(*zip(*share))
        self._iterations.mutable_array()[...] += 1

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
        return {
            "optimizer_map": serialize_keras_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "MultiOptimizer":
        chosen = deserialize_keras_object(config["optimizer_map"], custom_objects=custom_objects)
        return cls(**(config | {"optimizer_map": chosen}))
