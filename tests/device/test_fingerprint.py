"""A user's kernel is compiled anew when what it is made of has changed, and only then."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNEL = """
import sys
import numpy as np
from kerasish.device.fingerprint import fingerprint
from kerasish.device.jit import FASTMATH, njit, prange
import helper
from helper import LIMIT, double

TABLE, NAMES = np.arange(3.0), {"a", "b", "c"}

@njit(fastmath=FASTMATH)
def inner(x):
    return double(x) + helper.OTHER + TABLE[1]

@njit(parallel=True)
def kernel(tasks, y):
    for task in prange(tasks):
        y[task] = inner(LIMIT) if task in {1, 2, 3} else np.float32(np.pi)

print(fingerprint(kernel.function, sorted(kernel.fastmath)))
"""
HELPER = "LIMIT = 3\nOTHER = 4\ndef double(x):\n    return 2 * x\n"
CHANGES = {
    "nothing": (KERNEL, HELPER, True),
    "another place in the file": ("\n\n" + KERNEL, HELPER, True),
    "the body": (KERNEL.replace("y[task] =", "y[-task] ="), HELPER, False),
    "what is called": (KERNEL.replace("double(x) +", "double(x) -"), HELPER, False),
    "its options": (KERNEL.replace("(fastmath=FASTMATH)", ""), HELPER, False),
    "an array": (KERNEL.replace("arange(3.0)", "arange(4.0)"), HELPER, False),
    "a number of another module": (KERNEL, HELPER.replace("LIMIT = 3", "LIMIT = 5"), False),
    "an attribute of another module": (KERNEL, HELPER.replace("OTHER = 4", "OTHER = 5"), False),
    "a function of another module": (KERNEL, HELPER.replace("2 * x", "3 * x"), False),
}


def said(folder, kernel, helper):
    (folder / "kernel.py").write_text(textwrap.dedent(kernel))
    (folder / "helper.py").write_text(helper)
    code = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]; sys.dont_write_bytecode = True; import kernel"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    return said(tmp_path_factory.mktemp("before"), KERNEL, HELPER)


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_the_fingerprint(name, tmp_path, before):
    kernel, helper, same = CHANGES[name]
    assert len(before.strip()) == 12
    assert (said(tmp_path, kernel, helper) == before) == same
