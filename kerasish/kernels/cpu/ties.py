"""Equal windows get equal results from Winograd's convolution, bit for bit, as they do from direct sums.

The places of a tile are rounded each in another way. Where pictures are flat that matters: max pooling sends a gradient
to the first of equal elements, and a ReLU lets none through at 0, so noise of the last bit moves whole gradients. Hence
a window that equals its neighbour to the left or above in the tile takes that one's results. A window of one colour
whose neighbours are others leads: its results are the product of the colour with the sums of the filters' taps, the
same in all tiles, and for zeros the bias alone.

A tile without ties costs eight comparisons of a vector. One with ties takes 35 to 60 of a pixel, up to 15 copies, and
for each window that leads (one where the tile is flat, four at most) a row of a product, where a tile's points take 36.
"""

from llvmlite import ir

from kerasish.device.jit import helper, intrinsic
from kerasish.device.lazy import types
from kerasish.kernels.cpu.raw import call, clear_bytes, elements, integers
from kerasish.kernels.cpu.simd import HEIGHTS, ROWS, VECTOR_BYTES, copy_vector
from kerasish.kernels.cpu.tile import FROM_BIAS, ZERO

FLAT, LEFT, ABOVE = 0, 16, 32  # bits of a tile's ties, one for each of its 4x4 places
LEADERS = 4  # of a tile: windows that share no pixel
floats = elements("float32")


def room_for(block, channels):
    """Bytes of a worker's memory for a block's ties."""
    return 8 * (block + LEADERS * block + ROWS + ROWS) + max(8, 4 * channels)


@helper
def _tables(p, at):
    """Addresses in it: leaders' pixels, rows of their results, zeros."""
    leaders = at + 8 * p.block
    rows = leaders + 8 * (LEADERS * p.block + ROWS)
    return leaders, rows, rows + 8 * ROWS


def _same_python(a, b):
    return bool((floats(a, VECTOR_BYTES // 4) == floats(b, VECTOR_BYTES // 4)).all())


@intrinsic(_same_python)
def same_vector(typingctx, a, b):
    """Whether two vectors are equal: 0 is -0, a NaN nothing."""

    def codegen(context, at, signature, args):
        kind = ir.VectorType(ir.FloatType(), VECTOR_BYTES // 4)
        a, b = (at.load(at.inttoptr(x, kind.as_pointer()), align=4) for x in args)
        differ = at.bitcast(at.fcmp_unordered("!=", a, b), ir.IntType(VECTOR_BYTES // 4))
        return at.icmp_unsigned("==", differ, ir.Constant(differ.type, 0))

    return types.boolean(types.int64, types.int64), codegen


@helper
def ties_of(source, row, column, size):
    """The ties of a 6x6 tile of pixels of `size` bytes: bits of windows that are flat or equal to a neighbour."""
    if not _possible(source + 2 * row + 2 * column, row, column):
        return 0
    right, below, across, down = 0, 0, 0, 0  # of 6 rows of 5 bits and 5 rows of 6 bits
    for i in range(6):
        if down != 63:  # a row that equals the one above has its ties
            across = _equal(source + i * row, column, 5, column, size)
        down = _equal(source + i * row, column, 6, row, size) if i < 5 else 0
        right |= across << 5 * i
        below |= down << 6 * i
    ties = 0
    for i in range(4):
        across = (right >> 5 * i) & (right >> 5 * (i + 1)) & (right >> 5 * (i + 2)) & 31
        down = (below >> 6 * i) & (below >> 6 * (i + 1)) & (below >> 6 * (i + 2)) & 63
        flat = across & (across >> 1) & (below >> 6 * i) & (below >> 6 * (i + 1)) & 15
        ties |= flat << (FLAT + 4 * i)
        ties |= (across & (across >> 1) & (across >> 2) & 7) << (LEFT + 4 * i + 1)
        ties |= (down & (down >> 1) & (down >> 2) & 15) << (ABOVE + 4 * (i + 1))
    return ties


@helper
def _possible(a, row, column):
    """Whether there may be ties: any one takes three equal pixels of a line through the middle four, the first at a."""
    b, c, d = a + column, a + row, a + row + column
    return (
        (same_vector(a, b) and (same_vector(a, a - column) or same_vector(b, b + column)))
        or (same_vector(c, d) and (same_vector(c, c - column) or same_vector(d, d + column)))
        or (same_vector(a, c) and (same_vector(a, a - row) or same_vector(c, c + row)))
        or (same_vector(b, d) and (same_vector(b, b - row) or same_vector(d, d + row)))
        or (same_vector(a, a - row - column) and same_vector(a, a - 2 * row - 2 * column))
        or (same_vector(b, b - row + column) and same_vector(b, b - 2 * row + 2 * column))
        or (same_vector(c, c + row - column) and same_vector(c, c + 2 * row - 2 * column))
        or (same_vector(d, d + row + column) and same_vector(d, d + 2 * row + 2 * column))
    )


@helper
def _equal(source, step, count, other, size):
    """Bits of the pixels of a row that equal those `other` bytes on."""
    found = 0
    for j in range(count):
        i, pixel = 0, source + j * step
        while i < size and same_vector(pixel + i, pixel + i + other):
            i += VECTOR_BYTES
        if i >= size:
            found |= 1 << j
    return found


@helper
def _leads(tie):
    return tie & (1 << FLAT | 1 << LEFT | 1 << ABOVE) == 1 << FLAT


@helper
def lead(p, first, count, at):
    """Finds the pixels of a block's windows that lead; returns their number."""
    table, _, zeros = _tables(p, at)
    clear_bytes(zeros, max(8, 4 * p.C))
    ties, pixels = integers(at, count), integers(table, LEADERS * count + ROWS)
    found = 0
    for t in range(count):
        if not ties[t]:
            continue
        n, i = divmod(first + t, p.down * p.across)
        h, w = i // p.across * 4 + 1 - p.top, i % p.across * 4 + 1 - p.left
        for k in range(16):
            if _leads(ties[t] >> k):
                i, j = h + k // 4, w + k % 4
                inside = 0 <= i < p.H and 0 <= j < p.W
                pixels[found] = ((n * p.H + i) * p.W + j) * p.C if inside else (zeros - p.x) // 4
                found += 1
    for i in range(ROWS if found else 0):
        pixels[found + i] = pixels[found - 1]
    return found


@helper
def settle(p, first, count, at, leaders, sums, M, f, wide):
    """Gives a block's ties their results in y, for a panel of filters from f on; M may be overwritten."""
    line, (table, rows, zeros) = wide * p.lanes, _tables(p, at)
    start = FROM_BIAS if p.bias else ZERO
    for i in range(ROWS):
        integers(rows, ROWS)[i] = i * line
    for i in range(0, leaders, HEIGHTS[wide]):
        call(p.tile, wide, p.x, table + 8 * i, zeros, 1, 1, p.C, sums + f * p.C * 4, line, M + i * line * 4, rows, line,
             start, p.bias + f * 4, p.cut, 0, 1)  # fmt: skip
    ties, results = integers(at, count), M
    for t in range(count):
        if ties[t]:
            n, i = divmod(first + t, p.down * p.across)
            h, w = i // p.across * 4, i % p.across * 4
            results = _settle_tile(p, ties[t], n, h, w, f, line * 4, results)


@helper
def _settle_tile(p, ties, n, h, w, f, bytes_, results):
    """Copies to a tile's ties their results, those that lead from `results` on; returns where the next tile's lie."""
    for k in range(16):
        i, j, tie = h + k // 4, w + k % 4, ties >> k
        place, source = p.y + (((n * p.OH + i) * p.OW + j) * p.F + f) * 4, results
        if tie & 1 << LEFT:
            source = place - p.F * 4
        elif tie & 1 << ABOVE:
            source = place - p.OW * p.F * 4
        elif tie & 1 << FLAT:
            results += bytes_
        else:
            continue
        if i < p.OH and j < p.OW:
            for b in range(0, bytes_, VECTOR_BYTES):
                copy_vector(place + b, source + b)
    return results
