"""The LLVM IR of the micro-kernel, and what it does in a few lines of NumPy.

    C[row, :columns] = start + sum over (segment, j) of A[row, segment, j] * B[segment * length + j, :columns]

for a few rows of up to four vectors, which stay in registers while k = (segment, j) passes by. NHWC makes the `KW * C`
neighbouring inputs of a window contiguous, so a convolution is a matrix product whose rows of A are addresses into the
image, and k walks segments of contiguous numbers: no image is unfolded.
"""

import ctypes
import itertools
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir

from kerasish.device import llvm_ir

I1, I8, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 32, 64))
RUN = 4  # rows that lie at even steps in a tile of the kind `RUNS`
ZERO, FROM_C, FROM_BIAS = 0, 1, 2  # what the sums start from
CUTS = {None: 0, "relu": 1, "relu6": 2}  # activations that only cut off, by the numbers that kernels know them by


class Call(NamedTuple):
    """The arguments of a tile, all integers: addresses in bytes, steps in elements. Nothing is checked."""

    a: Any  # address of A; element (row, segment, j) lies a_rows[row] + a_segments[segment] + j * a_step elements on,
    a_rows: Any  # in runs row 4 * i + r lies at a_rows[4 * i] + r * (a_rows[1] - a_rows[0])
    a_segments: Any
    a_step: Any
    segments: Any
    length: Any
    b: Any  # address of B; row k lies k * b_step elements on, readable for whole vectors
    b_step: Any
    c: Any  # address of C; row r lies c_rows[r] elements on (rows may repeat, if A's repeat with them)
    c_rows: Any
    columns: Any
    start: Any  # ZERO, FROM_C or FROM_BIAS
    bias: Any  # address of whole vectors
    cut: Any  # the activation, of `CUTS`
    stream: Any  # 1 to write whole vectors past the caches; then they lie at whole vectors
    tiles: Any  # how many, one below the other: the next one's rows follow in a_rows and c_rows


def in_python(call, dtype, rows):
    """What tiles of so many rows do, for `NUMBA_DISABLE_JIT=1`."""
    dtype, rows = np.dtype(dtype), rows * int(call.tiles)

    def at(address, count, of=dtype):
        return np.frombuffer((ctypes.c_char * (int(count) * of.itemsize)).from_address(int(address)), of)

    integers = np.dtype(np.int64)
    a_rows, c_rows = at(call.a_rows, rows, integers), at(call.c_rows, rows, integers)
    offsets, size = at(call.a_segments, call.segments, integers), dtype.itemsize
    rows = [at(call.c + int(c) * size, call.columns) for c in c_rows]
    sums = [{ZERO: row * 0, FROM_C: row.copy()}.get(int(call.start)) for row in rows]
    for row, acc, a_row in zip(rows, sums, a_rows):
        acc = at(call.bias, call.columns).copy() if acc is None else acc
        for k, (offset, j) in enumerate(itertools.product(offsets, range(call.length))):
            x = at(call.a + int(a_row + offset + j * call.a_step) * size, 1)
            acc += x * at(call.b + k * call.b_step * size, call.columns)
        row[:] = cut_in_python(acc, call.cut)


def cut_in_python(x, cut):
    """The activation of a number of `CUTS`; a NaN stays a NaN."""
    x = np.where(x < 0, x.dtype.type(0), x) if cut else x
    return np.where(x > 6, x.dtype.type(6), x) if cut == CUTS["relu6"] else x


class Vectors:
    """What emitting vectors of `width` elements at a builder's place takes."""

    def __init__(self, builder, element, size, width, fused):
        self.at, self.element, self.size, self.width, self.fused = builder, element, size, width, fused
        self.vector = ir.VectorType(element, width)
        self.zero = ir.Constant(self.vector, [0.0] * width)

    def place(self, address, v):
        """A pointer to vector v from an address on."""
        return self.at.gep(self.at.inttoptr(address, self.vector.as_pointer()), [I32(v)])

    def scaled(self, elements):
        return self.at.mul(elements, I64(self.size))

    def splat(self, x):
        undefined = ir.Constant(ir.VectorType(x.type, self.width), ir.Undefined)
        lanes = ir.Constant(ir.VectorType(I32, self.width), [0] * self.width)
        return self.at.shuffle_vector(self.at.insert_element(undefined, x, I32(0)), undefined, lanes)

    def lanes_below(self, count):
        """The mask of lanes whose number is less than `count`."""
        numbers = ir.Constant(ir.VectorType(I64, self.width), list(range(self.width)))
        return self.at.icmp_signed("<", numbers, self.splat(count))

    def lowest(self, cut):
        """What results are raised to: 0 with an activation of `CUTS`, else minus infinity."""
        return self.bound(self.at.icmp_signed("!=", cut, I64(0)), 0.0, float("-inf"))

    def highest(self, cut):
        """What results are lowered to: 6 for ReLU(6), else infinity."""
        return self.bound(self.at.icmp_signed("==", cut, I64(CUTS["relu6"])), 6.0, float("inf"))

    def bound(self, condition, *numbers):
        """One of two numbers in all lanes."""
        return self.splat(self.at.select(condition, *(ir.Constant(self.element, x) for x in numbers)))

    def clip(self, x, lowest, highest):
        """x between two bounds; a NaN stays a NaN, as the comparisons are ordered ones."""
        x = self.at.select(self.at.fcmp_ordered("<", x, lowest), lowest, x)
        return self.at.select(self.at.fcmp_ordered(">", x, highest), highest, x)

    def madd(self, x, y, z):
        if not self.fused:
            return self.at.fadd(self.at.fmul(x, y), z)
        return self.at.call(self.function("llvm.fma", "", self.vector, [self.vector] * 3), [x, y, z])

    def masked(self, what, pointer, mask, value):
        """A load (lanes outside the mask take `value`) or a store of the lanes in the mask."""
        mask_type, align = ir.VectorType(I1, self.width), I32(self.size)
        if what == "load":
            kinds = [pointer.type, I32, mask_type, self.vector]
            return self.at.call(
                self.function("llvm.masked.load", ".p0", self.vector, kinds), [pointer, align, mask, value]
            )
        kinds = [self.vector, pointer.type, I32, mask_type]
        return self.at.call(
            self.function("llvm.masked.store", ".p0", ir.VoidType(), kinds), [value, pointer, align, mask]
        )

    def stream(self, value, pointer):
        """A store past the caches, to a whole vector's place: spares reading what is overwritten."""
        store = self.at.store(value, pointer, align=self.size * self.width)
        store.set_metadata("nontemporal", self.at.module.add_metadata([I32(1)]))

    def function(self, name, suffix, result, kinds):
        kind = ir.FunctionType(result, kinds)
        return llvm_ir.get_or_insert_function(self.at.module, kind, f"{name}.v{self.width}f{self.size * 8}{suffix}")


class Tile(Vectors):
    """Writes a tile of `vectors` vectors of `width` elements a row at a builder's place, its rows in runs of `run`."""

    def __init__(self, builder, call, element, size, width, fused, rows, vectors, run):
        super().__init__(builder, element, size, width, fused)
        self.call, self.rows, self.vectors, self.run = call, rows, vectors, run
        self.grid = list(itertools.product(range(rows), range(vectors)))

    def emit(self):
        """All tiles, one after the other; the builder ends up behind them."""
        at, call, before = self.at, self.call, self.at.block
        names = (
            "tile",
            "zero",
            "bias",
            "load",
            "load_part",
            "segment",
            "step",
            "turn",
            "finish",
            "whole",
            "stream",
            "store",
            "store_part",
            "next",
            "done",
        )
        self.block = {name: at.append_basic_block(name) for name in names}
        self.valid = [self.lanes_below(at.sub(call.columns, I64(v * self.width))) for v in range(self.vectors)]
        ragged = at.icmp_signed("<", call.columns, I64(self.vectors * self.width))
        at.branch(self.block["tile"])
        at.position_at_end(self.block["tile"])
        tile, row = at.phi(I64), at.phi(I64)
        self.a_rows, self.c_rows = self.addresses(call.a, call.a_rows, row), self.addresses(call.c, call.c_rows, row)
        self.step = at.sub(self.a_rows[1], self.a_rows[0])
        self.finish(self.loops(self.starts(ragged)), ragged)
        at.position_at_end(self.block["next"])
        following = at.add(tile, I64(1)), at.add(row, I64(self.rows))
        join((tile, row), (I64(0), I64(0)), before)
        join((tile, row), following, self.block["next"])
        at.cbranch(at.icmp_signed("<", following[0], call.tiles), self.block["tile"], self.block["done"])
        at.position_at_end(self.block["done"])

    def starts(self, ragged):
        """[(first values of the sums, the block they come from)], one for each way to start."""
        at, block, found = self.at, self.block, []
        choice = at.switch(self.call.start, block["zero"])
        choice.add_case(I64(FROM_BIAS), block["bias"])
        choice.add_case(I64(FROM_C), at.append_basic_block("from_c"))
        at.position_at_end(at.function.basic_blocks[-1])
        at.cbranch(ragged, block["load_part"], block["load"])
        ways = {
            "zero": lambda r, v: self.zero,
            "bias": lambda r, v: at.load(self.place(self.call.bias, v), align=self.size),
            "load": lambda r, v: at.load(self.place(self.c_rows[r], v), align=self.size),
            "load_part": lambda r, v: self.masked("load", self.place(self.c_rows[r], v), self.valid[v], self.zero),
        }
        for name, value in ways.items():
            at.position_at_end(block[name])
            found.append(([value(r, v) for r, v in self.grid], block[name]))
            at.branch(block["segment"])
        return found

    def loops(self, starts):
        """The loop over segments and in it the one over a segment's elements; returns the sums."""
        at, call, block = self.at, self.call, self.block
        at.position_at_end(block["segment"])
        s, s_b, s_acc = at.phi(I64), at.phi(I64), [at.phi(self.vector) for _ in self.grid]
        for values, source in starts:
            join((s, s_b, *s_acc), (I64(0), call.b, *values), source)
        s_a = self.scaled(self.entry(call.a_segments, s))
        at.branch(block["step"])

        at.position_at_end(block["step"])
        j, a, b, acc = at.phi(I64), at.phi(I64), at.phi(I64), [at.phi(self.vector) for _ in self.grid]
        sums = self.multiply_add(a, b, acc)
        j_next, b_next = at.add(j, I64(1)), at.add(b, self.scaled(call.b_step))
        join((j, a, b, *acc), (I64(0), s_a, s_b, *s_acc), block["segment"])
        join((j, a, b, *acc), (j_next, at.add(a, self.scaled(call.a_step)), b_next, *sums), block["step"])
        at.cbranch(at.icmp_signed("<", j_next, call.length), block["step"], block["turn"])

        at.position_at_end(block["turn"])
        s_next = at.add(s, I64(1))
        join((s, s_b, *s_acc), (s_next, b_next, *sums), block["turn"])
        at.cbranch(at.icmp_signed("<", s_next, call.segments), block["segment"], block["finish"])
        return sums

    def multiply_add(self, a, b, acc):
        """One k: every sum plus its A times its B."""
        at, out = self.at, []
        bs = [at.load(self.place(b, v), align=self.size) for v in range(self.vectors)]
        steps = [a]
        while len(steps) < self.run:
            steps.append(at.add(steps[-1], self.step))
        for r in range(self.rows):
            row = at.add(self.a_rows[r - r % self.run], steps[r % self.run])
            x = self.splat(at.load(at.inttoptr(row, self.element.as_pointer()), align=self.size))
            out += [self.madd(x, bs[v], acc[r * self.vectors + v]) for v in range(self.vectors)]
        return out

    def finish(self, sums, ragged):
        """The activation and the stores."""
        at, block = self.at, self.block
        at.position_at_end(block["finish"])
        bounds = self.lowest(self.call.cut), self.highest(self.call.cut)
        sums = [self.clip(x, *bounds) for x in sums]
        at.cbranch(ragged, block["store_part"], block["whole"])
        at.position_at_end(block["whole"])
        at.cbranch(at.icmp_signed("!=", self.call.stream, I64(0)), block["stream"], block["store"])
        ways = {
            "store": lambda x, pointer, v: at.store(x, pointer, align=self.size),
            "stream": lambda x, pointer, v: self.stream(x, pointer),
            "store_part": lambda x, pointer, v: self.masked("store", pointer, self.valid[v], x),
        }
        for name, way in ways.items():
            at.position_at_end(block[name])
            for (r, v), x in zip(self.grid, sums):
                way(x, self.place(self.c_rows[r], v), v)
            at.branch(block["next"])

    def addresses(self, base, table, first):
        """The address of each row from `first` on: base + size * table[row]."""
        rows = [self.at.add(first, I64(r)) for r in range(self.rows)]
        return [self.at.add(base, self.scaled(self.entry(table, row))) for row in rows]

    def entry(self, table, i):
        """Integer i of the table at an address."""
        return self.at.load(self.at.gep(self.at.inttoptr(table, I64.as_pointer()), [i]))


def join(phis, values, block):
    """What each phi is when control comes from `block`."""
    for phi, value in zip(phis, values):
        phi.add_incoming(value, block)
