"""tf.config: what scripts ask about the machine."""

from typing import NamedTuple as _NamedTuple

from kerasish.compat.tensorflow.table import Part as _Part
from kerasish.compat.tensorflow.table import lookup as _lookup

__getattr__ = _lookup(__name__)


class PhysicalDevice(_NamedTuple):
    """A device by name."""

    name: str
    device_type: str


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The CPU; TensorFlow's GPUs are not used, so there are none."""
    devices = [PhysicalDevice("/physical_device:CPU:0", "CPU")]
    return [device for device in devices if device_type in (None, device.device_type)]


list_logical_devices = get_visible_devices = list_physical_devices


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Nothing to do: functions always run eagerly."""


def _set_threads(num_threads: int) -> None:
    from kerasish.device import threads

    if num_threads:
        threads.set_num_threads(num_threads)


def _set_memory_growth(device, enable: bool) -> None:
    """Nothing to do: memory is taken as it is needed."""


experimental = _Part(
    "tensorflow.config.experimental",
    list_physical_devices=list_physical_devices,
    list_logical_devices=list_logical_devices,
    set_memory_growth=_set_memory_growth,
)
threading = _Part("tensorflow.config.threading", set_intra_op_parallelism_threads=_set_threads)
