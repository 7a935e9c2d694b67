"""tf.data: `keras.utils.Dataset` under TensorFlow's name."""

from types import SimpleNamespace

from kerasish.compat.tensorflow.table import lookup
from kerasish.utils.dataset import INFINITE, UNKNOWN
from kerasish.utils.dataset import Dataset as Dataset

AUTOTUNE = -1
INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = INFINITE, UNKNOWN
experimental = SimpleNamespace(AUTOTUNE=AUTOTUNE, cardinality=lambda dataset: dataset.cardinality())
__getattr__ = lookup(__name__, {}, globals())
