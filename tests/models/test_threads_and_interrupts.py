"""Predicting while another thread trains, and Ctrl-C at any moment: what comes after is right."""

import copy
import sys
import threading

import numpy as np
import pytest

import kerasish as keras
from kerasish.core import autodiff, scopes
from kerasish.device import memory, natives, raw, threads
from kerasish.layers import calling
from kerasish.models.functional import Functional

L = keras.layers
pytestmark = [
    pytest.mark.skipif(natives.compilation_off(), reason="needs compiled kernels"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # interrupts that hit a finalizer
]
RNG = np.random.default_rng(0)
X = RNG.standard_normal((16, 8, 8, 3)).astype("float32")
Y = RNG.standard_normal((16, 4)).astype("float32")


def model_of(optimizer="sgd"):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            L.Conv2D(8, 3, padding="same", use_bias=False),
            L.BatchNormalization(),
            L.ReLU(),
            L.MaxPooling2D(),
            L.Conv2D(8, 3, activation="relu"),
            L.Flatten(),
            L.Dense(4),
        ]
    )
    model.compile(optimizer, "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def fresh(model):
    """A copy that has never computed anything."""
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    return twin


def check_predictions(model, rows=(1, 16)):
    twin = fresh(model)
    for count in rows:
        np.testing.assert_array_equal(model.predict(X[:count], verbose=0), twin.predict(X[:count], verbose=0))


# -- threads


def predict_meanwhile(model, work, count=4):
    """Threads that predict while this one works; what they raised."""
    stop, errors = threading.Event(), []

    def predict():
        try:
            while not stop.is_set():
                model.predict(X[:1], verbose=0)
                model.predict(X, verbose=0)
        except BaseException as error:
            errors.append(error)

    others = [threading.Thread(target=predict) for _ in range(count)]
    for thread in others:
        thread.start()
    try:
        work()
    finally:
        stop.set()
        for thread in others:
            thread.join()
    return errors


def check_rounds(rounds):
    model, interval = model_of(keras.optimizers.Adam(1e-2)), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for i in range(rounds):

            def work(i=i):
                for _ in range(3 + i % 3):
                    model.train_on_batch(X, Y)
                if i % 2:
                    model.layers[0].kernel.assign(model.layers[0].kernel * 1.01)
                if i % 3 == 2:
                    model.layers[1].epsilon = 0.001 * (1 + i)

            assert not predict_meanwhile(model, work)
            twin = fresh(model)
            twin.layers[1].epsilon = model.layers[1].epsilon
            for _ in range(2):
                for count in (1, 16):
                    np.testing.assert_array_equal(
                        model.predict(X[:count], verbose=0), twin.predict(X[:count], verbose=0)
                    )
    finally:
        sys.setswitchinterval(interval)


def test_predictions_while_a_model_trains():
    check_rounds(6)


@pytest.mark.nightly
def test_predictions_while_a_model_trains_for_long():
    check_rounds(100)


def test_two_models_train_at_once():
    """Recordings of one thread take nothing from the other."""
    models = [model_of(), model_of()]

    def run(model):
        for _ in range(14):
            model.train_on_batch(X, Y)

    both = [threading.Thread(target=run, args=(model,)) for model in models]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    alone = model_of()
    run(alone)
    for model in models:
        for a, b in zip(model.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


# -- interrupts


class Interrupt:
    """Raises KeyboardInterrupt at the n-th place at which the interpreter might: a function begins, or a call ends."""

    def __init__(self, place):
        self.place, self.seen = place, 0

    def __call__(self, frame, event, argument):
        if event in ("call", "return", "c_return"):
            self.seen += 1
            if self.seen == self.place:
                sys.setprofile(None)
                raise KeyboardInterrupt

    def during(self, function):
        """Whether the function was interrupted."""
        sys.setprofile(self)
        try:
            function()
        except KeyboardInterrupt:
            return True
        finally:
            sys.setprofile(None)
        return False


def check_nothing_stays_open():
    assert calling.state.stack == [] and calling.state.training is None
    assert autodiff._tapes.active == [] and scopes.open_names() == [] and not scopes.shapes_only()
    assert raw.recorder is None and memory._arena is None
    assert threads.wanted(1e12) == threads.get_num_threads()


def step_by_step(monkeypatch):
    return monkeypatch.setattr(Functional, "_plan_for", lambda self, values, training: None)


def fit(model, steps=9):
    model.fit(np.concatenate([X] * steps), np.concatenate([Y] * steps), batch_size=16, shuffle=False, verbose=0)


def check_after_interrupt(model):
    check_nothing_stays_open()
    assert model._inside is None
    check_predictions(model)
    twin = copy.deepcopy(model)
    for one in (model, twin):
        fit(one, 7)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    check_predictions(model)


def check_interrupts(count, seed):
    """Of fits in which a step is recorded, proven and replayed, at places drawn at random."""
    whole, model = Interrupt(0), model_of("adam")
    fit(model_of("adam"))  # what is made once, at the first call, counts for nothing
    whole.during(lambda: fit(model))
    places = np.random.default_rng(seed).integers(1, whole.seen, count)
    interrupted = 0
    for place in places:
        model = model_of("adam")
        interrupted += Interrupt(place).during(lambda model=model: fit(model))
        check_after_interrupt(model)
    assert interrupted > 0.8 * count  # a few are lost in finalizers


def test_fit_after_interrupts():
    check_interrupts(12, seed=1)


@pytest.mark.nightly
def test_fit_after_many_interrupts():
    check_interrupts(150, seed=2)


def check_interrupted_predictions(count, seed):
    """Of predictions in which a pass is recorded."""

    def predict(model):
        for _ in range(4):
            model.predict(X[:1], verbose=0)

    whole, model = Interrupt(0), model_of()
    predict(model_of())
    whole.during(lambda: predict(model))
    for place in np.random.default_rng(seed).integers(1, whole.seen, count):
        model = model_of()
        Interrupt(place).during(lambda model=model: predict(model))
        check_nothing_stays_open()
        for _ in range(4):
            check_predictions(model)


def test_predict_after_interrupts():
    check_interrupted_predictions(15, seed=3)


@pytest.mark.nightly
def test_predict_after_many_interrupts():
    check_interrupted_predictions(150, seed=4)


@pytest.mark.parametrize("place", range(1, 400, 13))
def test_a_call_after_interrupts(place):
    """Of the model itself: no loop is there that could bring anything back."""
    model = model_of()
    x = keras.ops.convert_to_tensor(X)
    want = model(x, training=False).numpy()
    Interrupt(place).during(lambda: model(x, training=True))
    assert calling.state.stack == [] and calling.state.training is None and scopes.open_names() == []
    model.set_weights(fresh(model).get_weights())
    twin = fresh(model)
    np.testing.assert_array_equal(model(x), twin(x))
    assert want.shape == model(x).shape


def test_stateless_call_after_interrupts():
    model = model_of()
    trained, fixed = (
        [v.numpy() for v in group] for group in (model.trainable_variables, model.non_trainable_variables)
    )
    for place in range(1, 600, 29):
        Interrupt(place).during(lambda: model.stateless_call([w * 2 for w in trained], fixed, X))
        for v, w in zip(model.trainable_variables, trained, strict=True):
            np.testing.assert_array_equal(v, w)
