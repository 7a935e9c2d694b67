"""Sums down the columns of a few rows, in registers: LLVM IR, and what it does in NumPy.

total:     out[0, i] = sum over rows of a[r, i]
squares:   out[0, i] = sum over rows of (a[r, i] - row[i])**2
products:  out[0, i] = sum over rows of b[r, i];  out[1, i] = sum over rows of b[r, i] * (a[r, i] - row[i])
passed:    products, with b only where low < (a[r, i] - row[i]) * scale[i] + shift[i] < high; row, scale and shift are
           the first three of the rows, low and high the first elements of the next two
"""

import ctypes

import numpy as np

from kerasish.device.jit import intrinsic
from kerasish.device.lazy import cgutils, types
from kerasish.kernels.cpu.simd import FUSED, VECTOR_BYTES
from kerasish.kernels.cpu.tile import I64, Vectors

BLOCKS = {"total": 8, "squares": 8, "products": 8, "passed": 4}  # vectors of columns at a time, as registers allow


class Fold(Vectors):
    """Writes the sums at a builder's place; all arrays have rows of `width` elements, one after the other."""

    def __init__(self, builder, element, size, arguments):
        super().__init__(builder, element, size, VECTOR_BYTES // size, FUSED)
        self.a, self.b, self.row, self.out, self.columns, self.count = arguments
        self.line, self.mask, self.limits = self.scaled(self.columns), None, None

    def emit(self, name, sums):
        """The method `name` makes new sums of old ones: for blocks of columns, then vector by vector."""
        at, body, block = self.at, getattr(self, name), BLOCKS[name]
        step = block * self.width
        if name == "passed":
            self.limits = [self.splat(at.load(self.cell(self.row, at.mul(self.line, I64(n))))) for n in (3, 4)]
        whole = at.mul(at.udiv(self.columns, I64(step)), I64(step))
        with cgutils.for_range_slice(at, I64(0), whole, I64(step), I64) as (column, _):
            self.sum_block(body, sums, block, column)
        with cgutils.for_range_slice(at, whole, self.columns, I64(self.width), I64) as (column, _):
            self.mask = self.lanes_below(at.sub(self.columns, column))
            self.sum_block(body, sums, 1, column)

    def sum_block(self, body, sums, vectors, column):
        at, begin = self.at, self.scaled(column)
        totals = [[cgutils.alloca_once_value(at, self.zero) for _ in range(sums)] for _ in range(vectors)]
        for cells in totals:
            for cell in cells:
                at.store(self.zero, cell)
        rows = {"total": 0, "passed": 3}.get(body.__name__, 1)
        lines = [at.add(begin, at.mul(self.line, I64(n))) for n in range(rows)]
        row = [[self.read(self.row, line, v) for line in lines] for v in range(vectors)]
        with cgutils.for_range(at, self.count) as loop:
            here = at.add(begin, at.mul(loop.index, self.line))
            for v, cells in enumerate(totals):
                found = body(here, v, row[v], [at.load(cell) for cell in cells])
                for cell, value in zip(cells, found):
                    at.store(value, cell)
        for v, cells in enumerate(totals):
            for number, cell in enumerate(cells):
                self.write(at.load(cell), at.add(begin, at.mul(self.line, I64(number))), v)

    def total(self, here, v, row, sums):
        return [self.at.fadd(sums[0], self.read(self.a, here, v))]

    def squares(self, here, v, row, sums):
        apart = self.at.fsub(self.read(self.a, here, v), row[0])
        return [self.madd(apart, apart, sums[0])]

    def products(self, here, v, row, sums):
        apart = self.at.fsub(self.read(self.a, here, v), row[0])
        return self.weighted(self.read(self.b, here, v), apart, sums)

    def passed(self, here, v, row, sums):
        at, (middle, scale, shift), (low, high) = self.at, row, self.limits
        apart = at.fsub(self.read(self.a, here, v), middle)
        normal = self.madd(apart, scale, shift)
        within = at.and_(at.fcmp_ordered(">", normal, low), at.fcmp_ordered("<", normal, high))
        return self.weighted(at.select(within, self.read(self.b, here, v), self.zero), apart, sums)

    def weighted(self, b, apart, sums):
        return [self.at.fadd(sums[0], b), self.madd(b, apart, sums[1])]

    def cell(self, address, offset):
        """A pointer to the one element there."""
        return self.at.inttoptr(self.at.add(address, offset), self.element.as_pointer())

    def read(self, address, offset, v):
        pointer = self.place(self.at.add(address, offset), v)
        return (
            self.at.load(pointer, align=self.size)
            if self.mask is None
            else self.masked("load", pointer, self.mask, self.zero)
        )

    def write(self, value, offset, v):
        pointer = self.place(self.at.add(self.out, offset), v)
        if self.mask is None:
            self.at.store(value, pointer, align=self.size)
        else:
            self.masked("store", pointer, self.mask, value)


def in_python(name, zero, a, b, row, out, columns, count):
    """What the sums are, for `NUMBA_DISABLE_JIT=1`."""
    kind, columns, count = np.dtype(type(zero)), int(columns), int(count)

    def rows(address, number):
        memory = (ctypes.c_char * (number * columns * kind.itemsize)).from_address(int(address))
        return np.frombuffer(memory, kind).reshape(number, columns)

    a = rows(a, count)
    if name == "total":
        rows(out, 1)[0] = a.sum(0)
        return
    apart = a - rows(row, 1)
    if name == "squares":
        rows(out, 1)[0] = (apart**2).sum(0)
        return
    b = rows(b, count)
    if name == "passed":
        _, scale, shift, low, high = rows(row, 5)
        normal = apart * scale + shift
        b = np.where((normal > low[0]) & (normal < high[0]), b, zero)
    rows(out, 2)[:] = b.sum(0), (b * apart).sum(0)


def fold(name, sums):
    """The intrinsic (zero, a, b, row, out, columns, count): addresses of floats of `zero`'s type, and sizes."""

    @intrinsic(lambda *arguments: in_python(name, *arguments))
    def sum_rows(typingctx, zero, a, b, row, out, columns, count):
        def codegen(context, at, signature, args):
            element = context.get_data_type(zero)
            Fold(at, element, zero.bitwidth // 8, args[1:]).emit(name, sums)
            return context.get_dummy_value()

        return types.void(zero, *[types.int64] * 6), codegen

    return sum_rows


total, squares, products, passed = (
    fold(name, sums) for name, sums in (("total", 1), ("squares", 1), ("products", 2), ("passed", 2))
)
