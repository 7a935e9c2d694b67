"""g[k, f] = sum over pixels of window(pixel)[k] * gy[pixel, f]: the engine of the filters' gradients."""

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import Native, helper
from kerasish.kernels.cpu.pack import pack_rows
from kerasish.kernels.cpu.plan import FAST, input_rows, job_place, locate, plan_at
from kerasish.kernels.cpu.raw import address, call, elements, integers, take
from kerasish.kernels.cpu.simd import HEIGHTS, ROWS, WIDE, tile_for, tile_kind, tile_width, tiles_of
from kerasish.kernels.cpu.thread_pool import run
from kerasish.kernels.cpu.tile import FROM_C, RUN, ZERO

PART = 1 << 16  # elements of the gradient that a unit sums: they stay in L2 while the pixels pass by
UNITS = 32  # units that the work is cut into, whatever the number of threads: sums never depend on it
PARTIAL = 1 << 24  # elements of all parts' sums


def correlate(plan, x, gy, g):
    """Run a plan: x and gy flat, g of KH * KW * J * G * F elements."""
    K, F = plan.KH * plan.KW * plan.J, plan.F * plan.G
    high = HEIGHTS[tile_kind(tile_width(-(-plan.F // plan.lanes)), True, ROWS)]
    block = min(K, max(1, PART // F // high) * high)
    units = plan.G * -(-K // block)
    parts = max(1, min(UNITS // units, plan.jobs, PARTIAL // (K * F)))
    count = min(threads.wanted(plan.N * plan.OH * plan.OW * K * F / FAST), units * parts)
    scratch = memory.empty((count, input_rows(plan) * plan.line + 64), x.dtype)
    tables = np.empty((count, plan.rows + 2 * (block + ROWS)), np.int64)
    panels = memory.empty((count, plan.rows * plan.columns * WIDE * plan.lanes), x.dtype)
    partial = memory.empty((parts, K * F), x.dtype) if parts > 1 else g
    plan = plan._replace(
        tile=tile_for(plan.size), x=address(x), b=address(gy), y=address(g), parts=parts, block=block,
        partial=address(partial), scratch=address(scratch), scratch_bytes=scratch.strides[0], table=address(tables),
        table_bytes=tables.strides[0], panel=address(panels), panel_bytes=panels.strides[0],
    )  # fmt: skip
    run(outer_products, np.fromiter(plan, np.int64), count)
    if parts > 1:
        pieces = max(1, K * F // 4096)
        run(sums[x.dtype.name], np.array(plan._replace(jobs=pieces), np.int64), count)
    return g


def _outer_products(plan, worker):
    p = plan_at(plan)
    K = p.KH * p.KW * p.J
    blocks = -(-K // p.block)
    unit = take(plan)
    while unit < p.parts * p.G * blocks:
        i, part = divmod(unit, p.parts)
        group, b = divmod(i, blocks)
        _unit(p, worker, part, group, b * p.block, min(K, (b + 1) * p.block))
        unit = take(plan)


outer_products = Native(_outer_products, 2, "")


@helper
def _unit(p, worker, part, group, k0, k1):
    """Rows k0 to k1 of the gradient for one group, over one part of the jobs."""
    scratch, panel, table = (
        p.scratch + worker * p.scratch_bytes,
        p.panel + worker * p.panel_bytes,
        p.table + worker * p.table_bytes,
    )
    total = k1 - k0 + ROWS
    x_rows, y_rows, bases = table + p.rows * 8, table + (p.rows + total) * 8, integers(table, p.rows)
    _rows(p, group, k0, k1, integers(x_rows, total), integers(y_rows, total))
    vectors, start = -(-p.F // p.lanes), ZERO
    to = p.partial + part * p.KH * p.KW * p.J * p.F * p.G * p.size
    for job in range(part * p.jobs // p.parts, (part + 1) * p.jobs // p.parts):
        first, rows, q, columns = job_place(p, job)
        locate(p, first, rows, q, scratch, bases)
        v = 0
        while v < vectors:
            wide, here = tile_width(vectors - v), v * p.lanes * p.size
            valid = min(wide * p.lanes, p.F - v * p.lanes)
            for r in range(rows):
                at = p.b + (((first + r) * p.OW + q) * p.F * p.G + group * p.F) * p.size + here
                pack_rows(
                    at, p.F * p.G, columns, valid, wide * p.lanes, panel + r * columns * wide * p.lanes * p.size, p.size
                )
            i, even = 0, p.J % RUN + k0 % RUN == 0
            while i < k1 - k0:
                kind = tile_kind(wide, even, k1 - k0 - i)
                tiles = tiles_of(kind, k1 - k0 - i)
                call(p.tile, kind, scratch if p.copied else p.x, x_rows + i * 8, table, p.sw * p.pixel, rows, columns,
                     panel, wide * p.lanes, to + here, y_rows + i * 8, valid, start, 0, 0, 0, tiles)  # fmt: skip
                i += tiles * HEIGHTS[kind]
            v += wide
        start = FROM_C


@helper
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
