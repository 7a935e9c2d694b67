"""The tests that `.ci/nightly lowest` runs need neither real Keras nor what it stands on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ABSENT = "import sys; sys.modules.update(dict.fromkeys(('keras', 'tensorflow', 'jax', 'torch')))"


def of_lowest():
    """The files and folders that are named there."""
    return re.search(r'lowest\(\) \{.*?tests="(.*?)"', (ROOT / ".ci/nightly").read_text(), re.S)[1].split()


@pytest.fixture(scope="module")
def collected():
    """What pytest collects of them without those libraries."""
    command = f"{ABSENT}; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    options = ["--collect-only", "-q", "-m", "not slow and not nightly", "-k", "not equals_keras"]
    options += ["-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-c", command, *options, *of_lowest()], cwd=ROOT, capture_output=True, text=True
    )


def test_all_can_be_imported(collected):
    assert collected.returncode == 0, collected.stdout[-2000:] + collected.stderr[-2000:]


@pytest.mark.parametrize("name", of_lowest())
def test_each_has_tests_left(collected, name):
    assert re.search(rf"^{re.escape(name)}\S*: [1-9]", collected.stdout, re.M), "none is left without Keras"
