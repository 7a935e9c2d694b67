"""tensorflow.python: nothing but `keras`, for scripts that import it from here."""

import kerasish as keras
from kerasish.compat.tensorflow.table import lookup as _lookup

__all__ = ["keras"]
__getattr__ = _lookup(__name__)
