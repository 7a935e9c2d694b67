"""Winograd's 3x3 convolution, stride 1: F(4x4, 3x3) forward and for the input's gradient, F(3x3, 4x4) for the filters'.

A 6x6 tile of the image becomes 36 points, each point's (tiles x C)(C x F) is one matrix product, and 36 points become
4x4 results: 36 multiplications where the sums themselves take 144. Tiles go through in blocks that stay in the cache.
Tiles on the border are copied with their zeros first, and ragged results are cut out of a whole tile at the end.

Rounding errors are twice those of the direct sums: 6e-7 of a typical result of 64 channels, 1.5e-6 of the largest at
most. `settings.set_winograd(False)` turns to the direct sums. Windows of zeros give the bias alone (`empty.py`).
"""

from typing import NamedTuple

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, njit
from kerasish.device.natives import Native
from kerasish.device.raw import address, call, clear_bytes, copy_bytes, elements, integers, record, room, take
from kerasish.device.thread_pool import prepare, run
from kerasish.kernels import settings
from kerasish.kernels.cpu.empty import empty_windows, fill, write_bias
from kerasish.kernels.cpu.pack import packed
from kerasish.kernels.cpu.simd import (
    HEIGHTS,
    ROWS,
    VECTOR_BYTES,
    panel_start,
    panels_of,
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


class Tiling(NamedTuple):
    """How the image is cut into tiles, as integers: lengths in elements, addresses in bytes."""

    counter: int = 0  # the next job; first, so that its address is the record's
    jobs: int = 0
    N: int = 0
    H: int = 0
    W: int = 0
    C: int = 0
    OH: int = 0
    OW: int = 0
    F: int = 0
    top: int = 0
    left: int = 0
    down: int = 0  # tiles of an image
    across: int = 0
    block: int = 0  # tiles that go through at a time
    lanes: int = 16
    tile: int = 0  # addresses: the tile function, image, points of the filters (or gy), result, bias (or 0)
    x: int = 0
    u: int = 0
    y: int = 0
    bias: int = 0
    cut: int = 0  # the activation, of `tile.CUTS`
    parts: int = 1  # of the tiles, each summed on its own
    panels: int = 0  # of filters
    scratch: int = 0  # address and bytes of each worker's own memory
    scratch_bytes: int = 0
    v_bytes: int = 0  # in it: points of the image, points of the results, a border tile, tables
    m_bytes: int = 0
    edge_bytes: int = 0
    table_bytes: int = 0
    exact: int = 0  # whether windows of zeros give the bias alone


RECORD = np.dtype([(name, np.int64) for name in Tiling._fields])
tiling_at = record(RECORD)
floats = elements("float32")


def tiling(x_shape, y_shape, pads, channels, workers):
    """The `Tiling` of a convolution and the workers' memory, for so many channels of the image at a time."""
    (N, H, W, C), (_, OH, OW, F), (top, left) = x_shape, y_shape, pads
    down, across = -(-OH // 4), -(-OW // 4)
    vectors = tile_width(-(-F // LANES))
    high, wide = HEIGHTS[tile_kind(vectors, True, ROWS)], vectors * LANES
    block = even_block(N * down * across, max(48, CACHE // (POINTS * 4 * channels)), high)
    sizes = (POINTS * apart(block * n * 4) for n in (channels, wide))
    sizes = (*sizes, POINTS * max(channels, wide) * 4)
    table = 16 * (max(channels, block) + ROWS) + 64
    room = sum(sizes) + table + 8 * block + VECTOR_BYTES + wide * 4
    scratch = memory.empty((workers, room // 4), np.float32)
    return scratch, Tiling(
        N=N, H=H, W=W, C=C, OH=OH, OW=OW, F=F, top=top, left=left, down=down, across=across, block=block,
        lanes=LANES, tile=tile_for(4), scratch=address(scratch), scratch_bytes=scratch.strides[0],
        v_bytes=sizes[0], m_bytes=sizes[1], edge_bytes=sizes[2], table_bytes=table,
    )  # fmt: skip


@njit(fastmath=FASTMATH)
def apart(size):
    """Bytes between planes of `size` bytes: 36 at a step of a power of two would share a few lines of a cache."""
    return size | 64


def even_block(tiles, most, high):
    """Tiles of a block, whole tiles of `high` rows: at most about `most`, and blocks that two or four threads share."""
    blocks = -(-tiles // most)
    blocks += -blocks % SHARES
    return -(-tiles // (blocks * high)) * high


def convolve(x, w, taps, steps, y, pads, bias=None, activation=None, exact=True):
    """y = x convolved with 3x3 filters; x and w flat but for x's shape, taps and steps as `pack.packed` wants them.

    If `exact`, windows of zeros give the bias alone, to the bit.
    """
    count = threads.wanted(y.size * x.shape[-1] / 4)
    scratch, plan = tiling(x.shape, y.shape, pads, x.shape[-1], count)
    u = points_of_filters(w, taps, steps, plan)
    bias = None if bias is None else np.ascontiguousarray(bias)
    plan = plan._replace(
        jobs=-(-plan.N * plan.down * plan.across // plan.block), x=address(x), u=address(u), y=address(y),
        bias=0 if bias is None else address(bias), cut=CUTS[activation], exact=exact,
    )  # fmt: skip
    run(forward, np.fromiter(plan, np.int64), count)
    return y


def points_of_filters(w, taps, steps, plan):
    """The filters' points: for each of the 36, panels as in `pack.packed`."""
    C, F = plan.C, plan.F
    panels = packed(w, taps, C, steps[0], F, steps[1])
    u = room((POINTS, apart(C * F * 4) // 4), np.float32, panels)
    given = plan._replace(x=address(panels), u=address(u), jobs=C * F // plan.lanes)
    count = threads.wanted(u.size)
    prepare(filters, np.array(given, np.int64), count, panels, u)
    return u


def _filters(plan, worker):
    p = tiling_at(plan)
    job = take(plan)
    while job < p.C:
        v, vectors, bytes_ = 0, p.F // p.lanes, p.lanes * 4
        while v < vectors:
            wide = tile_width(vectors - v)
            panel, line, whole = p.x + v * 9 * p.C * bytes_, wide * p.C * bytes_, apart(p.C * p.F * 4)
            to = p.u + v * p.C * bytes_
            for i in range(job * wide * bytes_, (job + 1) * wide * bytes_, bytes_):
                transform_filter(panel + i, 3 * line, line, to + i, 6 * whole, whole)
            v += wide
        job = take(plan)


filters = Native(_filters, 2, "")


def _forward(plan, worker):
    p = tiling_at(plan)
    V = p.scratch + worker * p.scratch_bytes
    M, edge = V + p.v_bytes, V + p.v_bytes + p.m_bytes
    table = edge + p.edge_bytes
    empty = table + p.table_bytes if p.exact else 0
    job = take(plan)
    while job < p.jobs:
        first = job * p.block
        count = min(p.block, p.N * p.down * p.across - first)
        _points_of_image(p, first, count, 0, p.C, V, edge, empty)
        _multiply(p, first, count, V, M, edge, table, empty)
        job = take(plan)


forward = Native(_forward, 2, "")


@njit(fastmath=FASTMATH)
def _points_of_image(p, first, count, c, channels, V, edge, empty):
    """The points of some tiles of the image, for some channels from c on: V (36, block, channels); empty windows."""
    line, step = channels * 4, apart(p.block * channels * 4)
    for t in range(count):
        n, i = divmod(first + t, p.down * p.across)
        h, w = i // p.across * 4 - p.top, i % p.across * 4 - p.left
        source, row_step, column_step = p.x + (((n * p.H + h) * p.W + w) * p.C + c) * 4, p.W * p.C * 4, p.C * 4
        if h < 0 or w < 0 or h + 6 > p.H or w + 6 > p.W:
            clear_bytes(edge, POINTS * line)
            j, columns = max(-w, 0), min(p.W - w, 6)
            for i in range(max(-h, 0), min(p.H - h, 6)):
                _copy_pixels(edge + (6 * i + j) * line, line, source + i * row_step + j * column_step, column_step,
                             columns - j, line)  # fmt: skip
            source, row_step, column_step = edge, 6 * line, line
        if empty:
            integers(empty, count)[t] = empty_windows(source, row_step, column_step, line)
        for f in range(0, line, VECTOR_BYTES):
            transform_image(source + f, row_step, column_step, V + t * line + f, 6 * step, step)


@njit(fastmath=FASTMATH)
def _copy_pixels(to, to_step, source, step, count, size):
    """Copies pixels of `size` bytes, all at once where they lie side by side."""
    if to_step == step == size:
        copy_bytes(to, source, count * size)
        return
    for i in range(count):
        copy_bytes(to + i * to_step, source + i * step, size)


@njit(fastmath=FASTMATH)
def _multiply(p, first, count, V, M, edge, table, empty):
    """Panel by panel of filters: 36 products, then the results of the panel."""
    row, most = integers(table, 2 * (p.block + ROWS) + 1), p.block + ROWS
    m_rows, segment = table + most * 8, table + 2 * most * 8
    row[2 * most] = 0
    v, vectors = 0, p.F // p.lanes
    while v < vectors:
        wide = tile_width(vectors - v)
        line = wide * p.lanes
        for t in range(count + ROWS):
            row[t] = min(t, count - 1) * p.C
            row[most + t] = min(t, count - 1) * line
        for e in range(POINTS):
            a, c = V + e * apart(p.block * p.C * 4), M + e * apart(p.block * line * 4)
            b = p.u + e * apart(p.C * p.F * 4) + v * p.lanes * p.C * 4
            t = 0
            while t < count:
                kind = tile_kind(wide, True, count - t)
                tiles = tiles_of(kind, count - t)
                call(p.tile, kind, a, table + t * 8, segment, 1, 1, p.C, b, line, c, m_rows + t * 8, line, ZERO, 0, 0,
                     0, tiles)  # fmt: skip
                t += tiles * HEIGHTS[kind]
        _results(p, first, count, M, edge, v * p.lanes, line * 4, empty)
        v += wide


@njit(fastmath=FASTMATH)
def _results(p, first, count, M, edge, f, bytes_, empty):
    """From points M (36, block, a panel's columns) to results, with bias and activation."""
    step, blank = apart(p.block * bytes_), empty + 8 * p.block
    if empty:
        write_bias(blank + VECTOR_BYTES, bytes_, p.bias + f * 4 if p.bias else 0, p.cut, blank)
    for t in range(count):
        n, i = divmod(first + t, p.down * p.across)
        h, w = i // p.across * 4, i % p.across * 4
        rows, columns = min(p.OH - h, 4), min(p.OW - w, 4)
        to, row_step, column_step = p.y + (((n * p.OH + h) * p.OW + w) * p.F + f) * 4, p.OW * p.F * 4, p.F * 4
        whole = rows == 4 and columns == 4
        for c in range(0, bytes_, VECTOR_BYTES):
            bias = p.bias + f * 4 + c if p.bias else 0
            if whole:
                transform_result(M + t * bytes_ + c, 6 * step, step, to + c, row_step, column_step, bias, p.cut)
            else:
                transform_result(M + t * bytes_ + c, 6 * step, step, edge + c, 4 * bytes_, bytes_, bias, p.cut)
        if not whole:
            for i in range(rows):
                _copy_pixels(to + i * row_step, column_step, edge + 4 * i * bytes_, bytes_, columns, bytes_)
        if empty and integers(empty, count)[t]:
            fill(integers(empty, count)[t], to, row_step, column_step, rows, columns, blank + VECTOR_BYTES, bytes_)


def correlate(x, gy, pads, gw):
    """gw (3, 3, C, F) = the filters' gradient, from x (N, H, W, C) and gy (N, OH, OW, F)."""
    count = threads.wanted(gy.size * x.shape[-1] / 4)
    C, F = x.shape[-1], gy.shape[-1]
    scratch, plan = tiling(x.shape, gy.shape, pads, min(C, CHANNELS), count)
    panels = panels_of(F // plan.lanes)
    pieces = panels * -(-C // CHANNELS)
    blocks = -(-plan.N * plan.down * plan.across // plan.block)
    parts = max(1, min(blocks, UNITS // pieces, PARTIAL // (POINTS * C * F)))
    sums = memory.empty((parts, POINTS, apart(C * F * 4) // 4), np.float32)
    plan = plan._replace(jobs=parts * pieces, parts=parts, panels=panels, x=address(x), u=address(gy), y=address(sums))
    run(gradient, np.fromiter(plan, np.int64), count)
    plan = plan._replace(jobs=C, x=address(sums), y=address(gw))
    run(taps, np.fromiter(plan, np.int64), count)
    return gw


def _gradient(plan, worker):
    p = tiling_at(plan)
    V = p.scratch + worker * p.scratch_bytes
    G, edge = V + p.v_bytes, V + p.v_bytes + p.m_bytes
    table = edge + p.edge_bytes
    tiles, job = p.N * p.down * p.across, take(plan)
    blocks = -(-tiles // p.block)
    while job < p.jobs:
        piece, part = divmod(job, p.parts)
        piece, panel = divmod(piece, p.panels)
        c, v = piece * CHANNELS, panel_start(p.F // p.lanes, panel)
        channels = min(p.C - c, CHANNELS)
        _gradient_rows(p, c, channels, integers(table, 2 * (channels + ROWS) + 1))
        start = ZERO
        for block in range(part * blocks // p.parts, (part + 1) * blocks // p.parts):
            first = block * p.block
            count = min(p.block, tiles - first)
            _points_of_image(p, first, count, c, channels, V, edge, 0)
            _gradient_block(
                p, first, count, channels, V, G, edge, table, v, p.y + part * POINTS * apart(p.C * p.F * 4), start
            )
            start = FROM_C
        job = take(plan)


gradient = Native(_gradient, 2, "")


@njit(fastmath=FASTMATH)
def _gradient_rows(p, c, channels, row):
    """Where channels lie in V and in the sums, and a segment that starts at nothing."""
    for i in range(channels + ROWS):
        row[i] = min(i, channels - 1)
        row[channels + ROWS + i] = (c + min(i, channels - 1)) * p.F
    row[2 * (channels + ROWS)] = 0


@njit(fastmath=FASTMATH)
def _gradient_block(p, first, count, channels, V, G, edge, table, v, sums, start):
    """Adds a block of tiles to the 36 sums of V^T G, for some channels and one panel of filters."""
    wide = tile_width(p.F // p.lanes - v)
    line = wide * p.lanes
    _points_of_gradient(p, first, count, G, edge, v * p.lanes, line * 4)
    y_rows, segment = table + (channels + ROWS) * 8, table + 2 * (channels + ROWS) * 8
    for e in range(POINTS):
        a, b = V + e * apart(p.block * channels * 4), G + e * apart(p.block * line * 4)
        c = sums + e * apart(p.C * p.F * 4) + v * p.lanes * 4
        i = 0
        while i < channels:
            kind = tile_kind(wide, True, channels - i)
            tiles = tiles_of(kind, channels - i)
            call(p.tile, kind, a, table + i * 8, segment, channels, 1, count, b, line, c, y_rows + i * 8, line, start,
                 0, 0, 0, tiles)  # fmt: skip
            i += tiles * HEIGHTS[kind]


@njit(fastmath=FASTMATH)
def _points_of_gradient(p, first, count, G, edge, f, bytes_):
    """The points of some 4x4 tiles of gy, for a panel of filters: G (36, block, columns)."""
    step = apart(p.block * bytes_)
    for t in range(count):
        n, i = divmod(first + t, p.down * p.across)
        h, w = i // p.across * 4, i % p.across * 4
        rows, columns = min(p.OH - h, 4), min(p.OW - w, 4)
        source, row_step, column_step = p.u + (((n * p.OH + h) * p.OW + w) * p.F + f) * 4, p.OW * p.F * 4, p.F * 4
        if rows < 4 or columns < 4:
            clear_bytes(edge, 16 * bytes_)
            for i in range(rows):
                _copy_pixels(edge + 4 * i * bytes_, bytes_, source + i * row_step, column_step, columns, bytes_)
            source, row_step, column_step = edge, 4 * bytes_, bytes_
        for c in range(0, bytes_, VECTOR_BYTES):
            transform_gradient(source + c, row_step, column_step, G + t * bytes_ + c, 6 * step, step)


def _taps(plan, worker):
    """gw from the sums of the parts, added in a fixed order."""
    p = tiling_at(plan)
    c = take(plan)
    while c < p.jobs:
        _add_parts(p, c)
        for f in range(0, p.F * 4, VECTOR_BYTES):
            at, step, to_step = c * p.F * 4 + f, apart(p.C * p.F * 4), p.C * p.F * 4
            transform_taps(p.x + at, 6 * step, step, p.y + at, 3 * to_step, to_step)
        c = take(plan)


taps = Native(_taps, 2, "")


@njit(fastmath=FASTMATH)
def _add_parts(p, c):
    """Adds all parts' sums for channel c to the first part's."""
    plane = apart(p.C * p.F * 4) // 4
    sums = floats(p.x, p.parts * POINTS * plane)
    for part in range(1, p.parts):
        for e in range(POINTS):
            for i in range(e * plane + c * p.F, e * plane + (c + 1) * p.F):
                sums[i] += sums[part * POINTS * plane + i]
