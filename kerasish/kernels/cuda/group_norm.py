"""Group normalization on a card.

A group whose channels are quads and fill sectors of memory is normalized by one team of threads, a warp or a block, in
one launch: its second and third reading find it in the caches. Where groups are narrow (instance normalization), odd or
few, teams would read single floats or a part of each sector, or leave multiprocessors idle. There, as in the gradient,
blocks share samples by pixels and take sums for each channel, whole rows at a time, which are added in order.
"""

import math
from math import sqrt

from numpy import float32, float64, int32

from kerasish.device import array_module
from kerasish.device.cuda import multiprocessors
from kerasish.device.cuda_jit import cuda, unroll
from kerasish.kernels.cuda.arrays import blocks, contiguous, supported
from kerasish.kernels.cuda.asm import load, store
from kerasish.kernels.cuda.columns import FINISH, LANES, RESIDENT, SUM, THREADS, add_up
from kerasish.kernels.cuda.gather import reciprocal
from kerasish.kernels.cuda.product import divided
from kerasish.kernels.cuda.warp import ALL, warp_sum
from kerasish.kernels.cuda.wide import keep, several, width
from kerasish.kernels.reference import group_norm as reference
from kerasish.kernels.reference.precision import is_half

SMALL = 2048  # elements of a group that a warp normalizes
SECTOR = 8  # floats
MOMENTS, GRADIENT = range(2)


@cuda.jit(device=True)
def team_sum(value, shared, thread):
    """The sum of the values of a team, for all of it."""
    value = warp_sum(value)
    if TEAM > 32:
        cuda.syncthreads()
        if thread & 31 == 0:
            store(shared, int32(thread >> 5), value)
        cuda.syncthreads()
        value = float32(0)
        for i in unroll(TEAM // 32):
            value += load(shared, i)
    return value


@cuda.jit("void(" + 6 * "CPointer(f4), " + 4 * "i4, " + "u4, i4, i4, i4, f4, f4)", launch_bounds=THREADS)
def _group_forward(x, gamma, beta, y, mean, scale, teams, pixels, C, G, R, S, GAMMA, BETA, per_element, epsilon):
    """Normalizes groups of `pixels` times C / G; R and S divide by the WIDE floats of a pixel's part of a group."""
    shared = cuda.shared.array(THREADS // 32, float32)
    out = cuda.local.array(WIDE, float32)
    thread = int32(cuda.threadIdx.x)
    team, lane = int32(int32(cuda.blockIdx.x) * (THREADS // TEAM) + thread // TEAM), int32(thread % TEAM)
    if team < teams:
        J, sample = int32(C // G), int32(team // G)
        each, first = int32(J // WIDE), int32((team - sample * G) * J)
        start = int32(sample * pixels * C + first)
        total = float32(0)
        for i in range(lane, int32(pixels * each), TEAM):
            pixel = divided(i, R, S)
            u = several(x, int32(start + pixel * C + (i - pixel * each) * WIDE))
            for j in unroll(WIDE):
                total += u[j]
        middle = team_sum(total, shared, thread) * per_element
        total = float32(0)
        for i in range(lane, int32(pixels * each), TEAM):
            pixel = divided(i, R, S)
            u = several(x, int32(start + pixel * C + (i - pixel * each) * WIDE))
            for j in unroll(WIDE):
                total += (u[j] - middle) * (u[j] - middle)
        factor = float32(1) / sqrt(team_sum(total, shared, thread) * per_element + epsilon)
        for i in range(lane, int32(pixels * each), TEAM):
            pixel = divided(i, R, S)
            across = int32((i - pixel * each) * WIDE)
            at = int32(start + pixel * C + across)
            u = several(x, at)
            for j in unroll(WIDE):
                out[j] = (u[j] - middle) * factor
            if GAMMA != 0:
                v = several(gamma, int32(first + across))
                for j in unroll(WIDE):
                    out[j] *= v[j]
            if BETA != 0:
                v = several(beta, int32(first + across))
                for j in unroll(WIDE):
                    out[j] += v[j]
            keep(y, at, out)
        if lane == 0:
            store(mean, team, middle)
            store(scale, team, factor)


@cuda.jit(device=True)
def part_of(across, shift):
    """The thread's number, its block's part of the pixels, its sample, its first column; `across` blocks a sample."""
    thread, split = int32(cuda.threadIdx.x), int32(cuda.blockIdx.y)
    sample = int32(int32(cuda.blockIdx.x) // across)
    tile = int32(int32(cuda.blockIdx.x) - sample * across)
    return thread, split, sample, int32(((tile << shift) + (thread & ((int32(1) << shift) - 1))) * WIDE)


@cuda.jit("void(" + 5 * "CPointer(f4), " + 7 * "i4, " + ")", launch_bounds=THREADS)
def _sample_sums(x, gy, parts, mean, scale, pixels, C, G, across, splits, share, shift):
    """Writes parts (N, splits, 2, C): sums of d and d * d, or of gy and gy times normalized x.

    d is x less the sample's first pixel. Block (sample, columns), split: 2**shift times WIDE columns, `share` pixels.
    """
    sums = cuda.shared.array(2 * WIDE * THREADS, float32)
    a, b = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    middle, factor = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    thread, split, sample, column = part_of(across, shift)
    base = int32(sample * pixels * C + column)
    for j in unroll(WIDE):
        a[j], b[j] = float32(0), float32(0)
    if column < C:
        for j in unroll(WIDE):
            if KIND == MOMENTS:
                middle[j] = load(x, int32(base + j))
            if KIND == GRADIENT:
                group = int32(sample * G + (column + j) // (C // G))
                middle[j], factor[j] = load(mean, group), load(scale, group)
        end = min(pixels, int32(split * share + share))
        for pixel in range(int32(split * share + (thread >> shift)), end, int32(THREADS >> shift)):
            u = several(x, int32(base + pixel * C))
            if KIND == MOMENTS:
                for j in unroll(WIDE):
                    a[j] += u[j] - middle[j]
                    b[j] += (u[j] - middle[j]) * (u[j] - middle[j])
            if KIND == GRADIENT:
                v = several(gy, int32(base + pixel * C))
                for j in unroll(WIDE):
                    a[j] += v[j]
                    b[j] += v[j] * ((u[j] - middle[j]) * factor[j])
    add_up(sums, a, b, thread, shift)
    if thread < (int32(1) << shift) and column < C:
        at = int32(2 * (sample * splits + split) * C + column)
        keep(parts, at, a)
        keep(parts, int32(at + C), b)


@cuda.jit(device=True)
def exact_sum(value):
    """`warp_sum` in double precision."""
    value += cuda.shfl_xor_sync(ALL, value, 16)
    value += cuda.shfl_xor_sync(ALL, value, 8)
    value += cuda.shfl_xor_sync(ALL, value, 4)
    value += cuda.shfl_xor_sync(ALL, value, 2)
    return float64(value + cuda.shfl_xor_sync(ALL, value, 1))


@cuda.jit("void(" + 5 * "CPointer(f4), " + 6 * "i4, " + "f4)", launch_bounds=THREADS)
def _finish_groups(parts, x, gamma, first, second, teams, pixels, C, G, splits, GAMMA, epsilon):
    """Adds up the parts of each group, a warp a group.

    To mean and the inverse of the standard deviation; in the gradient to the means of g and of g times normalized x.
    """
    thread = int32(cuda.threadIdx.x)
    team, lane = int32(int32(cuda.blockIdx.x) * (THREADS // 32) + (thread >> 5)), int32(thread & 31)
    if team < teams:
        J, sample = int32(C // G), int32(team // G)
        begin, base = int32((team - sample * G) * J), int32(sample * pixels * C)
        origin = float64(load(x, int32(base + begin)))
        a, b = float64(0), float64(0)
        for column in range(int32(begin + lane), int32(begin + J), 32):
            c, d = float64(0), float64(0)
            for split in range(splits):
                at = int32(2 * (sample * splits + split) * C + column)
                c += float64(load(parts, at))
                d += float64(load(parts, int32(at + C)))
            if KIND == MOMENTS:
                apart = float64(load(x, int32(base + column))) - origin
                a += c + float64(pixels) * apart
                b += d + (c + c + float64(pixels) * apart) * apart
            if KIND == GRADIENT:
                weight = float64(load(gamma, column)) if GAMMA != 0 else float64(1)
                a += weight * c
                b += weight * d
        count = float64(pixels) * float64(J)
        a, b = exact_sum(a) / count, exact_sum(b) / count
        if lane == 0:
            if KIND == MOMENTS:
                variance = b - a * a
                if variance < float64(0):
                    variance = float64(0)
                store(first, team, float32(origin + a))
                store(second, team, float32(float64(1) / sqrt(variance + float64(epsilon))))
            if KIND == GRADIENT:
                store(first, team, float32(a))
                store(second, team, float32(b))


@cuda.jit("void(" + 9 * "CPointer(f4), " + 9 * "i4, " + ")", launch_bounds=THREADS)
def _group_apply(
    x, gy, mean, scale, level, slope, gamma, beta, y, pixels, C, G, across, splits, share, shift, GAMMA, BETA
):
    """y = (x - mean) * scale * gamma + beta; or y = (gy * gamma - (level + normal * slope)) * scale, gx."""
    out, weight = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    middle, factor = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    high, steep = cuda.local.array(WIDE, float32), cuda.local.array(WIDE, float32)
    thread, split, sample, column = part_of(across, shift)
    base = int32(sample * pixels * C + column)
    if column < C:
        for j in unroll(WIDE):
            group = int32(sample * G + (column + j) // (C // G))
            middle[j], factor[j] = load(mean, group), load(scale, group)
            weight[j] = load(gamma, int32(column + j)) if GAMMA != 0 else float32(1)
            if KIND == MOMENTS:
                high[j] = load(beta, int32(column + j)) if BETA != 0 else float32(0)
            if KIND == GRADIENT:
                high[j], steep[j] = load(level, group), load(slope, group)
        end = min(pixels, int32(split * share + share))
        for pixel in range(int32(split * share + (thread >> shift)), end, int32(THREADS >> shift)):
            at = int32(base + pixel * C)
            u = several(x, at)
            if KIND == MOMENTS:
                for j in unroll(WIDE):
                    out[j] = (u[j] - middle[j]) * factor[j] * weight[j] + high[j]
            if KIND == GRADIENT:
                v = several(gy, at)
                for j in unroll(WIDE):
                    normal = (u[j] - middle[j]) * factor[j]
                    out[j] = (v[j] * weight[j] - (high[j] + normal * steep[j])) * factor[j]
            keep(y, at, out)


def _kinds(kernel, name):
    return {
        (kind, wide): kernel.specialize(f"{name}_{word}_{wide}", KIND=kind, WIDE=wide)
        for kind, word in ((MOMENTS, "forward"), (GRADIENT, "gradient"))
        for wide in (1, 4)
    }


TEAMS = {
    (team, wide): _group_forward.specialize(f"group_team_{team}_{wide}", TEAM=team, WIDE=wide)
    for team, wide in ((32, 1), (32, 4), (THREADS, 4))  # as `in_teams` chooses
}
SUMS, APPLY = _kinds(_sample_sums, "group_sums"), _kinds(_group_apply, "group")
JOIN = {
    kind: _finish_groups.specialize(f"finish_{name}", KIND=kind)
    for kind, name in ((MOMENTS, "group_moments"), (GRADIENT, "group_gradient"))
}


def group_norm(x, gamma, beta, groups, epsilon):
    """Normalizes each group of neighbouring channels of each sample.

    x      (N, ..., C)
    ->  y  (N, ..., C), mean (N, G), inverse_std (N, G)
    """
    if is_half(x):
        y, mean, inverse_std = group_norm(x.astype("float32"), gamma, beta, groups, epsilon)
        return y.astype(x.dtype), mean, inverse_std
    if not (supported(x, gamma, beta) and x.size):
        return reference.group_norm(x, gamma, beta, groups, epsilon)
    xp, x, (N, pixels, C) = array_module(x), contiguous(x), _sizes(x)
    y, size, teams = xp.empty(x.shape, x.dtype), pixels * (C // groups), N * groups
    given = [x if a is None else contiguous(a) for a in (gamma, beta)]
    options = int(gamma is not None), int(beta is not None)
    if not in_teams(size, C // groups, teams):
        mean, scale, _ = _joined(MOMENTS, x, x, None, x, x, groups, epsilon)
        _applied(MOMENTS, x, x, mean, scale, mean, scale, *given, y, options)
        return y, mean, scale
    mean, scale = xp.empty((N, groups), x.dtype), xp.empty((N, groups), x.dtype)
    team, wide = 32 if size <= SMALL else THREADS, width(C // groups)
    sizes = (teams, pixels, C, groups, *reciprocal(C // groups // wide), *options, 1 / size, epsilon)
    TEAMS[team, wide][blocks(teams, THREADS // team), THREADS](x, *given, y, mean, scale, *sizes)
    return y, mean, scale


def group_norm_grad(gy, x, gamma, mean, inverse_std):
    """dL/dx, dL/dgamma and dL/dbeta of `group_norm`."""
    if is_half(x):
        gx, ggamma, gbeta = group_norm_grad(gy.astype("float32"), x.astype("float32"), gamma, mean, inverse_std)
        return gx.astype(gy.dtype), ggamma, gbeta
    if not (supported(gy, x, gamma, mean, inverse_std) and x.size):
        return reference.group_norm_grad(gy, x, gamma, mean, inverse_std)
    xp, C = array_module(x), x.shape[-1]
    gy, x, mean, scale = (contiguous(a) for a in (gy, x, mean, inverse_std))
    gamma, options = None if gamma is None else contiguous(gamma), (int(gamma is not None), 0)
    level, slope, parts = _joined(GRADIENT, x, gy, gamma, mean, scale, mean.shape[1])
    gx, gbeta, ggamma = xp.empty(x.shape, x.dtype), xp.empty(C, x.dtype), xp.empty(C, x.dtype)
    FINISH[SUM][blocks(C, LANES), THREADS](parts, x, gbeta, ggamma, x, len(parts), C, 0, 0.0)
    _applied(GRADIENT, x, gy, mean, scale, level, slope, x if gamma is None else gamma, x, gx, options)
    return gx, ggamma, gbeta


def in_teams(size, channels, teams):
    """Whether a team for each group is the way: for groups of so many elements and channels, and so many groups."""
    return size <= SMALL or (channels >= SECTOR and channels % 4 == 0 and teams >= multiprocessors())


def _joined(kind, x, gy, gamma, mean, scale, groups, epsilon=0.0):
    """The two results of `_finish_groups`, (N, G), and the parts (N * splits, 2, C) that they come from."""
    xp, (N, pixels, C) = array_module(x), _sizes(x)
    grid, walk = _walk(N, pixels, C)
    parts = xp.empty((N * grid[1], 2, C), x.dtype)
    SUMS[kind, width(C)][grid, THREADS](x, gy, parts, mean, scale, pixels, C, groups, *walk)
    first, second = xp.empty((N, groups), x.dtype), xp.empty((N, groups), x.dtype)
    sizes = (N * groups, pixels, C, groups, grid[1], int(gamma is not None), epsilon)
    gamma = x if gamma is None else gamma
    JOIN[kind][blocks(N * groups, THREADS // 32), THREADS](parts, x, gamma, first, second, *sizes)
    return first, second, parts


def _applied(kind, x, gy, mean, scale, level, slope, gamma, beta, y, options):
    """Runs `_group_apply`."""
    N, pixels, C = _sizes(x)
    grid, walk = _walk(N, pixels, C)
    sizes = (pixels, C, mean.shape[1], *walk, *options)
    APPLY[kind, width(C)][grid, THREADS](x, gy, mean, scale, level, slope, gamma, beta, y, *sizes)


def _sizes(x):
    """Samples, pixels of a sample, channels."""
    return x.shape[0], math.prod(x.shape[1:-1]), x.shape[-1]


def _walk(N, pixels, C):
    """The grid for N samples; how many blocks lie across and how many share a sample's pixels, how many each takes, and
    the logarithm of how many threads share a pixel."""
    across = C // width(C)
    shift = min(5, (across - 1).bit_length())
    tiles = blocks(across, 1 << shift)
    share = max(blocks(pixels, blocks(RESIDENT * multiprocessors(), tiles * N)), 4 * (THREADS >> shift))
    splits = blocks(pixels, share)
    return (N * tiles, splits), (tiles, splits, share, shift)
