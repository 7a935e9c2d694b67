"""keras.ops.image: resizing."""

from __future__ import annotations

from kerasish import names as _names
from kerasish.config import image_data_format
from kerasish.core import dtypes
from kerasish.core.op import Op, Spec, spec_of
from kerasish.core.tensor import Tensor, as_array
from kerasish.device import put
from kerasish.ops.composite import composite
from kerasish.ops.convolve import channels_last
from kerasish.ops.core import saturate_cast
from kerasish.ops.elementwise import round
from kerasish.ops.indexing import take
from kerasish.ops.linalg import matmul
from kerasish.ops.resampling import INTERPOLATIONS, weights
from kerasish.ops.shaping import as_tensor, expand_dims, moveaxis, reshape, squeeze
from kerasish.ops.table import cast
from kerasish.ops.tiling import pad


class ResizeBilinear(Op):
    """x (N, H, W, C) in another size, by linear interpolation between pixel centres."""

    def __init__(self, size):
        self.size = tuple(size)

    def infer(self, x):
        return Spec((x.shape[0], *self.size, x.shape[-1]), x.dtype)

    def forward(self, ctx, x):
        ctx.save(x.shape)
        return ctx.kernels.resize_bilinear(x, self.size)

    def backward(self, ctx, gy):
        return ResizeBilinearGrad(ctx.saved[0], self.size)(gy)


class ResizeBilinearGrad(Op):
    """The transpose of `ResizeBilinear`."""

    def __init__(self, x_shape, size):
        self._x_shape, self._size = x_shape, size

    def forward(self, ctx, gy):
        return ctx.kernels.resize_bilinear_grad(gy, self._x_shape)

    def backward(self, ctx, ggx):
        return ResizeBilinear(self._size)(ggx)


def _check(images, size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode):
    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers. Received: size={size}")
    if min(size) < 1:
        raise ValueError(f"`size` must have positive height and width. Received: size={size}")
    if len(images.shape) not in (3, 4):
        raise ValueError(
            "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). Received input with "
            f"shape: images.shape={tuple(images.shape)}"
        )
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ValueError("Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`.")
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"Invalid value for argument `interpolation`. Expected of one {INTERPOLATIONS}. Received: "
            f"interpolation={interpolation}"
        )
    if fill_mode != "constant":
        raise ValueError(
            f"Invalid value for argument `fill_mode`. Only `'constant'` is supported. Received: fill_mode={fill_mode}"
        )


def _resize_spec(
    images,
    size,
    interpolation="bilinear",
    antialias=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    fill_mode="constant",
    fill_value=0.0,
    data_format=None,
):
    _check(images, size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    shape, first = list(images.shape), -3 if channels_last(data_format) else -2
    shape[first], shape[first + 1] = size
    return Spec(tuple(shape), spec_of(images).dtype)


def resize(
    images,
    size,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
):
    """Images (N, H, W, C) or (H, W, C) in another size. Integers are rounded.

    Args:
        images: the images.
        size: (rows, columns).
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5" or "area".
        antialias: whether a smaller image is made of all the pixels that it covers.
        crop_to_aspect_ratio: whether to cut the images to the shape of `size` first, around their centre.
        pad_to_aspect_ratio: whether to fill them up to that shape.
        fill_mode: "constant".
        fill_value: what to fill up with.
        data_format: where the channels are; None means the configured format.

    Raises:
        ValueError: for images of another rank, sizes below 1, and options that do not exist or go together.
    """
    data_format = data_format or image_data_format()
    options = interpolation, antialias, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode, fill_value, data_format
    return _resize(images, tuple(int(n) for n in size), *options)


@composite("keras.src.ops.image", class_name="Resize", infer=_resize_spec)
def _resize(
    images,
    size,
    interpolation,
    antialias,
    crop_to_aspect_ratio,
    pad_to_aspect_ratio,
    fill_mode,
    fill_value,
    data_format,
):
    images = as_tensor(images)
    _check(images, size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    single, last = len(images.shape) == 3, channels_last(data_format)
    x = expand_dims(images, 0) if single else images
    x = x if last else moveaxis(x, 1, -1)
    if crop_to_aspect_ratio:
        x = _cropped(x, size)
    elif pad_to_aspect_ratio:
        x = _padded(x, size, fill_value)
    y = _nearest(x, size) if interpolation == "nearest" else _interpolated(x, size, interpolation, antialias)
    y = y if last else moveaxis(y, -1, 1)
    return squeeze(y, 0) if single else y


def _interpolated(x, size, interpolation, antialias):
    """Interpolation in floats; integers come back rounded, and inside of their range."""
    dtype = x.dtype
    x = x if dtype in ("float32", "float64") else cast(x, "float32")
    if interpolation == "bilinear" and not antialias:
        y = ResizeBilinear(size)(x)
    else:
        y = _resampled(x, size, interpolation, antialias)
    if y.dtype == dtype:
        return y
    return saturate_cast(round(y) if dtypes.is_int(dtype) else y, dtype)


def _resampled(x, size, interpolation, antialias):
    """Each axis by a matrix of weights."""
    (n, h, w, c), (oh, ow) = x.shape, size
    tables = (weights(d, o, interpolation, antialias, x.dtype) for d, o in ((h, oh), (w, ow)))
    down, across = (Tensor(put(table, x.value)) for table in tables)
    rows = matmul(down, reshape(x, (n, h, w * c)))
    return reshape(matmul(across, reshape(rows, (n * oh, w, c))), (n, oh, ow, c))


def _nearest(x, size):
    for axis, length in ((1, size[0]), (2, size[1])):
        index = [min(int((i + 0.5) * x.shape[axis] / length), x.shape[axis] - 1) for i in range(length)]
        x = take(x, Tensor(as_array(index)), axis)
    return x


def _aspect(x, size):
    """The height that goes with x's width in the shape of `size`, and the width that goes with its height."""
    (height, width), (rows, columns) = x.shape[1:3], size
    return int(width * rows / columns), int(height * columns / rows)


def _cropped(x, size):
    height, width = (max(min(d, n), 1) for d, n in zip(x.shape[1:3], _aspect(x, size)))
    top, left = int((x.shape[1] - height) / 2), int((x.shape[2] - width) / 2)
    return x[:, top : top + height, left : left + width]


def _padded(x, size, value):
    lacks = [max(d, n) - d for d, n in zip(x.shape[1:3], _aspect(x, size))]
    around = [(lack // 2, lack // 2) for lack in lacks]  # an odd one is left out, as in Keras
    return pad(x, ((0, 0), *around, (0, 0)), constant_values=value) if any(lacks) else x


_names.explain(__name__)
