"""Windows of zeros give the bias alone in Winograd's convolution, to the bit, as they do in direct sums.

A window of zeros in a tile that holds more gets what the rounding of the rest leaves there. A ReLU lets no gradient
through at 0, but half of it at such noise; while biases are still 0 that is the gradient of whole backgrounds, and
Adam's first steps make much of little. A tile of zeros alone has no noise.

It costs four comparisons of a vector for a tile, 36 of a pixel where one of the middle four may be zeros, and a copy
for each window.
"""

from llvmlite import ir

from kerasish.device.jit import FASTMATH, intrinsic, njit
from kerasish.device.lazy import types
from kerasish.device.raw import clear_bytes, elements
from kerasish.kernels.cpu.simd import VECTOR_BYTES
from kerasish.kernels.cpu.transform import transform_result

PLACES = 0b001111_001111_001111_001111  # a bit for each window of a tile, rows of six like those of its pixels
VECTOR = ir.VectorType(ir.FloatType(), VECTOR_BYTES // 4)
floats = elements("float32")


def _zeros_python(at):
    return not floats(at, VECTOR_BYTES // 4).any()


@intrinsic(_zeros_python)
def zeros(typingctx, at):
    """Whether a vector holds nothing but zeros, of whatever sign."""

    def codegen(context, at, signature, args):
        x = at.load(at.inttoptr(args[0], VECTOR.as_pointer()), align=4)
        other = at.fcmp_unordered("!=", x, ir.Constant(VECTOR, [0.0] * VECTOR.count))
        other = at.bitcast(other, ir.IntType(VECTOR.count))
        return at.icmp_unsigned("==", other, ir.Constant(other.type, 0))

    return types.boolean(types.int64), codegen


def _replace_python(to, source):
    old, new = (floats(at, VECTOR_BYTES // 4) for at in (to, source))
    old[old == old] = new[old == old]


@intrinsic(_replace_python)
def replace_numbers(typingctx, to, source):
    """Copy a vector to another, but for elements that are NaN there: a filter's NaN makes them, whatever it meets."""

    def codegen(context, at, signature, args):
        to, source = (at.inttoptr(x, VECTOR.as_pointer()) for x in args)
        old, new = at.load(to, align=4), at.load(source, align=4)
        at.store(at.select(at.fcmp_ordered("==", old, old), new, old), to, align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@njit(fastmath=FASTMATH)
def empty_windows(source, row, column, size):
    """Bits of `PLACES` for the windows of zeros of a 6x6 tile of pixels of `size` bytes; none if all are."""
    middle = source + 2 * row + 2 * column  # each window has one of the middle four pixels
    if not (zeros(middle) or zeros(middle + column) or zeros(middle + row) or zeros(middle + row + column)):
        return 0
    found = 0
    for k in range(36):
        i, pixel = 0, source + k // 6 * row + k % 6 * column
        while i < size and zeros(pixel + i):
            i += VECTOR_BYTES
        if i >= size:
            found |= 1 << k
    if found == (1 << 36) - 1:
        return 0
    found &= found >> 1 & found >> 2
    return found & found >> 6 & found >> 12 & PLACES


@njit(fastmath=FASTMATH)
def write_bias(to, bytes_, bias, cut, blank):
    """Writes what a window of zeros gives, for a panel of filters; `blank` is the address of a vector to use."""
    clear_bytes(blank, VECTOR_BYTES)
    for c in range(0, bytes_, VECTOR_BYTES):
        transform_result(blank, 0, 0, to + c, 0, 0, bias + c if bias else 0, cut)


@njit(fastmath=FASTMATH)
def fill(windows, to, row, column, rows, columns, result, bytes_):
    """Copies `result` to a tile's windows of zeros, of which so many rows and columns are wanted."""
    for i in range(rows):
        for j in range(columns):
            if windows >> (6 * i + j) & 1:
                for c in range(0, bytes_, VECTOR_BYTES):
                    replace_numbers(to + i * row + j * column + c, result + c)
