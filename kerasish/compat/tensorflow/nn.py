"""tf.nn."""

from kerasish import ops as _ops
from kerasish.compat.tensorflow import rows as _rows
from kerasish.compat.tensorflow.functions import l2_normalize as l2_normalize
from kerasish.compat.tensorflow.table import lookup as _lookup

__getattr__ = _lookup(__name__, _rows.NN)


def _window(value, data_format):
    """The steps over rows and columns of TensorFlow's number, pair, or list over all four axes."""
    if isinstance(value, int) or len(value) == 2:
        return value
    return (
        tuple(value[0:1] * 2)
        if len(value) == 1
        else tuple(value[2:] if _layout(data_format) == "channels_first" else value[1:3])
    )


def _layout(data_format):
    return "channels_first" if data_format in ("NCHW", "NCW", "NCDHW") else "channels_last"


def _padding(padding):
    if not isinstance(padding, str):
        raise TypeError(f"tf.nn: padding={padding!r}; kerasish's stand-in takes 'SAME' or 'VALID', use tf.pad before")
    return padding.lower()


def conv2d(input, filters, strides, padding, data_format="NHWC", dilations=1, name=None):
    """Cross-correlation with (KH, KW, C, F) filters."""
    return _ops.conv(
        input,
        filters,
        strides=_window(strides, data_format),
        padding=_padding(padding),
        data_format=_layout(data_format),
        dilation_rate=_window(dilations or 1, data_format),
    )


def depthwise_conv2d(input, filter, strides, padding, data_format="NHWC", dilations=1, name=None):
    """Cross-correlation of every channel with its own (KH, KW, C, M) filters."""
    return _ops.depthwise_conv(
        input,
        filter,
        strides=_window(strides, data_format),
        padding=_padding(padding),
        data_format=_layout(data_format),
        dilation_rate=_window(dilations or 1, data_format),
    )


def max_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """Largest value in each window."""
    return _ops.max_pool(
        input, _window(ksize, data_format), _window(strides, data_format), _padding(padding), _layout(data_format)
    )


def avg_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """Mean of each window."""
    return _ops.average_pool(
        input, _window(ksize, data_format), _window(strides, data_format), _padding(padding), _layout(data_format)
    )


max_pool, avg_pool = max_pool2d, avg_pool2d


def gelu(features, approximate: bool = False, name=None):
    """Gaussian error linear unit."""
    return _ops.gelu(features, approximate=approximate)


def bias_add(value, bias, data_format=None, name=None):
    """Adds one number per channel."""
    if _layout(data_format) == "channels_first":
        bias = _ops.reshape(bias, (-1, *[1] * (len(value.shape) - 2)))
    return _ops.add(value, bias)


def dropout(x, rate, seed=None, name=None):
    """Sets a fraction of the entries to zero and scales up the rest."""
    from kerasish import random

    return random.dropout(x, rate, seed=seed)


def moments(x, axes, shift=None, keepdims: bool = False, name=None):
    """Mean and variance."""
    return _ops.moments(x, axes, keepdims=keepdims)


def l2_loss(t, name=None):
    """Half the sum of squares."""
    return _ops.sum(_ops.square(t)) / 2


def embedding_lookup(params, ids, name=None):
    """Rows at the given indices."""
    return _ops.take(params, ids, axis=0)


def softmax_cross_entropy_with_logits(labels, logits, axis: int = -1, name=None):
    """Cross-entropy between distributions and softmax(logits), one number per row."""
    return _ops.categorical_crossentropy(labels, logits, from_logits=True, axis=axis)


def sparse_softmax_cross_entropy_with_logits(labels, logits, name=None):
    """Cross-entropy between class numbers and softmax(logits), one number per row."""
    return _ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def sigmoid_cross_entropy_with_logits(labels=None, logits=None, name=None):
    """Cross-entropy between probabilities and sigmoid(logits), entry by entry."""
    return _ops.binary_crossentropy(labels, logits, from_logits=True)
