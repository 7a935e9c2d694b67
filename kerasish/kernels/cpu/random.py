"""Philox-4x32-10 on all threads: the words of `reference/random.py`, to the bit, for draws that training repeats."""

import math

import numpy as np

from kerasish.device import memory, raw, threads
from kerasish.device.jit import FASTMATH, njit, prange
from kerasish.device.pointer import view
from kerasish.kernels.cpu import vecmath
from kerasish.kernels.reference import random as reference

WORDS, UNIT, MASK = range(3)
BLOCKS = 1 << 11  # blocks of four words of a task
COST = 10  # multiply-adds that a word is worth
LOW, HALF, MANTISSA = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(0x7FFFFF)
FACTOR_A, FACTOR_B = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
STEP_A, STEP_B = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
ONE_BITS = np.int32(127 << 23)


def philox_bits(n, seed, xp=np):
    """n uint32 words of the seed pair."""
    return _draw((n,), seed, WORDS, np.uint32) if xp is np else reference.philox_bits(n, seed, xp)


def uniform(shape, seed, low=0.0, high=1.0, dtype="float32", xp=np):
    """Numbers in [low, high), equal to TensorFlow's to the bit. `low` and `high` are scalars."""
    if dtype != "float32" or xp is not np:
        return reference.uniform(shape, seed, low, high, dtype, xp)
    y, low = _draw(shape, seed, UNIT, np.uint32).view(np.float32), np.float32(low)
    width = np.float32(high) - low
    if low != 0 or width != 1:  # rounded twice, as there; a kernel would fuse the two
        y *= width
        y += low
    return y


def dropout_mask(shape, seed, rate, dtype="float32", xp=np):
    """True where an element is kept: where a uniform number of the element's own dtype is at least `rate`."""
    if dtype != "float32" or xp is not np:
        return reference.dropout_mask(shape, seed, rate, dtype, xp)
    least = math.ceil(float(np.float32(rate)) * 2**23)  # u >= rate, in units of the last bit of u
    return _draw(shape, seed, MASK, np.uint8, least).view(bool)


def dropout(x, mask_shape, seed, rate):
    """x / (1 - rate) where a mask of `mask_shape`, which can be broadcast to x's, keeps it, else 0 -> result, mask."""
    if type(x) is not np.ndarray or x.dtype != np.float32:
        return reference.dropout(x, mask_shape, seed, rate)
    mask = dropout_mask(mask_shape, seed, rate)
    return masked_scale(x, mask, 1 / (1 - rate)), mask


def masked_scale(x, mask, scale):
    """x * scale where the mask is True, else 0; the mask is x's shape or broadcast to it."""
    if type(x) is not np.ndarray or x.dtype != np.float32 or mask.shape != x.shape or not x.size or not x.ndim:
        return reference.masked_scale(x, mask, scale)
    x, mask = np.ascontiguousarray(x), np.ascontiguousarray(mask)
    y, scale, step = memory.empty(x.shape, x.dtype), np.array([scale], x.dtype), 4 * BLOCKS
    flat = x.reshape(-1), mask.reshape(-1).view(np.uint8), scale, y.reshape(-1)
    _masked_scale(-(-x.size // step), *flat, step, threads=threads.wanted(x.size))
    return y


def start_of(seed):
    """The four words with which a seed pair begins."""
    philox = reference.Philox(seed)
    return (*philox.key, *philox.high)


def _draw(shape, seed, kind, dtype, least=0):
    """Words, or what is made of them, in whole blocks; the last one's spare elements are cut off."""
    n = math.prod(shape)
    blocks = -(-n // 4)
    out = memory.empty(4 * blocks, dtype)
    if n:
        state = (*start_of(seed), kind, least)
        if (noting := raw.recorder) is not None:
            noting.draws()
        _philox(-(-blocks // BLOCKS), out, *state, threads=threads.wanted(n * COST))
    return out[:n].reshape(shape)


@njit(parallel=True, fastmath=FASTMATH, usual=("uint32.1" + 6 * " int64", "uint8.1" + 6 * " int64"))
def _philox(tasks, out, key_a, key_b, high_a, high_b, kind, least):
    """out (4 blocks); a task is `BLOCKS` blocks."""
    blocks = out.size // 4
    for task in prange(tasks):
        first, to = task * BLOCKS, view(out, 4 * task * BLOCKS)
        for i in range(min(BLOCKS, blocks - first)):
            n = np.uint64(first + i)
            a, b, c, d = _block(n, np.uint64(key_a), np.uint64(key_b), np.uint64(high_a), np.uint64(high_b))
            # all four are made in the same way: then they are stored together, as vectors
            a, b, c, d = _made(a, kind, least), _made(b, kind, least), _made(c, kind, least), _made(d, kind, least)
            to[4 * i], to[4 * i + 1], to[4 * i + 2], to[4 * i + 3] = a, b, c, d


@njit(fastmath=FASTMATH, forceinline=True)
def _block(index, key_a, key_b, high_a, high_b):
    """Ten rounds."""
    a, b, c, d = index & LOW, index >> HALF, high_a, high_b
    for _ in range(10):
        p, q = a * FACTOR_A, c * FACTOR_B
        a, b, c, d = (q >> HALF) ^ b ^ key_a, q & LOW, (p >> HALF) ^ d ^ key_b, p & LOW
        key_a, key_b = (key_a + STEP_A) & LOW, (key_b + STEP_B) & LOW
    return a, b, c, d


@njit(fastmath=FASTMATH, forceinline=True)
def _made(word, kind, least):
    """A word; the bits of a float32 in [0, 1); or whether that float32 keeps its element."""
    mantissa = np.int64(word & MANTISSA)
    unit = vecmath.bits(vecmath.floating(np.int32(mantissa) | ONE_BITS) - np.float32(1))
    return vecmath.choose(
        kind == MASK, np.int64(mantissa >= least), vecmath.choose(kind == UNIT, np.int64(unit), np.int64(word))
    )


@njit(parallel=True, fastmath=FASTMATH, usual=("float32.1 uint8.1 float32.1 float32.1 int64",))
def _masked_scale(tasks, x, mask, scale, y, step):
    """x, mask and y (N), scale (1)"""
    factor = scale[0]
    for task in prange(tasks):
        u, m, v = view(x, task * step), view(mask, task * step), view(y, task * step)
        for i in range(min(step, x.size - task * step)):
            v[i] = u[i] * factor if m[i] else np.float32(0)
