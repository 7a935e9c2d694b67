"""Memory that predictions take is given back; in a process of its own, since a peak is that of the whole process."""

import os
import subprocess
import sys

import pytest

CODE = """
from benchmarks import memory
model = memory.convnet()
print(memory.training(model, examples=640), memory.predictions(model, 10_000))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")
def test_predictions_leave_nothing_behind():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    training, predictions = map(float, done.stdout.split())
    assert training < 200
    assert predictions < 5
