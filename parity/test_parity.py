"""Every case of the suite as a test."""

import pytest

from parity.case import load_all

LONG = ("curves",)  # families


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=pytest.mark.slow) if c.family in LONG else c for c in load_all()], ids=str
)
def test_equals_keras(case):
    findings = case.run(case)
    assert findings, "the case compared nothing"
    missed = [f"{f.what}: {f.detail}" for f in findings if not f.holds]
    assert not missed, "\n".join(missed)
