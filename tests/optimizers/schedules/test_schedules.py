"""Learning rate schedules at many steps, beside real Keras."""

import inspect

import numpy as np
import pytest

from kerasish.core.variable import Variable
from kerasish.optimizers import schedules as ours

keras = pytest.importorskip("keras")
theirs = keras.optimizers.schedules

ROWS = [
    ("ExponentialDecay", (0.1, 10, 0.5)),
    ("ExponentialDecay", (0.1, 10, 0.5, True)),
    ("InverseTimeDecay", (0.1, 10, 0.5)),
    ("InverseTimeDecay", (0.1, 10, 0.5, True)),
    ("PiecewiseConstantDecay", ([3, 17, 20], [0.1, 0.2, 0.05, 0.3])),
    ("PiecewiseConstantDecay", ([3.5], [1.0, 2.0])),
    ("PolynomialDecay", (0.1, 10)),
    ("PolynomialDecay", (0.1, 10, 0.01, 2.0)),
    ("PolynomialDecay", (0.1, 7, 0.01, 0.5, True)),
    ("CosineDecay", (0.1, 20)),
    ("CosineDecay", (0.1, 20, 0.3)),
    ("CosineDecay", (0.0, 20, 0.1, "c", 0.2, 10)),
    ("CosineDecay", (0.05, 20, 0.0, "c", 0.2, 0)),
    ("CosineDecay", (0.05, 20, 0.1, "c", 0.2, 10)),
    ("CosineDecay", (0.2, 20, 0.0, "c", 0.05, 7)),
    ("CosineDecayRestarts", (0.1, 5)),
    ("CosineDecayRestarts", (0.1, 5, 1.0, 0.8, 0.1)),
    ("CosineDecayRestarts", (0.1, 5, 1.5, 0.5)),
]


@pytest.mark.parametrize("name, args", ROWS, ids=str)
def test_rates(name, args):
    mine, reference = getattr(ours, name)(*args), getattr(theirs, name)(*args)
    for step in [*range(42), 10_000, 3.7]:
        got, want = mine(step), reference(step)
        assert (got.shape, got.dtype) == ((), "float32")
        np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=2e-5, atol=1e-8, err_msg=str(step))
    assert float(mine(Variable(3, dtype="int64"))) == float(mine(3))
    assert mine.get_config() == reference.get_config()
    assert ours.serialize(mine) == theirs.serialize(reference)
    assert ours.deserialize(theirs.serialize(reference)).get_config() == mine.get_config()


@pytest.mark.parametrize("name", [n for n in dir(theirs) if n.endswith(("Decay", "Restarts"))])
def test_signature(name):
    mine, reference = (inspect.signature(getattr(m, name)).parameters.values() for m in (ours, theirs))
    assert [(p.name, p.default) for p in mine] == [(p.name, p.default) for p in reference]


ERRORS = [
    lambda m: m.ExponentialDecay(0.1, 0, 0.5),
    lambda m: m.InverseTimeDecay(0.1, -1, 0.5),
    lambda m: m.PolynomialDecay(0.1, 0),
    lambda m: m.CosineDecay(0.1, 0),
    lambda m: m.CosineDecayRestarts(0.1, 0),
    lambda m: m.PiecewiseConstantDecay([1], [1]),
    lambda m: m.LearningRateSchedule()(1),
    lambda m: m.LearningRateSchedule().get_config(),
]


@pytest.mark.parametrize("action", ERRORS, ids=range(len(ERRORS)))
def test_errors(action):
    with pytest.raises(Exception) as want:
        action(theirs)
    with pytest.raises(want.type, match=r"\w+"):
        action(ours)
