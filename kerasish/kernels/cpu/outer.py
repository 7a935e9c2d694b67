"""g[k, f] = sum over pixels of window(pixel)[k] * gy[pixel, f]: the engine of the filters' gradients."""

import functools

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, get_thread_id, njit, prange
from kerasish.device.pointer import view
from kerasish.device.records import changed
from kerasish.kernels.cpu.pack import pack_rows
from kerasish.kernels.cpu.plan import FAST, input_rows, job_place, locate
from kerasish.kernels.cpu.simd import (
    HEIGHTS,
    ROWS,
    WIDE,
    panel_start,
    panels_of,
    tile,
    tile_for,
    tile_kind,
    tile_width,
    tiles_of,
)
from kerasish.kernels.cpu.tile import FROM_C, RUN, ZERO

UNITS = 16  # units that the work is cut into, whatever the number of threads: sums never depend on it
SUMMED = 1024  # pixels that a part should sum at least, as all parts' sums must be added
PART = 1 << 17  # elements of the gradient that a unit sums: they stay in L2 while the pixels pass by
FEW_ROWS = 64  # rows of the gradient for which packing gy would cost more than reading it where it lies
SHORT = 128  # rows that a unit should have at least, as gy is packed for them alone
PARTIAL = 1 << 24  # elements of all parts' sums


def correlate(plan, x, gy, g):
    """Run a plan: x and gy flat, g of KH * KW * J * G * F elements."""
    K, F, pixels = plan.KH * plan.KW * plan.J, plan.F * plan.G, plan.N * plan.OH * plan.OW
    splits, block, parts = units_of(K, plan.F, plan.G, pixels, plan.copied, plan.lanes)
    parts = max(1, min(parts, plan.jobs, PARTIAL // (K * F)))
    units = plan.G * splits * -(-K // block) * parts
    count = min(threads.wanted(pixels * K * F / FAST), units)
    scratch = memory.empty((count, input_rows(plan) * plan.line + 64), x.dtype)
    tables = np.empty((count, plan.rows + 2 * (block + ROWS)), np.int64)
    packed = memory.empty((count, plan.rows * plan.columns * WIDE * plan.lanes), x.dtype)
    sums = memory.empty((parts, K * F), x.dtype) if parts > 1 else g.reshape(1, -1)
    plan = changed(plan, parts=parts, block=block, splits=splits)
    _outer_products(units, plan, tile_for(x.dtype), x, gy, sums, scratch, tables, packed, threads=count)
    if parts > 1:
        _sum_parts(max(1, K * F // 4096), sums, g.reshape(-1), threads=count)
    return g


@functools.lru_cache(4096)
def units_of(K, F, groups, pixels, copied, lanes):
    """(pieces that panels of gy, rows of the gradient, parts that pixels are cut into) for units of the best size."""
    vectors, blocks, splits, parts = -(-F // lanes), 1, 1, max(1, min(UNITS, pixels // SUMMED))
    panels, high = panels_of(vectors), HEIGHTS[tile_kind(tile_width(vectors), True, ROWS)]
    while True:
        large = K * F > PART * splits * blocks
        few = groups * parts * splits * blocks < UNITS and not (copied and parts > 1)
        if (large or few) and 2 * splits <= panels:
            splits *= 2
        elif (large and K > blocks * high) or (few and K >= 2 * blocks * SHORT):
            blocks *= 2
        else:
            return splits, -(-K // (blocks * high)) * high, parts


KINDS = "Plan.1 int64 float32.1 float32.1 float32.2 float32.2 int64.2 float32.2"


@njit(parallel=True, fastmath=FASTMATH, usual=(KINDS,))
def _outer_products(tasks, plan, tile_at, x, gy, sums, scratch, tables, packed):
    """A task is a unit: some rows of the gradient for some panels of a group, over one part of the jobs.

    x and gy flat, sums (parts, K * F); scratch, tables and packed a row for each thread.
    """
    for task in prange(tasks):
        p, thread = plan[0], get_thread_id()
        K = p.KH * p.KW * p.J
        unit, part = divmod(task, p.parts)
        unit, split = divmod(unit, p.splits)
        group, b = divmod(unit, -(-K // p.block))
        _unit(
            p, tile_at, x, gy, view(sums, part * K * p.F * p.G), view(scratch, thread * scratch.shape[1]),
            view(tables, thread * tables.shape[1]), view(packed, thread * packed.shape[1]), part, split, group,
            b * p.block, min(K, (b + 1) * p.block),
        )  # fmt: skip


@njit(fastmath=FASTMATH)
def _unit(p, tile_at, x, gy, sums, scratch, table, packed, part, split, group, k0, k1):
    """Rows k0 to k1 of the gradient for some panels of a group, over one part of the jobs."""
    total = k1 - k0 + ROWS
    bases, x_rows, y_rows = table, view(table, p.rows), view(table, p.rows + total)
    _rows(p, group, k0, k1, x_rows, y_rows)
    vectors, start = -(-p.F // p.lanes), ZERO
    panels = panels_of(vectors)
    a = scratch if p.copied else view(x, 0)
    for job in range(part * p.jobs // p.parts, (part + 1) * p.jobs // p.parts):
        first, rows, q, columns = job_place(p, job)
        locate(p, x, first, rows, q, scratch, bases)
        for panel in range(split * panels // p.splits, (split + 1) * panels // p.splits):
            v = panel_start(vectors, panel)
            wide, here = tile_width(vectors - v), v * p.lanes
            line, valid = wide * p.lanes, min(wide * p.lanes, p.F - here)
            b, step = view(gy, ((first * p.OW + q) * p.G + group) * p.F + here), p.F * p.G
            lies_even = valid == line and (rows == 1 or columns == p.OW)
            if not lies_even or (line != step and k1 - k0 > FEW_ROWS):
                for r in range(rows):
                    pack_rows(view(b, r * p.OW * step), step, columns, valid, line, view(packed, r * columns * line),
                              p.lanes)  # fmt: skip
                b, step = packed, line
            i = 0
            while i < k1 - k0:
                kind = tile_kind(wide, p.J % RUN + k0 % RUN == 0, k1 - k0 - i)
                tiles = tiles_of(kind, k1 - k0 - i)
                tile(tile_at, kind, a, view(x_rows, i), bases, p.sw * p.pixel, rows, columns, b, step,
                     view(sums, here), view(y_rows, i), valid, start, 0, 0, 0, tiles)  # fmt: skip
                i += tiles * HEIGHTS[kind]
        start = FROM_C


@njit(fastmath=FASTMATH)
def _rows(p, group, k0, k1, to_x, to_y):
    """Where rows k0 to k1 lie in a window and in the gradient."""
    for i in range(k1 - k0 + ROWS):
        k = min(k0 + i, k1 - 1)
        tap, j = divmod(k, p.J)
        to_x[i] = tap // p.KW * p.dh * p.line + tap % p.KW * p.dw * p.pixel + (group * p.J + j) * p.step
        to_y[i] = k * p.F * p.G + group * p.F


@njit(parallel=True, fastmath=FASTMATH, usual=("float32.2 float32.1",))
def _sum_parts(tasks, sums, y):
    """y (size) = the sum of `sums` (parts, size), always in the same order."""
    parts, size = sums.shape
    for task in prange(tasks):
        begin, end = task * size // tasks, (task + 1) * size // tasks
        to = view(y, begin)
        for part in range(parts):
            here = view(sums, part * size + begin)
            for i in range(end - begin):
                to[i] = to[i] + here[i] if part else here[i]
