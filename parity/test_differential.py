"""Random cases against real Keras: some in CI, more of every family each night."""

import pytest

from parity.differential.subject import load_all
from parity.differential.workers import search_all

SEED = 20261130
FEW = {"losses": 120, "metrics": 160, "optimizers": 60}
MANY = {"ops": 1500, "layers": 700, "models": 150, "training": 100}  # whose differences are not all worked off


def check(family, cases):
    subjects = [s for s in load_all() if s.family == family]
    results = list(search_all(subjects, cases, SEED, workers=1))
    assert sum(r.cases for r in results) >= 0.9 * cases
    assert not [r for r in results if r.found], "\n".join(str(r) for r in results if r.found)


@pytest.mark.slow
@pytest.mark.parametrize("family", FEW)
def test_nothing_differs(family):
    check(family, FEW[family])


@pytest.mark.nightly
@pytest.mark.parametrize("family", MANY)
def test_nothing_differs_in_many_cases(family):
    check(family, MANY[family])
