"""Keras's own unit tests: what fails is known, and what is known still fails."""

import pytest

from parity.keras_tests import known, wheel
from parity.keras_tests.command import Outcome


@pytest.mark.slow
@pytest.mark.parametrize("group", wheel.files())
def test_group(group):
    outcome = Outcome(wheel.files()[group])
    assert not outcome.news(), "\n".join(outcome.news())


def test_every_known_failure_is_a_test_that_counts():
    counting = {test for test, status in wheel.baseline().items() if status.startswith("count")}
    reasons = known.load()
    assert set(reasons) <= counting
    assert all(reasons.values())
