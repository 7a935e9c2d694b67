"""What a model says of how it is run: `execution_report`, and KERASISH_DEBUG."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers

X, Y = np.random.default_rng(0).standard_normal((8, 6, 6, 2)).astype("float32"), np.arange(8) % 3


class Doubled(layers.Layer):
    """A layer of the user's own."""

    def call(self, x):
        return 2 * x


def convnet(*more):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(4, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
            *more,
            layers.Flatten(name="flat"),
            layers.Dense(3, name="dense"),
        ]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def test_a_model_that_has_not_run_says_so():
    found = convnet().execution_report()
    assert found.training.passes == ["none came yet"] and not found.inference.joined
    assert str(found).splitlines()[0] == f"{found.model}" and "inference" in str(found)


def test_what_was_joined_and_replayed_is_told():
    model = convnet()
    for _ in range(8):
        model.train_on_batch(X, Y)
    for _ in range(20):
        model(X)
    found = model.execution_report()
    assert found.inference.joined == [("conv", "norm", "relu")] and found.training.joined == [("norm", "relu")]
    (line,) = found.inference.passes
    assert line.startswith("batches (8, 6, 6, 2) float32: replayed ")
    assert found.training.passes == [f"steps: replayed, {model._step_replays.recorded.uses} so far"]
    assert "  one kernel: conv + norm + relu" in str(found).splitlines()


def test_a_change_is_told():
    model = convnet()
    for _ in range(20):
        model(X)
    model.get_layer("dense").bias.assign(np.ones(3))
    assert "weights have changed" in model.execution_report().inference.passes[0]
    model.get_layer("norm").epsilon = 0.5
    assert "has changed" in model.execution_report().inference.passes[0]


@pytest.mark.parametrize(
    "more, reason",
    [
        ([Doubled(name="mine")], "layer 'mine' (Doubled) does not say that it may be recorded"),
        ([layers.ReLU(name="r", activity_regularizer="l2")], "layer 'r' (ReLU) has an activity regularizer"),
        ([layers.Activation(lambda x: x + 1, name="a")], "layer 'a' (Activation) has an activation of the user's own"),
    ],
)
def test_what_stands_against_recordings_is_told(more, reason):
    model = convnet(*more)
    for _ in range(6):
        model.train_on_batch(X, Y)
        model(X)
    found = model.execution_report()
    for line in (*found.inference.passes, *found.training.passes):
        assert reason in line


def test_a_model_with_a_call_of_its_own_is_no_graph():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(keras.ops.reshape(x, (len(x), -1)))

    model = Own()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _ in range(2):
        model.train_on_batch(X, Y)
    found = model.execution_report()
    assert found.inference.passes == ["by the layers' own calls: the model is no graph"]
    assert found.training.passes == ["steps: not recorded: the model is no graph"]


@pytest.mark.parametrize("asked, lines", [("", 0), ("1", 2), ("2", 4)])
def test_the_environment_asks_for_a_line_for_each_decision(asked, lines, monkeypatch, capsys):
    monkeypatch.setenv("KERASISH_DEBUG", asked)
    model = convnet()
    for _ in range(8):
        model.train_on_batch(X, Y)
    for _ in range(20):
        model(X)
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("kerasish: model")]
    assert len(told) == lines, told
    if asked == "2":
        assert f"kerasish: model '{model.name}': inference: one kernel for conv + norm + relu" in told
    if asked:
        assert f"kerasish: model '{model.name}': training steps are replayed" in told
