"""Winograd's transforms: what happens to a row is written once, as arithmetic, for LLVM vectors and NumPy arrays alike.

F(4, 3) and F(3, 4) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015) interpolate at the same
points, 0, 5/8, -5/8, 3/2, -3/2 and infinity, so a 6x6 tile of the image serves the forward pass and the filters'
gradient alike. The points decide on the rounding (Barabasz, Anderson, Soodhalter and Gregg, "Error Analysis and
Improving the Accuracy of Winograd Convolution for Deep Neural Networks", 2020): with these it is less than half of that
with 0, 1, -1, 2, -2, and a third at its largest. What the points' rows are scaled by costs nothing: it is chosen so
that results take no more instructions than with those.
"""

import numpy as np
from llvmlite import ir

from kerasish.device import llvm_ir
from kerasish.device.jit import intrinsic
from kerasish.device.lazy import types
from kerasish.device.raw import I64
from kerasish.kernels.cpu.simd import FUSED, VECTOR_BYTES
from kerasish.kernels.cpu.tile import Vectors, cut_in_python

LANES = VECTOR_BYTES // 4
VECTOR, WIDE = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.DoubleType(), LANES)


A, B = 5 / 8, 3 / 2  # the points; of their results, those of A and -A are scaled by A, those of B and -B by B^2
AT_A, AT_B, AT_0 = 1 / (2 * A * (A**2 - B**2)), 1 / (2 * (B**2 - A**2)), 1 / (A * B) ** 2


def image_row(d0, d1, d2, d3, d4, d5):
    """B^T d: six pixels to six points."""
    a, b, c, d = fused(d2, -(B**2), d4), fused(d1, -(B**2), d3), fused(d2, -(A**2), d4), fused(d1, -(A**2), d3)
    first = fused(d0, (A * B) ** 2, fused(d2, -(A**2 + B**2), d4))
    last = fused(d1, (A * B) ** 2, fused(d3, -(A**2 + B**2), d5))
    return first, fused(b, A, a), fused(b, -A, a), fused(d, B, c), fused(d, -B, c), last


def result_row(m0, m1, m2, m3, m4, m5):
    """A^T m of F(4, 3): six points to four results."""
    a, b, c, d = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    first, last = fused(a, 1 / A, fused(c, 1 / B**2, m0)), fused(b, A**2, fused(d, B, m5))
    return first, fused(d, 1 / B, b), fused(a, A, c), last


def filter_row(g0, g1, g2):
    """G g of F(4, 3): three taps to six points."""
    a, b = fused(g2, A**2, g0) * AT_A, fused(g2, B**2, g0) * AT_B
    c, d = A * AT_A, B * AT_B
    return g0 * AT_0, fused(g1, c, a), fused(g1, -c, a), fused(g1, d, b), fused(g1, -d, b), g2


def gradient_row(g0, g1, g2, g3):
    """G g of F(3, 4): four results' gradients to six points."""
    a, b = fused(g2, A**2, g0) * AT_A, fused(g2, B**2, g0) * AT_B
    u, v, c, d = fused(g3, A**2, g1), fused(g3, B**2, g1), A * AT_A, B * AT_B
    return g0 * AT_0, fused(u, c, a), fused(u, -c, a), fused(v, d, b), fused(v, -d, b), g3


def taps_row(m0, m1, m2, m3, m4, m5):
    """A^T m of F(3, 4): six points to the gradients of three taps."""
    a, b, c, d = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    return fused(a, 1 / A, fused(c, 1 / B**2, m0)), fused(d, 1 / B, b), fused(a, A, c) + m5


def fused(x, number, y):
    """x * number + y, in one instruction where the processor has it."""
    return x.fused(number, y) if isinstance(x, Lanes) else x * number + y


class Lanes:
    """An LLVM vector with arithmetic."""

    def __init__(self, at, value):
        self.at, self.value = at, value

    def __add__(self, other):
        return Lanes(self.at, self.at.fadd(self.value, other.value))

    def __sub__(self, other):
        return Lanes(self.at, self.at.fsub(self.value, other.value))

    def __mul__(self, number):
        return Lanes(self.at, self.at.fmul(self.value, self._repeated(number)))

    def fused(self, number, other):
        """self * number + other."""
        if not FUSED:
            return self * number + other
        kind, bits = self.value.type, 32 if self.value.type == VECTOR else 64
        madd = ir.FunctionType(kind, [kind] * 3)
        madd = llvm_ir.get_or_insert_function(self.at.module, madd, f"llvm.fma.v{LANES}f{bits}")
        return Lanes(self.at, self.at.call(madd, [self.value, self._repeated(number), other.value]))

    def _repeated(self, number):
        return ir.Constant(self.value.type, [float(number)] * LANES)


def both_ways(row, tile):
    """A square tile of vectors with `row` applied to its columns, then to its rows."""
    columns = [row(*column) for column in zip(*tile)]
    return [row(*line) for line in zip(*columns)]


def transform(row, size, wide=False):
    """An intrinsic that transforms one vector of channels of a `size` x `size` tile; in float64, if `wide`.

    (source, its row step, its column step, to, row step, column step): views, and steps in elements.
    """

    def in_python(source, row_step, column_step, to, to_row_step, to_column_step):
        _in_python(row, _read(source, row_step, column_step, size, wide), to, to_row_step, to_column_step)

    @intrinsic(in_python)
    def in_llvm(typingctx, source, row_step, column_step, to, to_row_step, to_column_step):
        def codegen(context, at, signature, args):
            _emit(at, row, size, wide, *args, lambda x: at.fptrunc(x, VECTOR) if wide else x)
            return context.get_dummy_value()

        return types.void(source, types.int64, types.int64, to, types.int64, types.int64), codegen

    return in_llvm


def _read(source, row_step, column_step, size, wide=False):
    kind = np.float64 if wide else np.float32
    at = lambda i, j: source[i * row_step + j * column_step :][:LANES].astype(kind)
    return [[at(i, j) for j in range(size)] for i in range(size)]


def _in_python(row, tile, to, row_step, column_step, finish=lambda x: x):
    for i, line in enumerate(both_ways(row, tile)):
        for j, x in enumerate(line):
            to[i * row_step + j * column_step :][:LANES] = finish(x)


def _result_in_python(source, row_step, column_step, to, to_row_step, to_column_step, bias, cut):
    finish = lambda x: cut_in_python(x + bias[:LANES], cut)
    _in_python(result_row, _read(source, row_step, column_step, 6), to, to_row_step, to_column_step, finish)


@intrinsic(_result_in_python)
def transform_result(typingctx, source, row_step, column_step, to, to_row_step, to_column_step, bias, cut):
    """`transform(result_row, 6)`, then + bias (a view), then the activation, of `CUTS`."""

    def codegen(context, at, signature, args):
        *places, bias, cut = args
        bias = at.load(_vector(at, bias), align=4)
        vectors = Vectors(at, ir.FloatType(), 4, LANES, FUSED)
        bounds = vectors.lowest(cut), vectors.highest(cut)
        _emit(at, result_row, 6, False, *places, lambda x: vectors.clip(at.fadd(x, bias), *bounds))
        return context.get_dummy_value()

    return types.void(source, types.int64, types.int64, to, types.int64, types.int64, bias, types.int64), codegen


def _vector(at, view):
    return at.bitcast(view, VECTOR.as_pointer())


def _emit(at, row, size, wide, source, row_step, column_step, to, to_row_step, to_column_step, finish):
    def place(base, i, i_step, j, j_step):
        return _vector(at, at.gep(base, [at.add(at.mul(i_step, I64(i)), at.mul(j_step, I64(j)))]))

    def load(i, j):
        x = at.load(place(source, i, row_step, j, column_step), align=4)
        return Lanes(at, at.fpext(x, WIDE) if wide else x)

    tile = [[load(i, j) for j in range(size)] for i in range(size)]
    for i, line in enumerate(both_ways(row, tile)):
        for j, x in enumerate(line):
            at.store(finish(x.value), place(to, i, to_row_step, j, to_column_step), align=4)


transform_image = transform(image_row, 6)
transform_filter = transform(filter_row, 3, wide=True)  # rounded once: each filter meets many tiles
transform_gradient = transform(gradient_row, 4)
transform_taps = transform(taps_row, 6)
