"""Sums down the columns of a few rows, in registers: what they do in NumPy, and their LLVM IR.

`a`, `b`, `row` and `out` are views; rows have `columns` elements and lie one after the other. `count` are added up.
"""

import numpy as np

from kerasish.device import llvm_ir
from kerasish.device.pointer import in_llvm, strided
from kerasish.kernels.cpu.simd import FUSED, VECTOR_BYTES
from kerasish.kernels.cpu.strip import element_bytes
from kerasish.kernels.cpu.tile import I64, Vectors

BLOCKS = {"total": 8, "squares": 8, "products": 8, "passed": 4}  # vectors of columns at a time, as registers allow


class Fold(Vectors):
    """Writes the sums at a builder's place."""

    def __init__(self, builder, given, element):
        size = element_bytes(element)
        super().__init__(builder, element, size, VECTOR_BYTES // size, FUSED)
        self.given, self.line = given, self.scaled(given.columns)
        self.mask, self.limits = None, None

    def emit(self, name, sums):
        """The method `name` makes new sums of old ones: for blocks of columns, then vector by vector."""
        at, body, block = self.at, getattr(self, name), BLOCKS[name]
        step = block * self.width
        if name == "passed":
            self.limits = [self.splat(at.load(self.cell(self.given.row, at.mul(self.line, I64(n))))) for n in (3, 4)]
        whole = at.mul(at.udiv(self.given.columns, I64(step)), I64(step))
        with llvm_ir.for_range_slice(at, I64(0), whole, I64(step)) as loop:
            self.sum_block(body, sums, block, loop.index)
        with llvm_ir.for_range_slice(at, whole, self.given.columns, I64(self.width)) as loop:
            self.mask = self.lanes_below(at.sub(self.given.columns, loop.index))
            self.sum_block(body, sums, 1, loop.index)

    def sum_block(self, body, sums, vectors, column):
        at, begin = self.at, self.scaled(column)
        totals = [[llvm_ir.alloca_once_value(at, self.zero) for _ in range(sums)] for _ in range(vectors)]
        for cells in totals:
            for cell in cells:
                at.store(self.zero, cell)
        rows = {"total": 0, "passed": 3}.get(body.__name__, 1)
        lines = [at.add(begin, at.mul(self.line, I64(n))) for n in range(rows)]
        row = [[self.read(self.given.row, line, v) for line in lines] for v in range(vectors)]
        with llvm_ir.for_range(at, self.given.count) as loop:
            here = at.add(begin, at.mul(loop.index, self.line))
            for v, cells in enumerate(totals):
                found = body(here, v, row[v], [at.load(cell) for cell in cells])
                for cell, value in zip(cells, found):
                    at.store(value, cell)
        for v, cells in enumerate(totals):
            for number, cell in enumerate(cells):
                self.write(at.load(cell), at.add(begin, at.mul(self.line, I64(number))), v)

    def total(self, here, v, row, sums):
        return [self.at.fadd(sums[0], self.read(self.given.a, here, v))]

    def squares(self, here, v, row, sums):
        apart = self.at.fsub(self.read(self.given.a, here, v), row[0])
        return [self.madd(apart, apart, sums[0])]

    def products(self, here, v, row, sums):
        apart = self.at.fsub(self.read(self.given.a, here, v), row[0])
        return self.weighted(self.read(self.given.b, here, v), apart, sums)

    def passed(self, here, v, row, sums):
        at, (middle, scale, shift), (low, high) = self.at, row, self.limits
        apart = at.fsub(self.read(self.given.a, here, v), middle)
        normal = self.madd(apart, scale, shift)
        within = at.and_(at.fcmp_ordered(">", normal, low), at.fcmp_ordered("<", normal, high))
        return self.weighted(at.select(within, self.read(self.given.b, here, v), self.zero), apart, sums)

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
        pointer = self.place(self.at.add(self.given.out, offset), v)
        if self.mask is None:
            self.at.store(value, pointer, align=self.size)
        else:
            self.masked("store", pointer, self.mask, value)


def sums_of(name, sums):
    """What writes a fold of so many sums."""

    def write(at, given, elements):
        Fold(at, given, elements["a"]).emit(name, sums)

    return in_llvm(write)


@sums_of("total", 1)
def total(a, out, columns, count):
    """out[i] = sum over rows of a[r, i]"""
    strided(out, (columns, 1))[:] = _rows(a, columns, count).sum(0)


@sums_of("squares", 1)
def squares(a, row, out, columns, count):
    """out[i] = sum over rows of (a[r, i] - row[i])**2"""
    strided(out, (columns, 1))[:] = ((_rows(a, columns, count) - _rows(row, columns, 1)) ** 2).sum(0)


@sums_of("products", 2)
def products(a, b, row, out, columns, count):
    """out[0, i] = sum over rows of b[r, i];  out[1, i] = sum over rows of b[r, i] * (a[r, i] - row[i])"""
    b, apart = _rows(b, columns, count), _rows(a, columns, count) - _rows(row, columns, 1)
    _rows(out, columns, 2)[:] = b.sum(0), (b * apart).sum(0)


@sums_of("passed", 2)
def passed(a, b, row, out, columns, count):
    """`products`, with b only where low < (a[r, i] - row[i]) * scale[i] + shift[i] < high.

    `row`, scale and shift are the first three of the rows from `row` on, low and high the first elements of the next.
    """
    middle, scale, shift, low, high = _rows(row, columns, 5)
    b, apart = _rows(b, columns, count), _rows(a, columns, count) - middle
    normal = apart * scale + shift
    b = np.where((normal > low[0]) & (normal < high[0]), b, b.dtype.type(0))
    _rows(out, columns, 2)[:] = b.sum(0), (b * apart).sum(0)


def _rows(x, columns, count):
    """For what is done in Python: so many rows."""
    return strided(x, (count, columns), (columns, 1))
