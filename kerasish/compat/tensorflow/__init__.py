"""A stand-in for TensorFlow: `tf.keras`, and what Keras scripts use of `tf` beside it, over keras.ops.

It is no TensorFlow: there are no graphs, sessions, records or servers. A name that is missing raises an error which
says what to use instead.
"""

import builtins as _builtins

from kerasish.compat.tensorflow import rows as _rows
from kerasish.compat.tensorflow.dtypes import DType as DType
from kerasish.compat.tensorflow.dtypes import as_dtype as as_dtype
from kerasish.compat.tensorflow.dtypes import bfloat16 as bfloat16
from kerasish.compat.tensorflow.dtypes import bool_ as bool_
from kerasish.compat.tensorflow.dtypes import double as double
from kerasish.compat.tensorflow.dtypes import float16 as float16
from kerasish.compat.tensorflow.dtypes import float32 as float32
from kerasish.compat.tensorflow.dtypes import float64 as float64
from kerasish.compat.tensorflow.dtypes import half as half
from kerasish.compat.tensorflow.dtypes import int8 as int8
from kerasish.compat.tensorflow.dtypes import int16 as int16
from kerasish.compat.tensorflow.dtypes import int32 as int32
from kerasish.compat.tensorflow.dtypes import int64 as int64
from kerasish.compat.tensorflow.dtypes import uint8 as uint8
from kerasish.compat.tensorflow.dtypes import uint16 as uint16
from kerasish.compat.tensorflow.dtypes import uint32 as uint32
from kerasish.compat.tensorflow.dtypes import uint64 as uint64
from kerasish.compat.tensorflow.table import lookup as _lookup

__version__ = "2.21.0"  # of the interface; scripts compare it
bool = bool_
newaxis = None
print = _builtins.print

_PARTS = ("config", "data", "image", "linalg", "math", "nn", "python", "random", "test")
_FUNCTIONS = (
    "argmax argmin boolean_mask clip_by_global_norm clip_by_norm constant device einsum executing_eagerly function "
    "gather get_logger matmul meshgrid one_hot pad rank size split"
).split()
_HOMES = {
    "GradientTape": "kerasish.core.autodiff:GradientTape",
    "Tensor": "kerasish.core.tensor:Tensor",
    "Variable": "kerasish.compat.tensorflow.functions:variable",
    "convert_to_tensor": "kerasish.core.tensor:convert_to_tensor",
    "custom_gradient": "kerasish.core.autodiff:custom_gradient",
    "keras": "kerasish",
    "name_scope": "kerasish.core.scopes:name_scope",
    "range": "kerasish.compat.tensorflow.functions:range_",
    "slice": "kerasish.compat.tensorflow.functions:slice_",
    **{name: f"kerasish.compat.tensorflow.functions:{name}" for name in _FUNCTIONS},
    **{name: f"{__name__}.{name}" for name in _PARTS},
}
__getattr__ = _lookup(__name__, _rows.TOP, _HOMES)


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if not name.startswith("_")), *_HOMES, *_rows.TOP})
