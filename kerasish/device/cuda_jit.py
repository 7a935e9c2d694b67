"""Kernels for NVIDIA cards, in Numba's words: `@cuda.jit`, `@cuda.jit(device=True)`, `kernel[grid, block](x, y, n)`.

    @cuda.jit("void(CPointer(f4), CPointer(f4), i4)", launch_bounds=THREADS)
    def _double(x, y, n): ...

    _double[blocks(n, THREADS), THREADS](x, y, n)

The signature says what a launch hands over, here of each array its address (`cuda_arguments.py`); without one, types
are those of the arguments that come. `kernel.specialize(name, KIND=2)` is the kernel with constants written in
(`cuda_source.py`). Two engines run the same source. By default a kernel's machine code (`cuda_code.py`) is kept on disk
and launched by cuda.core. With KERASISH_ENGINE=numba, plain `numba.cuda.jit` compiles and launches it
(`cuda_plain.py`), or Numba's simulator runs it. Importing this module costs nothing.
"""

import functools
import importlib
import inspect
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from kerasish.device import cache, cuda_arguments, extras, waiting
from kerasish.device.cuda_code import architecture, cache_key, link, numba_cuda, ptx, simulated
from kerasish.device.cuda_code import require as require
from kerasish.device.cuda_source import outside, specialized
from kerasish.device.cuda_source import unroll as unroll
from kerasish.device.fingerprint import fingerprint

_made: list["Kernel"] = []
_streams: dict[int, Any] = {}
_refusals: list[Exception] = []


class Device:
    """A function that kernels call; the constants of the kernel are written into it, too."""

    def __init__(self, function: Callable):
        self.function = function
        functools.update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        """Run as plain Python."""
        return self.function(*arguments)


class Intrinsic:
    """LLVM IR or assembly: `function(typing context, *types) -> (signature, codegen)`, as Numba wants it."""

    def __init__(self, function: Callable, fallback: Callable | None):
        self.function, self.fallback = function, fallback
        functools.update_wrapper(self, function)

    @functools.cached_property
    def meaning(self) -> Any:
        """What the name stands for to numba-cuda; to its simulator, Python.

        Raises:
            NotImplementedError: in the simulator, if Python has no word for it.
        """
        if simulated():
            if self.fallback is None:
                raise NotImplementedError(f"{self.__name__} is assembly, which Numba's simulator cannot run")
            return self.fallback
        return importlib.import_module("numba.cuda.extending").intrinsic(self.function)


def intrinsic(fallback: Callable | None = None) -> Callable[[Callable], Intrinsic]:
    """Decorate an intrinsic; `fallback` is what it does, in Python, if that can be said."""
    return lambda function: Intrinsic(function, fallback)


class Kernel:
    """What `@cuda.jit` makes of a function: compiled for a card when it is first launched there.

    Args:
        function: The kernel.
        arguments: The types of its arguments, as in Numba's signatures.
        options: `launch_bounds`, `fastmath`, and `cc`, the least compute capability that it runs on.
        constants: What is written in: numbers, and functions that stand for others of that name.
        name: The name of its machine code.
    """

    def __init__(self, function: Callable, arguments: tuple[str, ...], options: dict, constants: dict, name: str):
        self.source, self.arguments, self.options, self.constants = function, arguments, options, constants
        self.name, self.capability = name, options["cc"]
        self.threads, self.resident = options["launch_bounds"] or (1024, 1)
        self.passed = tuple(map(cuda_arguments.passing, arguments))
        self.flat = cuda_arguments.words not in self.passed  # whether each argument is one of the card's
        self.loaded: dict[Any, Any] = {}
        functools.update_wrapper(self, function)
        _made.append(self)

    def specialize(self, name: str, launch_bounds: int | tuple[int, int] | None = None, **constants: Any) -> "Kernel":
        """The kernel with more constants written in, and perhaps other launch bounds, under another name."""
        options = _options(self.options, launch_bounds)
        return Kernel(self.source, self.arguments, options, {**self.constants, **constants}, name)

    def __getitem__(self, configuration: tuple) -> Callable:
        """The kernel to be launched over (grid, threads of a block), on the stream that CuPy uses now."""
        return functools.partial(launch, self, configuration)

    def function(self, names: dict[str, Any] | None = None, wrap: Callable | None = None) -> Callable:
        """The function to compile: `names` go over its globals, `wrap` around the functions that it calls."""
        return _linked(self.source, self.constants, names or {}, wrap or _device_function)

    def called(self) -> Iterator[tuple[str, Any]]:
        """All that it and the functions that it calls name: pairs of a name and what that means, if anything."""
        seen, left = set(), [self.source]
        while left:
            for name, value in outside(left.pop(), self.constants).items():
                yield name, value
                if isinstance(value, Device) and value not in seen:
                    seen.add(value)
                    left.append(value.function)

    def __repr__(self) -> str:
        return f"<CUDA kernel {self.name}>"


def kernels() -> list[Kernel]:
    """All kernels of this package's imported modules that leave no constant open."""
    ours = [kernel for kernel in _made if kernel.__module__.startswith("kerasish.")]
    return [kernel for kernel in ours if all(value is not None for _, value in kernel.called())]


class Untyped:
    """A kernel without a signature: for each set of types that comes, a `Kernel`, as in Numba."""

    def __init__(self, function: Callable, options: dict, constants: dict, name: str):
        self.source, self.options, self.constants, self.name = function, options, constants, name
        self.typed: dict[tuple[str, ...], Kernel] = {}
        functools.update_wrapper(self, function)

    def specialize(self, name: str, launch_bounds: int | tuple[int, int] | None = None, **constants: Any) -> "Untyped":
        """As `Kernel.specialize`."""
        return Untyped(self.source, _options(self.options, launch_bounds), {**self.constants, **constants}, name)

    def __getitem__(self, configuration: tuple) -> Callable:
        """As of a `Kernel`."""
        return lambda *arguments: self.kernel(*arguments)[configuration](*arguments)

    def kernel(self, *arguments: Any) -> Kernel:
        """The kernel for arguments such as these."""
        kinds = tuple(map(cuda_arguments.kind_of, arguments))
        if kinds not in self.typed:
            name = "_".join([self.name, *map(cuda_arguments.word_of, kinds)])
            self.typed[kinds] = Kernel(self.source, kinds, self.options, self.constants, name)
        return self.typed[kinds]


class Cuda:
    """`numba.cuda`, imported when a kernel is compiled; its `jit` is this library's."""

    def __init__(self) -> None:
        self.__qualname__, self.py_func, self.function = "cuda", None, None  # what `fingerprint` asks of everything

    @staticmethod
    def jit(
        signature: str | Callable | None = None,
        *,
        device: bool = False,
        launch_bounds: int | tuple[int, int] | None = None,
        fastmath: bool = False,
        cc: tuple[int, int] = (7, 5),
    ) -> Any:
        """Mark a kernel, or a function that kernels call.

        Args:
            signature: The types of a kernel's arguments, "void(CPointer(f4), f4[:, ::1], i4)", in Numba's grammar.
                Without one they are those of the arguments that come: an int is an i8, a float an f8.
            device: Whether it is a function that kernels call.
            launch_bounds: How many threads a block has at most, and how many blocks shall fit on a multiprocessor.
            fastmath: Whether floats may be computed less exactly, as in Numba.
            cc: The least compute capability that it runs on.

        Raises:
            TypeError: if there is something else in a signature, or anything is said of a device function: its types
                and options are those of the kernel that calls it.
        """
        given = inspect.isfunction(signature)
        if device:
            if (signature and not given) or launch_bounds or fastmath:
                raise TypeError("@cuda.jit(device=True): types and options are those of the kernel that calls it")
            return Device(signature) if given else Device
        options, name = _options({"fastmath": fastmath, "cc": cc}, launch_bounds), lambda f: f.__name__.lstrip("_")
        if given:
            return Untyped(signature, options, {}, name(signature))
        if signature is None:
            return lambda function: Untyped(function, options, {}, name(function))
        arguments = cuda_arguments.parsed(signature)
        return lambda function: Kernel(function, arguments, options, {}, name(function))

    @property
    def meaning(self) -> Any:
        """What the name stands for when a kernel is compiled."""
        return numba_cuda()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # of those that look at any object
            raise AttributeError(name)
        return getattr(numba_cuda(), name)


cuda = Cuda()


def _options(options: dict, launch_bounds: int | tuple[int, int] | None) -> dict:
    """The options, with other launch bounds if any are given."""
    bounds = (launch_bounds, 1) if isinstance(launch_bounds, int) else launch_bounds
    return {**options, "launch_bounds": bounds or options.get("launch_bounds")}


def _linked(function: Callable, constants: dict, names: dict, wrap: Callable) -> Callable:
    """The function with constants written in, and with what it calls made ready in its globals."""
    made = specialized(function, constants)
    scope = made.__globals__
    for name, value in outside(made, {}).items():
        if name in names:
            scope[name] = names[name]
        elif isinstance(value, Device):
            scope[name] = wrap(_linked(value.function, constants, names, wrap))
        elif isinstance(value, Cuda | Intrinsic):
            scope[name] = value.meaning
    return made


def _device_function(function: Callable) -> Callable:
    return numba_cuda().jit(device=True)(function)


def cubin(kernel: Kernel, capability: tuple[int, int]) -> bytes:
    """The kernel's machine code, from the disk if it has been compiled before."""
    key, name = f"cuda-{cache_key()}", "-".join([kernel.name, *_stamp(kernel), architecture(capability)])
    code = cache.load(key, name)
    if code is None:
        waiting.expect([name])
        with waiting.waiting(key):
            code = link(ptx(kernel), capability).cubin
        cache.save(key, name, code)
        waiting.done(name)
    return code


def _stamp(kernel: Kernel) -> list[str]:
    """What names must hold of a kernel that the cache's key does not cover: nothing for this package's own."""
    if kernel.__module__.startswith("kerasish."):
        return []
    inner = lambda value: fingerprint(value.function) if isinstance(value, Device | Intrinsic) else value
    constants = sorted((name, inner(value)) for name, value in kernel.constants.items())
    return [fingerprint(kernel.source, constants, kernel.arguments, kernel.options)]


def launch(kernel: Kernel, configuration: tuple, *arguments: Any) -> None:
    """Run a kernel over (grid, threads of a block), on the card and the stream that CuPy uses now."""
    if plain():
        return _launch_plainly(kernel, configuration, arguments)
    config = _config(*configuration)
    if config is None:
        return None
    import cupy
    from cuda.core import launch as start

    card = cupy.cuda.runtime.getDevice()
    loaded = kernel.loaded.get(card) or _load(kernel, card)
    if loaded is None:
        return _launch_plainly(kernel, configuration, arguments)
    values = [
        argument.data.ptr if how == "pointer" else argument if how is None else how(argument)
        for how, argument in zip(kernel.passed, arguments, strict=True)
    ]
    if not kernel.flat:
        values = [word for value in values for word in (value if type(value) is tuple else (value,))]
    start(_stream(cupy.cuda.get_current_stream().ptr), config, loaded, *values)
    return None


def _launch_plainly(kernel: Kernel, configuration: tuple, arguments: tuple) -> None:
    from kerasish.device import cuda_plain

    cuda_plain.launch(kernel, configuration, arguments)


@functools.cache
def plain() -> bool:
    """Whether plain numba-cuda runs the kernels."""
    from kerasish.device.engines import engine

    engine()  # refuses an unknown one; that the CPU's compiler has failed says nothing of cards
    return bool(_refusals) or simulated() or os.environ.get("KERASISH_ENGINE") == "numba"


def engine() -> str:
    """Who runs the kernels: "card", launched there by cuda.core, "numba-cuda", or its "simulator"."""
    return ("simulator" if simulated() else "numba-cuda") if plain() else "card"


@functools.lru_cache(4096)
def _config(grid: int | tuple[int, ...], threads: int | tuple[int, ...]) -> Any:
    """What cuda.core takes for a grid and the threads of a block; None if there is no block."""
    from cuda.core import LaunchConfig

    grid = grid if isinstance(grid, tuple) else (grid,)
    return LaunchConfig(grid=grid, block=threads) if all(grid) else None


def _load(kernel: Kernel, card: int) -> Any:
    """The kernel on a card; None, and plain numba-cuda from now on, if it cannot be compiled."""
    from cuda.core import Device as Card
    from cuda.core import ObjectCode

    device = Card(card)
    device.set_current()
    capability = tuple(device.compute_capability)
    try:
        code = ObjectCode.from_cubin(cubin(kernel, capability))
    except (AttributeError, ImportError) as error:  # of a numba-cuda or a cuda.core that this library does not know
        numba_cuda()  # where it is not there at all, that is the message
        if os.environ.get("KERASISH_ENGINE") == "pool":
            raise
        _refusals.append(error)
        plain.cache_clear()
        warnings.warn(
            f"CUDA kernels cannot be compiled ahead of a launch ({type(error).__name__}: {error}); plain numba-cuda "
            f"compiles and launches them instead, anew in each process. To mend that: {extras.install('cuda')}",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    kernel.loaded[card] = code.get_kernel(kernel.name)
    return kernel.loaded[card]


def _stream(handle: int) -> Any:
    """cuda.core's name for a stream of CuPy's; 0 is the default stream."""
    if handle not in _streams:
        core = importlib.import_module("cuda.core")
        _streams[handle] = core.Stream.from_handle(handle) if handle else core.Device().default_stream
    return _streams[handle]
