"""B in panels: the columns of a tile side by side, row after row, padded with zeros to whole vectors."""

import functools
from typing import NamedTuple

import numpy as np

from kerasish.device import threads
from kerasish.device.jit import FASTMATH, njit, prange
from kerasish.device.pointer import clear, copy, view
from kerasish.device.raw import room
from kerasish.device.records import as_record, record
from kerasish.kernels.cpu.simd import copy_vector, lanes, panel_start, panels_of, tile_width, turn

BLOCK = 256  # rows that are packed at a time


@record
class Packing(NamedTuple):
    """Where element (image, group, tap, j, n) of B lies in its source, in elements; taps have a table of offsets."""

    lanes: int
    images: int
    image_step: int
    groups: int
    group_step: int
    taps: int
    J: int
    j_step: int
    N: int
    n_step: int
    panels: int


def packed(source, taps, J, j_step, N, n_step, group_step=0, image_step=0, groups=1, images=1):
    """Panels (image, group, panel, row k = (tap, j), column n) of a flat source, as a flat array.

    taps: the offset of each, as a tuple or a range
    """
    shape = taps, J, j_step, N, n_step, group_step, image_step, groups, images
    packing, offsets, tasks, size = _packing(lanes(source.dtype), *shape)
    out = room(size, source.dtype, source)
    _pack_panels.prepare(source, out, tasks, packing, source, offsets, out, threads=threads.wanted(size))
    return out


@functools.lru_cache(4096)
def _packing(wide, taps, J, j_step, N, n_step, group_step, image_step, groups, images):
    """(the record, the table of taps, tasks, elements of the panels)."""
    offsets, vectors = np.array(taps, np.int64), -(-N // wide)
    panels = panels_of(vectors)
    packing = Packing(wide, images, image_step, groups, group_step, len(taps), J, j_step, N, n_step, panels)
    tasks = images * groups * panels * len(taps) * -(-J // BLOCK)
    return as_record(packing), offsets, tasks, images * groups * vectors * wide * len(taps) * J


@njit(parallel=True, fastmath=FASTMATH, usual=("Packing.1 float32.1 int64.1 float32.1",))
def _pack_panels(tasks, packing, source, taps, out):
    """A task is up to `BLOCK` rows of one tap of one panel: source flat, taps (taps), out flat."""
    for task in prange(tasks):
        p = packing[0]
        i, block = divmod(task, -(-p.J // BLOCK))
        i, tap = divmod(i, p.taps)
        i, panel = divmod(i, p.panels)
        image, group = divmod(i, p.groups)
        vectors = -(-p.N // p.lanes)
        v = panel_start(vectors, panel)
        width = tile_width(vectors - v) * p.lanes
        row = tap * p.J + block * BLOCK
        to = view(out, ((image * p.groups + group) * vectors + v) * p.lanes * p.taps * p.J + row * width)
        start = view(taps, tap)[0] + image * p.image_step + group * p.group_step
        here = view(source, start + block * BLOCK * p.j_step + v * p.lanes * p.n_step)
        rows, valid = min(p.J - block * BLOCK, BLOCK), min(p.N - v * p.lanes, width)
        if p.n_step == 1:
            pack_rows(here, p.j_step, rows, valid, width, to, p.lanes)
        else:
            _turn(p, here, rows, valid, width, to)


@njit(fastmath=FASTMATH)
def pack_rows(source, step, rows, valid, width, to, lanes):
    """Rows of `valid` contiguous elements, `step` apart, padded with zeros to `width`."""
    whole = valid // lanes * lanes
    for r in range(rows):
        for i in range(0, whole, lanes):
            copy_vector(view(to, r * width + i), view(source, r * step + i))
        if whole < valid:
            copy(view(to, r * width + whole), view(source, r * step + whole), valid - whole)
        if valid < width:
            clear(view(to, r * width + valid), width - valid)


@njit(fastmath=FASTMATH)
def _turn(p, source, rows, valid, width, to):
    """Rows whose elements lie `n_step` apart, padded with zeros to `width`; in squares where rows lie side by side."""
    square_rows, square_valid = 0, 0
    if p.j_step == 1:
        square_rows, square_valid = rows - rows % p.lanes, valid - valid % p.lanes
    for j in range(0, square_rows, p.lanes):
        for n in range(0, square_valid, p.lanes):
            turn(view(source, j + n * p.n_step), p.n_step, view(to, j * width + n), width)
    for j in range(rows):
        for n in range(square_valid if j < square_rows else 0, valid):
            to[j * width + n] = source[j * p.j_step + n * p.n_step]
        if valid < width:
            clear(view(to, j * width + valid), width - valid)
