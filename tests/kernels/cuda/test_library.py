"""The whole library on a pretended card, beside the CPU: every case of the parity suite, with the reference's kernels.

What a card would refuse fails here: arrays of the host among those on the card, names and arguments that CuPy lacks.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from parity import libraries
from parity.case import load_all
from tests.kernels.cuda import pretend

CASES = [  # but scripts, which start a process, models of which no pixel is computed, and what is about the CPU's sums
    case for case in load_all() if case.family not in ("scripts", "curves") and case.options.get("values", True)
]
NAN = "errors: label out of range"  # on a card the loss is NaN: to look at the labels would be to wait for it
FAMILIES = ("ops", "metrics")  # whose tests the plugin runs, in a process of its own


@pytest.fixture
def card(monkeypatch):
    """A card for kerasish; kerasish on the CPU stands for real Keras."""
    with pretend.card():
        monkeypatch.setattr(libraries, "installed", lambda name: False)
        monkeypatch.setitem(libraries._chosen, "device", "gpu:0")
        yield


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", [case for case in CASES if str(case) != NAN], ids=str)
def test_equals_the_cpu(card, case):
    missed = [f"{f.what}: {f.detail}" for f in case.run(case) if not f.holds]
    assert not missed, "\n".join(missed)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_passes_its_tests_on_the_card(family):
    options = ["-p", "tests.kernels.cuda.pretend", "-p", "no:cacheprovider", "--tb=line"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"tests/{family}"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]
