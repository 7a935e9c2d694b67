"""Strips, the micro-kernels of depthwise convolution: what they do in a few lines of NumPy, and their LLVM IR.

A strip is up to eight neighbouring pixels of a row of y, all their channels: lanes are channels, pixels registers.
`x` is a view of the image from where the first pixel's first tap meets it, `w` one of the filters from that tap on, `y`
one of the result from the first pixel on; what begins with their names are steps, in elements, and nothing is checked.

Windows that reach over the border of the image have fewer rows or taps, so no image is padded; steps may be negative,
so filters are turned for the gradient of the input where they lie.
"""

import contextlib
import itertools
from collections.abc import Callable

import numpy as np
from llvmlite import ir

from kerasish.device import llvm_ir
from kerasish.device.pointer import in_llvm, strided
from kerasish.kernels.cpu.simd import FUSED, VECTOR_BYTES
from kerasish.kernels.cpu.tile import I1, I8, I32, I64, Vectors, cut_in_python

WIDTHS = (8, 4, 2, 1)  # pixels of a strip: 8 sums hide the latency of a multiply-add
WINDOWS = ((0, 0), (1, 1), (2, 1), (3, 1), (3, 2))  # (taps, stride in taps) written out; the first is for all others
KINDS = [(pixels, *window) for pixels in WIDTHS for window in WINDOWS if pixels > 1 or window[1] < 2]
STEPS = "x_pixel", "x_row", "x_tap", "w_row", "w_tap", "y_pixel"


class Strip(Vectors):
    """Writes a strip of a kind at a builder's place: whole vectors of channels, then what is left."""

    def __init__(self, builder, call, elements, kind):
        element = elements["x"]
        size = element_bytes(element)
        super().__init__(builder, element, size, VECTOR_BYTES // size, FUSED)
        self.call, (self.pixels, self.count, self.stride) = call, kind

    def emit(self, body):
        """`body` for each vector of channels; the last may be a part of one."""
        at, vector_bytes = self.at, I64(VECTOR_BYTES)
        size = self.scaled(self.call.channels)
        whole = at.udiv(size, vector_bytes)
        with self.loop(whole) as i:
            self.mask, self.offset = None, at.mul(i, vector_bytes)
            self.ahead()
            body(self)
        self.offset = at.mul(whole, vector_bytes)
        with at.if_then(at.icmp_unsigned("<", self.offset, size)):
            self.mask = self.lanes_below(at.sub(self.call.channels, at.mul(whole, I64(self.width))))
            body(self)

    def forward(self):
        at, call = self.at, self.call
        start = self.load(call.bias)
        sums = [llvm_ir.alloca_once_value(at, start) for _ in range(self.pixels)]
        for ws, meetings in self.taps():
            factors = [self.load(w) for w in ws]
            for x, met in meetings:
                x = self.load(x)
                for pixel, tap in met:
                    at.store(self.madd(x, factors[tap], at.load(sums[pixel])), sums[pixel])
        bounds, found = (self.lowest(call.cut), self.highest(call.cut)), []
        for pixel, total in enumerate(sums):
            value = self.clip(at.load(total), *bounds)
            found.append((value, self.step(call.y, pixel, call.y_pixel)))
        self.finish(found)

    def finish(self, found):
        """Write values to their addresses, past the caches if that is wanted."""
        at = self.at
        if self.mask is None:
            with at.if_else(at.trunc(self.call.stream, I1)) as (past, cached):
                with past:
                    for value, y in found:
                        self.stream(value, self.place(at.add(y, self.offset), 0))
                with cached:
                    for value, y in found:
                        self.store(value, y)
        else:
            for value, y in found:
                self.store(value, y)

    def filters(self):
        at, call = self.at, self.call
        ys = [self.load(self.step(call.y, pixel, call.y_pixel)) for pixel in range(self.pixels)]
        with at.if_then(at.icmp_unsigned("!=", call.stream, I64(0))):
            for pixel in range(self.pixels, 2 * self.pixels):
                self.fetch(self.step(call.y, pixel, call.y_pixel))
        for ws, meetings in self.taps():
            sums = [[self.load(w), self.zero][: self.pixels] for w in ws]  # two chains of additions for each
            for x, met in meetings:
                x = self.load(x)
                for pixel, tap in met:
                    chain = pixel % len(sums[tap])
                    sums[tap][chain] = self.madd(x, ys[pixel], sums[tap][chain])
            for w, chains in zip(ws, sums):
                self.store(at.fadd(*chains) if len(chains) > 1 else chains[0], w)

    def ahead(self):
        """Fetch what the strip below this one needs from memory: the row under this window."""
        call, stride = self.call, max(1, self.stride)
        for row, column in itertools.product(range(stride), range(self.pixels * stride)):
            below = self.step(self.step(call.x, call.rows, call.x_row), row, call.x_row)
            self.fetch(self.step(below, column, call.x_tap if self.stride else call.x_pixel))

    def taps(self):
        """For some taps at a time: their addresses in w, and [(address in x, [(pixel, tap) that meet there])]."""
        at, call = self.at, self.call
        with self.loop(call.rows) as row:
            x, w = self.step(call.x, row, call.x_row), self.step(call.w, row, call.w_row)
            if not self.count:
                with self.loop(call.taps) as tap:
                    x = self.step(x, tap, call.x_tap)
                    pixels = [(self.step(x, pixel, call.x_pixel), [(pixel, 0)]) for pixel in range(self.pixels)]
                    yield [self.step(w, tap, call.w_tap)], pixels
            elif self.count == 1:
                yield [w], [(self.step(x, pixel, call.x_pixel), [(pixel, 0)]) for pixel in range(self.pixels)]
            else:
                ws, columns = [self.step(w, tap, call.w_tap) for tap in range(self.count)], {}
                for pixel, tap in itertools.product(range(self.pixels), range(self.count)):
                    columns.setdefault(pixel * self.stride + tap, []).append((pixel, tap))
                meetings = []
                for column in range(max(columns) + 1):
                    meetings.append((x, columns.get(column, [])))
                    x = at.add(x, call.x_tap)
                yield ws, meetings

    @contextlib.contextmanager
    def loop(self, count):
        """A loop that LLVM must not unroll: its counts are small, its body is large."""
        at = self.at
        before, head, body, done = at.block, *(at.append_basic_block(name) for name in ("head", "body", "done"))
        at.branch(head)
        at.position_at_end(head)
        index = at.phi(I64)
        index.add_incoming(I64(0), before)
        at.cbranch(at.icmp_signed("<", index, count), body, done)
        at.position_at_end(body)
        yield index
        index.add_incoming(at.add(index, I64(1)), at.block)
        rolled = at.module.add_metadata([ir.MetaDataString(at.module, "llvm.loop.unroll.disable")])
        mark = at.module.add_metadata([I64(id(index)), rolled])
        mark.operands = (mark, rolled)
        at.branch(head).set_metadata("llvm.loop", mark)
        at.position_at_end(done)

    def step(self, address, count, bytes_each):
        count = I64(count) if isinstance(count, int) else count
        return self.at.add(address, self.at.mul(count, bytes_each))

    def fetch(self, address):
        """Ask for a line of memory that will be read."""
        pointer = self.at.inttoptr(self.at.add(address, self.offset), I8.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, I32, I32, I32])
        function = llvm_ir.get_or_insert_function(self.at.module, kind, "llvm.prefetch.p0")
        self.at.call(function, [pointer, I32(0), I32(3), I32(1)])

    def load(self, address):
        pointer = self.place(self.at.add(address, self.offset), 0)
        return (
            self.at.load(pointer, align=self.size)
            if self.mask is None
            else self.masked("load", pointer, self.mask, self.zero)
        )

    def store(self, value, address):
        pointer = self.place(self.at.add(address, self.offset), 0)
        if self.mask is None:
            self.at.store(value, pointer, align=self.size)
        else:
            self.masked("store", pointer, self.mask, value)


def element_bytes(element: ir.Type) -> int:
    """The size of a float."""
    return 4 if isinstance(element, ir.FloatType) else 8


def strips(kinds: list[tuple], strip: type, write: Callable) -> Callable:
    """Decorate what a strip of any of these kinds does in NumPy: the intrinsic whose vectors the method `write` writes.

    Its parameters are those of `strip`'s call; the first, `kind`, is a number of `kinds`.
    """

    def all_kinds(at, call, elements):
        for name in set(STEPS) & set(vars(call)):
            setattr(call, name, at.mul(getattr(call, name), I64(element_bytes(elements["x"]))))
        choose(at, call.kind, kinds, lambda kind: strip(at, call, elements, kind).emit(write))

    return in_llvm(all_kinds)


def choose(at, number, kinds, write):
    """`write(kind)` for each kind, and the way to the one of a number."""
    bodies, done = [at.append_basic_block("kind") for _ in kinds], at.append_basic_block("done")
    choice = at.switch(number, bodies[0])
    for i, (kind, body) in enumerate(zip(kinds, bodies)):
        choice.add_case(I64(i), body)
        at.position_at_end(body)
        write(kind)
        at.branch(done)
    at.position_at_end(done)


def kind_of(kinds, pixels, taps, stride):
    """The number of the kind of strips that is written out for a window of so many taps, or takes any."""
    for window in ((taps, 1 if pixels == 1 or taps == 1 else stride), (0, 0)):
        if (pixels, *window) in kinds:
            return kinds.index((pixels, *window))


@strips(KINDS, Strip, Strip.forward)
def forward(kind, x, x_pixel, x_row, x_tap, w, w_row, w_tap, y, y_pixel, rows, taps, channels, bias, cut, stream):
    """y[pixel] = act(bias + sum over (row, tap) of x[pixel, row, tap] * w[row, tap])

    rows, taps  of the window; may be 0
    cut         the activation, of `tile.CUTS`
    stream      1 to write y past the caches; it then lies at whole vectors
    """
    there, out = pixels_there(KINDS[kind], x, x_pixel, x_row, x_tap, y, y_pixel, rows, taps, channels)
    factors, totals = strided(w, (rows, w_row), (taps, w_tap), (channels, 1)), np.zeros_like(out) + bias[:channels]
    for row, tap in itertools.product(range(rows), range(taps)):
        totals += there[:, row, tap] * factors[row, tap]
    out[:] = cut_in_python(totals, cut)


@strips(KINDS, Strip, Strip.filters)
def filters(kind, x, x_pixel, x_row, x_tap, w, w_row, w_tap, y, y_pixel, rows, taps, channels, stream):
    """w[row, tap] += sum over pixels of x[pixel, row, tap] * y[pixel]

    rows, taps  of the window; may be 0
    stream      1 to ask for the next strip's y ahead of time
    """
    there, given = pixels_there(KINDS[kind], x, x_pixel, x_row, x_tap, y, y_pixel, rows, taps, channels)
    sums = strided(w, (rows, w_row), (taps, w_tap), (channels, 1))
    for row, tap in itertools.product(range(rows), range(taps)):
        sums[row, tap] += (there[:, row, tap] * given).sum(0)


def pixels_there(kind, x, x_pixel, x_row, x_tap, y, y_pixel, rows, taps, channels):
    """For what is done in Python: x as (pixel, row, tap, channel), y as (pixel, channel)."""
    there = strided(x, (kind[0], x_pixel), (rows, x_row), (taps, x_tap), (channels, 1))
    return there, strided(y, (kind[0], y_pixel), (channels, 1))
