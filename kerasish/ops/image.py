"""keras.ops.image: resizing."""

from __future__ import annotations

from kerasish import names as _names
from kerasish.core.op import Op, Spec
from kerasish.core.tensor import Tensor, as_array
from kerasish.ops.conv import channels_last
from kerasish.ops.indexing import take
from kerasish.ops.shaping import expand_dims, moveaxis, squeeze


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


def resize(images, size, interpolation: str = "bilinear", antialias: bool = False, data_format: str | None = None):
    """Images (N, H, W, C) or (H, W, C) in another size.

    Args:
        images: the images.
        size: (rows, columns).
        interpolation: "bilinear", or "nearest" for whole multiples of the size.
        antialias: must be False.
        data_format: where the channels are.
    """
    if antialias or interpolation not in ("bilinear", "nearest"):
        raise NotImplementedError(
            f"ops.image.resize with interpolation={interpolation!r}, antialias={antialias} is not supported by "
            "kerasish yet; use 'bilinear' or 'nearest' without antialias"
        )
    single = len(images.shape) == 3
    x = expand_dims(images, 0) if single else images
    last = channels_last(data_format)
    x = x if last else moveaxis(x, 1, -1)
    y = ResizeBilinear(size)(x) if interpolation == "bilinear" else _nearest(x, size)
    y = y if last else moveaxis(y, -1, 1)
    return squeeze(y, 0) if single else y


def _nearest(x, size):
    for axis, length in ((1, size[0]), (2, size[1])):
        index = [min(int((i + 0.5) * x.shape[axis] / length), x.shape[axis] - 1) for i in range(length)]
        x = take(x, Tensor(as_array(index)), axis)
    return x


__getattr__ = _names.absent(__name__)
