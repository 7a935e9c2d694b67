"""From a kernel to machine code: numba-cuda makes PTX, nvJitLink the card's own code. No card is needed for that."""

import functools
import hashlib
import importlib
import importlib.util
import os
import re
import types
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kerasish.device import cuda_arguments, extras
from kerasish.device.installed import version

PACKAGES = (
    "numba-cuda",
    "cuda-core",
    "nvidia-nvvm",
    "nvidia-nvjitlink",
    "nvidia-cuda-nvcc-cu12",
    "nvidia-nvjitlink-cu12",
)


class Compiled(NamedTuple):
    """Machine code, and what it takes of a multiprocessor."""

    cubin: bytes
    registers: int
    spilled: int
    stack: int
    shared: int


def require() -> None:
    """Raises:
    ImportError: if the packages that compile and launch kernels are not there, saying how to get them.
    """
    for module in ("numba_cuda", "cuda.core"):
        if importlib.util.find_spec(module) is None:
            raise ImportError(f"CUDA kernels need numba-cuda and cuda-core: {extras.install('cuda')}")


@functools.cache
def numba_cuda() -> Any:
    """numba-cuda; the `numba.cuda` that comes with Numba itself is another, deprecated one."""
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


def simulated() -> bool:
    """Whether `numba.cuda` is its simulator (NUMBA_ENABLE_CUDASIM=1)."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("", "0")


def ptx(kernel: Any) -> str:
    """The kernel as PTX for the least card that it runs on, its entry having the kernel's name."""
    cuda = numba_cuda()
    dispatcher = importlib.import_module("numba.cuda.dispatcher")
    kept = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: types.SimpleNamespace(compute_capability=kernel.capability, id=0)
    try:
        options = {"device": False, "abi": "numba", "output": "ptx", **kernel.options}
        text, _ = cuda.compile(kernel.function(), cuda_arguments.signature(kernel.arguments), **options)
    finally:
        dispatcher.get_current_device = kept
    entry = re.search(r"\.visible \.entry (\w+)\(", text)[1]
    return text.replace(entry, kernel.name)


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


@functools.cache
def cache_key() -> str:
    """What must change when machine code would: the sources of the kernels, the versions of the compilers."""
    digest = hashlib.sha256(repr([version(package) for package in PACKAGES]).encode())
    package = Path(__file__).parent.parent
    for path in sorted([*(package / "kernels" / "cuda").glob("*.py"), *(package / "device").glob("cuda_*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
