"""The host's vectors, and the tile function of each dtype, which kernels call by address."""

import os

import numpy as np
from llvmlite import binding, ir

from kerasish.device.jit import FASTMATH, intrinsic, njit
from kerasish.device.lazy import types
from kerasish.device.natives import functions
from kerasish.kernels.cpu.tile import I64, RUN, Call, Tile, in_python


def host():
    """(bytes a vector, vectors a tile's row, whether multiply-add is one instruction) of this machine."""
    if os.environ.get("NUMBA_CPU_NAME") == "generic":
        return 16, 2, False
    features = {name for name, on in (binding.get_host_cpu_features() or {}).items() if on}
    if "avx512f" in features:
        return 64, 4, True
    if {"avx2", "fma"} <= features:
        return 32, 2, True
    if "neon" in features or binding.get_process_triple().startswith(("aarch64", "arm64")):
        return 16, 4, True
    return 16, 2, False


VECTOR_BYTES, WIDE, FUSED = host()
RUNS = 0  # the kind of tile of one vector a row whose rows lie in runs of `RUN`; the other kinds are vectors a row
# Rows by kind: enough sums to hide the latency of a multiply-add, about as many addresses as registers. Rows in runs
# share theirs, so there can be more of them. Two vectors with 12 rows were no faster than with 8 (Zen 5).
HEIGHTS = (16, 12, 8, 0, 6) if WIDE == 4 else (12, 12, 6)
ROWS = max(HEIGHTS)


def lanes(dtype):
    """Elements of `dtype` in a vector."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize


def tile_for(dtype):
    """The address of the tile function of a dtype, which kernels call with `tile`."""
    return _TILES[dtype].address


def _compiled_once(dtype):
    body = intrinsic(_tile_python(dtype))(_tile_llvm(dtype))

    def tile_function(
        kind, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, cut,
        stream, tiles,
    ):  # fmt: skip
        body(
            kind, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias,
            cut, stream, tiles,
        )  # fmt: skip

    tile_function.__name__ = f"tile_{dtype}"
    return njit(f"void({', '.join(['int64'] * (1 + len(Call._fields)))})")(tile_function)


def _tile_in_python(function, *given):
    functions[function](*(x.ctypes.data if isinstance(x, np.ndarray) else int(x) for x in given))


@intrinsic(_tile_in_python)
def tile(
    typingctx, function, kind, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start,
    bias, cut, stream, tiles,
):  # fmt: skip
    """Call the tile function at an address with a kind and the arguments of `tile.Call`; views are addresses."""
    given = (
        kind, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, cut, stream,
        tiles,
    )  # fmt: skip

    def codegen(context, at, signature, args):
        words = [
            at.ptrtoint(x, I64) if isinstance(kind, types.CPointer) else context.cast(at, x, kind, types.int64)
            for x, kind in zip(args[1:], given)
        ]
        kind_of_function = ir.FunctionType(ir.VoidType(), [I64] * len(words))
        at.call(at.inttoptr(args[0], kind_of_function.as_pointer()), words)
        return context.get_dummy_value()

    return types.void(types.int64, *given), codegen


def _tile_python(dtype):
    return lambda kind, *call: in_python(Call(*call), dtype, HEIGHTS[kind])


def _tile_llvm(dtype):
    """The intrinsic that is a tile of any kind: a switch over the kinds that there are."""
    element, size = (ir.FloatType(), 4) if dtype == "float32" else (ir.DoubleType(), 8)

    def codegen(context, at, signature, args):
        chosen, *call = args
        done, bodies = at.append_basic_block("end"), {}
        for kind, rows in enumerate(HEIGHTS):
            if rows:
                bodies[kind] = at.append_basic_block(f"kind{kind}")
        choice = at.switch(chosen, bodies[WIDE])
        for kind, body in bodies.items():
            choice.add_case(I64(kind), body)
            at.position_at_end(body)
            shape = (HEIGHTS[kind], max(kind, 1), RUN if kind == RUNS else 1)
            Tile(at, Call(*call), element, size, VECTOR_BYTES // size, FUSED, *shape).emit()
            at.branch(done)
        at.position_at_end(done)
        return context.get_dummy_value()

    def body(
        typingctx, kind, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias,
        cut, stream, tiles,
    ):  # fmt: skip
        return types.void(*[types.int64] * (1 + len(Call._fields))), codegen

    return body


def _copy_python(to, source):
    count = VECTOR_BYTES // source.itemsize
    to[:count] = source[:count]


@intrinsic(_copy_python)
def copy_vector(typingctx, to, source):
    """Copy a vector of elements from one view to another."""

    def codegen(context, at, signature, args):
        vector = ir.VectorType(ir.IntType(8), VECTOR_BYTES).as_pointer()
        to, source = (at.bitcast(x, vector) for x in args)
        at.store(at.load(source, align=1), to, align=1)
        return context.get_dummy_value()

    return types.void(to, source), codegen


def _turn_python(source, step, to, to_step):
    count = VECTOR_BYTES // source.itemsize
    rows = np.stack([source[i * step : i * step + count] for i in range(count)])
    for i, column in enumerate(rows.T):
        to[i * to_step : i * to_step + count] = column


@intrinsic(_turn_python)
def turn(typingctx, source, step, to, to_step):
    """Turn a square of as many elements as a vector has, both ways: rows of a view lie so many elements apart."""
    size = source.dtype.bitwidth // 8
    count = VECTOR_BYTES // size
    vector = ir.VectorType(ir.IntType(8 * size), count)

    def codegen(context, at, signature, args):
        def place(base, step, i):
            return at.bitcast(at.gep(base, [at.mul(step, I64(i))]), vector.as_pointer())

        rows = [at.load(place(*args[:2], i), align=size) for i in range(count)]
        for i, row in enumerate(_turned(at, rows)):
            at.store(row, place(*args[2:], i), align=size)
        return context.get_dummy_value()

    return types.void(source, types.int64, to, types.int64), codegen


def _turned(at, rows):
    """The columns of a square of vectors: squares of 2, 4, 8... rows exchange their corners."""
    count, half, rows = len(rows), 1, list(rows)
    while half < count:
        upper = [lane if not lane & half else count + lane - half for lane in range(count)]
        lower = [lane + half if not lane & half else count + lane for lane in range(count)]
        masks = [ir.Constant(ir.VectorType(ir.IntType(32), count), mask) for mask in (upper, lower)]
        for i in (i for i in range(count) if not i & half):
            pair = rows[i], rows[i + half]
            rows[i], rows[i + half] = (at.shuffle_vector(*pair, mask) for mask in masks)
        half *= 2
    return rows


_TILES = {np.dtype(dtype): _compiled_once(dtype) for dtype in ("float32", "float64")}


@njit(fastmath=FASTMATH)
def tile_width(vectors):
    """Vectors of the next tile of a row that has `vectors` left."""
    return WIDE if vectors >= WIDE else 2 if vectors >= 2 else 1


@njit(fastmath=FASTMATH)
def tiles_of(kind, rows):
    """How many tiles of a kind do so many rows, the last one's missing rows repeated; those of runs must be whole."""
    return rows // HEIGHTS[kind] if kind == RUNS else -(-rows // HEIGHTS[kind])


@njit(fastmath=FASTMATH)
def panels_of(vectors):
    """How many panels so many vectors make."""
    return vectors // WIDE + vectors % WIDE // 2 + vectors % WIDE % 2


@njit(fastmath=FASTMATH)
def panel_start(vectors, panel):
    """The first vector of a panel."""
    v = 0
    for _ in range(panel):
        v += tile_width(vectors - v)
    return v


@njit(fastmath=FASTMATH)
def tile_kind(vectors, even, rows):
    """The kind of the next tile of `vectors` vectors, with so many rows left; `even` if they lie in runs."""
    return RUNS if vectors == 1 and even and rows >= HEIGHTS[RUNS] else vectors
