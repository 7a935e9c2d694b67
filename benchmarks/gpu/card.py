"""The card: its name, what it could do at best, whether it still answers."""

from __future__ import annotations

import functools
from typing import Any

from kerasish.device import cuda

# float32 fused multiply-adds of a multiprocessor a clock: CUDA C++ Programming Guide, section "Arithmetic
# Instructions", the row "32-bit floating-point add, multiply, multiply-add"
LANES = {(7, 5): 64, (8, 0): 64, (8, 6): 128, (8, 7): 128, (8, 9): 128, (9, 0): 128, (10, 0): 128, (12, 0): 128}
CLOCK_RATE = 13  # cudaDevAttrClockRate, in kHz; CUDA 13 has it no longer among the properties


def open_card() -> Any:
    """CuPy.

    Raises:
        RuntimeError: if no card can be used; says why.
    """
    reason = cuda.missing()
    if reason is not None:
        raise RuntimeError(f"No card to measure: {reason}")
    return cuda.cupy()


def describe(cupy: Any) -> dict:
    """The card as the report names it."""
    runtime = cupy.cuda.runtime
    found = runtime.getDeviceProperties(0)
    clock = runtime.deviceGetAttribute(CLOCK_RATE, 0) / 1e6
    capability = found["major"], found["minor"]
    return {
        "name": found["name"].decode(),
        "capability": list(capability),
        "multiprocessors": found["multiProcessorCount"],
        "clock_ghz": clock,
        "memory_gb": round(found.get("totalGlobalMem", 0) / 2**30, 1),
        "peak_tflops": peak(found["multiProcessorCount"], capability, clock),
        "driver": runtime.driverGetVersion(),
        "runtime": runtime.runtimeGetVersion(),
    }


def peak(multiprocessors: int, capability: tuple[int, int], clock_ghz: float) -> float | None:
    """TFLOP/s of float32 multiply-adds at the highest clock, or None for a card that is not in the table."""
    lanes = LANES.get(tuple(capability))
    return None if lanes is None else 2e-3 * multiprocessors * lanes * clock_ghz


@functools.cache
def torch_with_card() -> Any:
    """PyTorch with a card, or None."""
    try:
        import torch
    except ImportError:
        return None
    torch.backends.cudnn.benchmark = True
    return torch if torch.cuda.is_available() else None


def answers(cupy: Any) -> bool:
    """Whether the card still computes: an illegal address makes every later call of the process fail."""
    try:
        return float((cupy.zeros(4, "float32") + 1).sum()) == 4
    except Exception:  # whatever it raises, the context is lost
        return False
