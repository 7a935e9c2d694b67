"""Some hundred random cases against real Keras. `.ci/nightly` runs ten thousand."""

import pytest

from parity.differential.subject import load_all
from parity.differential.workers import search_all

CASES = {"ops": 220, "layers": 130, "losses": 40, "metrics": 60, "optimizers": 30, "models": 30, "training": 15}
SEED = 20261130


@pytest.mark.slow
@pytest.mark.parametrize("family", CASES)
def test_nothing_differs(family):
    subjects = [s for s in load_all() if s.family == family]
    results = list(search_all(subjects, CASES[family], SEED, workers=1))
    assert sum(r.cases for r in results) >= 0.9 * CASES[family]
    assert not [r for r in results if r.found], "\n".join(str(r) for r in results if r.found)
