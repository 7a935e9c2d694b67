"""Recorded passes of random networks: never refused for a wrong result, and nothing that counts lies in their arena."""

import functools

import numpy as np
import pytest

import kerasish as keras
from kerasish.core.shapes import Window
from kerasish.core.tensor import Tensor
from kerasish.device import natives, threads
from kerasish.kernels import Refused, twin_of
from kerasish.kernels.cpu import replay, replay_choice
from kerasish.models import step_replays

L = keras.layers
pytestmark = pytest.mark.skipif(natives.compilation_off(), reason="needs compiled kernels")
THREADS = 1, 2, 3, 8
SIDE, STEPS = 16, step_replays.ORDINARY + 4


def network(seed):
    """A model of layers whose kernels are native, with random weights and moving averages."""
    rng = np.random.default_rng(seed)
    draw = lambda *choices: choices[rng.integers(len(choices))]
    keras.utils.set_random_seed(seed)
    inputs = x = keras.Input((SIDE, SIDE, draw(3, 16, 32)))
    for _ in range(rng.integers(3, 8)):
        x = draw(convolved, convolved, normalized, pooled, thin, branched)(x, draw)
    x = L.Flatten()(x) if draw(0, 1) else L.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, L.Dense(10, activation=draw(None, "softmax"))(x))
    model.set_weights([random_weights(rng, w) for w in model.get_weights()])
    return model


def random_weights(rng, w):
    fans = np.sqrt(max(1, w.size // w.shape[-1])) if w.ndim > 1 else 4
    return (1 if w.ndim == 1 else 0) + rng.uniform(-1, 1, w.shape) / fans


def convolved(x, draw):
    size, filters = draw(1, 3, 3, 3), draw(8, 16, 32, 64)
    given = {"activation": draw(None, "relu"), "use_bias": draw(True, False), "padding": draw("same", "same", "valid")}
    padding = "same" if x.shape[1] <= 2 else given.pop("padding")
    return L.Conv2D(filters, size, **{**given, "padding": padding})(x)


def normalized(x, draw):
    x = draw(L.BatchNormalization, L.BatchNormalization, L.LayerNormalization)()(x)
    return L.ReLU(draw(None, 6.0))(x) if draw(0, 1) else x


def pooled(x, draw):
    if x.shape[1] < 4:
        return x
    return draw(L.MaxPooling2D, L.MaxPooling2D, L.AveragePooling2D)(2, padding=draw("same", "valid"))(x)


def thin(x, draw):
    layer = draw(
        lambda: L.DepthwiseConv2D(3, padding="same"),
        lambda: L.SeparableConv2D(16, 3, padding="same"),
        lambda: L.ZeroPadding2D(1),
        lambda: L.Activation(draw("tanh", "sigmoid", "silu")),
        lambda: L.Conv2D(32, 3, strides=2, padding="same"),
        lambda: L.Dropout(0.3),
    )
    return layer()(x)


def branched(x, draw):
    y = L.Conv2D(x.shape[-1], 3, padding="same", activation="relu")(x)
    return L.Add()([x, y]) if draw(0, 1) else L.Concatenate()([x, y])


def poison(arena):
    """Makes whatever a recording left in its arena useless."""
    for block in arena.blocks:
        block.fill(255)


def forward_of(model, x):
    """The pass that a model records, and the arrays that stay as they are in it."""
    graph = getattr(model, "_functional", None) or model
    plan = graph._plan_for([Tensor(x)], False)

    def forward(given):
        return [graph._along(plan, [Tensor(a) for a in given], None).value]

    forward([x])
    constants = [v.array for v in graph.variables]
    return forward, constants + [a for step in plan.steps for a in getattr(step.operation, "constants", list)()]


def check_inference(seed, count):
    model = network(seed)
    x = np.random.default_rng(seed).standard_normal((count, *model.inputs[0].shape[1:])).astype("float32")
    forward, constants = forward_of(model, x)
    want = forward([x])
    recording = replay.record(forward, replay.noise([x]), constants)
    poison(recording.arena)
    np.testing.assert_array_equal(recording.run([x])[0], want[0])
    found, _ = replay_choice.fastest(forward, [x], want, constants)
    np.testing.assert_array_equal(found.run([x])[0], want[0])


def check_training(seed, count, monkeypatch, rate=1e-5):
    rng = np.random.default_rng(seed)
    model, twin = network(seed), network(seed)
    x = rng.standard_normal((count, *model.inputs[0].shape[1:])).astype("float32")
    y = rng.standard_normal((count, 10)).astype("float32")
    for one in (model, twin):
        one.compile(keras.optimizers.SGD(rate), "mse")
    for _ in range(STEPS):
        with monkeypatch.context() as patch:
            patch.setattr(step_replays, "LONG", 1e9)
            if (replays := model._step_replays) and replays.recorded:
                poison(replays.recorded.step._kept.arena)
            got = model.train_on_batch(x, y)
            patch.setattr(step_replays.StepReplays, "gradients", step_by_step)
            want = twin.train_on_batch(x, y)
        np.testing.assert_array_equal(got, want)
    assert model._step_replays.recorded.uses > 0, model._step_replays.refused
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def step_by_step(replays, *given):
    return replays.model._step_by_step(*given)


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("seed, workers", [(seed, THREADS[seed % 4]) for seed in range(12)])
def test_inference(seed, workers, count, monkeypatch):
    monkeypatch.setitem(threads._state, "count", workers)
    check_inference(seed, count)


@pytest.mark.parametrize("seed, workers", [(seed, THREADS[seed % 4]) for seed in range(100, 108)])
def test_training(seed, workers, monkeypatch):
    monkeypatch.setitem(threads._state, "count", workers)
    check_training(seed, 4, monkeypatch)


def test_a_run_that_diverges(monkeypatch):
    check_training(1000, 4, monkeypatch, rate=1e3)


def test_models_whose_outputs_never_change():
    """Dead units and a saturated softmax: the outputs say nothing, but each kernel was tried by itself."""
    layers = [L.Conv2D(16, 3, activation="relu"), L.Flatten(), L.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((8, 8, 3)), *layers])
    model.layers[0].bias.assign(np.full(16, -1e6))
    model.layers[2].bias.assign([1e4, 0, 0])
    x = np.random.default_rng(0).standard_normal((4, 8, 8, 3)).astype("float32")
    forward, constants = forward_of(model, x)
    same = forward([x])
    recording, _ = replay_choice.fastest(forward, [x], same, constants)
    x = 1e9 * x[::-1]
    assert not np.array_equal(forward([x]), same)  # now they do
    np.testing.assert_array_equal(recording.run([x])[0], forward([x])[0])


def test_outputs_that_never_change_prove_nothing_of_what_no_kernel_does():
    cpu = twin_of(np.zeros(1))
    x, w = np.ones((4, 8, 8, 3), "float32"), np.zeros((3, 3, 3, 16), "float32")
    function = lambda given: [cpu.conv2d(given[0] * 2, w, Window())]
    with pytest.raises(Refused, match="same for noise as for the inputs, and not all that conv2d got is known"):
        replay_choice.fastest(function, [x], function([x]), [w])


def test_kernels_that_work_in_numpy_are_run_again():
    """Part of it native, part of it not; and nothing native at all."""
    cpu = twin_of(np.zeros(1))
    w = np.random.default_rng(0).standard_normal((3, 3, 3, 2)).astype("float32")
    x = np.random.default_rng(1).standard_normal((2, 9, 9, 3)).astype("float32")

    def function(given):
        y = cpu.depthwise_conv2d(given[0], w, Window())  # repeats its channels
        g = cpu.depthwise_conv2d_grad_input(y, w, x.shape, Window())  # and adds them up
        return [y, cpu.relu_grad(g[:1, :2, :2], g[:1, 2:4, 2:4])]

    recording = replay.record(function, replay.noise([x]), [w])
    for a, b in zip(recording.run([x]), function([x]), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def winograd():
    keras.config.enable_winograd()
    yield
    keras.config.enable_winograd()


def convolutions():
    keras.utils.set_random_seed(1)
    convolution = functools.partial(L.Conv2D, 16, 3, padding="same", activation="relu")
    layers = [convolution(), convolution(), L.GlobalAveragePooling2D(), L.Dense(10)]
    model = keras.Sequential([keras.Input((SIDE, SIDE, 16)), *layers])
    model.compile("sgd", "mse")
    return model


def test_predictions_follow_the_switch(winograd):
    model, x = convolutions(), np.random.default_rng(0).standard_normal((2, SIDE, SIDE, 16)).astype("float32")
    predict = lambda model: [model.predict(x, verbose=0) for _ in range(STEPS)]
    fast = predict(model)
    assert model._functional._replays.known
    keras.config.disable_winograd()
    direct = predict(model)
    np.testing.assert_array_equal(direct, predict(convolutions()))
    assert not np.array_equal(fast[-1], direct[0])
    keras.config.enable_winograd()
    np.testing.assert_array_equal(predict(model), fast)


def test_steps_follow_the_switch(winograd, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, SIDE, SIDE, 16)).astype("float32"), rng.standard_normal((4, 10)).astype("float32")

    def train():
        model, losses = convolutions(), []
        for switch in (keras.config.enable_winograd, keras.config.disable_winograd, keras.config.enable_winograd):
            switch()
            losses += [float(model.train_on_batch(x, y)) for _ in range(STEPS)]
        return model, losses

    model, got = train()
    assert model._step_replays.count or model._step_replays.recorded
    monkeypatch.setattr(step_replays.StepReplays, "gradients", step_by_step)
    assert got == train()[1]


@pytest.mark.nightly
@pytest.mark.parametrize("workers", THREADS)
@pytest.mark.parametrize("seed", range(1000, 1060))
def test_many(seed, workers, monkeypatch):
    monkeypatch.setitem(threads._state, "count", workers)
    check_inference(seed, 1 + seed % 9)
    check_training(seed, 4, monkeypatch)


@pytest.mark.parametrize("count", [1, 64])
def test_what_is_made_once_lies_where_no_earlier_call_writes(count, monkeypatch):
    """The filters of the last convolution, made once, against the scratch memory of two threads in an earlier one."""
    monkeypatch.setitem(threads._state, "count", 2)
    convolution = functools.partial(L.Conv2D, padding="same", activation="relu")
    layers = [convolution(32, 3), L.BatchNormalization(), convolution(32, 3), L.BatchNormalization()]
    model = keras.Sequential([keras.Input((32, 32, 3)), *layers, L.MaxPooling2D(), convolution(64, 3)])
    x = np.random.default_rng(0).standard_normal((count, 32, 32, 3)).astype("float32")
    forward, constants = forward_of(model, x)
    recording = replay.record(forward, replay.noise([x]), constants)
    np.testing.assert_array_equal(recording.run([x])[0], forward([x])[0])
