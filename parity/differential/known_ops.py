"""Differences of ops that stay: (subjects, `holds(data, difference)`, reason)."""

from __future__ import annotations

import re

import numpy as np

from parity.differential.draws import made
from parity.differential.known_layers import repeated, taken_for_bias
from parity.libraries import ours

PRODUCTS = "ops/dot ops/vdot ops/inner ops/outer ops/tensordot ops/matmul ops/einsum"
BITS = "ops/bitwise_and ops/bitwise_or ops/bitwise_xor ops/*_shift"


def _values(data) -> np.ndarray:
    """The first array of a case."""
    return made(data["inputs"][0])


def _zeros(data, difference) -> bool:
    """Whether a gradient differs where its argument is zero."""
    return difference.what == "gradient[0] values" and difference.only(_values(data) == 0)


def _gradient_of_equals(data, difference) -> bool:
    """Whether a gradient differs where two arguments are of the same size, or where sums over such places are."""
    a, b = (np.abs(np.asarray(made(x), "float64")) for x in data["inputs"])
    return _differs_where(data, difference, a == b)


def _differs_where(data, difference, places) -> bool:
    """Whether the gradient of one of two arguments differs only in some places of the result, or sums over them."""
    if not re.fullmatch(r"gradient\[\d\] values", difference.what):
        return False
    lost = places.ndim - difference.got.ndim
    places = places.any(tuple(range(lost)))
    summed = tuple(i for i, d in enumerate(difference.got.shape) if d == 1)
    return difference.only(places.any(summed, keepdims=True))


def _beside_infinity(data, difference) -> bool:
    """Whether a gradient differs where an argument is infinite in the result's dtype."""
    if not difference.what.endswith(" values"):
        return False
    with np.errstate(over="ignore"):
        a, b = (np.asarray(made(x)).astype(difference.got.dtype) for x in data["inputs"])
    return _differs_where(data, difference, ~(np.isfinite(a) & np.isfinite(b)))


def _several_in_the_support(data, difference) -> bool:
    """Whether sparsemax gives some row more than one number: Keras counts k(k + 1)/2 of them, not k."""
    axis = data["arguments"].get("axis", -1)
    x = np.moveaxis(_values(data).astype("float64"), axis, -1)
    z = -np.sort(-x, -1)
    k = np.arange(1, z.shape[-1] + 1)
    return bool(((1 + k * z > np.cumsum(z, -1)).sum(-1) > 1).any())


def _integers_by_a_fraction(data, difference) -> bool:
    whole = _values(data).dtype.kind in "iub"
    return data["as"] == "arrays" and whole and isinstance(data["arguments"].get("threshold", 0.5), float)


def _below_minus_the_threshold(data, difference) -> bool:
    x, threshold = _values(data), data["arguments"].get("threshold", 0.5)
    return x.dtype.kind == "u" and difference.what == "value values" and difference.only(x <= threshold)


def _diagonal_of_another_length(data, difference) -> bool:
    """Whether Keras pads a diagonal that is longer than a matrix has: it forgets that k shortens one side only."""
    n, m, k = data["inputs"][0], data["arguments"].get("M"), data["arguments"].get("k", 0)
    m = n if m is None else m
    return k != 0 and min(m - k, n + k) != min(m - max(k, 0), n + min(k, 0))


def _beyond_int32(data, difference) -> bool:
    x = _values(data)
    return x.dtype == "uint32" and difference.what == "value values" and difference.only(x >= 2**31)


def _beyond_floats(data, difference) -> bool:
    """Whether integers of a product are beyond those that float32 has."""
    y = difference.got
    return difference.what == "value values" and y.dtype.kind in "iu" and bool((np.abs(y.astype("f8")) > 2**24).any())


def _beyond_the_integers(data, difference) -> bool:
    """Whether sums of products are beyond what the integers of their dtype can hold."""
    y = difference.got
    if difference.what != "value values" or y.dtype.kind not in "iu":
        return False
    function = getattr(ours().ops, data["op"])
    exact = [made(x).astype("int64") if isinstance(x, dict) else x for x in data["inputs"]]
    sums = np.asarray(function(*exact, **data["arguments"]))
    limits = np.iinfo(y.dtype)
    return bool(((sums < limits.min) | (sums > limits.max)).any())


def _remainder_beyond_int32(data, difference) -> bool:
    large = any(isinstance(x, dict) and bool((made(x).astype("f8") >= 2**31).any()) for x in data["inputs"])
    return large and difference.what == "value values" and difference.got.dtype == "uint32"


def _symbolic_shape_of_the_first(data, difference) -> bool:
    """Whether Keras leaves an axis open that the second of two arrays has, or the other way round."""
    both = all(isinstance(x, dict) for x in data["inputs"])
    return both and difference.what.startswith("symbolic[0][0]") and None in (difference.want, difference.got)


def _vectors(data, difference) -> bool:
    given = [np.shape(made(x).tolist() if data["as"] == "lists" else made(x)) for x in data["inputs"]]
    return all(len(shape) < (2 if data["op"] == "vstack" else 1) for shape in given)


def _equals_in_space(data, difference) -> bool:
    """Whether a gradient differs by numbers of which an image of three axes has several."""
    x = _values(data)
    return difference.what == "gradient[0] values" and x.ndim == 5 and difference.only(repeated(x))


def _larger_than_the_image(data, difference) -> bool:
    refused = "Computed output size would be negative" in str(difference.got)
    return difference.what == "outcome" and refused and not hasattr(difference.want, "error")


def _added_as_bias(data, difference) -> bool:
    return taken_for_bias(*(np.shape(made(x)) for x in data["inputs"]))


def _wraps_between_the_ends(data, difference) -> bool:
    """Whether the distance of integers' ends is beyond their dtype."""
    target = data["arguments"].get("dtype") or ""
    if "int" not in target or not difference.what.endswith(" values"):
        return False
    first, last = (np.asarray(made(x)).astype(target).astype("int64") for x in data["inputs"])
    limits, distance = np.iinfo(target), last - first
    return bool(((distance < limits.min) | (distance > limits.max)).any())


def _axes_put_back_in_disorder(data, difference) -> bool:
    """Whether Keras puts back a later axis of a matrix before an earlier one."""
    arguments, rank = data["arguments"], len(data["inputs"][0]["shape"])
    axis = arguments.get("axis")
    falling = isinstance(axis, tuple) and len(axis) == 2 and axis[0] % rank > axis[1] % rank
    kept = arguments.get("keepdims", False) and arguments.get("ord") in ("nuc", 2, -2)
    return kept and falling and difference.what.startswith(("value shape", "symbolic[0][0]"))


def _rounded_beyond_uint32(data, difference) -> bool:
    unit = np.float32(10.0 ** -data["arguments"].get("decimals", 0))
    rounded = np.round(_values(data).astype("float32") / unit) * unit
    return data["inputs"][0]["dtype"] == "uint32" and bool((rounded >= 2**32).any())


def _beyond_the_matrix(data, difference) -> bool:
    """Whether Keras gives a diagonal of none of x's elements, which then has no gradient."""
    offset, first, second = (data["arguments"].get(k, d) for k, d in (("offset", 0), ("axis1", 0), ("axis2", 1)))
    shape = data["inputs"][0]["shape"]
    outside = offset <= -shape[first] or offset >= shape[second]
    return difference.what == "gradient[0]" and difference.want == "none" and outside and not np.any(difference.got)


def _norm_of_nothing(data, difference) -> bool:
    empty = "Cannot compute the m" in str(difference.got) and 0 in data["inputs"][0]["shape"]
    given = isinstance(difference.want, dict)
    return difference.what == "outcome" and empty and given and bool(np.isinf(difference.want["value"]).all())


def _zeros_in_float16(data, difference) -> bool:
    """Whether a gradient goes through NaN: float16 has neither 1e-7 squared, the least sum of squares, nor 1e7."""
    x = _values(data)
    return x.dtype == "float16" and difference.what == "gradient[0] values" and bool((x == 0).any())


def _scalar_of_bfloat16(data, difference) -> bool:
    x = data["inputs"][0]
    return difference.what == "outcome" and x["dtype"] == "bfloat16" and tuple(x["shape"]) == ()


def _only_one_along_no_axis(data, difference) -> bool:
    rank, axis = len(data["inputs"][0]["shape"]), data["arguments"].get("axis", 0)
    refused = difference.what == "outcome" and getattr(difference.got, "kind", None) == "ValueError"
    return refused and len(data["inputs"]) == 1 and not -rank <= axis < rank


def _integers_as_they_are(data, difference) -> bool:
    return data["arguments"].get("axis") in ((), []) and _values(data).dtype.kind in "iub"


def _scale_of_another_axis(data, difference) -> bool:
    axis, rank = data["arguments"].get("axis", -1), len(data["inputs"][0]["shape"])
    return "scale" in data["arguments"] and axis not in (-1, rank - 1)


def _wide_integers_to_floats(data, difference) -> bool:
    """Whether a cast goes from integers to floats that do not have all of them exactly."""
    source, target = data["inputs"][0]["dtype"], data["arguments"]["dtype"]
    digits = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}
    return "int" in source and int(source.strip("uint")) > digits.get(target, 64) and difference.what == "value values"


def _repeated_factors(data, difference) -> bool:
    """Whether elements are multiplied several times, by indices of more than two axes."""
    index = made(data["inputs"][1])
    rows = index.reshape(-1, index.shape[-1])
    multiplied = data["arguments"].get("reduction") == "mul" and difference.what.endswith(" values")
    return multiplied and index.ndim > 2 and len(np.unique(rows, axis=0)) < len(rows)


ROWS = [
    (
        "ops/scatter_update",
        _repeated_factors,
        "Keras leaves out factors of repeated indices; ours is the product of all",
    ),
    (
        "ops/select",
        lambda data, difference: data["as"] == "lists" and difference.what == "value dtype",
        "Keras lets NumPy choose among lists, in NumPy's dtypes",
    ),
    (
        "ops/multi_hot",
        lambda data, difference: 0 in data["inputs"][0]["shape"] and difference.what == "value values",
        "Keras gives the dtype's least number where there are no labels",
    ),
    (
        "ops/saturate_cast",
        _wide_integers_to_floats,
        "TensorFlow gives the least integer for any: the largest one, as a float, is beyond the integers",
    ),
    (
        "ops/diagonal",
        _beyond_the_matrix,
        "Keras cuts x off where the diagonal has no elements, but for one along the last axes, and in trace",
    ),
    ("ops/rms_normalization", _scale_of_another_axis, "Keras broadcasts any scale along the last axis"),
    ("ops/nanmean", _integers_as_they_are, "along no axes Keras gives integers back; its symbolic result is of floats"),
    (
        "ops/max_pool ops/adaptive_max_pool",
        _equals_in_space,
        "TensorFlow's kernel of three axes gives each of several largest numbers all of the gradient",
    ),
    ("ops/sign", _beyond_int32, "TensorFlow's sign of uint32 is that of its bits as an int32"),
    (
        BITS,
        _symbolic_shape_of_the_first,
        "Keras's symbolic result has the shape of the first argument, whatever the second's",
    ),
    (
        PRODUCTS,
        _beyond_the_integers,
        "Keras on TensorFlow multiplies some integers as float32: sums do not wrap around",
    ),
    ("ops/fmod", _remainder_beyond_int32, "TensorFlow's fmod of uint32 is that of its bits as an int32"),
    (PRODUCTS, _beyond_floats, "Keras on TensorFlow multiplies some integers as float32, which rounds large ones"),
    ("ops/cumprod", _zeros, "TensorFlow divides by the argument, and leaves out what is 0; ours is the derivative"),
    ("ops/cbrt", _zeros, "the slope at 0 is infinite; Keras multiplies it by sign(0)"),
    ("ops/eye", _diagonal_of_another_length, "Keras makes matrices of another shape than was asked for"),
    ("ops/sparsemax", _several_in_the_support, "Keras sums the ranks of the support where it should count them"),
    (
        "ops/soft_shrink",
        _integers_by_a_fraction,
        "Keras refuses tensors of integers here, and lets NumPy shrink NumPy's arrays, to cut off the fractions",
    ),
    (
        "ops/soft_shrink",
        _below_minus_the_threshold,
        "Keras compares with the negative threshold as an unsigned integer, which wraps around",
    ),
    (
        "ops/vstack ops/hstack",
        _vectors,
        "Keras on TensorFlow concatenates vectors where its documentation and its other back-ends make rows of them",
    ),
    (
        "ops/conv ops/depthwise_conv ops/separable_conv ops/max_pool ops/average_pool",
        _larger_than_the_image,
        "TensorFlow gives empty images, and gradients that nobody wrote, for windows larger than the image",
    ),
    ("ops/add", _added_as_bias, "Keras's ops.add takes arrays of one long axis for a bias"),
    (
        "ops/linspace ops/logspace",
        _wraps_between_the_ends,
        "TensorFlow subtracts the ends as integers of their dtype, which wrap around",
    ),
    ("ops/norm", _axes_put_back_in_disorder, "Keras puts the axes (1, 0) of singular values back in other places"),
    ("ops/round", _rounded_beyond_uint32, "TensorFlow casts floats that uint32 does not hold to any number"),
    (
        "ops/norm",
        _norm_of_nothing,
        "Keras takes the largest of no numbers for -inf here, where its `max` refuses, as NumPy's norm does",
    ),
    ("ops/normalize", _zeros_in_float16, "zeros become NaN in both libraries, and infinite gradients or NaN go on"),
    (
        "ops/convert_to_numpy",
        _scalar_of_bfloat16,
        "Keras ends by accident: NumPy does not take bfloat16's scalars for arrays",
    ),
    (
        "ops/concatenate",
        _only_one_along_no_axis,
        "TensorFlow passes a single tensor through, whatever the axis; Keras's symbolic result refuses it, as ours do",
    ),
    ("ops/hypot", _beside_infinity, "Keras divides infinity by infinity: the gradients of both arguments become NaN"),
    (
        "ops/hypot ops/logaddexp",
        _gradient_of_equals,
        "Keras differentiates through a maximum: for equal arguments all of the gradient goes to one of them",
    ),
]
