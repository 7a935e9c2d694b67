"""Conv1D, Conv2D, Conv3D."""

import numpy as np

import kerasish

from .harness import (
    cases,
    channels_last_oracle,
    check_layer,
    check_refusal,
    grouped_oracle,
    refusal,
    refusals,
    row,
)

FIRST = {"oracle": channels_last_oracle}
GROUPS = {"oracle": grouped_oracle}


@cases(
    row("plain", lambda k: k.layers.Conv2D(4, 3), (2, 7, 6, 3)),
    row("1x1", lambda k: k.layers.Conv2D(5, 1), (2, 4, 3, 3)),
    row("uneven window", lambda k: k.layers.Conv2D(4, (2, 5)), (2, 7, 6, 1)),
    row("stride 2, valid, odd", lambda k: k.layers.Conv2D(4, 3, strides=2), (2, 8, 7, 3)),
    row("stride 2, same, odd", lambda k: k.layers.Conv2D(4, 3, strides=2, padding="same"), (2, 7, 9, 3)),
    row("stride 2, same, even", lambda k: k.layers.Conv2D(4, 3, strides=2, padding="same"), (2, 8, 6, 3)),
    row("strides (1, 3), same", lambda k: k.layers.Conv2D(4, 4, strides=(1, 3), padding="same"), (2, 7, 8, 2)),
    row("stride beyond window", lambda k: k.layers.Conv2D(4, 1, strides=2, padding="same"), (2, 7, 8, 2)),
    row("same, even window", lambda k: k.layers.Conv2D(4, 2, padding="same"), (2, 5, 4, 2)),
    row("dilation", lambda k: k.layers.Conv2D(4, 3, dilation_rate=2), (2, 7, 8, 3)),
    row("dilation (2, 1), same", lambda k: k.layers.Conv2D(4, 3, dilation_rate=(2, 1), padding="same"), (2, 5, 4, 3)),
    row("no bias", lambda k: k.layers.Conv2D(4, 3, use_bias=False), (2, 5, 4, 3)),
    row("relu, fused", lambda k: k.layers.Conv2D(4, 3, activation="relu"), (2, 5, 4, 3)),
    row("relu, no bias", lambda k: k.layers.Conv2D(4, 3, activation="relu", use_bias=False), (2, 5, 4, 3)),
    row("tanh", lambda k: k.layers.Conv2D(4, 3, activation=k.activations.tanh), (2, 5, 4, 3)),
    row("groups", lambda k: k.layers.Conv2D(6, 3, groups=2), (2, 5, 6, 4), **GROUPS),
    row("groups of one", lambda k: k.layers.Conv2D(8, 3, groups=4, padding="same"), (2, 5, 4, 4), **GROUPS),
    row(
        "groups, stride",
        lambda k: k.layers.Conv2D(6, 3, groups=3, strides=2, activation="relu"),
        (2, 6, 7, 6),
        **GROUPS,
    ),
    row("channels first", lambda k: k.layers.Conv2D(4, 3, data_format="channels_first"), (2, 3, 6, 5), **FIRST),
    row(
        "channels first, stride, same, relu",
        lambda k: k.layers.Conv2D(4, 3, 2, "same", "channels_first", activation="relu"),
        (2, 3, 7, 6),
        **FIRST,
    ),
    row(
        "regularizers, constraints",
        lambda k: k.layers.Conv2D(
            4,
            3,
            kernel_initializer="he_normal",
            bias_initializer=k.initializers.Constant(0.5),
            kernel_regularizer=k.regularizers.L2(0.1),
            bias_regularizer="l1",
            activity_regularizer="l2",
            kernel_constraint=k.constraints.MaxNorm(1.0),
            bias_constraint="non_neg",
            name="mine",
            trainable=False,
        ),
        (1, 4, 4, 2),
    ),
    row("float64", lambda k: k.layers.Conv2D(3, 3, dtype="float64"), (1, 5, 5, 2)),
)
def test_conv2d(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("plain", lambda k: k.layers.Conv1D(4, 3), (2, 7, 3)),
    row("stride, same", lambda k: k.layers.Conv1D(4, 3, strides=2, padding="same"), (2, 7, 3)),
    row("causal", lambda k: k.layers.Conv1D(4, 3, padding="causal"), (2, 7, 3)),
    row("causal, dilation", lambda k: k.layers.Conv1D(4, 3, padding="causal", dilation_rate=2), (2, 4, 3)),
    row("causal, stride, relu", lambda k: k.layers.Conv1D(4, 2, 2, padding="causal", activation="relu"), (2, 7, 3)),
    row("groups", lambda k: k.layers.Conv1D(4, 3, groups=2), (2, 7, 6), **GROUPS),
    row("channels first", lambda k: k.layers.Conv1D(4, 3, data_format="channels_first"), (2, 3, 7), **FIRST),
    row(
        "causal, channels first",
        lambda k: k.layers.Conv1D(4, 3, padding="causal", data_format="channels_first"),
        (2, 3, 7),
        **FIRST,
    ),
)
def test_conv1d(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("plain", lambda k: k.layers.Conv3D(4, 2), (2, 4, 3, 5, 3)),
    row("stride, same", lambda k: k.layers.Conv3D(2, 3, strides=2, padding="same"), (1, 5, 4, 3, 2)),
    row("dilation", lambda k: k.layers.Conv3D(2, 2, dilation_rate=(1, 2, 1)), (1, 3, 4, 3, 2)),
    row("groups", lambda k: k.layers.Conv3D(4, 2, groups=2, activation="relu"), (1, 3, 4, 3, 2), **GROUPS),
    row("channels first", lambda k: k.layers.Conv3D(2, 2, data_format="channels_first"), (1, 2, 3, 4, 3), **FIRST),
)
def test_conv3d(build, shapes, options):
    check_layer(build, shapes, **options)


def test_empty_batch():
    layer = kerasish.layers.Conv2D(4, 3, activation="relu")
    with kerasish.GradientTape() as tape:
        y = layer(np.zeros((0, 5, 5, 3), "float32"))
        loss = kerasish.ops.sum(y)
    assert y.shape == (0, 3, 3, 4)
    for gradient in tape.gradient(loss, layer.trainable_weights):
        assert not gradient.numpy().any()


@refusals(
    refusal("filters 0", lambda k: k.layers.Conv2D(0, 3), "layer 'conv2d", "(Conv2D)", "filters=0"),
    refusal("no filters", lambda k: k.layers.Conv2D(None, 3)(k.Input((4, 4, 1))), "filters=None"),
    refusal("half filters", lambda k: k.layers.Conv2D(2.0, 3)(k.Input((4, 4, 1))), "filters=2.0"),
    refusal("filters text", lambda k: k.layers.Conv2D("a", 3), "filters='a'"),
    refusal("kernel 0", lambda k: k.layers.Conv2D(4, 0), "kernel_size=0", "value > 0"),
    refusal("kernel of rank 3", lambda k: k.layers.Conv2D(4, (3, 3, 3)), "tuple of 2 integers", "(3, 3, 3)"),
    refusal("kernel float", lambda k: k.layers.Conv2D(4, 2.5), "kernel_size=2.5"),
    refusal("strides", lambda k: k.layers.Conv2D(4, 3, strides=(1, -1)), "strides=(1, -1)", "{-1}"),
    refusal("dilation", lambda k: k.layers.Conv2D(4, 3, dilation_rate=0), "dilation_rate=0"),
    refusal("both", lambda k: k.layers.Conv2D(4, 3, strides=2, dilation_rate=2), "strides=(2, 2)", "set one of them"),
    refusal("padding", lambda k: k.layers.Conv2D(4, 3, padding="foo"), "'valid', 'same'", "padding=foo"),
    refusal("causal", lambda k: k.layers.Conv2D(4, 3, padding="causal"), "padding=causal"),
    refusal("data_format", lambda k: k.layers.Conv2D(4, 3, data_format="foo"), "'channels_first', 'channels_last'"),
    refusal("groups 0", lambda k: k.layers.Conv2D(4, 3, groups=0), "groups=0"),
    refusal("filters by groups", lambda k: k.layers.Conv2D(4, 3, groups=3), "groups=3, filters=4"),
    refusal("activation", lambda k: k.layers.Conv2D(4, 3, activation="nope"), "nope"),
    refusal("initializer", lambda k: k.layers.Conv2D(4, 3, kernel_initializer="nope"), "nope"),
    refusal("unknown argument", lambda k: k.layers.Conv2D(4, 3, foo=3), "foo"),
    refusal(
        "channels by groups",
        lambda k: k.layers.Conv2D(4, 3, groups=2)(k.Input((8, 8, 3))),
        "groups=2, but the input has 3 channels",
        "(None, 8, 8, 3)",
    ),
    refusal(
        "small image, symbolic",
        lambda k: k.layers.Conv2D(4, 3, name="conv2d_4")(k.Input((1, 1, 64))),
        "layer 'conv2d_4' (Conv2D): input of shape (None, 1, 1, 64), expected at least 3 rows and 3 columns for "
        "kernel_size=(3, 3) with padding='valid'; use padding='same', or drop a pooling layer",
    ),
    refusal(
        "small image, eager",
        lambda k: k.layers.Conv2D(4, 3, dilation_rate=(2, 1))(np.zeros((1, 4, 4, 2), "float32")),
        "(1, 4, 4, 2), expected at least 5 rows and 3 columns",
        "dilation_rate=(2, 1)",
    ),
    refusal(
        "small image, only shapes",
        lambda k: k.layers.Conv2D(4, 3).compute_output_shape((None, 2, 9, 2)),
        "at least 3 rows",
    ),
    refusal("rank", lambda k: k.layers.Conv2D(4, 3)(k.Input((8, 3))), "expected min_ndim=4, found ndim=3"),
    refusal(
        "open channels", lambda k: k.layers.Conv2D(4, 3)(k.Input((8, 8, None))), "Axis -1", "Input", error=ValueError
    ),
    refusal("lora", lambda k: k.layers.Conv2D(4, 3).enable_lora(2), "not supported", error=NotImplementedError),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)
