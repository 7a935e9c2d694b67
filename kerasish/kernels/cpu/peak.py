"""The LLVM IR of max pooling, and what it does in NumPy: one window forward, one row of a window backward.

largest:  y = the largest of the taps of x, where = the number of the first that is (or of the first NaN)
spread:   gx[tap] += g where `where` is the tap's number
"""

import ctypes

import numpy as np
from llvmlite import ir

from kerasish.device.jit import intrinsic
from kerasish.device.lazy import cgutils, types
from kerasish.kernels.cpu.simd import FUSED, VECTOR_BYTES
from kerasish.kernels.cpu.tile import I32, I64, Vectors

BLOCK = 4  # vectors at a time


class Peak(Vectors):
    """Writes either at a builder's place, vector by vector of the channels."""

    def __init__(self, builder, element, number, size, channels):
        super().__init__(builder, element, size, VECTOR_BYTES // size, FUSED)
        self.channels, self.number, self.mask = channels, number, None
        self.numbers, self.wide = ir.VectorType(number, self.width), ir.VectorType(I32, self.width)

    def emit(self, body, *arguments):
        """`body` for blocks of vectors, whose comparisons do not wait for one another, then for what is left."""
        at, begin = self.at, I64(0)
        for vectors in (BLOCK, 1) if body is Peak.largest else (1,):
            step = I64(vectors * self.width)
            end = at.mul(at.udiv(self.channels, step), step)
            with cgutils.for_range_slice(at, begin, end, step, I64) as (channel, _):
                body(self, [at.add(channel, I64(v * self.width)) for v in range(vectors)], *arguments)
            begin = end
        with at.if_then(at.icmp_signed("<", begin, self.channels)):
            self.mask = self.lanes_below(at.sub(self.channels, begin))
            body(self, [begin], *arguments)

    def largest(self, channels, x, taps, count, y, where):
        """`taps`: pairs of integers, the offset of a tap in elements and its number."""
        at = self.at
        tap = lambda i: at.load(at.gep(at.inttoptr(taps, I64.as_pointer()), [i]))
        read = lambda i, channel: self.read(at.add(x, self.scaled(at.add(channel, tap(i)))), self.vector)
        best = [cgutils.alloca_once_value(at, read(I64(0), channel)) for channel in channels]
        winner = [cgutils.alloca_once_value(at, self.splat(at.trunc(tap(I64(1)), I32))) for _ in channels]
        with cgutils.for_range_slice(at, I64(2), at.mul(count, I64(2)), I64(2), I64) as (i, _):
            name = self.splat(at.trunc(tap(at.add(i, I64(1))), I32))
            for channel, champion, number in zip(channels, best, winner):
                v, m = read(i, channel), at.load(champion)
                wins = at.and_(at.fcmp_unordered(">", v, m), at.fcmp_ordered("ord", m, m))
                at.store(at.select(wins, v, m), champion)
                at.store(at.select(wins, name, at.load(number)), number)
        for channel, champion in zip(channels, best):
            self.write(at.load(champion), at.add(y, self.scaled(channel)))
        with at.if_then(at.icmp_signed("!=", where, I64(0))):
            for channel, number in zip(channels, winner):
                names = at.load(number)
                names = at.trunc(names, self.numbers) if self.number.width < 32 else names
                self.write(names, at.add(where, at.mul(channel, I64(self.number.width // 8))))

    def spread(self, channels, g, where, gx, step, first, count):
        """Taps first, ..., first + count - 1, `step` elements apart from gx on."""
        at = self.at
        for channel in channels:
            v = self.read(at.add(g, self.scaled(channel)), self.vector)
            names = self.read(at.add(where, at.mul(channel, I64(self.number.width // 8))), self.numbers)
            names = at.zext(names, self.wide) if self.number.width < 32 else names
            with cgutils.for_range(at, count) as loop:
                to = at.add(gx, self.scaled(at.add(channel, at.mul(loop.index, step))))
                won = at.icmp_signed("==", names, self.splat(at.trunc(at.add(first, loop.index), I32)))
                self.write(at.fadd(self.read(to, self.vector), at.select(won, v, self.zero)), to)

    def read(self, address, kind):
        pointer, size = self.at.inttoptr(address, kind.as_pointer()), self.bytes_of(kind)
        if self.mask is None:
            return self.at.load(pointer, align=size)
        zero = ir.Constant(kind, [0] * self.width)
        arguments = [pointer, I32(size), self.mask, zero]
        return self.at.call(self.masking("load", kind, kind, arguments), arguments)

    def write(self, value, address):
        pointer, size = self.at.inttoptr(address, value.type.as_pointer()), self.bytes_of(value.type)
        if self.mask is None:
            self.at.store(value, pointer, align=size)
        else:
            arguments = [value, pointer, I32(size), self.mask]
            self.at.call(self.masking("store", value.type, ir.VoidType(), arguments), arguments)

    def bytes_of(self, kind):
        return self.size if kind is self.vector else kind.element.width // 8

    def masking(self, what, kind, result, arguments):
        name = f"f{self.size * 8}" if kind is self.vector else f"i{kind.element.width}"
        function = ir.FunctionType(result, [argument.type for argument in arguments])
        full = f"llvm.masked.{what}.v{self.width}{name}.p0"
        return cgutils.get_or_insert_function(self.at.module, function, full)


def _array(kind, address, count):
    kind = np.dtype(kind)
    return np.frombuffer((ctypes.c_char * (int(count) * kind.itemsize)).from_address(int(address)), kind)


def _largest_python(zero, nought, x, taps, count, y, where, channels):
    kind = np.dtype(type(zero))
    found = _array(np.int64, taps, 2 * count).reshape(-1, 2)
    values = np.stack([_array(kind, x + offset * kind.itemsize, channels) for offset, _ in found.tolist()])
    best = np.argmax(values, 0)  # NumPy's also takes the first, and a NaN before all
    _array(kind, y, channels)[:] = values[best, range(channels)]
    if where:
        _array(type(nought), where, channels)[:] = found[best, 1]


def _spread_python(zero, nought, g, where, gx, step, first, count, channels):
    kind = np.dtype(type(zero))
    for tap in range(int(count)):
        won = _array(type(nought), where, channels) == first + tap
        _array(kind, gx + tap * step * kind.itemsize, channels)[won] += _array(kind, g, channels)[won]


def _of(fallback, body, arguments):
    """The intrinsic (zero, nought, *integers, channels): addresses and sizes, of elements of these scalars' types."""

    @intrinsic(fallback)
    def peak(typingctx, zero, nought, *given):
        given = given[0] if len(given) == 1 and isinstance(given[0], types.BaseTuple) else given

        def codegen(context, at, signature, args):
            *integers, channels = cgutils.unpack_tuple(at, args[2])
            element, number = context.get_data_type(zero), ir.IntType(nought.bitwidth)
            Peak(at, element, number, zero.bitwidth // 8, channels).emit(body, *integers)
            return context.get_dummy_value()

        return types.void(zero, nought, types.UniTuple(types.int64, arguments + 1)), codegen

    return peak


largest = _of(_largest_python, Peak.largest, 5)
spread = _of(_spread_python, Peak.spread, 6)
