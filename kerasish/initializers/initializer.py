"""Initializer: what fills a variable for the first time."""

from __future__ import annotations

from kerasish.core.variable import standardize_shape


class Initializer:
    """Base of initializers: callables that make the first value of a variable.

    A subclass writes `__call__(shape, dtype=None)`, and `get_config()` if its `__init__` takes arguments.

    Example:

    ```python
    class Ramp(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return keras.ops.reshape(keras.ops.arange(math.prod(shape), dtype=dtype), shape)
    ```
    """

    def __call__(self, shape, dtype=None):
        """A tensor of this shape and dtype."""
        raise NotImplementedError("Initializer subclasses must implement the `__call__()` method.")

    def get_config(self) -> dict:
        """The arguments of `__init__`, as plain data."""
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Initializer:
        """An initializer from what `get_config()` returned."""
        return cls(**config)

    def clone(self) -> Initializer:
        """Another initializer with the same config."""
        return type(self).from_config(self.get_config())


def known_shape(shape) -> tuple[int, ...]:
    """A shape without open dimensions.

    Raises:
        ValueError: If a dimension is `None` or negative; TypeError if one is no integer.
    """
    shape = standardize_shape((shape,) if isinstance(shape, int) else shape)
    if None in shape:
        raise ValueError(f"Initializers need a fully defined shape. Received: shape={shape}")
    return shape
