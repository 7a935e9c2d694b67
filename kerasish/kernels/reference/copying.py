"""Elements moved about as they are, over the array module."""

from kerasish.device import array_module


def zero_pad(x, pads):
    """x with zeros around it: (before, after) for each axis."""
    return array_module(x).pad(x, pads)


def concatenate(arrays, axis):
    """Arrays of one dtype, one after the other along an axis."""
    return array_module(arrays[0]).concatenate(arrays, axis)


def picked(x, key):
    """x[key]."""
    return x[key]
