"""keras.preprocessing.sequence: sequences of unequal length."""

from kerasish.utils.sequence_utils import pad_sequences

__all__ = ["pad_sequences"]
