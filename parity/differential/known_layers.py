"""Differences of layers that stay: (subjects, `holds(data, difference)`, reason)."""

from __future__ import annotations

import numpy as np

from parity.libraries import ours

WITHOUT_BUILDING = ("training=", "masked", "second", "repeated")  # stages in which an eager call gives numbers


def _numbers(difference) -> bool:
    return not hasattr(difference.want, "error")


def _refuses_none(data, difference) -> bool:
    """Keras stumbles over an open size, where we say what is missing."""
    stumbles = "unsupported operand type(s)" in str(difference.want) and "NoneType" in str(difference.want)
    return stumbles and getattr(difference.got, "kind", None) == "ValueError"


def _nothing_in_place(data, difference) -> bool:
    refused = "Computed output size would be zero or negative" in str(difference.got)
    return (
        refused and _numbers(difference) and difference.what.startswith((*WITHOUT_BUILDING, "outcome", "symbolic[2]"))
    )


def _in_capitals(data, difference) -> bool:
    return data["arguments"].get("padding", "valid").isupper() and difference.what in (
        "symbolic",
        "shape",
        "config",
        "again[0]",
    )


def _second_or_first(data, difference):
    """The shape of the input that a difference is about."""
    second = difference.what.startswith("second")
    return tuple((data["second"] if second else data["inputs"][0])["shape"])


def _old_statistics(data, difference) -> bool:
    return "mean" not in data["arguments"] and difference.what.startswith(WITHOUT_BUILDING)


def _taken_for_bias(shape, other) -> bool:
    """Whether Keras on TensorFlow adds an array to one of a shape along the wrong axis, as if it were a bias."""
    lengths = [d for d in other if d > 1]
    if len(lengths) != 1 or len(shape) < 2 or lengths[0] not in (shape[1], shape[-1]):
        return False
    right = len(shape) - len(other) + other.index(lengths[0])
    return right != (len(shape) - 1 if shape[-1] == lengths[0] else 1)


def _added_as_bias(data, difference) -> bool:
    shape = tuple(data["inputs"][0]["shape"])
    for x in data["inputs"][1:]:
        if _taken_for_bias(shape, tuple(x["shape"])):
            return True
        shape = np.broadcast_shapes(shape, tuple(x["shape"]))
    return False


def _bias_along_space(data, difference) -> bool:
    from parity.differential.layers.running import layer_of  # which compares, and so imports this

    arguments = data["arguments"]
    form = arguments.get("data_format") or data.get("image_data_format")
    if form != "channels_first" or not arguments.get("use_bias", True):
        return False
    layer = layer_of(ours(), {**data, "arguments": {**arguments, "data_format": form}})
    outputs = layer.compute_output_shape(_second_or_first(data, difference))
    return _taken_for_bias(outputs, (1, outputs[1], *[1] * (len(outputs) - 2)))


ROWS = [
    ("layers", _refuses_none, "Keras computes with None; we name the axis that must be known"),
    (
        "layers/MaxPooling layers/AveragePooling layers/Conv layers/Depthwise layers/Separable",
        _nothing_in_place,
        "TensorFlow gives empty images, or memory that nobody wrote, for images smaller than the window",
    ),
    (
        "layers/MaxPooling layers/AveragePooling",
        _in_capitals,
        "Keras's poolings take `padding` in capitals where they run, and refuse it in a graph",
    ),
    ("layers/Normalization", _old_statistics, "Keras's layer goes on with the statistics from before set_weights"),
    (
        "layers/CategoryEncoding",
        lambda data, difference: len(_second_or_first(data, difference)) > 2,
        "Keras's encodings of rank 3 take one axis for another",
    ),
    (
        "layers/RMSNormalization",
        lambda data, difference: difference.what == "second" and isinstance(difference.want, np.ndarray),
        "Keras broadcasts a scale of one number against whatever comes",
    ),
    ("layers/Add layers/Average", _added_as_bias, "Keras's ops.add takes arrays of one long axis for a bias"),
    (
        "layers/Conv layers/Depthwise layers/Separable",
        _bias_along_space,
        "Keras's ops.add takes the bias of channels_first for one of the last axis, if that is as long",
    ),
    (
        "layers/GlobalAveragePooling1D",
        lambda data, difference: difference.what == "masked[0] dtype" and "int" in data["inputs"][0]["dtype"],
        "TensorFlow divides integers in float64",
    ),
]
