"""Flatten, Reshape, Permute, RepeatVector, borders, upsampling."""

from .harness import cases, channels_last_oracle, check_layer, check_refusal, refusal, refusals, row


@cases(
    row("Flatten", lambda k: k.layers.Flatten(), (2, 3, 4, 5)),
    row("Flatten, first", lambda k: k.layers.Flatten(data_format="channels_first"), (2, 3, 4, 5)),
    row("Flatten, first, steps", lambda k: k.layers.Flatten(data_format="channels_first"), (2, 3, 4)),
    row("Flatten, first, flat", lambda k: k.layers.Flatten(data_format="channels_first"), (2, 3)),
    row("Flatten, flat", lambda k: k.layers.Flatten(), (2, 3)),
    row("Flatten, scalars", lambda k: k.layers.Flatten(), (2,)),
    row("Flatten, empty batch", lambda k: k.layers.Flatten(), (0, 3, 4)),
    row("Reshape", lambda k: k.layers.Reshape((4, 3)), (2, 12)),
    row("Reshape, -1", lambda k: k.layers.Reshape([2, -1, 3]), (2, 12)),
    row("Reshape, open", lambda k: k.layers.Reshape((None, 3)), (2, 12)),
    row("Reshape, open in the middle", lambda k: k.layers.Reshape((2, None, 3)), (2, 12)),
    row("Reshape, none", lambda k: k.layers.Reshape(()), (2, 1)),
    row("Permute", lambda k: k.layers.Permute((3, 1, 2)), (2, 3, 4, 5)),
    row("RepeatVector", lambda k: k.layers.RepeatVector(3), (2, 4)),
    row("Cropping1D", lambda k: k.layers.Cropping1D((1, 2)), (2, 5, 3)),
    row("Cropping1D, default", lambda k: k.layers.Cropping1D(), (2, 5, 3)),
    row("Cropping2D", lambda k: k.layers.Cropping2D(((1, 0), (2, 1))), (2, 5, 4, 3)),
    row("Cropping2D, two", lambda k: k.layers.Cropping2D((1, 2)), (2, 5, 6, 3)),
    row("Cropping2D, first", lambda k: k.layers.Cropping2D(1, "channels_first"), (2, 3, 5, 6)),
    row("Cropping3D", lambda k: k.layers.Cropping3D((1, 0, 1)), (1, 3, 2, 4, 2)),
    row("ZeroPadding1D", lambda k: k.layers.ZeroPadding1D((1, 2)), (2, 5, 3)),
    row("ZeroPadding2D", lambda k: k.layers.ZeroPadding2D(((1, 2), (0, 1))), (2, 3, 4, 3)),
    row("ZeroPadding2D, one", lambda k: k.layers.ZeroPadding2D(1), (2, 3, 4, 3)),
    row("ZeroPadding2D, first", lambda k: k.layers.ZeroPadding2D((1, 2), "channels_first"), (2, 3, 4, 3)),
    row("ZeroPadding3D", lambda k: k.layers.ZeroPadding3D((1, 0, 2)), (1, 3, 2, 4, 2)),
    row("UpSampling1D", lambda k: k.layers.UpSampling1D(3), (2, 4, 3)),
    row("UpSampling2D", lambda k: k.layers.UpSampling2D((2, 3)), (2, 4, 3, 2)),
    row("UpSampling2D, first", lambda k: k.layers.UpSampling2D(2, "channels_first"), (2, 4, 3, 2)),
    row("UpSampling3D", lambda k: k.layers.UpSampling3D(2), (1, 2, 3, 2, 2)),
)
def test_reshaping(build, shapes, options):
    check_layer(build, shapes, **options)


@cases(
    row("bilinear", lambda k: k.layers.UpSampling2D(2, interpolation="bilinear"), (2, 4, 3, 2)),
    row("bilinear, uneven", lambda k: k.layers.UpSampling2D((3, 1), interpolation="BILINEAR"), (2, 4, 3, 2)),
    row(
        "first",
        lambda k: k.layers.UpSampling2D(2, "channels_first", "bilinear"),
        (2, 2, 4, 3),
        oracle=channels_last_oracle,
    ),
)
def test_interpolation(build, shapes, options):
    check_layer(build, shapes, **options)


@refusals(
    refusal("two unknowns", lambda k: k.layers.Reshape((2, -1, -1)), "at most one unknown", "(2, -1, -1)"),
    refusal("two open ones", lambda k: k.layers.Reshape((None, None))(k.ops.ones((2, 8))), "(None, None)"),
    refusal("negative", lambda k: k.layers.Reshape((2, -2)), "(2, -2)"),
    refusal(
        "size", lambda k: k.layers.Reshape((3, 2))(k.Input((8,))), "(None, 8) has 8 numbers", "target_shape=(3, 2)"
    ),
    refusal("division", lambda k: k.layers.Reshape((3, -1))(k.Input((8,))), "layer 'reshape", "target_shape=(3, -1)"),
    refusal("dims", lambda k: k.layers.Permute((0, 1)), "Invalid permutation", "dims=(0, 1)"),
    refusal("permute rank", lambda k: k.layers.Permute((2, 1))(k.Input((2, 3, 4))), "expected ndim=3, found ndim=4"),
    refusal("n", lambda k: k.layers.RepeatVector(0), "n=0"),
    refusal("n text", lambda k: k.layers.RepeatVector("a"), "Expected an integer value for `n`"),
    refusal("cropping three", lambda k: k.layers.Cropping1D((1, 2, 3)), "tuple of 2 integers"),
    refusal("cropping negative", lambda k: k.layers.Cropping1D(-1), "cropping=-1", "value >= 0"),
    refusal("cropping entry", lambda k: k.layers.Cropping2D(((1, 2), (1,))), "2nd entry of cropping"),
    refusal("cropping text", lambda k: k.layers.Cropping2D("a"), "two elements"),
    refusal(
        "cropped away", lambda k: k.layers.Cropping2D(2)(k.Input((3, 3, 2))), "(None, 3, 3, 2)", "((2, 2), (2, 2))"
    ),
    refusal("cropped away 1D", lambda k: k.layers.Cropping1D(3)(k.Input((5, 2))), "smaller than the input length"),
    refusal("padding", lambda k: k.layers.ZeroPadding2D((1, 2, 3)), "two elements"),
    refusal("padding negative", lambda k: k.layers.ZeroPadding2D(-1), "value >= 0", error=ValueError),
    refusal("size 0", lambda k: k.layers.UpSampling2D(0), "size=0"),
    refusal("size tuple", lambda k: k.layers.UpSampling1D((2, 2)), "Expected an integer value for `size`"),
    refusal(
        "interpolation",
        lambda k: k.layers.UpSampling2D(2, interpolation="x")(k.ops.zeros((1, 2, 2, 1))),
        "interpolation=x",
    ),
)
def test_refusals(attempt, texts, error):
    check_refusal(attempt, texts, error)
