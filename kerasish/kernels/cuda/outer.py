"""The gradient of the filters: outer products summed over all output pixels, in parts that are added in order.

    gw[k, f] = sum over m of x[origin(m) + taps[k]] * gy[m, f]

Both sides are read along their channels, so their tiles lie in shared memory as they do in the images, a pixel a row.
"""

from numpy import float32, int32

from kerasish.device.cuda_jit import cuda, unroll
from kerasish.kernels.cuda.arrays import blocks
from kerasish.kernels.cuda.asm import (
    ahead,
    copies_commit,
    copy4,
    load,
    load4,
    load_bits,
    store2,
    store4,
)
from kerasish.kernels.cuda.product import GEOMETRY, corner, gathered, origin, reached, thread_corner
from kerasish.kernels.cuda.tensor import (
    BF16,
    NAMED,
    THREE,
    following,
    multiplied,
    multiplied_bf16,
    wait_for_stage,
    warp_corner,
)

ARGUMENTS = "void(" + 3 * "CPointer(f4), " + "CPointer(i4), " + 5 * "i4, " + GEOMETRY + ")"
PAD = 8
THREADS = 256


@cuda.jit(ARGUMENTS)
def _outer(x, gy, parts, taps, M, share, K, F, G, H, W, pixel, CG, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, SH, SW, H0, W0):
    """parts (splits, K, G * F): part z sums `share` pixels; gy has G * F floats a pixel, F a multiple of 4."""
    A = cuda.shared.array(2 * BK * BM, float32, alignment=16)
    B = cuda.shared.array(2 * BK * BN, float32, alignment=16)
    sums = cuda.local.array(TM * TN, float32)
    a, b = cuda.local.array(TM, float32), cuda.local.array(TN, float32)
    next_a, next_b = cuda.local.array(4 * AQ, float32), cuda.local.array(4 * BQ, float32)
    thread, group, split = int32(cuda.threadIdx.x), int32(cuda.blockIdx.y), int32(cuda.blockIdx.z)
    k0, f0 = corner(F)
    begin = int32(split * share)
    end = min(M, int32(begin + share))
    # what this thread fetches: pixels ar + i * AR of A at columns ac on, br + i * BR of B at columns bc on
    ar, ac = int32(thread // (BM // 4)), int32(thread % (BM // 4) * 4)
    br, bc = int32(thread // (BN // 4)), int32(thread % (BN // 4) * 4)
    tap, away = load(taps, int32((k0 + ac) // 2)), load(taps, int32((k0 + ac) // 2 + 1))
    wide = int32(G * F)
    columns = int32(f0 + bc) < F
    first = int32(group * F + f0 + bc)
    tm, tn = thread_corner(thread)
    for i in range(TM * TN):
        sums[i] = float32(0)
    steps = int32((end - begin + (BK - 1)) // BK)
    for step in range(int32(steps + 1)):
        if step < steps:
            for i in unroll(AQ):
                m = int32(begin + step * BK + ar + i * AR)
                at, top, left = origin(m, end, H, W, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, SH, SW, H0, W0)
                v = gathered(x, int32(at * pixel + group * CG), top, left, tap, away, H, W)
                for j in unroll(4):
                    next_a[4 * i + j] = v[j]
            for i in unroll(BQ):
                m = int32(begin + step * BK + br + i * BR)
                u = float32(0), float32(0), float32(0), float32(0)
                if columns and m < end:
                    u = load4(gy, int32(m * wide + first))
                for j in unroll(4):
                    next_b[4 * i + j] = u[j]
        if step > 0:
            from_a = ahead(A, int32(((step - 1) & 1) * (BK * BM) + tm))
            from_b = ahead(B, int32(((step - 1) & 1) * (BK * BN) + tn))
            for k in unroll(BK):
                for i in unroll(TM // 4):
                    v = load4(from_a, k * BM + i * (4 * TY))
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
            to_a = ahead(A, int32((step & 1) * (BK * BM) + ar * BM + ac))
            to_b = ahead(B, int32((step & 1) * (BK * BN) + br * BN + bc))
            for i in unroll(AQ):
                v = next_a[4 * i], next_a[4 * i + 1], next_a[4 * i + 2], next_a[4 * i + 3]
                store4(to_a, i * (AR * BM), v)
            for i in unroll(BQ):
                u = next_b[4 * i], next_b[4 * i + 1], next_b[4 * i + 2], next_b[4 * i + 3]
                store4(to_b, i * (BR * BN), u)
            cuda.syncthreads()
    for i in unroll(TM):
        k = int32(k0 + tm + i % 4 + i // 4 * (4 * TY))
        for j in unroll(TN // 4):
            f, s = int32(f0 + tn + j * (4 * TX)), i * TN + 4 * j
            if k < K and f < F:
                v = sums[s], sums[s + 1], sums[s + 2], sums[s + 3]
                store4(parts, int32((split * K + k) * wide + group * F + f), v)


@cuda.jit(device=True)
def column_words(tile, at, pitch):
    """Words of the left side of a tensor-core product, from a tile that holds its transpose."""
    return (
        load_bits(tile, at),
        load_bits(tile, at + 8),
        load_bits(tile, at + 4 * pitch),
        load_bits(tile, at + 4 * pitch + 8),
    )


@cuda.jit(ARGUMENTS, cc=(8, 0))
def _tensor_outer(
    x, gy, parts, taps, M, share, K, F, G, H, W, pixel, CG, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, SH, SW, H0, W0
):
    """`_outer` of the same arguments on the tensor cores."""
    A = cuda.shared.array(STAGES * BK * (BM + PAD), float32, alignment=16)
    B = cuda.shared.array(STAGES * BK * (BN + PAD), float32, alignment=16)
    sums = cuda.local.array(WM * WN // 32, float32)
    right, right_more = cuda.local.array(WN // 4, int32), cuda.local.array(WN // 4, int32)
    thread, group, split = int32(cuda.threadIdx.x), int32(cuda.blockIdx.y), int32(cuda.blockIdx.z)
    k0, f0 = corner(F)
    begin = int32(split * share)
    end = min(M, int32(begin + share))
    ar, ac = int32(thread // (BM // 4)), int32(thread % (BM // 4) * 4)
    br, bc = int32(thread // (BN // 4)), int32(thread % (BN // 4) * 4)
    tap, away = load(taps, int32((k0 + ac) // 2)), load(taps, int32((k0 + ac) // 2 + 1))
    wide = int32(G * F)
    columns = int32(f0 + bc) < F
    first = int32(group * F + f0 + bc)
    warp, lane = int32(thread >> 5), int32(thread & 31)
    wm, wn = warp_corner(warp)
    for i in range(WM * WN // 32):
        sums[i] = float32(0)
    steps = int32((end - begin + (BK - 1)) // BK)
    filled, ready = int32(0), int32(0)
    for step in range(int32(steps + (STAGES - 1))):
        if step >= STAGES - 1:
            wait_for_stage()
            cuda.syncthreads()
        if step < steps:
            to = ahead(A, int32(filled * (BK * (BM + PAD)) + ar * (BM + PAD) + ac))
            for i in unroll(AQ):
                m = int32(begin + step * BK + ar + i * AR)
                pixel_at, top, left = origin(m, end, H, W, OHW, OW, OHW_R, OHW_S, OW_R, OW_S, SH, SW, H0, W0)
                there = reached(top, left, tap, H, W)
                copy4(to, i * (AR * (BM + PAD)), x, int32(pixel_at * pixel + group * CG + away), there)
            to = ahead(B, int32(filled * (BK * (BN + PAD)) + br * (BN + PAD) + bc))
            for i in unroll(BQ):
                m = int32(begin + step * BK + br + i * BR)
                copy4(to, i * (BR * (BN + PAD)), gy, int32(m * wide + first), columns and m < end)
            filled = following(filled)
        copies_commit()
        if step >= STAGES - 1:
            from_a = ahead(A, int32(ready * (BK * (BM + PAD)) + (lane & 3) * (BM + PAD) + wm + (lane >> 2)))
            from_b = ahead(B, int32(ready * (BK * (BN + PAD)) + (lane & 3) * (BN + PAD) + wn + (lane >> 2)))
            ready = following(ready)
            for k in unroll(0, BK, DEPTH):
                for j in unroll(WN // 8):
                    right[2 * j] = load_bits(from_b, k * (BN + PAD) + 8 * j)
                    right[2 * j + 1] = load_bits(from_b, (k + 4) * (BN + PAD) + 8 * j)
                    if MATH == BF16:
                        right_more[2 * j] = load_bits(from_b, (k + 8) * (BN + PAD) + 8 * j)
                        right_more[2 * j + 1] = load_bits(from_b, (k + 12) * (BN + PAD) + 8 * j)
                for i in unroll(WM // 16):
                    a = column_words(from_a, k * (BM + PAD) + 16 * i, BM + PAD)
                    if MATH == BF16:
                        a_more = column_words(from_a, (k + 8) * (BM + PAD) + 16 * i, BM + PAD)
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
        k = int32(k0 + wm + i * 8 + (lane >> 2))
        for j in unroll(WN // 8):
            f, s = int32(f0 + wn + j * 8 + 2 * (lane & 3)), i // 2 * (WN // 2) + 4 * j + i % 2 * 2
            if k < K and f < F:
                store2(parts, int32((split * K + k) * wide + group * F + f), (sums[s], sums[s + 1]))


@cuda.jit("void(CPointer(f4), CPointer(f4), i4, i4)", launch_bounds=THREADS)
def _sum_parts(parts, out, splits, n):
    """out[i] = the sum of parts[:, i], in order."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        total = float32(0)
        for split in range(splits):
            total += load(parts, int32(split * n + i))
        out[i] = total


def _tile(BM, BN, TM, TN, BK, resident):
    threads = BM // TM * (BN // TN)
    ways = {"TX": BN // TN, "TY": BM // TM, "AR": 4 * threads // BM, "BR": 4 * threads // BN}
    counts = {"AQ": BM * BK // 4 // threads, "BQ": BN * BK // 4 // threads}
    sizes = {"BM": BM, "BN": BN, "BK": BK, "TM": TM, "TN": TN}
    return _outer.specialize(f"outer_{BM}x{BN}", (threads, resident), **sizes, **ways, **counts)


def _tensor_tile(BM, BN, WM, WN, BK, stages, resident, name, math):
    threads = 32 * (BM // WM) * (BN // WN)
    ways = {"AR": 4 * threads // BM, "BR": 4 * threads // BN, "DEPTH": 16 if math == BF16 else 8}
    counts = {"AQ": BM * BK // 4 // threads, "BQ": BN * BK // 4 // threads}
    sizes = {"BM": BM, "BN": BN, "BK": BK, "WM": WM, "WN": WN, "STAGES": stages}
    resident = 1 if math == THREE and BM == 128 else resident
    return _tensor_outer.specialize(f"{name}_{BM}x{BN}", (threads, resident), MATH=math, **sizes, **ways, **counts)


SHAPES = {(128, 128): (64, 64, 16, 2, 2), (64, 64): (32, 32, 32, 2, 3)}
TILES = {"float32": {(128, 128): _tile(128, 128, 8, 8, 8, 2), (64, 64): _tile(64, 64, 8, 8, 8, 5)}}
TILES |= {
    name: {size: _tensor_tile(*size, *shape, f"outer_{name}", kind) for size, shape in SHAPES.items()}
    for name, kind in NAMED.items()
}


def sum_parts(parts, out, splits):
    """Writes the sum of parts (splits, n) to out (n)."""
    _sum_parts[blocks(out.size, THREADS), THREADS](parts, out, splits, out.size)
