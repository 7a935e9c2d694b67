"""Small models train on the pretended card as they do on the CPU: device, wrappers and kernels together."""

import numpy as np
import pytest

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


def momentum():
    return keras.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=1.0)


def from_logits():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


CASES = {
    "adam": (convolutional, (8, 8, 3), "adam", "sparse_categorical_crossentropy"),
    "momentum": (
        residual,
        (6, 6, 4),
        momentum,
        from_logits,
    ),
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


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
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


def test_a_step_moves_next_to_nothing(card):
    """The batch goes up; what else moves are single numbers, not parameters, activations or gradients."""
    with keras.device("gpu:0"):
        model = convolutional()
        model.compile("adam", "sparse_categorical_crossentropy")
        x, y = keras.ops.ones((2, 8, 8, 3)), keras.ops.zeros((2,), "int32")
        model.train_step((x, y))
        fake_cupy.moved.clear()
        model.train_step((x, y))
    assert sum(n for _, n in fake_cupy.moved) < 100, fake_cupy.moved
