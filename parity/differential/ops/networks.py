"""Convolutions, pooling and images."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import array, booleans, one, some
from parity.differential.ops.running import whole

DTYPE = one("float32", "float32", "float32", "float64", "float16", "bfloat16")
CHANNELS = one(2, 1, 4)


@st.composite
def images(draw, dtypes=DTYPE, ranks=(1, 2, 3), channels=CHANNELS, size=one(5, 6, 4, 7)):
    """A batch of images of some rank, channels last or first; and its arguments."""
    rank = draw(one(*ranks))
    c, space = draw(channels), tuple(draw(size) for _ in range(rank))
    batch = draw(one(2, 1, 2, 3))
    layout = draw(some(data_format=one("channels_last", "channels_first")))
    first = layout.get("data_format") == "channels_first"
    shape = (batch, c, *space) if first else (batch, *space, c)
    return rank, c, draw(array(shape, dtypes)), layout


def each(draw, rank, *values):
    """A number, or one for each axis."""
    if draw(booleans):
        return draw(one(*values))
    return tuple(draw(one(*values)) for _ in range(rank))


@st.composite
def pooled(draw):
    """Images and windows."""
    rank, _, x, layout = draw(images())
    arguments = {"pool_size": each(draw, rank, 2, 3, 1), **draw(some(padding=one("valid", "same"))), **layout}
    if draw(booleans):
        arguments["strides"] = each(draw, rank, 1, 2, 3)
    return (x,), arguments


whole("max_pool", pooled())
whole("average_pool", pooled())


@st.composite
def adaptively(draw, *sizes):
    """Images and the size that they are pooled to."""
    rank, _, x, layout = draw(images())
    return (x,), {"output_size": each(draw, rank, *sizes), **layout}


whole("adaptive_average_pool", adaptively(2, 3, 1, 4))
whole("adaptive_max_pool", adaptively(2, 3, 4))  # real Keras ends the process at some poolings to a single place


@st.composite
def convolved(draw, kind):
    """Images, kernels, and how they meet."""
    rank, c, x, layout = draw(images(ranks={"depthwise": (1, 2), "separable": (1, 2)}.get(kind, (1, 2, 3))))
    window = tuple(draw(one(3, 2, 1)) for _ in range(rank))
    f, multiplier = draw(one(2, 3, 4)), draw(one(1, 2))
    groups = draw(one(*[g for g in (1, 2, c) if not c % g])) if kind == "conv" else 1
    shape = {
        "conv": (*window, c // groups, f * groups),
        "transpose": (*window, f, c),
    }.get(kind, (*window, c, multiplier))
    kernels = [draw(array(shape, one(x["dtype"])))]
    if kind == "separable":
        kernels.append(draw(array((*(1,) * rank, c * multiplier, f), one(x["dtype"]))))
    arguments = {**draw(some(padding=one("valid", "same"))), **layout}
    choice = draw(one("plain", "strides", "dilation"))
    if choice == "strides":
        arguments["strides"] = each(draw, rank, 2, 1, 3) if kind in ("conv", "transpose") else draw(one(2, 1, 3))
    if choice == "dilation":
        arguments["dilation_rate"] = each(draw, rank, 2, 1) if kind in ("conv", "transpose") else draw(one(2, 1))
    return (x, *kernels), arguments


whole("conv", convolved("conv"))
whole("depthwise_conv", convolved("depthwise"))
whole("conv_transpose", convolved("transpose"))
whole("separable_conv", convolved("separable"))


@st.composite
def resized(draw):
    """Images and their new size."""
    rank, _, x, layout = draw(
        images(one("float32", "uint8", "int32", "float16", "float64", "bfloat16"), (2,), one(3, 1))
    )
    if draw(one(False, False, True)):
        x = {**x, "shape": x["shape"][1:]}
    arguments = draw(some(interpolation=one("nearest", "bilinear"), antialias=booleans))
    return (x,), {"size": draw(one((2, 2), (7, 5), (4, 3), (8, 10), (1, 1))), **arguments, **layout}


whole("image.resize", resized())
