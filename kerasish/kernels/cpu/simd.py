"""The vector micro-kernel under every dense kernel, written as LLVM IR, and the host's vector width.

A tile is ROWS x (up to WIDE vectors) of a result, kept in vector registers while k passes by. NHWC makes the `KW * C`
neighbouring inputs of a window contiguous, so a convolution is a matrix product whose rows of A are addresses into the
image: k walks segments of contiguous floats, and no image is unfolded. The LLVM operations are generic ones; the width
comes from the host's features (AVX-512, AVX2, NEON), and where compilation is off a few lines of NumPy stand in.
"""

import ctypes
import itertools

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils, config

from kerasish.device.jit import helper, intrinsic

I32, I64 = ir.IntType(32), ir.IntType(64)


def _host():
    """(bytes a vector, vectors a tile's row, whether multiply-add is one instruction) of this machine."""
    if config.CPU_NAME == "generic":
        return 16, 2, False
    features = {name for name, on in (binding.get_host_cpu_features() or {}).items() if on}
    if "avx512f" in features:
        return 64, 4, True
    if {"avx2", "fma"} <= features:
        return 32, 2, True
    if "neon" in features or binding.get_process_triple().startswith(("aarch64", "arm64")):
        return 16, 4, True
    return 16, 2, False


VECTOR_BYTES, WIDE, FUSED = _host()
ROWS = 6  # 6 rows x 4 vectors fill 24 of AVX-512's 32 registers, 6 x 2 fill 12 of AVX2's 16
ZERO, FROM_C, FROM_BIAS = 0, 1, 2  # what a tile starts from


def lanes(dtype):
    """Elements of `dtype` in a vector."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize


def _tile_python(vectors, lanewise):
    def tile(zero, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, relu):
        """What the LLVM tile does, in NumPy, for `NUMBA_DISABLE_JIT=1`."""
        kind, size = type(zero), np.dtype(type(zero)).itemsize
        at = lambda address, count, of=kind: np.frombuffer(
            (ctypes.c_char * (count * np.dtype(of).itemsize)).from_address(int(address)), of
        )
        offsets = at(a_segments, segments, np.int64)
        for r in range(ROWS):
            to = at(c + int(at(c_rows, ROWS, np.int64)[r]) * size, columns)
            acc = {ZERO: lambda: np.zeros(columns, kind), FROM_C: to.copy, FROM_BIAS: lambda: at(bias, columns).copy()}[
                int(start)
            ]()
            row = a + int(at(a_rows, ROWS, np.int64)[r]) * size
            for k, (segment, j) in enumerate(itertools.product(range(segments), range(length))):
                x = at(row + (int(offsets[segment]) + j * a_step) * size, columns if lanewise else 1)
                acc += x * at(b + k * b_step * size, columns)
            to[:] = np.where(acc < 0, kind(0), acc) if relu else acc

    return tile


def _tile_llvm(vectors, lanewise):
    """The micro-kernel for rows of `vectors` vectors.

    C[row, :columns] = start + sum over (segment, j) of A[row, segment, j] * B[segment * length + j, :columns]

    zero     any scalar of the element type
    a        address of A; element (row, segment, j) lies a_rows[row] + a_segments[segment] + j * a_step elements on
    b        address of B; row k lies k * b_step elements on and must be readable for `vectors` whole vectors
    c        address of C; row r lies c_rows[r] elements on; rows may repeat, as long as they repeat in A
    With `lanewise`, A has a number for every column too and B's row meets it lane by lane, as depthwise convolution does.

    start    ZERO, FROM_C or FROM_BIAS (readable for whole vectors); relu: 1 to store max(., 0)
    """

    def tile(
        typingctx,
        zero,
        a,
        a_rows,
        a_segments,
        a_step,
        segments,
        length,
        b,
        b_step,
        c,
        c_rows,
        columns,
        start,
        bias,
        relu,
    ):
        given = (
            zero,
            a,
            a_rows,
            a_segments,
            a_step,
            segments,
            length,
            b,
            b_step,
            c,
            c_rows,
            columns,
            start,
            bias,
            relu,
        )
        signature = types.void(zero, *[types.int64] * (len(given) - 1))
        element, size = (ir.FloatType(), 4) if zero == types.float32 else (ir.DoubleType(), 8)
        return signature, lambda context, at, _, args: _emit(context, at, element, size, vectors, lanewise, *args[1:])

    return tile


def _emit(
    context,
    at,
    element,
    size,
    vectors,
    lanewise,
    a,
    a_rows,
    a_segments,
    a_step,
    segments,
    length,
    b,
    b_step,
    c,
    c_rows,
    columns,
    start,
    bias,
    relu,
):
    count = VECTOR_BYTES // size
    vec, mask_type = ir.VectorType(element, count), ir.VectorType(ir.IntType(1), count)
    grid = list(itertools.product(range(ROWS), range(vectors)))
    undef, all_first = ir.Constant(vec, ir.Undefined), ir.Constant(ir.VectorType(I32, count), [0] * count)
    zero = ir.Constant(vec, [0.0] * count)
    scaled = lambda n: at.mul(n, I64(size))
    pointer = lambda address, kind: at.inttoptr(address, kind.as_pointer())
    entry_of = lambda table, i: at.load(at.gep(pointer(table, I64), [i]))
    suffix = f"v{count}f{size * 8}"
    function = lambda name, kind: cgutils.get_or_insert_function(at.module, kind, name)
    fma = function(f"llvm.fma.{suffix}", ir.FunctionType(vec, [vec] * 3))
    masked_load = function(
        f"llvm.masked.load.{suffix}.p0", ir.FunctionType(vec, [vec.as_pointer(), I32, mask_type, vec])
    )
    masked_store = function(
        f"llvm.masked.store.{suffix}.p0", ir.FunctionType(ir.VoidType(), [vec, vec.as_pointer(), I32, mask_type])
    )

    def splat(x, kind=undef):
        return at.shuffle_vector(
            at.insert_element(kind, x, I32(0)), kind, ir.Constant(ir.VectorType(I32, count), [0] * count)
        )

    def madd(x, y, z):
        return at.call(fma, [x, y, z]) if FUSED else at.fadd(at.fmul(x, y), z)

    def phi(kind, value, block):
        p = at.phi(kind)
        p.add_incoming(value, block)
        return p

    a_step, b_step = scaled(a_step), scaled(b_step)
    row_at = [at.add(a, scaled(entry_of(a_rows, I64(r)))) for r in range(ROWS)]
    c_at = [at.add(c, scaled(entry_of(c_rows, I64(r)))) for r in range(ROWS)]
    lane = ir.Constant(ir.VectorType(I64, count), list(range(count)))
    valid = [
        at.icmp_signed(
            "<", lane, splat(at.sub(columns, I64(v * count)), ir.Constant(ir.VectorType(I64, count), ir.Undefined))
        )
        for v in range(vectors)
    ]
    ragged = at.icmp_signed("<", columns, I64(vectors * count))
    names = (
        "zero",
        "bias",
        "load",
        "load_full",
        "load_part",
        "segment",
        "step",
        "segment_end",
        "finish",
        "store_full",
        "store_part",
        "done",
    )
    block = {name: at.append_basic_block(name) for name in names}
    at.switch(start, block["zero"]).add_case(I64(FROM_C), block["load"])
    at.block.terminator.add_case(I64(FROM_BIAS), block["bias"])

    starts = []

    def starting(name, values):
        at.position_at_end(block[name])
        starts.append(([values(r, v) for r, v in grid], block[name]))
        at.branch(block["segment"])

    element_at = lambda address, v: at.gep(pointer(address, vec), [I32(v)])
    starting("zero", lambda r, v: zero)
    starting("bias", lambda r, v: at.load(element_at(bias, v), align=size))
    at.position_at_end(block["load"])
    at.cbranch(ragged, block["load_part"], block["load_full"])
    starting("load_full", lambda r, v: at.load(element_at(c_at[r], v), align=size))
    starting("load_part", lambda r, v: at.call(masked_load, [element_at(c_at[r], v), I32(size), valid[v], zero]))

    at.position_at_end(block["segment"])
    s, s_b = at.phi(I64), at.phi(I64)
    s_acc = [at.phi(vec) for _ in grid]
    for values, came_from in starts:
        for p, value in zip((s, s_b, *s_acc), (I64(0), b, *values)):
            p.add_incoming(value, came_from)
    s_a = scaled(entry_of(a_segments, s))
    at.branch(block["step"])

    at.position_at_end(block["step"])
    j, j_a, j_b = (phi(I64, value, block["segment"]) for value in (I64(0), s_a, s_b))
    acc = [phi(vec, x, block["segment"]) for x in s_acc]
    bs = [at.load(element_at(j_b, v), align=size) for v in range(vectors)]
    out = []
    for r in range(ROWS):
        x_at = at.add(row_at[r], j_a)
        if lanewise:
            xs = [at.load(element_at(x_at, v), align=size) for v in range(vectors)]
        else:
            xs = [splat(at.load(pointer(x_at, element), align=size))] * vectors
        out += [madd(xs[v], bs[v], acc[r * vectors + v]) for v in range(vectors)]
    j_next, b_next = at.add(j, I64(1)), at.add(j_b, b_step)
    for p, value in zip((j, j_a, j_b, *acc), (j_next, at.add(j_a, a_step), b_next, *out)):
        p.add_incoming(value, block["step"])
    at.cbranch(at.icmp_signed("<", j_next, length), block["step"], block["segment_end"])

    at.position_at_end(block["segment_end"])
    s_next = at.add(s, I64(1))
    for p, value in zip((s, s_b, *s_acc), (s_next, b_next, *out)):
        p.add_incoming(value, block["segment_end"])
    at.cbranch(at.icmp_signed("<", s_next, segments), block["segment"], block["finish"])

    at.position_at_end(block["finish"])
    lowest = splat(
        at.select(at.icmp_signed("!=", relu, I64(0)), ir.Constant(element, 0.0), ir.Constant(element, float("-inf")))
    )
    out = [at.select(at.fcmp_ordered("<", x, lowest), lowest, x) for x in out]  # ordered: a NaN stays a NaN
    at.cbranch(ragged, block["store_part"], block["store_full"])
    at.position_at_end(block["store_full"])
    for (r, v), x in zip(grid, out):
        at.store(x, element_at(c_at[r], v), align=size)
    at.branch(block["done"])
    at.position_at_end(block["store_part"])
    for (r, v), x in zip(grid, out):
        at.call(masked_store, [x, element_at(c_at[r], v), I32(size), valid[v]])
    at.branch(block["done"])
    at.position_at_end(block["done"])
    return context.get_dummy_value()


_matrix4, _matrix2, _matrix1, _lanes4, _lanes2, _lanes1 = (
    intrinsic(_tile_python(vectors, lanewise))(_tile_llvm(vectors, lanewise))
    for lanewise, vectors in itertools.product((False, True), (4, 2, 1))
)


@helper
def tile(
    vectors, zero, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, relu
):
    """A tile of a matrix product, 4, 2 or 1 vectors wide; see `_tile_llvm`."""
    if vectors == 4:
        _matrix4(
            zero, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, relu
        )
    elif vectors == 2:
        _matrix2(
            zero, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, relu
        )
    else:
        _matrix1(
            zero, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, relu
        )


@helper
def lane_tile(
    vectors, zero, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, relu
):
    """A tile of a product lane by lane, 4, 2 or 1 vectors wide; see `_tile_llvm`."""
    if vectors == 4:
        _lanes4(zero, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, relu)
    elif vectors == 2:
        _lanes2(zero, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, relu)
    else:
        _lanes1(zero, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, relu)


@helper
def tile_width(vectors):
    """Vectors of the next tile of a row that has `vectors` left."""
    return WIDE if vectors >= WIDE else 2 if vectors >= 2 else 1


def _take_llvm(typingctx, counter):
    """The next number of a shared counter at address `counter`: how workers divide jobs, each taking one when it is free."""

    def codegen(context, at, _, args):
        return at.atomic_rmw("add", at.inttoptr(args[0], I64.as_pointer()), I64(1), "monotonic")

    return types.int64(types.int64), codegen


def _take_python(counter):
    cell = ctypes.c_int64.from_address(int(counter))
    cell.value += 1
    return cell.value - 1


take = intrinsic(_take_python)(_take_llvm)
