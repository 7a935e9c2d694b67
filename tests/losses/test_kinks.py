"""Gradients of losses where their parts have kinks: predictions of 0, of 1, equal to the targets."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasish

LOSSES = (
    "MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError Huber LogCosh Poisson "
    "CosineSimilarity Hinge SquaredHinge CategoricalHinge KLDivergence Dice Tversky BinaryCrossentropy "
    "BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy"
).split()
PREDICTIONS = {"zeros": np.zeros((3, 4)), "ones": np.ones((3, 4)), "targets": None, "halves": np.full((3, 4), 0.5)}


def gradient(module, tape, tensor, name, options, y_true, y_pred):
    x = tensor(y_pred.astype("float32"))
    with tape() as t:
        t.watch(x)
        loss = getattr(module.losses, name)(**options)(y_true.astype("float32"), x)
    return np.asarray(t.gradient(loss, x))


@pytest.mark.parametrize("kind", PREDICTIONS)
@pytest.mark.parametrize("name", [*LOSSES, "BinaryCrossentropy of logits", "BinaryFocalCrossentropy of logits"])
def test_gradient_is_keras(name, kind):
    name, _, logits = name.partition(" of ")
    options = {"from_logits": True} if logits else {}
    y_true = np.eye(4)[[0, 2, 1]]
    y_pred = y_true if PREDICTIONS[kind] is None else PREDICTIONS[kind]
    want = gradient(keras, tf.GradientTape, tf.constant, name, options, y_true, y_pred)
    got = gradient(kerasish, kerasish.GradientTape, kerasish.ops.convert_to_tensor, name, options, y_true, y_pred)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_a_logit_of_zero_behind_a_sigmoid():
    """Keras takes the logits behind a sigmoid; the gradient there is the probability minus the target."""
    x = kerasish.Variable(np.zeros((2, 1), "float32"))
    with kerasish.GradientTape() as tape:
        y = kerasish.activations.sigmoid(x)
        loss = kerasish.losses.BinaryCrossentropy(reduction="sum")(np.array([[0.0], [1.0]], "float32"), y)
    np.testing.assert_allclose(tape.gradient(loss, x), [[0.5], [-0.5]])
