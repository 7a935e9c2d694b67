"""`product.py` on the tensor cores: floats are rounded to tf32 or bfloat16, products are summed in float32.

As three products of tf32 parts (x = high + low) the result is as good as float32's own: see "Recovering single
precision accuracy from Tensor Cores while surpassing the FP32 theoretical peak performance" (Ootomo, Yokota 2022).
"""

from numpy import float32, int32

from kerasish.device.cuda_jit import cuda, unroll
from kerasish.kernels.cuda.asm import (
    ahead,
    bits,
    copies_commit,
    copies_wait_all,
    copies_wait_but_one,
    copy4,
    floating,
    load,
    load_bits,
    load_matrix,
    mma_bf16,
    mma_tf32,
    pack_bf16,
    store,
    store2,
)
from kerasish.kernels.cuda.product import ARGUMENTS, corner, finished, origin, placed, reached

TF32, THREE, BF16 = range(3)
PAD_A, PAD_B = 4, 8  # floats that keep rows of a tile in different banks of shared memory


@cuda.jit(device=True)
def rounded(word):
    """A float's bits, so that what remains without the last 13 is the nearest tf32; a NaN stays a NaN."""
    return int32(min(word, int32(0x7FFFEFFF)) + int32(0x1000))


@cuda.jit(device=True)
def rest(word):
    """What rounding to tf32 takes off a float."""
    return bits(floating(word) - floating(int32(rounded(word) & int32(-0x2000))))


@cuda.jit(device=True)
def rounded4(w):
    return rounded(w[0]), rounded(w[1]), rounded(w[2]), rounded(w[3])


@cuda.jit(device=True)
def rest4(w):
    return rest(w[0]), rest(w[1]), rest(w[2]), rest(w[3])


@cuda.jit(device=True)
def rounded2(w):
    return rounded(w[0]), rounded(w[1])


@cuda.jit(device=True)
def rest2(w):
    return rest(w[0]), rest(w[1])


@cuda.jit(device=True)
def packed(low, high):
    """Two words as bfloat16 in one."""
    return pack_bf16(floating(low), floating(high))


@cuda.jit(device=True)
def multiplied(a, b, c):
    """c + a b, of 16 x 8 by 8 x 8 floats."""
    if MATH == THREE:
        c = mma_tf32(rest4(a), rounded2(b), c)
        c = mma_tf32(rounded4(a), rest2(b), c)
    return mma_tf32(rounded4(a), rounded2(b), c)


@cuda.jit(device=True)
def multiplied_bf16(a, a_more, b, b_more, c):
    """c + a b, of 16 x 16 by 16 x 8 floats; both sides take the terms of the sum in one order."""
    left = packed(a[0], a[2]), packed(a[1], a[3]), packed(a_more[0], a_more[2]), packed(a_more[1], a_more[3])
    return mma_bf16(left, (packed(b[0], b[1]), packed(b_more[0], b_more[1])), c)


@cuda.jit(device=True)
def wait_for_stage():
    """Until the copies of the stage that comes next have arrived."""
    if STAGES == 2:
        copies_wait_all()
    else:
        copies_wait_but_one()


@cuda.jit(device=True)
def warp_corner(warp):
    """The row and the column of the tile where a warp's WM x WN begin."""
    return int32(warp // (BN // WN) * WM), int32(warp % (BN // WN) * WN)


@cuda.jit(device=True)
def following(stage):
    """The stage after this one."""
    return int32(stage + 1) if stage < STAGES - 1 else int32(0)


@cuda.jit(device=True)
def keep2(y, at, bias, column, left, aligned, BIAS, CUT, v0, v1):
    """Stores two results of a pixel, or the one of them that there is."""
    if left > 0:
        a = finished(v0, bias, column, BIAS, CUT)
        b = finished(v1, bias, min(int32(column + 1), int32(column + left - 1)), BIAS, CUT)
        if aligned:
            store2(y, at, (a, b))
        else:
            store(y, at, a)
            if left > 1:
                store(y, int32(at + 1), b)


@cuda.jit(ARGUMENTS, cc=(8, 0))
def _tensor_product(
    x, w, bias, y, taps, M, K, F, FP, G,
    H, W, pixel, CG, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, SH, SW, H0, W0, YN, YH, YW, Y0, BIAS, CUT,
):  # fmt: skip
    """`product` of the same arguments."""
    A = cuda.shared.array(STAGES * BM * (BK + PAD_A), float32, alignment=16)
    B = cuda.shared.array(STAGES * BK * (BN + PAD_B), float32, alignment=16)
    sums = cuda.local.array(WM * WN // 32, float32)
    base, top, left = cuda.local.array(AQ, int32), cuda.local.array(AQ, int32), cuda.local.array(AQ, int32)
    right, right_more = cuda.local.array(WN // 4, int32), cuda.local.array(WN // 4, int32)
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
    # what its warp computes: WM x WN results from row wm and column wn of the tile on
    warp, lane = int32(thread >> 5), int32(thread & 31)
    wm, wn = warp_corner(warp)
    for i in range(WM * WN // 32):
        sums[i] = float32(0)
    steps = int32((K + (BK - 1)) // BK)
    filled, ready = int32(0), int32(0)  # the stages to copy to and to multiply
    for step in range(int32(steps + (STAGES - 1))):
        if step >= STAGES - 1:
            wait_for_stage()
            cuda.syncthreads()
        if step < steps:
            quad = int32(2 * (step * (BK // 4) + aq))
            tap, away = load(taps, quad), load(taps, quad + 1)
            to = ahead(A, int32(filled * (BM * (BK + PAD_A)) + ar * (BK + PAD_A) + 4 * aq))
            for i in unroll(AQ):
                there = reached(top[i], left[i], tap, H, W)
                copy4(to, i * (AR * (BK + PAD_A)), x, int32(base[i] + away), there)
            to = ahead(B, int32(filled * (BK * (BN + PAD_B)) + br * (BN + PAD_B) + bc))
            for i in unroll(BQ):
                k = int32(step * BK + br + i * BR)
                copy4(to, i * (BR * (BN + PAD_B)), w, int32(k * wide + first), columns and k < K)
            filled = following(filled)
        copies_commit()
        if step >= STAGES - 1:
            from_a = ahead(A, int32(ready * (BM * (BK + PAD_A)) + (wm + (lane & 15)) * (BK + PAD_A) + (lane >> 4) * 4))
            from_b = ahead(B, int32(ready * (BK * (BN + PAD_B)) + (lane & 3) * (BN + PAD_B) + wn + (lane >> 2)))
            ready = following(ready)
            for k in unroll(0, BK, DEPTH):
                for j in unroll(WN // 8):
                    right[2 * j] = load_bits(from_b, k * (BN + PAD_B) + 8 * j)
                    right[2 * j + 1] = load_bits(from_b, (k + 4) * (BN + PAD_B) + 8 * j)
                    if MATH == BF16:
                        right_more[2 * j] = load_bits(from_b, (k + 8) * (BN + PAD_B) + 8 * j)
                        right_more[2 * j + 1] = load_bits(from_b, (k + 12) * (BN + PAD_B) + 8 * j)
                for i in unroll(WM // 16):
                    a = load_matrix(from_a, i * (16 * (BK + PAD_A)) + k)
                    if MATH == BF16:
                        a_more = load_matrix(from_a, i * (16 * (BK + PAD_A)) + k + 8)
                    for j in range(WN // 8):
                        s = i * (WN // 2) + 4 * j
                        c, b = (sums[s], sums[s + 1], sums[s + 2], sums[s + 3]), (right[2 * j], right[2 * j + 1])
                        if MATH == BF16:
                            b_more = right_more[2 * j], right_more[2 * j + 1]
                            c = multiplied_bf16(a, a_more, b, b_more, c)
                        else:
                            c = multiplied(a, b, c)
                        for h in unroll(4):
                            sums[s + h] = c[h]
    for i in unroll(WM // 8):
        m = int32(m0 + wm + i * 8 + (lane >> 2))
        if m < M:
            row = int32(placed(m, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, YN, YH, YW, Y0) + group * F)
            for j in unroll(WN // 8):
                f, s = int32(f0 + wn + j * 8 + 2 * (lane & 3)), i // 2 * (WN // 2) + 4 * j + i % 2 * 2
                left_over, column = int32(F - f), int32(group * F + f)
                keep2(y, int32(row + f), bias, column, left_over, F == FP, BIAS, CUT, sums[s], sums[s + 1])


def _tile(BM, BN, WM, WN, BK, stages, resident, name, math):
    """The kernel of one size of tile: BM x BN results a block, WM x WN a warp, BK of the sum at a time."""
    threads = 32 * (BM // WM) * (BN // WN)
    ways = {"AR": 4 * threads // BK, "BR": 4 * threads // BN, "DEPTH": 16 if math == BF16 else 8}
    counts = {"AQ": BM * BK // 4 // threads, "BQ": BN * BK // 4 // threads}
    sizes = {"BM": BM, "BN": BN, "BK": BK, "WM": WM, "WN": WN, "STAGES": stages}
    resident = 1 if math == THREE and BM == BN == 128 else resident  # its parts take more registers
    return _tensor_product.specialize(f"{name}_{BM}x{BN}", (threads, resident), MATH=math, **sizes, **ways, **counts)


SHAPES = {
    (128, 128): (64, 64, 16, 2, 2),
    (128, 64): (64, 64, 16, 2, 4),
    (64, 64): (32, 32, 32, 2, 3),
    (128, 32): (64, 32, 16, 3, 4),
}
NARROW = {**SHAPES, (128, 64): (64, 32, 16, 3, 2)}  # for three products, whose parts take more registers
NAMED = {"tf32": TF32, "3xtf32": THREE, "bfloat16": BF16}
TILES = {
    math: {
        size: _tile(*size, *shape, name=f"tensor_{math}", math=kind)
        for size, shape in (NARROW if kind == THREE else SHAPES).items()
    }
    for math, kind in NAMED.items()
}
