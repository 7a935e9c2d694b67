"""The two engines under convolution, depthwise convolution and matmul, over the tiles of `simd.py`.

`products`        y[pixel, f] = sum over k of window(pixel)[k] * B[k, f]     forward passes, gradients of the input
`outer_products`  g[k, f] = sum over pixels of window(pixel)[k] * gy[pixel, f]   gradients of the filters

A `Walk` says how windows lie in the image. Work is cut into jobs, a few output rows each; a job copies the input rows that
it needs to scratch memory when its windows reach over the border, and reads the image itself when they do not.
"""

from typing import NamedTuple

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import helper, kernel, prange
from kerasish.kernels.cpu.simd import (
    FROM_BIAS,
    FROM_C,
    ROWS,
    VECTOR_BYTES,
    WIDE,
    ZERO,
    lane_tile,
    take,
    tile,
    tile_width,
)

JOB = 192  # output pixels of a job: their windows stay in L2, and B's panel is read once for all of them
DEPTH = 256  # rows of B that a tile takes at a time, so that they stay close
PACK = 256  # rows of B that are packed at a time
PART = 1 << 16  # elements of a block of the filters' gradient, so that it stays in L2 while pixels pass
UNITS = 64  # pieces that the filters' gradient is cut into, whatever the number of threads


class Walk(NamedTuple):
    """How windows lie in the image, all lengths in elements; the same for every dtype and shape (no recompilation)."""

    N: int
    H: int
    W: int
    C: int
    OH: int
    OW: int
    KH: int
    KW: int
    sh: int
    sw: int
    top: int
    left: int
    dh: int
    dw: int
    G: int
    J: int  # channels that a window sees: C / G
    F: int  # columns of a group's result
    image: int  # between images
    pixel: int  # between neighbouring pixels of a row of the image
    step: int  # between neighbouring channels of a pixel
    copied: int  # 1 if windows are read from scratch memory
    lanewise: int  # 1 for depthwise: channel c meets column c only
    rows: int  # output rows of a job
    columns: int  # output columns of a job


def walk_over(x_shape, kernel_size, out_size, strides, pads, dilation, groups, columns, lanewise=False, **changes):
    """The `Walk` of a convolution; `pads` is (top, left), and may be negative."""
    (N, H, W, C), (OH, OW), (KH, KW), (sh, sw), (dh, dw), (top, left) = (
        x_shape,
        out_size,
        kernel_size,
        strides,
        dilation,
        pads,
    )
    below, right = (OH - 1) * sh + (KH - 1) * dh - top, (OW - 1) * sw + (KW - 1) * dw - left
    inside = top <= 0 and left <= 0 and below < H and right < W
    copied = not inside or bool(lanewise and C % lanewise)
    across = min(OW, JOB) if OW < 2 * JOB else JOB
    pixel = -(-C // lanewise) * lanewise if copied and lanewise else C
    walk = Walk(
        N,
        H,
        W,
        C,
        OH,
        OW,
        KH,
        KW,
        sh,
        sw,
        top,
        left,
        dh,
        dw,
        groups,
        C // groups,
        columns,
        H * W * C,
        pixel,
        1,
        int(copied),
        int(bool(lanewise)),
        max(1, JOB // max(across, 1)),
        across,
    )
    return walk._replace(**changes)


@helper
def _job(walk, job):
    """(first output row, rows, first column, columns) of a job."""
    across = -(-walk.OW // walk.columns)
    r, q = divmod(job, across)
    first, q = r * walk.rows, q * walk.columns
    return first, min(walk.rows, walk.N * walk.OH - first), q, min(walk.columns, walk.OW - q)


@helper
def _row_length(walk):
    """Elements between rows of what windows are read from."""
    if walk.copied:
        return ((walk.columns - 1) * walk.sw + (walk.KW - 1) * walk.dw + 1) * walk.pixel
    return walk.W * walk.pixel


@helper
def _copy_row(zero, x, at, start, walk, scratch, to):
    """One input row to scratch memory, from column `start` on; zeros (and channels of padding) where there is no image."""
    span, C, pixel = _row_length(walk) // walk.pixel, walk.C, walk.pixel
    low = min(max(-start, 0), span)
    high = max(min(walk.W - start, span), low) if at >= 0 else low
    for i in range(low * pixel):
        scratch[to + i] = zero
    if pixel == C:
        for i in range(low * C, high * C):
            scratch[to + i] = x[at + start * C + i]
    else:
        for q in range(low, high):
            for c in range(C):
                scratch[to + q * pixel + c] = x[at + (start + q) * C + c]
            for c in range(C, pixel):
                scratch[to + q * pixel + c] = zero
    for i in range(high * pixel, span * pixel):
        scratch[to + i] = zero


@helper
def _locate(zero, x, walk, first, rows, q, scratch, bases):
    """Where each output row's first window begins, into `bases`; copies the rows that windows need if they must be."""
    length, reach = _row_length(walk), (walk.KH - 1) * walk.dh + 1
    slot, begin, done = 0, 0, 0
    for r in range(rows):
        n, oh = divmod(first + r, walk.OH)
        top = oh * walk.sh - walk.top
        if not walk.copied:
            bases[r] = n * walk.image + (top * walk.W + q * walk.sw - walk.left) * walk.pixel
            continue
        if r == 0 or oh == 0:
            slot += done - begin
            begin = done = top
        bases[r] = (slot + top - begin) * length
        for h in range(max(done, top), top + reach):
            at = n * walk.image + h * walk.W * walk.C if 0 <= h < walk.H else -1
            _copy_row(zero, x, at, q * walk.sw - walk.left, walk, scratch, (slot + h - begin) * length)
        done = max(done, top + reach)


@helper
def _multiply(zero, size, a, b, b_step, b_across, y, bias, relu, walk, a_rows, y_rows, pixels, segments, count, length):
    """All products of a job for one group; addresses, steps and the tables of rows and segments are given."""
    lanes, a_step = VECTOR_BYTES // size, walk.dw * walk.pixel if walk.lanewise else walk.step
    some = max(1, DEPTH // length)
    v, vectors = 0, -(-walk.F // lanes)
    while v < vectors:
        wide = tile_width(vectors - v)
        step = b_step if b_step else wide * lanes
        b_panel, y_panel, bias_panel = b + v * lanes * b_across * size, y + v * lanes * size, bias + v * lanes * size
        for s in range(0, count, some):
            for j in range(0, length, DEPTH):
                k, n = s * length + j, min(some, count - s)
                last = s + some >= count and j + DEPTH >= length
                start = FROM_C if k > 0 else FROM_BIAS if bias else ZERO
                for m in range(0, pixels, ROWS):
                    if walk.lanewise:
                        lane_tile(
                            wide,
                            zero,
                            a + (v * lanes + j * a_step) * size,
                            a_rows + m * 8,
                            segments + s * 8,
                            a_step,
                            n,
                            min(length - j, DEPTH),
                            b_panel + k * step * size,
                            step,
                            y_panel,
                            y_rows + m * 8,
                            walk.F - v * lanes,
                            start,
                            bias_panel,
                            relu if last else 0,
                        )
                    else:
                        tile(
                            wide,
                            zero,
                            a + j * a_step * size,
                            a_rows + m * 8,
                            segments + s * 8,
                            a_step,
                            n,
                            min(length - j, DEPTH),
                            b_panel + k * step * size,
                            step,
                            y_panel,
                            y_rows + m * 8,
                            walk.F - v * lanes,
                            start,
                            bias_panel,
                            relu if last else 0,
                        )
        v += wide


@kernel
def products(
    zero, x, b, b_step, b_group, b_image, y, y_start, y_steps, bias, relu, walk, scratch, tables, counter, workers
):
    """y = windows of x times B (plus bias, then relu).

    x flat image; b flat, packed in panels (b_step 0) or rows b_step apart; y flat, pixel (n, oh, ow) at
    y_start + (n, oh, ow) . y_steps; bias of whole vectors, or empty; scratch and tables: one row a worker.
    """
    jobs = -(-walk.N * walk.OH // walk.rows) * -(-walk.OW // walk.columns)
    size, lanes = x.itemsize, VECTOR_BYTES // x.itemsize
    padded = -(-walk.F // lanes) * lanes
    for worker in prange(workers):
        job = take(counter.ctypes.data)
        while job < jobs:
            _products_job(
                zero,
                x,
                b,
                b_step,
                b_group,
                b_image,
                y,
                y_start,
                y_steps,
                bias,
                relu,
                walk,
                scratch[worker],
                tables[worker],
                job,
                size,
                padded,
            )
            job = take(counter.ctypes.data)


@helper
def _products_job(
    zero, x, b, b_step, b_group, b_image, y, y_start, y_steps, bias, relu, walk, scratch, table, job, size, padded
):
    first, rows, q, columns = _job(walk, job)
    pixels, most = rows * columns, walk.rows * walk.columns + ROWS
    bases, a_rows, y_rows, segments = (
        table,
        table[walk.rows :],
        table[walk.rows + most :],
        table[walk.rows + 2 * most :],
    )
    _locate(zero, x, walk, first, rows, q, scratch, bases)
    for r in range(rows):
        n, oh = divmod(first + r, walk.OH)
        for i in range(columns):
            a_rows[r * columns + i] = bases[r] + i * walk.sw * walk.pixel
            y_rows[r * columns + i] = y_start + n * y_steps[0] + oh * y_steps[1] + (q + i) * y_steps[2]
    for i in range(pixels, pixels + ROWS):
        a_rows[i], y_rows[i] = a_rows[pixels - 1], y_rows[pixels - 1]
    whole = walk.lanewise == 1 or (walk.G == 1 and walk.dw == 1)
    count, length = (walk.KH, walk.KW * (1 if walk.lanewise else walk.J)) if whole else (walk.KH * walk.KW, walk.J)
    for s in range(count):
        kh, kw = (s, 0) if whole else divmod(s, walk.KW)
        segments[s] = kh * walk.dh * _row_length(walk) + kw * walk.dw * walk.pixel
    a = scratch.ctypes.data if walk.copied else x.ctypes.data
    across = 1 if b_step else count * length
    for g in range(walk.G):
        _multiply(
            zero,
            size,
            a + g * walk.J * walk.step * size,
            b.ctypes.data + (g * b_group + first // walk.OH * b_image) * size,
            b_step,
            across,
            y.ctypes.data + g * walk.F * size,
            bias.ctypes.data + g * padded * size if bias.size else 0,
            relu,
            walk,
            a_rows.ctypes.data,
            y_rows.ctypes.data,
            pixels,
            segments.ctypes.data,
            count,
            length,
        )


@kernel
def pack_panels(zero, source, taps, J, j_step, N, n_step, group_step, image_step, groups, images, lanes, packed):
    """B in panels of whole vectors: for each image and group, panel by panel, row k = (tap, j), the panel's columns.

    Element (image, group, tap, j, n) lies in `source` at image * image_step + group * group_step + taps[tap] + j * j_step
    + n * n_step.
    """
    vectors = -(-N // lanes)
    panels = vectors // WIDE + vectors % WIDE // 2 + vectors % WIDE % 2
    for item in prange(images * groups * panels * taps.size * -(-J // PACK)):
        _pack_item(
            zero,
            source,
            taps,
            J,
            j_step,
            N,
            n_step,
            group_step,
            image_step,
            groups,
            panels,
            lanes,
            packed,
            np.int64(item),
        )


@helper
def _pack_item(zero, source, taps, J, j_step, N, n_step, group_step, image_step, groups, panels, lanes, packed, item):
    i, block = divmod(item, -(-J // PACK))
    i, tap = divmod(i, taps.size)
    i, panel = divmod(i, panels)
    image, group = divmod(i, groups)
    vectors, K, v = -(-N // lanes), taps.size * J, 0
    for _ in range(panel):
        v += tile_width(vectors - v)
    width = tile_width(vectors - v) * lanes
    at = image * image_step + group * group_step + taps[tap] + v * lanes * n_step
    to = ((image * groups + group) * vectors + v) * lanes * K + tap * J * width
    valid = min(N - v * lanes, width)
    _pack_block(zero, source, at, block * PACK, min(J, (block + 1) * PACK), j_step, valid, n_step, width, packed, to)


@helper
def _pack_block(zero, source, at, j0, j1, j_step, valid, n_step, width, packed, to):
    if n_step == 1:
        for j in range(j0, j1):
            for n in range(valid):
                packed[to + j * width + n] = source[at + j * j_step + n]
    else:
        for n in range(valid):
            for j in range(j0, j1):
                packed[to + j * width + n] = source[at + j * j_step + n * n_step]
    for j in range(j0, j1):
        for n in range(valid, width):
            packed[to + j * width + n] = zero


@kernel
def outer_products(
    zero, x, gy, gy_columns, walk, parts, block, partial, out, scratch, tables, panels, counter, workers
):
    """out (K, G * F) = sum over pixels of window(pixel)^T gy(pixel); K = KH * KW * J, block: rows of it a unit.

    gy flat, gy_columns a pixel; partial (parts, K * G * F): sums over fixed parts of the jobs, so that the result does not
    depend on the threads; scratch, tables, panels: one row a worker.
    """
    K = walk.KH * walk.KW * (1 if walk.lanewise else walk.J)
    blocks = -(-K // block)
    units = parts * walk.G * blocks
    for worker in prange(workers):
        unit = take(counter.ctypes.data)
        while unit < units:
            i, part = divmod(unit, parts)
            group, b = divmod(i, blocks)
            _outer_unit(
                zero,
                x,
                gy,
                gy_columns,
                walk,
                parts,
                part,
                group,
                b * block,
                min(K, (b + 1) * block),
                out if parts == 1 else partial[part],
                scratch[worker],
                tables[worker],
                panels[worker],
            )
            unit = take(counter.ctypes.data)
    for k in prange(K if parts > 1 else 0):
        _add_parts(partial, parts, np.int64(k) * walk.F * walk.G, walk.F * walk.G, out)


@helper
def _add_parts(partial, parts, start, count, out):
    for f in range(start, start + count):
        out[f] = partial[0, f]
    for part in range(1, parts):
        for f in range(start, start + count):
            out[f] += partial[part, f]


@helper
def _outer_unit(zero, x, gy, gy_columns, walk, parts, part, group, k0, k1, out, scratch, table, panel):
    """One block of rows of the filters' gradient, for one group, over one part of the jobs."""
    jobs = -(-walk.N * walk.OH // walk.rows) * -(-walk.OW // walk.columns)
    size, lanes, J = x.itemsize, VECTOR_BYTES // x.itemsize, 1 if walk.lanewise else walk.J
    total, bases, a_rows = k1 - k0 + ROWS, table, table[walk.rows :]
    out_rows = a_rows[total:]
    for i in range(total):
        k = min(k0 + i, k1 - 1)
        tap, j = divmod(k, J)
        kh, kw = divmod(tap, walk.KW)
        a_rows[i] = kh * walk.dh * _row_length(walk) + kw * walk.dw * walk.pixel + (group * walk.J + j) * walk.step
        out_rows[i] = k * walk.F * walk.G + group * walk.F
    a = scratch.ctypes.data if walk.copied else x.ctypes.data
    vectors, start = -(-walk.F // lanes), ZERO
    for job in range(part * jobs // parts, (part + 1) * jobs // parts):
        first, rows, q, columns = _job(walk, job)
        _locate(zero, x, walk, first, rows, q, scratch, bases)
        v = 0
        while v < vectors:
            wide = tile_width(vectors - v)
            valid = min(wide * lanes, walk.F - v * lanes)
            for r in range(rows):
                at = ((first + r) * walk.OW + q) * gy_columns + group * walk.F + v * lanes
                _pack_block(
                    zero, gy, at, 0, columns, gy_columns, valid, 1, wide * lanes, panel, r * columns * wide * lanes
                )
            for m in range(0, k1 - k0, ROWS):
                if walk.lanewise:
                    lane_tile(
                        wide,
                        zero,
                        a + v * lanes * size,
                        a_rows.ctypes.data + m * 8,
                        bases.ctypes.data,
                        walk.sw * walk.pixel,
                        rows,
                        columns,
                        panel.ctypes.data,
                        wide * lanes,
                        out.ctypes.data + v * lanes * size,
                        out_rows.ctypes.data + m * 8,
                        valid,
                        start,
                        0,
                        0,
                    )
                else:
                    tile(
                        wide,
                        zero,
                        a,
                        a_rows.ctypes.data + m * 8,
                        bases.ctypes.data,
                        walk.sw * walk.pixel,
                        rows,
                        columns,
                        panel.ctypes.data,
                        wide * lanes,
                        out.ctypes.data + v * lanes * size,
                        out_rows.ctypes.data + m * 8,
                        valid,
                        start,
                        0,
                        0,
                    )
            v += wide
        start = FROM_C


def convolve(x, b, walk, y, y_start=0, y_steps=None, bias=None, relu=False, b_image=0):
    """Run `products` into y; b is a flat array of packed panels, or (rows in place) of two dimensions."""
    work = walk.N * walk.OH * walk.OW * walk.KH * walk.KW * (1 if walk.lanewise else walk.J) * walk.F * walk.G
    count, in_place = threads.wanted(work), b.ndim == 2
    segments = walk.KH * walk.KW
    table = walk.rows + 2 * (walk.rows * walk.columns + ROWS) + segments
    packed_group = b.size // max(walk.G, 1) if b_image == 0 else 0
    products(
        zero_of(x),
        x.reshape(-1),
        b.reshape(-1),
        b.shape[1] if in_place else 0,
        0 if in_place else packed_group,
        b_image,
        y.reshape(-1),
        y_start,
        y_steps or (walk.OH * walk.OW * y.shape[-1], walk.OW * y.shape[-1], y.shape[-1]),
        padded_bias(bias, walk, x.dtype),
        int(relu),
        walk,
        memory.empty((count, scratch_size(walk)), x.dtype),
        np.empty((count, table), np.int64),
        np.zeros(1, np.int64),
        count,
        threads=count,
    )
    return y


def correlate(x, gy, walk, gw):
    """Run `outer_products` into gw, of K * G * F elements."""
    K, F = walk.KH * walk.KW * (1 if walk.lanewise else walk.J), walk.F * walk.G
    jobs = -(-walk.N * walk.OH // walk.rows) * -(-walk.OW // walk.columns)
    block = min(K, max(1, PART // F // ROWS) * ROWS)
    units = walk.G * -(-K // block)
    parts = max(1, min(UNITS // units, jobs, (1 << 24) // (K * F) + 1))
    count = threads.wanted(walk.N * walk.OH * walk.OW * K * F)
    table = walk.rows + 2 * (block + ROWS)
    panel = walk.rows * walk.columns * WIDE * (VECTOR_BYTES // x.itemsize)
    outer_products(
        zero_of(x),
        x.reshape(-1),
        gy.reshape(-1),
        F,
        walk,
        parts,
        block,
        memory.empty((parts if parts > 1 else 1, K * F if parts > 1 else 1), x.dtype),
        gw.reshape(-1),
        memory.empty((count, scratch_size(walk)), x.dtype),
        np.empty((count, table), np.int64),
        memory.empty((count, panel), x.dtype),
        np.zeros(1, np.int64),
        count,
        threads=count,
    )
    return gw


def packed(source, taps, J, j_step, N, n_step, group_step=0, image_step=0, groups=1, images=1):
    """A flat array of panels made by `pack_panels`."""
    lanes = VECTOR_BYTES // source.itemsize
    size = images * groups * -(-N // lanes) * lanes * len(taps) * J
    out = memory.empty(size, source.dtype)
    pack_panels(
        zero_of(source),
        source.reshape(-1),
        np.asarray(taps, np.int64),
        J,
        j_step,
        N,
        n_step,
        group_step,
        image_step,
        groups,
        images,
        lanes,
        out,
        threads=threads.wanted(size),
    )
    return out


def zero_of(x):
    """A scalar of x's dtype, by which kernels know it."""
    return x.dtype.type(0)


def padded_bias(bias, walk, dtype):
    """The bias with each group padded to whole vectors; empty if there is none."""
    if bias is None:
        return np.empty(0, dtype)
    lanes = VECTOR_BYTES // dtype.itemsize
    out = np.zeros((walk.G, -(-walk.F // lanes) * lanes), dtype)
    out[:, : walk.F] = np.reshape(bias, (walk.G, walk.F))
    return out.reshape(-1)


def scratch_size(walk):
    """Elements of scratch memory that a worker needs for the input rows of a job."""
    if not walk.copied:
        return 1
    runs = min(walk.rows, -(-walk.rows // walk.OH) + 1)
    rows = walk.rows * walk.sh + runs * ((walk.KH - 1) * walk.dh + 1)
    return rows * ((walk.columns - 1) * walk.sw + (walk.KW - 1) * walk.dw + 1) * walk.pixel + 64
