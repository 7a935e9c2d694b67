"""What an optimizer remembers: its variables, how they are made, saved, and lent to a stateless step."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kerasish.core.scopes import name_scope
from kerasish.core.tensor import Tensor
from kerasish.core.variable import Variable
from kerasish.device import on, where


def zeros(shape, dtype=None):
    """The initial value of most state."""
    return np.zeros(shape, dtype)


class OptimizerState:
    """Base of `Optimizer`: keeps every variable that is added, or assigned to an attribute, in order."""

    name: str
    built: bool

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable):
            self._track(value)
        object.__setattr__(self, name, value)

    def _track(self, variable: Variable) -> None:
        known = self.__dict__.setdefault("_variables", [])
        if not any(v is variable for v in known):
            known.append(variable)

    @property
    def variables(self) -> list[Variable]:
        """Everything the optimizer remembers, in the order in which it is saved."""
        return list(self._variables)

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Adds a variable to the optimizer's state.

        Args:
            shape: Its shape.
            initializer: How it starts.
            dtype: Its dtype; the default float by default.
            aggregation: Of meaning on several devices only.
            layout: Not supported; leave it `None`.
            name: Its name.
        """
        if layout is not None:
            raise ValueError(f"Optimizer '{self.name}': `layout` is not supported, pass None. Received: {layout}")
        initializer = zeros if initializer == "zeros" else initializer
        with name_scope(self.name, caller=self):
            variable = Variable(initializer, shape, dtype, trainable=False, aggregation=aggregation, name=name)
        self._track(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Adds a variable of the shape and dtype of another, called `<its path>_<name>`."""
        name = f"{reference_variable.path.replace('/', '_')}_{name or 'var'}"
        with on(where(reference_variable.array)):
            return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, name=name)

    def add_optimizer_variables(
        self, trainable_variables: Iterable[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """Adds a variable like each of `trainable_variables`, or several if `name` is a sequence.

        Returns:
            A list of variables, or for a sequence of names a tuple of lists.
        """
        names = [name] if isinstance(name, str) else list(name)
        initializers = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        made = [
            [self.add_variable_from_reference(v, n, i) for n, i in zip(names, initializers, strict=True)]
            for v in trainable_variables
        ]
        lists = tuple([row[i] for row in made] for i in range(len(names)))
        return lists[0] if isinstance(name, str) else lists

    def assign(self, variable: Variable, value: Any) -> None:
        """`variable.assign(value)`."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """`variable.assign_add(value)`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """`variable.assign_sub(value)`."""
        variable.assign_sub(value)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Gives all variables new values, in the order of `variables`.

        Args:
            weights: One array per variable.

        Raises:
            ValueError: If the optimizer is not built, or a shape differs.
        """
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. Please call "
                "`optimizer.build(trainable_variables)` to create the optimizer weights before calling "
                "`set_weights()`."
            )
        for variable, weight in zip(self._variables, weights):
            if variable.shape != np.shape(weight):
                raise ValueError(
                    f"Optimizer variable {variable.name} has shape {variable.shape} not compatible with provided "
                    f"weight shape {np.shape(weight)}."
                )
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Writes the variables into `store`, under their numbers."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads the variables from `store`; warns and reads nothing if their number differs.

        Raises:
            ValueError: If a shape differs; nothing is read then either.
        """
        variables = self.variables
        if len(store.keys()) != len(variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has {len(variables)} variables "
                f"whereas the saved optimizer has {len(store.keys())} variables.",
                stacklevel=2,
            )
            return
        values = [store[str(i)] for i in range(len(variables))]
        for variable, value in zip(variables, values):
            if tuple(variable.shape) != np.shape(value):
                raise ValueError(
                    f"Optimizer '{self.name}': variable '{variable.path}' has shape {tuple(variable.shape)}, the saved "
                    f"one {np.shape(value)}; they must match."
                )
        for variable, value in zip(variables, values):
            variable.assign(value)

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """A step that changes no variable.

        Args:
            optimizer_variables: Values in place of `optimizer.variables`.
            grads: A gradient for each trainable variable.
            trainable_variables: Values in place of the variables that the optimizer was built with.

        Returns:
            The new values: `(trainable_variables, optimizer_variables)`.

        Raises:
            ValueError: If the optimizer is not built, or the number of values is wrong.
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built (i.e. its variables must have been "
                "created). You can build it via `optimizer.build(trainable_variables)`."
            )
        mine, theirs = self.variables, self._trainable_variables
        for what, given, own in (
            ("optimizer_variables", optimizer_variables, mine),
            ("trainable_variables", trainable_variables, theirs),
        ):
            if len(given) != len(own):
                raise ValueError(
                    f"Argument `{what}` must be a list of tensors corresponding 1:1 to the optimizer's variables. "
                    f"Received list with length {len(given)}, but expected {len(own)} variables."
                )
        both = [*theirs, *mine]
        before = [v.array for v in both]
        try:
            for variable, value in zip(both, [*trainable_variables, *optimizer_variables]):
                variable.assign(value)
            self.apply(grads, theirs)
            after = [Tensor(v.array) for v in both]
        finally:
            for variable, array in zip(both, before):
                variable.exchange(array)
        return after[: len(theirs)], after[len(theirs) :]

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._index = {id(v): i for i, v in enumerate(self._trainable_variables)}
