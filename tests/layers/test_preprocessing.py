"""Rescaling, Normalization, CategoryEncoding."""

import keras
import numpy as np
import pytest

import kerasish

from .harness import cases, check_layer, check_refusal, random_array, refusal, refusals, row

GIVEN = {"mean": [1.0, 2.0, 3.0], "variance": [1.0, 4.0, 0.0]}


@cases(
    row("Rescaling", lambda k: k.layers.Rescaling(1 / 255, offset=-0.5), (2, 3)),
    row("Rescaling, whole numbers", lambda k: k.layers.Rescaling(1 / 255), (2, 3), dtype="uint8"),
    row("Rescaling, channels", lambda k: k.layers.Rescaling([1.0, 2.0, 3.0], [0.0, 1.0, 0.0]), (2, 3)),
    row("Rescaling, array", lambda k: k.layers.Rescaling(np.array([1.0, 2.0, 3.0])), (2, 3), config=False),
    row("Normalization", lambda k: k.layers.Normalization(), (2, 4, 3)),
    row("Normalization, axes", lambda k: k.layers.Normalization(axis=(1, 2)), (2, 4, 3)),
    row("Normalization, whole", lambda k: k.layers.Normalization(axis=None), (2, 4, 3)),
    row("Normalization, given", lambda k: k.layers.Normalization(**GIVEN), (2, 3)),
    row("Normalization, back", lambda k: k.layers.Normalization(invert=True, **GIVEN), (2, 3)),
    row("Normalization, numbers", lambda k: k.layers.Normalization(axis=None, mean=2.0, variance=4.0), (2, 3)),
    row("multi-hot", lambda k: k.layers.CategoryEncoding(4), (2, 3), dtype="int32"),
    row("count", lambda k: k.layers.CategoryEncoding(4, output_mode="count"), (2, 3), dtype="int32"),
    row("one-hot", lambda k: k.layers.CategoryEncoding(4, output_mode="one_hot"), (5,), dtype="int32"),
    row("one-hot, column", lambda k: k.layers.CategoryEncoding(4, output_mode="one_hot"), (5, 1), dtype="int32"),
    row("one-hot, rows", lambda k: k.layers.CategoryEncoding(4, output_mode="one_hot"), (2, 3), dtype="int32"),
    row(
        "weighted",
        lambda k: k.layers.CategoryEncoding(4, output_mode="count"),
        (2, 3),
        dtype="int32",
        call={"count_weights": np.array([[0.5, 1, 2], [3, 4, 5]], "float32")},
    ),
)
def test_preprocessing(build, shapes, options):
    check_layer(build, shapes, **options)


@pytest.mark.parametrize("mode", ["multi_hot", "count", "one_hot"])
def test_one_number_is_encoded(mode):
    ours, theirs = (m.layers.CategoryEncoding(6, output_mode=mode) for m in (kerasish, keras))
    np.testing.assert_array_equal(ours(np.array(4)), theirs(np.array(4)))
    assert ours.compute_output_shape(()) == tuple(ours(np.array(4)).shape)


def test_rescaling_of_channels_that_come_first():
    x, before = random_array((2, 3, 4, 5)), kerasish.config.image_data_format()
    found = []
    for module in (kerasish, keras):
        module.config.set_image_data_format("channels_first")
        try:
            found.append(np.asarray(module.layers.Rescaling([1.0, 2.0, 3.0], 0.5)(x)))
        finally:
            module.config.set_image_data_format(before)
    np.testing.assert_allclose(*found, rtol=1e-6)


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), None])
def test_adapt(axis):
    data = 5 + 3 * random_array((10, 3, 4))
    ours, theirs = (m.layers.Normalization(axis=axis) for m in (kerasish, keras))
    ours.adapt(data), theirs.adapt(data)
    for mine, wanted in zip(ours.weights, theirs.weights):
        np.testing.assert_allclose(mine.numpy(), wanted.numpy(), rtol=1e-5, err_msg=mine.name)
    np.testing.assert_allclose(ours.mean.numpy(), theirs.mean, rtol=1e-5)
    np.testing.assert_allclose(ours(data).numpy(), theirs(data).numpy(), atol=1e-5)


def test_adapt_by_batches():
    data = 5 + 3 * random_array((10, 4))
    whole, parts = kerasish.layers.Normalization(), kerasish.layers.Normalization()
    whole.adapt(data)
    parts.adapt(iter([data[:3], data[3:4], data[4:]]))
    for mine, wanted in zip(parts.weights[:2], whole.weights):
        np.testing.assert_allclose(mine.numpy(), wanted.numpy(), rtol=1e-5)


@refusals(
    refusal("half", lambda k: k.layers.Normalization(mean=1), "mean=1 and variance=None"),
    refusal("axis", lambda k: k.layers.Normalization(axis=9)(k.Input((3,))), "ndim=2", "axis=(9,)"),
    refusal("open", lambda k: k.layers.Normalization()(k.Input((None,))), "must have a known shape", "axis=(-1,)"),
    refusal("adapt given", lambda k: k.layers.Normalization(mean=1.0, variance=1.0).adapt(np.zeros((2, 3))), "adapt()"),
    refusal("tokens", lambda k: k.layers.CategoryEncoding(), "num_tokens"),
    refusal("tokens 0", lambda k: k.layers.CategoryEncoding(0), "num_tokens=0"),
    refusal("mode", lambda k: k.layers.CategoryEncoding(3, output_mode="x"), "output_mode: x"),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)


@pytest.mark.parametrize(
    "arguments",
    [
        {"mean": [1.0, 2.0], "variance": [4.0, 1.0], "axis": None},
        {"mean": [[1.0, 2.0]], "variance": [[4.0, 1.0]], "axis": -1},
        {"mean": [1.0, 2.0], "variance": 4.0},
        {"mean": 1.0, "variance": [4.0]},
        {"mean": [1.0], "variance": [[4.0]], "axis": (1, 2)},
    ],
)
def test_statistics_of_unfitting_shapes_are_refused(arguments):
    for k in (keras, kerasish):
        with pytest.raises(ValueError, match="shape"):
            k.layers.Normalization(**arguments)


@pytest.mark.parametrize("shape", [(2, 1, 3), (2, 3, 1), (2, 3, 3)])
@pytest.mark.parametrize("mean", [1.0, [1.0], [1.0, 2.0, 3.0], [[1.0, 2.0, 3.0]]])
def test_statistics_of_fewer_axes_than_are_kept(mean, shape):
    x, results = np.ones(shape, "float32"), []
    for k in (keras, kerasish):
        try:
            layer = k.layers.Normalization(axis=(1, 2), mean=mean, variance=np.ones_like(mean).tolist())
            results.append(np.asarray(layer(x)))
        except Exception:
            results.append("refused")
    np.testing.assert_array_equal(*results)
