"""Memory that predictions take is given back."""

import os

import pytest

from benchmarks import memory


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")
def test_predictions_leave_nothing_behind():
    model = memory.convnet()
    assert memory.training(model, examples=640) < 200
    assert memory.predictions(model, 10_000) < 5
