"""A pretended card: arrays of `fake_cupy`, kernels run by the emulator."""

import pytest

pytest.importorskip("greenlet", reason="the emulator runs threads as greenlets: pip install 'kerasish[cuda-test]'")
pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install 'kerasish[cuda-test]'")

from kerasish import device
from kerasish.device import cuda
from tests.kernels.cuda import emulator, fake_cupy


@pytest.fixture
def card():
    """CuPy, as the tests see it."""
    cuda._properties.cache_clear()
    device.set_default("cpu:0")
    kept = cuda.precision()
    with fake_cupy.installed() as cupy, emulator.emulated():
        cuda.set_precision("float32")
        yield cupy
    cuda.set_precision(kept)
    cuda._properties.cache_clear()
