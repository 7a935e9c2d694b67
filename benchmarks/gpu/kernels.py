"""Checks a row's kernel against float64 on the card, and times it beside PyTorch."""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.gpu.inputs import arrays, moved
from benchmarks.gpu.rows import Row
from kerasish.device import array_module, cuda, cuda_jit
from kerasish.kernels import Twin, find

ROUNDS, COPIES = 9, 3
LAUNCHES, ROUND = 10, 20_000  # calls in a round, at most, and microseconds that it may take
TOLERANCE = {"float32": 2e-5, "3xtf32": 2e-5, "tf32": 2e-3, "bfloat16": 2e-2}  # of the largest result


def measure(row: Row, cupy: Any, torch: Any, clock: Callable, peak: float | None = None) -> dict:
    """A row's record: its error, the kernels that it launched, microseconds, PyTorch's, rate and share of the peak."""
    record = {"kernel": row.kernel, "precision": row.precision, "large": row.large, **check(row, cupy)}
    host = arrays(row.inputs)
    options = _options(row, cupy)
    kernel = getattr(Twin("cuda"), row.kernel)
    sets = [moved(host, cupy.asarray) for _ in range(COPIES)]
    contestants = {"ours": [lambda given=given: kernel(*given, **options) for given in sets]}
    if torch is not None and row.peer is not None:
        contestants["torch"] = [torch_call(row, torch, host, "cuda") for _ in range(COPIES)]
    record |= {f"{name}_us": us for name, us in timed(contestants, clock).items()}
    return record | rates(row, record, sum(_bytes(host)), peak)


def check(row: Row, cupy: Any) -> dict:
    """The error of a row's kernel as a part of the largest result, and the kernels that were launched for it."""
    cuda.set_precision(row.precision)
    host = arrays(row.inputs)
    with launches() as launched:
        got = called(getattr(Twin("cuda"), row.kernel), moved(host, cupy.asarray), _options(row, cupy))
    want, oracle = expected(row, cupy, host)
    found = max((distance(g, w) for g, w in zip(got, want, strict=True) if w is not None), default=math.inf)
    tolerance = 1e-6 if row.oracle == "host" else TOLERANCE[cuda.arithmetic() if row.work else "float32"]
    return {
        "error": found,
        "tolerance": tolerance,
        "right": bool(found <= tolerance),
        "oracle": oracle,
        "launched": sorted(launched),
    }


def expected(row: Row, cupy: Any, host: list) -> tuple[list, str]:
    """What the reference twin gives, and where: in float64 on the card, or on the host if it cannot there."""
    reference = find("reference", row.kernel)
    if row.oracle == "host":
        return called(reference, moved(host, np.copy), _options(row, np)), "the reference on the host"
    wide = moved(host, lambda a: a.astype("float64") if a.dtype == np.float32 else a)
    try:
        return called(reference, moved(wide, cupy.asarray), _options(row, cupy)), "float64 on the card"
    except (AttributeError, MemoryError, NotImplementedError, TypeError, ValueError) as failure:
        result = called(reference, moved(wide, np.copy), _options(row, np))
        return result, f"float64 on the host, since on the card: {type(failure).__name__}: {failure}"[:200]


def called(function: Callable, given: list, options: dict) -> list:
    """The results of a function, as a list; what works in place gives the arrays that it was given."""
    result = function(*given, **options)
    if result is None:
        return [array for value in given if isinstance(value, list) for array in value]
    if isinstance(result, float):
        result = np.float64(result)
    return list(result) if isinstance(result, tuple) else [result]


def distance(got: Any, want: Any) -> float:
    """The largest difference as a part of the largest element; infinite for another shape, or a NaN on one side."""
    got = got.get() if isinstance(want, np.ndarray) and hasattr(got, "get") else got
    if got.shape != want.shape:
        return math.inf
    xp, got, want = array_module(got), got.astype("float64"), want.astype("float64")
    if not want.size:
        return 0.0
    if bool((xp.isnan(got) != xp.isnan(want)).any()):
        return math.inf
    largest = float(xp.nanmax(abs(want))) or 1.0
    return float(xp.nanmax(abs(got - want))) / largest


@contextlib.contextmanager
def launches() -> Iterator[set[str]]:
    """The names of the kernels that are launched meanwhile."""
    names, kept = set(), cuda_jit.launch

    def launch(kernel, *rest):
        names.add(kernel.name)
        return kept(kernel, *rest)

    cuda_jit.launch = launch
    try:
        yield names
    finally:
        cuda_jit.launch = kept


def torch_call(row: Row, torch: Any, host: list, device: str) -> Callable:
    """The row by PyTorch, on copies of the same arrays, at the same precision."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = row.precision == "tf32"
    short = torch.bfloat16 if row.precision == "bfloat16" else torch.float32

    def there(array):
        tensor = torch.tensor(array, device=device)
        return tensor.to(short) if tensor.dtype == torch.float32 else tensor

    more = {"device": device} if "xp" in row.options else {}
    return row.peer(torch, *moved(host, there), **more)


class Clock:
    """Microseconds a call, by events on the card; the functions take turns, so that no input waits in the cache."""

    def __init__(self, cupy: Any):
        self.cupy = cupy

    def __call__(self, functions: list[Callable], launches: int) -> float:
        """The mean of some calls."""
        begin, end = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        begin.record()
        for i in range(launches):
            functions[i % len(functions)]()
        end.record()
        end.synchronize()
        return 1e3 * self.cupy.cuda.get_elapsed_time(begin, end) / launches


def timed(contestants: dict[str, list[Callable]], clock: Callable) -> dict[str, float]:
    """Each one's median of rounds in which all take part, after two to warm up: cuDNN chooses in the first."""
    warm = [{name: clock(functions, len(functions)) for name, functions in contestants.items()} for _ in range(2)]
    calls = {name: max(1, min(LAUNCHES, int(ROUND / max(us, 1e-3)))) for name, us in warm[-1].items()}
    times = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, functions in contestants.items():
            times[name].append(clock(functions, calls[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def rates(row: Row, record: dict, bytes_read: int, peak: float | None) -> dict:
    """TFLOP/s or GB/s, how many times PyTorch's time is ours, the share of the card's float32 peak."""
    us = record["ours_us"]
    found = {"tflops": row.work / us / 1e6} if row.work else {"gbs_read": bytes_read / us / 1e3}
    if "torch_us" in record:
        found["ratio"] = record["torch_us"] / us
    if row.work and row.precision == "float32" and peak:
        found["peak_share"] = found["tflops"] / peak
    return found


def _options(row: Row, xp: Any) -> dict:
    return {name: xp if name == "xp" else value for name, value in row.options.items()}


def _bytes(values: list) -> Iterator[int]:
    for value in values:
        if isinstance(value, list):
            yield from _bytes(value)
        else:
            yield getattr(value, "nbytes", 0)
