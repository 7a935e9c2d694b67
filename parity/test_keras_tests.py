"""Keras's own unit tests: what fails is known, and what is known still fails."""

import re

import pytest

from parity.keras_tests import known, wheel
from parity.keras_tests.command import Outcome


@pytest.mark.slow
@pytest.mark.parametrize("group", wheel.files())
def test_group(group):
    news = Outcome(wheel.files()[group]).news()
    if news:  # some of Keras's tests draw numbers without a seed: what is news twice counts
        names = "|".join(re.escape(line.partition(": ")[0]) for line in news)
        news = Outcome(wheel.files()[group], f"^({names})$").news()
    assert not news, "\n".join(news)


def test_every_known_failure_is_a_test_that_counts():
    counting = {test for test, status in wheel.baseline().items() if status.startswith("count")}
    reasons = known.load()
    assert set(reasons) <= counting
    assert all(reasons.values())
