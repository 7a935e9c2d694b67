"""Elements moved about as they are, over the array module."""

import numpy as np

from kerasish.device import array_module, put

SUMS, EXTREMES = (
    ("int32", "uint32", "uint64", "float16", "float32", "float64"),
    ("int32", "uint32", "float32", "float64"),
)
WIDER = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "int32", "uint16": "int32", "float16": "float32"}


def zero_pad(x, pads):
    """x with zeros around it: (before, after) for each axis."""
    return array_module(x).pad(x, pads)


def concatenate(arrays, axis):
    """Arrays of one dtype, one after the other along an axis."""
    return array_module(arrays[0]).concatenate(arrays, axis)


def picked(x, key):
    """x[key]."""
    return x[key_beside(key, x)]


def key_beside(key, x):
    """An index whose arrays lie where x lies."""
    if isinstance(x, np.ndarray):
        return key
    if isinstance(key, tuple):
        return tuple(key_beside(part, x) for part in key)
    return put(key, like=x) if isinstance(key, np.ndarray) else key


def combine_at(out, key, values, how):
    """out[key] = how(out[key], values) in place, again for each time that the key names an element.

    Args:
        out: the array to change.
        key: an index.
        values: what to combine with.
        how: "add", "multiply", "maximum" or "minimum".

    Returns:
        `out`, or a new array where the card's atomics know its dtype only by a wider one.
    """
    xp = array_module(out)
    if xp is np:
        with np.errstate(invalid="ignore"):
            getattr(np, how).at(out, key, values)
        return out
    return _combine_on_card(xp, out, key_beside(key, out), values, how)


def _combine_on_card(xp, out, key, values, how):
    known = {"add": SUMS, "maximum": EXTREMES, "minimum": EXTREMES}.get(how, ())
    name = out.dtype.name
    if how == "add" and name == "int64":  # sums are the same, bit for bit, with and without a sign
        xp.add.at(out.view("uint64"), key, values.astype("int64").view("uint64"))
        return out
    if name not in known and WIDER.get(name) in known:
        return _combine_on_card(xp, out.astype(WIDER[name]), key, values.astype(WIDER[name]), how).astype(name)
    if name not in known:
        raise NotImplementedError(
            f"Elements at repeated indices cannot be combined by {how!r} on a card in {name}: cards do that in "
            f"{', '.join(known) or 'no dtype'}; cast the tensor, or work inside of `with keras.device('cpu'):`"
        )
    getattr(xp, how).at(out, key, values)
    return out
