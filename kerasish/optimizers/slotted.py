"""What the built-in optimizers share: state in slots, steps on arrays, all parameters in one call."""

from collections.abc import Sequence
from typing import Any

from kerasish.core.tensor import as_array
from kerasish.core.variable import Variable
from kerasish.optimizers.optimizer import Optimizer
from kerasish.optimizers.state import zeros


class SlottedOptimizer(Optimizer):
    """Keeps, for each variable, one state variable per slot.

    A subclass names its `slots` and defines `step` (one parameter, in place), or `step_all` where there is a kernel
    for all parameters. Arrays are NumPy's or CuPy's. `lr` comes in the parameter's dtype, and with it the formulas
    round as Keras's do.
    """

    slots: tuple[tuple[str, ...], ...] = ()  # groups of names, in the order in which Keras makes the variables

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._slots: list[list[Variable]] = []
        for names in self.slots:
            starts = [self.slot_start(name) for name in names]
            self._slots.extend(self.add_optimizer_variables(self._trainable_variables, names, starts))

    def slot_start(self, name: str) -> Any:
        """The initializer of a slot."""
        return zeros

    def update_all(self, grads: list[Any], variables: list[Variable], learning_rate: Any) -> None:
        if type(self).update_step is not SlottedOptimizer.update_step:
            return super().update_all(grads, variables, learning_rate)
        rate = float(learning_rate)
        groups: dict[tuple, list] = {}
        for g, v in zip(grads, variables):
            groups.setdefault((self.decay_factor(v, rate), g.dtype), []).append((g, v))
        self.begin_step()
        for (decay, _), pairs in groups.items():
            self._update_group(pairs, rate, decay)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        self._update_group([(as_array(gradient, variable.dtype), variable)], float(learning_rate), 1.0)

    def _update_group(self, pairs: list[tuple[Any, Variable]], rate: float, decay: float) -> None:
        places = [self._get_variable_index(v) for _, v in pairs]
        params = [v.mutable_array() for _, v in pairs]
        slots = [[slot[i].mutable_array() for i in places] for slot in self._slots]
        self.step_all(params, [g for g, _ in pairs], slots, rate, decay)

    def begin_step(self) -> None:
        """Hook: called once, before the parameters are updated."""

    def step_all(self, params: list[Any], grads: list[Any], slots: list[list[Any]], lr: float, decay: float) -> None:
        """Updates parameters and slots in place, after the parameters shrank by the factor `decay`."""
        for p, g, *state in zip(params, grads, *slots):
            if decay != 1.0:
                p *= decay
            self.step(p, g, p.dtype.type(lr), *state)

    def step(self, p: Any, g: Any, lr: Any, *state: Any) -> None:
        """Updates one parameter and its state in place."""
        raise NotImplementedError(f"{type(self).__name__} must implement `step`, `step_all` or `update_step`.")

    @property
    def count(self) -> int:
        """The number of the step that is being taken, from 1."""
        return int(self.iterations) + 1
