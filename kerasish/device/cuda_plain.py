"""CUDA kernels by plain numba-cuda: `numba.cuda.jit` of the same source, launched by Numba, by its public names alone.

In Numba's simulator (NUMBA_ENABLE_CUDASIM=1) arrays are NumPy's, and a kernel may use no intrinsic without a fallback.
"""

import os
from typing import Any

from kerasish.device import cuda_arguments, cuda_jit


def launch(kernel: Any, configuration: tuple, arguments: tuple) -> None:
    """Run a kernel over (grid, threads of a block), on the card and the stream that CuPy uses now."""
    grid, threads = configuration
    grid = grid if isinstance(grid, tuple) else (grid,)
    if not all(grid):
        return
    if cuda_jit.simulated():
        pairs = zip(kernel.passed, arguments, strict=True)
        _loaded(kernel, None)[grid, threads](*(v.reshape(-1) if how == "pointer" else v for how, v in pairs))
        return
    import cupy

    card, cuda = cupy.cuda.runtime.getDevice(), cuda_jit.cuda
    pairs = zip(kernel.passed, arguments, strict=True)
    values = [value.data.ptr if how == "pointer" else value for how, value in pairs]
    stream = cuda.external_stream(cupy.cuda.get_current_stream().ptr)
    _loaded(kernel, card)[grid, threads, stream](*values)


def _loaded(kernel, card):
    """The kernel on a card; under the card's number alone stands what cuda.core launches."""
    key = "plain", card
    kernel.loaded[key] = kernel.loaded.get(key) or compiled(kernel)
    return kernel.loaded[key]


def compiled(kernel: Any) -> Any:
    """Numba's dispatcher of a kernel, for the card that is used now."""
    os.environ.setdefault("NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS", "0")  # small layers have small grids
    options = {"fastmath": kernel.options["fastmath"]}
    if kernel.options["launch_bounds"] and not cuda_jit.simulated():
        options["launch_bounds"] = kernel.options["launch_bounds"]
    return cuda_jit.cuda.meaning.jit(cuda_arguments.signature(kernel.arguments), **options)(kernel.function())
