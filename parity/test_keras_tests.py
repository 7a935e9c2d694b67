"""Keras's own unit tests: what fails is known, and what is known still fails."""

import re

import pytest

from parity.keras_tests import known, wheel
from parity.keras_tests.command import Outcome

DTYPES = "NumpyDtypeTest::test_"
PARTS = {"ops.numpy": [f"^(?!.*{DTYPES})", *(f"{DTYPES}[{first}]" for first in ("a-l", "m-z"))]}
"""Groups that are too long for one worker: regular expressions on names, one of which each test matches."""
ITEMS = [(group, part) for group in wheel.files() for part in PARTS.get(group, [None])]


@pytest.mark.slow
@pytest.mark.parametrize("group, part", ITEMS)
def test_group(group, part):
    news = Outcome(wheel.files()[group], part).news()
    if news:  # some of Keras's tests draw numbers without a seed: what is news twice counts
        names = "|".join(re.escape(line.partition(": ")[0]) for line in news)
        news = Outcome(wheel.files()[group], f"^({names})$").news()
    assert not news, "\n".join(news)


def test_parts_leave_out_no_test():
    for group, parts in PARTS.items():
        for test in wheel.counted(wheel.files()[group]):
            assert sum(bool(re.search(part, test)) for part in parts) == 1, test


def test_every_known_failure_is_a_test_that_counts():
    counting = {test for test, status in wheel.baseline().items() if status.startswith("count")}
    reasons = known.load()
    assert set(reasons) <= counting
    assert all(reasons.values())
