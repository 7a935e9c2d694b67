"""Convolution as a matrix product whose left rows are gathered from the image, in float32 without tensor cores.

    y[m, f] = sum over k of x[origin(m) + taps[k]] * w[k, f]

Rows m are output pixels, columns f filters, k a tap and a channel in the filters' own order. `taps` has for each four
consecutive k the tap's row and column and the distance in x, so one kernel does strides, dilation, the phases of a
strided gradient and pointwise products. Blocks take a tile of BM x BN results; two tiles of BK wait in shared memory.
"""

from numpy import float32, int32, uint32, uint64

from kerasish.device.cuda_jit import cuda, unroll
from kerasish.kernels.cuda.asm import ahead, inside, load, load4, store, store4

FAR = -(1 << 15)  # a row so far outside of the image that no tap leads back into it
CUTS = {None: 0, "relu": 1, "relu6": 2}  # activations that the epilogue knows
GEOMETRY = (
    6 * "i4, " + 2 * "u4, i4, " + 4 * "i4, "
)  # of the image, of the walk over it, how to divide by its sizes, its steps
ARGUMENTS = "void(" + 4 * "CPointer(f4), " + "CPointer(i4), " + 5 * "i4, " + GEOMETRY + 6 * "i4, " + ")"


@cuda.jit(device=True)
def cut(value, CUT):
    """relu (1), relu6 (2) or nothing (0) of a value; a NaN stays a NaN."""
    if CUT != 0 and value < float32(0):
        value = float32(0)
    if CUT == 2 and value > float32(6):
        value = float32(6)
    return value


@cuda.jit(device=True)
def divided(n, reciprocal, shift):
    """n // d by what `gather.reciprocal(d)` gives: a product and a shift instead of twenty instructions."""
    return int32((uint64(uint32(n)) * uint64(reciprocal)) >> uint64(shift))


@cuda.jit(device=True)
def origin(m, M, H, W, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, SH, SW, H0, W0):
    """Where the window of output pixel m begins: the pixel's number, its row and its column."""
    n = divided(m, OHW_R, OHW_S)
    at = int32(m - n * OHW)
    row = divided(at, OW_R, OW_S)
    column = int32(at - row * OW)
    top, left = int32(row * SH + H0), int32(column * SW + W0)
    return int32((n * H + top) * W + left), top if m < M else int32(FAR), left


@cuda.jit(device=True)
def corner(F):
    """The row and the column where the block's tile of BM x BN begins, tiles covering F columns."""
    across = int32((F + (BN - 1)) // BN)
    tile = int32(int32(cuda.blockIdx.x) // across)
    return int32(tile * BM), int32((int32(cuda.blockIdx.x) - tile * across) * BN)


@cuda.jit(device=True)
def thread_corner(thread):
    """The row and the column of the tile from which a thread computes quads, TX threads side by side."""
    warp, lane = int32(thread >> 5), int32(thread & 31)
    row, column = int32(warp // (TX // 8)), int32(warp % (TX // 8))
    return int32(row * 16 + (lane >> 3) * 4), int32(column * 32 + (lane & 7) * 4)


@cuda.jit(device=True)
def reached(top, left, tap, H, W):
    """Whether a tap of a window lies inside of the image; `tap`: its row in the upper half, its column in the lower."""
    column = int32(((tap & int32(0xFFFF)) ^ int32(0x8000)) - int32(0x8000))
    return inside(int32(top + (tap >> int32(16))), H) and inside(int32(left + column), W)


@cuda.jit(device=True)
def gathered(x, base, top, left, tap, away, H, W):
    """Four channels of a tap of a window; zeros outside of the image."""
    if reached(top, left, tap, H, W):
        return load4(x, int32(base + away))
    return float32(0), float32(0), float32(0), float32(0)


@cuda.jit(device=True)
def finished(value, bias, column, BIAS, CUT):
    """The epilogue of a result."""
    if BIAS != 0:
        value += load(bias, column)
    return cut(value, CUT)


@cuda.jit(device=True)
def placed(m, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, YN, YH, YW, Y0):
    """Where output pixel m lies in y."""
    n = divided(m, OHW_R, OHW_S)
    at = int32(m - n * OHW)
    row = divided(at, OW_R, OW_S)
    return int32(n * YN + row * YH + (at - row * OW) * YW + Y0)


@cuda.jit(device=True)
def keep4(y, at, bias, column, left, aligned, BIAS, CUT, values):
    """Stores four results of a pixel, or the `left` ones of them that there are."""
    if left > 0:
        v0 = finished(values[0], bias, column, BIAS, CUT)
        v1 = finished(values[1], bias, min(int32(column + 1), int32(column + left - 1)), BIAS, CUT)
        v2 = finished(values[2], bias, min(int32(column + 2), int32(column + left - 1)), BIAS, CUT)
        v3 = finished(values[3], bias, min(int32(column + 3), int32(column + left - 1)), BIAS, CUT)
        if aligned:
            store4(y, at, (v0, v1, v2, v3))
        else:
            store(y, at, v0)
            if left > 1:
                store(y, int32(at + 1), v1)
            if left > 2:
                store(y, int32(at + 2), v2)
            if left > 3:
                store(y, int32(at + 3), v3)


@cuda.jit(ARGUMENTS)
def _product(
    x, w, bias, y, taps, M, K, F, FP, G,
    H, W, pixel, CG, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, SH, SW, H0, W0, YN, YH, YW, Y0, BIAS, CUT,
):  # fmt: skip
    """w is (K, G * FP), FP being F rounded up to a multiple of 4: group g begins at column g * FP there, g * F in y."""
    A = cuda.shared.array(2 * BK * (BM + 4), float32, alignment=16)
    B = cuda.shared.array(2 * BK * BN, float32, alignment=16)
    sums = cuda.local.array(TM * TN, float32)
    a, b = cuda.local.array(TM, float32), cuda.local.array(TN, float32)
    next_a, next_b = cuda.local.array(4 * AQ, float32), cuda.local.array(4 * BQ, float32)
    base, top, left = cuda.local.array(AQ, int32), cuda.local.array(AQ, int32), cuda.local.array(AQ, int32)
    thread = int32(cuda.threadIdx.x)
    group = int32(cuda.blockIdx.y)
    m0, f0 = corner(F)
    # what this thread fetches: rows ar + i * AR of A at quad aq, rows br + i * BR of B at column bc
    ar, aq = int32(thread // (BK // 4)), int32(thread % (BK // 4))
    br, bc = int32(thread // (BN // 4)), int32(thread % (BN // 4) * 4)
    for i in unroll(AQ):
        begin, top[i], left[i] = origin(
            int32(m0 + ar + i * AR), M, H, W, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, SH, SW, H0, W0
        )
        base[i] = int32(begin * pixel + group * CG)
    wide = int32(G * FP)
    columns = int32(f0 + bc) < FP
    first = int32(group * FP + f0 + bc)
    # what it computes: rows tm + 4 * TY * i and columns tn + 4 * TX * j of the tile, in quads
    tm, tn = thread_corner(thread)
    for i in range(TM * TN):
        sums[i] = float32(0)
    steps = int32((K + (BK - 1)) // BK)
    for step in range(int32(steps + 1)):
        if step < steps:
            k0 = int32(step * BK)
            quad = int32(2 * (step * (BK // 4) + aq))
            tap, away = load(taps, quad), load(taps, quad + 1)
            for i in unroll(AQ):
                v = gathered(x, base[i], top[i], left[i], tap, away, H, W)
                for j in unroll(4):
                    next_a[4 * i + j] = v[j]
            for i in unroll(BQ):
                k = int32(k0 + br + i * BR)
                u = float32(0), float32(0), float32(0), float32(0)
                if columns and k < K:
                    u = load4(w, int32(k * wide + first))
                for j in unroll(4):
                    next_b[4 * i + j] = u[j]
        if step > 0:
            from_a = ahead(A, int32(((step - 1) & 1) * (BK * (BM + 4)) + tm))
            from_b = ahead(B, int32(((step - 1) & 1) * (BK * BN) + tn))
            for k in unroll(BK):
                for i in unroll(TM // 4):
                    v = load4(from_a, k * (BM + 4) + i * (4 * TY))
                    for j in unroll(4):
                        a[4 * i + j] = v[j]
                for i in unroll(TN // 4):
                    v = load4(from_b, k * BN + i * (4 * TX))
                    for j in unroll(4):
                        b[4 * i + j] = v[j]
                for i in range(TM):
                    for j in range(TN):
                        sums[i * TN + j] += a[i] * b[j]
        if step < steps:
            to_a = ahead(A, int32((step & 1) * (BK * (BM + 4)) + 4 * aq * (BM + 4) + ar))
            to_b = ahead(B, int32((step & 1) * (BK * BN) + br * BN + bc))
            for i in unroll(AQ):
                for j in unroll(4):
                    store(to_a, j * (BM + 4) + i * AR, next_a[4 * i + j])
            for i in unroll(BQ):
                u = next_b[4 * i], next_b[4 * i + 1], next_b[4 * i + 2], next_b[4 * i + 3]
                store4(to_b, i * (BR * BN), u)
            cuda.syncthreads()
    for i in unroll(TM):
        m = int32(m0 + tm + i % 4 + i // 4 * (4 * TY))
        if m < M:
            row = int32(placed(m, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, YN, YH, YW, Y0) + group * F)
            for j in unroll(TN // 4):
                f, s = int32(f0 + tn + j * (4 * TX)), i * TN + 4 * j
                v = sums[s], sums[s + 1], sums[s + 2], sums[s + 3]
                keep4(y, int32(row + f), bias, int32(group * F + f), int32(F - f), F == FP, BIAS, CUT, v)


def _tile(BM, BN, TM, TN, BK, resident):
    """The kernel of one size of tile: BM x BN results a block, TM x TN a thread, BK of the sum at a time."""
    threads = BM // TM * (BN // TN)
    ways = {"TX": BN // TN, "TY": BM // TM, "AR": 4 * threads // BK, "BR": 4 * threads // BN}
    counts = {"AQ": BM * BK // 4 // threads, "BQ": BN * BK // 4 // threads}
    sizes = {"BM": BM, "BN": BN, "BK": BK, "TM": TM, "TN": TN}
    return _product.specialize(f"product_{BM}x{BN}", (threads, resident), **sizes, **ways, **counts)


TILES = {
    (128, 128): _tile(128, 128, 8, 8, 8, 2),
    (128, 64): _tile(128, 64, 8, 8, 8, 2),
    (64, 64): _tile(64, 64, 8, 8, 8, 5),
    (128, 32): _tile(128, 32, 8, 4, 16, 2),
}
