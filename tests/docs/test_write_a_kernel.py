"""The page's code, from the top to the end, as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CARD = """
import numpy; sys.modules["cupy"] = numpy  # the simulator takes its arrays for a card's
"""
CHECKS = """
np.testing.assert_allclose(shrink_cuda(x, t), shrink_reference(x, t))
for mine, reference in zip(shrink_grad_cuda(x, x, t), shrink_grad_reference(x, x, t), strict=True):
    np.testing.assert_allclose(mine, reference)
model = keras.Sequential([keras.Input((5,)), Shrink()])
np.testing.assert_allclose(model(x), x, rtol=1e-6)  # the thresholds are 0
print("done")
"""


@pytest.mark.parametrize("module", ["numba", pytest.param("kerasish.device.cuda_jit", marks=pytest.mark.slow)])
def test_the_code_of_the_page(tmp_path, module):
    """With Numba's `cuda`, and with this library's in its place."""
    page = (ROOT / "docs" / "write_a_kernel.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) == 7
    script = tmp_path / "page.py"
    code = "\n".join(blocks).replace("from numba import cuda", f"from {module} import cuda")
    script.write_text("import sys\n" + CARD + code + CHECKS)
    env = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT), "KERASISH_DEVICE": "cpu"}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=env, timeout=200, check=False)
    assert (done.returncode, done.stdout[-5:]) == (0, "done\n"), done.stderr
    assert "input 0: by the gradient" in done.stdout and "WRONG" not in done.stdout
