"""The only module that compiles, keeps and launches kernels for NVIDIA cards.

numba-cuda turns a kernel into PTX, nvJitLink turns that into the card's machine code, which is kept on disk, and
cuda.core launches it with pointers. None of this needs a card, but the launch. Importing this module costs nothing.
"""

import functools
import hashlib
import importlib
import importlib.metadata
import re
import types
from collections.abc import Callable
from ctypes import c_float
from pathlib import Path
from typing import Any, NamedTuple

from kerasish.device import cache, extras, waiting
from kerasish.device.cuda_source import specialized

POINTERS = {"F": "float32", "I": "int32", "L": "int64", "U": "uint8", "D": "float64"}
NUMBERS = {"i": "int32", "l": "int64", "u": "uint32", "f": "float32"}
POINTER, INTEGER, FLOAT = range(3)  # how an argument is passed: of an integer the card takes the lower bytes
PACKAGES = (
    "numba-cuda",
    "cuda-core",
    "nvidia-nvvm",
    "nvidia-nvjitlink",
    "nvidia-cuda-nvcc-cu12",
    "nvidia-nvjitlink-cu12",
)

kernels: list["Kernel"] = []
_streams: dict[int, Any] = {}


class Compiled(NamedTuple):
    """Machine code, and what it takes of a multiprocessor."""

    cubin: bytes
    registers: int
    spilled: int
    stack: int
    shared: int


class Template:
    """A function with constants left open; `template(name, threads, ...)` fills them in and gives a `Kernel`."""

    def __init__(self, function: Callable, arguments: str):
        self.function, self.arguments = function, arguments.replace(" ", "")
        self.kinds = tuple(
            POINTER if letter in POINTERS else FLOAT if letter == "f" else INTEGER for letter in self.arguments
        )

    def __call__(self, name: str, threads: int, resident: int = 1, capability=(7, 5), **constants: Any) -> "Kernel":
        """A kernel of `threads` threads a block, `resident` blocks of which shall fit on a multiprocessor."""
        return Kernel(self, name, threads, resident, capability, constants)


def template(arguments: str) -> Callable[[Callable], Template]:
    """Mark a kernel; a letter an argument: F I L U D point to floats, ints, longs, bytes, doubles; i l u f: numbers."""
    return lambda function: Template(function, arguments)


def device(function: Callable) -> Callable:
    """Mark a function that kernels call; the constants of the kernel are written into it too."""
    function.on_device = True
    return function


class Kernel:
    """A kernel with its constants, compiled for a card when it is first launched there."""

    def __init__(self, source: Template, name: str, threads: int, resident: int, capability: tuple, constants: dict):
        self.source, self.name, self.threads, self.resident = source, name, threads, resident
        self.capability, self.constants = capability, constants
        self.loaded: dict[int, Any] = {}
        kernels.append(self)

    def __call__(self, grid: tuple[int, ...], *arguments: Any) -> None:
        """Launch over `grid` blocks; arrays stand for their pointers."""
        if all(grid):
            launch(self, grid, arguments)

    def function(self, names: dict[str, Any] | None = None, wrap: Callable | None = None) -> Callable:
        """The function to compile. `names` go over its globals, `wrap` around the functions that it calls."""
        made = specialized(self.source.function, self.constants, {})
        return _linked(made, self.constants, names or {}, wrap or _device_function)

    def __repr__(self) -> str:
        return f"<CUDA kernel {self.name}>"


def _linked(function: Callable, constants: dict, names: dict, wrap: Callable) -> Callable:
    """The function with the functions that it calls made ready in its globals."""
    scope = function.__globals__
    scope.update({name: value for name, value in names.items() if name in function.__code__.co_names})
    for name in function.__code__.co_names:
        called = scope.get(name)
        if getattr(called, "on_device", False):
            scope[name] = wrap(_linked(specialized(called, constants, {}), constants, names, wrap))
    return function


def _device_function(function: Callable) -> Callable:
    return _numba_cuda().jit(device=True)(function)


def require() -> None:
    """Raises:
    ImportError: if the packages that compile and launch kernels are not there, saying how to get them.
    """
    _numba_cuda()


@functools.cache
def _numba_cuda() -> Any:
    """numba-cuda; the `numba.cuda` that comes with Numba itself is another, deprecated one."""
    import numpy as np

    if not hasattr(np, "row_stack"):  # numba-cuda up to 0.30.4 looks for it; NumPy 2.5 has dropped it
        np.row_stack = np.vstack
    try:
        from numba import cuda

        importlib.import_module("cuda.core")
        found = getattr(cuda, "implementation", None) == "NVIDIA"
    except ImportError as error:
        raise ImportError(f"CUDA kernels need numba-cuda and cuda-core: {extras.install('cuda')} ({error})") from error
    if not found:
        raise ImportError(f"CUDA kernels need the package numba-cuda, which is not installed: {extras.install('cuda')}")
    return cuda


def ptx(kernel: Kernel) -> str:
    """The kernel as PTX for the least card that it runs on, its entry having the kernel's name."""
    cuda = _numba_cuda()
    dispatcher = importlib.import_module("numba.cuda.dispatcher")
    numba_types = importlib.import_module("numba.cuda.types")
    kinds = [_numba_type(numba_types, letter) for letter in kernel.source.arguments]
    kept = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: types.SimpleNamespace(compute_capability=kernel.capability, id=0)
    try:
        bounds = (kernel.threads, kernel.resident)
        options = {"cc": kernel.capability, "device": False, "abi": "numba", "output": "ptx", "launch_bounds": bounds}
        text, _ = cuda.compile(kernel.function(), numba_types.void(*kinds), **options)
    finally:
        dispatcher.get_current_device = kept
    entry = re.search(r"\.visible \.entry (\w+)\(", text)[1]
    return text.replace(entry, kernel.name)


def _numba_type(numba_types: Any, letter: str) -> Any:
    if letter in POINTERS:
        return numba_types.CPointer(getattr(numba_types, POINTERS[letter]))
    return getattr(numba_types, NUMBERS[letter])


def architecture(capability: tuple[int, int]) -> str:
    """(9, 0) as "sm_90"."""
    return f"sm_{capability[0]}{capability[1]}"


def link(text: str, capability: tuple[int, int]) -> Compiled:
    """The machine code of a piece of PTX for a card."""
    from cuda.core import Linker, LinkerOptions, ObjectCode

    options = LinkerOptions(arch=architecture(capability), ptxas_options=["-v"], verbose=True)
    linker = Linker(ObjectCode.from_ptx(text.encode()), options=options)
    code, log = linker.link("cubin").code, linker.get_info_log()
    figure = lambda pattern: int((re.search(pattern, log) or (0, 0))[1])
    patterns = (
        r"Used (\d+) registers",
        r"(\d+) bytes spill stores",
        r"(\d+) bytes stack frame",
        r"(\d+) bytes smem",
    )
    return Compiled(bytes(code), *map(figure, patterns))


def cubin(kernel: Kernel, capability: tuple[int, int]) -> bytes:
    """The kernel's machine code, from the disk if it has been compiled before."""
    key, name = f"cuda-{cache_key()}", f"{kernel.name}-{architecture(capability)}"
    code = cache.load(key, name)
    if code is None:
        waiting.expect([name])
        with waiting.waiting(key):
            code = link(ptx(kernel), capability).cubin
        cache.save(key, name, code)
        waiting.done(name)
    return code


@functools.cache
def cache_key() -> str:
    """What must change when machine code would: the sources of the kernels, the versions of the compilers."""
    digest = hashlib.sha256(repr([_version(package) for package in PACKAGES]).encode())
    package = Path(__file__).parent.parent
    for path in sorted([*(package / "kernels" / "cuda").glob("*.py"), *(package / "device").glob("cuda_*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def launch(kernel: Kernel, grid: tuple[int, ...], arguments: tuple) -> None:
    """Run a kernel on the card and the stream that CuPy uses now."""
    import cupy
    from cuda.core import launch as start

    card = cupy.cuda.runtime.getDevice()
    loaded = kernel.loaded.get(card) or _load(kernel, card)
    values = [
        argument.data.ptr if kind is POINTER else argument if kind is INTEGER else c_float(argument)
        for kind, argument in zip(kernel.source.kinds, arguments, strict=True)
    ]
    start(_stream(cupy.cuda.get_current_stream().ptr), _config(grid, kernel.threads), loaded, *values)


@functools.lru_cache(4096)
def _config(grid: tuple[int, ...], threads: int) -> Any:
    from cuda.core import LaunchConfig

    return LaunchConfig(grid=grid, block=threads)


def _load(kernel: Kernel, card: int) -> Any:
    from cuda.core import Device, ObjectCode

    device = Device(card)
    device.set_current()
    capability = tuple(device.compute_capability)
    code = ObjectCode.from_cubin(cubin(kernel, capability))
    kernel.loaded[card] = code.get_kernel(kernel.name)
    return kernel.loaded[card]


def _stream(handle: int) -> Any:
    """cuda.core's name for a stream of CuPy's; 0 is the default stream."""
    if handle not in _streams:
        core = importlib.import_module("cuda.core")
        _streams[handle] = core.Stream.from_handle(handle) if handle else core.Device().default_stream
    return _streams[handle]
