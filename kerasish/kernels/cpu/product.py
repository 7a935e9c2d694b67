"""y[pixel, f] = sum over k of window(pixel)[k] * B[k, f]: the engine of forward passes, input gradients and matmul."""

import functools
from typing import NamedTuple

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import FASTMATH, get_thread_id, njit, prange
from kerasish.device.pointer import view
from kerasish.device.raw import by_numpy
from kerasish.device.records import as_record
from kerasish.kernels.cpu.arrays import streams
from kerasish.kernels.cpu.pack import pack_rows
from kerasish.kernels.cpu.plan import FAST, SPLITS, input_rows, job_place, locate
from kerasish.kernels.cpu.simd import HEIGHTS, ROWS, WIDE, tile, tile_for, tile_kind, tile_width, tiles_of
from kerasish.kernels.cpu.tile import CUTS, FROM_BIAS, FROM_C, RUN, ZERO

DEPTH = 256  # rows of B that the widest tile takes at a time, so that they stay close
NOTHING = {dtype: np.zeros(0, dtype) for dtype in map(np.dtype, ("float32", "float64"))}
KINDS = "Plan.1 int64 float32.1 float32.1 float32.1 float32.1 float32.2 int64.2"


def convolve(plan, x, b, y, start=0, bias=None, activation=None):
    """Run a plan into y from element `start` on: x flat, b panels of `pack.packed`, or rows in place (of two axes)."""
    bias = padded_bias(bias, plan, x.dtype)
    b_step = b.shape[1] if b.ndim == 2 else 0
    work = _work(plan, b.size, b_step, bias is not None, activation, streams(y, plan.F))
    count = min(threads.wanted(work.size), work.tasks)
    _products(
        work.tasks, work.plan, tile_for(x.dtype), x, b.reshape(-1),
        NOTHING[x.dtype] if bias is None else bias.reshape(-1), y.reshape(-1)[start:],
        memory.empty((count, work.scratch), x.dtype), np.empty((count, work.table), np.int64), threads=count,
    )  # fmt: skip
    return y


class Work(NamedTuple):
    """What a plan is run with: its record, and what each thread has for itself."""

    plan: np.ndarray
    tasks: int
    size: float  # multiply-adds of a plain loop that would take as long
    scratch: int
    table: int


@functools.lru_cache(4096)
def _work(plan, b_size, b_step, biased, activation, stream):
    panels = -(-plan.F // (plan.lanes * WIDE))
    splits = max(1, min(panels, SPLITS // plan.jobs))
    record = as_record(
        plan._replace(
            splits=splits,
            biased=int(biased),
            cut=CUTS[activation],
            stream=stream,
            b_step=b_step,
            b_group=b_size // plan.G,
        )  # fmt: skip
    )
    size = plan.N * plan.OH * plan.OW * plan.KH * plan.KW * plan.J * plan.F * plan.G
    table = plan.rows + 2 * (plan.rows * plan.columns + ROWS) + plan.KH * plan.KW
    scratch = input_rows(plan) * plan.line + 64 + plan.lanes**2
    return Work(record, plan.jobs * splits, size / FAST, scratch, table)


def padded_bias(bias, plan, dtype):
    """The bias with each group padded to whole vectors."""
    if bias is None or (plan.G == 1 and plan.F % plan.lanes == 0):
        return bias if bias is None else np.ascontiguousarray(bias)
    out = np.zeros((plan.G, -(-plan.F // plan.lanes) * plan.lanes), dtype)  # no kernel's memory: the margin stays 0
    by_numpy(lambda: np.copyto(out[:, : plan.F], np.reshape(bias, (plan.G, plan.F))), source=bias, made=out)
    return out


@njit(parallel=True, fastmath=FASTMATH, usual=(KINDS,))
def _products(tasks, plan, tile_at, x, b, bias, y, scratch, tables):
    """A task is a job: where its windows and its results lie, then group by group.

    x flat, b panels or rows, bias (G, whole vectors) or empty, y flat; scratch and tables a row for each thread.
    """
    for task in prange(tasks):
        p = plan[0]
        own = view(scratch, get_thread_id() * scratch.shape[1])
        table = view(tables, get_thread_id() * tables.shape[1])
        job, split = divmod(task, p.splits)
        first, rows, q, columns = job_place(p, job)
        pixels, most = rows * columns, p.rows * p.columns + ROWS
        bases, to_x, to_y = table, view(table, p.rows), view(table, p.rows + most)
        locate(p, x, first, rows, q, own, bases)
        for r in range(rows):
            n, oh = divmod(first + r, p.OH)
            for i in range(columns):
                to_x[r * columns + i] = bases[r] + i * p.sw * p.pixel
                to_y[r * columns + i] = n * p.y_image + oh * p.y_row + (q + i) * p.y_pixel
        for i in range(pixels, pixels + ROWS):
            to_x[i] = to_x[pixels - 1]
            to_y[i] = to_y[pixels - 1]
        segments = view(to_y, most)
        count, length = _segments(p, segments)
        a = own if p.copied else view(x, 0)
        wide = -(-p.F // p.lanes) * p.lanes
        for g in range(p.G):
            _multiply(
                p, tile_at, view(a, g * p.J * p.step), view(b, first // p.OH * p.b_image + g * p.b_group),
                view(bias, g * wide if p.biased else 0), view(y, g * p.F), to_x, to_y, segments, count, length, pixels,
                columns % RUN == 0, split, own,
            )  # fmt: skip


@njit(fastmath=FASTMATH)
def _multiply(p, tile_at, a, b, bias, y, x_rows, y_rows, segments, count, length, pixels, even, split, scratch):
    """All products of a job for one group: windows are `count` segments of `length` neighbours."""
    across = 1 if p.b_step else count * length
    vectors = -(-p.F // p.lanes)
    panels = -(-vectors // WIDE)
    v, end = split * panels // p.splits * WIDE, min(vectors, (split + 1) * panels // p.splits * WIDE)
    while v < end:
        wide, here = tile_width(vectors - v), v * p.lanes
        columns = min(p.F - here, wide * p.lanes)
        b_step = p.b_step if p.b_step else wide * p.lanes
        depth, inside = DEPTH * WIDE // wide, length
        if p.b_step and columns < wide * p.lanes:  # the last rows' vectors would reach past the end of B
            tail = min(length, -(-(wide * p.lanes - columns) // b_step))
            inside = length - tail
            pack_rows(view(b, here + inside * b_step), b_step, tail, columns, wide * p.lanes, scratch, p.lanes)
        some = max(1, depth // length)
        for s in range(0, count, some):
            j = 0
            while j < length:
                k, n, m = s * length + j, min(some, count - s), min((inside if j < inside else length) - j, depth)
                packed = j >= inside
                b_rows = scratch if packed else view(b, here * across + k * b_step)
                step = wide * p.lanes if packed else b_step
                last = s + some >= count and j + m >= length
                start = FROM_C if k > 0 else FROM_BIAS if p.biased else ZERO
                i = 0
                while i < pixels:
                    kind = tile_kind(wide, even, pixels - i)
                    tiles = tiles_of(kind, pixels - i)
                    tile(tile_at, kind, view(a, j * p.step), view(x_rows, i), view(segments, s), p.step, n, m, b_rows,
                         step, view(y, here), view(y_rows, i), columns, start, view(bias, here if p.biased else 0),
                         p.cut if last else 0, p.stream if last and k == 0 else 0, tiles)  # fmt: skip
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
