"""The host's vectors, and the tile function of each dtype, which kernels call by address."""

import os

import numpy as np
from llvmlite import binding, ir

from kerasish.device.jit import Native, helper, intrinsic
from kerasish.device.lazy import cgutils, types
from kerasish.kernels.cpu.tile import I64, Call, Tile, in_python


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


def lanes(dtype):
    """Elements of `dtype` in a vector."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize


def tile_for(size):
    """The address of the tile function (vectors a row, then `tile.Call`) for floats of `size` bytes."""
    return _TILES[size].address


def _native(dtype):
    tile = intrinsic(_tile_python(dtype))(_tile_llvm(dtype))

    def tile_function(
        vectors, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias, cut,
        stream,
    ):  # fmt: skip
        tile(
            vectors, a, a_rows, a_segments, a_step, segments, length, b, b_step, c, c_rows, columns, start, bias,
            cut, stream,
        )  # fmt: skip

    return Native(tile_function, 1 + len(Call._fields), f"{dtype}-{VECTOR_BYTES}")


def _tile_python(dtype):
    return lambda vectors, *call: in_python(Call(*call), dtype)


def _tile_llvm(dtype):
    """The intrinsic that is a tile of any width: a switch over the widths that there are."""
    element, size = (ir.FloatType(), 4) if dtype == "float32" else (ir.DoubleType(), 8)

    def codegen(context, at, signature, args):
        vectors, *call = cgutils.unpack_tuple(at, args[0])
        done, widths = at.append_basic_block("end"), [w for w in (1, 2, 4) if w <= WIDE]
        bodies = {width: at.append_basic_block(f"wide{width}") for width in widths}
        choice = at.switch(vectors, bodies[WIDE])
        for width, body in bodies.items():
            choice.add_case(I64(width), body)
            at.position_at_end(body)
            Tile(at, Call(*call), element, size, VECTOR_BYTES // size, width, FUSED).emit()
            at.branch(done)
        at.position_at_end(done)
        return context.get_dummy_value()

    def tile(typingctx, *arguments):
        return types.void(arguments if isinstance(arguments, types.BaseTuple) else types.Tuple(arguments)), codegen

    return tile


_TILES = {4: _native("float32"), 8: _native("float64")}


@helper
def tile_width(vectors):
    """Vectors of the next tile of a row that has `vectors` left."""
    return WIDE if vectors >= WIDE else 2 if vectors >= 2 else 1
