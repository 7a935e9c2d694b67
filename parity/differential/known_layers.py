"""Differences of layers that stay: (subjects, `holds(data, difference)`, reason)."""

from __future__ import annotations

import re

import numpy as np

from parity.differential.draws import made
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


def taken_for_bias(shape, other) -> bool:
    """Whether Keras on TensorFlow adds an array to one of a shape along the wrong axis, as if it were a bias."""
    lengths = [d for d in other if d > 1]
    if len(lengths) != 1 or len(shape) < 2 or lengths[0] not in (shape[1], shape[-1]):
        return False
    right = len(shape) - len(other) + other.index(lengths[0])
    return right != (len(shape) - 1 if shape[-1] == lengths[0] else 1)


def _added_as_bias(data, difference) -> bool:
    shape = tuple(data["inputs"][0]["shape"])
    for x in data["inputs"][1:]:
        if taken_for_bias(shape, tuple(x["shape"])):
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
    return taken_for_bias(outputs, (1, outputs[1], *[1] * (len(outputs) - 2)))


ACCIDENTS = re.compile(
    r"(list|tuple) index out of range|(list )?assignment index out of range|(division|modulo) by zero|"
    r"'\w+' object (has no attribute|is not iterable|is not subscriptable|cannot be interpreted)|"
    r"unsupported operand type\(s\)|local variable .* (referenced before assignment|not associated)"
)


def _by_accident(data, difference) -> bool:
    """Whether Keras ends in an error of Python's own, where ours says what is wrong."""
    want, got = difference.want, difference.got
    if not (hasattr(want, "error") and hasattr(got, "error")):
        return False
    accident = want.kind not in ("ValueError", "RuntimeError") and ACCIDENTS.search(str(want.error))
    return bool(accident) and isinstance(got.error, ValueError) and str(got.error).startswith("layer '")


def _output_of_no_size(data, difference) -> bool:
    """Whether an adaptive pooling is asked for windows of which there are none: Keras divides by their number."""
    sizes = np.ravel(data["arguments"]["output_size"])
    refused = isinstance(getattr(difference.got, "error", None), ValueError)
    return refused and difference.what == "outcome" and sizes.dtype.kind == "i" and bool((sizes == 0).any())


def _integers(data) -> bool:
    return all("int" in x["dtype"] for x in data["inputs"])


def _given(data, difference) -> list[str]:
    """The dtypes of the inputs, if it is whole numbers that differ."""
    values = difference.what.endswith(" values") and "gradients" not in difference.what
    if not values or not (difference.got == np.trunc(difference.got)).all():
        return []
    return [x["dtype"] for x in (*data["inputs"], *([data["second"]] if data.get("second") else []))]


def _negative_unsigned(data, difference) -> bool:
    return any("uint" in d for d in _given(data, difference))


def _cut_off(data, difference) -> bool:
    """Whether whole numbers are apart by one: floats that differ in their last digit, without their fractions.

    What is negative is any number as an unsigned one.
    """
    by_one = difference.apart == 1 and any("int" in d for d in _given(data, difference))
    return by_one or _negative_unsigned(data, difference)


def _averages_integers(data, difference) -> bool:
    places = ("symbolic[2]", "training=False.output", "training=True.output", "repeated", "masked[0]")
    wide = [str(difference.want), str(difference.got)] == ["float64", "float32"] and data["layer"] == "Average"
    return wide and difference.what in [f"{place} dtype" for place in places] and _integers(data)


def _mask_along_other_axes(data, difference) -> bool:
    """Whether Keras gives a mask one axis less than its input has, at the end, where it lacks more."""
    return difference.what.startswith("masked[1]") and len(data["inputs"][0]["shape"]) > 3


def _noise_beyond_the_input(data, difference) -> bool:
    """Whether the noise is larger than the input, which TensorFlow then broadcasts to it."""
    noise, shape = data["arguments"].get("noise_shape") or (), data["inputs"][0]["shape"]
    beyond = any(n is not None and n != d == 1 for n, d in zip(noise[::-1], shape[::-1])) or len(noise) > len(shape)
    return beyond and difference.what == "training=True" and "`noise_shape` must be" in str(difference.got)


def repeated(x):
    """Where an array has numbers that it has several times."""
    _, which, counts = np.unique(x.astype("f8"), return_inverse=True, return_counts=True)
    return (counts[which] > 1).reshape(x.shape)


def _equal_maxima(data, difference) -> bool:
    """Whether gradients of a maximum differ by equal numbers."""
    return difference.what.endswith("gradients[0] values") and difference.only(repeated(made(data["inputs"][0])))


def _policy_of_halves(data, difference) -> bool:
    asked, text = str(data["arguments"].get("dtype")), str(difference.got)
    return "float16" in asked and text.startswith("NotImplementedError") and f"dtype policy '{asked}' is not" in text


ROWS = [
    ("layers/*", _by_accident, "Keras ends by accident; our error says what is wrong"),
    ("layers/*", _refuses_none, "Keras computes with None; we name the axis that must be known"),
    ("layers/*", _policy_of_halves, "there is no half or mixed precision yet: the error says so"),
    ("layers/Adaptive*", _output_of_no_size, "Keras divides by zero when called; we refuse at once"),
    ("layers/Average", _averages_integers, "TensorFlow divides integers in float64; its symbolic result is float32"),
    (
        "layers/MaxPooling3D layers/AdaptiveMaxPooling3D layers/GlobalMaxPooling3D",
        _equal_maxima,
        "TensorFlow gives each of several maxima in space all of the gradient; ours gives it to the first",
    ),
    (
        "layers/ActivityRegularization",
        lambda data, difference: "int" in data["inputs"][0]["dtype"] and ".losses" in difference.what,
        "Keras makes the penalty's factors integers, like what is penalized: 0",
    ),
    (
        "layers/GaussianDropout",
        lambda data, difference: data["inputs"][0]["dtype"] == "bool" and difference.what.startswith("training=True"),
        "TensorFlow multiplies a boolean by a float as booleans",
    ),
    (
        "layers/RMSNormalization layers/LayerNormalization layers/GroupNormalization",
        _cut_off,
        "TensorFlow's rsqrt is a little less than it should be, and integers lose the fraction",
    ),
    ("layers/SpectralNormalization", _negative_unsigned, "a negative float is any number as an unsigned integer"),
    ("layers/Concatenate", _mask_along_other_axes, "Keras broadcasts masks of two axes along the wrong ones"),
    ("layers/Dropout", _noise_beyond_the_input, "TensorFlow's output has another shape then than the input"),
    (
        "layers/MaxPooling?D layers/AveragePooling?D layers/*Conv?D layers/Conv?DTranspose",
        _nothing_in_place,
        "TensorFlow gives empty images, or memory that nobody wrote, for images smaller than the window",
    ),
    (
        "layers/MaxPooling?D layers/AveragePooling?D",
        _in_capitals,
        "Keras's poolings take `padding` in capitals where they run, and refuse it in a graph",
    ),
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
        "layers/*Conv?D layers/Conv?DTranspose",
        _bias_along_space,
        "Keras's ops.add takes the bias of channels_first for one of the last axis, if that is as long",
    ),
    (
        "layers/GlobalAveragePooling1D",
        lambda data, difference: difference.what == "masked[0] dtype" and "float" not in data["inputs"][0]["dtype"],
        "TensorFlow divides integers in float64",
    ),
]
