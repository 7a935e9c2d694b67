"""B in panels: the columns of a tile side by side, row after row, padded with zeros to whole vectors."""

from typing import NamedTuple

import numpy as np

from kerasish.device import threads
from kerasish.device.jit import FASTMATH, njit
from kerasish.device.natives import Native
from kerasish.device.raw import address, clear_bytes, copy_bytes, elements, integers, record, room, take
from kerasish.device.thread_pool import prepare
from kerasish.kernels.cpu.simd import VECTOR_BYTES, copy_vector, lanes, panel_start, panels_of, tile_width, turning

BLOCK = 256  # rows that are packed at a time


class Packing(NamedTuple):
    """Element (image, group, tap, j, n) of B: where it lies in the source, in elements, and where the panels go."""

    counter: int = 0
    source: int = 0
    out: int = 0
    size: int = 4
    lanes: int = 16
    images: int = 1
    image_step: int = 0
    groups: int = 1
    group_step: int = 0
    taps: int = 1
    tap_table: int = 0  # address of each tap's offset
    J: int = 0
    j_step: int = 0
    N: int = 0
    n_step: int = 0
    panels: int = 0


RECORD = np.dtype([(name, np.int64) for name in Packing._fields])
packing_at = record(RECORD)
words, double_words = elements("int32"), elements("int64")
turn_words, turn_double_words = turning(4), turning(8)


def packed(source, taps, J, j_step, N, n_step, group_step=0, image_step=0, groups=1, images=1):
    """Panels (image, group, panel, row k = (tap, j), column n) of a flat source, as a flat array."""
    wide, taps = lanes(source.dtype), np.asarray(taps, np.int64)
    vectors = -(-N // wide)
    out = room(images * groups * vectors * wide * taps.size * J, source.dtype, source)
    packing = Packing(
        0, address(source), address(out), source.itemsize, wide, images, image_step, groups, group_step, taps.size,
        address(taps), J, j_step, N, n_step, panels_of(vectors),
    )  # fmt: skip
    count = threads.wanted(out.size)
    prepare(pack_panels, np.fromiter(packing, np.int64), count, source, out)
    return out


def _pack_panels(packing, worker):
    p = packing_at(packing)
    items = p.images * p.groups * p.panels * p.taps * -(-p.J // BLOCK)
    item = take(packing)
    while item < items:
        _item(p, item)
        item = take(packing)


pack_panels = Native(_pack_panels, 2, "")


@njit(fastmath=FASTMATH)
def _item(p, item):
    """Up to `BLOCK` rows of one tap of one panel."""
    i, block = divmod(item, -(-p.J // BLOCK))
    i, tap = divmod(i, p.taps)
    i, panel = divmod(i, p.panels)
    image, group = divmod(i, p.groups)
    vectors = -(-p.N // p.lanes)
    v = panel_start(vectors, panel)
    width = tile_width(vectors - v) * p.lanes
    row = tap * p.J + block * BLOCK
    to = p.out + (((image * p.groups + group) * vectors + v) * p.lanes * p.taps * p.J + row * width) * p.size
    offset = integers(p.tap_table, p.taps)[tap] + image * p.image_step + group * p.group_step
    at = p.source + (offset + block * BLOCK * p.j_step + v * p.lanes * p.n_step) * p.size
    rows, valid = min(p.J - block * BLOCK, BLOCK), min(p.N - v * p.lanes, width)
    if p.n_step == 1:
        pack_rows(at, p.j_step, rows, valid, width, to, p.size)
    else:
        _turn(p, at, rows, valid, width, to)


@njit(fastmath=FASTMATH)
def pack_rows(source, step, rows, valid, width, to, size):
    """Rows of `valid` contiguous elements, `step` apart, padded with zeros to `width`."""
    for r in range(rows):
        whole = valid * size // VECTOR_BYTES * VECTOR_BYTES
        for i in range(0, whole, VECTOR_BYTES):
            copy_vector(to + r * width * size + i, source + r * step * size + i)
        if whole < valid * size:
            copy_bytes(to + r * width * size + whole, source + r * step * size + whole, valid * size - whole)
        if valid < width:
            clear_bytes(to + (r * width + valid) * size, (width - valid) * size)


@njit(fastmath=FASTMATH)
def _turn(p, source, rows, valid, width, to):
    """Rows whose elements lie `n_step` apart, padded with zeros to `width`; in squares where rows lie side by side."""
    size, square_rows, square_valid = p.size, 0, 0
    if p.j_step == 1:
        square_rows, square_valid = rows - rows % p.lanes, valid - valid % p.lanes
    for j in range(0, square_rows, p.lanes):
        for n in range(0, square_valid, p.lanes):
            here, there = source + (j + n * p.n_step) * size, to + (j * width + n) * size
            if size == 4:
                turn_words(here, p.n_step * size, there, width * size)
            else:
                turn_double_words(here, p.n_step * size, there, width * size)
    for j in range(rows):
        for n in range(square_valid if j < square_rows else 0, valid):
            copy_element(to + (j * width + n) * size, source + (j * p.j_step + n * p.n_step) * size, size)
        if valid < width:
            clear_bytes(to + (j * width + valid) * size, (width - valid) * size)


@njit(fastmath=FASTMATH)
def copy_element(to, source, size):
    """Copy one element of 4 or 8 bytes."""
    if size == 4:
        words(to, 1)[0] = words(source, 1)[0]
    else:
        double_words(to, 1)[0] = double_words(source, 1)[0]
