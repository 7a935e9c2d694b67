"""Pooling on a card for one and two spatial axes: in space, where all axes but these have one element."""

from kerasish.core.shapes import Window
from kerasish.kernels.cuda import pool3d


def max_pool2d(x, size, window, need_where=True, activation=None):
    """The largest element of each window; padding never wins, a NaN always does.

    x      (N, *S, C)
    ->  y  (N, *O, C), where (N, *O, C): number of the first maximum in its window (None unless needed)

    With "relu" as activation, y is at least 0, and where no element is above 0 the number is none of the window's.
    """
    y, where = pool3d.max_pool3d(_deep(x, size), *_lifted(size, window), need_where, activation)
    return _flat(y, size), None if where is None else _flat(where, size)


def max_pool2d_grad(gy, where, x_shape, size, window):
    """dL/dx of `max_pool2d`: each gy goes to the maximum that it came from."""
    shape = _deep_shape(x_shape, size)
    gx = pool3d.max_pool3d_grad(_deep(gy, size), _deep(where, size), shape, *_lifted(size, window))
    return _flat(gx, size)


def average_pool2d(x, size, window):
    """The mean of each window, over the elements that lie inside the image."""
    return _flat(pool3d.average_pool3d(_deep(x, size), *_lifted(size, window)), size)


def average_pool2d_grad(gy, x_shape, size, window):
    """dL/dx of `average_pool2d`: each gy spreads evenly over the part of its window that lies inside the image."""
    gx = pool3d.average_pool3d_grad(_deep(gy, size), _deep_shape(x_shape, size), *_lifted(size, window))
    return _flat(gx, size)


def _deep(x, size):
    return x.reshape(_deep_shape(x.shape, size))


def _deep_shape(shape, size):
    return (shape[0], *[1] * (3 - len(size)), *shape[1:])


def _flat(x, size):
    return x.reshape((x.shape[0], *x.shape[4 - len(size) :]))


def _lifted(size, window):
    """The size of windows, and the window, for three axes."""
    ones = (1,) * (3 - len(size))
    pads = (*[(0, 0)] * len(ones), *window.pads)
    return (*ones, *size), Window((*ones, *window.strides), pads, (*ones, *window.dilation))
