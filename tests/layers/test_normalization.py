"""Batch, layer, group, unit, RMS and spectral normalization."""

import keras
import numpy as np
import pytest

import kerasish

from .harness import cases, check_layer, check_refusal, random_array, refusal, refusals, row

TRAINING = {"training": True}
MASK = np.array([[True, True, False], [False, True, False]])
CLIPPING = {"rmin": 0.8, "rmax": 1.2, "dmax": 0.5}


@cases(
    row("inference", lambda k: k.layers.BatchNormalization(), (4, 3, 2, 5)),
    row("training", lambda k: k.layers.BatchNormalization(), (4, 3, 2, 5), **TRAINING),
    row("rank 2", lambda k: k.layers.BatchNormalization(momentum=0.9, epsilon=0.1), (4, 5), **TRAINING),
    row("axis 1", lambda k: k.layers.BatchNormalization(axis=1), (4, 3, 2, 5), **TRAINING),
    row("axis 1, inference", lambda k: k.layers.BatchNormalization(axis=1), (4, 3, 2, 5)),
    row("no scale", lambda k: k.layers.BatchNormalization(scale=False), (4, 5), **TRAINING),
    row("no center", lambda k: k.layers.BatchNormalization(center=False), (4, 5), **TRAINING),
    row("neither", lambda k: k.layers.BatchNormalization(center=False, scale=False), (4, 5), **TRAINING),
    row("frozen", lambda k: k.layers.BatchNormalization(trainable=False), (4, 5), **TRAINING),
    row("mask", lambda k: k.layers.BatchNormalization(), (2, 3, 4), training=True, call={"mask": MASK}),
    row("all masked", lambda k: k.layers.BatchNormalization(), (2, 3, 4), training=True, call={"mask": MASK & False}),
    row("mask, inference", lambda k: k.layers.BatchNormalization(), (2, 3, 4), call={"mask": MASK}),
    row("renorm", lambda k: k.layers.BatchNormalization(renorm=True), (4, 3, 5), **TRAINING),
    row(
        "renorm, clipped",
        lambda k: k.layers.BatchNormalization(renorm=True, renorm_clipping=CLIPPING),
        (9, 5),
        **TRAINING,
    ),
    row("renorm, inference", lambda k: k.layers.BatchNormalization(renorm=True, renorm_momentum=0.5), (4, 5)),
    row("renorm, no scale", lambda k: k.layers.BatchNormalization(renorm=True, scale=False), (4, 5), **TRAINING),
    row("float64", lambda k: k.layers.BatchNormalization(dtype="float64"), (4, 5), **TRAINING),
    row(
        "options",
        lambda k: k.layers.BatchNormalization(
            beta_initializer="ones",
            gamma_initializer="zeros",
            moving_mean_initializer="ones",
            moving_variance_initializer=k.initializers.Constant(4.0),
            beta_regularizer="l2",
            gamma_regularizer="l1",
            beta_constraint="non_neg",
            gamma_constraint="non_neg",
        ),
        (4, 5),
    ),
)
def test_batch_normalization(build, shapes, options):
    check_layer(build, shapes, **options)


@pytest.mark.parametrize("arguments", [{}, {"renorm": True, "moving_variance_initializer": "ones"}])
def test_batch_normalization_statistics_move(arguments):
    ours, theirs = (m.layers.BatchNormalization(momentum=0.7, **arguments) for m in (kerasish, keras))
    for seed in range(3):
        x = 3 + 2 * random_array((6, 2, 4), seed=seed)
        np.testing.assert_allclose(ours(x, training=True).numpy(), theirs(x, training=True).numpy(), atol=1e-5)
    for mine, wanted in zip(ours.weights, theirs.weights):
        np.testing.assert_allclose(mine.numpy(), wanted.numpy(), atol=1e-5, err_msg=mine.name)


def test_frozen_statistics_stay():
    layer = kerasish.layers.BatchNormalization()
    layer.build((None, 3))
    layer.trainable = False
    layer(random_array((5, 3)), training=True)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(3))


@cases(
    row("layer", lambda k: k.layers.LayerNormalization(), (3, 4, 5)),
    row("layer, axis", lambda k: k.layers.LayerNormalization(axis=1), (3, 4, 5)),
    row("layer, axes", lambda k: k.layers.LayerNormalization(axis=(1, 2), epsilon=0.1), (3, 4, 5)),
    row("layer, axes backwards", lambda k: k.layers.LayerNormalization(axis=[-1, -2]), (3, 4, 5)),
    row("layer, axes of both signs", lambda k: k.layers.LayerNormalization(axis=[1, -1]), (3, 5, 2)),
    row("layer, axes apart", lambda k: k.layers.LayerNormalization(axis=[-1, 1]), (3, 4, 5, 2)),
    row("layer, one axis in a list", lambda k: k.layers.LayerNormalization(axis=[2]), (3, 4, 5, 2)),
    row("layer, axes with the batch", lambda k: k.layers.LayerNormalization(axis=[-2, 3, 1]), (3, 4, 5, 2)),
    row("layer, no scale", lambda k: k.layers.LayerNormalization(scale=False), (3, 5)),
    row("layer, no center", lambda k: k.layers.LayerNormalization(center=False, gamma_regularizer="l2"), (3, 5)),
    row("group", lambda k: k.layers.GroupNormalization(groups=2), (3, 4, 5, 6)),
    row("group, one", lambda k: k.layers.GroupNormalization(groups=1), (3, 6)),
    row("group, axis", lambda k: k.layers.GroupNormalization(groups=2, axis=1), (3, 4, 5)),
    row("group, no scale", lambda k: k.layers.GroupNormalization(groups=3, scale=False, center=False), (3, 2, 6)),
    row("instance", lambda k: k.layers.GroupNormalization(groups=-1), (3, 4, 2, 6)),
    row("instance, axis", lambda k: k.layers.GroupNormalization(groups=-1, axis=1), (2, 4, 3, 5)),
    row("group, rank 2", lambda k: k.layers.GroupNormalization(groups=3, epsilon=0.1), (4, 12)),
    row("group, rank 5", lambda k: k.layers.GroupNormalization(groups=4, center=False), (2, 3, 2, 4, 8)),
    row("group, default", lambda k: k.layers.GroupNormalization(), (2, 7, 5, 64)),
    row("group, first of many axes", lambda k: k.layers.GroupNormalization(groups=2, axis=-3), (2, 4, 3, 5)),
    row("group, of one channel each sample", lambda k: k.layers.GroupNormalization(groups=1), (2, 5, 1)),
    row("group, float64", lambda k: k.layers.GroupNormalization(groups=2, dtype="float64"), (3, 4, 6)),
    row(
        "group, options",
        lambda k: k.layers.GroupNormalization(
            groups=2, beta_initializer="ones", gamma_regularizer="l1", beta_constraint="non_neg"
        ),
        (3, 4, 6),
    ),
    row("unit", lambda k: k.layers.UnitNormalization(), (3, 4)),
    row("unit, axes", lambda k: k.layers.UnitNormalization(axis=[1, 2]), (3, 4, 2)),
    row("rms", lambda k: k.layers.RMSNormalization(), (3, 4)),
    row("rms, axes backwards", lambda k: k.layers.RMSNormalization(axis=[-1, -2]), (3, 4, 5)),
    row("rms, one axis in a list", lambda k: k.layers.RMSNormalization(axis=[-1]), (3, 4, 5)),
    row("unit, axes of both signs", lambda k: k.layers.UnitNormalization(axis=[1, -1]), (3, 4, 5)),
    row("group, axis 1", lambda k: k.layers.GroupNormalization(groups=2, axis=1), (3, 4, 5, 2)),
    row("group, axis -2", lambda k: k.layers.GroupNormalization(groups=2, axis=-2), (3, 3, 4, 2)),
    row("rms, axes", lambda k: k.layers.RMSNormalization(axis=(1, 2), epsilon=0.1), (3, 4, 2)),
)
def test_normalization(build, shapes, options):
    check_layer(build, shapes, **options)


@pytest.mark.parametrize("shape", [(4, 3, 2), (6, 5)])
def test_groups_along_the_first_axis(shape):
    """Keras's layer then takes the last axis for the samples'."""
    x = random_array(shape)
    ours, theirs = (module.layers.GroupNormalization(groups=2, axis=0) for module in (kerasish, keras))
    np.testing.assert_allclose(ours(x).numpy(), theirs(x).numpy(), atol=1e-5)


@pytest.mark.parametrize("dtype", ["int32", "float16", "float64", "float32"])
@pytest.mark.parametrize("policy", ["float32", "float64"])
@pytest.mark.parametrize(
    "build",
    [
        lambda k, dtype: k.layers.GroupNormalization(groups=2, dtype=dtype),
        lambda k, dtype: k.layers.LayerNormalization(dtype=dtype),
        lambda k, dtype: k.layers.LayerNormalization(axis=1, dtype=dtype),
        lambda k, dtype: k.layers.BatchNormalization(dtype=dtype),
    ],
)
def test_inputs_of_another_dtype(build, policy, dtype):
    """The outputs have the layer's dtype and were rounded to the inputs' on the way, as in Keras."""
    x = (np.arange(24).reshape(2, 3, 4) ** 2 % 7 / (1 if "int" in dtype else 7)).astype(dtype)
    ours, theirs = (build(k, policy) for k in (kerasish, keras))
    for training in (False, True):
        options = {"training": training} if "Batch" in type(ours).__name__ else {}
        y, wanted = ours(x, **options), np.asarray(theirs(x, **options))
        assert y.dtype == wanted.dtype == policy
        np.testing.assert_allclose(y.numpy(), wanted, atol=1e-3 if dtype == "float16" else 1e-5)


def test_gradients_of_weights_have_the_weights_dtype():
    layer = kerasish.layers.GroupNormalization(groups=2)
    x = kerasish.ops.convert_to_tensor(random_array((2, 4)).astype("float64"))
    with kerasish.GradientTape() as tape:
        loss = kerasish.ops.sum(layer(x) ** 2)
    assert [g.dtype for g in tape.gradient(loss, layer.trainable_variables)] == ["float32"] * 2


def test_renormalization_draws_its_own_first_averages():
    averages = []
    for k in (kerasish, keras):
        k.utils.set_random_seed(3)
        layer = k.layers.BatchNormalization(
            renorm=True,
            moving_mean_initializer="random_normal",
            moving_variance_initializer=k.initializers.RandomUniform(1, 2),
        )
        layer.build((None, 3))
        averages.append([np.asarray(w) for w in layer.weights])
    for ours, theirs in zip(*averages):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_group_normalization_of_open_sizes():
    inputs = kerasish.Input((None, None, 6))
    layer = kerasish.layers.GroupNormalization(groups=3)
    model = kerasish.Model(inputs, layer(inputs))
    assert model.output_shape == (None, None, None, 6)
    x = random_array((2, 3, 4, 6))
    np.testing.assert_array_equal(model.predict(x, verbose=0), layer(x).numpy())


def test_rms_of_an_inner_axis_is_that_of_the_last_one_turned_round():
    x = random_array((3, 4, 5))
    inner, last = kerasish.layers.RMSNormalization(axis=1), kerasish.layers.RMSNormalization()
    inner.build(x.shape), last.build((3, 5, 4))
    for layer in (inner, last):
        layer.scale.assign([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(inner(x).numpy(), last(x.swapaxes(1, 2)).numpy().swapaxes(1, 2), rtol=1e-6)


def test_rms_scaling_warns():
    x = random_array((3, 5))
    with pytest.warns(UserWarning, match="RMSNormalization"):
        ours = kerasish.layers.LayerNormalization(rms_scaling=True)
    with pytest.warns(UserWarning):
        theirs = keras.layers.LayerNormalization(rms_scaling=True)
        wanted = theirs(x).numpy()
    np.testing.assert_allclose(ours(x).numpy(), wanted, atol=1e-5)
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]


@cases(
    row("dense", lambda k: k.layers.SpectralNormalization(k.layers.Dense(3)), (2, 4), gradients=False, **TRAINING),
    row("idle", lambda k: k.layers.SpectralNormalization(k.layers.Conv2D(3, 2)), (2, 4, 4, 2)),
    row(
        "conv",
        lambda k: k.layers.SpectralNormalization(k.layers.Conv2D(3, 2), 3),
        (2, 4, 4, 2),
        gradients=False,
        **TRAINING,
    ),
)
def test_spectral_normalization(build, shapes, options):
    check_layer(build, shapes, **options)


def test_spectral_normalization_of_zeros():
    """A kernel of zeros stays: it has no largest direction."""
    for k in (kerasish, keras):
        layer = k.layers.SpectralNormalization(k.layers.Dense(2, kernel_initializer="zeros"))
        assert not np.any(np.asarray(layer(np.ones((2, 3), "float32"), training=True)))


@pytest.mark.parametrize("axis", [[1, -1], [-1, 1], [2, -2], [-1, -3]])
def test_rms_normalization_of_several_axes(axis):
    """Keras's layout of the weight, which Keras itself only multiplies where it happens to fit."""
    ours, theirs = kerasish.layers.RMSNormalization(axis=axis), keras.layers.RMSNormalization(axis=axis)
    x = random_array((3, 4, 5))
    ours.build(x.shape), theirs.build(x.shape)
    assert tuple(ours.scale.shape) == tuple(theirs.scale.shape) and ours.axis == theirs.axis
    factors = random_array(ours.scale.shape, seed=1)
    ours.scale.assign(factors)
    lengths = [x.shape[i] if i in {a % 3 for a in axis} else 1 for i in range(3)]
    expected = x / np.sqrt(np.mean(x**2, axis=tuple(axis), keepdims=True) + 1e-6) * factors.reshape(lengths)
    np.testing.assert_allclose(ours(x), expected, rtol=1e-5)


@refusals(
    refusal("axis", lambda k: k.layers.BatchNormalization(axis=9)(k.Input((3,))), "axis 9", "(None, 3)"),
    refusal("axis tuple", lambda k: k.layers.BatchNormalization(axis=(1, 2)), ""),
    refusal("open channels", lambda k: k.layers.BatchNormalization()(k.Input((None,))), "Axis -1"),
    refusal(
        "mask rank",
        lambda k: k.layers.BatchNormalization()(np.zeros((2, 3, 4)), training=True, mask=np.ones(2, bool)),
        "mask.shape=(2,), inputs.shape=(2, 3, 4)",
    ),
    refusal("clipping keys", lambda k: k.layers.BatchNormalization(renorm=True, renorm_clipping={"a": 1}), "{'a': 1}"),
    refusal(
        "clipping order",
        lambda k: k.layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 0.5, "rmin": 1}),
        "rmax should be",
    ),
    refusal("clipping dmax", lambda k: k.layers.BatchNormalization(renorm=True, renorm_clipping={"dmax": -1}), "dmax"),
    refusal("layer axis", lambda k: k.layers.LayerNormalization(axis="a"), "'a'"),
    refusal("layer axis 9", lambda k: k.layers.LayerNormalization(axis=9)(k.Input((3,))), "axis 9"),
    refusal("layer axes, shapes", lambda k: k.layers.LayerNormalization(axis=[1, 3]).compute_output_shape((2, 3)), "3"),
    refusal("unit axis 4", lambda k: k.layers.UnitNormalization(axis=4)(k.Input((3,))), "Axis 4"),
    refusal("rms axis 4", lambda k: k.layers.RMSNormalization(axis=4).compute_output_shape((2, 3)), "Axis 4"),
    refusal("group axis", lambda k: k.layers.GroupNormalization(1, axis=4).compute_output_shape((2, 3)), "Axis 4"),
    refusal("groups", lambda k: k.layers.GroupNormalization(groups=0), "groups=0"),
    refusal("too many groups", lambda k: k.layers.GroupNormalization(groups=16)(k.Input((4, 8))), "(16)", "(8)"),
    refusal("uneven groups", lambda k: k.layers.GroupNormalization(groups=3)(k.Input((4, 8))), "(3)", "(8)", "divisor"),
    refusal("unit axis", lambda k: k.layers.UnitNormalization(axis="a"), "axis=a"),
    refusal("iterations", lambda k: k.layers.SpectralNormalization(k.layers.Dense(3), 0), "power_iterations=0"),
    refusal("no kernel", lambda k: k.layers.SpectralNormalization(k.layers.ReLU())(k.Input((3,))), "'kernel'"),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)


def test_an_axis_without_weights_may_be_left_open():
    layer = kerasish.layers.LayerNormalization(axis=1, center=False, scale=False)
    assert layer(kerasish.Input((None, None, 1))).shape == (None, None, None, 1)
    with pytest.raises(ValueError, match="should have a defined dimension"):
        kerasish.layers.LayerNormalization(axis=1)(kerasish.Input((None, None, 1)))


@pytest.mark.parametrize("given", ["both", "gamma", "beta"])
def test_layer_normalization_of_other_lengths_broadcasts_as_in_keras(given):
    """Its weights have the length that it was built for; Keras looks at no later one."""
    x, wide = np.float32([[0.5, -2.0], [1.0, 4.0]]), np.float32([[3.0], [-1.0]])
    found = []
    for k in (kerasish, keras):
        layer = k.layers.LayerNormalization(axis=1, center=given != "gamma", scale=given != "beta")
        layer(x)
        for v in layer.weights:
            v.assign([2.0, 3.0])
        found.append(np.asarray(layer(wide)))
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-5)
    layer = kerasish.layers.LayerNormalization(center=given != "gamma", scale=given != "beta")
    layer(x)
    with pytest.raises(ValueError, match="shape"):  # Keras refuses this one, too
        layer(wide)


def test_an_epsilon_for_each_channel_is_taken_as_in_keras():
    x = np.float32([[0.5, -2.0, 1.0], [1.0, 4.0, 0.0]])
    found = [np.asarray(k.ops.layer_normalization(x, epsilon=np.float32([0.1, 1.0, 2.0]))) for k in (kerasish, keras)]
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-5)
