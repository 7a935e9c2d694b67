"""A stand-in for CuPy over NumPy: as strict as CuPy about what lies on the card and what does not.

Where CuPy is installed (it needs no card for that), a name that it lacks is an AttributeError here too, an argument
that it does not take a TypeError, and the dtypes of results are those of its loops: see `real_cupy`.
"""

import contextlib
import functools
import math
import sys
import types

import numpy as np

from kerasish.device import cuda
from tests.kernels.cuda import real_cupy as real

moved = []  # copies from the host and to it: the direction, how many elements
FLAGS = ("c_contiguous", "f_contiguous", "owndata", "forc", "fnc")
HELD = "?bhilqBHILQefdFDE"  # characters of the dtypes that a card can hold


class Card(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on the pretended card. Never mixes with NumPy's arrays, and never becomes one silently."""

    def __init__(self, memory):
        if memory.dtype.char not in HELD:
            raise ValueError(f"Unsupported dtype {memory.dtype}")
        self.memory = memory

    def copy(self, order="C"):
        return Card(aligned(self.memory))

    def get(self, stream=None, order="C", out=None, blocking=True):
        moved.append(("down", self.memory.size))
        return self.memory.copy()

    def item(self):
        return self.get().item()

    def tolist(self):
        return self.get().tolist()

    def tobytes(self, order="C"):
        return self.get().tobytes(order)

    @property
    def data(self):
        return types.SimpleNamespace(ptr=self.memory.ctypes.data)

    @property
    def device(self):
        return types.SimpleNamespace(id=0)

    @property
    def flags(self):
        return types.SimpleNamespace(**{name: getattr(self.memory.flags, name) for name in FLAGS})

    @property
    def __cuda_array_interface__(self):
        return self.memory.__array_interface__

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__":
            return NotImplemented
        if len(options.get("out", ())) == 1:
            options["out"] = options["out"][0]
        return getattr(cupy(), ufunc.__name__)(*inputs, **options)

    def __array_function__(self, function, kinds, args, options):
        if any(kind not in (Card, np.ndarray) for kind in kinds):
            return NotImplemented
        found = functools.reduce(getattr, function.__module__.split(".")[1:], cupy())
        return getattr(found, function.__name__)(*args, **options)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if real.package():
            real.check_attribute(name)
        found = getattr(self.memory, name)
        return functools.partial(self._method, name) if callable(found) else up(found)

    def _method(self, name, *args, **options):
        if real.package():
            real.check_method(name, args, options)
        return up(getattr(self.memory, name)(*map(down, args), **{k: down(v) for k, v in options.items()}))

    def __getitem__(self, index):
        return up(self.memory[down(index)])

    def __setitem__(self, index, value):
        if not isinstance(value, (Card, *real.SCALARS)):
            raise TypeError(f"{type(value)} cannot be put into an array on the card")
        if isinstance(value, Card) and value.size > 1:
            self._refuse_duplicates(index)
        self.memory[down(index)] = down(value)

    def _refuse_duplicates(self, index):
        """Where an index names an element twice, which value it gets is not defined on a card."""
        if any(isinstance(i, (Card, list)) for i in (index if isinstance(index, tuple) else (index,))):
            places = np.arange(self.memory.size).reshape(self.memory.shape)[down(index)]
            if np.unique(places).size != places.size:
                raise IndexError("an index with duplicates: on a card, any of the values may win")

    def __len__(self):
        return len(self.memory)

    def __bool__(self):
        return bool(self.get())

    def __int__(self):
        return int(self.get())

    def __float__(self):
        return float(self.get())

    def __complex__(self):
        return complex(self.get())

    def __iter__(self):
        if not self.memory.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self.memory)))

    def __repr__(self):
        return repr(self.get())

    def __format__(self, spec):
        return format(self.get(), spec)

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce__(self):
        return restored, (self.get(),)


def restored(array):
    """What a pickled array becomes."""
    return cupy().array(array)


def cupy():
    """The module that pretends to be CuPy."""
    return sys.modules["cupy"]


def is_card(x):
    return isinstance(x, Card)


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
    if isinstance(x, tuple):  # NumPy names the parts of some
        return tuple(map(up, x))
    return list(map(up, x)) if type(x) is list else x


def aligned(a):
    """A copy that begins at a multiple of 512 bytes, as CuPy's memory does."""
    memory = np.empty(a.nbytes + 512, np.uint8)
    start = -memory.ctypes.data % 512
    out = memory[start : start + a.nbytes].view(a.dtype).reshape(a.shape)
    out[...] = a
    return out


class Function:
    """A function of CuPy's, computed by NumPy's of the same name."""

    def __init__(self, path):
        self.path, self.__name__ = path, path.rpartition(".")[2]
        self.numpy = functools.reduce(getattr, path.split("."), np)

    def __call__(self, *args, **options):
        if real.package():
            real.check_call(self.path, args, options, is_card)
        return up(self.numpy(*map(down, args), **{k: down(v) for k, v in options.items()}))


class Ufunc:
    """An elementwise function: operands and dtypes as the loops of CuPy's have them."""

    SCATTERED = {"add": "iefdIQ", "maximum": "ifdIQ", "minimum": "ifdIQ"}  # dtypes that its atomics know

    def __init__(self, name, compute, loops):
        self.__name__, self.compute, self.loops = name, compute, loops

    def __call__(self, *args, **options):
        inputs = args[: self.loops.nin]
        real.check_operands(self.__name__, inputs, options, is_card)
        found = real.loop(self.loops, inputs, options.get("dtype"))
        result = self.compute(*map(down, args), **{k: down(v) for k, v in options.items()})
        if options.get("out") is not None or len(args) > self.loops.nin:
            return options.get("out", args[-1])
        several = isinstance(result, tuple)
        results = [up(np.asarray(part).astype(dtype)) for part, dtype in zip(result if several else [result], found)]
        return tuple(results) if several else results[0]

    def at(self, array, index, values):
        if array.dtype.char.replace("L", "Q") not in self.SCATTERED.get(self.__name__, ""):
            raise TypeError(f"`{self.__name__}.at` does not support {array.dtype}")
        with np.errstate(invalid="ignore"):  # NaN, of which a card says nothing
            getattr(np, self.__name__).at(array.memory, down(index), down(values))


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


RUNTIME = {
    "getDeviceCount": lambda: 1,
    "getDevice": lambda: 0,
    "deviceSynchronize": lambda: None,
    "memGetInfo": lambda: (12 << 20, 16 << 20),
    "getDeviceProperties": lambda index: {"name": b"Pretended", "multiProcessorCount": 4, "major": 9, "minor": 0},
}


class Names(types.ModuleType):
    """A module of CuPy's: functions are NumPy's, over `Card` arrays."""

    def __init__(self, name):
        super().__init__(name)
        self.prefix = name.partition(".")[2] + "." * ("." in name)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        path = self.prefix + name
        same = real.namesake(path) if real.package() else None
        found = functools.reduce(getattr, path.split("."), np)
        if isinstance(found, types.ModuleType):
            found = Names("cupy." + path)
        elif real.is_ufunc(same):
            found = Ufunc(name, found, same)
        elif callable(found) and not isinstance(found, type):
            found = Function(path)
        setattr(self, name, found)
        return found


class Core:
    """`cupy._core`: how BLAS multiplies, by dtype, and what was set."""

    def __init__(self):
        self.types, self.history = {"float32": 1}, []

    def get_compute_type(self, dtype):
        return self.types[dtype]

    def set_compute_type(self, dtype, compute_type):
        self.types[dtype] = compute_type
        self.history.append(compute_type)


class Module(Names):
    """`cupy`."""

    ndarray = Card

    def __init__(self):
        super().__init__("cupy")
        self.pool, self.current, self._core = Pool(), 0, Core()
        self.cuda = types.SimpleNamespace(
            Device=lambda index=None: contextlib.nullcontext(),
            memory=types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            runtime=types.SimpleNamespace(**RUNTIME),
        )

    def get_default_memory_pool(self):
        return self.pool

    def asarray(self, a, dtype=None, order=None, *, copy=None, blocking=False):
        if isinstance(a, Card) and dtype in (None, a.dtype):
            return a
        return self.array(a, dtype)

    def array(self, obj, dtype=None, copy=True, order="K", ndmin=0):
        if isinstance(obj, (list, tuple)) and obj and all(map(is_card, obj)):
            obj = self.stack(obj)
        if not isinstance(obj, Card):
            obj = np.asarray(obj)
            moved.append(("up", obj.size))
        made = Card(np.array(getattr(obj, "memory", obj), dtype, ndmin=ndmin))
        return made.copy()

    def asnumpy(self, a):
        return a.get() if isinstance(a, Card) else np.asarray(a)

    def ascontiguousarray(self, a, dtype=None):
        same = a.memory.flags.c_contiguous and dtype in (None, a.dtype)
        return a if same else Card(aligned(a.memory.astype(dtype or a.dtype)))

    def empty(self, shape, dtype=float, order="C"):
        return Card(aligned(np.full(shape, 123, dtype)))

    def where(self, condition, x=None, y=None):
        if x is None:
            return condition.nonzero()
        choose = Function("where").numpy
        if not real.package():
            return up(choose(*map(down, (condition, x, y))))
        chosen = Ufunc("where", choose, real.namesake("_sorting.search._where_ufunc"))
        return chosen(condition.astype("?", copy=False), x, y)

    def may_share_memory(self, a, b):
        return np.may_share_memory(a.memory, b.memory)


def special():
    """`cupyx.scipy.special`: what of it is used."""
    module = types.ModuleType("cupyx.scipy.special")
    for name in ("erf", "erfc"):
        compute = np.frompyfunc(getattr(math, name), 1, 1)
        setattr(module, name, lambda x, compute=compute: Card(np.asarray(compute(x.memory)).astype(x.dtype)))
    return module


@contextlib.contextmanager
def installed():
    """`import cupy` finds the stand-in."""
    real.package()
    names = {"cupy": Module(), **real.stand_ins(special())}
    kept, driver = {name: sys.modules.get(name) for name in names}, cuda.driver
    sys.modules.update(names)
    cuda.driver = lambda: True
    try:
        yield names["cupy"]
    finally:
        cuda.driver = driver
        for name, module in kept.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
