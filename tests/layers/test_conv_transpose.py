"""Conv1DTranspose, Conv2DTranspose, Conv3DTranspose."""

from .harness import cases, channels_last_oracle, check_layer, check_refusal, refusal, refusals, row

FIRST = {"oracle": channels_last_oracle}


@cases(
    row("nothing left", lambda k: k.layers.Conv2DTranspose(1, (1, 2), padding="same", output_padding=0), (2, 1, 1, 1)),
    row("plain", lambda k: k.layers.Conv2DTranspose(4, 3), (2, 5, 4, 3)),
    row("same", lambda k: k.layers.Conv2DTranspose(4, 3, padding="same"), (2, 5, 4, 3)),
    row("stride", lambda k: k.layers.Conv2DTranspose(4, 3, strides=2, activation="relu"), (2, 5, 4, 3)),
    row("stride, same", lambda k: k.layers.Conv2DTranspose(4, 3, strides=2, padding="same"), (2, 5, 4, 3)),
    row("stride, same, even window", lambda k: k.layers.Conv2DTranspose(4, 4, 2, "same"), (2, 5, 4, 3)),
    row("stride beyond window", lambda k: k.layers.Conv2DTranspose(4, 2, strides=3), (2, 4, 3, 3)),
    row("uneven", lambda k: k.layers.Conv2DTranspose(4, (2, 3), strides=(1, 2), use_bias=False), (2, 4, 3, 3)),
    row("output padding", lambda k: k.layers.Conv2DTranspose(4, 3, strides=2, output_padding=1), (2, 4, 3, 3)),
    row("output padding, same", lambda k: k.layers.Conv2DTranspose(4, 3, 2, "same", output_padding=0), (2, 4, 3, 3)),
    row("dilation", lambda k: k.layers.Conv2DTranspose(4, 3, dilation_rate=2), (2, 4, 5, 3)),
    row(
        "channels first", lambda k: k.layers.Conv2DTranspose(4, 3, data_format="channels_first"), (2, 3, 4, 5), **FIRST
    ),
)
def test_conv2d_transpose(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("plain", lambda k: k.layers.Conv1DTranspose(4, 3), (2, 5, 3)),
    row("stride, same", lambda k: k.layers.Conv1DTranspose(4, 3, strides=2, padding="same"), (2, 5, 3)),
    row(
        "channels first", lambda k: k.layers.Conv1DTranspose(4, 3, 2, data_format="channels_first"), (2, 3, 5), **FIRST
    ),
)
def test_conv1d_transpose(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("plain", lambda k: k.layers.Conv3DTranspose(2, 2), (1, 3, 2, 4, 3)),
    row("stride, same", lambda k: k.layers.Conv3DTranspose(2, 3, 2, "same"), (1, 3, 2, 2, 3)),
    row("arguments by place", lambda k: k.layers.Conv3DTranspose(2, 3, 2, "same", "channels_last", 1), (1, 3, 2, 2, 3)),
)
def test_conv3d_transpose(build, shapes, options):
    check_layer(build, shapes, **options)


@refusals(
    refusal("filters", lambda k: k.layers.Conv2DTranspose(0, 3), "(Conv2DTranspose)", "filters=0"),
    refusal("strides", lambda k: k.layers.Conv2DTranspose(4, 3, strides=0), "strides=0"),
    refusal("both", lambda k: k.layers.Conv2DTranspose(4, 3, strides=2, dilation_rate=2), "dilation_rate=(2, 2)"),
    refusal(
        "output padding",
        lambda k: k.layers.Conv2DTranspose(4, 3, strides=2, output_padding=2),
        "output_padding=(2, 2), strides=(2, 2)",
    ),
    refusal("groups", lambda k: k.layers.Conv2DTranspose(4, 3, groups=2), "groups"),
    refusal("rank", lambda k: k.layers.Conv2DTranspose(4, 3)(k.Input((4, 3))), "expected min_ndim=4"),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)
