"""Functions of tensors of either library, which `Lambda` layers are made of."""

from __future__ import annotations


def double(x):
    """x twice."""
    return x * 2


def power(x, k=2):
    """x times itself."""
    return x**k


def first(x):
    """What is first along the second axis."""
    return x[:, :1]


def sign_of_training(x, training=None):
    """x, with another sign while training."""
    return -x if training else x


def moved_where_masked(x, mask=None):
    """x, and more if there is a mask."""
    return x if mask is None else x + 1


def widened(x):
    """x with another axis."""
    return x[:, None]


def failing(x):
    """What no tensor has."""
    return x.no_such_attribute


def whole(shape):
    """An output's shape: the input's."""
    return shape


def handed_on(inputs, mask=None):
    """An output's mask: the input's."""
    return mask


FUNCTIONS = {f.__name__: f for f in (double, power, first, sign_of_training, moved_where_masked, widened, failing)}
FUNCTIONS |= {f.__name__: f for f in (whole, handed_on)}
