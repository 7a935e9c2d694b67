"""Kernels beside NumPy's BLAS and PyTorch: `python benchmarks/kernels.py [--threads N] [--repeats N] [--markdown]`.

Every row times all contestants in turn, many short times, so that what else the machine does falls on all alike, and
takes each one's best. With one thread, the time is the thread's own CPU time, which other processes hardly touch.
Rates count the multiplications and additions of the direct sums, so Winograd's can exceed what the processor could do.
"""

import argparse
import os
import time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


def limit_threads(count):
    """For all contestants, before any of them is imported."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "KERASISH_NUM_THREADS"):
        os.environ[name] = str(count)


CONVOLUTIONS = [
    # batch, size, channels, filters, kernel, stride, padding
    (64, 32, 16, 16, 3, 1, "same"),
    (32, 28, 32, 64, 3, 1, "same"),
    (32, 56, 64, 64, 3, 1, "same"),
    (16, 28, 128, 128, 3, 1, "same"),
    (16, 14, 256, 256, 3, 1, "same"),
    (8, 7, 512, 512, 3, 1, "same"),
    (16, 56, 64, 128, 3, 2, "same"),
    (16, 28, 64, 64, 5, 1, "same"),
    (16, 56, 256, 64, 1, 1, "valid"),
    (8, 28, 64, 256, 1, 1, "valid"),
    (4, 224, 3, 64, 7, 2, "same"),
    (128, 28, 1, 32, 3, 1, "valid"),
]
DENSE = [(8, 2048, 1000), (128, 3136, 128), (128, 784, 512), (2048, 2048, 2048)]
DEPTHWISE = [(8, 56, 128, 1), (8, 56, 128, 2), (8, 14, 512, 1)]


def best(contestants, repeats, clock):
    """The shortest time of each, all taking turns."""
    times = {}
    for name, work in contestants.items():
        work()
        times[name] = float("inf")
    for _ in range(repeats):
        for name, work in contestants.items():
            began = clock()
            work()
            times[name] = min(times[name], clock() - began)
    return times


class Bench:
    """The rows of the table; `rate` of each pass in GFLOP/s."""

    def __init__(self, options):
        import numpy as np

        from kerasish.core.shapes import Window, window_output, window_pads
        from kerasish.device import memory
        from kerasish.kernels import twin_of

        self.empty, self.np, self.Window, self.output, self.pads = memory.empty, np, Window, window_output, window_pads
        self.kernels, self.rng = twin_of(np.zeros(1)), np.random.default_rng(0)
        self.repeats, self.clock = options.repeats, time.thread_time if options.threads == 1 else time.perf_counter
        self.torch = torch_with(options.threads)

    def random(self, *shape):
        """Normal numbers, aligned as the kernels' own results are."""
        out = self.empty(shape)
        self.rng.standard_normal(dtype="float32", out=out)
        return out

    def blas(self):
        a = self.random(1024, 1024)
        return 2 * 1024**3, lambda: a @ a

    def measure(self, label, flops, ours, theirs, unit=1e9):
        """One row: (label, ours by pass, PyTorch's by pass, BLAS), rates."""
        blas_flops, blas = self.blas()
        contestants = (
            {"blas": blas} | {f"ours {k}": f for k, f in ours.items()} | {f"torch {k}": f for k, f in theirs.items()}
        )
        times = best(contestants, self.repeats, self.clock)
        rate = lambda who: {k: flops / times[f"{who} {k}"] / unit for k in ours if f"{who} {k}" in times}
        return label, rate("ours"), rate("torch"), blas_flops / times["blas"] / 1e9

    def convolution(self, N, size, C, F, K, stride, padding, depthwise=False):
        pads = self.pads(size, K, stride, padding)
        window = self.Window((stride, stride), (pads, pads), (1, 1), 1)
        x, w = self.random(N, size, size, C), self.random(K, K, C, F)
        kind = "depthwise_conv2d" if depthwise else "conv2d"
        forward, grad_x, grad_w = (getattr(self.kernels, kind + end) for end in ("", "_grad_input", "_grad_kernel"))
        gy = self.random(*forward(x, w, window).shape)
        ours = {
            "forward": lambda: forward(x, w, window),
            "input": lambda: grad_x(gy, w, x.shape, window),
            "filters": lambda: grad_w(x, gy, w.shape, window),
        }
        label = (
            f"{N}x{size}x{size}x{C}" + (f" depthwise {K}x{K}" if depthwise else f" -> {F}, {K}x{K}") + f" / {stride}"
        )
        flops = 2 * gy.size * K * K * (1 if depthwise else C)
        return self.measure(label, flops, ours, self.torch_convolution(x, w, gy, stride, pads, depthwise))

    def torch_convolution(self, x, w, gy, stride, pads, depthwise):
        """The same passes by PyTorch, channels last; nothing if it is not installed or pads unevenly."""
        if self.torch is None:
            return {}
        torch, functional = self.torch, self.torch.nn.functional
        last = lambda a: torch.from_numpy(a).permute(0, 3, 1, 2)  # a channels-last tensor
        if pads[0] != pads[1]:
            x, pads = self.np.pad(x, ((0, 0), pads, pads, (0, 0))), (0, 0)
        groups = x.shape[-1] if depthwise else 1
        order = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
        image, filters, g = (
            last(x),
            torch.from_numpy(w).permute(*order).contiguous(memory_format=torch.channels_last),
            last(gy),
        )
        both = lambda mask: torch.ops.aten.convolution_backward(
            g, image, filters, None, [stride] * 2, [pads[0]] * 2, [1, 1], False, [0, 0], groups, mask
        )
        return {
            "forward": lambda: functional.conv2d(image, filters, None, stride, pads[0], 1, groups),
            "input": lambda: both([True, False, False]),
            "filters": lambda: both([False, True, False]),
        }

    def dense(self, N, K, F):
        x, w, g = self.random(N, K), self.random(K, F), self.random(N, F)
        ours = {
            "forward": lambda: self.kernels.matmul(x, w),
            "input": lambda: self.kernels.matmul(g, w, transpose_b=True),
            "filters": lambda: self.kernels.matmul(x, g, transpose_a=True),
        }
        theirs = {}
        if self.torch is not None:
            a, b, c = map(self.torch.from_numpy, (x, w, g))
            theirs = {"forward": lambda: a @ b, "input": lambda: c @ b.T, "filters": lambda: a.T @ c}
        return self.measure(f"{N}x{K} -> {F}, dense", 2 * N * K * F, ours, theirs)

    def rows(self):
        for row in CONVOLUTIONS:
            yield self.convolution(*row)
        for N, size, C, stride in DEPTHWISE:
            yield self.convolution(N, size, C, 1, 3, stride, "same", depthwise=True)
        for row in DENSE:
            yield self.dense(*row)


def torch_with(threads):
    """PyTorch, if it is installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    return torch


def main():
    options = arguments()
    limit_threads(options.threads)
    bench = Bench(options)
    edge, gap = ("| ", " | ") if options.markdown else ("", "  ")
    passes = ("forward", "input", "filters")
    heads = [f"{who} {name}" for who in ("", "torch") for name in passes] + ["BLAS"]
    print(
        edge
        + gap.join([f"{'GFLOP/s, ' + str(options.threads) + ' thread(s)':36}", *(f"{h.strip():>13}" for h in heads)])
    )
    if options.markdown:
        print("|---|" + "---:|" * len(heads))
    for label, ours, theirs, blas in bench.rows():
        cells = [f"{found[name]:13.0f}" if name in found else " " * 13 for found in (ours, theirs) for name in passes]
        print(edge + gap.join([f"{label:36}", *cells, f"{blas:13.0f}"]), flush=True)


if __name__ == "__main__":
    main()
