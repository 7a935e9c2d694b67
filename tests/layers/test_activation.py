"""Activations as layers."""

import numpy as np
import pytest

import kerasish

from .harness import cases, check_layer, check_refusal, refusal, refusals, row

MASK = np.array([[True, True, False], [False, False, False]])


@cases(
    row("relu", lambda k: k.layers.Activation("relu"), (3, 4)),
    row("softmax", lambda k: k.layers.Activation(k.activations.softmax), (3, 4)),
    row("ReLU", lambda k: k.layers.ReLU(), (3, 4)),
    row("ReLU, limits", lambda k: k.layers.ReLU(1.0, 0.1, 0.3), (3, 40)),
    row("ReLU 6", lambda k: k.layers.ReLU(6), (3, 40)),
    row("LeakyReLU", lambda k: k.layers.LeakyReLU(), (3, 4)),
    row("LeakyReLU, slope", lambda k: k.layers.LeakyReLU(0.2), (3, 4)),
    row("PReLU", lambda k: k.layers.PReLU(), (3, 4, 2)),
    row("PReLU, shared", lambda k: k.layers.PReLU(shared_axes=[1, 2], alpha_initializer="ones"), (3, 4, 2, 5)),
    row("PReLU, one axis", lambda k: k.layers.PReLU("zeros", "l2", "non_neg", shared_axes=1), (3, 4, 2)),
    row("ELU", lambda k: k.layers.ELU(), (3, 4)),
    row("ELU, alpha", lambda k: k.layers.ELU(alpha=0.3), (3, 4)),
    row("Softmax", lambda k: k.layers.Softmax(), (3, 4)),
    row("Softmax, axis", lambda k: k.layers.Softmax(axis=1), (3, 4, 2)),
    row("Softmax, all axes", lambda k: k.layers.Softmax(axis=None), (3, 4, 2)),
    row("Softmax, axes", lambda k: k.layers.Softmax(axis=(1, 2)), (3, 4, 2)),
    row("Softmax, mask", lambda k: k.layers.Softmax(), (2, 3), call={"mask": MASK}),
    row("Softmax, axes, mask", lambda k: k.layers.Softmax(axis=(0, 1)), (2, 3), call={"mask": MASK}),
    row("Softmax, row of a mask", lambda k: k.layers.Softmax(), (2, 3), call={"mask": MASK[:1]}),
)
def test_activations(build, shapes, options):
    check_layer(build, shapes, **options)


def test_keras_2_name_of_the_slope():
    with pytest.warns(UserWarning, match="negative_slope"):
        assert kerasish.layers.LeakyReLU(alpha=0.2).negative_slope == 0.2


@refusals(
    refusal("activation", lambda k: k.layers.Activation("nope"), "nope"),
    refusal("max_value", lambda k: k.layers.ReLU(-1.0), "(ReLU)", "max_value=-1.0"),
    refusal("slope", lambda k: k.layers.ReLU(negative_slope=None), "negative_slope=None"),
    refusal("threshold", lambda k: k.layers.ReLU(threshold=-1), "threshold=-1"),
    refusal("leaky slope", lambda k: k.layers.LeakyReLU(-0.1), "negative_slope=-0.1"),
    refusal("open axis", lambda k: k.layers.PReLU()(k.Input((None, 2))), "Axis 1"),
    refusal("mask", lambda k: k.layers.Softmax()(np.zeros((1, 3)), mask=MASK), "not broadcastable"),
    refusal("mask rank", lambda k: k.layers.Softmax()(np.zeros((2, 3)), mask=MASK[None]), "more dimensions"),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)
