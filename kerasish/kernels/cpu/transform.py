"""Winograd's transforms: what happens to a row is written once, as arithmetic, for LLVM vectors and NumPy arrays alike.

F(4, 3) and F(3, 4) interpolate at 0, 1, -1, 2, -2 and infinity (Lavin and Gray, "Fast Algorithms for Convolutional
Neural Networks", 2015), so a 6x6 tile of the image serves the forward pass and the filters' gradient alike.
"""

import ctypes

import numpy as np
from llvmlite import ir

from kerasish.device.jit import intrinsic
from kerasish.device.lazy import cgutils, types
from kerasish.kernels.cpu.raw import I64
from kerasish.kernels.cpu.simd import FUSED, VECTOR_BYTES
from kerasish.kernels.cpu.tile import Vectors, cut_in_python

LANES = VECTOR_BYTES // 4
VECTOR = ir.VectorType(ir.FloatType(), LANES)


def image_row(d0, d1, d2, d3, d4, d5):
    """B^T d: six pixels to six points."""
    a, b, c, d = d4 - d2 * 4, d3 - d1 * 4, d4 - d2, (d3 - d1) * 2
    return d0 * 4 - d2 * 5 + d4, a + b, a - b, c + d, c - d, d1 * 4 - d3 * 5 + d5


def result_row(m0, m1, m2, m3, m4, m5):
    """A^T m of F(4, 3): six points to four results."""
    a, b, c, d = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    return m0 + a + c, b + d * 2, a + c * 4, b + d * 8 + m5


def filter_row(g0, g1, g2):
    """G g of F(4, 3): three taps to six points."""
    a, b, c = (g0 + g2) * (-1 / 6), g1 * (-1 / 6), g0 * (1 / 24) + g2 * (1 / 6)
    d = g1 * (1 / 12)
    return g0 * 0.25, a + b, a - b, c + d, c - d, g2


def gradient_row(g0, g1, g2, g3):
    """G g of F(3, 4): four results' gradients to six points."""
    a, b = (g0 + g2) * (-1 / 6), (g1 + g3) * (-1 / 6)
    c, d = g0 * (1 / 24) + g2 * (1 / 6), g1 * (1 / 12) + g3 * (1 / 3)
    return g0 * 0.25, a + b, a - b, c + d, c - d, g3


def taps_row(m0, m1, m2, m3, m4, m5):
    """A^T m of F(3, 4): six points to the gradients of three taps."""
    a, b, c, d = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    return m0 + a + c, b + d * 2, a + c * 4 + m5


class Lanes:
    """An LLVM vector with arithmetic."""

    def __init__(self, at, value):
        self.at, self.value = at, value

    def __add__(self, other):
        return Lanes(self.at, self.at.fadd(self.value, other.value, flags=("contract",)))

    def __sub__(self, other):
        return Lanes(self.at, self.at.fsub(self.value, other.value, flags=("contract",)))

    def __mul__(self, number):
        return Lanes(
            self.at, self.at.fmul(self.value, ir.Constant(VECTOR, [float(number)] * LANES), flags=("contract",))
        )


def both_ways(row, tile):
    """A square tile of vectors with `row` applied to its columns, then to its rows."""
    columns = [row(*column) for column in zip(*tile)]
    return [row(*line) for line in zip(*columns)]


def transform(row, size):
    """An intrinsic that transforms one vector of channels of a `size` x `size` tile.

    (source, its row step, its column step, to, row step, column step), in bytes; for what ends a convolution also
    (bias or 0, activation of `CUTS`).
    """

    def in_python(source, row_step, column_step, to, to_row_step, to_column_step, bias=0, cut=0):
        at = lambda address: np.frombuffer((ctypes.c_char * VECTOR_BYTES).from_address(int(address)), np.float32)
        tile = [[at(source + i * row_step + j * column_step) for j in range(size)] for i in range(size)]
        for i, line in enumerate(both_ways(row, tile)):
            for j, x in enumerate(line):
                x = x + at(bias) if bias else x
                at(to + i * to_row_step + j * to_column_step)[:] = cut_in_python(x, cut)

    @intrinsic(in_python)
    def in_llvm(typingctx, source, row_step, column_step, to, to_row_step, to_column_step, *end):
        end = end[0] if end and isinstance(end[0], tuple) else end
        kinds = [types.int64] * 6, types.Tuple(end)
        return types.void(*kinds[0], kinds[1]), codegen

    def codegen(context, at, signature, args):
        *steps, end = args
        _emit(at, row, size, *steps, *cgutils.unpack_tuple(at, end))
        return context.get_dummy_value()

    return in_llvm


def _emit(at, row, size, source, row_step, column_step, to, to_row_step, to_column_step, *end):
    def place(address, i, i_step, j, j_step):
        offset = at.add(at.mul(i_step, I64(i)), at.mul(j_step, I64(j)))
        return at.inttoptr(at.add(address, offset), VECTOR.as_pointer())

    def load(i, j):
        return Lanes(at, at.load(place(source, i, row_step, j, column_step), align=4))

    finish = _finish(at, *end) if end else lambda x: x
    tile = [[load(i, j) for j in range(size)] for i in range(size)]
    for i, line in enumerate(both_ways(row, tile)):
        for j, x in enumerate(line):
            at.store(finish(x.value), place(to, i, to_row_step, j, to_column_step), align=4)


def _finish(at, bias, cut):
    """What ends a convolution: + bias, then the activation."""
    start = at.block
    with at.if_then(at.icmp_signed("!=", bias, I64(0))):
        loaded, block = at.load(at.inttoptr(bias, VECTOR.as_pointer()), align=4), at.block
    added = at.phi(VECTOR)
    added.add_incoming(ir.Constant(VECTOR, [-0.0] * LANES), start)
    added.add_incoming(loaded, block)
    vectors = Vectors(at, ir.FloatType(), 4, LANES, FUSED)
    bounds = vectors.lowest(cut), vectors.highest(cut)
    return lambda x: vectors.clip(at.fadd(x, added), *bounds)


transform_image = transform(image_row, 6)
transform_result = transform(result_row, 6)
transform_filter = transform(filter_row, 3)
transform_gradient = transform(gradient_row, 4)
transform_taps = transform(taps_row, 6)
