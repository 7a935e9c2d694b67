"""Weights of classes as weights of samples: numbers, one-hot rows, maps; what cannot be told is refused by name."""

import numpy as np
import pytest

import kerasish as keras
from kerasish.training.data.weights import class_weight_to_sample_weights

RNG = np.random.default_rng(0)
WEIGHTS = {0: 3.0, 1: 0.25}
MAPS = RNG.integers(0, 4, size=(4, 4, 4))  # N = H = W: read as one-hot rows, they would pass
EXPECTED = np.select([MAPS == 0, MAPS == 1], [3.0, 0.25], 1.0)
ONE_HOT = np.eye(4, dtype="float32")
ROWS = {
    "numbers": (MAPS[0, 0], None, EXPECTED[0, 0]),
    "column": (MAPS[0, 0][:, None], None, EXPECTED[0, 0]),
    "one-hot": (ONE_HOT[MAPS[0, 0]], 2, EXPECTED[0, 0]),
    "probabilities": (ONE_HOT[MAPS[0, 0]] * 0.8 + 0.05, None, EXPECTED[0, 0]),
    "maps": (MAPS, None, EXPECTED),
    "maps, rank known": (MAPS, 4, EXPECTED),
    "maps of zeros and ones": (MAPS % 2, 4, np.select([MAPS % 2 == 0], [3.0], 0.25)),
    "maps with a channel": (MAPS[..., None], 4, EXPECTED),
    "one-hot maps": (ONE_HOT[MAPS], 4, EXPECTED),
    "sequences": (MAPS[0], 3, EXPECTED[0]),
}


@pytest.mark.parametrize("y, rank, expected", ROWS.values(), ids=ROWS.keys())
def test_weights(y, rank, expected):
    np.testing.assert_allclose(class_weight_to_sample_weights(y, WEIGHTS, rank), expected)


@pytest.mark.parametrize("rank", [None, 2])
def test_several_classes_in_a_row(rank):
    with pytest.raises(ValueError, match=r"`class_weight` needs one class for each sample: y of shape \(2, 3\)"):
        class_weight_to_sample_weights(np.array([[1, 1, 0], [0, 1, 0]]), WEIGHTS, rank)


@pytest.mark.parametrize("build", [True, False], ids=["functional", "not built yet"])
def test_maps_in_fit(build):
    def model():
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Conv2D(4, 1, activation="softmax")]
        made = keras.Sequential([keras.Input((4, 4, 3)), *layers] if build else layers)
        made.compile("sgd", "sparse_categorical_crossentropy")
        return made

    x = RNG.normal(size=(4, 4, 4, 3)).astype("float32")
    weighted = model().fit(x, MAPS, sample_weight=EXPECTED.astype("float32"), verbose=0, epochs=2).history
    assert model().fit(x, MAPS, class_weight=WEIGHTS, verbose=0, epochs=2).history == weighted
    batch = model().train_on_batch(x, MAPS, class_weight=WEIGHTS)
    np.testing.assert_allclose(batch, weighted["loss"][0], rtol=1e-6)
