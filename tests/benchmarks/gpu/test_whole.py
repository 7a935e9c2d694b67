"""The whole command on the pretended card: every group of jobs has one that runs."""

import json
import sys

import pytest

pytest.importorskip("greenlet", reason="the emulator runs threads as greenlets")

from benchmarks.gpu import __main__ as command
from benchmarks.gpu import networks, run
from tests.benchmarks.gpu.networks import LITTLE
from tests.benchmarks.gpu.pretended import pretended

ONLY = {
    "kernels softmax": 2,
    "more kernels dense 32x2048 -> 1001, gradient of input [float32]": 1,
    "compile every kernel": 2,
    "steps ResNet-50 little: kerasish": 1,
    "agreement dropout masks": 1,
    "parity layers: Dense on an image": 1,
}


@pytest.fixture
def card(monkeypatch):
    monkeypatch.setattr(run.Worker, "command", [sys.executable, "-m", "tests.benchmarks.gpu.pretended"])
    with pretended() as cupy:
        yield cupy


@pytest.mark.slow
@pytest.mark.parametrize(("only", "count"), ONLY.items(), ids=list(ONLY))
def test_a_job_of_every_group(card, tmp_path, monkeypatch, only, count):
    path = tmp_path / "gpu.json"
    monkeypatch.setitem(networks.TRAININGS, "ResNet-50 little", LITTLE)
    assert command.main(["--out", str(path), "--only", only]) == 0
    found = json.loads(path.read_text())
    assert found["card"]["name"] == "Pretended" and found["card"]["clock_ghz"] == 1.5
    assert found["card"]["peak_tflops"] == pytest.approx(4 * 128 * 2 * 1.5e-3)
    assert len(found["records"]) == count
    assert not [r for r in found["records"] if "failed" in r]
    assert all(r.get("right", True) for r in found["records"])
