"""Layers that slide a window over space, and those that go over images otherwise."""

from __future__ import annotations

from hypothesis import strategies as st

from parity.differential.draws import booleans, mostly, one, seeds, some, with_required
from parity.differential.layers.draws import COMMON, FORMATS, PADDINGS, PRODUCT, image, layer, of_weights, sizes

FILTERS = {"filters": st.integers(1, 6)}
MULTIPLIER = {"depth_multiplier": st.integers(1, 3)}
SPACE = {"padding": PADDINGS, "data_format": FORMATS}
ONE_STRIDE = st.one_of(some(strides=st.integers(1, 2)), some(dilation_rate=st.integers(1, 2)))


def merged(required, optional, extra):
    """Arguments of one dict and more of another."""
    return st.tuples(with_required(required, optional), extra).map(lambda parts: {**parts[0], **parts[1]})


def strides_or_dilation(rank, most):
    """Keras refuses both, and we then too."""
    both = some(strides=sizes(rank, most), dilation_rate=sizes(rank, 2))
    return mostly(st.one_of(some(strides=sizes(rank, most)), some(dilation_rate=sizes(rank, 2))), both, times=8)


def fitted(data):
    """The data with channels and filters that groups divide, and images that the window fits into."""
    arguments, inputs = dict(data["arguments"]), list(data["inputs"])
    rank, groups = len(inputs[0]["shape"]) - 2, arguments.get("groups", 1)
    if groups > 1 and "filters" in arguments:
        arguments["filters"] *= groups
    first = (arguments.get("data_format") or data.get("image_data_format")) == "channels_first"
    least = _window(arguments, rank) if arguments.get("padding", "valid") == "valid" else (1,) * rank
    fit = lambda x: {**x, "shape": _fitting(x["shape"], least, groups, first)}
    more = {"second": fit(data["second"])} if data.get("second") else {}
    return {**data, "arguments": arguments, "inputs": tuple(map(fit, inputs)), **more}


def _window(arguments, rank):
    """How much space a window takes, its dilation included."""
    each = lambda value: (value,) * rank if isinstance(value, int) else value
    size = each(arguments.get("kernel_size", arguments.get("pool_size", 2)))
    return tuple((k - 1) * d + 1 for k, d in zip(size, each(arguments.get("dilation_rate", 1))))


def _fitting(shape, least, groups, channels_first):
    batch, *rest = shape
    channels = rest.pop(0 if channels_first else -1) * groups
    space = [max(n, k) for n, k in zip(rest, least)]
    return (batch, channels, *space) if channels_first else (batch, *space, channels)


def padded_less_than_moved(data):
    """The data with an `output_padding` smaller than the strides."""
    arguments = dict(data["arguments"])
    if "output_padding" in arguments:
        outside, moves = arguments["output_padding"], arguments.get("strides", 1)
        if isinstance(outside, int):
            least = min(moves) if isinstance(moves, tuple) else moves
            arguments["output_padding"] = min(outside, least - 1)
        else:
            each = moves if isinstance(moves, tuple) else (moves,) * len(outside)
            arguments["output_padding"] = tuple(min(p, s - 1) for p, s in zip(outside, each))
    return {**data, "arguments": arguments}


def convolutions(rank, most):
    """Convolutions over so many axes of at most so many places."""
    kernel, bias, moves = {"kernel_size": sizes(rank)}, of_weights("kernel", "bias"), strides_or_dilation(rank, 3)
    padding = one("valid", "same", "causal") if rank == 1 else PADDINGS
    groups = {"padding": padding, "groups": one(1, 1, 2, 2, 3)}
    arguments = merged(FILTERS | kernel, PRODUCT | SPACE | groups | bias, moves)
    layer(f"Conv{rank}D", arguments, image(rank, 1, most), fit=fitted)
    outside = {"output_padding": sizes(rank, 1, least=0)}
    layer(
        f"Conv{rank}DTranspose",
        merged(FILTERS | kernel, PRODUCT | SPACE | outside | bias, moves),
        image(rank, 1, 5),
        formats=True,
        fit=padded_less_than_moved,
    )
    if rank < 3:
        depthwise = PRODUCT | SPACE | MULTIPLIER | of_weights("depthwise", "bias")
        layer(f"DepthwiseConv{rank}D", merged(kernel, depthwise, ONE_STRIDE), image(rank), fit=fitted)
        separable = depthwise | of_weights("pointwise")
        layer(f"SeparableConv{rank}D", merged(FILTERS | kernel, separable, ONE_STRIDE), image(rank), fit=fitted)


def poolings(rank, most):
    """Poolings over so many axes of at most so many places."""
    pool, strides = {"pool_size": sizes(rank)}, {"strides": st.one_of(st.none(), sizes(rank))}
    strides["padding"] = one("valid", "same")  # Keras takes capitals where it runs, and refuses them in a graph
    for kind in ("Max", "Average"):
        required = pool if kind == "Average" else {}
        arguments = with_required(required, pool | SPACE | strides | COMMON)
        layer(f"{kind}Pooling{rank}D", arguments, image(rank, 1, most), fit=fitted)
        layer(f"Global{kind}Pooling{rank}D", some(data_format=FORMATS, keepdims=booleans, **COMMON), image(rank, 1, 6))
        least = 1 + (kind == "Max")  # TensorFlow's window is larger than the space, and divides by zero
        adaptive = with_required({"output_size": sizes(rank, 3, least)}, {"data_format": FORMATS})
        layer(f"Adaptive{kind}Pooling{rank}D", adaptive, image(rank, 3, most, channels=one(3, 4)))


def borders(rank):
    """An amount all round, one for each axis, or two for each axis."""
    number = st.integers(0, 2)
    pair = st.tuples(number, number)
    if rank == 1:
        return st.one_of(number, pair)
    return st.one_of(number, st.tuples(*[number] * rank), st.tuples(*[pair] * rank))


def shapings(rank, most):
    """Layers that put a border round images, cut it off, repeat places, or drop channels."""
    format_ = {"data_format": FORMATS} if rank > 1 else {}
    layer(f"ZeroPadding{rank}D", some(padding=borders(rank), data_format=FORMATS, **COMMON), image(rank, 1, most))
    layer(f"Cropping{rank}D", some(cropping=borders(rank), **format_), image(rank, 4, 6, one(4, 5)))
    interpolation = {"interpolation": one("nearest", "bilinear", "bicubic", "lanczos3")} if rank == 2 else {}
    layer(f"UpSampling{rank}D", some(size=sizes(rank), **format_, **interpolation), image(rank, 1, 4))
    rate = {"rate": one(0.3, 0.0, 0.5)}
    layer(f"SpatialDropout{rank}D", with_required(rate, {"seed": seeds, **format_}), image(rank, 1, 4))


for _rank in (1, 2, 3):
    _most = 8 if _rank < 3 else 5
    convolutions(_rank, _most)
    poolings(_rank, _most)
    shapings(_rank, _most)
