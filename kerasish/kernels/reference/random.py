"""The numbers that Keras draws on TensorFlow from the same seed: Philox-4x32-10 and the distributions built on it.

A seed is a pair of integers. A block is one turn of the generator: four 32-bit words for a 64-bit index. Every block
can be drawn alone, so the numbers do not depend on how the work is split, and memory beyond the result is bounded by
`CHUNK`. `xp` is the array module that draws.
Philox: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC11).
"""

import math

import ml_dtypes
import numpy as np

from kerasish.device import array_module

CHUNK = 1 << 14  # blocks drawn at once: the working set stays in the cache
RESERVED = 256  # blocks set aside for each output of a rejection method
RESERVED_WAITING = 42  # of them, for a binomial number with few expected successes
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
# mantissa bits that are drawn, the bits of 1.0, the unsigned integer of the same width
LAYOUT = {
    "float16": (0x3FF, 15 << 10, "u2"),
    "bfloat16": (0x7F, 127 << 7, "u2"),
    "float32": (0x7FFFFF, 127 << 23, "u4"),
    "float64": (0xFFFFFFFFFFFFF, 1023 << 52, "u8"),
}


def _dtype(name):
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def one_block(words, key):
    """Four 32-bit words, as Python numbers, through the ten rounds of Philox-4x32 (Salmon et al. 2011, section 3)."""
    (a, b, c, d), (low, high) = words, key
    for _ in range(10):
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = q >> 32 ^ b ^ low, q & 0xFFFFFFFF, p >> 32 ^ d ^ high, p & 0xFFFFFFFF
        low, high = low + 0x9E3779B9 & 0xFFFFFFFF, high + 0xBB67AE85 & 0xFFFFFFFF
    return [a, b, c, d]


class Philox:
    """The blocks of one seed."""

    def __init__(self, seed, xp=np):
        words = [int(s) >> shift & 0xFFFFFFFF for s in seed for shift in (0, 32)]
        mixed = one_block(words, (0x3EC8F720, 0x02461E29))
        self.xp, self.key, self.high = xp, mixed[:2], mixed[2:]

    @classmethod
    def unmixed(cls, key, counter):
        """The blocks of TensorFlow's stateful ops, which take their seeds as they are."""
        philox = cls((0, 0))
        philox.key, philox.high = ([number >> shift & 0xFFFFFFFF for shift in (0, 32)] for number in (key, counter))
        return philox

    def words(self, index):
        """(n,) uint64 indices -> (n, 4) uint32. Words 0 and 2 of the state are rows of `even`, 1 and 3 of `odd`."""
        xp, n = self.xp, index.size
        even, odd, product = (xp.empty((2, n), "u8") for _ in range(3))
        even[0], even[1], odd[0], odd[1] = index & LOW, self.high[0], index >> HALF, self.high[1]
        factor, step = xp.asarray([[[0xD2511F53], [0xCD9E8D57]], [[0x9E3779B9], [0xBB67AE85]]], dtype="u8")
        key = xp.asarray(self.key, dtype="u8")[:, None]
        for _ in range(10):
            xp.multiply(even, factor, out=product)
            xp.right_shift(product[::-1], HALF, out=even)
            even ^= odd
            even ^= key
            xp.bitwise_and(product[::-1], LOW, out=odd)
            key = key + step & LOW
        out = xp.empty((n, 2, 2), "u4")
        out[:, :, 0], out[:, :, 1] = even.T, odd.T
        return out.reshape(n, 4)


def _fill(shape, seed, dtype, per_block, transform, xp):
    """An array whose consecutive `per_block` elements come from consecutive blocks through `transform`."""
    out, philox = xp.empty(math.prod(shape), dtype), Philox(seed, xp)
    for start in range(0, out.size, CHUNK * per_block):
        part = out[start : start + CHUNK * per_block]
        first = start // per_block
        index = xp.arange(first, first - (-part.size // per_block), dtype="u8")
        part[...] = transform(philox.words(index)).reshape(-1)[: part.size]
    return out.reshape(shape)


def philox_bits(n, seed, xp=np):
    """n uint32 words of the seed pair."""
    return _fill((n,), seed, "u4", 4, lambda words: words, xp)


def _join(words, high_first):
    """(n, 4) words -> (n, 2) uint64."""
    first, second = words[:, 0::2].astype("u8"), words[:, 1::2].astype("u8")
    return first << HALF | second if high_first else second << HALF | first


def _unit(words, dtype):
    """Words -> numbers in [0, 1): random bits below the leading one of a number in [1, 2), less one."""
    mantissa, one, raw = LAYOUT[dtype]
    bits = _join(words, high_first=True) if dtype == "float64" else words
    bits = (bits & bits.dtype.type(mantissa) | bits.dtype.type(one)).astype(raw, copy=False).view(_dtype(dtype))
    return bits - bits.dtype.type(1)


def _per_block(dtype):
    return 2 if np.dtype(_dtype(dtype)).itemsize == 8 else 4


def uniform(shape, seed, low=0.0, high=1.0, dtype="float32", xp=np):
    """Numbers in [low, high), equal to TensorFlow's to the bit. `low` and `high` are scalars."""
    kind = _dtype(dtype).type
    low = kind(low)
    width = kind(high) - low
    if low == 0 and width == 1:
        return _fill(shape, seed, _dtype(dtype), _per_block(dtype), lambda words: _unit(words, dtype), xp)
    return _fill(shape, seed, _dtype(dtype), _per_block(dtype), lambda words: _unit(words, dtype) * width + low, xp)


def _box_muller(words, dtype):
    """Words -> standard normal numbers, two from two uniform ones: float64 inside, rounded where TensorFlow rounds."""
    xp = array_module(words)
    kind = np.float64 if dtype == "float64" else np.float32
    u, v = xp.moveaxis(_unit(words, kind.__name__).reshape(len(words), -1, 2), -1, 0).astype("f8")
    u = xp.maximum(u, float(kind(1e-7)))
    radius = xp.sqrt(-2 * xp.log(u).astype(kind))
    angle = (2 * math.pi * v).astype(kind).astype("f8")
    pair = xp.stack([xp.sin(angle).astype(kind) * radius, xp.cos(angle).astype(kind) * radius], -1)
    return pair.reshape(len(words), -1)


def _affine(values, mean, stddev, dtype):
    values = values.astype(_dtype(dtype), copy=False)
    return values if (mean, stddev) == (0, 1) else values * values.dtype.type(stddev) + values.dtype.type(mean)


def normal(shape, seed, mean=0.0, stddev=1.0, dtype="float32", xp=np):
    """Normal numbers by Box and Muller, within a few ulp of TensorFlow's."""

    def transform(words):
        return _affine(_box_muller(words, dtype), mean, stddev, dtype)

    return _fill(shape, seed, _dtype(dtype), _per_block(dtype), transform, xp)


def truncated_normal(shape, seed, mean=0.0, stddev=1.0, dtype="float32", xp=np):
    """Normal numbers closer than two `stddev` to `mean`; a group of outputs reads its own blocks until it is full."""
    per_group = _per_block(dtype)
    philox = Philox(seed, xp)
    out = xp.empty(math.prod(shape), _dtype(dtype))
    for start in range(0, out.size, CHUNK * per_group):
        part = out[start : start + CHUNK * per_group]
        first = start // per_group
        group = xp.arange(first, first - (-part.size // per_group), dtype="u8")
        values = _truncated_groups(philox, group * np.uint64(per_group * RESERVED // 4), per_group, dtype)
        part[...] = _affine(values.reshape(-1)[: part.size], mean, stddev, dtype)
    return out.reshape(shape)


def _truncated_groups(philox, base, per_group, dtype, depth=1):
    """The first `per_group` numbers below 2 of each stream that begins at block `base`, from `depth` blocks or more."""
    xp = philox.xp
    index = base[:, None] + xp.arange(depth, dtype="u8")
    values = _box_muller(philox.words(index.reshape(-1)), dtype).reshape(len(base), -1)
    kept = abs(values) < 2
    order = xp.argsort(~kept, axis=1, kind="stable")[:, :per_group]
    values = xp.take_along_axis(values, order, 1)
    short = xp.flatnonzero(kept.sum(1) < per_group)
    if short.size:
        values[short] = _truncated_groups(philox, base[short], per_group, dtype, 4 * depth)
    return values


def randint(shape, seed, low, high, dtype="int32", xp=np):
    """Integers in [low, high): words modulo the width, for int32 and int64."""
    raw = np.dtype(dtype.replace("int", "uint")).type
    width, low = raw(high - low), raw(low & np.iinfo(raw).max)

    def transform(words):
        words = words if dtype == "int32" else _join(words, high_first=False)
        return (words % width + low).view(dtype)

    return _fill(shape, seed, dtype, _per_block(dtype), transform, xp)


def dropout_mask(shape, seed, rate, dtype="float32", xp=np):
    """True where an element is kept: where a uniform number of the element's own dtype is at least `rate`."""
    rate = _dtype(dtype).type(rate)
    return _fill(shape, seed, "?", _per_block(dtype), lambda words: _unit(words, dtype) >= rate, xp)


def categorical(logits, num_samples, seed):
    """(N, C) logits -> (N, num_samples) int64 classes, by inverting each row's cumulative sum in float64.

    TensorFlow splits many rows over threads and starts each part elsewhere in the stream, so there its numbers depend
    on the machine; these are the ones of a single part.
    """
    xp = array_module(logits)
    u = uniform((len(logits), num_samples), seed, dtype="float64", xp=xp)
    logits = logits.astype("f8")
    finite = xp.isfinite(logits)
    peak = xp.max(xp.where(finite, logits, -xp.inf), axis=1, keepdims=True)
    weight = xp.where(finite, xp.exp(xp.where(finite, logits - xp.where(xp.isfinite(peak), peak, 0), 0)), 0)
    total = xp.cumsum(weight, axis=1)
    out = xp.empty(u.shape, "i8")
    for row in range(len(u)):
        out[row] = xp.searchsorted(total[row], u[row] * total[row, -1], side="right")
    return out


def shuffle(n, seed, xp=np):
    """The order that sorts n uniform numbers."""
    return xp.argsort(uniform((n,), seed, xp=xp), kind="stable")


class _Lanes:
    """One stream of blocks per output; a block makes two doubles, and the last is used first."""

    def __init__(self, philox, first, count):
        xp = philox.xp
        self.philox, self.lane = philox, xp.arange(first, first + count, dtype="u8")
        self.next_block = self.lane * np.uint64(RESERVED)
        self.stock = {make: (xp.zeros(count, "i8"), xp.empty((count, 2))) for make in (_unit, _box_muller)}

    def take(self, make, lanes):
        """The next number of each of the lanes, made by `_unit` or `_box_muller`."""
        left, values = self.stock[make]
        empty = lanes[left[lanes] == 0]
        if empty.size:
            values[empty] = make(self.philox.words(self.next_block[empty]), "float64")
            self.next_block[empty] += np.uint64(1)
            left[empty] = 2
        left[lanes] -= 1
        return values[lanes, left[lanes]]


def _by_lanes(draw, parameters, seed, dtype):
    """`draw(lanes, *parameters)` over chunks of the flat parameters, which have the result's shape."""
    xp = array_module(parameters[0])
    shape, philox = parameters[0].shape, Philox(seed, xp)
    flat = [xp.ravel(p).astype("f8") for p in parameters]
    out = xp.empty(flat[0].size, _dtype(dtype))
    for start in range(0, out.size, CHUNK):
        part = [p[start : start + CHUNK] for p in flat]
        with np.errstate(all="ignore"):
            values = draw(_Lanes(philox, start, part[0].size), *part)
            out[start : start + CHUNK] = (
                values.astype("f4") if out.dtype.itemsize == 2 else values
            )  # halves round twice
    return out.reshape(shape)


def gamma(alpha, seed, dtype="float32"):
    """Gamma(alpha, 1) numbers of alpha's shape, as TensorFlow draws them.

    Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); alpha = 1 is drawn as exponential.
    """
    out = _by_lanes(_gamma, [alpha], seed, dtype)
    return array_module(alpha).maximum(out, ml_dtypes.finfo(out.dtype).tiny.astype(out.dtype))


def _gamma(lanes, alpha):
    xp = array_module(alpha)
    small = alpha < 1
    d = alpha + xp.where(small, 2 / 3, -1 / 3)
    c = 1 / 3 / xp.sqrt(d)
    out = xp.empty_like(alpha)
    one = xp.flatnonzero(alpha == 1)
    out[one] = -xp.log1p(-lanes.take(_unit, one))
    active = xp.flatnonzero(alpha != 1)
    while active.size:
        x = lanes.take(_box_muller, active)
        v = 1 + c[active] * x
        tried = ~(v <= 0)
        now, x, v = active[tried], x[tried], v[tried] * v[tried] * v[tried]
        u = lanes.take(_unit, now)
        accepted = (u < 1 - 0.0331 * (x * x) * (x * x)) | (xp.log(u) < 0.5 * x * x + d[now] * (1 - v + xp.log(v)))
        done = now[accepted]
        out[done] = d[done] * v[accepted]
        done = done[small[done]]
        out[done] *= lanes.take(_unit, done) ** (1 / alpha[done])
        active = xp.concatenate([active[~tried], now[~accepted]])
    return out


def binomial(counts, probabilities, seed, dtype="float32"):
    """Binomial numbers of the parameters' common shape, as TensorFlow draws them.

    Few expected successes: by sums of geometric numbers; many: Hormann, "The generation of binomial random variates"
    (1993).
    """
    return _by_lanes(_binomial, [counts, probabilities], seed, dtype)


def _binomial(lanes, counts, p):
    xp = array_module(counts)
    out = xp.where(p >= 1, counts, 0.0)
    out = xp.where(counts > 0, out, 0.0)
    open_ = (counts > 0) & xp.isfinite(counts) & (p > 0) & (p < 1)
    rare = xp.where(p > 0.5, 1 - p, p)
    many = counts * rare >= 10
    for lane, draw in ((xp.flatnonzero(open_ & ~many), _by_waiting), (xp.flatnonzero(open_ & many), _by_rejection)):
        hits = draw(lanes, lane, counts, rare)
        out[lane] = xp.where(p[lane] > 0.5, counts[lane] - hits, hits)
    return xp.where(xp.isfinite(counts) & ~xp.isnan(p), out, xp.nan)


def _by_waiting(lanes, active, counts, p):
    """How many geometric waiting times fit into `counts` trials."""
    xp = array_module(counts)
    hits, trials, wanted = xp.zeros_like(counts), xp.zeros_like(counts), active
    lanes.next_block[active] = lanes.lane[active] * np.uint64(RESERVED_WAITING)
    while active.size:
        trials[active] += xp.ceil(xp.log(lanes.take(_unit, active)) / xp.log1p(-p[active]))
        active = active[trials[active] <= counts[active]]
        hits[active] += 1
    return hits[wanted]


def _by_rejection(lanes, active, counts, p):
    """Transformed rejection with squeeze (BTRS)."""
    xp = array_module(counts)
    hits, wanted = xp.zeros_like(counts), active
    while active.size:
        n, q = counts[active], p[active]
        u, v = lanes.take(_unit, active) - 0.5, lanes.take(_unit, active)
        k, accepted = _btrs(xp, n, q, u, v)
        hits[active[accepted]] = k[accepted]
        active = active[~accepted]
    return hits[wanted]


def _btrs(xp, n, p, u, v):
    """One trial: the proposed number of successes and whether it stands."""
    spread = xp.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    slope = 0.5 - abs(u)
    k = xp.floor((2 * a / slope + b) * u + n * p + 0.5)
    inside = (slope >= 0.07) & (v <= 0.92 - 4.2 / b)
    odds, mode = p / (1 - p), xp.floor((n + 1) * p)
    bound = (
        (mode + 0.5) * xp.log((mode + 1) / (odds * (n - mode + 1)))
        + (n + 1) * xp.log((n - mode + 1) / (n - k + 1))
        + (k + 0.5) * xp.log(odds * (n - k + 1) / (k + 1))
        + (_stirling_tail(mode) + _stirling_tail(n - mode) - _stirling_tail(k) - _stirling_tail(n - k))
    )
    height = xp.log(v * (2.83 + 5.1 / b) * spread / (a / (slope * slope) + b))
    return k, inside | ((k >= 0) & (k <= n) & (height <= bound))


def _stirling_tail(k):
    """log(k!) less Stirling's formula; the first ten are exact to double precision."""
    xp = array_module(k)
    exact = xp.asarray(
        [math.lgamma(i + 1) - (0.5 * math.log(2 * math.pi) + (i + 0.5) * math.log(i + 1) - (i + 1)) for i in range(10)]
    )
    square = (k + 1) * (k + 1)
    series = (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)
    return xp.where(k <= 9, exact[xp.clip(k, 0, 9).astype("i8")], series)


def dropout(x, mask_shape, seed, rate):
    """x / (1 - rate) where a mask of `mask_shape`, which can be broadcast to x's, keeps it, else 0 -> result, mask."""
    mask = dropout_mask(mask_shape, seed, rate, x.dtype.name, array_module(x))
    return masked_scale(x, mask, 1 / (1 - rate)), mask


def masked_scale(x, mask, scale):
    """x * scale where the mask is True, else 0; the mask is x's shape or broadcast to it."""
    return array_module(x).where(mask, x * x.dtype.type(scale), x.dtype.type(0))
