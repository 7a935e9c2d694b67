"""keras.activations: functions that layers apply to what they computed."""

from __future__ import annotations

import types

from kerasish import names as _names
from kerasish import saving
from kerasish.activations.activations import (
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)

swish, hard_swish = silu, hard_silu
_FUNCTIONS = {name: f for name, f in globals().items() if isinstance(f, types.FunctionType)}


def serialize(activation):
    """The name of an activation of this package, or the config of another function or of a layer.

    Args:
        activation: A function or a layer.

    Raises:
        ValueError: For something that is neither.
    """
    if not callable(activation):
        raise ValueError(
            f"Expected an activation function or a layer. Received: {activation} (of type {type(activation)})"
        )
    name = getattr(activation, "__name__", None)
    if name in _FUNCTIONS and activation.__module__.startswith("kerasish."):  # of this package, or `keras.ops.relu`
        return name
    return saving.serialize_keras_object(activation)


def deserialize(config, custom_objects=None):
    """An activation from its name or config.

    Args:
        config: What `serialize` returned, or a name.
        custom_objects: Dictionary of one's own functions and layers by name.
    """
    return saving.deserialize_keras_object(config, module_objects=_FUNCTIONS, custom_objects=custom_objects)


def get(identifier):
    """The activation that an argument of a layer stands for.

    Args:
        identifier: A name (`"relu"`), a config, a function or layer, or `None` for `linear`.

    Returns:
        A callable.

    Raises:
        ValueError: If it stands for no activation.

    Example:

    ```python
    keras.activations.get("softmax")
    keras.activations.get(keras.layers.LeakyReLU(negative_slope=0.1))
    ```
    """
    if identifier is None:
        return linear
    found = deserialize(identifier) if isinstance(identifier, (str, dict)) else identifier
    if not callable(found):
        raise ValueError(f"Could not interpret activation function identifier: {identifier}")
    return found


__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]

_names.explain(__name__)
