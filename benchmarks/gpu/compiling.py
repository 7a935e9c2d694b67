"""Machine code of every kernel for this card, made by several processes at once, with the seconds that each took."""

from __future__ import annotations

import concurrent.futures
import functools
import importlib
import multiprocessing
import os
import pkgutil
import time

PROCESSES = 16


def kernels() -> dict:
    """All kernels by name."""
    from kerasish.device import cuda_jit

    package = importlib.import_module("kerasish.kernels.cuda")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return {kernel.name: kernel for kernel in cuda_jit.kernels()}


def compile_all(capability: tuple[int, int]) -> list[dict]:
    """A record for each kernel that a card of this capability can run."""
    names = [name for name, kernel in kernels().items() if capability >= kernel.capability]
    processes = max(1, min(PROCESSES, os.cpu_count() or 1))
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, mp_context=context) as pool:
        return list(pool.map(functools.partial(compile_one, capability), names))


def compile_one(capability: tuple[int, int], name: str) -> dict:
    """Compile a kernel, or find it on the disk; a record that says how long that took, or what failed."""
    from kerasish.device import cache, cuda_jit

    kernel, began = kernels()[name], time.perf_counter()
    record = {"name": name}
    try:
        kept = cache.load(f"cuda-{cuda_jit.cache_key()}", f"{name}-{cuda_jit.architecture(capability)}")
        cuda_jit.cubin(kernel, capability)
    except Exception as failure:  # a kernel that does not compile is a finding; the others are wanted too
        return {**record, "failed": f"{type(failure).__name__}: {failure}"[:500]}
    return {**record, "seconds": round(time.perf_counter() - began, 3), "kept": kept is not None}
