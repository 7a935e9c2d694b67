"""Every CUDA kernel on a card: right to float64, and how fast beside PyTorch (cuDNN); then whole training steps.

    python -m benchmarks.gpu [--minutes 7] [--out FILE.json] [--only TEXT]

Needs CuPy, numba-cuda and, for the comparison, PyTorch. A row that fails says so and the others go on. Times are of
device events, over inputs that take turns (so that none waits in the cache), medians of rounds in which both take part.
"""

import argparse
import datetime
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kerasish.core.shapes import Window
from kerasish.device import cuda
from kerasish.kernels import Twin, find

ROUNDS, LAUNCHES, COPIES = 9, 10, 3
TOLERANCE = {"float32": 2e-5, "3xtf32": 2e-5, "tf32": 2e-3, "bfloat16": 2e-2}  # of the largest result
CONVOLUTIONS = [
    # batch, size, channels, filters, kernel, stride
    (64, 56, 64, 64, 3, 1),
    (64, 28, 128, 128, 3, 1),
    (64, 14, 256, 256, 3, 1),
    (64, 7, 512, 512, 3, 1),
    (64, 56, 256, 64, 1, 1),
    (64, 56, 64, 128, 3, 2),
    (64, 224, 3, 64, 7, 2),
    (256, 28, 1, 32, 3, 1),
]
PASSES = ("conv2d", "conv2d_grad_input", "conv2d_grad_kernel")


class Row(NamedTuple):
    """A kernel at one size.

    Attributes:
        name: what it is, with its size.
        kernel: the twin's name of it.
        inputs: shapes of its random arrays, or arrays, or whatever else it takes.
        work: floating-point operations, or 0 where memory is what counts.
        peer: the same by PyTorch: `peer(torch, *inputs)` gives a function to be timed, or None.
        precision: how it multiplies.
    """

    name: str
    kernel: str
    inputs: tuple
    work: float = 0.0
    peer: Callable | None = None
    precision: str = "float32"


class Shape(tuple):
    """The shape of a random array; other tuples are arguments."""


def convolution(sizes: tuple, kernel: str, precision: str) -> Row:
    """A row for one pass of a convolution."""
    N, S, C, F, K, stride = sizes
    window = Window((stride, stride), ((K // 2, K // 2),) * 2)
    out = (S + 2 * (K // 2) - K) // stride + 1
    x, w, gy = Shape((N, S, S, C)), Shape((K, K, C, F)), Shape((N, out, out, F))
    inputs = {
        "conv2d": (x, w, window),
        "conv2d_grad_input": (gy, w, tuple(x), window),
        "conv2d_grad_kernel": (x, gy, tuple(w), window),
    }[kernel]
    work = 2.0 * N * out * out * F * K * K * C
    name = f"{kernel} {N}x{S}x{S}x{C} -> {F}, {K}x{K}" + (f" / {stride}" if stride > 1 else "")
    return Row(name, kernel, inputs, work, lambda torch, *given: torch_convolution(torch, kernel, given), precision)


def torch_convolution(torch: Any, kernel: str, given: tuple) -> Callable:
    """The pass by cuDNN, channels last."""
    window = given[-1]
    stride, pads = list(window.strides), [window.pads[0][0], window.pads[1][0]]
    image = lambda a: a.permute(0, 3, 1, 2)
    filters = lambda a: a.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    if kernel == "conv2d":
        x, w = image(given[0]), filters(given[1])
        return lambda: torch.nn.functional.conv2d(x, w, None, stride, pads)
    if kernel == "conv2d_grad_input":
        gy, w, x_shape = image(given[0]), filters(given[1]), given[2]
        x = image(torch.empty(x_shape, device=gy.device, dtype=gy.dtype))
    else:
        x, gy, w_shape = image(given[0]), image(given[1]), given[2]
        w = filters(torch.empty(w_shape, device=gy.device, dtype=gy.dtype))
    mask = [kernel == "conv2d_grad_input", kernel == "conv2d_grad_kernel", False]
    rest = (None, stride, pads, [1, 1], False, [0, 0], 1, mask)
    return lambda: torch.ops.aten.convolution_backward(gy, x, w, *rest)


def depthwise(torch, x, w, window):
    """A depthwise convolution by cuDNN."""
    x, w = x.permute(0, 3, 1, 2), w.permute(2, 3, 0, 1).contiguous()
    pads = [window.pads[0][0], window.pads[1][0]]
    return lambda: torch.nn.functional.conv2d(x, w, None, list(window.strides), pads, groups=x.shape[1])


def max_pool(torch, x, size, window):
    x = x.permute(0, 3, 1, 2)
    return lambda: torch.nn.functional.max_pool2d(x, size, window.strides, return_indices=True)


def batch_norm(torch, x, gamma, beta, epsilon):
    x = x.permute(0, 3, 1, 2)
    return lambda: torch.nn.functional.batch_norm(x, None, None, gamma, beta, True, 0.1, epsilon)


def memory_rows() -> list[Row]:
    """Rows of kernels that memory bounds."""
    image, C = Shape((64, 56, 56, 128)), Shape((128,))
    rows, half = Shape((8192, 1024)), Window((2, 2))
    same = Window((1, 1), ((1, 1), (1, 1)))
    functional = lambda name, *rest: lambda torch, x, *_: lambda: getattr(torch.nn.functional, name)(x, *rest)
    return [
        Row("depthwise 64x56x56x128, 3x3", "depthwise_conv2d", (image, Shape((3, 3, 128, 1)), same), peer=depthwise),
        Row(
            "depthwise gradient of input",
            "depthwise_conv2d_grad_input",
            (image, Shape((3, 3, 128, 1)), tuple(image), same),
        ),
        Row("depthwise gradient of filters", "depthwise_conv2d_grad_kernel", (image, image, (3, 3, 128, 1), same)),
        Row("max pooling 64x56x56x128, 2x2", "max_pool2d", (image, (2, 2), half), peer=max_pool),
        Row("average pooling 64x56x56x128, 2x2", "average_pool2d", (image, (2, 2), half)),
        Row("batch normalization", "batch_norm_train", (image, C, C, 1e-3), peer=batch_norm),
        Row("its gradient", "batch_norm_grad", (image, image, C, C, C, C)),
        Row(
            "layer normalization 8192x1024",
            "layer_norm",
            (rows, Shape((1024,)), Shape((1024,)), 1e-3),
            peer=lambda torch, x, g, b, e: lambda: torch.nn.functional.layer_norm(x, (1024,), g, b, e),
        ),
        Row("softmax 8192x1024", "softmax", (rows,), peer=functional("softmax", -1)),
        Row("log-softmax 8192x1024", "log_softmax", (rows,), peer=functional("log_softmax", -1)),
        Row("cross-entropy 8192x1024", "sparse_cross_entropy_logits", (np.arange(8192) % 1024, rows)),
        Row("bias gradient", "bias_grad", (image,), peer=lambda torch, x: lambda: x.sum((0, 1, 2))),
        Row("add + relu", "add_relu", (image, image), peer=lambda torch, a, b: lambda: torch.relu(a + b)),
        Row("relu's gradient", "relu_grad", (image, image)),
    ]


def all_rows() -> list[Row]:
    """Every row, those that matter most first."""
    by_precision = [("tf32", PASSES), ("float32", PASSES), ("3xtf32", PASSES[:1]), ("bfloat16", PASSES[:1])]
    return [
        *memory_rows(),
        *(convolution(s, kernel, p) for p, kernels in by_precision for s in CONVOLUTIONS for kernel in kernels),
    ]


def on_card(cupy: Any, given: Any, seed: int) -> Any:
    """An input on the card: a random array for a `Shape`, a copy of an array."""
    if isinstance(given, Shape):
        return cupy.asarray(np.random.default_rng(seed).standard_normal(given, "float32"))
    return cupy.asarray(given) if isinstance(given, np.ndarray) else given


def error(row: Row, cupy: Any) -> float:
    """The largest error of a kernel, as a part of the largest result; the oracle is the reference twin in float64."""
    cuda.set_precision(row.precision)
    inputs = [on_card(cupy, given, seed) for seed, given in enumerate(row.inputs)]
    wide = [a.astype("float64") if hasattr(a, "dtype") and a.dtype == "float32" else a for a in inputs]
    want, got = find("reference", row.kernel)(*wide), getattr(Twin("cuda"), row.kernel)(*inputs)
    pairs = zip(got, want) if isinstance(want, tuple) else [(got, want)]
    return max(_distance(cupy, g, w) for g, w in pairs)


def _distance(cupy: Any, got: Any, want: Any) -> float:
    if got.shape != want.shape:
        return math.inf
    largest = float(abs(want).max()) or 1.0
    return float(abs(got.astype("float64") - want).max()) / largest


class Clock:
    """Times functions on the card by CuPy's events."""

    def __init__(self, cupy: Any):
        self.cupy = cupy

    def __call__(self, functions: list[Callable]) -> float:
        """Microseconds a call, the functions taking turns."""
        begin, end = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        begin.record()
        for i in range(LAUNCHES):
            functions[i % len(functions)]()
        end.record()
        end.synchronize()
        return 1e3 * self.cupy.cuda.get_elapsed_time(begin, end) / LAUNCHES


def torch_inputs(torch: Any, cupy: Any, row: Row, inputs: list) -> list:
    """The same inputs for PyTorch, in its own memory."""
    kind = torch.bfloat16 if row.precision == "bfloat16" else None
    move = lambda a: torch.from_dlpack(a).clone().to(kind or torch.float32)
    return [move(a) if hasattr(a, "dtype") and a.dtype == "float32" else a for a in inputs]


def measure(row: Row, cupy: Any, torch: Any) -> dict:
    """A row's figures: error, our microseconds, PyTorch's, TFLOP/s or GB/s."""
    record = {"name": row.name, "precision": row.precision, "error": error(row, cupy)}
    record["right"] = record["error"] <= TOLERANCE[row.precision]
    kernel, clock = getattr(Twin("cuda"), row.kernel), Clock(cupy)
    sets = [[on_card(cupy, g, seed + 100 * copy) for seed, g in enumerate(row.inputs)] for copy in range(COPIES)]
    contestants = {"ours": [lambda given=given: kernel(*given) for given in sets]}
    if torch is not None and row.peer is not None:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = row.precision == "tf32"
        contestants["torch"] = [row.peer(torch, *torch_inputs(torch, cupy, row, given)) for given in sets]
    times = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, functions in contestants.items():
            times[name].append(clock(functions))
    record |= {f"{name}_us": statistics.median(values[1:]) for name, values in times.items()}
    moved = sum(a.nbytes for a in sets[0] if hasattr(a, "nbytes"))
    record["rate"] = row.work / record["ours_us"] / 1e6 if row.work else moved / record["ours_us"] / 1e3
    record["unit"] = "TFLOP/s" if row.work else "GB/s read"
    return record


def report(records: list[dict], card: str, date: str) -> str:
    """The records as a table in Markdown."""
    lines = [f"{card}, {date}; times in microseconds", "", "| kernel | | error | kerasish | PyTorch | rate |"]
    lines.append("|---|---|--:|--:|--:|--:|")
    for r in records:
        if "failed" in r:
            lines.append(f"| {r['name']} | {r['precision']} | failed: {r['failed'][:80]} | | | |")
            continue
        peer = f"{r['torch_us']:.0f}" if "torch_us" in r else ""
        wrong = "" if r.get("right", True) else " WRONG"
        rate = f"{r['rate']:.1f} {r['unit']}" if "rate" in r else ""
        found = f"{r['error']:.0e}{wrong}" if "error" in r else ""
        lines.append(f"| {r['name']} | {r['precision']} | {found} | {r['ours_us']:.0f} | {peer} | {rate} |")
    return "\n".join(lines)


def guarded(row_name: str, precision: str, function: Callable) -> dict:
    """A record, or one that says what went wrong."""
    try:
        return function()
    except Exception as failure:  # a kernel that fails is a finding; the other rows are wanted too
        text = f"{type(failure).__name__}: {failure}".splitlines()[0]
        return {"name": row_name, "precision": precision, "failed": text}


def open_card() -> Any:
    """CuPy, or None after saying why no card can be used."""
    reason = cuda.missing()
    if reason is not None:
        print(f"No card to measure: {reason}", file=sys.stderr)
        return None
    return cuda.cupy()


def peer() -> Any:
    """PyTorch with a card, or None."""
    try:
        import torch
    except ImportError:
        return None
    torch.backends.cudnn.benchmark = True
    return torch if torch.cuda.is_available() else None


def main() -> int:
    """Measures, prints the table, writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=7.0)
    parser.add_argument("--out", default="gpu.json")
    parser.add_argument("--only", default="")
    options, began = parser.parse_args(), time.monotonic()
    cupy = open_card()
    if cupy is None:
        return 1
    torch, records = peer(), []
    card = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    date = datetime.date.today().isoformat()
    from benchmarks.gpu_steps import steps

    jobs = [(row.name, row.precision, lambda row=row: measure(row, cupy, torch)) for row in all_rows()]
    jobs[14:14] = [(name, "tf32", job) for name, job in steps(torch)]
    for name, precision, job in jobs:
        if options.only in name and time.monotonic() - began < 60 * options.minutes:
            records.append(guarded(name, precision, job))
            print(records[-1], flush=True)
            with open(options.out, "w", encoding="utf-8") as file:
                json.dump({"card": card, "date": date, "records": records}, file, indent=1)
    print(report(records, card, date))
    return 0 if all(r.get("right", True) and "failed" not in r for r in records) else 1


if __name__ == "__main__":
    sys.exit(main())
