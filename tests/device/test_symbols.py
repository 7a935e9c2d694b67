"""Kernels that different processes compiled keep apart when one process loads them all from the cache."""

import os
import subprocess
import sys

import pytest

CALL = """
import numpy as np
from kerasish import kernels
a = np.linspace(-1, 1, 1 << 18, dtype="float32")
twin = kernels.twin_of(a)
want = {"add": a + a, "add_relu": np.maximum(a + a, 0), "relu": np.maximum(a, 0), "tanh": np.tanh(a)}
for name in NAMES:
    got = getattr(twin, name)(a, a) if "add" in name else getattr(twin, name)(a)
    assert np.abs(got - want[name]).max() < 1e-6, name
"""


@pytest.mark.slow
def test_closures_of_one_factory(tmp_path):
    together = ["tanh", "relu", "add_relu", "add"]
    for names in (*([name] for name in together), together, together[::-1]):
        environment = {**os.environ, "KERASISH_CACHE_DIR": str(tmp_path)}
        code = CALL.replace("NAMES", repr(names))
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
