"""Small models train on the pretended card as they do on the CPU: device, wrappers and kernels together."""

import numpy as np
import pytest

pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install '.[cuda-test]'")
pytest.importorskip("greenlet", reason="the emulator runs threads as greenlets")

import kerasish as keras
from kerasish.device import cuda_jit
from tests.kernels.cuda import emulator, fake_cupy

layers = keras.layers


def convolutional():
    """Every family of kernels has a part in it."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.MaxPooling2D(2),
            layers.LayerNormalization(),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(5, activation="softmax"),
        ]
    )


def residual():
    """A graph with two branches, a transposed convolution, averages."""
    x = keras.Input((6, 6, 4))
    y = layers.Conv2D(4, 1)(x)
    y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
    y = layers.ReLU()(layers.Add()([x, y]))
    y = layers.Conv2DTranspose(4, 2, strides=2)(y)
    y = layers.AveragePooling2D(3, 2, "same")(y)
    return keras.Model(x, layers.Dense(5)(layers.GlobalAveragePooling2D()(y)))


def volumetric():
    """Three axes, and groups of channels."""
    x = keras.Input((3, 4, 3, 2))
    y = layers.Conv3D(8, 3, strides=(1, 2, 1), padding="same", activation="relu")(x)
    y = layers.GroupNormalization(4)(y)
    y = layers.MaxPooling3D(2, padding="same")(y)
    y = layers.Conv3DTranspose(4, 2, strides=2)(y)
    y = layers.GroupNormalization(2, scale=False)(layers.AveragePooling3D(2, 1)(y))
    return keras.Model(x, layers.Dense(5)(layers.Flatten()(y)))


def momentum():
    return keras.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=1.0)


def from_logits():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


CASES = {
    "adam": (convolutional, (8, 8, 3), "adam", "sparse_categorical_crossentropy"),
    "momentum": (residual, (6, 6, 4), momentum, from_logits),
    "volumes": (volumetric, (3, 4, 3, 2), "adam", from_logits),
}


def trained(build, shape, optimizer, loss):
    """What comes of two batches, an epoch, an evaluation and a prediction."""
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, *shape)).astype("float32"), rng.integers(0, 5, 8)
    model = build()
    made = [part() if callable(part) else part for part in (optimizer, loss)]
    model.compile(*made, metrics=["accuracy"])
    logs = [model.train_on_batch(x, y) for _ in range(2)]
    history = model.fit(x, y, batch_size=4, verbose=0).history
    values = [*logs, model.evaluate(x, y, verbose=0), history["loss"]]
    return model, [np.array(v) for v in (*values, model.predict(x, verbose=0), *model.get_weights())]


def marked(name):
    return pytest.param(CASES[name], id=name, marks=[] if name == "adam" else [pytest.mark.slow])


@pytest.mark.parametrize("case", [marked(name) for name in CASES])
def test_training_on_a_card_equals_training_on_the_cpu(card, case, monkeypatch):
    launched = set()
    monkeypatch.setattr(cuda_jit, "launch", lambda k, *rest: (launched.add(k.name), emulator.launch(k, *rest)))
    _, want = trained(*case)
    assert not launched
    with keras.device("gpu:0"):
        model, got = trained(*case)
    assert all(isinstance(v.array, fake_cupy.Card) for v in model.weights)
    assert len(launched) >= 12
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-4, atol=1e-5)


def test_a_step_waits_for_nothing(card):
    """Nothing comes down from the card; up go the addresses of the optimizer's arrays, if they have changed."""
    with keras.device("gpu:0"):
        model = convolutional()
        model.compile("adam", "sparse_categorical_crossentropy")
        x, y = keras.ops.ones((2, 8, 8, 3)), keras.ops.zeros((2,), "int32")
        step = model._quiet_step("train")
        step((x, y))
        fake_cupy.moved.clear()
        step((x, y))
    addresses = 4 * len(model.trainable_variables)
    assert fake_cupy.moved in ([], [("up", addresses)])


def test_an_optimizer_and_a_schedule_of_one_s_own(card):
    """The learning rate is the host's, and comes to the card when a user's step asks for it as a tensor."""

    class Descent(keras.optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, gradient * learning_rate)

    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    with keras.device("gpu:0"):
        variable = keras.Variable([1.0, 2.0])
        for optimizer in (Descent(schedule), keras.optimizers.SGD(schedule, momentum=0.5)):
            for _ in range(2):
                optimizer.apply([keras.ops.ones(2)], [variable])
            variable.assign(variable * 1.0)
    # twice: 0.1 and 0.05; then 0.1, and 0.05 with half of the step before it
    assert type(variable.array) is fake_cupy.Card
    np.testing.assert_allclose(variable.numpy(), np.array([1.0, 2.0]) - 0.15 - 0.2, rtol=1e-6)
