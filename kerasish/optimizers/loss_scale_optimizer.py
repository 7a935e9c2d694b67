"""LossScaleOptimizer."""

import functools
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kerasish.core.scopes import name_scope
from kerasish.core.tensor import Tensor, as_array
from kerasish.core.variable import Variable
from kerasish.device import on, put
from kerasish.optimizers.constructor import COMMON as DEFAULTS
from kerasish.optimizers.optimizer import Optimizer
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


class LossScaleOptimizer(Optimizer):
    """Scales the loss so that small gradients survive 16-bit floats, as strongly as the gradients allow.

    A gradient that is not finite halves the scale and leaves everything else alone; after `dynamic_growth_steps`
    steps without one, the scale doubles.

    Args:
        inner_optimizer: The optimizer that takes the steps.
        initial_scale: The scale to begin with.
        dynamic_growth_steps: After how many good steps the scale doubles.
        name: Name of the optimizer.

    Raises:
        ValueError: If an argument is given that belongs to the inner optimizer.
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs,
    ):
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(f"`inner_optimizer` must be a Keras Optimizer instance. Received: {inner_optimizer}")
        self._refuse(kwargs)
        super().__init__(learning_rate=0.0, name=name)
        inner_optimizer.loss_scale_factor = None
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        with name_scope(self.name, caller=self), on("cpu"):  # they are read in each step
            self.step_counter = Variable(0, dtype="int64", name="step_counter", trainable=False)
            self.dynamic_scale = Variable(float(initial_scale), dtype="float32", name="dynamic_scale", trainable=False)

    @staticmethod
    def _refuse(arguments: dict[str, Any]) -> None:
        """Raises for arguments of other optimizers, unless they have no effect (as configs of Keras up to 3.9 have)."""
        if not arguments.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set `loss_scale_factor` "
                "directly on the `inner_optimizer`."
            )
        unknown = ", ".join(f"`{key}`" for key in arguments if key not in DEFAULTS)
        if unknown:
            raise ValueError(f"LossScaleOptimizer does not support arguments: {unknown}.")
        for key, value in arguments.items():
            if value != DEFAULTS[key]:
                raise ValueError(
                    f"LossScaleOptimizer does not support `{key}`. Instead, set `{key}` on the `inner_optimizer`."
                )

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.inner_optimizer.build(variables)

    @property
    def variables(self) -> list[Variable]:
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None) -> None:
        grads = list(grads)
        if not grads:
            return
        variables = self._variables_for(grads, trainable_variables)
        arrays = [None if g is None else as_array(g) for g in grads]
        if not _all_finite(arrays):
            self.step_counter.assign(0)
            self.dynamic_scale.assign(self.dynamic_scale.array / 2)
            return
        scale = float(self.dynamic_scale)
        unscaled = [a if a is None or v.overwrite_with_gradient else a / scale for a, v in zip(arrays, variables)]
        self.inner_optimizer.apply([None if a is None else Tensor(a) for a in unscaled], variables)
        self._grow()

    def _grow(self) -> None:
        good = int(self.step_counter) + 1
        if good >= self.dynamic_growth_steps:
            good = 0
            doubled = self.dynamic_scale.array * 2
            if np.isfinite(doubled):
                self.dynamic_scale.assign(doubled)
        self.step_counter.assign(good)

    def scale_loss(self, loss: Any) -> Any:
        return loss * Tensor(put(self.dynamic_scale.value.value, like=as_array(loss)))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def exclude_from_weight_decay(self, var_list: Iterable[Variable] | None = None, var_names: Any = None) -> None:
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "LossScaleOptimizer":
        inner = deserialize_keras_object(config["inner_optimizer"], custom_objects=custom_objects)
        return cls(**(config | {"inner_optimizer": inner}))


def _all_finite(arrays: list) -> bool:
    """Whether nothing is infinite or NaN; a card is waited for once."""
    return bool(functools.reduce(operator.and_, [np.isfinite(a).all() for a in arrays if a is not None], True))
