"""keras.preprocessing.sequence: sequences of unequal length."""

from kerasish import names as _names
from kerasish.utils.sequence_utils import pad_sequences

__all__ = ["pad_sequences"]

_names.explain(__name__)
