"""Every kernel at the sizes that are checked and timed: arithmetic in `convolutions.py`, what memory bounds here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.gpu import peers
from benchmarks.gpu.inputs import integers, mask, normal, positive, probabilities
from kerasish.core.shapes import Window


class Row(NamedTuple):
    """A kernel at one size.

    Attributes:
        name: what it is, with its size.
        kernel: the twin's name of it.
        inputs: its arguments; a `Given` stands for an array, a list of them for a list of arrays.
        tiny: the same in a size that an emulator manages.
        work: floating-point operations, or 0 where memory is what counts.
        peer: the same by PyTorch: `peer(torch, *arguments)` gives a function to be timed, or None.
        precision: how it multiplies.
        options: its keyword arguments; "xp" stands for the array module.
        oracle: "float64": the reference twin in float64; "host": the same dtypes on the host, for random numbers.
        equal: whether the peer computes the same numbers.
        large: whether the share of the card's peak is asked for.
    """

    name: str
    kernel: str
    inputs: tuple
    tiny: tuple
    work: float = 0.0
    peer: Callable | None = None
    precision: str = "float32"
    options: dict[str, Any] = {}
    oracle: str = "float64"
    equal: bool = True
    large: bool = False

    @property
    def title(self) -> str:
        """The name and, where it matters, the precision: no two rows have the same."""
        return f"{self.name} [{self.precision}]" if self.work else self.name


IMAGE, LITTLE = (64, 56, 56, 128), (2, 5, 5, 8)
THIN, LITTLE_THIN = (64, 224, 224, 3), (2, 5, 5, 3)  # channels that are no multiple of 4 have kernels of their own
VOLUME, LITTLE_VOLUME = (8, 16, 32, 32, 64), (1, 4, 5, 4, 8)
THIN_VOLUME, LITTLE_THIN_VOLUME = (8, 32, 64, 64, 3), (1, 4, 5, 4, 3)
MATRIX, SMALL = (8192, 1024), (5, 36)
ODD, SMALL_ODD = (8192, 1001), (5, 33)
SAME = Window((1, 1), ((1, 1), (1, 1)))
SEED = (3, 2**40 + 7)
PARAMETERS = [2359296, 1048576, 589824, 36864, 512, 64] * 6  # a ResNet-50's 25 million, in fewer arrays
FEW_PARAMETERS = [5, 2500, 1024]


def memory_rows() -> list[Row]:
    """Rows of the kernels that memory bounds."""
    return [
        *_normalizations(),
        *_groups(),
        *_pools(),
        *_softmaxes(),
        *_elementwise(),
        *_random(),
        *_optimizers(),
        *_depthwise(),
    ]


def _row(name: str, kernel: str, make: Callable[..., tuple], full: tuple, tiny: tuple, **more: Any) -> Row:
    """A row whose arguments are made from a shape."""
    return Row(f"{name} {'x'.join(map(str, full))}", kernel, make(*full), make(*tiny), **more)


def _normalizations() -> list[Row]:
    channels = lambda *s: [normal(s[-1]), normal(s[-1])]
    image = lambda *s: (normal(*s), *channels(*s))
    gradient = lambda *s: (normal(*s), normal(*s), *channels(*s), normal(s[-1]), positive(s[-1]))
    infer = lambda *s: (normal(*s), normal(s[-1]), positive(s[-1]), *channels(*s), 1e-3)
    layer = lambda *s: (normal(*s), normal(*s), normal(s[-1]), normal(*s[:-1], 1), positive(*s[:-1], 1))
    both = {"full": IMAGE, "tiny": LITTLE}
    thin, lines = {"full": THIN, "tiny": LITTLE_THIN}, {"full": MATRIX, "tiny": SMALL}
    odd = {"full": ODD, "tiny": SMALL_ODD}
    relu = lambda make: lambda *s: (*make(*s), "relu")
    epsilon = lambda make: lambda *s: (*make(*s), 1e-3)
    train = epsilon(image)
    return [
        _row("batch normalization", "batch_norm_train", train, **both, peer=peers.batch_norm),
        _row("batch normalization, relu", "batch_norm_train", relu(train), **both, peer=peers.batch_norm),
        _row("batch normalization, prediction", "batch_norm_infer", infer, **both, peer=peers.batch_norm_infer),
        _row("batch normalization, gradient", "batch_norm_grad", gradient, **both, peer=peers.batch_norm_grad),
        _row("batch normalization, relu, gradient", "batch_norm_grad", relu(gradient), **both),
        _row("layer normalization", "layer_norm", epsilon(image), **lines, peer=peers.layer_norm),
        _row("layer normalization, gradient", "layer_norm_grad", layer, **lines, peer=peers.layer_norm_grad),
        _row("layer normalization, gradient", "layer_norm_grad", layer, **odd, peer=peers.layer_norm_grad),
        _row("scale and shift", "scale_shift", image, **both, peer=peers.scale_shift),
        _row("bias, gradient", "bias_grad", lambda *s: (normal(*s),), **both, peer=peers.bias_grad),
        _row("batch normalization", "batch_norm_train", train, **thin, peer=peers.batch_norm),
        _row("batch normalization, gradient", "batch_norm_grad", gradient, **thin, peer=peers.batch_norm_grad),
        _row("bias, gradient", "bias_grad", lambda *s: (normal(*s),), **thin, peer=peers.bias_grad),
    ]


def _groups() -> list[Row]:
    """Group normalization: by a warp or a block a group, or blocks that share samples; channels by four or by one."""
    forward = lambda groups: lambda *s: (normal(*s), normal(s[-1]), normal(s[-1]), groups, 1e-3)
    stats = lambda s, groups: (normal(s[0], groups), positive(s[0], groups))
    backward = lambda groups: lambda *s: (normal(*s), normal(*s), normal(s[-1]), *stats(s, groups))
    table = [
        (32, (64, 56, 56, 128), (1, 33, 33, 8), 2),
        (8, (8192, 4, 4, 64), (3, 2, 2, 16), 2),
        (32, (64, 28, 28, 256), (2, 17, 16, 16), 2),
        (32, (64, 28, 28, 288), (2, 17, 16, 18), 2),
        (8, (8192, 4, 4, 72), (3, 2, 2, 6), 2),
        (22, (64, 56, 56, 66), (1, 33, 33, 6), 2),
    ]
    rows = []
    for groups, full, tiny, few in table:
        for suffix, kernel, make, peer in (
            ("", "group_norm", forward, peers.group_norm),
            (", gradient,", "group_norm_grad", backward, peers.group_norm_grad),
        ):
            name = f"group normalization, {groups} groups{suffix} {'x'.join(map(str, full))}"
            rows.append(Row(name, kernel, make(groups)(*full), make(few)(*tiny), peer=peer))
    return rows


def _pools() -> list[Row]:
    """Windows of 2 along two axes and three, channels by four and by one."""
    axes = lambda s: len(s) - 2
    halved = lambda s: (s[0], *(n // 2 for n in s[1:-1]), s[-1])
    every = lambda s, value: (value,) * axes(s)
    window = lambda s: (every(s, 2), Window(every(s, 2), every(s, (0, 0)), every(s, 1)))
    forward = lambda *s: (normal(*s), *window(s))
    maximum = lambda *s: (normal(*halved(s)), integers(halved(s), 2 ** axes(s), "uint8"), s, *window(s))
    average = lambda *s: (normal(*halved(s)), s, *window(s))
    table = [
        ("max pooling", "max_pool{}d", forward, peers.max_pool),
        ("max pooling, gradient,", "max_pool{}d_grad", maximum, peers.max_pool_grad),
        ("average pooling", "average_pool{}d", forward, peers.average_pool),
        ("average pooling, gradient,", "average_pool{}d_grad", average, peers.average_pool_grad),
    ]
    shapes = (IMAGE, LITTLE), (THIN, LITTLE_THIN), (VOLUME, LITTLE_VOLUME), (THIN_VOLUME, LITTLE_THIN_VOLUME)
    return [
        _row(name, kernel.format(axes(sizes[0])), make, *sizes, peer=peer)
        for sizes in shapes
        for name, kernel, make, peer in table
    ]


def _softmaxes() -> list[Row]:
    one = lambda *s: (normal(*s),)
    gradient = lambda *s: (normal(*s), probabilities(*s))
    dense = lambda *s: (probabilities(*s), normal(*s))
    sparse = lambda *s: (integers(s[:-1], s[-1]), normal(*s))
    scaled = lambda make: lambda *s: (normal(*s[:-1]), *make(*s))
    lines = {"full": MATRIX, "tiny": SMALL}
    table = [
        ("softmax", "softmax", one, peers.softmax),
        ("softmax, gradient", "softmax_grad", gradient, peers.softmax_grad),
        ("log-softmax", "log_softmax", one, peers.log_softmax),
        ("log-softmax, gradient", "log_softmax_grad", gradient, peers.log_softmax_grad),
        ("cross-entropy", "sparse_cross_entropy_logits", sparse, peers.sparse_cross_entropy),
        ("cross-entropy, gradient", "sparse_cross_entropy_logits_grad", scaled(sparse), peers.cross_entropy_grad),
        ("cross-entropy of shares", "cross_entropy_logits", dense, peers.cross_entropy),
        ("cross-entropy of shares, gradient", "cross_entropy_logits_grad", scaled(dense), peers.cross_entropy_grad),
    ]
    return [_row(name, kernel, make, **lines, peer=peer) for name, kernel, make, peer in table]


def _elementwise() -> list[Row]:
    two = lambda *s: (normal(*s), normal(*s))
    names = ("add_relu", "relu_grad", "relu6_grad", "sigmoid_grad", "tanh_grad")
    return [
        _row(name.replace("_grad", ", gradient,"), name, two, IMAGE, LITTLE, peer=peers.ELEMENTWISE[name])
        for name in names
    ]


def _random() -> list[Row]:
    """Random numbers are the CPU's, to the bit; PyTorch's are others, and only their time is compared."""
    host = {"full": (1 << 24,), "tiny": (1029,), "oracle": "host"}
    here = {**host, "options": {"xp": None}, "equal": False}
    table = [
        ("uniform", "uniform", lambda n: ((n,), SEED, -2.0, 3.0), peers.uniform, here),
        ("dropout mask", "dropout_mask", lambda n: ((n,), SEED, 0.3), peers.dropout_mask, here),
        ("dropout", "dropout", lambda n: (normal(n), (n,), SEED, 0.4), peers.dropout, {**host, "equal": False}),
        ("dropout, gradient,", "masked_scale", lambda n: (normal(n), mask(n), 1.5), peers.masked_scale, host),
    ]
    return [_row(name, kernel, make, peer=peer, **more) for name, kernel, make, peer, more in table]


def _optimizers() -> list[Row]:
    lists = lambda count: lambda *sizes: tuple([positive(n) for n in sizes] for _ in range(count))
    table = [
        ("SGD", "sgd", 2, (0.1,), peers.sgd),
        ("momentum", "sgd_momentum", 3, (0.1, 0.9), peers.momentum),
        ("Nesterov's momentum", "sgd_momentum", 3, (0.1, 0.9, True), peers.momentum),
        ("Adam", "adam", 4, (0.01, 0.9, 0.99, 1e-7, 3), peers.adam),
        ("RMSprop", "rmsprop", 3, (0.01, 0.9, 1e-7), peers.rmsprop),
        ("Adagrad", "adagrad", 3, (0.01, 1e-7), peers.adagrad),
    ]
    rows = []
    for name, kernel, count, constants, peer in table:
        full, tiny = ((*lists(count)(*sizes), *constants) for sizes in (PARAMETERS, FEW_PARAMETERS))
        rows.append(Row(f"{name}, {sum(PARAMETERS) / 1e6:.0f} million parameters", kernel, full, tiny, peer=peer))
    full, tiny = lists(1)(*PARAMETERS), lists(1)(*FEW_PARAMETERS)
    return [*rows, Row("sum of squares of gradients", "sum_of_squares", full, tiny, peer=peers.sum_of_squares)]


def _depthwise() -> list[Row]:
    rows = []
    for many, shape, tiny in ((1, IMAGE, LITTLE), (2, (64, 28, 28, 128), (2, 5, 5, 3))):
        forward = lambda *s, M=many: (normal(*s), normal(3, 3, s[-1], M), SAME)
        wide = lambda s, M=many: (*s[:-1], s[-1] * M)
        to_input = lambda *s, M=many, wide=wide: (normal(*wide(s)), normal(3, 3, s[-1], M), tuple(s), SAME)
        to_kernel = lambda *s, M=many, wide=wide: (normal(*s), normal(*wide(s)), (3, 3, s[-1], M), SAME)
        name = "depthwise 3x3" + (f", {many} filters a channel" if many > 1 else "")
        both = {"full": shape, "tiny": tiny}
        rows += [
            _row(f"{name},", "depthwise_conv2d", forward, **both, peer=peers.depthwise),
            _row(
                f"{name}, gradient of input,",
                "depthwise_conv2d_grad_input",
                to_input,
                **both,
                peer=peers.depthwise_grad_input,
            ),
            _row(
                f"{name}, gradient of filters,",
                "depthwise_conv2d_grad_kernel",
                to_kernel,
                **both,
                peer=peers.depthwise_grad_kernel,
            ),
        ]
    return rows
