"""Depthwise and separable convolution."""

import numpy as np

from .harness import cases, channels_last_oracle, check_layer, check_refusal, refusal, refusals, row

FIRST = {"oracle": channels_last_oracle}


@cases(
    row("plain", lambda k: k.layers.DepthwiseConv2D(3), (2, 7, 6, 3)),
    row("multiplier", lambda k: k.layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"), (2, 7, 6, 3)),
    row("stride, same, odd", lambda k: k.layers.DepthwiseConv2D(3, strides=2, padding="same"), (2, 7, 6, 3)),
    row("uneven window", lambda k: k.layers.DepthwiseConv2D((2, 3), use_bias=False), (2, 7, 6, 1)),
    row("dilation", lambda k: k.layers.DepthwiseConv2D(3, dilation_rate=2), (2, 7, 6, 2)),
    row("dilation, same", lambda k: k.layers.DepthwiseConv2D(2, dilation_rate=2, padding="same"), (2, 7, 6, 2)),
    row("channels first", lambda k: k.layers.DepthwiseConv2D(3, data_format="channels_first"), (2, 3, 6, 5), **FIRST),
    row(
        "everything",
        lambda k: k.layers.DepthwiseConv2D(
            2,
            depthwise_initializer="he_uniform",
            bias_initializer="ones",
            depthwise_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer="l2",
            depthwise_constraint="max_norm",
            bias_constraint="non_neg",
        ),
        (1, 3, 3, 2),
    ),
)
def test_depthwise_conv2d(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("plain", lambda k: k.layers.DepthwiseConv1D(3), (2, 7, 3)),
    row("multiplier, same, stride", lambda k: k.layers.DepthwiseConv1D(3, 2, "same", 2), (2, 7, 3)),
    row("channels first", lambda k: k.layers.DepthwiseConv1D(3, data_format="channels_first"), (2, 3, 6), **FIRST),
)
def test_depthwise_conv1d(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("plain", lambda k: k.layers.SeparableConv2D(4, 3), (2, 7, 6, 3)),
    row("multiplier", lambda k: k.layers.SeparableConv2D(4, 3, depth_multiplier=2, activation="relu"), (2, 7, 6, 3)),
    row("stride, same", lambda k: k.layers.SeparableConv2D(4, 3, strides=2, padding="same"), (2, 7, 6, 3)),
    row("dilation", lambda k: k.layers.SeparableConv2D(4, 3, dilation_rate=2, use_bias=False), (2, 7, 6, 2)),
    row(
        "channels first", lambda k: k.layers.SeparableConv2D(4, 3, data_format="channels_first"), (2, 3, 6, 5), **FIRST
    ),
)
def test_separable_conv2d(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("plain", lambda k: k.layers.SeparableConv1D(4, 3), (2, 7, 3)),
    row("stride, same", lambda k: k.layers.SeparableConv1D(4, 3, strides=2, padding="same"), (2, 7, 3)),
    row("channels first", lambda k: k.layers.SeparableConv1D(4, 3, data_format="channels_first"), (2, 3, 7), **FIRST),
)
def test_separable_conv1d(build, shapes, options):
    check_layer(build, shapes, **options)


@refusals(
    refusal("multiplier", lambda k: k.layers.DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier=0"),
    refusal("kernel", lambda k: k.layers.DepthwiseConv2D(0), "(DepthwiseConv2D)", "kernel_size=0"),
    refusal("padding", lambda k: k.layers.DepthwiseConv1D(3, padding="causal"), "padding=causal"),
    refusal("window", lambda k: k.layers.DepthwiseConv2D(3)(k.Input((2, 2, 3))), "at least 3 rows and 3 columns"),
    refusal("window, eager", lambda k: k.layers.DepthwiseConv1D(5)(np.zeros((1, 4, 2))), "at least 5 steps"),
    refusal("separable filters", lambda k: k.layers.SeparableConv2D(0, 3), "filters=0"),
    refusal("separable multiplier", lambda k: k.layers.SeparableConv2D(2, 3, depth_multiplier=0), "depth_multiplier=0"),
    refusal("separable window", lambda k: k.layers.SeparableConv2D(4, 3)(k.Input((2, 2, 3))), "at least 3 rows"),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)
