"""Random cases of every family against real Keras, each night; not yet in CI, since some subjects still differ."""

import inspect

import pytest

import kerasish
from parity.differential.subject import load_all
from parity.differential.workers import search_all
from parity.libraries import real

SEED = 20261130
CASES = {"ops": 1500, "layers": 700, "losses": 240, "metrics": 320, "optimizers": 120, "models": 150, "training": 100}

WITHOUT_VALUES = {"custom_gradient", "empty", "empty_like"}  # values nobody promises, or a function's


def test_every_family_has_subjects():
    assert {s.family for s in load_all()} == set(CASES)


def test_every_op_is_a_subject():
    ours, theirs, drawn = kerasish.ops, real().ops, {s.name for s in load_all() if s.family == "ops"}
    both = [n for n in dir(theirs) if not n.startswith("_") and hasattr(ours, n)]
    names = [n for n in both if not inspect.ismodule(getattr(theirs, n))]
    names += [f"image.{n}" for n in dir(theirs.image) if not n.startswith("_") and hasattr(ours.image, n)]
    assert len(names) > 200
    assert set(names) - drawn == WITHOUT_VALUES


@pytest.mark.nightly
@pytest.mark.parametrize("family", CASES)
def test_nothing_differs(family):
    subjects = [s for s in load_all() if s.family == family]
    results = list(search_all(subjects, CASES[family], SEED, workers=1))
    assert sum(r.cases for r in results) >= 0.9 * CASES[family]
    assert not [r for r in results if r.found], "\n".join(str(r) for r in results if r.found)
