"""Replayed training steps: the same bits as ordinary ones, whatever is changed between them."""

import copy
import pickle

import numpy as np
import pytest

import kerasish as keras
from kerasish.core.tensor import Tensor
from kerasish.device import memory, natives
from kerasish.models import step_replays
from kerasish.models.step_replays import ORDINARY

L = keras.layers
pytestmark = pytest.mark.skipif(natives.compilation_off(), reason="needs compiled kernels")
RNG = np.random.default_rng(0)
X = RNG.random((80, 12, 12, 4), dtype="float32")
LABELS = RNG.integers(0, 5, 80)
BATCH = 8


def plain(x):
    x = L.Conv2D(16, 3, activation="relu")(x)
    x = L.Dropout(0.25)(L.MaxPooling2D(2)(x))
    return L.Dense(5, activation="softmax")(L.Flatten()(x))


def residual(x):
    x = L.Conv2D(16, 3, padding="same", use_bias=False)(x)
    y = L.ReLU()(L.BatchNormalization()(x))
    y = L.BatchNormalization()(L.Conv2D(16, 3, padding="same", use_bias=False)(y))
    y = L.Activation("relu")(L.Add()([x, y]))
    y = L.Conv2D(8, 1, 2, use_bias=False)(y)
    return L.Dense(5, activation="softmax")(L.GlobalAveragePooling2D()(y))


def mobile(x):
    x = L.ReLU(6.0)(L.BatchNormalization()(L.Conv2D(24, 1)(L.ZeroPadding2D(1)(x))))
    x = L.ReLU(6.0)(L.BatchNormalization()(L.DepthwiseConv2D(3, 2)(L.ZeroPadding2D(((0, 1), (0, 1)))(x))))
    x = L.AveragePooling2D(2)(L.Dropout(0.2)(x))
    return L.Dense(5)(L.Flatten()(x))


def frozen(x):
    x = L.BatchNormalization(trainable=False)(L.Conv2D(16, 3, trainable=False)(x))
    x = L.MaxPooling2D(3, 2)(L.ZeroPadding2D(1)(L.Conv2D(6, 3, activation="relu")(x)))
    return L.Dense(5, activation="softmax")(L.Flatten()(x))


MODELS = {"plain": plain, "residual": residual, "mobile": mobile, "frozen": frozen}
SPARSE = "sparse_categorical_crossentropy"


def model_of(build, optimizer="adam", loss=SPARSE, **options):
    keras.utils.set_random_seed(3)
    inputs = keras.Input(X.shape[1:])
    model = keras.Model(inputs, build(inputs))
    model.compile(optimizer, loss, **options)
    return model


def ordinary(monkeypatch):
    monkeypatch.setattr(step_replays, "ORDINARY", 10**9)


def train(model, change=None, steps=20, weights=None):
    """Losses of steps and the weights after them; `change(model)` is called in the middle."""
    losses = []
    for i in range(steps):
        if change is not None and i == steps // 2:
            change(model)
        part = slice(i % 10 * BATCH, i % 10 * BATCH + BATCH)
        weight = None if weights is None else weights[part]
        logs = model.train_on_batch(X[part], LABELS[part], sample_weight=weight, return_dict=True)
        losses.append(float(logs["loss"]))
    return losses, model.get_weights()


def check_same(got, want):
    assert got[0] == want[0]
    for a, b in zip(got[1], want[1], strict=True):
        np.testing.assert_array_equal(a, b)


def uses(model):
    recorded = model._step_replays.recorded
    return 0 if recorded is None else recorded.uses


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_steps_have_the_same_bits(build, optimizer, monkeypatch):
    model = model_of(build, optimizer)
    got = train(model)
    assert uses(model) >= 20 - ORDINARY - 2
    ordinary(monkeypatch)
    check_same(got, train(model_of(build, optimizer)))


def test_sample_weights_and_losses_of_the_users_own(monkeypatch):
    def loss(y, p):
        return keras.ops.mean(keras.ops.square(p - keras.ops.one_hot(keras.ops.cast(y, "int32"), 5)), -1)

    weights = RNG.random(80).astype("float32")
    model = model_of(plain, loss=loss)
    got = train(model, weights=weights)
    assert uses(model)
    ordinary(monkeypatch)
    check_same(got, train(model_of(plain, loss=loss), weights=weights))


def test_fit_with_metrics_validation_and_a_last_part(monkeypatch):
    def fit():
        model = model_of(residual, metrics=["accuracy"])
        data = (X[:76], LABELS[:76])
        history = model.fit(*data, batch_size=8, epochs=3, validation_data=(X[60:], LABELS[60:]), verbose=0).history
        return model, [list(history.values()), model.get_weights()]

    model, got = fit()
    assert uses(model) > 10
    ordinary(monkeypatch)
    check_same(got, fit()[1])


def freeze(model):
    model.layers[1].trainable = False
    model.compile("sgd", SPARSE)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.layers[1].kernel.assign(model.layers[1].kernel * 0.5),
        lambda model: model.set_weights([w * 0.9 for w in model.get_weights()]),
        lambda model: setattr(model.layers[1], "activation", keras.activations.tanh),
        lambda model: setattr(model.optimizer, "learning_rate", 0.1),
        lambda model: keras.utils.set_random_seed(11),
        freeze,
        lambda model: model.compile("sgd", SPARSE),
    ],
    ids=["assign", "set_weights", "activation", "learning_rate", "seed", "freeze", "compile"],
)
def test_changes_are_seen(change, monkeypatch):
    got = train(model_of(plain), change)
    ordinary(monkeypatch)
    check_same(got, train(model_of(plain), change))


def test_weights_that_are_held_stay_as_they_were():
    model = model_of(residual)
    train(model)
    kernel = model.layers[1].kernel
    held, before = kernel.value, kernel.numpy()
    train(model, steps=3)
    np.testing.assert_array_equal(held.numpy(), before)
    assert not np.array_equal(kernel.numpy(), before)


class Own(L.Layer):
    def call(self, x):
        return x * 2


@pytest.mark.parametrize(
    "build, options",
    [
        (lambda x: plain(Own()(x)), {}),
        (lambda x: plain(L.Conv2D(4, 3, kernel_regularizer="l2")(x)), {}),
        (lambda x: plain(L.Conv2D(4, 3, activity_regularizer="l2")(x)), {}),
        (plain, {"run_eagerly": True}),
    ],
    ids=["own layer", "regularizer", "activity regularizer", "run_eagerly"],
)
def test_what_is_never_recorded(build, options):
    model = model_of(build, **options)
    train(model, steps=8)
    assert model._step_replays.refused and uses(model) == 0


def test_models_with_steps_of_their_own():
    class Mine(keras.Model):
        def compute_loss(self, *args, **kwargs):
            return super().compute_loss(*args, **kwargs) * 2

    inputs = keras.Input(X.shape[1:])
    model = Mine(inputs, plain(inputs))
    model.compile("sgd", SPARSE)
    train(model, steps=8)
    assert model._step_replays is None


def test_a_recording_that_is_wrong_is_not_used(monkeypatch):
    forward = step_replays.Recorded.forward
    monkeypatch.setattr(step_replays.Recorded, "forward", lambda self, arrays: [y + 1 for y in forward(self, arrays)])
    model = model_of(residual)
    got = train(model)
    assert "other results" in model._step_replays.refused and uses(model) == 0
    ordinary(monkeypatch)
    check_same(got, train(model_of(residual)))


def test_copies_train_by_themselves(tmp_path):
    model = model_of(residual)
    train(model)
    path = tmp_path / "model.keras"
    model.save(path)
    others = [copy.deepcopy(model), keras.models.load_model(path), pickle.loads(pickle.dumps(model))]
    want = train(model)
    for other in others[1:]:
        check_same(train(other), want)
    kept = model.get_weights()
    train(others[0])
    for a, b in zip(kept, model.get_weights()):
        np.testing.assert_array_equal(a, b)


class Keeps(list):
    """Tensors that a user kept, each with its numbers when it came."""

    def keep(self, tensor):
        self.append((tensor, tensor.numpy().copy()))

    def check(self, count):
        assert len(self) >= count
        for tensor, numbers in self:
            np.testing.assert_array_equal(tensor.numpy(), numbers)


def keeping_loss(kept):
    def loss(y, p):
        kept.keep(p)
        return keras.losses.sparse_categorical_crossentropy(y, p)

    return {"loss": loss}


def keeping_metric(kept):
    def metric(y, p):
        kept.keep(p)
        return p

    return {"metrics": [metric]}


def keeping_optimizer(kept):
    class Keeping(keras.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            kept.keep(gradient)
            super().update_step(gradient, variable, learning_rate)

    return {"optimizer": Keeping()}


@pytest.mark.parametrize("options", [keeping_loss, keeping_metric, keeping_optimizer])
def test_what_a_user_keeps_of_a_step_stays_as_it_was(options):
    kept = Keeps()
    model = model_of(residual, **options(kept))
    train(model)
    assert uses(model) > 10
    kept.check(20)


def test_a_layer_that_keeps_an_array_of_a_step_ends_its_replays(monkeypatch):
    model, kept = model_of(residual), []
    beside = type(model)._call_model

    def call(self, *args, **kwargs):
        y = beside(self, *args, **kwargs)
        kept.append(Tensor(memory.empty((100_000,))))
        return y

    monkeypatch.setattr(type(model), "_call_model", call)
    train(model, steps=8)
    assert model._step_replays.refused == "arrays of a step are kept after it" and uses(model) == 0
