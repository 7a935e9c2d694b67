"""Which dtype a layer computes in, and which its variables are stored in."""

from typing import Any

from kerasish.core import dtypes
from kerasish.core.errors import not_yet
from kerasish.core.symbolic import KerasTensor
from kerasish.core.tensor import convert_to_tensor, is_tensor
from kerasish.core.variable import Variable

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_UNSUPPORTED = frozenset({"float16", "bfloat16", *dtypes.FLOAT8})


class DTypePolicy:
    """The dtypes of a layer's computations and variables.

    Args:
        name: A dtype such as `"float32"` (computations and variables), or `"mixed_float16"` or `"mixed_bfloat16"`
            (computations in 16 bits, variables in `float32`). `None` stands for `keras.config.floatx()`.

    Raises:
        TypeError: If `name` is not a string.
        ValueError: If `name` is not a policy.

    Example:

    ```python
    policy = keras.DTypePolicy("float64")
    layer = keras.layers.Dense(10, dtype=policy)
    ```
    """

    def __init__(self, name: str | None = None):
        if name is None:
            name = dtypes.floatx()
        if not isinstance(name, str):
            raise TypeError(
                f"'name' must be a string, such as 'mixed_float16'. Received: name={name} (of type {type(name)})"
            )
        self._name = name
        self._compute_dtype, self._variable_dtype = self._parse_name(name)

    def _parse_name(self, name: str) -> tuple[str, str]:
        if name in _MIXED:
            return _MIXED[name], "float32"
        try:
            dtype = dtypes.standardize_dtype(name)
        except (TypeError, ValueError):
            raise ValueError(
                f"Cannot convert '{name}' to a mixed precision {type(self).__name__}. Valid policies include "
                "'mixed_float16', 'mixed_bfloat16', and the name of any float dtype such as 'float32'."
            ) from None
        return dtype, dtype

    @property
    def name(self) -> str:
        """The name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype that a layer's inputs are cast to and its outputs have."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype that a layer's variables are created in."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> None:
        """Always `None`: the policy does not quantize."""
        return None

    def convert_input(self, x: Any, autocast: bool, dtype: str) -> Any:
        """Makes a tensor of an array, and casts a floating tensor to `dtype` if `autocast`.

        Args:
            x: A tensor, array, symbolic tensor, or anything else, which is returned as it is.
            autocast: Whether floating values are cast.
            dtype: The dtype to cast to.

        Returns:
            The converted input.
        """
        symbolic = isinstance(x, KerasTensor)
        if not symbolic and not is_tensor(x) and not isinstance(x, Variable) and not hasattr(x, "__array__"):
            return x
        if not symbolic:
            x = convert_to_tensor(x)
        if not autocast or x.dtype == dtype or not dtypes.is_float(x.dtype):
            return x
        from kerasish import ops

        return ops.cast(x, dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DTypePolicy":
        """Creates a policy from what `get_config()` returned."""
        return cls(**config)

    def __eq__(self, other: Any) -> bool:
        return type(self) is type(other) and self._name == other._name

    __hash__ = None

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self._name}">'


class FloatDTypePolicy(DTypePolicy):
    """A policy over floating dtypes: the same as `keras.DTypePolicy`."""


class QuantizedDTypePolicy(DTypePolicy):
    """The base of the quantized policies, which kerasish knows by name only.

    Raises:
        NotImplementedError: On construction.
    """

    def __init__(self, mode: str, source_name: str | None = None):
        raise not_yet(
            f"Quantized dtype policy {type(self).__name__}(mode={mode!r}, source_name={source_name!r})",
            "use a float policy, such as keras.DTypePolicy('float32')",
        )


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Quantization to 8-bit floats; see `QuantizedDTypePolicy`."""

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024):
        super().__init__(mode, source_name)


class Int4DTypePolicy(QuantizedDTypePolicy):
    """Quantization to 4-bit integers; see `QuantizedDTypePolicy`."""


class GPTQDTypePolicy(QuantizedDTypePolicy):
    """Quantization by GPTQ; see `QuantizedDTypePolicy`."""


class AWQDTypePolicy(QuantizedDTypePolicy):
    """Quantization by AWQ; see `QuantizedDTypePolicy`."""


QUANTIZED = {
    "int8": QuantizedDTypePolicy,
    "int4": Int4DTypePolicy,
    "float8": QuantizedFloat8DTypePolicy,
    "gptq": GPTQDTypePolicy,
    "awq": AWQDTypePolicy,
}


def require_supported(policy: DTypePolicy, layer_name: str | None = None) -> None:
    """Raises if layers cannot compute under `policy` yet.

    Args:
        policy: The policy of a layer.
        layer_name: The layer's name, for the message.

    Raises:
        NotImplementedError: If the policy computes in, or stores, 16-bit or 8-bit floats.
    """
    if policy.compute_dtype in _UNSUPPORTED or policy.variable_dtype in _UNSUPPORTED:
        where = f"layer '{layer_name}': " if layer_name else ""
        raise not_yet(f"{where}dtype policy '{policy.name}'", "use dtype='float32' or dtype='float64'")
