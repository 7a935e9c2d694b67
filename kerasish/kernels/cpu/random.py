"""Philox-4x32-10 on all threads: the words of `reference/random.py`, to the bit, for draws that training repeats."""

import math

import numpy as np

from kerasish.device import memory, threads
from kerasish.device.jit import helper
from kerasish.kernels.cpu import raw, vecmath
from kerasish.kernels.cpu.pointer import number, pointer
from kerasish.kernels.cpu.raw import address
from kerasish.kernels.cpu.task import tasks
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
    y, constants = memory.empty(x.shape, x.dtype), np.array([scale], x.dtype)
    at = [address(a) for a in (x, mask, constants, y)]
    step = 4 * BLOCKS
    _masked_scale((x.dtype, np.dtype(np.uint8)), -(-x.size // step), *at, x.size, step, threads=threads.wanted(x.size))
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
        _philox(out.dtype, -(-blocks // BLOCKS), address(out), blocks, *state, threads=threads.wanted(n * COST))
    return out[:n].reshape(shape)


@tasks(usual=("uint32", "uint8"))
def _philox(zero, task, out, blocks, key_a, key_b, high_a, high_b, kind, least):
    first = task * BLOCKS
    count, to = min(BLOCKS, blocks - first), pointer(zero, out, 4 * first, 4 * BLOCKS)
    for i in range(count):  # all four are made in the same way: then they are stored together, as vectors
        a, b, c, d = _block(
            np.uint64(first + i), np.uint64(key_a), np.uint64(key_b), np.uint64(high_a), np.uint64(high_b)
        )
        a, b, c, d = _made(a, kind, least), _made(b, kind, least), _made(c, kind, least), _made(d, kind, least)
        to[4 * i], to[4 * i + 1] = number(zero, a), number(zero, b)
        to[4 * i + 2], to[4 * i + 3] = number(zero, c), number(zero, d)


@helper(inline=True)
def _block(index, key_a, key_b, high_a, high_b):
    """Ten rounds."""
    a, b, c, d = index & LOW, index >> HALF, high_a, high_b
    for _ in range(10):
        p, q = a * FACTOR_A, c * FACTOR_B
        a, b, c, d = (q >> HALF) ^ b ^ key_a, q & LOW, (p >> HALF) ^ d ^ key_b, p & LOW
        key_a, key_b = (key_a + STEP_A) & LOW, (key_b + STEP_B) & LOW
    return a, b, c, d


@helper(inline=True)
def _made(word, kind, least):
    """A word; the bits of a float32 in [0, 1); or whether that float32 keeps its element."""
    mantissa = np.int64(word & MANTISSA)
    unit = vecmath.bits(vecmath.floating(np.int32(mantissa) | ONE_BITS) - np.float32(1))
    return vecmath.choose(
        kind == MASK, np.int64(mantissa >= least), vecmath.choose(kind == UNIT, np.int64(unit), np.int64(word))
    )


@tasks(usual=("float32 uint8",))
def _masked_scale(zero, nought, task, x, mask, constants, y, size, step):
    n = min(step, size - task * step)
    u, v, m = pointer(zero, x, task * step, n), pointer(zero, y, task * step, n), pointer(nought, mask, task * step, n)
    scale = pointer(zero, constants, 0, 1)[0]
    for i in range(n):
        v[i] = u[i] * scale if m[i] else zero
