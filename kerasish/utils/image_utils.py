"""Pictures as arrays, through Pillow."""

import io
import os
from pathlib import Path

import numpy as np

from kerasish.core.errors import missing_package

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_FILTERS = {
    "nearest": "NEAREST",
    "bilinear": "BILINEAR",
    "bicubic": "BICUBIC",
    "hamming": "HAMMING",
    "box": "BOX",
    "lanczos": "LANCZOS",
}


def pillow():
    """The module PIL.Image, or an ImportError that says how to get it."""
    try:
        from PIL import Image
    except ImportError:
        raise missing_package("pillow", "Reading and writing image files") from None
    return Image


def _data_format(value):
    from kerasish import config

    value = (value or config.image_data_format()).lower()
    if value not in ("channels_first", "channels_last"):
        raise ValueError(
            "The `data_format` argument must be one of {'channels_first', 'channels_last'}. "
            f"Received: data_format={value}"
        )
    return value


def _float_type(dtype):
    from kerasish import config

    return dtype or config.floatx()


def array_to_img(x, data_format: str | None = None, scale: bool = True, dtype: str | None = None):
    """Converts an array to a Pillow image.

    Args:
        x: Array of shape (H, W, C), or (C, H, W) for `"channels_first"`; C is 1, 3 or 4.
        data_format: `"channels_last"` or `"channels_first"`, by default `keras.config.image_data_format()`.
        scale: Whether to stretch the values to 0 .. 255.
        dtype: Type to compute in, by default `keras.config.floatx()`.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: If Pillow is not installed.
        ValueError: If `x` is not one image with 1, 3 or 4 channels.
    """
    image_module = pillow()
    data_format = _data_format(data_format)
    x = np.asarray(x, dtype=_float_type(dtype))
    if x.ndim != 3:
        raise ValueError(f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}")
    if data_format == "channels_first":
        x = x.transpose(1, 2, 0)
    if scale:
        x = x - np.min(x)
        top = np.max(x)
        x = (x / top if top else x) * 255
    channels = x.shape[2]
    if channels in (3, 4):
        return image_module.fromarray(x.astype("uint8"))
    if channels != 1:
        raise ValueError(f"Unsupported channel number: {channels}")
    return image_module.fromarray(x[:, :, 0].astype("int32" if np.max(x) > 255 else "uint8"))


def img_to_array(img, data_format: str | None = None, dtype: str | None = None) -> np.ndarray:
    """Converts a Pillow image to an array.

    Args:
        img: The image, or an array of rank 2 or 3.
        data_format: `"channels_last"` or `"channels_first"`, by default `keras.config.image_data_format()`.
        dtype: Type of the array, by default `keras.config.floatx()`.

    Returns:
        Array of shape (H, W, C) or (C, H, W).
    """
    data_format = _data_format(data_format)
    x = np.array(img, dtype=_float_type(dtype))
    if x.ndim == 2:
        return x[None] if data_format == "channels_first" else x[:, :, None]
    if x.ndim != 3:
        raise ValueError(f"Unsupported image shape: {x.shape}")
    return x.transpose(2, 0, 1) if data_format == "channels_first" else x


def save_img(path, x, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs):
    """Saves an array as an image file.

    Args:
        path: Path, or a file object.
        x: Array of shape (H, W, C) or (C, H, W).
        data_format: `"channels_last"` or `"channels_first"`, by default `keras.config.image_data_format()`.
        file_format: Name of the format, by default from the path's ending.
        scale: Whether to stretch the values to 0 .. 255.
        **kwargs: Further arguments of `PIL.Image.Image.save`.
    """
    image = array_to_img(x, data_format=data_format, scale=scale)
    is_jpeg = str(file_format or "").lower() in ("jpg", "jpeg") or str(path).lower().endswith((".jpg", ".jpeg"))
    if image.mode == "RGBA" and is_jpeg:
        image = image.convert("RGB")
    image.save(path, format="jpeg" if str(file_format or "").lower() == "jpg" else file_format, **kwargs)


def load_img(
    path,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
):
    """Loads an image file.

    Args:
        path: Path of the file, or an `io.BytesIO` with its content.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
        target_size: `(height, width)` to resize to, or `None` to leave the size.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"hamming"`, `"box"` or `"lanczos"`.
        keep_aspect_ratio: Whether to crop to the target's aspect ratio, centred, before resizing.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: If Pillow is not installed.
        TypeError: If `path` is neither a path nor an `io.BytesIO`.
        ValueError: If `color_mode` or `interpolation` is unknown.
    """
    image = _open_image(path)
    if color_mode not in _MODES:
        raise ValueError('color_mode must be "grayscale", "rgb", or "rgba"')
    has_many_greys = color_mode == "grayscale" and image.mode in ("L", "I;16", "I")
    if image.mode != _MODES[color_mode] and not has_many_greys:
        image = image.convert(_MODES[color_mode])
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    if interpolation not in _FILTERS:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are {', '.join(_FILTERS)}"
        )
    resample = getattr(pillow().Resampling, _FILTERS[interpolation])
    box = _centred_box(image.size, target_size) if keep_aspect_ratio else None
    return image.resize((target_size[1], target_size[0]), resample, box=box)


def _open_image(path):
    image_module = pillow()
    if isinstance(path, io.BytesIO):
        return image_module.open(path)
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    path = path.decode() if isinstance(path, bytes) else path
    return image_module.open(io.BytesIO(Path(path).read_bytes()))


def _centred_box(size, target_size):
    """Largest centred box (left, top, right, bottom) with the target's aspect ratio."""
    width, height = size
    target_height, target_width = target_size
    box_height = min(height, width * target_height // target_width)
    box_width = min(width, height * target_width // target_height)
    left, top = (width - box_width) // 2, (height - box_height) // 2
    return left, top, left + box_width, top + box_height
