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
from kerasish.device.pointer import clear, view
from kerasish.kernels.cpu.transform import LANES, VECTOR, transform_result

PLACES = 0b001111_001111_001111_001111  # a bit for each window of a tile, rows of six like those of its pixels


@intrinsic(lambda x: not x[:LANES].any())
def zeros(typingctx, x):
    """Whether a vector holds nothing but zeros, of whatever sign."""

    def codegen(context, at, signature, args):
        value = at.load(at.bitcast(args[0], VECTOR.as_pointer()), align=4)
        other = at.fcmp_unordered("!=", value, ir.Constant(VECTOR, [0.0] * LANES))
        other = at.bitcast(other, ir.IntType(LANES))
        return at.icmp_unsigned("==", other, ir.Constant(other.type, 0))

    return types.boolean(x), codegen


def _replace_python(to, source):
    old, new = to[:LANES], source[:LANES]
    old[old == old] = new[old == old]


@intrinsic(_replace_python)
def replace_numbers(typingctx, to, source):
    """Copy a vector to another, but for elements that are NaN there: a filter's NaN makes them, whatever it meets."""

    def codegen(context, at, signature, args):
        to, source = (at.bitcast(x, VECTOR.as_pointer()) for x in args)
        old, new = at.load(to, align=4), at.load(source, align=4)
        at.store(at.select(at.fcmp_ordered("==", old, old), new, old), to, align=4)
        return context.get_dummy_value()

    return types.void(to, source), codegen


@njit(fastmath=FASTMATH)
def empty_windows(source, row, column, channels):
    """Bits of `PLACES` for the windows of zeros of a 6x6 tile of pixels; none if all are.

    source (6, 6, channels), its rows `row` and its pixels `column` elements apart
    """
    middle = view(source, 2 * row + 2 * column)  # each window has one of the middle four pixels
    beside, below = zeros(view(middle, column)), zeros(view(middle, row))
    if not (zeros(middle) or beside or below or zeros(view(middle, row + column))):
        return 0
    found = 0
    for k in range(36):
        c, pixel = 0, view(source, k // 6 * row + k % 6 * column)
        while c < channels and zeros(view(pixel, c)):
            c += LANES
        if c >= channels:
            found |= 1 << k
    if found == (1 << 36) - 1:
        return 0
    found &= found >> 1 & found >> 2
    return found & found >> 6 & found >> 12 & PLACES


@njit(fastmath=FASTMATH)
def write_bias(to, columns, bias, cut, blank):
    """Writes what a window of zeros gives, for so many filters; `blank` is a vector to use."""
    clear(blank, LANES)
    for f in range(0, columns, LANES):
        transform_result(blank, 0, 0, view(to, f), 0, 0, view(bias, f), cut)


@njit(fastmath=FASTMATH)
def fill(windows, to, row, column, rows, columns, result, filters):
    """Copies `result` to a tile's windows of zeros, of which so many rows and columns are wanted."""
    for i in range(rows):
        for j in range(columns):
            if windows >> (6 * i + j) & 1:
                for f in range(0, filters, LANES):
                    replace_numbers(view(to, i * row + j * column + f), view(result, f))
