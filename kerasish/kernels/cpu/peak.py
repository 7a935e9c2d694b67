"""Max pooling's strips: what they do in a few lines of NumPy, and their LLVM IR.

A strip is up to four neighbouring pixels of a row of y, all their channels, as in `strip.py`. In place of filters there
are the numbers of a window's taps: `tap` is the first one's, `tap_row` and `tap_next` lead to the others. `where`, an
array of numbers, begins where x or y does.
"""

import itertools

import numpy as np
from llvmlite import ir

from kerasish.device import llvm_ir
from kerasish.device.pointer import strided
from kerasish.kernels.cpu.strip import Strip, pixels_there, strips
from kerasish.kernels.cpu.tile import I32, I64

# the kinds: (pixels, taps, stride in taps), as in `strip.py`; four pixels and their numbers are eight registers
LARGEST = ((4, 0, 0), (4, 2, 2), (4, 3, 1), (4, 3, 2), (2, 0, 0), (1, 0, 0))
SPREAD = ((4, 0, 0), (4, 1, 1), (4, 2, 1), (1, 0, 0))


class Peak(Strip):
    """Writes a strip of a kind at a builder's place."""

    def __init__(self, builder, call, elements, kind):
        super().__init__(builder, call, elements, kind)
        self.numbers, self.wide = ir.VectorType(elements["where"], self.width), ir.VectorType(I32, self.width)
        call.w, call.w_row, call.w_tap = call.tap, call.tap_row, call.tap_next

    def largest(self):
        at, call = self.at, self.call
        floor = at.icmp_unsigned("!=", call.floor, I64(0))
        lowest = self.bound(floor, 0.0, float("-inf"))
        first = self.splat(at.select(floor, I32(-1), at.trunc(call.w, I32)))
        best = [llvm_ir.alloca_once_value(at, lowest) for _ in range(self.pixels)]
        winner = [llvm_ir.alloca_once_value(at, first) for _ in range(self.pixels)]
        for names, meetings in self.taps():
            names = [self.splat(at.trunc(name, I32)) for name in names]
            for x, met in meetings:
                x = self.load(x)
                for pixel, tap in met:
                    m = at.load(best[pixel])
                    wins = at.and_(at.fcmp_unordered(">", x, m), at.fcmp_ordered("ord", m, m))
                    at.store(at.select(wins, x, m), best[pixel])
                    at.store(at.select(wins, names[tap], at.load(winner[pixel])), winner[pixel])
        places = [self.step(call.y, pixel, call.y_pixel) for pixel in range(self.pixels)]
        self.finish([(at.load(value), y) for value, y in zip(best, places)])
        with at.if_then(at.icmp_unsigned("!=", call.numbered, I64(0))):
            for name, y in zip(winner, places):
                self.write_numbers(at.load(name), self.beside(y, call.y))

    def spread(self):
        at, call = self.at, self.call
        sums = [llvm_ir.alloca_once_value(at, self.zero) for _ in range(self.pixels)]
        for total in sums:
            at.store(self.zero, total)
        for names, meetings in self.taps():
            names = [self.splat(at.trunc(name, I32)) for name in names]
            for x, met in meetings:
                g, winner = self.load(x), self.read_numbers(self.beside(x, call.x))
                for pixel, tap in met:
                    won = at.select(at.icmp_signed("==", winner, names[tap]), g, self.zero)
                    at.store(at.fadd(at.load(sums[pixel]), won), sums[pixel])
        self.finish([(at.load(s), self.step(call.y, pixel, call.y_pixel)) for pixel, s in enumerate(sums)])

    def beside(self, address, begin):
        """A pointer to the numbers that belong to what lies at an address; `where` begins where `begin` does."""
        at, size = self.at, self.numbers.element.width // 8
        elements = at.ashr(at.sub(at.add(address, self.offset), begin), I64(self.size.bit_length() - 1))
        return at.inttoptr(at.add(self.call.where, at.mul(elements, I64(size))), self.numbers.as_pointer())

    def read_numbers(self, pointer):
        at, size = self.at, self.numbers.element.width // 8
        if self.mask is None:
            found = at.load(pointer, align=size)
        else:
            nothing = ir.Constant(self.numbers, [0] * self.width)
            found = self.masked_numbers("load", self.numbers, [pointer, I32(size), self.mask, nothing])
        return found if found.type == self.wide else at.zext(found, self.wide)

    def write_numbers(self, numbers, pointer):
        at, size = self.at, self.numbers.element.width // 8
        numbers = numbers if self.numbers == self.wide else at.trunc(numbers, self.numbers)
        if self.mask is None:
            at.store(numbers, pointer, align=size)
        else:
            self.masked_numbers("store", ir.VoidType(), [numbers, pointer, I32(size), self.mask])

    def masked_numbers(self, what, result, arguments):
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        name = f"llvm.masked.{what}.v{self.width}i{self.numbers.element.width}.p0"
        return self.at.call(llvm_ir.get_or_insert_function(self.at.module, kind, name), arguments)


@strips(LARGEST, Peak, Peak.largest)
def largest(
    kind, x, x_pixel, x_row, x_tap, tap, tap_row, tap_next, y, y_pixel, rows, taps, channels,
    where, numbered, floor, stream,
):  # fmt: skip
    """y[pixel] = the largest of x[pixel, row, tap], where[pixel] = the number of the first that is (or is a NaN).

    numbered  1 to write `where`
    floor     1 if y is at least 0; without an element above 0 `where` is then no tap's number
    stream    1 to write y past the caches; it then lies at whole vectors
    """
    there, out = pixels_there(LARGEST[kind], x, x_pixel, x_row, x_tap, y, y_pixel, rows, taps, channels)
    values = list(there.reshape(out.shape[0], -1, channels).swapaxes(0, 1))
    numbers = [tap + row * tap_row + i * tap_next for row, i in itertools.product(range(rows), range(taps))]
    if floor:
        values, numbers = [np.zeros_like(out), *values], [np.iinfo(where.dtype).max, *numbers]
    best = np.argmax(values, 0)  # NumPy's also takes the first, and a NaN before all
    out[:] = np.take_along_axis(np.stack(values), best[None], 0)[0]
    if numbered:
        strided(where, (out.shape[0], y_pixel), (channels, 1))[:] = np.array(numbers, where.dtype)[best]


@strips(SPREAD, Peak, Peak.spread)
def spread(
    kind, x, x_pixel, x_row, x_tap, tap, tap_row, tap_next, y, y_pixel, rows, taps, channels, where, stream
):  # fmt: skip
    """y[pixel] = the sum of those x[pixel, row, tap] whose `where` is the number of (row, tap).

    stream  1 to write y past the caches; it then lies at whole vectors
    """
    steps = x_pixel, x_row, x_tap
    there, out = pixels_there(SPREAD[kind], x, *steps, y, y_pixel, rows, taps, channels)
    numbers, _ = pixels_there(SPREAD[kind], where, *steps, y, y_pixel, rows, taps, channels)
    out[:] = 0
    for row, i in itertools.product(range(rows), range(taps)):
        out += np.where(numbers[:, row, i] == tap + row * tap_row + i * tap_next, there[:, row, i], out.dtype.type(0))
