"""What layers share in reading their arguments: checks that say no with the layer's name, spellings, configuration."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from kerasish import activations, config, constraints, initializers, regularizers
from kerasish.core.errors import not_yet

Size = int | Sequence[int]
Identifier = str | dict | Callable | None

_FAMILIES = {
    "activation": activations,
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


def label(layer) -> str:
    """How messages call a layer: `layer 'conv2d_4' (Conv2D)`."""
    return f"layer '{layer.name}' ({type(layer).__name__})"


def invalid(layer, message: str, error: type[Exception] = ValueError) -> Exception:
    """The error that names `layer`."""
    return error(f"{label(layer)}: {message}")


def is_int(value: Any) -> bool:
    """Whether this is a whole number, NumPy's included; True and False are not."""
    return hasattr(value, "__index__") and not isinstance(value, bool) and getattr(value, "shape", ()) == ()


def positive_int(layer, value: Any, name: str) -> int:
    """`value` as an integer greater than 0."""
    try:
        number = operator.index(value)
    except TypeError:
        message = f"Invalid value for argument `{name}`. Expected a positive integer. Received {name}={value!r}."
        kind = ValueError if value is None or isinstance(value, float) else TypeError  # as Keras's, which builds first
        raise invalid(layer, message, kind) from None
    if number > 0:
        return number
    raise invalid(
        layer, f"Invalid value for argument `{name}`. Expected a strictly positive value. Received {name}={value}."
    )


def int_tuple(layer, value: Size, rank: int, name: str, minimum: int = 1) -> tuple[int, ...]:
    """One integer per axis, each at least `minimum`; a single integer stands for all the axes."""
    message = f"The `{name}` argument must be a tuple of {rank} integers. Received {name}={value}"
    try:
        values = tuple(map(operator.index, [value] * rank if hasattr(value, "__index__") else value))
    except TypeError:
        raise invalid(layer, f"{message}; give an integer or a tuple of {rank}") from None
    if len(values) != rank:
        raise invalid(layer, f"{message}; give an integer or a tuple of {rank}")
    if bad := {v for v in values if v < minimum}:
        condition = "value > 0" if minimum == 1 else f"value >= {minimum}"
        raise invalid(layer, f"{message}, including values {bad} that do not satisfy `{condition}`")
    return values


def choice(layer, value: Any, allowed: Sequence[str], name: str) -> str:
    """One of the words in `allowed`, in lower case."""
    word = value.lower() if isinstance(value, str) else value
    if word not in allowed:
        words = ", ".join(map(repr, allowed))
        raise invalid(layer, f"The `{name}` argument must be one of {words}. Received: {name}={value}")
    return word


def data_format(layer, value: str | None) -> str:
    """`"channels_last"` or `"channels_first"`; None asks the configuration."""
    if value is None:
        return config.image_data_format()
    return choice(layer, value, ("channels_first", "channels_last"), "data_format")


def fraction(layer, value: float, name: str) -> float:
    """A number from 0 to 1."""
    if 0 <= value <= 1:
        return value
    message = f"Invalid value received for argument `{name}`. Expected a float value between 0 and 1."
    raise invalid(layer, f"{message} Received: {name}={value}")


def known_dim(layer, input_shape: Sequence[int | None], axis: int, open: bool = False) -> int | None:
    """The size of `axis`, which the layer's weights depend on; if none do, it may be left open."""
    try:
        size = input_shape[axis]
    except IndexError:
        message = f"input of shape {tuple(input_shape)} has no axis {axis}; choose an axis that the input has"
        raise invalid(layer, message, IndexError) from None
    if size is None and not open:
        message = (
            f"Axis {axis} of input tensor should have a defined dimension but the layer received an input with shape"
        )
        raise invalid(layer, f"{message} {tuple(input_shape)}; give `Input` that dimension")
    return size


def channel_axis(layer) -> int:
    """Where the channels are, counted so that a missing batch axis does not matter."""
    return -1 if layer.data_format == "channels_last" else 1


def config_of(layer, *names: str) -> dict[str, Any]:
    """The attributes in the spelling of a configuration: initializers, activations and the like serialized."""
    values = {}
    for name in names:
        value = getattr(layer, name)
        family = _FAMILIES.get(name.rpartition("_")[2])
        values[name] = value if family is None or value is None else family.serialize(value)
    return values


def split_activation(activation: Callable | None) -> tuple[str | None, Callable | None]:
    """What of an activation a kernel applies as it stores its result, and what is left to apply afterwards."""
    if activation is None or activation is activations.linear:
        return None, None
    if activation is activations.relu:
        return "relu", None
    return None, activation


def refuse_lora(layer, lora_rank: int | None, lora_alpha: float | None = None) -> None:
    """Low-rank adaptation is asked for with `lora_rank`."""
    if lora_rank is not None or lora_alpha is not None:
        what = f"{label(layer)}: low-rank adaptation (lora_rank={lora_rank}, lora_alpha={lora_alpha})"
        raise not_yet(what, "leave these arguments out")


def refuse_quantization(layer, *settings: Any) -> None:
    """Quantized weights are asked for with `quantization_config` and its like."""
    if any(setting is not None for setting in settings):
        raise not_yet(f"{label(layer)}: quantized weights", "leave `quantization_config` and the like out")
