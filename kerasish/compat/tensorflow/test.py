"""tf.test: is there a GPU."""

from kerasish.compat.tensorflow.table import lookup as _lookup

__getattr__ = _lookup(__name__)


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability=None) -> bool:
    """False: TensorFlow's GPUs are not used."""
    return False


def is_built_with_cuda() -> bool:
    """False, as above."""
    return False


def gpu_device_name() -> str:
    """No GPU has no name."""
    return ""
