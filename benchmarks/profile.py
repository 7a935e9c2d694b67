"""Where the time of a step goes: `python -m benchmarks.profile WORKLOAD [--what fit|predict|image]`.

Every kernel is timed from outside, by name and shapes; what is left is Python: layers, tape, optimizer, metrics, data.
"""

from __future__ import annotations

import argparse
import collections
import time
from collections.abc import Callable

import numpy as np

from benchmarks.workloads import WORKLOADS


class Clock:
    """Seconds and calls by kernel and shapes, kernels that run inside others counted once."""

    def __init__(self):
        self.seconds: dict[str, float] = collections.defaultdict(float)
        self.calls: dict[str, int] = collections.defaultdict(int)
        self.inside = False

    def timed(self, name: str, kernel: Callable) -> Callable:
        """The kernel, with its time counted."""

        def wrapped(*args, **kwargs):
            if self.inside:
                return kernel(*args, **kwargs)
            self.inside, began = True, time.perf_counter()
            try:
                return kernel(*args, **kwargs)
            finally:
                self.inside = False
                label = " ".join([name, *[_shape(a) for a in args if isinstance(a, np.ndarray)][:2]])
                self.seconds[label] += time.perf_counter() - began
                self.calls[label] += 1

        return wrapped

    def report(self, total: float, steps: int, rows: int) -> str:
        """The kernels that took most, and Python's share, in milliseconds a step."""
        lines = [f"{'ms':>8} {'calls':>6}  kernel"]
        ordered = sorted(self.seconds, key=self.seconds.get, reverse=True)
        for label in ordered[:rows]:
            lines.append(f"{1000 * self.seconds[label] / steps:8.3f} {self.calls[label] / steps:6.1f}  {label}")
        rest = sum(self.seconds[label] for label in ordered[rows:])
        lines.append(f"{1000 * rest / steps:8.3f} {'':6}  other kernels")
        lines.append(f"{1000 * (total - sum(self.seconds.values())) / steps:8.3f} {'':6}  Python")
        lines.append(f"{1000 * total / steps:8.3f} {'':6}  a step")
        return "\n".join(lines)


def _shape(array) -> str:
    return "x".join(map(str, array.shape)) or "()"


def watch(clock: Clock) -> None:
    """Let the clock time every kernel of this process that is found from now on."""
    from kerasish import kernels

    found = kernels.find

    def find(place, name):
        kernel = found(place, name)
        return kernel and clock.timed(name, kernel)

    kernels.find = find


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__.split("\n")[0])
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--what", choices=("fit", "predict", "image"), default="fit")
    parser.add_argument("--rows", type=int, default=30, help="kernels to list")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    clock = Clock()
    watch(clock)

    import kerasish as keras

    workload = WORKLOADS[args.workload]
    model = workload.build(keras)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    batch = 1 if args.what == "image" else workload.batch
    steps = 1 if args.what == "image" else min(workload.steps, 12)
    x, y = workload.data(batch * steps)

    def run():
        if args.what == "fit":
            return model.fit(x, y, batch_size=batch, verbose=0)
        return model.predict(x, batch_size=batch, verbose=0)

    repeats = args.rounds * (50 if args.what == "image" else 1)
    run(), run()
    clock.seconds.clear(), clock.calls.clear()
    began = time.perf_counter()
    for _ in range(repeats):
        run()
    print(clock.report(time.perf_counter() - began, steps * repeats, args.rows))


if __name__ == "__main__":
    main()
