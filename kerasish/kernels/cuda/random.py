"""Philox-4x32-10 on a card: the words of `reference/random.py`, to the bit, for draws that training repeats."""

import math

import numpy as np
from numpy import float32, int32, uint32, uint64

from kerasish.device import array_module
from kerasish.device.cuda_jit import cuda, unroll
from kerasish.kernels.cuda.arrays import LARGEST, blocks, contiguous, supported
from kerasish.kernels.cuda.asm import floating, load, load4, store, store4
from kerasish.kernels.reference import random as reference

THREADS = 256
UNIT, MASK, DROPOUT = range(3)


@cuda.jit(device=True)
def high(a, b):
    """The upper word of a product."""
    return uint32((uint64(a) * uint64(b)) >> uint64(32))


@cuda.jit(device=True)
def philox(index, key_a, key_b, high_a, high_b):
    """The four words of a block: ten rounds."""
    a, b, c, d = uint32(index), uint32(0), uint32(high_a), uint32(high_b)
    for _ in range(10):
        p, q = high(a, uint32(0xD2511F53)), high(c, uint32(0xCD9E8D57))
        low_p, low_q = uint32(a * uint32(0xD2511F53)), uint32(c * uint32(0xCD9E8D57))
        a, b, c, d = uint32(q ^ b ^ key_a), low_q, uint32(p ^ d ^ key_b), low_p
        key_a, key_b = uint32(key_a + uint32(0x9E3779B9)), uint32(key_b + uint32(0xBB67AE85))
    return a, b, c, d


@cuda.jit(device=True)
def unit(word):
    """A number in [0, 1) of a word's lower 23 bits."""
    return floating(int32(int32(word & uint32(0x7FFFFF)) | int32(0x3F800000))) - float32(1)


@cuda.jit(device=True)
def kept(word, least):
    """Whether the word's lower 23 bits are at least `least`."""
    return int32(word & uint32(0x7FFFFF)) >= least


@cuda.jit(device=True)
def scaled(x, keep, scale):
    """What dropout makes of x."""
    return x * scale if keep else float32(0)


@cuda.jit("void(CPointer(f4), CPointer(u1), CPointer(f4), " + 4 * "u4, " + "i4, i4, f4)", launch_bounds=THREADS)
def _draw(x, mask, y, key_a, key_b, high_a, high_b, n, least, scale):
    """Four elements a thread: numbers in [0, 1), whether an element is kept, or what dropout makes of x."""
    block = int32(int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x))
    at = int32(4 * block)
    a, b, c, d = philox(block, key_a, key_b, high_a, high_b)
    if KIND != UNIT:
        for i in unroll(4):
            if at + i < n:
                store(mask, int32(at + i), 1 if kept((a, b, c, d)[i], least) else 0)
    if at + 3 < n:
        if KIND == UNIT:
            store4(y, at, (unit(a), unit(b), unit(c), unit(d)))
        if KIND == DROPOUT:
            u = load4(x, at)
            first, second = scaled(u[0], kept(a, least), scale), scaled(u[1], kept(b, least), scale)
            store4(y, at, (first, second, scaled(u[2], kept(c, least), scale), scaled(u[3], kept(d, least), scale)))
    else:
        for i in unroll(4):
            if at + i < n:
                if KIND == UNIT:
                    store(y, int32(at + i), unit((a, b, c, d)[i]))
                if KIND == DROPOUT:
                    v = load(x, int32(at + i))
                    store(y, int32(at + i), scaled(v, kept((a, b, c, d)[i], least), scale))


@cuda.jit("void(CPointer(f4), CPointer(u1), CPointer(f4), i4, f4)", launch_bounds=THREADS)
def _masked_scale(x, mask, y, n, scale):
    """y = x * scale where the mask is set, else 0, four elements a thread."""
    at = int32(4 * (int32(cuda.blockIdx.x) * THREADS + int32(cuda.threadIdx.x)))
    if at + 3 < n:
        u = load4(x, at)
        first, second = scaled(u[0], mask[at] != 0, scale), scaled(u[1], mask[at + 1] != 0, scale)
        store4(y, at, (first, second, scaled(u[2], mask[at + 2] != 0, scale), scaled(u[3], mask[at + 3] != 0, scale)))
    else:
        for i in unroll(4):
            if at + i < n:
                store(y, int32(at + i), scaled(load(x, int32(at + i)), mask[at + i] != 0, scale))


KERNELS = [_draw.specialize(name, KIND=kind) for kind, name in enumerate(("draw_unit", "draw_mask", "dropout"))]


def uniform(shape, seed, low=0.0, high=1.0, dtype="float32", xp=np):
    """Numbers in [low, high), equal to TensorFlow's to the bit. `low` and `high` are scalars."""
    n = math.prod(shape)
    if dtype != "float32" or xp is np or n > LARGEST:
        return reference.uniform(shape, seed, low, high, dtype, xp)
    y, low = xp.empty(n, "float32"), np.float32(low)
    _drawn(UNIT, seed, y, xp.empty(1, "uint8"), y)
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
    _drawn(MASK, seed, nothing, mask, nothing, rate)
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
    _drawn(DROPOUT, seed, contiguous(x), mask, y, rate, scale)
    return y, mask


def masked_scale(x, mask, scale):
    """x * scale where the mask is True, else 0; the mask is x's shape or broadcast to it."""
    if not supported(x) or mask.shape != x.shape:
        return reference.masked_scale(x, mask, scale)
    y = array_module(x).empty(x.shape, x.dtype)
    _masked_scale[blocks(blocks(x.size, 4), THREADS), THREADS](contiguous(x), contiguous(mask), y, x.size, scale)
    return y


def _drawn(kind, seed, x, mask, y, rate=0.0, scale=1.0):
    """Fills the mask, or y, from the seed's first block on."""
    state = reference.Philox(seed)
    n = y.size if kind == UNIT else mask.size
    least = math.ceil(float(np.float32(rate)) * 2**23)  # u >= rate, in units of the last bit of u
    KERNELS[kind][blocks(blocks(n, 4), THREADS), THREADS](x, mask, y, *state.key, *state.high, n, least, scale)
