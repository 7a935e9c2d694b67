"""Up-sampling over the array module: x (N, H, W, C)."""

from kerasish.device import array_module
from kerasish.kernels.reference.precision import accumulator


def upsample_nearest(x, factors):
    """Repeats rows fh times and columns fw times: (N, H, W, C) -> (N, H fh, W fw, C)."""
    fh, fw = factors
    return x.repeat(fh, 1).repeat(fw, 2)


def upsample_nearest_grad(gy, factors):
    """The sum over each block of fh x fw: (N, H fh, W fw, C) -> (N, H, W, C)."""
    fh, fw = factors
    n, h, w, c = gy.shape
    blocks = gy.reshape(n, h // fh, fh, w // fw, fw, c)
    return blocks.sum((2, 4), dtype=accumulator(gy.dtype)).astype(gy.dtype)


def resize_bilinear(x, shape):
    """Bilinear interpolation with half-pixel centres, no anti-aliasing, as TensorFlow: -> (N, *shape, C)."""
    wide = x.astype(accumulator(x.dtype), copy=False)
    top, bottom, dh = _between(x, x.shape[1], shape[0])
    left, right, dw = _between(x, x.shape[2], shape[1])
    dh, dw = dh[:, None, None].astype(wide.dtype), dw[:, None].astype(wide.dtype)
    rows = [r[:, :, left] + (r[:, :, right] - r[:, :, left]) * dw for r in (wide[:, top], wide[:, bottom])]
    return (rows[0] + (rows[1] - rows[0]) * dh).astype(x.dtype)


def resize_bilinear_grad(gy, x_shape):
    """dL/dx of `resize_bilinear`: the transposed interpolation, a matrix along each axis."""
    xp = array_module(gy)
    wide = gy.astype(accumulator(gy.dtype), copy=False)
    rows, columns = (_weights(gy, n, out) for n, out in zip(x_shape[1:3], gy.shape[1:3]))
    gx = xp.einsum("nhwc,hi,wj->nijc", wide, rows.astype(wide.dtype), columns.astype(wide.dtype), optimize=True)
    return gx.astype(gy.dtype)


def _between(like, n, out):
    """For each output position: the two inputs that it lies between, and how far from the first."""
    xp = array_module(like)
    at = (xp.arange(out, dtype="float32") + 0.5) * (n / out) - 0.5
    low = xp.floor(at)
    first, second = (xp.clip(i, 0, n - 1).astype("int64") for i in (low, low + 1))
    return first, second, at - low


def _weights(like, n, out):
    """The interpolation as a matrix (out, n)."""
    xp = array_module(like)
    first, second, part = _between(like, n, out)
    columns = xp.arange(n)
    return (columns == first[:, None]) * (1 - part[:, None]) + (columns == second[:, None]) * part[:, None]
