"""Regularizers: penalties on weights and activations, added to the loss."""

from __future__ import annotations

import math

from kerasish import ops
from kerasish.core.tensor import as_array, convert_to_tensor


class Regularizer:
    """Base of regularizers: callables that make a scalar penalty of a tensor.

    A subclass writes `__call__(x)`, and `get_config()` if it shall be saved.

    Example:

    ```python
    class Sparse(keras.regularizers.Regularizer):
        def __call__(self, x):
            return 0.01 * keras.ops.sum(keras.ops.sqrt(keras.ops.abs(x)))

        def get_config(self):
            return {}
    ```
    """

    def __call__(self, x):
        """The penalty."""
        return 0.0

    @classmethod
    def from_config(cls, config: dict) -> Regularizer:
        """A regularizer from what `get_config()` returned."""
        return cls(**config)

    def get_config(self) -> dict:
        """The arguments of `__init__`, as plain data."""
        raise NotImplementedError(f"{self} does not implement get_config()")


class L1(Regularizer):
    """`l1 * sum(|x|)`, which drives weights to zero.

    Args:
        l1: Factor, not negative.

    Raises:
        ValueError: If it is no such number.
    """

    def __init__(self, l1=0.01):
        self.l1 = _in_floatx(_factor("l1", l1, 0.01))

    def __call__(self, x):
        return self.l1 * ops.sum(ops.absolute(x))

    def get_config(self) -> dict:
        return {"l1": self.l1}


class L2(Regularizer):
    """`l2 * sum(x ** 2)`, which keeps weights small.

    Args:
        l2: Factor, not negative.

    Raises:
        ValueError: If it is no such number.

    Example:

    ```python
    layer = keras.layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.001))
    ```
    """

    def __init__(self, l2=0.01):
        self.l2 = _factor("l2", l2, 0.01)

    def __call__(self, x):
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict:
        return {"l2": self.l2}


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x ** 2)`.

    Args:
        l1: Factor of the first, not negative.
        l2: Factor of the second, not negative.

    Raises:
        ValueError: If one is no such number.
    """

    def __init__(self, l1=0.0, l2=0.0):
        self.l1, self.l2 = _factor("l1", l1, 0.0), _factor("l2", l2, 0.0)

    def __call__(self, x):
        penalty = ops.zeros((), dtype=convert_to_tensor(x).dtype)
        if self.l1:
            penalty = penalty + self.l1 * ops.sum(ops.absolute(x))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(x))
        return penalty

    def get_config(self) -> dict:
        return {"l1": self.l1, "l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Half the mean absolute cosine between the rows (or columns) of a matrix, times a factor.

    Args:
        factor: The factor, not negative.
        mode: `"rows"` or `"columns"`: which vectors shall be orthogonal.

    Raises:
        ValueError: For a bad argument, or when called on a tensor that is not a matrix.
    """

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = _in_floatx(_factor("factor", factor, 0.01))
        if mode not in ("rows", "columns"):
            raise ValueError(
                f'Invalid value for argument `mode`. Expected one of {{"rows", "columns"}}. Received: mode={mode}'
            )
        self.mode = mode

    def __call__(self, inputs):
        if len(inputs.shape) != 2:
            raise ValueError(
                f"Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape={tuple(inputs.shape)}"
            )
        vectors = inputs if self.mode == "rows" else ops.transpose(inputs)
        vectors = vectors / ops.sqrt(ops.maximum(ops.sum(ops.square(vectors), axis=1, keepdims=True), 1e-12))
        n = vectors.shape[0]
        cosines = ops.matmul(vectors, ops.transpose(vectors)) * (1.0 - ops.eye(n, dtype=vectors.dtype))
        pairs = n * (n - 1.0) / 2.0
        return self.factor * 0.5 * ops.sum(ops.absolute(cosines)) / pairs

    def get_config(self) -> dict:
        return {"factor": self.factor, "mode": self.mode}


def _factor(name, value, default) -> float:
    value = default if value is None else value
    if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(f"Invalid value for argument {name}: expected a non-negative float. Received: {name}={value}")
    return float(value)


def _in_floatx(value: float) -> float:
    """A factor as the default float dtype has it, which is what Keras keeps and writes into configs."""
    return float(as_array(value))
