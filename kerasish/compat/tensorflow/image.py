"""tf.image: the functions that scripts use to prepare pictures."""

import numpy as _np

from kerasish import ops as _ops
from kerasish import random as _random
from kerasish.compat.tensorflow.table import lookup as _lookup
from kerasish.core.tensor import convert_to_tensor as _tensor

_LUMA = _np.array([0.2989, 0.587, 0.114], "float32")  # ITU-R BT.601, as TensorFlow rounds it
__getattr__ = _lookup(__name__)


def resize(images, size, method="bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False, name=None):
    """Pictures in another size; float32 unless `method` is "nearest"."""
    if preserve_aspect_ratio:
        raise ValueError(
            "tf.image.resize(preserve_aspect_ratio=True): use keras.ops.image.resize with cropping or padding"
        )
    images = _tensor(images)
    if method != "nearest":
        images = _ops.cast(images, "float32")
    return _ops.image.resize(images, size, interpolation=str(method), antialias=antialias, data_format="channels_last")


def rgb_to_grayscale(images, name=None):
    """One channel: the brightness."""
    return _ops.sum(_ops.multiply(images, _LUMA), axis=-1, keepdims=True)


def grayscale_to_rgb(images, name=None):
    """Three equal channels."""
    return _ops.repeat(images, 3, axis=-1)


def flip_left_right(image):
    """Mirror image."""
    return _ops.flip(image, axis=-2)


def flip_up_down(image):
    """The picture upside down."""
    return _ops.flip(image, axis=-3)


def random_flip_left_right(image, seed=None):
    """Mirror image, in half of the calls."""
    return flip_left_right(image) if _coin(seed) else _tensor(image)


def random_flip_up_down(image, seed=None):
    """The picture upside down, in half of the calls."""
    return flip_up_down(image) if _coin(seed) else _tensor(image)


def adjust_brightness(image, delta):
    """Adds `delta` to every entry."""
    return _ops.add(image, delta)


def adjust_contrast(images, contrast_factor):
    """Moves every channel away from its mean by a factor."""
    mean = _ops.mean(images, axis=(-3, -2), keepdims=True)
    return (images - mean) * contrast_factor + mean


def per_image_standardization(image):
    """Every picture with mean 0 and variance 1."""
    image = _ops.cast(image, "float32")
    axes = (-3, -2, -1)
    count = image.shape[-1] * image.shape[-2] * image.shape[-3]
    deviation = _ops.maximum(_ops.std(image, axis=axes, keepdims=True), count**-0.5)
    return (image - _ops.mean(image, axis=axes, keepdims=True)) / deviation


def convert_image_dtype(image, dtype, saturate: bool = False, name=None):
    """Pictures of bytes (0 to 255) as floats (0 to 1), or the other way round."""
    image = _tensor(image)
    was_float, is_float = "float" in image.dtype, "float" in str(dtype)
    if was_float == is_float:
        return _ops.cast(image, dtype)
    if is_float:
        return _ops.cast(image, dtype) / 255
    scaled = image * 255.5
    return _ops.cast(_ops.clip(scaled, 0, 255) if saturate else scaled, dtype)


def _coin(seed):
    return float(_random.uniform((), seed=seed)) < 0.5
