"""tf.math."""

from kerasish.compat.tensorflow import rows as _rows
from kerasish.compat.tensorflow.functions import argmax as argmax
from kerasish.compat.tensorflow.functions import argmin as argmin
from kerasish.compat.tensorflow.functions import confusion_matrix as confusion_matrix
from kerasish.compat.tensorflow.functions import divide_no_nan as divide_no_nan
from kerasish.compat.tensorflow.functions import l2_normalize as l2_normalize
from kerasish.compat.tensorflow.functions import squared_difference as squared_difference
from kerasish.compat.tensorflow.table import lookup as _lookup

__getattr__ = _lookup(__name__, _rows.MATH)
