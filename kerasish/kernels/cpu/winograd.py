"""Winograd's 3x3 convolution, stride 1: F(4x4, 3x3) forward and for the input's gradient, F(3x3, 4x4) for the filters'.

A 6x6 tile of the image becomes 36 points, each point's (tiles x C)(C x F) is one matrix product, and 36 points become
4x4 results: 36 multiplications where the sums themselves take 144. Tiles go through in blocks that stay in the cache.
Tiles on the border are copied with their zeros first, and ragged results are cut out of a whole tile at the end.

Rounding errors are twice those of the direct sums: 6e-7 of a typical result of 64 channels, 1.5e-6 of the largest at
most. `settings.set_winograd(False)` turns to the direct sums. Windows of zeros give the bias alone (`empty.py`).
"""

import functools
from typing import NamedTuple

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, get_thread_id, njit, prange
from kerasish.device.pointer import clear, copy, view
from kerasish.device.raw import room
from kerasish.device.records import changed, record
from kerasish.kernels import settings
from kerasish.kernels.cpu.empty import empty_windows, fill, write_bias
from kerasish.kernels.cpu.pack import packed
from kerasish.kernels.cpu.simd import (
    HEIGHTS,
    ROWS,
    panel_start,
    panels_of,
    tile,
    tile_for,
    tile_kind,
    tile_width,
    tiles_of,
)
from kerasish.kernels.cpu.tile import CUTS, FROM_C, ZERO
from kerasish.kernels.cpu.transform import (
    LANES,
    transform_filter,
    transform_gradient,
    transform_image,
    transform_result,
    transform_taps,
)

POINTS = 36
CACHE = 1 << 20  # bytes of points of the image that a block of tiles may fill
SHARES = 4  # the number of blocks of tiles is a multiple of this, so that threads end together
FEW_TILES = 16  # below so many tiles transforming the filters costs more than it saves,
MANY_FILTERS = (
    1 << 17
)  # or three times as many tiles for so many filters (times channels): their points leave the caches
FEW_CHANNELS = 16  # below so many channels or filters transforming the image does
PARTIAL = 1 << 24  # elements of all parts' sums of the filters' gradient
CHANNELS = 64  # channels of a unit of the filters' gradient
UNITS = 8  # units that the filters' gradient is cut into, whatever the number of threads


def worthwhile(x_shape, w_shape, out, window):
    """Whether Winograd is the faster way from x (N, H, W, C) with w (3, 3, C, F) to results (OH, OW), in float32."""
    C, F = w_shape[2:]
    if not (settings.winograd() and tuple(w_shape[:2]) == (3, 3) and window.groups == 1):
        return False
    if window.strides != (1, 1) or window.dilation != (1, 1) or min(C, F) < FEW_CHANNELS or C % LANES or F % LANES:
        return False
    tiles = x_shape[0] * -(-out[0] // 4) * -(-out[1] // 4)
    few = 3 * FEW_TILES if C * F > MANY_FILTERS else FEW_TILES
    return tiles >= few and x_shape[0] * out[0] * out[1] >= 10 * tiles


@record
class Tiling(NamedTuple):
    """How the image is cut into tiles, and what a thread's own memory holds; lengths in elements."""

    N: int
    H: int
    W: int
    C: int
    OH: int
    OW: int
    F: int
    top: int
    left: int
    down: int  # tiles of an image
    across: int
    block: int  # tiles that go through at a time
    results: int  # where in a thread's memory the points of results begin, behind those of the image,
    edge: int  # a border tile,
    bias: int  # and what a window of zeros gives, behind an empty vector
    room: int
    table: int
    parts: int = 1  # of the tiles, each summed on its own
    panels: int = 0  # of filters
    cut: int = 0  # the activation, of `tile.CUTS`
    exact: int = 0  # whether windows of zeros give the bias alone


@functools.lru_cache(4096)
def tiling(x_shape, y_shape, pads, channels):
    """The `Tiling` of a convolution, for so many channels of the image at a time."""
    (N, H, W, C), (_, OH, OW, F), (top, left) = x_shape, y_shape, pads
    down, across = -(-OH // 4), -(-OW // 4)
    vectors = tile_width(-(-F // LANES))
    high, wide = HEIGHTS[tile_kind(vectors, True, ROWS)], vectors * LANES
    block = even_block(N * down * across, max(48, CACHE // (POINTS * 4 * channels)), high)
    results = POINTS * apart(block * channels)
    edge = results + POINTS * apart(block * wide)
    bias = edge + POINTS * max(channels, wide)
    table = 2 * (max(channels, block) + ROWS) + 8 + block
    return Tiling(
        N, H, W, C, OH, OW, F, top, left, down, across, block, results, edge, bias, bias + LANES + wide, table
    )


def memory_of(plan, workers):
    """Floats and integers for each thread."""
    return memory.empty((workers, plan.room), np.float32), memory.empty((workers, plan.table), np.int64)


@njit(fastmath=FASTMATH)
def apart(size):
    """Elements between planes of `size`: 36 at a step of a power of two would share a few lines of a cache."""
    return size | 16


@functools.lru_cache(256)
def no_bias(F):
    """What can be added to any number, to the bit."""
    return np.full(F, -0.0, np.float32)


def even_block(tiles, most, high):
    """Tiles of a block, whole tiles of `high` rows: at most about `most`, and blocks that two or four threads share."""
    blocks = -(-tiles // most)
    blocks += -blocks % SHARES
    return -(-tiles // (blocks * high)) * high


def convolve(x, w, taps, steps, y, pads, bias=None, activation=None, exact=True):
    """y = x convolved with 3x3 filters; x and w flat but for x's shape, taps and steps as `pack.packed` wants them.

    If `exact`, windows of zeros give the bias alone, to the bit.
    """
    C, F = x.shape[-1], y.shape[-1]
    count, plan = threads.wanted(y.size * C / 4), tiling(x.shape, y.shape, tuple(pads), C)
    scratch, tables = memory_of(plan, count)
    u = points_of_filters(w, taps, steps, C, F)
    bias = no_bias(F) if bias is None else np.ascontiguousarray(bias)
    blocks, plan = (
        -(-plan.N * plan.down * plan.across // plan.block),
        changed(plan, cut=CUTS[activation], exact=int(exact)),
    )
    _forward(blocks, plan, tile_for(x.dtype), x, u, bias, y, scratch, tables, threads=count)
    return y


def points_of_filters(w, taps, steps, C, F):
    """The filters' points: for each of the 36, panels as in `pack.packed`."""
    panels = packed(w, taps, C, steps[0], F, steps[1])
    u = room((POINTS, apart(C * F)), np.float32, panels)
    _filters.prepare(panels, u, C, F, panels, u, threads=threads.wanted(u.size))
    return u


@njit(parallel=True, fastmath=FASTMATH, usual=("int64 float32.1 float32.2",))
def _filters(tasks, F, panels, u):
    """A task is a channel's share: panels of 9 taps to u (36 points, panels)."""
    C = tasks
    for task in prange(tasks):
        v, vectors, whole = 0, F // LANES, u.shape[1]
        while v < vectors:
            wide = tile_width(vectors - v) * LANES
            source, to = view(panels, v * LANES * 9 * C), view(u, v * LANES * C)
            for i in range(task * wide, (task + 1) * wide, LANES):
                transform_filter(view(source, i), 3 * wide * C, wide * C, view(to, i), 6 * whole, whole)
            v += wide // LANES


@njit(
    parallel=True,
    fastmath=FASTMATH,
    usual=("Tiling.1 int64 float32.4 float32.2 float32.1 float32.4 float32.2 int64.2",),
)
def _forward(tasks, tiling, tile_at, x, u, bias, y, scratch, tables):
    """A task is a block of tiles: x (N, H, W, C), u (36, panels), bias (F), y (N, OH, OW, F)."""
    for task in prange(tasks):
        p = tiling[0]
        own, table = view(scratch, get_thread_id() * p.room), view(tables, get_thread_id() * p.table)
        first = task * p.block
        count = min(p.block, p.N * p.down * p.across - first)
        empty = view(table, p.table - p.block)
        _points_of_image(p, view(x, 0), first, count, 0, p.C, own, view(own, p.edge), empty, p.exact)
        _multiply(p, tile_at, first, count, own, view(u, 0), u.shape[1], view(bias, 0), view(y, 0), table, empty)


@njit(fastmath=FASTMATH)
def _points_of_image(p, x, first, count, c, channels, V, edge, empty, exact):
    """The points of some tiles of the image, for some channels from c on: V (36, block, channels); empty windows."""
    step = apart(p.block * channels)
    for t in range(count):
        n, i = divmod(first + t, p.down * p.across)
        h, w = i // p.across * 4 - p.top, i % p.across * 4 - p.left
        row_step, column_step = p.W * p.C, p.C
        if h < 0 or w < 0 or h + 6 > p.H or w + 6 > p.W:
            clear(edge, POINTS * channels)
            j, columns = max(-w, 0), min(p.W - w, 6)
            for i in range(max(-h, 0), min(p.H - h, 6)):
                source = view(x, ((n * p.H + h + i) * p.W + w + j) * p.C + c)
                _copy_pixels(view(edge, (6 * i + j) * channels), channels, source, p.C, columns - j, channels)
            source, row_step, column_step = edge, 6 * channels, channels
        else:
            source = view(x, ((n * p.H + h) * p.W + w) * p.C + c)
        if exact:
            empty[t] = empty_windows(source, row_step, column_step, channels)
        for f in range(0, channels, LANES):
            transform_image(view(source, f), row_step, column_step, view(V, t * channels + f), 6 * step, step)


@njit(fastmath=FASTMATH)
def _copy_pixels(to, to_step, source, step, count, channels):
    """Copies pixels of some channels, all at once where they lie side by side."""
    if to_step == step == channels:
        copy(to, source, count * channels)
        return
    for i in range(count):
        copy(view(to, i * to_step), view(source, i * step), channels)


@njit(fastmath=FASTMATH)
def _multiply(p, tile_at, first, count, V, u, whole, bias, y, table, empty):
    """Panel by panel of filters: 36 products, then the results of the panel."""
    most, M = p.block + ROWS, view(V, p.results)
    v_rows, m_rows, segment = table, view(table, most), view(table, 2 * most)
    segment[0] = 0
    v, vectors = 0, p.F // LANES
    while v < vectors:
        wide = tile_width(vectors - v)
        line = wide * LANES
        for t in range(count + ROWS):
            v_rows[t] = min(t, count - 1) * p.C
            m_rows[t] = min(t, count - 1) * line
        for e in range(POINTS):
            a, c = view(V, e * apart(p.block * p.C)), view(M, e * apart(p.block * line))
            b = view(u, e * whole + v * LANES * p.C)
            t = 0
            while t < count:
                kind = tile_kind(wide, True, count - t)
                tiles = tiles_of(kind, count - t)
                tile(tile_at, kind, a, view(v_rows, t), segment, 1, 1, p.C, b, line, c, view(m_rows, t), line, ZERO, 0,
                     0, 0, tiles)  # fmt: skip
                t += tiles * HEIGHTS[kind]
        _results(p, first, count, M, view(V, p.edge), view(V, p.bias), view(bias, v * LANES), y, v * LANES, line, empty)
        v += wide


@njit(fastmath=FASTMATH)
def _results(p, first, count, M, edge, blank, bias, y, f, columns, empty):
    """From points M (36, block, columns) to results of some filters from f on, with bias and activation."""
    step, alone = apart(p.block * columns), view(blank, LANES)
    if p.exact:
        write_bias(alone, columns, bias, p.cut, blank)
    for t in range(count):
        n, i = divmod(first + t, p.down * p.across)
        h, w = i // p.across * 4, i % p.across * 4
        high, wide = min(p.OH - h, 4), min(p.OW - w, 4)
        to, row_step = view(y, ((n * p.OH + h) * p.OW + w) * p.F + f), p.OW * p.F
        whole = high == 4 and wide == 4
        for c in range(0, columns, LANES):
            points = view(M, t * columns + c)
            if whole:
                transform_result(points, 6 * step, step, view(to, c), row_step, p.F, view(bias, c), p.cut)
            else:
                transform_result(points, 6 * step, step, view(edge, c), 4 * columns, columns, view(bias, c), p.cut)
        if not whole:
            for i in range(high):
                _copy_pixels(view(to, i * row_step), p.F, view(edge, 4 * i * columns), columns, wide, columns)
        if p.exact and empty[t]:
            fill(empty[t], to, row_step, p.F, high, wide, alone, columns)


def correlate(x, gy, pads, gw):
    """gw (3, 3, C, F) = the filters' gradient, from x (N, H, W, C) and gy (N, OH, OW, F)."""
    count = threads.wanted(gy.size * x.shape[-1] / 4)
    C, F = x.shape[-1], gy.shape[-1]
    plan = tiling(x.shape, gy.shape, tuple(pads), min(C, CHANNELS))
    scratch, tables = memory_of(plan, count)
    panels = panels_of(F // LANES)
    pieces = panels * -(-C // CHANNELS)
    blocks = -(-plan.N * plan.down * plan.across // plan.block)
    parts = max(1, min(blocks, UNITS // pieces, PARTIAL // (POINTS * C * F)))
    sums = memory.empty((parts, POINTS, apart(C * F)), np.float32)
    plan = changed(plan, parts=parts, panels=panels)
    _gradient(parts * pieces, plan, tile_for(x.dtype), x, gy, sums, scratch, tables, threads=count)
    _taps(C, F, sums, gw, threads=count)
    return gw


@njit(parallel=True, fastmath=FASTMATH, usual=("Tiling.1 int64 float32.4 float32.4 float32.3 float32.2 int64.2",))
def _gradient(tasks, tiling, tile_at, x, gy, sums, scratch, tables):
    """A task is some channels, a panel of filters and a part of the tiles.

    x (N, H, W, C), gy (N, OH, OW, F), sums (parts, 36, C, F)
    """
    for task in prange(tasks):
        p = tiling[0]
        V, table = view(scratch, get_thread_id() * p.room), view(tables, get_thread_id() * p.table)
        piece, part = divmod(task, p.parts)
        piece, panel = divmod(piece, p.panels)
        c, v = piece * CHANNELS, panel_start(p.F // LANES, panel)
        channels, tiles, start = min(p.C - c, CHANNELS), p.N * p.down * p.across, ZERO
        blocks = -(-tiles // p.block)
        _gradient_rows(p, c, channels, table)
        for block in range(part * blocks // p.parts, (part + 1) * blocks // p.parts):
            first = block * p.block
            count = min(p.block, tiles - first)
            _points_of_image(p, view(x, 0), first, count, c, channels, V, view(V, p.edge), table, 0)
            _gradient_block(
                p, tile_at, view(gy, 0), first, count, channels, V, table, v,
                view(sums, part * POINTS * sums.shape[2]), sums.shape[2], start,
            )  # fmt: skip
            start = FROM_C


@njit(fastmath=FASTMATH)
def _gradient_rows(p, c, channels, row):
    """Where channels lie in V and in the sums, and a segment that starts at nothing."""
    for i in range(channels + ROWS):
        row[i] = min(i, channels - 1)
        row[channels + ROWS + i] = (c + min(i, channels - 1)) * p.F
    row[2 * (channels + ROWS)] = 0


@njit(fastmath=FASTMATH)
def _gradient_block(p, tile_at, gy, first, count, channels, V, table, v, sums, whole, start):
    """Adds a block of tiles to the 36 sums of V^T G, for some channels and one panel of filters."""
    wide, G = tile_width(p.F // LANES - v), view(V, p.results)
    line = wide * LANES
    _points_of_gradient(p, gy, first, count, G, view(V, p.edge), v * LANES, line)
    y_rows, segment = view(table, channels + ROWS), view(table, 2 * (channels + ROWS))
    for e in range(POINTS):
        a, b = view(V, e * apart(p.block * channels)), view(G, e * apart(p.block * line))
        c = view(sums, e * whole + v * LANES)
        i = 0
        while i < channels:
            kind = tile_kind(wide, True, channels - i)
            tiles = tiles_of(kind, channels - i)
            tile(tile_at, kind, a, view(table, i), segment, channels, 1, count, b, line, c, view(y_rows, i), line,
                 start, 0, 0, 0, tiles)  # fmt: skip
            i += tiles * HEIGHTS[kind]


@njit(fastmath=FASTMATH)
def _points_of_gradient(p, gy, first, count, G, edge, f, columns):
    """The points of some 4x4 tiles of gy, for some filters from f on: G (36, block, columns)."""
    step = apart(p.block * columns)
    for t in range(count):
        n, i = divmod(first + t, p.down * p.across)
        h, w = i // p.across * 4, i % p.across * 4
        high, wide = min(p.OH - h, 4), min(p.OW - w, 4)
        source, row_step, column_step = view(gy, ((n * p.OH + h) * p.OW + w) * p.F + f), p.OW * p.F, p.F
        if high < 4 or wide < 4:
            clear(edge, 16 * columns)
            for i in range(high):
                _copy_pixels(view(edge, 4 * i * columns), columns, view(source, i * row_step), p.F, wide, columns)
            source, row_step, column_step = edge, 4 * columns, columns
        for c in range(0, columns, LANES):
            transform_gradient(view(source, c), row_step, column_step, view(G, t * columns + c), 6 * step, step)


@njit(parallel=True, fastmath=FASTMATH, usual=("int64 float32.3 float32.4",))
def _taps(tasks, F, sums, gw):
    """A task is a channel: gw (3, 3, C, F) from sums (parts, 36, C, F), whose parts are added in a fixed order."""
    C, (parts, _, plane) = tasks, sums.shape
    for task in prange(tasks):
        total = view(sums, task * F)
        for part in range(1, parts):
            for e in range(POINTS):
                to, here = view(total, e * plane), view(total, (part * POINTS + e) * plane)
                for i in range(F):
                    to[i] += here[i]
        for f in range(0, F, LANES):
            transform_taps(view(total, f), 6 * plane, plane, view(gw, task * F + f), 3 * C * F, C * F)
