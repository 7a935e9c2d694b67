"""tf.data: `keras.utils.Dataset` under TensorFlow's name."""

from kerasish.compat.tensorflow.table import Part as _Part
from kerasish.compat.tensorflow.table import lookup as _lookup
from kerasish.utils.dataset import INFINITE as _INFINITE
from kerasish.utils.dataset import UNKNOWN as _UNKNOWN
from kerasish.utils.dataset import Dataset as Dataset

AUTOTUNE = -1
INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = _INFINITE, _UNKNOWN
experimental = _Part(
    "tensorflow.data.experimental", AUTOTUNE=AUTOTUNE, cardinality=lambda dataset: dataset.cardinality()
)
__getattr__ = _lookup(__name__)
