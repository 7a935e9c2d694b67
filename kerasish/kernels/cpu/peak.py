"""The LLVM IR of max pooling's strips, and what they do in a few lines of NumPy.

A strip is up to four neighbouring pixels of a row of y, all their channels, as in `strip.py`. In place of filters there
are the numbers of a window's taps: `w` is the first one's, `w_row` and `w_tap` lead to the others. An array of numbers,
`where`, lies beside x or y, which begins at `cut`; `bias` is its address, or 0 if there is none.

    largest:  y[pixel] = the largest of x[pixel, row, tap], where[pixel] = the number of the first that is (or is a NaN)
              with FLOOR in `stream` y is at least 0, and without an element above 0 `where` is no tap's number

    spread:   y[pixel] = the sum of those x[pixel, row, tap] whose `where` is the number of (row, tap)
"""

import ctypes
import itertools

import numpy as np
from llvmlite import ir

from kerasish.device.jit import intrinsic
from kerasish.device.lazy import cgutils, types
from kerasish.kernels.cpu.strip import Call, Strip, choose
from kerasish.kernels.cpu.tile import I32, I64

FLOOR = 2
KINDS = {  # (pixels, taps, stride in taps), as in `strip.py`; four pixels and their numbers are eight registers
    "largest": [(4, 0, 0), (4, 2, 2), (4, 3, 1), (4, 3, 2), (2, 0, 0), (1, 0, 0)],
    "spread": [(4, 0, 0), (4, 1, 1), (4, 2, 1), (1, 0, 0)],
}


class Peak(Strip):
    """Writes a strip of a kind at a builder's place; `number` is the type of the numbers."""

    def __init__(self, builder, call, element, size, kind, number):
        super().__init__(builder, call, element, size, kind)
        self.numbers, self.wide = ir.VectorType(number, self.width), ir.VectorType(I32, self.width)

    def largest(self):
        at, call = self.at, self.call
        floor = at.icmp_unsigned("!=", at.and_(call.stream, I64(FLOOR)), I64(0))
        lowest = self.bound(floor, 0.0, float("-inf"))
        first = self.splat(at.select(floor, I32(-1), at.trunc(call.w, I32)))
        best = [cgutils.alloca_once_value(at, lowest) for _ in range(self.pixels)]
        winner = [cgutils.alloca_once_value(at, first) for _ in range(self.pixels)]
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
        with at.if_then(at.icmp_unsigned("!=", call.bias, I64(0))):
            for name, y in zip(winner, places):
                self.write_numbers(at.load(name), y)

    def spread(self):
        at, call = self.at, self.call
        sums = [cgutils.alloca_once_value(at, self.zero) for _ in range(self.pixels)]
        for total in sums:
            at.store(self.zero, total)
        for names, meetings in self.taps():
            names = [self.splat(at.trunc(name, I32)) for name in names]
            for x, met in meetings:
                g, winner = self.load(x), self.read_numbers(x)
                for pixel, tap in met:
                    won = at.select(at.icmp_signed("==", winner, names[tap]), g, self.zero)
                    at.store(at.fadd(at.load(sums[pixel]), won), sums[pixel])
        self.finish([(at.load(s), self.step(call.y, pixel, call.y_pixel)) for pixel, s in enumerate(sums)])

    def beside(self, address):
        """A pointer to the numbers that belong to what lies at an address."""
        at, size = self.at, self.numbers.element.width // 8
        apart = at.sub(at.add(address, self.offset), self.call.cut)
        elements = at.ashr(apart, I64(self.size.bit_length() - 1))
        return at.inttoptr(at.add(self.call.bias, at.mul(elements, I64(size))), self.numbers.as_pointer())

    def read_numbers(self, address):
        at, pointer, size = self.at, self.beside(address), self.numbers.element.width // 8
        if self.mask is None:
            found = at.load(pointer, align=size)
        else:
            nothing = ir.Constant(self.numbers, [0] * self.width)
            found = self.masked_numbers("load", self.numbers, [pointer, I32(size), self.mask, nothing])
        return found if found.type == self.wide else at.zext(found, self.wide)

    def write_numbers(self, numbers, address):
        at, pointer, size = self.at, self.beside(address), self.numbers.element.width // 8
        numbers = numbers if self.numbers == self.wide else at.trunc(numbers, self.numbers)
        if self.mask is None:
            at.store(numbers, pointer, align=size)
        else:
            self.masked_numbers("store", ir.VoidType(), [numbers, pointer, I32(size), self.mask])

    def masked_numbers(self, what, result, arguments):
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        name = f"llvm.masked.{what}.v{self.width}i{self.numbers.element.width}.p0"
        return self.at.call(cgutils.get_or_insert_function(self.at.module, kind, name), arguments)


def in_python(name, kind, call, dtype, number):
    """What a strip does, for `NUMBA_DISABLE_JIT=1`."""
    call, dtype, number = Call(*map(int, call)), np.dtype(dtype), np.dtype(number)

    def at(address, kind=dtype):
        return np.frombuffer((ctypes.c_char * (call.channels * kind.itemsize)).from_address(address), kind)

    def beside(address):
        return at(call.bias + (address - call.cut) // dtype.itemsize * number.itemsize, number)

    for pixel in range(KINDS[name][int(kind)][0]):
        y = call.y + pixel * call.y_pixel
        seen = [
            (call.x + pixel * call.x_pixel + i * call.x_row + j * call.x_tap, call.w + i * call.w_row + j * call.w_tap)
            for i, j in itertools.product(range(call.rows), range(call.taps))
        ]
        if name == "spread":
            at(y)[:] = sum((np.where(beside(x) == tap, at(x), dtype.type(0)) for x, tap in seen), np.zeros_like(at(y)))
            continue
        values, numbers = np.stack([at(x) for x, _ in seen]), np.array([tap for _, tap in seen], number)
        if call.stream & FLOOR:
            values = np.concatenate([np.zeros_like(values[:1]), values])
            numbers = np.append(number.type(-1 % 2 ** (8 * number.itemsize)), numbers)
        best = np.argmax(values, 0)  # NumPy's also takes the first, and a NaN before all
        at(y)[:] = values[best, range(call.channels)]
        if call.bias:
            beside(y)[:] = numbers[best]


def peak_of(name, dtype, number):
    """The intrinsic (number of the kind, *Call) that is a strip of any of the kinds of `name`."""
    element, size = (ir.FloatType(), 4) if dtype == "float32" else (ir.DoubleType(), 8)
    integer, body = ir.IntType(8 * np.dtype(number).itemsize), getattr(Peak, name)

    def codegen(context, at, signature, args):
        kind, *call = cgutils.unpack_tuple(at, args[0])
        write = lambda kind: Peak(at, Call(*call), element, size, kind, integer).emit(body)
        choose(at, kind, KINDS[name], write)
        return context.get_dummy_value()

    @intrinsic(lambda kind, *call: in_python(name, kind, call, dtype, number))
    def strip(typingctx, *arguments):
        return types.void(arguments if isinstance(arguments, types.BaseTuple) else types.Tuple(arguments)), codegen

    return strip
