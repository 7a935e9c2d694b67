"""Dropout and noise: the same seeds give real Keras's numbers."""

import numpy as np

import kerasish

from .harness import cases, check_layer, check_refusal, refusal, refusals, row

TRAINING = {"training": True}


@cases(
    row("Dropout", lambda k: k.layers.Dropout(0.5, seed=3), (4, 6), **TRAINING),
    row("Dropout, shape", lambda k: k.layers.Dropout(0.5, noise_shape=[None, 1, 6], seed=3), (4, 3, 6), **TRAINING),
    row("Dropout, all", lambda k: k.layers.Dropout(1.0, seed=3), (4, 6), **TRAINING),
    row("Dropout, none", lambda k: k.layers.Dropout(0.0), (4, 6), **TRAINING),
    row("Dropout, idle", lambda k: k.layers.Dropout(0.5), (4, 6)),
    row("SpatialDropout1D", lambda k: k.layers.SpatialDropout1D(0.5, seed=3), (4, 3, 6), **TRAINING),
    row("SpatialDropout2D", lambda k: k.layers.SpatialDropout2D(0.5, seed=3), (2, 3, 2, 6), **TRAINING),
    row(
        "SpatialDropout2D, first",
        lambda k: k.layers.SpatialDropout2D(0.5, "channels_first", 3),
        (2, 3, 2, 6),
        **TRAINING,
    ),
    row("SpatialDropout3D", lambda k: k.layers.SpatialDropout3D(0.5, seed=3, name="x"), (2, 3, 2, 1, 6), **TRAINING),
    row("GaussianNoise", lambda k: k.layers.GaussianNoise(0.5, seed=3), (4, 6), **TRAINING),
    row("GaussianNoise, idle", lambda k: k.layers.GaussianNoise(0.5), (4, 6)),
    row("GaussianDropout", lambda k: k.layers.GaussianDropout(0.3, seed=3), (4, 6), **TRAINING),
    row("AlphaDropout", lambda k: k.layers.AlphaDropout(0.3, seed=3), (4, 6), **TRAINING),
    row("AlphaDropout, shape", lambda k: k.layers.AlphaDropout(0.3, (None, 1), 3), (4, 6), **TRAINING),
    row("AlphaDropout, idle", lambda k: k.layers.AlphaDropout(0.3), (4, 6), training=False),
    row("ActivityRegularization", lambda k: k.layers.ActivityRegularization(0.1, 0.2), (4, 6)),
)
def test_random_layers(build, shapes, options):
    check_layer(build, shapes, **options)


def test_seed_state_is_a_variable_and_no_weight():
    layer = kerasish.layers.Dropout(0.5, seed=1)
    assert layer.built and layer.weights == []
    assert [v.name for v in layer.variables] == ["seed_generator_state"]
    assert kerasish.layers.Dropout(0).variables == []


def test_each_call_draws_anew():
    layer = kerasish.layers.Dropout(0.5, seed=1)
    x = np.ones((8, 8), "float32")
    assert (layer(x, training=True).numpy() != layer(x, training=True).numpy()).any()


def test_activity_regularization_adds_a_loss():
    layer = kerasish.layers.ActivityRegularization(l1=0.1, l2=0.2)
    layer(np.ones((4, 2), "float32"))
    np.testing.assert_allclose([float(loss) for loss in layer.losses], [0.6], rtol=1e-6)


@refusals(
    refusal("rate", lambda k: k.layers.Dropout(1.1), "layer 'dropout", "rate=1.1"),
    refusal("rate text", lambda k: k.layers.Dropout("a"), ""),
    refusal("noise_shape", lambda k: k.layers.Dropout(0.5, noise_shape=3), "noise_shape=3"),
    refusal("noise_shape float", lambda k: k.layers.Dropout(0.5, noise_shape=(1, 1.5)), "(1, 1.5)"),
    refusal("noise_shape 0", lambda k: k.layers.Dropout(0.5, noise_shape=(1, 0)), "(1, 0)"),
    refusal("seed", lambda k: k.layers.Dropout(0.5, seed="a"), "a"),
    refusal("spatial rank", lambda k: k.layers.SpatialDropout2D(0.5)(k.Input((2, 3))), "expected ndim=4"),
    refusal("spatial argument", lambda k: k.layers.SpatialDropout2D(0.5, trainable=True), "trainable"),
    refusal("stddev", lambda k: k.layers.GaussianNoise(-1), "stddev=-1"),
    refusal("gaussian rate", lambda k: k.layers.GaussianDropout(2), "rate=2"),
    refusal("alpha rate", lambda k: k.layers.AlphaDropout(-0.1), "rate=-0.1"),
    refusal("l1", lambda k: k.layers.ActivityRegularization(l1=-1), "l1"),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)
