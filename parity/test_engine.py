"""A training row by plain Numba, in a process of its own: what the pool gives, and what Keras gives."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kerasish.device import natives
from parity.engine_row import row, trained
from parity.libraries import real

pytestmark = [pytest.mark.slow, pytest.mark.skipif(natives.compilation_off(), reason="needs compiled kernels")]
ROOT = Path(__file__).parents[1]
FAMILIES = {
    "batch_norm": {"_train", "_gradient"},
    "depthwise": {"_forward", "_filters"},
    "outer": {"_outer_products"},  # filters' gradients
    "pool": {"_largest", "_spread"},
    "product": {"_products"},  # convolution, dense, and gradients of their inputs
    "softmax": {"_softmax", "_sparse_cross_entropy"},
    "update": {"_update"},
}


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """By engine, what the row comes to."""
    found = {}
    for engine in ("pool", "numba"):
        file = tmp_path_factory.mktemp("row") / f"{engine}.npz"
        env = {**os.environ, "KERASISH_ENGINE": engine, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-W", "ignore", "-m", "parity.engine_row", str(file)]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stderr
        found[engine] = dict(np.load(file))
        assert found[engine].pop("engine") == engine
    return found


def test_plain_numba_shares_each_familys_loops_among_threads(values):
    assert not values["pool"]["kernels"].size
    ran = [name.rsplit(".", 2)[-2:] for name in values["numba"]["kernels"]]
    for family, kernels in FAMILIES.items():
        assert kernels <= {name for module, name in ran if module == family}, family


def test_as_by_the_pool(values):
    assert values["numba"].keys() == values["pool"].keys() and len(values["pool"]["losses"]) == 3
    for what, want in values["pool"].items():
        if what != "kernels":
            np.testing.assert_allclose(values["numba"][what], want, rtol=1e-6, atol=1e-7, err_msg=what)


@pytest.mark.filterwarnings("ignore")
def test_losses_as_in_keras(values):
    """Within the tolerance of the suite's rows: Adam makes large steps of gradients that are all rounding."""
    want = trained(real())["losses"]
    np.testing.assert_allclose(values["numba"]["losses"], want, rtol=row().options.get("tolerance", 1e-5))
