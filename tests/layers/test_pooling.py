"""Pooling: windows, global, adaptive."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasish

from .harness import cases, channels_last_oracle, check_layer, check_refusal, refusal, refusals, row

FIRST = {"oracle": channels_last_oracle}
MASK = np.array([[True, True, False], [False, True, False]])


@cases(
    row("max 2D", lambda k: k.layers.MaxPooling2D(), (2, 6, 4, 3)),
    row("max 2D, odd", lambda k: k.layers.MaxPooling2D(2), (2, 7, 5, 3)),
    row("max 2D, same, odd", lambda k: k.layers.MaxPooling2D(2, padding="same"), (2, 7, 5, 3)),
    row("max 2D, overlap", lambda k: k.layers.MaxPooling2D(3, strides=2), (2, 7, 6, 3)),
    row("max 2D, overlap, same", lambda k: k.layers.MaxPooling2D(3, strides=1, padding="same"), (2, 4, 5, 3)),
    row("max 2D, uneven", lambda k: k.layers.MaxPooling2D((1, 3), strides=(2, 1)), (2, 5, 4, 2)),
    row("max 2D, first", lambda k: k.layers.MaxPooling2D(2, data_format="channels_first"), (2, 3, 6, 5), **FIRST),
    row("max 2D, named", lambda k: k.layers.MaxPooling2D(2, name="pool"), (2, 6, 4, 3)),
    row("max 1D", lambda k: k.layers.MaxPooling1D(), (2, 7, 3)),
    row("max 1D, same", lambda k: k.layers.MaxPooling1D(3, strides=2, padding="same"), (2, 8, 3)),
    row("max 3D", lambda k: k.layers.MaxPooling3D(), (1, 4, 5, 4, 2)),
    row("mean 2D", lambda k: k.layers.AveragePooling2D(2), (2, 7, 5, 3)),
    row("mean 2D, same, odd", lambda k: k.layers.AveragePooling2D(2, padding="same"), (2, 7, 5, 3)),
    row("mean 2D, overlap, same", lambda k: k.layers.AveragePooling2D(3, strides=2, padding="same"), (2, 6, 5, 3)),
    row("mean 2D, first", lambda k: k.layers.AveragePooling2D(2, data_format="channels_first"), (2, 3, 6, 5), **FIRST),
    row("mean 1D", lambda k: k.layers.AveragePooling1D(2, padding="same"), (2, 7, 3)),
    row("mean 3D", lambda k: k.layers.AveragePooling3D(2, strides=1), (1, 4, 3, 4, 2)),
)
def test_pooling(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("max 1D", lambda k: k.layers.GlobalMaxPooling1D(), (2, 5, 3)),
    row("max 2D", lambda k: k.layers.GlobalMaxPooling2D(), (2, 5, 4, 3)),
    row("max 2D, keepdims", lambda k: k.layers.GlobalMaxPooling2D(keepdims=True), (2, 5, 4, 3)),
    row("max 3D, first", lambda k: k.layers.GlobalMaxPooling3D("channels_first", keepdims=True), (2, 3, 2, 2, 4)),
    row("mean 1D", lambda k: k.layers.GlobalAveragePooling1D(), (2, 5, 3)),
    row("mean 1D, mask", lambda k: k.layers.GlobalAveragePooling1D(), (2, 3, 4), call={"mask": MASK}),
    row(
        "mean 1D, mask, keepdims",
        lambda k: k.layers.GlobalAveragePooling1D(keepdims=True),
        (2, 3, 4),
        call={"mask": MASK},
    ),
    row(
        "mean 1D, mask, first",
        lambda k: k.layers.GlobalAveragePooling1D("channels_first"),
        (2, 4, 3),
        call={"mask": MASK},
    ),
    row("mean 2D", lambda k: k.layers.GlobalAveragePooling2D(), (2, 5, 4, 3)),
    row("mean 2D, first", lambda k: k.layers.GlobalAveragePooling2D("channels_first"), (2, 5, 4, 3)),
    row("mean 3D, keepdims", lambda k: k.layers.GlobalAveragePooling3D(keepdims=True), (2, 3, 2, 2, 4)),
)
def test_global_pooling(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("mean 1D", lambda k: k.layers.AdaptiveAveragePooling1D(3), (2, 7, 3)),
    row("mean 2D", lambda k: k.layers.AdaptiveAveragePooling2D((2, 3)), (2, 7, 6, 3)),
    row("mean 2D, empty", lambda k: k.layers.AdaptiveAveragePooling2D((2, 3)), (0, 7, 6, 3)),
    row("max 1D, empty", lambda k: k.layers.AdaptiveMaxPooling1D(3), (0, 7, 3)),
    row("max 3D, empty", lambda k: k.layers.AdaptiveMaxPooling3D(2), (0, 4, 5, 3, 2)),
    row("mean 2D, whole", lambda k: k.layers.AdaptiveAveragePooling2D(1), (2, 3, 4, 2)),
    row("mean 2D, larger", lambda k: k.layers.AdaptiveAveragePooling2D(5), (2, 3, 4, 2)),
    row("mean 2D, first", lambda k: k.layers.AdaptiveAveragePooling2D(2, "channels_first"), (2, 3, 7, 6)),
    row("mean 3D", lambda k: k.layers.AdaptiveAveragePooling3D((2, 1, 3)), (1, 4, 3, 5, 2)),
    row("max 1D", lambda k: k.layers.AdaptiveMaxPooling1D(3), (2, 7, 3)),
    row("max 2D", lambda k: k.layers.AdaptiveMaxPooling2D((2, 3)), (2, 7, 6, 3)),
    row("max 2D, first", lambda k: k.layers.AdaptiveMaxPooling2D(2, "channels_first"), (2, 3, 7, 6)),
    row("max 3D", lambda k: k.layers.AdaptiveMaxPooling3D((2, 1, 3)), (1, 4, 3, 5, 2)),
)
def test_adaptive_pooling(build, shapes, options):
    check_layer(build, shapes, **options)


@refusals(
    refusal("size", lambda k: k.layers.MaxPooling2D(0), "(MaxPooling2D)", "pool_size=0"),
    refusal("strides", lambda k: k.layers.MaxPooling2D(2, strides=0), "strides=0", error=ValueError),
    refusal("padding", lambda k: k.layers.MaxPooling2D(2, padding="causal"), "padding=causal", error=ValueError),
    refusal(
        "window", lambda k: k.layers.MaxPooling2D(3)(k.Input((2, 2, 3))), "at least 3 rows and 3 columns for pool_size"
    ),
    refusal("rank", lambda k: k.layers.MaxPooling2D(3)(k.Input((2, 3))), "expected ndim=4, found ndim=3"),
    refusal("global rank", lambda k: k.layers.GlobalMaxPooling2D()(k.Input((2, 3))), "expected ndim=4, found ndim=3"),
    refusal("adaptive size", lambda k: k.layers.AdaptiveMaxPooling2D((1, 2, 3)), "(height, width)", "(1, 2, 3)"),
    refusal("adaptive size, 1D", lambda k: k.layers.AdaptiveMaxPooling1D((1, 2)), "(1, 2)", error=ValueError),
    refusal("adaptive size 0", lambda k: k.layers.AdaptiveMaxPooling2D(0), "output_size", error=ValueError),
    refusal("data_format", lambda k: k.layers.GlobalMaxPooling2D(data_format="x"), "data_format=x"),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)


@pytest.mark.parametrize("rank", [1, 2])  # in three dimensions TensorFlow gives it to each of them
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_first_of_equal_numbers_has_the_gradient_of_an_adaptive_maximum(rank, data_format):
    x = np.random.default_rng(rank).integers(0, 2, (2, *(7, 5, 4)[:rank], 3)).astype("float32")
    found = []
    for k in (kerasish, keras):
        layer = getattr(k.layers, f"AdaptiveMaxPooling{rank}D")(3, data_format=data_format)
        given = k.ops.convert_to_tensor(np.moveaxis(x, -1, 1) if data_format == "channels_first" else x)
        tape = (kerasish if k is kerasish else tf).GradientTape()
        with tape:
            tape.watch(given)
            y = layer(given)
            loss = k.ops.sum(y * np.arange(1, 1 + np.prod(y.shape), dtype="float32").reshape(y.shape))
        found.append(np.asarray(tape.gradient(loss, given)))
    np.testing.assert_allclose(*found)


def test_equal_numbers_in_space_share_no_gradient_of_an_adaptive_maximum():
    x = kerasish.ops.ones((1, 5, 5, 5, 1))
    with kerasish.GradientTape() as tape:
        tape.watch(x)
        loss = kerasish.ops.sum(kerasish.layers.AdaptiveMaxPooling3D(2)(x))
    gradient = tape.gradient(loss, x).numpy()
    first = [0, 2]  # of the windows
    assert gradient.sum() == 8 and (gradient[np.ix_([0], first, first, first, [0])] == 1).all()
