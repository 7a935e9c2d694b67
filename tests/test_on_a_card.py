"""On a card itself, where one answers. In processes of their own: from these tests cards are hidden, for TensorFlow."""

import functools
import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.gpu

ROWS = """
from benchmarks.gpu import card, kernels
from benchmarks.gpu.convolutions import arithmetic_rows
from benchmarks.gpu.rows import memory_rows
cupy = card.open_card()
for row in [*memory_rows(), *arithmetic_rows()]:
    found = kernels.check(row._replace(inputs=row.tiny), cupy)
    print(row.title, found["error"])
    assert found["right"], found
"""


def python(*arguments):
    """A Python that sees the cards."""
    environment = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False)


@functools.cache
def reason():
    """Why there is no card to be used; empty if there is."""
    return python("-c", "from kerasish.device import cuda; print(cuda.missing() or '')").stdout.strip()


@pytest.fixture(autouse=True)
def needs_a_card():
    if reason():
        pytest.skip(f"needs a card: {reason()}")


def test_every_kernel_is_right():
    done = python("-c", ROWS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("group", ["agreement", "parity"])
def test_card_and_host_agree(tmp_path, group):
    """Initial weights, dropout masks, files of one opened on the other; the cases of parity."""
    file = tmp_path / "gpu.json"
    done = python("-m", "benchmarks.gpu", "--only", group, "--minutes", "8", "--out", str(file))
    records = json.loads(file.read_text())["records"]
    wrong = [record for record in records if not record.get("right")]
    assert records and not wrong, f"{wrong}\n{done.stdout}\n{done.stderr}"
