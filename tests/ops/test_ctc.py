"""CTC: values and gradients beside real Keras."""

import numpy as np
import pytest

from kerasish import losses, ops
from kerasish.core.autodiff import GradientTape
from kerasish.core.tensor import convert_to_tensor

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")


def compare(labels, logits, lengths, blank):
    """Value and gradient of each sample beside real Keras."""
    found = []
    for module, tape, tensor in ((ops, GradientTape, convert_to_tensor), (keras.ops, tf.GradientTape, tf.constant)):
        x = tensor(logits)
        with tape() as t:
            t.watch(x)
            loss = module.ctc_loss(labels, x, *lengths, mask_index=blank)
        found.append((np.asarray(loss), np.asarray(t.gradient(loss, x))))
    for got, want in zip(*found):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("blank", [0, 4])
def test_value_and_gradient(blank):
    rng = np.random.default_rng(0)
    labels = rng.integers(1, 4, size=(5, 3)).astype("int32")
    logits = rng.normal(size=(5, 9, 5)).astype("float32")
    compare(labels, logits, (np.array([3, 1, 2, 0, 3], "int32"), np.array([9, 4, 6, 5, 8], "int32")), blank)


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
@pytest.mark.parametrize("blank", [0, 3])
def test_labels_that_do_not_fit_into_the_frames(frames, blank):
    rng = np.random.default_rng(frames)
    labels = rng.integers(0 if blank else 1, 3, size=(12, 4)).astype("int32")
    logits = rng.normal(size=(12, frames, 4)).astype("float32")
    lengths = rng.integers(0, 5, size=12).astype("int32"), rng.integers(0, frames + 1, size=12).astype("int32")
    compare(labels, logits, lengths, blank)


def test_loss_class():
    logits = (np.arange(24).reshape((2, 4, 3)).astype("float32") - 12) / 100
    y_true = np.array([[1, 2, 1, 0], [1, 2, 0, 2]])
    assert float(losses.CTC()(y_true, logits)) == pytest.approx(float(keras.losses.CTC()(y_true, logits)), rel=1e-5)
