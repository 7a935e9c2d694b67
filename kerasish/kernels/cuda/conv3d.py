"""Convolution in space: the products of the plane with windows that also lie in depth.

The kernels of `product.py`, `tensor.py` and `outer.py` know of axes in three functions only: where a window begins,
whether a tap of it lies inside, where a result goes. `DEEP` are the same kernels with the functions below in their
place. So a convolution in space is one launch with no copy of the image and no sums to add up; strides, padding and
dilation are numbers, as in the plane. Other ways cost more. A product of planes for each tap of the depth writes and
reads the result as often, and copies the planes that it meets: with a border, or a stride, those of all samples are not
evenly apart. One product over a padded copy, with the depth in the table of taps, needs a walk of even steps over
(sample, depth, row): where windows overlap there is none, unless it computes results that belong to nothing.

Numbers that come in pairs share an argument, depth in the upper half, rows in the lower: the kernels take as many
arguments as before. A tap is three numbers, of 12, 10 and 10 bits.
"""

import functools
import math
from typing import NamedTuple

from numpy import int32

from kerasish.device import cuda as card
from kerasish.device.cuda_jit import cuda
from kerasish.kernels.cuda import outer, product, tensor
from kerasish.kernels.cuda.arrays import LARGEST
from kerasish.kernels.cuda.asm import inside
from kerasish.kernels.cuda.gather import SPARE, on_card, reciprocal
from kerasish.kernels.cuda.product import divided

FAR = -(1 << 14)  # a depth so far outside of the image that no tap leads back into it
OUTSIDE = -(1 << 31)  # a tap 2048 planes before the window
LEVEL = 1 << 14  # what is added to a row, so that it is positive, and more than there are rows, in its half
DEEPEST, FARTHEST = 2000, 1000  # planes of an image; steps from an image's border to a window, and to its last tap


@cuda.jit(device=True)
def upper(pair):
    return int32(pair >> int32(16))


@cuda.jit(device=True)
def lower(pair):
    return int32(pair & int32(0xFFFF))


@cuda.jit(device=True)
def lines(m, OHW, OW, OHW_R, OHW_S, OW_R, OW_S):
    """Output pixel m's image, depth, row and column."""
    line = divided(m, OW_R, OW_S)
    plane = divided(line, OHW_R, OHW_S)
    n = int32(plane // upper(OHW))
    return n, int32(plane - n * upper(OHW)), int32(line - plane * lower(OHW)), int32(m - line * OW)


@cuda.jit(device=True)
def origin(m, M, H, W, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, SH, SW, H0, W0):
    """Where the window of output pixel m begins: the pixel's number, its depth and row, its column."""
    n, depth, row, column = lines(m, OHW, OW, OHW_R, OHW_S, OW_R, OW_S)
    depth, row = int32(depth * upper(SH) + upper(H0)), int32(row * lower(SH) + lower(H0))
    left = int32(column * SW + W0)
    first = int32(((n * upper(H) + depth) * lower(H) + row - int32(LEVEL)) * W + left)
    return first, int32(((depth if m < M else int32(FAR)) << int32(16)) | row), left


@cuda.jit(device=True)
def reached(top, left, tap, H, W):
    """Whether a tap of a window lies inside of the image; with LEVEL in `at`, one comparison sees the depth alone."""
    at = int32(top + ((tap >> int32(4)) & int32(-65536)) + ((tap >> int32(10)) & int32(0x3FF)))
    across = int32(left + (tap & int32(0x3FF)))
    return inside(at, H) & inside(int32(lower(at) - int32(LEVEL)), lower(H)) & inside(across, W)


@cuda.jit(device=True)
def placed(m, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, YN, YH, YW, YD):
    """Where output pixel m lies in y."""
    n, depth, row, column = lines(m, OHW, OW, OHW_R, OHW_S, OW_R, OW_S)
    return int32(n * YN + depth * YD + row * YH + column * YW)


TILES = [product.TILES, *tensor.TILES.values(), *outer.TILES.values()]
WALK = {"origin": origin, "reached": reached, "placed": placed}
DEEP = {kernel: kernel.specialize(f"deep_{kernel.name}", **WALK) for tiles in TILES for kernel in tiles.values()}


class Volumes(NamedTuple):
    """`Rows` of three axes: sizes of the image, of the walk over it, steps, first window, depth first."""

    image: tuple[int, int, int, int]
    walk: tuple[int, int, int]
    steps: tuple[int, int, int]
    first: tuple[int, int, int]

    def arguments(self, group_channels, groups):
        """As kernels take them; `group_channels` counts the padded channels of a group."""
        (D, H, W), (OD, OH, OW), (SD, SH, SW), (D0, H0, W0) = self.image[1:], self.walk, self.steps, self.first
        image, walk = (pair(D, H), W, groups * group_channels, group_channels), (pair(OD, OH), OW)
        steps, first = (pair(SD, SH), SW), (pair(D0, H0 + LEVEL), W0)
        return (*image, *walk, *reciprocal(OH), *reciprocal(OW), *steps, *first)

    @property
    def count(self):
        return self.image[0] * math.prod(self.walk)

    def fits(self, offsets, *sizes):
        """Whether halves and tenths suffice for all numbers, and the kernels' counting for arrays of these sizes."""
        steps = [*map(abs, self.first), *(step for places in offsets for step in places)]
        halves = (self.image[2], *self.walk[:2], *self.steps[:2])
        small = self.image[1] <= DEEPEST and max(steps) <= FARTHEST and max(halves) < LEVEL - FARTHEST
        return small and all(size <= LARGEST for size in sizes)

    def table(self, offsets, group_channels, pixel):
        """The table of taps on the card; `offsets` are the depths, rows and columns of the taps from the first."""
        return _table(offsets, group_channels, self.image[2:], pixel, card.current())

    def place(self, y_shape, strides=(1, 1, 1)):
        """The distances in y between images, rows, pixels and planes of the walk."""
        _, D, H, W, C = y_shape
        return D * H * W * C, strides[1] * W * C, strides[2] * C, strides[0] * H * W * C

    def kernel(self, kernel):
        """The kernel that walks these rows."""
        return DEEP[kernel]


def pair(depth, row):
    """Two numbers of 16 bits in one."""
    return (depth << 16) | row


@functools.lru_cache(1024)
def _table(offsets, group_channels, image, pixel, card):
    H, W = image
    entries = [
        ((deep << 20) | (down << 10) | across, ((deep * H + down) * W + across) * pixel + channel)
        for deep, down, across in offsets
        for channel in range(0, group_channels, 4)
    ]
    return on_card([*entries, *[(OUTSIDE, 0)] * SPARE])
