"""Kernels that memory limits, beside a plain copy: `python benchmarks/thin.py [--threads N] [--markdown]`.

A kernel's rate counts each array that it must read or write once. Beside it stands the rate of `numpy.copyto` between
two arrays that hold as many bytes together, on as many threads, in the same turns: 1.0 is as fast as memory allows,
and more than that is what one thread's copy cannot reach. Small rows lie in the caches, large ones do not.
"""

import argparse
import os
import threading
import time

SHAPES = [(8, 28, 28, 64), (64, 32, 32, 16), (32, 48, 48, 64), (32, 96, 96, 64)]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


def kernels(shape):
    """(name, bytes moved, call) for each kernel on a shape (N, H, W, C)."""
    import numpy as np

    from kerasish.core.shapes import Window
    from kerasish.device import memory
    from kerasish.kernels import twin_of

    rng = np.random.default_rng(0)

    def random(*shape):
        out = memory.empty(shape)
        rng.standard_normal(dtype="float32", out=out)
        return out

    k, C = twin_of(np.zeros(1)), shape[-1]
    x, gy, gamma, beta, w = random(*shape), random(*shape), random(C), random(C), random(3, 3, C, 1)
    same, half = Window(pads=((1, 1), (1, 1))), Window((2, 2))
    y, mean, variance, inverse_std = k.batch_norm_train(x, gamma, beta, 1e-3)
    pooled, where = k.max_pool2d(x, (2, 2), half)
    n, m = x.nbytes, pooled.nbytes
    return [
        ("relu", 2 * n, lambda: k.relu(x)),
        ("relu, gradient", 3 * n, lambda: k.relu_grad(gy, y)),
        ("add", 3 * n, lambda: k.add(x, gy)),
        ("add + relu", 3 * n, lambda: k.add_relu(x, gy)),
        ("tanh", 2 * n, lambda: k.tanh(x)),
        ("sum over all but channels", n, lambda: k.sum(x, (0, 1, 2))),
        ("batch norm, inference", 2 * n, lambda: k.batch_norm_infer(x, mean, variance, gamma, beta, 1e-3)),
        ("batch norm + relu, training", 3 * n, lambda: k.batch_norm_train(x, gamma, beta, 1e-3, "relu")),
        ("its gradient", 5 * n, lambda: k.batch_norm_grad(gy, x, gamma, beta, mean, inverse_std, "relu")),
        ("max pooling 2x2", n + m, lambda: k.max_pool2d(x, (2, 2), half)),
        ("its gradient", n + m + where.nbytes, lambda: k.max_pool2d_grad(pooled, where, x.shape, (2, 2), half)),
        ("average pooling 2x2", n + m, lambda: k.average_pool2d(x, (2, 2), half)),
        ("depthwise 3x3", 2 * n, lambda: k.depthwise_conv2d(x, w, same)),
        ("its gradient to x", 2 * n, lambda: k.depthwise_conv2d_grad_input(gy, w, x.shape, same)),
        ("its gradient to w", 2 * n, lambda: k.depthwise_conv2d_grad_kernel(x, gy, w.shape, same)),
    ]


class Copy:
    """A copy of so many bytes, read and written, by threads that each copy a share."""

    def __init__(self, nbytes, threads):
        import numpy as np

        from kerasish.device import memory

        size = nbytes // 8 // threads
        self.pairs = [(memory.empty(size), memory.empty(size)) for _ in range(threads)]
        for pair in self.pairs:
            pair[0].fill(1), pair[1].fill(1)
        self.copy = np.copyto

    def __call__(self):
        others = [threading.Thread(target=self.copy, args=pair) for pair in self.pairs[1:]]
        for thread in others:
            thread.start()
        self.copy(*self.pairs[0])
        for thread in others:
            thread.join()


def rates(shape, options):
    """(kernel, GB/s, share of the copy's rate) for each kernel, by the shortest of many turns."""
    clock = time.thread_time if options.threads == 1 else time.perf_counter
    for name, nbytes, call in kernels(shape):
        contestants, times = (call, Copy(nbytes, options.threads)), [float("inf")] * 2
        for turn in range(options.repeats + 2):
            for i, work in enumerate(contestants):
                began = clock()
                work()
                if turn > 1:
                    times[i] = min(times[i], clock() - began)
        yield name, nbytes / times[0] / 1e9, times[1] / times[0]


def main():
    options = arguments()
    os.environ["KERASISH_NUM_THREADS"] = str(options.threads)
    columns = [list(rates(shape, options)) for shape in SHAPES]
    heads = ["x".join(map(str, shape)) for shape in SHAPES]
    edge, gap = ("| ", " | ") if options.markdown else ("", "  ")
    print(edge + gap.join([f"{'GB/s (share of a copy)':28}", *(f"{head:>14}" for head in heads)]))
    if options.markdown:
        print("|---|" + "---:|" * len(heads))
    for row in zip(*columns):
        cells = [f"{rate:6.0f} ({share:4.2f})" for _, rate, share in row]
        print(edge + gap.join([f"{row[0][0]:28}", *(f"{cell:>14}" for cell in cells)]))


if __name__ == "__main__":
    main()
