"""g[k, f] = sum over pixels of window(pixel)[k] * gy[pixel, f]: the engine of the filters' gradients."""

import functools

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, njit
from kerasish.device.natives import Native
from kerasish.device.raw import address, call, elements, integers, take
from kerasish.device.thread_pool import run
from kerasish.kernels.cpu.pack import pack_rows
from kerasish.kernels.cpu.plan import FAST, input_rows, job_place, locate, plan_at
from kerasish.kernels.cpu.simd import (
    HEIGHTS,
    ROWS,
    WIDE,
    panel_start,
    panels_of,
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
    units = plan.G * splits * -(-K // block)
    count = min(threads.wanted(pixels * K * F / FAST), units * parts)
    scratch = memory.empty((count, input_rows(plan) * plan.line + 64), x.dtype)
    tables = np.empty((count, plan.rows + 2 * (block + ROWS)), np.int64)
    packed = memory.empty((count, plan.rows * plan.columns * WIDE * plan.lanes), x.dtype)
    partial = memory.empty((parts, K * F), x.dtype) if parts > 1 else g
    plan = plan._replace(
        tile=tile_for(plan.size), x=address(x), b=address(gy), y=address(g), parts=parts, block=block, splits=splits,
        partial=address(partial), scratch=address(scratch), scratch_bytes=scratch.strides[0], table=address(tables),
        table_bytes=tables.strides[0], panel=address(packed), panel_bytes=packed.strides[0],
    )  # fmt: skip
    run(outer_products, np.fromiter(plan, np.int64), count)
    if parts > 1:
        pieces = max(1, K * F // 4096)
        run(sums[x.dtype.name], np.array(plan._replace(jobs=pieces), np.int64), count)
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


def _outer_products(plan, worker):
    p = plan_at(plan)
    K = p.KH * p.KW * p.J
    blocks = -(-K // p.block)
    unit = take(plan)
    while unit < p.parts * p.splits * p.G * blocks:
        i, part = divmod(unit, p.parts)
        i, split = divmod(i, p.splits)
        group, b = divmod(i, blocks)
        _unit(p, worker, part, split, group, b * p.block, min(K, (b + 1) * p.block))
        unit = take(plan)


outer_products = Native(_outer_products, 2, "")


@njit(fastmath=FASTMATH)
def _unit(p, worker, part, split, group, k0, k1):
    """Rows k0 to k1 of the gradient for some panels of a group, over one part of the jobs."""
    scratch, packed = p.scratch + worker * p.scratch_bytes, p.panel + worker * p.panel_bytes
    table, total = p.table + worker * p.table_bytes, k1 - k0 + ROWS
    x_rows, y_rows, bases = table + p.rows * 8, table + (p.rows + total) * 8, integers(table, p.rows)
    _rows(p, group, k0, k1, integers(x_rows, total), integers(y_rows, total))
    vectors, start = -(-p.F // p.lanes), ZERO
    panels = panels_of(vectors)
    to = p.partial + part * p.KH * p.KW * p.J * p.F * p.G * p.size
    for job in range(part * p.jobs // p.parts, (part + 1) * p.jobs // p.parts):
        first, rows, q, columns = job_place(p, job)
        locate(p, first, rows, q, scratch, bases)
        for panel in range(split * panels // p.splits, (split + 1) * panels // p.splits):
            v = panel_start(vectors, panel)
            wide, here = tile_width(vectors - v), v * p.lanes * p.size
            line, valid = wide * p.lanes, min(wide * p.lanes, p.F - v * p.lanes)
            b = p.b + ((first * p.OW + q) * p.F * p.G + group * p.F) * p.size + here
            step, lies_even = p.F * p.G, valid == line and (rows == 1 or columns == p.OW)
            if not lies_even or (line != step and k1 - k0 > FEW_ROWS):
                for r in range(rows):
                    at = b + r * p.OW * p.F * p.G * p.size
                    pack_rows(at, p.F * p.G, columns, valid, line, packed + r * columns * line * p.size, p.size)
                b, step = packed, line
            i = 0
            while i < k1 - k0:
                kind = tile_kind(wide, p.J % RUN + k0 % RUN == 0, k1 - k0 - i)
                tiles = tiles_of(kind, k1 - k0 - i)
                call(p.tile, kind, scratch if p.copied else p.x, x_rows + i * 8, table, p.sw * p.pixel, rows, columns,
                     b, step, to + here, y_rows + i * 8, valid, start, 0, 0, 0, tiles)  # fmt: skip
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


def _sums(dtype):
    at_address = elements(dtype)

    def sum_parts(plan, worker):
        """y = the sum of the parts, always in the same order."""
        p = plan_at(plan)
        total = p.KH * p.KW * p.J * p.F * p.G
        out, partial = at_address(p.y, total), at_address(p.partial, p.parts * total)
        piece = take(plan)
        while piece < p.jobs:
            begin, end = piece * total // p.jobs, (piece + 1) * total // p.jobs
            for i in range(begin, end):
                out[i] = partial[i]
            for part in range(1, p.parts):
                for i in range(begin, end):
                    out[i] += partial[part * total + i]
            piece = take(plan)

    return Native(sum_parts, 2, dtype)


sums = {dtype: _sums(dtype) for dtype in ("float32", "float64")}
