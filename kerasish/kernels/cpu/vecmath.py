"""Transcendental functions of float32 without branches, so that loops over them become vector code.

Numba turns `math.exp` in a loop into one library call per element. These are polynomials, fitted on the intervals that
the usual range reductions leave (least squares, reweighted towards minimax); errors are about 2 units in the last
place. NaN, infinities, overflow and denormals come out as in libm. All are exact helpers: the compiler may fuse
multiplications with additions but not reorder them, which would cancel the corrections.
"""

import numpy as np

from kerasish.device.jit import EXACT, intrinsic, njit
from kerasish.device.lazy import types

F = np.float32
ROUND, ROUND_BITS = (
    F(12582912.0),
    np.int32(0x4B400000),
)  # 1.5 * 2**23: adding it leaves the nearest integer in the last bits
LOG2E, LN2_HIGH, LN2_LOW = F(1.44269504), F(0.693145752), F(1.42860677e-6)  # LN2_HIGH has zeros in its last bits
ZERO, HALF, ONE, TWO = F(0), F(0.5), F(1), F(2)
NAN, INF = F(np.nan), F(np.inf)
SIGN, MANTISSA, SQRT_HALF = np.int32(-(2**31)), np.int32(0x7FFFFF), np.int32(0x3F3504F3)


@intrinsic(lambda condition, a, b: a if condition else b)
def choose(typingctx, condition, a, b):
    """a where the condition holds, else b, both computed: a branch around a long computation would end vector code."""
    codegen = lambda context, at, signature, args: at.select(*args)
    return a(types.boolean, a, a), codegen


@njit(fastmath=EXACT, forceinline=True)
def bits(x):
    return np.float32(x).view(np.int32)


@njit(fastmath=EXACT, forceinline=True)
def floating(n):
    return np.int32(n).view(np.float32)


@njit(fastmath=EXACT, forceinline=True)
def power_of_two(n):
    """2**n for an int32 from -126 to 127."""
    return floating((n + np.int32(127)) << np.int32(23))


@njit(fastmath=EXACT, forceinline=True)
def magnitude(x):
    return floating(bits(x) & ~SIGN)


@njit(fastmath=EXACT, forceinline=True)
def with_sign(x, of):
    """|x| as x is not negative, with the sign of `of`."""
    return floating(bits(x) | (bits(of) & SIGN))


@njit(fastmath=EXACT, forceinline=True)
def split(x):
    """x = n ln 2 + r with |r| <= ln(2) / 2: n (int32), r."""
    shifted = x * LOG2E + ROUND
    n = shifted - ROUND
    return np.int32(bits(shifted) - ROUND_BITS), (x - n * LN2_HIGH) - n * LN2_LOW


@njit(fastmath=EXACT, forceinline=True)
def exp_tail(r):
    """e**r - 1 on |r| <= ln(2) / 2."""
    p = F(1.38823956e-3)
    p = p * r + F(8.36718087e-3)
    p = p * r + F(4.16672213e-2)
    p = p * r + F(1.66665387e-1)
    p = p * r + F(0.49999998)
    return p * (r * r) + r


@njit(fastmath=EXACT, forceinline=True)
def exp(x):
    x = F(-104) if x < F(-104) else x
    x = F(89) if x > F(89) else x
    n, r = split(x)
    half = n >> np.int32(1)
    return (exp_tail(r) + ONE) * power_of_two(half) * power_of_two(np.int32(n - half))


@njit(fastmath=EXACT, forceinline=True)
def expm1(x):
    x = F(-20) if x < F(-20) else x
    x = F(89) if x > F(89) else x
    n, r = split(x)
    s = power_of_two(np.int32(n - np.int32(1)))
    y = s * exp_tail(r) + (s - HALF)
    return with_zero_of(x, y + y)


@njit(fastmath=EXACT, forceinline=True)
def with_zero_of(x, y):
    """y, but x where x is a zero: keeps the sign of -0."""
    return x if x == ZERO else y


@njit(fastmath=EXACT, forceinline=True)
def log(x):
    tiny = x < F(1.17549435e-38)
    scaled = x * F(8388608.0) if tiny else x
    b = np.int32(bits(scaled) - SQRT_HALF)
    n = F(b >> np.int32(23)) - (F(23) if tiny else ZERO)
    z = floating((b & MANTISSA) + SQRT_HALF) - ONE
    p = F(-7.63449302e-2)
    p = p * z + F(1.27615756e-1)
    p = p * z + F(-1.31601831e-1)
    p = p * z + F(1.42017582e-1)
    p = p * z + F(-1.66233573e-1)
    p = p * z + F(2.00012269e-1)
    p = p * z + F(-2.50008210e-1)
    p = p * z + F(3.33333317e-1)
    zz = z * z
    y = n * LN2_HIGH + (z - (HALF * zz - (n * LN2_LOW + p * zz * z)))
    y = y if scaled < INF else x  # inf and NaN
    y = y if x > ZERO or x != x else -INF
    return NAN if x < ZERO else y


@njit(fastmath=EXACT, forceinline=True)
def log1p(x):
    u = ONE + x
    l = log(u)
    y = choose((u < INF) & (u > ZERO), l + (x - (u - ONE)) / u, l)
    return with_zero_of(x, y)


@njit(fastmath=EXACT, forceinline=True)
def tanh(x):
    t = expm1(magnitude(x) * F(-2))
    return with_sign(-t / (t + TWO), x)


@njit(fastmath=EXACT, forceinline=True)
def sigmoid(x):
    z = exp(-magnitude(x))
    return choose(x >= ZERO, ONE, z) / (ONE + z)


@njit(fastmath=EXACT, forceinline=True)
def softplus(x):
    return (x if x > ZERO else ZERO) + log1p(exp(-magnitude(x)))


@njit(fastmath=EXACT, forceinline=True)
def erf(x):
    t = magnitude(x)
    q = x * x
    near = F(7.85390763e-5)
    near = near * q + F(-8.01020880e-4)
    near = near * q + F(5.18832960e-3)
    near = near * q + F(-2.68538131e-2)
    near = near * q + F(1.12835852e-1)
    near = near * q + F(-3.76126258e-1)
    near = near * q + F(1.12837917)
    s = (F(4) if t > F(4) else t) - TWO
    far = F(-2.14960491e-5)  # log(erfc(t)) on 0.95 to 4
    far = far * s + F(1.38160971e-4)
    far = far * s + F(-7.30007991e-4)
    far = far * s + F(3.57032750e-3)
    far = far * s + F(-1.64659837e-2)
    far = far * s + F(-9.23751002e-1)
    far = far * s + F(-4.41816077)
    far = far * s + F(-5.36494126)
    outer = with_sign(ONE - exp(far), x)
    return choose(t < ONE, near * x, outer)
