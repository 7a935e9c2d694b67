"""Runs the source of CUDA kernels without a card: every thread is a greenlet, every barrier a meeting point.

Memory is checked: an index out of range, a misaligned wide access, a number that does not fit its integer type and a
barrier that not all threads reach are errors; memory that was never written reads as NaN. Threads run in one order up
to a barrier and in the reverse order up to the next, so that a missing barrier shows.
"""

import contextlib
import ctypes
import re
import struct
from collections import defaultdict

import numpy as np
from greenlet import getcurrent, greenlet

from kerasish.device import cuda_arguments, cuda_jit

WARP = 32


class Dim:
    """Three numbers: x, y, z."""

    def __init__(self, sizes):
        self.x, self.y, self.z = (*sizes, 1, 1, 1)[:3]


class Thread(greenlet):
    """One thread: its place, its asynchronous copies, how many collective operations it has taken part in."""

    number, block = 0, None

    def begin(self, number, block):
        self.number, self.block, self.lane, self.warp = number, block, number % WARP, number // WARP
        self.copies, self.groups, self.turns, self.arrays = [], [], defaultdict(int), 0
        return self


class Block:
    """One block of threads, run to its end."""

    def __init__(self, function, arguments, index, grid, threads):
        self.index, self.grid, self.shared, self.slots = index, grid, {}, {}
        body = lambda: function(*arguments)
        self.threads = [Thread(body).begin(i, self) for i in range(threads)]
        ready, waiting = list(self.threads), {}
        while ready or waiting:
            if not ready:
                raise RuntimeError(
                    f"threads {sorted(t.number for t in waiting)[:8]}... wait for others that never come"
                )
            for thread in reversed(ready):
                place = thread.switch()
                if not thread.dead:
                    waiting[thread] = place
            ready = self._released(waiting)

    def _released(self, waiting):
        """The threads whose whole group has come to the same place."""
        ready = []
        for group in (self.threads, *(self.threads[i : i + WARP] for i in range(0, len(self.threads), WARP))):
            alive = [t for t in group if not t.dead]
            places = {waiting.get(t) for t in alive}
            kind = "block" if group is self.threads else "warp"
            if len(places) == 1 and None not in places and next(iter(places))[0] == kind:
                ready += alive
                for t in alive:
                    del waiting[t]
        return ready


def meet(kind, what):
    """Wait for the other threads of the block or the warp."""
    thread = getcurrent()
    thread.parent.switch((kind, what))


def exchange(value, what):
    """Give a value to the warp and get everybody's, by lane."""
    thread = getcurrent()
    thread.turns[what] += 1
    slot = thread.block.slots.setdefault((thread.warp, what, thread.turns[what]), {})
    slot[thread.lane] = value
    meet("warp", what)
    return slot


# --- types


def integer(bits, signed):
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)

    def convert(value):
        value = int(value)
        if not signed:
            return value & high - 1
        if not low <= value < high:
            raise OverflowError(f"{value} does not fit an integer of {bits} bits")
        return value

    convert.dtype = np.dtype(f"{'i' if signed else 'u'}{bits // 8}")
    return convert


int32, int64, uint32, uint64 = integer(32, True), integer(64, True), integer(32, False), integer(64, False)
float32, float64 = np.float32, np.float64


def fresh(size, kind):
    """Memory that nobody has written yet."""
    dtype = getattr(kind, "dtype", None)
    dtype = dtype if isinstance(dtype, np.dtype) else np.dtype(kind)
    return np.full(size, np.nan if dtype.kind == "f" else 123456789, dtype)


# --- numba.cuda


class Shared:
    @staticmethod
    def array(size, kind, alignment=None):
        thread = getcurrent()
        thread.arrays += 1  # the threads of a block name its arrays in the same order
        held = thread.block.shared
        if thread.arrays not in held:
            held[thread.arrays] = fresh(size, kind)
        return held[thread.arrays]


class Local:
    @staticmethod
    def array(size, kind, alignment=None):
        return fresh(size, kind)


class Cuda:
    """What kernels use of `numba.cuda`."""

    shared, local = Shared, Local
    threadIdx = property(lambda self: Dim((getcurrent().number,)))
    blockIdx = property(lambda self: getcurrent().block.index)
    gridDim = property(lambda self: getcurrent().block.grid)
    blockDim = property(lambda self: Dim((len(getcurrent().block.threads),)))

    def grid(self, axes):
        """The thread's number in a grid of one axis."""
        if axes != 1:
            raise NotImplementedError(f"cuda.grid({axes}): blocks have one axis here")
        return self.blockIdx.x * self.blockDim.x + self.threadIdx.x

    @staticmethod
    def syncthreads():
        meet("block", "syncthreads")

    @staticmethod
    def syncwarp():
        meet("warp", "syncwarp")

    @staticmethod
    def shfl_xor_sync(mask, value, distance):
        lane = getcurrent().lane
        return exchange(value, "shfl_xor")[lane ^ distance]

    @staticmethod
    def shfl_sync(mask, value, lane):
        return exchange(value, "shfl")[lane]


# --- asm.py

crooked = {}  # arguments that begin at odd addresses, by id


class Ahead:
    """A pointer into an array."""

    def __init__(self, place, index):
        self.place, self.index = (place.place, place.index + int(index)) if isinstance(place, Ahead) else (place, index)


def spot(place, index, width=1):
    """The array and the index in it; both checked."""
    index = int(index)
    if isinstance(place, Ahead):
        place, index = place.place, place.index + index
    if width > 1 and id(place) in crooked:
        raise IndexError(f"{width} elements at once of an array that does not begin at a multiple of 16 bytes")
    if not 0 <= index <= place.size - width or index % width:
        raise IndexError(f"{width} elements at {index} of {place.size}: out of range or misaligned")
    return place, index


def load(place, index):
    array, at = spot(place, index)
    return array[at]


def store(place, index, value):
    array, at = spot(place, index)
    array[at] = value


def wide_load(width):
    def load_wide(place, index):
        array, at = spot(place, index, width)
        return tuple(array[at : at + width])

    return load_wide


def wide_store(width):
    def store_wide(place, index, values):
        array, at = spot(place, index, width)
        array[at : at + width] = values

    return store_wide


def load_bits(place, index):
    array, at = spot(place, index)
    return int(array[at : at + 1].view(np.int32)[0])


def bits(x):
    return struct.unpack("<i", struct.pack("<f", x))[0] if x == x else 0x7FFFFFFF


def floating(word):
    return np.int32(word).view(np.float32)


def low_16(bits_):
    return np.uint32(bits_ << 16).view(np.float32)


def rounded_bf16(x):
    word = int(np.float32(x).view(np.uint32))
    return 0x7FFF if x != x else (word + 0x7FFF + (word >> 16 & 1)) >> 16


def pack_bf16(low, high):
    return int(np.uint32(rounded_bf16(high) << 16 | rounded_bf16(low)).view(np.int32))


def fragments_tf32(words):
    """What the tensor cores see of each word: they drop the last 13 bits."""
    return [[np.uint32(w & 0xFFFFE000).view(np.float32)] for w in np.array(words, np.int32).view(np.uint32).tolist()]


def fragments_bf16(words):
    return [[low_16(w & 0xFFFF), low_16(w >> 16)] for w in np.array(words, np.int32).view(np.uint32).tolist()]


def tensor_product(fragments, depth):
    """The warp's product of a 16 x depth by a depth x 8 matrix, by PTX's layout of fragments."""

    def product(a, b, c):
        given = exchange((a, b), f"mma{depth}")
        if "result" not in given:
            A, B, each = np.empty((16, depth), "f4"), np.empty((depth, 8), "f4"), depth // 8
            for lane, (left, right) in list(given.items()):
                row, column = lane // 4, lane % 4 * each
                for i, values in enumerate(fragments(left)):
                    at = column + i // 2 * 4 * each
                    A[row + i % 2 * 8, at : at + each] = values
                for i, values in enumerate(fragments(right)):
                    at = column + i * 4 * each
                    B[at : at + each, row] = values
            with np.errstate(all="ignore"):
                given["result"] = A @ B
        lane = getcurrent().lane
        d, row, column = given["result"], lane // 4, lane % 4 * 2
        return tuple(np.float32(c[i] + d[row + i // 2 * 8, column + i % 2]) for i in range(4))

    return product


def load_matrix(place, index):
    rows = exchange(spot(place, index, 4), "ldmatrix")
    lane = getcurrent().lane
    found = [rows[8 * matrix + lane // 4] for matrix in range(4)]
    return tuple(int(array.view(np.int32)[at + lane % 4]) for array, at in found)


def copy4(to, to_index, source, index, wanted):
    array, at = spot(source, index, 4) if wanted else (np.zeros(4, "f4"), 0)
    getcurrent().copies.append((*spot(to, to_index, 4), array[at : at + 4].copy()))


def copies_commit():
    thread = getcurrent()
    thread.groups.append(thread.copies)
    thread.copies = []


def waiting_for_all_but(left):
    def wait():
        groups = getcurrent().groups
        while len(groups) > left:
            for to, at, values in groups.pop(0):
                to[at : at + 4] = values

    return wait


class Address:
    """Floats at an address of this process, without bounds."""

    size = 1 << 40

    def __init__(self, address):
        self.address = int(address)

    def __getitem__(self, i):
        return np.float32(ctypes.c_float.from_address(self.address + 4 * i).value)

    def __setitem__(self, i, value):
        ctypes.c_float.from_address(self.address + 4 * i).value = value


NAMES = {
    "cuda": Cuda(),
    "float32": float32,
    "float64": float64,
    "int32": int32,
    "int64": int64,
    "uint32": uint32,
    "uint64": uint64,
    "load": load,
    "store": store,
    "load2": wide_load(2),
    "load4": wide_load(4),
    "store2": wide_store(2),
    "store4": wide_store(4),
    "load_bits": load_bits,
    "bits": bits,
    "floating": floating,
    "inside": lambda i, n: 0 <= i < n,
    "floats_at": lambda addresses, index: Address(load(addresses, index)),
    "ahead": Ahead,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "mma_tf32": tensor_product(fragments_tf32, 8),
    "mma_bf16": tensor_product(fragments_bf16, 16),
    "pack_bf16": pack_bf16,
    "load_matrix": load_matrix,
    "copy4": copy4,
    "copies_commit": copies_commit,
    "copies_wait_all": waiting_for_all_but(0),
    "copies_wait_but_one": waiting_for_all_but(1),
}

_functions = {}


def launch(kernel, configuration, *arguments):
    """What `cuda_jit.launch` does, on arrays of `fake_cupy`."""
    grid, threads = configuration
    sizes = Dim(grid if isinstance(grid, tuple) else (grid,))
    if threads > kernel.threads:
        raise ValueError(f"{kernel}: {threads} threads a block, more than its launch bounds of {kernel.threads}")
    if not sizes.x * sizes.y * sizes.z:
        return
    if kernel not in _functions:
        _functions[kernel] = kernel.function(NAMES, wrap=lambda function: function)
    values = [_argument(kernel, *pair) for pair in zip(kernel.arguments, arguments, strict=True)]
    with np.errstate(all="ignore"):
        for z in range(sizes.z):
            for y in range(sizes.y):
                for x in range(sizes.x):
                    Block(_functions[kernel], values, Dim((x, y, z)), sizes, threads)


def _argument(kernel, kind, value):
    found = re.fullmatch(cuda_arguments.KIND, kind)
    if found["axes"]:
        return value.memory
    if not found["pointer"] and kind[0] in "iu" and type(value) is not int:
        raise TypeError(f"{kernel}: wants an integer, got {value!r}, whose bytes a launch would pass as they are")
    if not found["pointer"]:
        return {"f4": float32, "f8": float64, "i4": int32, "i8": int64, "u4": uint32}[kind](value)
    array, wanted = value.memory, np.dtype(found["element"]).name
    if not array.flags.c_contiguous or (array.dtype != wanted and (wanted, array.dtype.name) != ("uint8", "bool")):
        raise TypeError(f"{kernel}: wants contiguous {wanted}, got {array.dtype} with strides {array.strides}")
    flat = array.reshape(-1)
    if array.ctypes.data % 16:
        crooked[id(flat)] = flat
    return flat


@contextlib.contextmanager
def emulated():
    """Kernels run here instead of on a card."""
    kept, cuda_jit.launch = cuda_jit.launch, launch
    try:
        yield
    finally:
        cuda_jit.launch = kept
