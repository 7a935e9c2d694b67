"""Constraints: what a weight is brought back to after each update."""

from __future__ import annotations

from kerasish import ops
from kerasish.config import epsilon
from kerasish.core.tensor import convert_to_tensor
from kerasish.core.variable import Variable


class Constraint:
    """Base of constraints: callables that make an admissible weight of a weight.

    A subclass writes `__call__(w)`, and `get_config()` if its `__init__` takes arguments.

    Example:

    ```python
    class ZeroMean(keras.constraints.Constraint):
        def __call__(self, w):
            return w - keras.ops.mean(w)
    ```
    """

    def __call__(self, w):
        """The weight to use."""
        return w

    def get_config(self) -> dict:
        """The arguments of `__init__`, as plain data."""
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Constraint:
        """A constraint from what `get_config()` returned."""
        return cls(**config)


class MaxNorm(Constraint):
    """Scales down the vectors along `axis` that are longer than `max_value`.

    Args:
        max_value: Largest length.
        axis: Axis or axes over which lengths are taken: 0 for the vectors into each unit of a Dense kernel, `[0, 1, 2]`
            for the filters of a Conv2D kernel.

    Example:

    ```python
    layer = keras.layers.Conv2D(8, 3, kernel_constraint=keras.constraints.MaxNorm(2, axis=[0, 1, 2]))
    ```
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        w = _tensor(w)
        norms = _norms(w, self.axis)
        return w * (ops.clip(norms, 0, self.max_value) / (epsilon() + norms))

    def get_config(self) -> dict:
        return {"max_value": self.max_value, "axis": self.axis}


class MinMaxNorm(Constraint):
    """Brings the lengths of the vectors along `axis` between two bounds, or part of the way.

    Args:
        min_value: Smallest length.
        max_value: Largest length.
        rate: How much of the way is gone at each update, up to 1.
        axis: Axis or axes over which lengths are taken.
    """

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w):
        w = _tensor(w)
        norms = _norms(w, self.axis)
        wanted = self.rate * ops.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (epsilon() + norms))

    def get_config(self) -> dict:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


class NonNeg(Constraint):
    """Sets negative weights to 0."""

    def __call__(self, w):
        return ops.maximum(_tensor(w), 0)


class UnitNorm(Constraint):
    """Scales the vectors along `axis` to length 1.

    Args:
        axis: Axis or axes over which lengths are taken.
    """

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        w = _tensor(w)
        return w / (epsilon() + _norms(w, self.axis))

    def get_config(self) -> dict:
        return {"axis": self.axis}


def _tensor(w):
    return w.value if isinstance(w, Variable) else convert_to_tensor(w)


def _norms(w, axis):
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))
