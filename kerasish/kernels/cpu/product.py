"""y[pixel, f] = sum over k of window(pixel)[k] * B[k, f]: the engine of forward passes, input gradients and matmul."""

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, njit
from kerasish.device.natives import Native
from kerasish.device.raw import address, by_numpy, call, integers, take
from kerasish.device.thread_pool import run
from kerasish.kernels.cpu.arrays import streams
from kerasish.kernels.cpu.pack import pack_rows
from kerasish.kernels.cpu.plan import FAST, SPLITS, input_rows, job_place, locate, plan_at
from kerasish.kernels.cpu.simd import HEIGHTS, ROWS, WIDE, tile_for, tile_kind, tile_width, tiles_of
from kerasish.kernels.cpu.tile import CUTS, FROM_BIAS, FROM_C, RUN, ZERO

DEPTH = 256  # rows of B that the widest tile takes at a time, so that they stay close


def convolve(plan, x, b, y, start=0, bias=None, activation=None):
    """Run a plan into y from element `start` on: x flat, b panels of `pack.packed`, or rows in place (of two axes)."""
    work = plan.N * plan.OH * plan.OW * plan.KH * plan.KW * plan.J * plan.F * plan.G
    panels = -(-plan.F // (plan.lanes * WIDE))
    splits = max(1, min(panels, SPLITS // plan.jobs))
    count = min(threads.wanted(work / FAST), plan.jobs * splits)
    scratch = memory.empty((count, input_rows(plan) * plan.line + 64 + plan.lanes**2), x.dtype)
    tables = np.empty((count, plan.rows + 2 * (plan.rows * plan.columns + ROWS) + plan.KH * plan.KW), np.int64)
    bias = padded_bias(bias, plan, x.dtype)
    plan = plan._replace(
        jobs=plan.jobs * splits, splits=splits, tile=tile_for(plan.size), x=address(x), b=address(b),
        y=address(y) + start * plan.size, bias=0 if bias is None else address(bias), cut=CUTS[activation],
        stream=streams(y, plan.F),
        b_step=b.shape[1] if b.ndim == 2 else 0, b_group=b.size // plan.G, scratch=address(scratch),
        scratch_bytes=scratch.strides[0],
        table=address(tables), table_bytes=tables.strides[0],
    )  # fmt: skip
    run(products, np.fromiter(plan, np.int64), count)
    return y


def padded_bias(bias, plan, dtype):
    """The bias with each group padded to whole vectors."""
    if bias is None or (plan.G == 1 and plan.F % plan.lanes == 0):
        return bias if bias is None else np.ascontiguousarray(bias)
    out = np.zeros((plan.G, -(-plan.F // plan.lanes) * plan.lanes), dtype)  # no kernel's memory: the margin stays 0
    by_numpy(lambda: np.copyto(out[:, : plan.F], np.reshape(bias, (plan.G, plan.F))), bias, out)
    return out


def _products(plan, worker):
    p = plan_at(plan)
    job = take(plan)
    while job < p.jobs:
        _job(p, p.scratch + worker * p.scratch_bytes, p.table + worker * p.table_bytes, job)
        job = take(plan)


products = Native(_products, 2, "")


@njit(fastmath=FASTMATH)
def _job(p, scratch, table, job):
    """One job: where its windows and its results lie, then group by group."""
    job, split = divmod(job, p.splits)
    first, rows, q, columns = job_place(p, job)
    pixels, most = rows * columns, p.rows * p.columns + ROWS
    x_rows, y_rows = table + p.rows * 8, table + (p.rows + most) * 8
    bases, to_x, to_y = integers(table, p.rows), integers(x_rows, most), integers(y_rows, most)
    locate(p, first, rows, q, scratch, bases)
    for r in range(rows):
        n, oh = divmod(first + r, p.OH)
        for i in range(columns):
            to_x[r * columns + i] = bases[r] + i * p.sw * p.pixel
            to_y[r * columns + i] = n * p.y_image + oh * p.y_row + (q + i) * p.y_pixel
    for i in range(pixels, pixels + ROWS):
        to_x[i] = to_x[pixels - 1]
        to_y[i] = to_y[pixels - 1]
    a, b = scratch if p.copied else p.x, p.b + first // p.OH * p.b_image * p.size
    wide = -(-p.F // p.lanes) * p.lanes * p.size
    for g in range(p.G):
        bias = p.bias + g * wide if p.bias else 0
        _multiply(
            p,
            a + g * p.J * p.step * p.size,
            b + g * p.b_group * p.size,
            p.y + g * p.F * p.size,
            bias,
            x_rows,
            y_rows,
            pixels,
            columns % RUN == 0,
            split,
            scratch,
        )


@njit(fastmath=FASTMATH)
def _multiply(p, a, b, y, bias, x_rows, y_rows, pixels, even, split, scratch):
    """All products of a job for one group."""
    segments = y_rows + (p.rows * p.columns + ROWS) * 8
    count, length = _segments(p, integers(segments, p.KH * p.KW))
    across = 1 if p.b_step else count * length
    vectors = -(-p.F // p.lanes)
    panels = -(-vectors // WIDE)
    v, end = split * panels // p.splits * WIDE, min(vectors, (split + 1) * panels // p.splits * WIDE)
    while v < end:
        wide, here = tile_width(vectors - v), v * p.lanes * p.size
        columns = min(p.F - v * p.lanes, wide * p.lanes)
        b_step = p.b_step if p.b_step else wide * p.lanes
        depth, inside = DEPTH * WIDE // wide, length
        if p.b_step and columns < wide * p.lanes:  # the last rows' vectors would reach past the end of B
            tail = min(length, -(-(wide * p.lanes - columns) // b_step))
            inside = length - tail
            pack_rows(b + here + inside * b_step * p.size, b_step, tail, columns, wide * p.lanes, scratch, p.size)
        some = max(1, depth // length)
        for s in range(0, count, some):
            j = 0
            while j < length:
                k, n, m = s * length + j, min(some, count - s), min((inside if j < inside else length) - j, depth)
                b_rows, step = b + here * across + k * b_step * p.size, b_step
                if j >= inside:
                    b_rows, step = scratch, wide * p.lanes
                last = s + some >= count and j + m >= length
                start = FROM_C if k > 0 else FROM_BIAS if bias else ZERO
                i = 0
                while i < pixels:
                    kind = tile_kind(wide, even, pixels - i)
                    tiles = tiles_of(kind, pixels - i)
                    call(p.tile, kind, a + j * p.step * p.size, x_rows + i * 8, segments + s * 8, p.step, n, m, b_rows,
                         step, y + here, y_rows + i * 8, columns, start, bias + here, p.cut if last else 0,
                         p.stream if last and k == 0 else 0, tiles)  # fmt: skip
                    i += tiles * HEIGHTS[kind]
                j += m
        v += wide


@njit(fastmath=FASTMATH)
def _segments(p, table):
    """(segments, their length): the runs of a window that lie evenly in memory, with their offsets into `table`."""
    if p.G == 1 and p.dw == 1:
        for kh in range(p.KH):
            table[kh] = kh * p.dh * p.line
        return p.KH, p.KW * p.J
    for tap in range(p.KH * p.KW):
        table[tap] = tap // p.KW * p.dh * p.line + tap % p.KW * p.dw * p.pixel
    return p.KH * p.KW, p.J
