"""tf.linalg."""

from kerasish.compat.tensorflow import rows as _rows
from kerasish.compat.tensorflow.functions import einsum as einsum
from kerasish.compat.tensorflow.functions import global_norm as global_norm
from kerasish.compat.tensorflow.functions import l2_normalize as l2_normalize
from kerasish.compat.tensorflow.functions import matmul as matmul
from kerasish.compat.tensorflow.table import lookup as _lookup

__getattr__ = _lookup(__name__, _rows.LINALG)


def matvec(a, b, name=None):
    """Matrix times vector."""
    from kerasish import ops

    return ops.squeeze(ops.matmul(a, ops.expand_dims(b, -1)), -1)
