"""Explained differences of the random test: each is about subjects that there are, and about no others by accident."""

import pytest

pytest.importorskip("hypothesis")
known = pytest.importorskip("parity.differential.known")
subject = pytest.importorskip("parity.differential.subject")


@pytest.fixture(scope="module")
def names():
    return [str(s) for s in subject.load_all()]


@pytest.mark.parametrize("pattern", sorted({p for entry in known.KNOWN for p in entry.subjects.split()}))
def test_it_names_subjects(pattern, names):
    about = [name for name in names if known.Known(pattern, None, "").explains(name)]
    assert len(about) > 1 if set("*?[") & set(pattern) else about == [pattern]


def test_the_beginning_of_a_name_is_not_the_name():
    average = known.Known("layers/Average ops/norm", None, "")
    assert average.explains("layers/Average") and average.explains("ops/norm")
    assert not average.explains("layers/AveragePooling1D") and not average.explains("ops/normalize")


def test_a_reason_is_given_once():
    about = [(entry.subjects, entry.holds, entry.reason) for entry in known.KNOWN]
    assert len(about) == len(set(about))
