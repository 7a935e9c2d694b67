"""`python -m benchmarks.gpu.worker` on the pretended card, with rows and networks that the emulator manages."""

import contextlib
import importlib
import sys
import time

from benchmarks import workloads
from benchmarks.gpu import card, compiling, jobs, kernels, mnist, networks, steps, worker
from parity import libraries
from tests.benchmarks.gpu.networks import LITTLE, without_convolutions
from tests.kernels.cuda import fake_cupy

SECONDS = 1e-3  # what every clock shows


class Event:
    """CuPy's event, without a stream."""

    def record(self):
        self.time = time.perf_counter()

    def synchronize(self):
        pass


ATTRIBUTES = {card.CLOCK_RATE: 1_500_000}


@contextlib.contextmanager
def pretended():
    """A card, and jobs that are small enough for it."""
    emulator = importlib.import_module("tests.kernels.cuda.emulator")
    with fake_cupy.installed() as cupy, emulator.emulated():
        cupy.cuda.Event = Event
        cupy.cuda.get_elapsed_time = lambda begin, end: 1e3 * SECONDS
        cupy.cuda.runtime.deviceGetAttribute = lambda attribute, device: ATTRIBUTES[attribute]
        cupy.cuda.runtime.driverGetVersion = cupy.cuda.runtime.runtimeGetVersion = lambda: 13000
        yield cupy


def shrink():
    """Make rows, networks and numbers of steps small, and hide the peers that need a card."""
    measure = jobs._measure
    jobs._measure = lambda row: measure(row._replace(inputs=row.tiny))
    kernels.ROUNDS, steps.WARM, steps.STEPS = 2, 1, 2
    card.torch_with_card = lambda: None
    names = ("relu_grad", "masked_scale")
    compiling.kernels = lambda found=compiling.kernels(): {name: found[name] for name in names}
    networks.TRAININGS.clear()
    networks.TRAININGS["ResNet-50 little"] = LITTLE
    workloads.mnist = without_convolutions
    mnist.BATCH, mnist.FEW, mnist.MANY = 4, 2, 3
    libraries.installed = lambda name: False


if __name__ == "__main__":
    shrink()
    with pretended():
        sys.exit(worker.main(sys.argv[1:]))
