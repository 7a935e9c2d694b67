"""Card and CPU, the card being pretended: what is compared agrees, and what would differ is found."""

import numpy as np
import pytest

import kerasish as keras
from benchmarks.gpu import agreement
from parity import libraries
from parity.case import load_all

CASES = {str(case): case for case in load_all()}


def small(keras):
    L = keras.layers
    return keras.Sequential(
        [
            keras.Input((5, 5, 2)),
            L.Conv2D(3, 3, activation="relu", kernel_initializer="he_normal"),
            L.BatchNormalization(),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(4, activation="softmax"),
        ]
    )


def wrong(keras):
    """Other weights on the card than on the CPU."""
    model = small(keras)
    if keras.device.current() == "gpu:0":
        model.set_weights([w + 1e-3 for w in model.get_weights()])
    return model


@pytest.fixture
def on_card(card, monkeypatch):
    monkeypatch.setitem(libraries._chosen, "device", "cpu:0")
    monkeypatch.setattr(libraries, "installed", lambda name: False)  # no TensorFlow
    kept = keras.config.gpu_precision()
    yield
    keras.config.set_gpu_precision(kept)


def test_initial_weights(on_card):
    found = agreement.initial_weights(small)
    assert found["right"] and found["arrays"] == 8
    assert agreement.initial_weights(wrong)["differ"] > 0


def test_dropout_masks(on_card):
    found = agreement.dropout_masks()
    assert found["right"] and found["arrays"] == 5


@pytest.mark.parametrize("way", [("gpu:0", "cpu:0"), ("cpu:0", "gpu:0")])
def test_files(on_card, way):
    assert agreement.opened(small, *way)["right"]


CHOSEN = [
    "layers: Conv2D same, strides 2, relu",
    "layers: AveragePooling2D same",
    "models: two inputs two outputs",
    "models: residual block",
    "files: functional with a nested and a shared part",
    "losses: SparseCategoricalCrossentropy, from_logits=True",
    "initializers: GlorotUniform",
    "random: dropout",
    "optimizers: Adam",
    "errors: wrong rank",
    "errors: label out of range",
]


@pytest.mark.parametrize("name", CHOSEN)
def test_parity_beside_the_cpu(on_card, name):
    found = agreement.parity(CASES[name])
    assert found["right"], found["differs"]
    assert found["beside"] == "kerasish on the CPU"


def test_parity_sees_a_difference(on_card):
    def build(keras):
        return np.full(3, 2.0 if libraries.ours().device.current() == "gpu:0" else 1.0)

    case = CASES["initializers: GlorotUniform"]
    found = agreement.parity(type(case)("x", "y", case.run, build, {"tolerance": 1e-6}))
    assert not found["right"] and "more than 1e-04" in found["differs"]


def test_every_case_is_a_job():
    jobs = agreement.parity_jobs()
    assert set(CASES) <= set(jobs) and "networks: mobilenetv2" in jobs
    assert len(agreement.agreement_jobs()) == 12
