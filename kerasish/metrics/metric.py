"""Metric: the base class of what is measured over many batches."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from kerasish import config, dtype_policies
from kerasish.core import nest, scopes
from kerasish.core.scopes import auto_name, name_scope
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import Tensor
from kerasish.core.variable import Variable


class Metric:
    """Base class of metrics: state, an update per batch, and a result.

    Args:
        dtype: Dtype or policy of state and result; `keras.config.floatx()` by default.
        name: Name of the metric, by default made from the class's.

    Example:

    ```python
    class Positives(keras.metrics.Metric):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seen = self.add_weight(name="seen", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.seen.assign_add(ops.sum(ops.cast(y_pred > 0, self.dtype)))

        def result(self):
            return self.seen
    ```
    """

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "update_state" in vars(cls):
            cls.update_state = _only_with_values(vars(cls)["update_state"])

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or auto_name(type(self).__name__)
        self._dtype_policy = dtype_policies.get(dtype or config.floatx())
        self._dtype = self._dtype_policy.compute_dtype

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable):
            self._track(value)
        object.__setattr__(self, name, value)

    def _track(self, variable: Variable) -> None:
        known = self.__dict__.setdefault("_variables", [])
        if not any(v is variable for v in known):
            known.append(variable)

    @property
    def dtype(self) -> str:
        """The dtype of state and result."""
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """The state, that of metrics in attributes (also in lists and dictionaries) included."""
        found = list(self.__dict__.get("_variables", ()))
        for held in _held(list(self.__dict__.values())):
            for variable in held.variables if isinstance(held, Metric) else [held]:
                if not any(v is variable for v in found):
                    found.append(variable)
        return found

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Adds a variable to the state.

        Args:
            shape: Its shape.
            initializer: How it starts; zeros if `None`.
            dtype: Its dtype; the default float if `None`, whatever the dtype of the metric.
            aggregation: How replicas are put together; of meaning on several devices only.
            name: Its name.
        """
        if initializer is None or isinstance(initializer, str) and initializer == "zeros":
            initializer = zeros
        with name_scope(self.name.replace("/", ">"), caller=self):
            variable = Variable(initializer, shape, dtype, trainable=False, aggregation=aggregation, name=name)
        self._track(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Adds a variable to the state; arguments as in `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes a batch into account; subclasses say how."""
        raise NotImplementedError(f"{type(self).__name__} must implement `update_state`.")

    def result(self) -> Any:
        """The value over everything since the last reset; subclasses say how."""
        raise NotImplementedError(f"{type(self).__name__} must implement `result`.")

    def reset_state(self) -> None:
        """Forgets everything seen: the state becomes zero."""
        for variable in self.variables:
            variable.mutable_array()[...] = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Updates, then returns the result."""
        self.update_state(*args, **kwargs)
        result = self.result()
        if scopes.shapes_only():
            return nest.map_structure(lambda x: KerasTensor(x.shape, x.dtype), result)
        return result

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Tensor]:
        """`update_state` on given state; returns the new state and changes no variable."""
        with self._lent(metric_variables):
            self.update_state(*args, **kwargs)
            return [v.value for v in self.variables]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """`result` of given state."""
        with self._lent(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Tensor]:
        """The state after a reset, without resetting."""
        with self._lent([v.array for v in self.variables]):
            self.reset_state()
            return [v.value for v in self.variables]

    @contextmanager
    def _lent(self, values: Sequence[Any]) -> Iterator[None]:
        """Puts values into the variables for a while."""
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                "Argument `metric_variables` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().variables. Received list with length {len(values)}, but expected "
                f"{len(variables)} variables."
            )
        before = [v.array for v in variables]
        try:
            for variable, value in zip(variables, values):
                variable.assign(value)
            yield
        finally:
            for variable, array in zip(variables, before):
                variable.exchange(array)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Metric":
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _only_with_values(update: Callable) -> Callable:
    """An `update_state` that leaves the state as it is while a layer that calls it is asked for shapes alone."""

    @functools.wraps(update)
    def update_state(self, *args, **kwargs):
        if not scopes.shapes_only():
            update(self, *args, **kwargs)
        elif not getattr(self, "_built", True):  # its state depends on shapes
            with scopes.graph_scope():
                update(self, *map(_placeholder, args), **{name: _placeholder(x) for name, x in kwargs.items()})
                self.reset_state()

    return update_state


def _placeholder(x: Any) -> Any:
    """Zeros in place of a tensor without a value."""
    return np.zeros([n or 1 for n in x.shape], x.dtype) if isinstance(x, KerasTensor) else x


def _held(value: Any) -> Iterator[Any]:
    """The variables and metrics in nested lists, tuples and dictionaries."""
    if isinstance(value, (Variable, Metric)):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _held(item)
    elif isinstance(value, dict):
        yield from _held(list(value.values()))


def zeros(shape, dtype=None):
    """The initial value of most state."""
    return np.zeros(shape, dtype)
