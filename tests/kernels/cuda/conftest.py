"""A pretended card: arrays of `fake_cupy`, kernels run by the emulator."""

import pytest

from kerasish import device
from kerasish.device import cuda
from tests.kernels.cuda import fake_cupy

NEEDED = {"greenlet": "the emulator runs threads as greenlets", "cuda.core": "CUDA kernels need numba-cuda"}


@pytest.fixture
def card():
    """CuPy, as the tests see it."""
    for name, reason in NEEDED.items():
        pytest.importorskip(name, reason=f"{reason}: pip install '.[cuda-test]'")
    from tests.kernels.cuda import emulator

    cuda._properties.cache_clear()
    device.set_default("cpu:0")
    kept = cuda.precision()
    with fake_cupy.installed() as cupy, emulator.emulated():
        cuda.set_precision("float32")
        yield cupy
    cuda.set_precision(kept)
    cuda._properties.cache_clear()
