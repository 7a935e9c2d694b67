"""TensorFlow's names for types: strings, as everywhere in Keras, with TensorFlow's attributes."""

import numpy as np


class DType(str):
    """The name of a type, such as "float32"."""

    @property
    def name(self) -> str:
        """The name as a plain string."""
        return str(self)

    @property
    def as_numpy_dtype(self) -> type:
        """NumPy's scalar type."""
        if self == "bfloat16":
            import ml_dtypes

            return ml_dtypes.bfloat16
        return np.dtype(str(self)).type

    @property
    def is_floating(self) -> bool:
        """Whether values have a fraction."""
        return self in ("float16", "bfloat16", "float32", "float64")

    @property
    def is_integer(self) -> bool:
        """Whether values are whole numbers."""
        return self.startswith(("int", "uint"))


float16, bfloat16, float32, float64 = map(DType, ("float16", "bfloat16", "float32", "float64"))
int8, int16, int32, int64 = map(DType, ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = map(DType, ("uint8", "uint16", "uint32", "uint64"))
bool_ = DType("bool")
half, double = float16, float64


def as_dtype(value) -> DType:
    """The type that a name, a NumPy type or a DType stands for."""
    from kerasish.core.dtypes import standardize_dtype

    return DType(standardize_dtype(value))
