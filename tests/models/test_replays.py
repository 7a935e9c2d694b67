"""Replayed inference: the layers' own numbers, whatever changes between calls."""

import copy
import threading

import numpy as np
import pytest

import kerasish as keras
from kerasish.device import natives
from kerasish.models import replays
from kerasish.models.replays import MANY, ORDINARY, SHAPES, Replay

L = keras.layers
pytestmark = pytest.mark.skipif(natives.compilation_off(), reason="needs compiled kernels")
RNG = np.random.default_rng(0)


def images(count=2, side=12, channels=3):
    return RNG.standard_normal((count, side, side, channels)).astype("float32")


def convnet(*more):
    return keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            L.Conv2D(32, 3, padding="same", activation="relu"),
            L.BatchNormalization(),
            L.Conv2D(32, 3, padding="same", use_bias=False),
            L.BatchNormalization(),
            L.ReLU(),
            L.MaxPooling2D(),
            *more,
            L.Flatten(),
            L.Dropout(0.5),
            L.Softmax(),
        ]
    )


def graph_of(model):
    return getattr(model, "_functional", None) or model


def replayed(model, x):
    """The outputs, once they are replayed."""
    recordings = graph_of(model)._replays
    for _ in range(MANY + 2):  # on a busy machine a pass may seem to be one that takes long
        y = model.predict(x, verbose=0)
        if any(isinstance(v, Replay) for v in recordings.known.values()):
            return model.predict(x, verbose=0)
    raise AssertionError(f"never replayed: {recordings.refused}, {y.shape}")


def plainly(model, x):
    """The outputs without a replay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replays.Replays, "run", lambda self, values, plan, ordinary: ordinary(values))
        return model.predict(x, verbose=0)


MODELS = {
    "convnet": lambda: convnet(),
    "thin": lambda: convnet(L.DepthwiseConv2D(3), L.Conv2D(8, 1, activation="tanh"), L.AveragePooling2D(2)),
    "padded": lambda: convnet(L.ZeroPadding2D(1), L.LayerNormalization(), L.Activation("sigmoid")),
}


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
def test_replays_give_the_same_bits(build):
    model = build()
    replayed(model, images())
    for x in (images(), np.zeros((2, 12, 12, 3), "float32"), images()[:, ::-1], images(2, 24)[:, ::2, ::2]):
        np.testing.assert_array_equal(model.predict(x, verbose=0), plainly(model, x))


def test_branches_and_several_outputs():
    inputs = keras.Input((12, 12, 3))
    a = L.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    b = L.Add()([a, L.Conv2D(16, 1)(inputs)])
    model = keras.Model(inputs, {"sum": b, "both": L.Concatenate()([a, b])})
    replayed(model, images())
    x = images()
    got, want = model.predict(x, verbose=0), plainly(model, x)
    assert got.keys() == want.keys()
    for name in got:
        np.testing.assert_array_equal(got[name], want[name])


def squeezed(x):
    """Squeeze and excitation with what else is thin around it."""
    y = L.Rescaling(0.5, 0.1)(x)
    y = L.Conv2D(20, 3, padding="same", activation="silu")(y)
    z = L.Conv2D(20, 1, activation="hard_sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(y))
    y = L.AveragePooling2D(3, 2, padding="same")(L.Multiply()([y, z]))
    y = L.Average()([L.UpSampling2D(2)(y), L.Maximum()([L.Conv2D(20, 1)(x), L.Conv2D(20, 3, padding="same")(x)])])
    return L.GlobalMaxPooling2D()(L.ELU(0.5)(L.MaxPooling2D(3, 2, padding="same")(y)))


def test_all_that_is_thin_is_replayed():
    inputs = keras.Input((12, 12, 3))
    model = keras.Model(inputs, squeezed(inputs))
    replayed(model, images())
    x = images()
    np.testing.assert_array_equal(model.predict(x, verbose=0), plainly(model, x))


def test_results_are_the_callers_own():
    model = convnet()
    first = replayed(model, x := images())
    kept = first.copy()
    first[:] = 0
    model.predict(images(), verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), kept)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.layers[0].kernel.assign(model.layers[0].kernel * 2),
        lambda model: model.layers[3].moving_mean.assign_add(np.full(32, -0.5)),
        lambda model: model.set_weights([w + 0.1 for w in model.get_weights()]),
        lambda model: setattr(model.layers[0], "activation", keras.activations.tanh),
    ],
)
def test_changes_are_seen(change):
    model, x = convnet(), images()
    before = replayed(model, x)
    change(model)
    after = model.predict(x, verbose=0)
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, plainly(model, x))
    np.testing.assert_array_equal(replayed(model, x), after)


def test_training_is_seen():
    model, x, y = convnet(L.Flatten(), L.Dense(5)), images(8), np.zeros(8)
    model.compile("sgd", "sparse_categorical_crossentropy")
    for _ in range(3):
        model.fit(x, y, verbose=0)
        for _ in range(ORDINARY + 2):
            np.testing.assert_array_equal(model.predict(x, verbose=0), plainly(model, x))


def test_gradients_are_taken_through_the_layers():
    model, x = convnet(), keras.ops.convert_to_tensor(images())
    replayed(model, x.numpy())
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = keras.ops.sum(model(x, training=False)[:, 0])
    assert tape.gradient(y, x) is not None


def test_not_a_number_stays_so():
    model, x = convnet(), images()
    replayed(model, x)
    x[1, 3, 3, 1] = np.nan
    y = model.predict(x, verbose=0)
    assert np.isfinite(y[0]).all() and np.isnan(y[1]).any()
    for _ in range(ORDINARY + 2):
        model.predict(np.full((1, 12, 12, 3), np.nan, "float32"), verbose=0)
    x = images(1)
    np.testing.assert_array_equal(model.predict(x, verbose=0), plainly(model, x))


def test_layers_of_the_users_own_are_called_each_time():
    class Count(L.Layer):
        calls = 0

        def call(self, x):
            Count.calls += 1
            return x * 2

    model = convnet(Count())
    before = Count.calls
    for _ in range(6):
        model.predict(images(), verbose=0)
    assert Count.calls == before + 6


def test_few_shapes_are_kept():
    model = convnet()
    for count in range(1, SHAPES + 4):
        replayed(model, images(count))
    assert len(graph_of(model)._replays.known) <= SHAPES


def test_many_threads():
    model = convnet()
    xs = [images() for _ in range(8)]
    replayed(model, xs[0])
    wants = [plainly(model, x) for x in xs]
    wrong = []

    def work(x, want):
        for _ in range(50):
            if not np.array_equal(model.predict(x, verbose=0), want):
                wrong.append(x)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(xs, wants)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_copies_and_files_leave_recordings_behind(tmp_path):
    model, x = convnet(), images()
    want = replayed(model, x)
    model.save(tmp_path / "model.keras")
    for other in (
        copy.deepcopy(model),
        keras.models.clone_model(model),
        keras.models.load_model(tmp_path / "model.keras"),
    ):
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(replayed(other, x), want)
        other.layers[0].kernel.assign(other.layers[0].kernel * 2)
        assert not np.array_equal(other.predict(x, verbose=0), want)
    np.testing.assert_array_equal(model.predict(x, verbose=0), want)


def test_batches_that_take_long_are_tried_with_a_few_images(monkeypatch):
    monkeypatch.setattr(replays, "LONG", 1e-9)
    monkeypatch.setattr(replays, "MANY", 3)
    model, x = convnet(), images(24)
    want = plainly(model, x)
    for _ in range(6):
        np.testing.assert_array_equal(model.predict(x, batch_size=24, verbose=0), want)
