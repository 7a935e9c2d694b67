"""Philox-4x32-10 on a card: the words of `reference/random.py`, to the bit, for draws that training repeats."""

import math

import numpy as np
from numba import cuda, float32, int32, uint32, uint64

from kerasish.device import array_module
from kerasish.device.cuda_jit import device, template
from kerasish.device.cuda_source import unroll
from kerasish.kernels.cuda.arrays import LARGEST, blocks, contiguous, supported
from kerasish.kernels.cuda.asm import floating, load, store
from kerasish.kernels.reference import random as reference

THREADS = 256
UNIT, MASK, DROPOUT = range(3)


@device
def high(a, b):
    """The upper word of a product."""
    return uint32((uint64(a) * uint64(b)) >> uint64(32))


@device
def philox(index, key_a, key_b, high_a, high_b):
    """The four words of a block: ten rounds."""
    a, b, c, d = uint32(index), uint32(0), uint32(high_a), uint32(high_b)
    for _ in range(10):
        p, q = high(a, uint32(0xD2511F53)), high(c, uint32(0xCD9E8D57))
        low_p, low_q = uint32(a * uint32(0xD2511F53)), uint32(c * uint32(0xCD9E8D57))
        a, b, c, d = uint32(q ^ b ^ key_a), low_q, uint32(p ^ d ^ key_b), low_p
        key_a, key_b = uint32(key_a + uint32(0x9E3779B9)), uint32(key_b + uint32(0xBB67AE85))
    return a, b, c, d


@template("FUF uuuu iif")
def draw(x, mask, y, key_a, key_b, high_a, high_b, n, least, scale):
    """Four elements a thread: numbers in [0, 1), whether an element is kept, or what dropout makes of x."""
    block = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    drawn = philox(block, key_a, key_b, high_a, high_b)
    for i in unroll(4):
        at = int32(4 * block + i)
        if at < n:
            mantissa = int32(drawn[i] & uint32(0x7FFFFF))
            if KIND == UNIT:
                store(y, at, floating(int32(mantissa | int32(0x3F800000))) - float32(1))
            else:
                mask[at] = 1 if mantissa >= least else 0
            if KIND == DROPOUT:
                store(y, at, load(x, at) * scale if mantissa >= least else float32(0))


@template("FUF if")
def masked(x, mask, y, n, scale):
    """y = x * scale where the mask is set, else 0."""
    i = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    if i < n:
        store(y, i, load(x, i) * scale if mask[i] != 0 else float32(0))


def _kernel(name, kind):
    return draw(name, THREADS, KIND=kind, THREADS=THREADS, UNIT=UNIT, DROPOUT=DROPOUT)


KERNELS = {UNIT: _kernel("draw_unit", UNIT), MASK: _kernel("draw_mask", MASK), DROPOUT: _kernel("dropout", DROPOUT)}
_masked = masked("masked_scale", THREADS, THREADS=THREADS)


def uniform(shape, seed, low=0.0, high=1.0, dtype="float32", xp=np):
    """Numbers in [low, high), equal to TensorFlow's to the bit. `low` and `high` are scalars."""
    n = math.prod(shape)
    if dtype != "float32" or xp is np or n > LARGEST:
        return reference.uniform(shape, seed, low, high, dtype, xp)
    y, low = xp.empty(n, "float32"), np.float32(low)
    _draw(UNIT, seed, y, xp.empty(1, "uint8"), y)
    width = np.float32(high) - low
    if low != 0 or width != 1:  # rounded twice, as there; a kernel would fuse the two
        y *= width
        y += low
    return y.reshape(shape)


def dropout_mask(shape, seed, rate, dtype="float32", xp=np):
    """True where an element is kept: where a uniform number of the element's own dtype is at least `rate`."""
    n = math.prod(shape)
    if dtype != "float32" or xp is np or n > LARGEST:
        return reference.dropout_mask(shape, seed, rate, dtype, xp)
    mask, nothing = xp.empty(n, "bool"), xp.empty(1, "float32")
    _draw(MASK, seed, nothing, mask, nothing, rate)
    return mask.reshape(shape)


def dropout(x, mask_shape, seed, rate):
    """x / (1 - rate) where a mask of `mask_shape`, which can be broadcast to x's, keeps it, else 0 -> result, mask."""
    if not supported(x):
        return reference.dropout(x, mask_shape, seed, rate)
    xp, scale = array_module(x), 1 / (1 - rate)
    if tuple(mask_shape) != x.shape:
        mask = dropout_mask(mask_shape, seed, rate, "float32", xp)
        return masked_scale(x, mask, scale), mask
    mask, y = xp.empty(x.shape, "bool"), xp.empty(x.shape, x.dtype)
    _draw(DROPOUT, seed, contiguous(x), mask, y, rate, scale)
    return y, mask


def masked_scale(x, mask, scale):
    """x * scale where the mask is True, else 0; the mask is x's shape or broadcast to it."""
    if not supported(x) or mask.shape != x.shape:
        return reference.masked_scale(x, mask, scale)
    y = array_module(x).empty(x.shape, x.dtype)
    _masked((blocks(x.size, THREADS),), contiguous(x), contiguous(mask), y, x.size, scale)
    return y


def _draw(kind, seed, x, mask, y, rate=0.0, scale=1.0):
    """Fills the mask, or y, from the seed's first block on."""
    state = reference.Philox(seed)
    n = y.size if kind == UNIT else mask.size
    least = math.ceil(float(np.float32(rate)) * 2**23)  # u >= rate, in units of the last bit of u
    KERNELS[kind]((blocks(blocks(n, 4), THREADS),), x, mask, y, *state.key, *state.high, n, least, scale)
