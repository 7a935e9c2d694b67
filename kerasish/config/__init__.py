"""keras.config: defaults that hold for the whole process."""

from __future__ import annotations

import json
import os

from kerasish import device
from kerasish import names as _names
from kerasish.core.dtypes import floatx, set_floatx
from kerasish.device import cuda, threads
from kerasish.kernels import settings

_settings: dict = {
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "dtype_policy": None,
    "max_epochs": None,
    "max_steps_per_epoch": None,
    "interactive_logging": True,
    "traceback_filtering": True,
    "unsafe_deserialization": False,
}
_FORMATS = ("channels_last", "channels_first")


def backend() -> str:
    """The name of the engine: "numba"."""
    return "numba"


def set_backend(backend: str) -> None:
    """Refuses: there is one engine.

    Raises:
        ValueError: always, unless it is "numba".
    """
    if backend != "numba":
        raise ValueError(f"kerasish has one backend, 'numba'. Received: {backend!r}; for others use Keras itself")


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite."""
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Set the small number that keeps divisions and logarithms finite."""
    _settings["epsilon"] = value


def image_data_format() -> str:
    """The default position of the channels: "channels_last" or "channels_first"."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set the default position of the channels.

    Raises:
        ValueError: for another word than "channels_last" or "channels_first".
    """
    data_format = str(data_format).lower()
    if data_format not in _FORMATS:
        raise ValueError(
            f"The `data_format` argument must be one of {set(_FORMATS)}. Received: data_format={data_format}"
        )
    _settings["image_data_format"] = data_format


def standardize_data_format(data_format: str | None) -> str:
    """The given data format checked, or the default one for None.

    Raises:
        ValueError: for another word than "channels_last" or "channels_first".
    """
    if data_format is None:
        return image_data_format()
    data_format = str(data_format).lower()
    if data_format not in _FORMATS:
        raise ValueError(
            f"The `data_format` argument must be one of 'channels_first', 'channels_last'. "
            f"Received: data_format={data_format}"
        )
    return data_format


def dtype_policy():
    """The policy that layers get by default."""
    from kerasish import dtype_policies

    policy = _settings["dtype_policy"]
    return dtype_policies.DTypePolicy(floatx()) if policy is None else policy


def set_dtype_policy(policy) -> None:
    """Set the policy that layers get by default: a name or a DTypePolicy.

    Raises:
        ValueError: for anything else.
    """
    from kerasish import dtype_policies

    if not isinstance(policy, (str, dtype_policies.DTypePolicy)):
        raise ValueError(
            f"Invalid `policy` argument. Expected the string name of a policy (such as 'float32') or a `DTypePolicy` "
            f"instance. Received: policy={policy} (of type {type(policy)})"
        )
    _settings["dtype_policy"] = dtype_policies.get(policy)


def max_epochs() -> int | None:
    """The largest number of epochs that `fit` runs, or None."""
    return _settings["max_epochs"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Bound the number of epochs that `fit` runs."""
    _settings["max_epochs"] = max_epochs


def max_steps_per_epoch() -> int | None:
    """The largest number of steps in an epoch, or None."""
    return _settings["max_steps_per_epoch"]


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Bound the number of steps in an epoch of `fit`, `evaluate` and `predict`."""
    _settings["max_steps_per_epoch"] = max_steps_per_epoch


def enable_interactive_logging() -> None:
    """Let progress go to the terminal."""
    _settings["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Let progress go to Python's logging."""
    _settings["interactive_logging"] = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress goes to the terminal."""
    return _settings["interactive_logging"]


def enable_traceback_filtering() -> None:
    """Accepted for Keras's sake: kerasish adds no frames that would want filtering."""
    _settings["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Accepted for Keras's sake: kerasish adds no frames that would want filtering."""
    _settings["traceback_filtering"] = False


def is_traceback_filtering_enabled() -> bool:
    """What was last asked for."""
    return _settings["traceback_filtering"]


def enable_unsafe_deserialization() -> None:
    """Allow loading lambdas from files, for this process."""
    _settings["unsafe_deserialization"] = True


def unsafe_deserialization_enabled() -> bool:
    """Whether lambdas may be loaded from files."""
    return _settings["unsafe_deserialization"]


def enable_flash_attention() -> None:
    """Refuses: there is no flash attention on the CPU.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("flash attention is not available in kerasish")


def disable_flash_attention() -> None:
    """Nothing to turn off: flash attention is not available."""


def is_flash_attention_enabled() -> bool:
    """False: flash attention is not available."""
    return False


def is_nnx_enabled() -> bool:
    """False: NNX belongs to JAX."""
    return False


def enable_op_determinism() -> None:
    """Nothing to turn on: results are deterministic by default."""


def set_num_threads(n: int) -> None:
    """Let kernels use n threads. Results do not depend on it."""
    threads.set_num_threads(n)


def get_num_threads() -> int:
    """How many threads kernels use."""
    return threads.get_num_threads()


def enable_winograd() -> None:
    """Let 3x3 convolutions of stride 1 go through Winograd's transforms where that is faster (the default).

    This is kerasish's own, as are `disable_winograd` and `is_winograd_enabled`. The environment variable
    KERASISH_WINOGRAD, 0 or 1, decides until one of them is called.
    """
    settings.set_winograd(True)


def disable_winograd() -> None:
    """Compute every convolution by its direct sums: slower, with half of the rounding error.

    Recordings of models that were made with Winograd's transforms are dropped.
    """
    settings.set_winograd(False)


def is_winograd_enabled() -> bool:
    """Whether 3x3 convolutions may go through Winograd's transforms.

    Returns:
        True or False.

    Raises:
        ValueError: if the environment variable KERASISH_WINOGRAD is neither 0 nor 1.
    """
    return settings.winograd()


def set_device(name: str) -> None:
    """Make new tensors and variables on a device: "cpu", "gpu:0". Outside of this, a card that answers is the default.

    Raises:
        ValueError: for a name that is no device, or a device that is not there.
    """
    device.set_default(name)


def get_device() -> str:
    """Where new tensors and variables are made: "cpu:0", "gpu:0", ..."""
    return device.current()


def set_gpu_precision(precision: str) -> None:
    """How convolutions of float32 multiply on a card: "float32", "3xtf32", "tf32" (the default) or "bfloat16".

    Raises:
        ValueError: for another word.
    """
    cuda.set_precision(precision)


def gpu_precision() -> str:
    """How convolutions of float32 multiply on a card."""
    return cuda.precision()


def _read_file() -> None:
    """Take the defaults of `keras.json` in Keras's folder, if there is one."""
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    try:
        with open(os.path.join(home, "keras.json"), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return
    setters = {"floatx": set_floatx, "epsilon": set_epsilon, "image_data_format": set_image_data_format}
    for key, setter in setters.items():
        if key in found:
            setter(found[key])


_read_file()

_names.explain(__name__)
