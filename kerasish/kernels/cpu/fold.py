"""Sums down the columns of a few rows, in registers: LLVM IR, and what it does in NumPy.

total:     out[0, i] = sum over rows of a[r, i]
squares:   out[0, i] = sum over rows of (a[r, i] - row[i])**2
products:  out[0, i] = sum over rows of b[r, i];  out[1, i] = sum over rows of b[r, i] * (a[r, i] - row[i])
passed:    products, with b only where c > 0
"""

import ctypes

import numpy as np
from numba import types
from numba.core import cgutils

from kerasish.device.jit import intrinsic
from kerasish.kernels.cpu.simd import FUSED, VECTOR_BYTES
from kerasish.kernels.cpu.tile import I64, Vectors

BLOCK = 8  # vectors of columns at a time: with two sums and a row they fill three quarters of AVX-512's registers


class Fold(Vectors):
    """Writes the sums at a builder's place; all arrays have rows of `width` elements, one after the other."""

    def __init__(self, builder, element, size, arguments):
        super().__init__(builder, element, size, VECTOR_BYTES // size, FUSED)
        self.a, self.b, self.c, self.row, self.out, self.columns, self.count = arguments
        self.line, self.mask = self.scaled(self.columns), None

    def emit(self, body, sums):
        """`body` makes new sums of old ones: for blocks of columns, then vector by vector."""
        at, step = self.at, BLOCK * self.width
        whole = at.mul(at.udiv(self.columns, I64(step)), I64(step))
        with cgutils.for_range_slice(at, I64(0), whole, I64(step), I64) as (column, _):
            self.sum_block(body, sums, BLOCK, column)
        with cgutils.for_range_slice(at, whole, self.columns, I64(self.width), I64) as (column, _):
            self.mask = self.lanes_below(at.sub(self.columns, column))
            self.sum_block(body, sums, 1, column)

    def sum_block(self, body, sums, vectors, column):
        at, begin = self.at, self.scaled(column)
        totals = [[cgutils.alloca_once_value(at, self.zero) for _ in range(sums)] for _ in range(vectors)]
        for cells in totals:
            for cell in cells:
                at.store(self.zero, cell)
        row = [self.read(self.row, begin, v) for v in range(vectors)] if body is not Fold.total else [None] * vectors
        with cgutils.for_range(at, self.count) as loop:
            here = at.add(begin, at.mul(loop.index, self.line))
            for v, cells in enumerate(totals):
                found = body(self, here, v, row[v], [at.load(cell) for cell in cells])
                for cell, value in zip(cells, found):
                    at.store(value, cell)
        for v, cells in enumerate(totals):
            for number, cell in enumerate(cells):
                self.write(at.load(cell), at.add(begin, at.mul(self.line, I64(number))), v)

    def total(self, here, v, row, sums):
        return [self.at.fadd(sums[0], self.read(self.a, here, v))]

    def squares(self, here, v, row, sums):
        apart = self.at.fsub(self.read(self.a, here, v), row)
        return [self.madd(apart, apart, sums[0])]

    def products(self, here, v, row, sums):
        return self.weighted(self.read(self.b, here, v), here, v, row, sums)

    def passed(self, here, v, row, sums):
        above = self.at.fcmp_ordered(">", self.read(self.c, here, v), self.zero)
        return self.weighted(self.at.select(above, self.read(self.b, here, v), self.zero), here, v, row, sums)

    def weighted(self, b, here, v, row, sums):
        apart = self.at.fsub(self.read(self.a, here, v), row)
        return [self.at.fadd(sums[0], b), self.madd(b, apart, sums[1])]

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


def in_python(name, zero, a, b, c, row, out, columns, count):
    """What the sums are, for `NUMBA_DISABLE_JIT=1`."""
    kind, columns, count = np.dtype(type(zero)), int(columns), int(count)

    def rows(address, number):
        memory = (ctypes.c_char * (number * columns * kind.itemsize)).from_address(int(address))
        return np.frombuffer(memory, kind).reshape(number, columns)

    a, middle = rows(a, count), 0 if name == "total" else rows(row, 1)
    if name in ("total", "squares"):
        rows(out, 1)[0] = a.sum(0) if name == "total" else ((a - middle) ** 2).sum(0)
        return
    b = rows(b, count)
    b = b if name == "products" else np.where(rows(c, count) > 0, b, zero)
    rows(out, 2)[:] = b.sum(0), (b * (a - middle)).sum(0)


def fold(name, sums):
    """The intrinsic (zero, a, b, c, row, out, columns, count): addresses of floats of `zero`'s type, and sizes."""

    @intrinsic(lambda *arguments: in_python(name, *arguments))
    def sum_rows(typingctx, zero, a, b, c, row, out, columns, count):
        def codegen(context, at, signature, args):
            element = context.get_data_type(zero)
            Fold(at, element, zero.bitwidth // 8, args[1:]).emit(getattr(Fold, name), sums)
            return context.get_dummy_value()

        return types.void(zero, *[types.int64] * 7), codegen

    return sum_rows


total, squares, products, passed = (
    fold(name, sums) for name, sums in (("total", 1), ("squares", 1), ("products", 2), ("passed", 2))
)
