"""Random cases of every family against real Keras: some for every change, ten thousand each night."""

import pytest

from parity.differential.subject import load_all
from parity.differential.workers import search_all

SEED = 20261130
CASES = {"ops": 1500, "layers": 700, "losses": 240, "metrics": 320, "optimizers": 120, "models": 150, "training": 100}
OFTEN = 500  # cases for every change, in proportion, but at least two of each subject


def search(family, cases, seed):
    subjects = [s for s in load_all() if s.family == family]
    results = list(search_all(subjects, cases, seed, workers=1))
    assert not [r for r in results if r.found], "\n".join(str(r) for r in results if r.found)
    assert sum(r.cases for r in results) >= 0.9 * cases or any(r.died for r in results)  # at TensorFlow's hands


def test_every_family_has_subjects():
    assert {s.family for s in load_all()} == set(CASES)


@pytest.mark.slow
@pytest.mark.parametrize("family", CASES)
def test_nothing_differs(family):
    search(family, OFTEN * CASES[family] // sum(CASES.values()), SEED)


@pytest.mark.nightly
@pytest.mark.parametrize("family", CASES)
def test_nothing_differs_in_many_cases(family):
    search(family, CASES[family], SEED + 1)
