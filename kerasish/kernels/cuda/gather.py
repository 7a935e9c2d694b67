"""What a gathered product needs to know of a convolution: the table of taps, where rows lie, padded channels, tiles."""

import functools
import math
from typing import NamedTuple

import numpy as np

from kerasish.device import array_module, cuda
from kerasish.kernels.cuda import outer, product, tensor
from kerasish.kernels.cuda.arrays import LARGEST, blocks, contiguous

OUTSIDE = 0x7FFF << 16  # a tap that lies below every image
TALLEST = 16000  # rows and taps fit 16 bits
SPARE = 64  # taps after the last one: a tile may reach beyond the last channel
PARTS = 512  # blocks that a gradient of filters is split into, about
WORKSPACE = 1 << 26  # floats of such parts


class Rows(NamedTuple):
    """Where the windows of output pixels begin: sizes of the image, of the walk over it, steps, first window."""

    image: tuple[int, int, int]
    walk: tuple[int, int]
    steps: tuple[int, int]
    first: tuple[int, int]

    def arguments(self, group_channels, groups):
        """As kernels take them; `group_channels` counts the padded channels of a group."""
        _, H, W = self.image
        OH, OW = self.walk
        image, walk = (H, W, groups * group_channels, group_channels), (OH * OW, OW)
        return (*image, *walk, *reciprocal(OH * OW), *reciprocal(OW), *self.steps, *self.first)

    @property
    def count(self):
        return self.image[0] * math.prod(self.walk)

    def fits(self, offsets, *sizes):
        """Whether the kernels' counting suffices for taps at these places and arrays of these sizes."""
        far = max((abs(step) for offset in offsets for step in offset), default=0)
        return self.image[1] < TALLEST and far < TALLEST and all(size <= LARGEST for size in sizes)

    def table(self, offsets, group_channels, pixel):
        """The table of taps on the card; `offsets` are the rows and columns of the taps from the first."""
        return _table(offsets, group_channels, self.image[2], pixel, cuda.current())

    def place(self, y_shape, strides=(1, 1)):
        """The distances in y between images, rows and pixels of the walk, and its first pixel."""
        _, H, W, C = y_shape
        return H * W * C, strides[0] * W * C, strides[1] * C, 0

    def kernel(self, kernel):
        """The kernel that walks these rows."""
        return kernel


def reciprocal(d):
    """A factor r and a shift s with n // d == n * r >> s for all n below 2**31.

    "Division by Invariant Integers using Multiplication" (Granlund, Montgomery 1994), theorem 4.2 for 31 bits.
    """
    shift = 31 + (d - 1).bit_length()
    return -(-(1 << shift) // d), shift


def quads(n):
    """n rounded up to a multiple of 4."""
    return -(-n // 4) * 4


def padded(x, groups):
    """x (..., C) with the channels of each group filled up with zeros to a multiple of 4."""
    each = x.shape[-1] // groups
    xp = array_module(x)
    if each % 4 == 0:
        return contiguous(x)
    out = xp.zeros((*x.shape[:-1], groups, quads(each)), x.dtype)
    out[..., :each] = x.reshape(*x.shape[:-1], groups, each)
    return out.reshape(*x.shape[:-1], -1)


def left_filters(w, groups):
    """w (T, C/G, F) as the right side of the forward product: (T * quads(C/G), G * quads(F/G))."""
    taps, J, F = w.shape
    return _filled(w.reshape(taps, J, groups, F // groups))


def turned_filters(w, groups):
    """w (T, C/G, F) as the right side of the gradient's product: (T * quads(F/G), G * quads(C/G))."""
    taps, J, F = w.shape
    return _filled(w.reshape(taps, J, groups, F // groups).transpose(0, 3, 2, 1))


def _filled(w):
    """(T, A, G, B) with A and B filled up to multiples of 4, as a matrix."""
    taps, A, groups, B = w.shape
    xp = array_module(w)
    if A % 4 or B % 4:
        out = xp.zeros((taps, quads(A), groups, quads(B)), w.dtype)
        out[:, :A, :, :B] = w
        w = out
    return contiguous(w).reshape(taps * w.shape[1], -1)


@functools.lru_cache(1024)
def _table(offsets, group_channels, width, pixel, card):
    channels = np.arange(0, group_channels, 4)
    entries = [
        ((down << 16) | (across & 0xFFFF), (down * width + across) * pixel + channel)
        for down, across in offsets
        for channel in channels
    ]
    return on_card([*entries, *[(OUTSIDE, 0)] * SPARE])


def on_card(pairs):
    """Pairs of integers as an array on the card."""
    return array_module_of_card().asarray(np.array(pairs, np.int64).astype(np.int32))


def array_module_of_card():
    """CuPy."""
    return cuda.cupy()


def forward_tile(M, F, groups):
    """The kernel for a product of M rows and F columns: the largest tile that still gives every multiprocessor work."""
    tiles = product.TILES if cuda.arithmetic() == "float32" else tensor.TILES[cuda.arithmetic()]
    return _tile(tiles, M, F, groups, [(128, 128), (128, 64), (64, 64)] if F > 32 else [(128, 32)])


def _tile(tiles, M, F, groups, sizes):
    sizes = [size for size in sizes if size in tiles and (size[1] <= 64 or F > 64)]
    for rows, columns in sizes:
        if blocks(M, rows) * blocks(F, columns) * groups >= cuda.multiprocessors():
            break
    return tiles[rows, columns], (blocks(M, rows) * blocks(F, columns), groups)


def multiply(x, w, y, rows, taps, groups, F, place, bias=None, activation=None):
    """y[place] = the product of the rows of x with w, plus bias, through the activation; x and w are padded.

    place: as `rows.place` gives it.
    """
    each = x.shape[-1] // groups
    tile, grid = forward_tile(rows.count, F, groups)
    kernel = rows.kernel(tile)
    shared = (rows.count, w.shape[0], F, w.shape[1] // groups, groups, *rows.arguments(each, groups))
    end = (int(bias is not None), product.CUTS[activation])
    kernel[grid, kernel.threads](x, w, y if bias is None else bias, y, taps, *shared, *place, *end)


def outer_size(M, K, F, groups):
    """The tile for a gradient of K x F filters from M pixels."""
    small = K <= 64 or F <= 64 or blocks(K, 128) * blocks(F, 128) * groups * blocks(M, 256) < PARTS
    return (64, 64) if small else (128, 128)


def correlate(x, gy, rows, taps, K, groups):
    """gw (K, G * F) of padded x and gy, in parts that are added in order."""
    xp, F = array_module(x), gy.shape[-1] // groups
    tiles = outer.TILES[cuda.arithmetic()]
    size = outer_size(rows.count, K, F, groups)
    tiles_there = blocks(K, size[0]) * blocks(F, size[1])
    splits = max(1, min(PARTS // max(1, tiles_there * groups), blocks(rows.count, 64), WORKSPACE // (K * F * groups)))
    share = blocks(blocks(rows.count, splits), 16) * 16
    splits = blocks(rows.count, share)
    parts = xp.empty((splits, K, groups * F), x.dtype)
    each = x.shape[-1] // groups
    shape = (rows.count, share, K, F, groups, *rows.arguments(each, groups))
    kernel = rows.kernel(tiles[size])
    kernel[(tiles_there, groups, splits), kernel.threads](x, gy, parts, taps, *shape)
    if splits == 1:
        return parts[0]
    out = xp.empty((K, groups * F), x.dtype)
    outer.sum_parts(parts, out, splits)
    return out
