"""Models and what they are fed lie on different devices; a model runs where its weights lie. The card is pretended."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import device
from tests.kernels.cuda import fake_cupy
from tests.kernels.cuda.conftest import card  # noqa: F401

X, Y = np.random.default_rng(0).standard_normal((6, 4), "float32"), np.array([0, 1, 2, 0, 1, 2])


def model(accuracy=None):
    keras.utils.set_random_seed(3)
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    made.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=[accuracy or keras.metrics.SparseCategoricalAccuracy()],
    )
    return made


def used(made):
    """What a model gives in every kind of run."""
    fitted = made.fit(X, Y, batch_size=3, epochs=2, verbose=0, shuffle=False, validation_data=(X, Y)).history
    values = [*fitted.values(), made.train_on_batch(X, Y), made.test_on_batch(X, Y), made.evaluate(X, Y, verbose=0)]
    return [np.array(v, "float32") for v in (*values, made.predict(X, verbose=0), made.predict_on_batch(X))]


def placed(made):
    return {device.where(v.array) for v in made.weights}


def test_a_model_made_on_the_card_is_used_outside(card):  # noqa: F811
    want = used(model())
    with keras.device("gpu:0"):
        made = model()
    assert device.current() == "cpu:0"
    for got, expected in zip(used(made), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    assert placed(made) == {"gpu:0"}
    assert {device.where(v.array) for m in made.metrics for v in m.variables} == {"gpu:0"}


def test_a_model_of_the_host_is_used_where_a_card_is_chosen(card):  # noqa: F811
    want = used(model())
    made = model()
    with keras.device("gpu:0"):
        for got, expected in zip(used(made), want, strict=True):
            np.testing.assert_array_equal(got, expected)
    assert placed(made) == {"cpu:0"}


def test_metrics_made_before_follow_the_weights(card):  # noqa: F811
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    with keras.device("gpu:0"):
        made = model()
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=[accuracy])
    made.evaluate(X, Y, verbose=0)
    assert {type(v.array) for v in accuracy.variables} == {fake_cupy.Card}


def test_batches_on_the_other_device_are_brought(card):  # noqa: F811
    with keras.device("gpu:0"):
        x, y, there = keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(Y), model()
    here = model()
    want = here.test_on_batch(X, Y)
    np.testing.assert_allclose(here.test_on_batch(x, y), want, rtol=1e-6)
    np.testing.assert_allclose(there.test_on_batch(X, Y), want, rtol=1e-5)
    np.testing.assert_allclose(there.predict(x, verbose=0), here.predict(X, verbose=0), rtol=1e-5)


@pytest.mark.parametrize("kind", ["keras", "weights.h5"])
@pytest.mark.parametrize("first", ["gpu:0", "cpu:0"])
def test_a_file_saved_on_one_device_opens_on_the_other(card, tmp_path, first, kind):  # noqa: F811
    second, path = {"gpu:0": "cpu:0", "cpu:0": "gpu:0"}[first], tmp_path / f"model.{kind}"
    with keras.device(first):
        made = model()
        made.fit(X, Y, verbose=0)
        want = made.predict(X, verbose=0)
        made.save(path) if kind == "keras" else made.save_weights(path)
    with keras.device(second):
        opened = keras.models.load_model(path) if kind == "keras" else model()
        if kind != "keras":
            opened.optimizer.build(opened.trainable_variables)
            opened.load_weights(path)
        assert placed(opened) == {second}
        np.testing.assert_allclose(opened.predict(X, verbose=0), want, rtol=1e-5, atol=1e-6)
        opened.fit(X, Y, verbose=0)
    with keras.device(first):
        made.fit(X, Y, verbose=0)
    for a, b in zip(opened.get_weights(), made.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_calling_a_model_with_what_lies_elsewhere_says_so(card):  # noqa: F811
    with keras.device("gpu:0"):
        made = model()
    with pytest.raises(ValueError, match=r"(?s)several devices.*\(6, 4\) on cpu:0.*keras.device\('gpu:0'\)"):
        made(X)
