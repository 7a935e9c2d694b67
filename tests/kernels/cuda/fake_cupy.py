"""A stand-in for CuPy over NumPy: as strict as CuPy about what lies on the card and what does not."""

import contextlib
import sys
import types

import numpy as np

from kerasish.device import cuda

moved = []  # copies from the host and to it: the direction, how many elements


class Card(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on the pretended card. Never mixes with NumPy's arrays, and never becomes one silently."""

    def __init__(self, memory):
        self.memory = memory

    def copy(self):
        return Card(aligned(self.memory))

    def get(self):
        moved.append(("down", self.memory.size))
        return self.memory.copy()

    def item(self):
        moved.append(("down", self.memory.size))
        return self.memory.item()

    @property
    def data(self):
        return types.SimpleNamespace(ptr=self.memory.ctypes.data)

    @property
    def device(self):
        return types.SimpleNamespace(id=0)

    @property
    def __cuda_array_interface__(self):
        return self.memory.__array_interface__

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        result = getattr(ufunc, method)(*map(down, inputs), **{k: down(v) for k, v in options.items()})
        return options["out"][0] if options.get("out") else up(result)

    def __array_function__(self, function, kinds, args, options):
        return wrapped(function)(*args, **options)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.memory, name)
        return wrapped(found) if callable(found) else up(found)

    def __getitem__(self, index):
        return up(self.memory[down(index)])

    def __setitem__(self, index, value):
        self.memory[down(index)] = down(value)

    def __len__(self):
        return len(self.memory)

    def __bool__(self):
        return bool(self.item())

    def __int__(self):
        return int(self.item())

    def __float__(self):
        return float(self.item())

    def __index__(self):
        return self.memory.__index__()

    def __iter__(self):
        return (self[i] for i in range(len(self.memory)))


def down(x):
    """What NumPy computes with; a NumPy array is refused, as CuPy does."""
    if isinstance(x, Card):
        return x.memory
    if isinstance(x, np.ndarray):
        raise TypeError(f"Unsupported type {type(x)}: an array of {x.shape} on the host among arrays on the card")
    if isinstance(x, (tuple, list)):
        return type(x)(map(down, x))
    return x


def up(x):
    if isinstance(x, (np.ndarray, np.generic)):
        return Card(np.asarray(x))
    return type(x)(map(up, x)) if type(x) in (tuple, list) else x


def wrapped(function):
    return lambda *args, **options: up(function(*map(down, args), **{k: down(v) for k, v in options.items()}))


def aligned(a):
    """A copy that begins at a multiple of 512 bytes, as CuPy's memory does."""
    memory = np.empty(a.nbytes + 512, np.uint8)
    start = -memory.ctypes.data % 512
    out = memory[start : start + a.nbytes].view(a.dtype).reshape(a.shape)
    out[...] = a
    return out


class Pool:
    """CuPy's memory pool, as far as it is used."""

    freed, used, total, limit = 0, 3 << 20, 4 << 20, 0

    def free_all_blocks(self):
        self.freed += 1

    def used_bytes(self):
        return self.used

    def total_bytes(self):
        return self.total


class OutOfMemoryError(MemoryError):
    """CuPy's `cuda.memory.OutOfMemoryError`."""


class Module(types.ModuleType):
    """`cupy`: functions are NumPy's, over `Card` arrays."""

    ndarray = Card

    def __init__(self):
        super().__init__("cupy")
        self.pool, self.current = Pool(), 0
        self.cuda = types.SimpleNamespace(
            Device=lambda index=None: contextlib.nullcontext(),
            memory=types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            runtime=types.SimpleNamespace(
                getDeviceCount=lambda: 1,
                getDevice=lambda: 0,
                memGetInfo=lambda: (12 << 20, 16 << 20),
                getDeviceProperties=lambda index: {
                    "name": b"Pretended",
                    "multiProcessorCount": 4,
                    "major": 9,
                    "minor": 0,
                },
            ),
        )

    def get_default_memory_pool(self):
        return self.pool

    def asarray(self, x, dtype=None):
        array = x.memory if isinstance(x, Card) else np.asarray(x)
        if not isinstance(x, Card):
            moved.append(("up", array.size))
        if isinstance(x, Card) and dtype in (None, array.dtype):
            return x
        return Card(aligned(np.asarray(array, dtype)))

    def array(self, x, dtype=None):
        return Card(aligned(np.array(x.memory if isinstance(x, Card) else x, dtype)))

    def asnumpy(self, x):
        return x.get() if isinstance(x, Card) else np.asarray(x)

    def ascontiguousarray(self, x):
        return x if x.memory.flags.c_contiguous else Card(aligned(x.memory))

    def empty(self, shape, dtype="float32"):
        return Card(aligned(np.full(shape, 123, dtype)))

    def may_share_memory(self, a, b):
        return np.may_share_memory(a.memory, b.memory)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(np, name)
        return wrapped(found) if callable(found) and not isinstance(found, type) else found


@contextlib.contextmanager
def installed():
    """`import cupy` finds the stand-in."""
    kept, module, driver = sys.modules.get("cupy"), Module(), cuda.driver
    sys.modules["cupy"], cuda.driver = module, lambda: True
    try:
        yield module
    finally:
        cuda.driver = driver
        if kept is None:
            del sys.modules["cupy"]
        else:
            sys.modules["cupy"] = kept
