"""keras.backend: what is left of it in Keras 3."""

from kerasish import names as _names
from kerasish.config import backend as backend
from kerasish.config import epsilon as epsilon
from kerasish.config import floatx as floatx
from kerasish.config import image_data_format as image_data_format
from kerasish.config import set_epsilon as set_epsilon
from kerasish.config import set_floatx as set_floatx
from kerasish.config import set_image_data_format as set_image_data_format
from kerasish.core.dtypes import is_float as is_float_dtype
from kerasish.core.dtypes import is_int as is_int_dtype
from kerasish.core.dtypes import result_type as result_type
from kerasish.core.dtypes import standardize_dtype as standardize_dtype
from kerasish.core.scopes import clear_session as clear_session
from kerasish.core.scopes import get_uid as get_uid
from kerasish.core.symbolic import is_keras_tensor as is_keras_tensor

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]

_names.explain(__name__)
