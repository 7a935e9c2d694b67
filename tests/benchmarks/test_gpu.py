"""The benchmark of the card: its rows check on the pretended card, and without one it says so."""

import subprocess
import sys

import numpy as np
import pytest

from benchmarks import gpu, gpu_steps
from tests.kernels.cuda.conftest import card  # noqa: F401
from tests.kernels.cuda.fake_cupy import Card


def small(given):
    """A row's input, made small enough for the emulator."""
    if isinstance(given, gpu.Shape):
        return gpu.Shape(min(n, 5) for n in given)
    if isinstance(given, np.ndarray):
        return given[:5] % 5
    if type(given) is tuple and all(isinstance(n, int) for n in given):
        return tuple(min(n, 5) for n in given)
    return given


@pytest.mark.parametrize("row", gpu.memory_rows(), ids=lambda row: row.name)
def test_rows_are_right(card, row):  # noqa: F811
    assert gpu.error(row._replace(inputs=tuple(map(small, row.inputs))), card) < 1e-4


@pytest.mark.parametrize("kernel", gpu.PASSES)
def test_convolutions_are_right(card, kernel):  # noqa: F811
    row = gpu.convolution((1, 6, 3, 5, 3, 2), kernel, "tf32")
    assert 0 < gpu.error(row, card) < gpu.TOLERANCE["tf32"]
    assert isinstance(gpu.on_card(card, row.inputs[0], 0), Card)


def test_torch_does_the_same():
    torch = pytest.importorskip("torch")
    for kernel, index in zip(gpu.PASSES, (None, 0, 1)):
        row = gpu.convolution((1, 6, 3, 5, 3, 2), kernel, "float32")
        given = [
            np.random.default_rng(0).standard_normal(g, "float32") if isinstance(g, gpu.Shape) else g
            for g in row.inputs
        ]
        want = gpu.find("reference", kernel)(*given)
        got = row.peer(torch, *(torch.from_numpy(g) if isinstance(g, np.ndarray) else g for g in given))()
        got = got if index is None else got[index]
        order = (2, 3, 1, 0) if index == 1 else (0, 2, 3, 1)
        np.testing.assert_allclose(got.permute(*order).numpy(), want, rtol=1e-4, atol=1e-4)


def test_a_row_that_fails_says_so():
    record = gpu.guarded("x", "tf32", lambda: 1 / 0)
    good = {"name": "y", "precision": "tf32", "error": 1e-7, "right": True, "ours_us": 3.0, "rate": 2.0, "unit": "GB/s"}
    text = gpu.report([record, good], "Card", "2026-01-01")
    assert "failed: ZeroDivisionError" in text and "| y | tf32 | 1e-07 | 3 |  | 2.0 GB/s |" in text


def test_without_a_card_it_says_so():
    done = subprocess.run([sys.executable, "-m", "benchmarks.gpu"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "No card to measure" in done.stderr


def test_a_step_trains(monkeypatch):
    """On the CPU: what is built is what PyTorch builds."""
    import kerasish as keras

    monkeypatch.setattr(gpu_steps, "BLOCKS", (4, "pool"))
    monkeypatch.setattr(gpu_steps, "SIZE", 6)
    monkeypatch.setattr(keras.config, "set_device", lambda name: None)
    rng = np.random.default_rng(0)
    run = gpu_steps.keras_step(rng.standard_normal((8, 6, 6, 3), "float32"), rng.integers(0, 10, 8))
    losses = [run() for _ in range(5)]
    assert losses[-1] < losses[0]
