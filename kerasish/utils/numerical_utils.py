"""Labels to one-hot rows, and rows to unit length."""

import numpy as np

from kerasish.core.tensor import is_tensor


def to_categorical(x, num_classes: int | None = None):
    """Turns class numbers into one-hot rows.

    Args:
        x: Class numbers from 0 to `num_classes - 1`, an array or a list.
        num_classes: Number of classes, by default the largest number plus one.

    Returns:
        The one-hot rows: a NumPy array, or a Tensor if `x` is one. A last axis of length one is dropped first.

    Example:

    >>> keras.utils.to_categorical([0, 2], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    if is_tensor(x):
        from kerasish import ops

        shape = x.shape[:-1] if len(x.shape) > 1 and x.shape[-1] == 1 else x.shape
        if num_classes is None:
            num_classes = int(np.max(x.numpy())) + 1
        return ops.one_hot(ops.reshape(x, shape), num_classes)
    labels = np.array(x, dtype="int64")
    shape = labels.shape
    if shape and shape[-1] == 1 and len(shape) > 1:
        shape = shape[:-1]
    labels = labels.reshape(-1)
    if not num_classes:
        num_classes = np.max(labels) + 1
    rows = np.zeros((labels.shape[0], num_classes))
    rows[np.arange(labels.shape[0]), labels] = 1
    return rows.reshape((*shape, num_classes))


def normalize(x, axis: int = -1, order: int | float = 2):
    """Scales an array to norm one along an axis; what is zero stays zero.

    Args:
        x: Array to normalize.
        axis: Axis along which the norm is taken.
        order: Order of the norm (2 is the Euclidean length).

    Returns:
        An array like `x`: NumPy stays NumPy, a Tensor stays a Tensor.
    """
    if isinstance(x, np.ndarray):
        norm = np.atleast_1d(np.linalg.norm(x, order, axis))
        norm[norm == 0] = 1
        return x / np.expand_dims(norm, axis)
    from kerasish import ops

    return ops.normalize(x, axis=axis, order=order)
