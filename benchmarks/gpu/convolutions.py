"""Rows of convolutions and matrix products: every pass, every arithmetic, every size of tile."""

from __future__ import annotations

import math
from typing import NamedTuple

from benchmarks.gpu import peers
from benchmarks.gpu.inputs import normal
from benchmarks.gpu.rows import Row
from kerasish.core.shapes import Window

PEERS = {"": peers.conv, "_grad_input": peers.conv_grad_input, "_grad_kernel": peers.conv_grad_kernel}


class Sizes(NamedTuple):
    """A convolution; `image` has one side, two or three."""

    batch: int
    image: tuple[int, ...]
    channels: int
    filters: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    groups: int = 1

    @property
    def window(self) -> Window:
        """Padded as far on both sides, so that PyTorch can do the same."""
        pad = self.dilation * (self.kernel // 2)
        each = lambda value: (value,) * len(self.image)
        return Window(each(self.stride), each((pad, pad)), each(self.dilation), self.groups)

    @property
    def shapes(self) -> tuple[tuple, tuple, tuple]:
        """Of the image, the filters, the result."""
        reach, pads = self.dilation * (self.kernel - 1), 2 * self.dilation * (self.kernel // 2)
        out = [(n + pads - reach - 1) // self.stride + 1 for n in self.image]
        w = (*[self.kernel] * len(self.image), self.channels // self.groups, self.filters)
        return (self.batch, *self.image, self.channels), w, (self.batch, *out, self.filters)

    @property
    def work(self) -> float:
        """Floating-point operations of a pass, padding counted in."""
        _, w, y = self.shapes
        return 2.0 * math.prod(y) * math.prod(w[:-1])

    def __str__(self):
        kernel = "x".join([str(self.kernel)] * len(self.image))
        text = f"{'x'.join(map(str, self.shapes[0]))} -> {self.filters}, {kernel}"
        more = {"/": self.stride, "dilation ": self.dilation, "groups ": self.groups}
        return text + "".join(f" {name}{value}" for name, value in more.items() if value > 1)

    def inputs(self, which: str) -> tuple:
        """The arguments of a pass: "", "_grad_input" or "_grad_kernel"."""
        x, w, y = self.shapes
        if which == "_grad_input":
            return normal(*y), normal(*w), x, self.window
        if which == "_grad_kernel":
            return normal(*x), normal(*y), w, self.window
        return normal(*x), normal(*w), self.window


class Case(NamedTuple):
    """A convolution, and tiny ones that take the same ways: of the passes by image, and of that by filters."""

    full: Sizes
    tiny: Sizes
    tiny_filters: Sizes | None = None
    large: bool = False

    def row(self, which: str, precision: str) -> Row:
        """The row of a pass."""
        family = f"conv{len(self.full.image)}d"
        tiny = self.tiny_filters if which == "_grad_kernel" and self.tiny_filters else self.tiny
        more = {"work": self.full.work, "peer": PEERS[which], "precision": precision, "large": self.large}
        kernel = family + which
        return Row(f"{kernel} {self.full}", kernel, self.full.inputs(which), tiny.inputs(which), **more)


TINY = Sizes(1, (6, 6), 3, 5, 3)
MANY_FILTERS = Sizes(1, (1, 1), 2900, 2900, 1)  # so many that their gradient is summed in large tiles
LARGE = [  # a ResNet's convolutions of 3x3; tiny ones fill the four tiles on a card of four multiprocessors
    Case(Sizes(64, (56, 56), 64, 64, 3), Sizes(1, (3, 43), 4, 68, 1), large=True),
    Case(Sizes(64, (28, 28), 128, 128, 3), Sizes(1, (3, 43), 4, 132, 1), large=True),
    Case(Sizes(64, (14, 14), 256, 256, 3), Sizes(1, (5, 3), 8, 64, 1), MANY_FILTERS, large=True),
    Case(Sizes(64, (7, 7), 512, 512, 3), TINY, large=True),
]
OTHERS = [
    Case(Sizes(64, (56, 56), 256, 64, 1), TINY._replace(kernel=1)),
    Case(Sizes(64, (56, 56), 64, 128, 3, stride=2), TINY._replace(stride=2)),
    Case(Sizes(64, (224, 224), 3, 64, 7, stride=2), Sizes(1, (9, 9), 3, 5, 7, stride=2)),
    Case(Sizes(256, (28, 28), 1, 32, 3), Sizes(1, (5, 5), 1, 5, 3)),
    Case(Sizes(1, (7, 7), 512, 512, 3), Sizes(1, (3, 3), 4, 36, 3)),
]
DEEP = [  # in space
    Case(Sizes(4, (16, 28, 28), 64, 64, 3), Sizes(1, (1, 3, 43), 4, 68, 1)),
    Case(Sizes(4, (8, 28, 28), 128, 128, 3), Sizes(1, (1, 3, 43), 4, 132, 1), Sizes(1, (1, 1, 1), 2900, 2900, 1)),
    Case(Sizes(1, (4, 7, 7), 256, 256, 3), Sizes(1, (3, 2, 3), 4, 36, 3)),
    Case(Sizes(4, (16, 28, 28), 1, 32, 3), Sizes(1, (3, 4, 4), 1, 5, 3, stride=2)),
]
SPECIAL = [
    Case(Sizes(64, (28, 28), 128, 128, 3, groups=4), TINY._replace(channels=4, filters=6, groups=2)),
    Case(Sizes(64, (28, 28), 128, 128, 3, dilation=2), TINY._replace(dilation=2)),
    Case(Sizes(64, (55, 55), 64, 64, 5, stride=3), Sizes(1, (8, 8), 3, 4, 5, stride=3)),
    Case(Sizes(64, (4096,), 64, 64, 5), Sizes(2, (7,), 3, 5, 5)),
]


def convolution_rows(precision: str, cases: list[Case]) -> list[Row]:
    """Every pass of some convolutions."""
    return [case.row(which, precision) for case in cases for which in PEERS]


def fused_rows(precision: str) -> list[Row]:
    """With bias and relu in the same kernel."""
    rows = []
    for case in LARGE[1], OTHERS[3]:
        row, sizes = case.row("", precision), (case.full, case.tiny)
        inputs, tiny = ((*s.inputs(""), normal(s.filters), "relu") for s in sizes)
        rows.append(row._replace(name=f"{row.name}, bias, relu", inputs=inputs, tiny=tiny, large=False))
    return rows


def dense_rows(precision: str) -> list[Row]:
    """The product of a Dense layer and its gradients, large and with a batch of 32."""
    rows = []
    for M, K, N in ((4096, 4096, 4096), (8192, 1024, 1024), (32, 4096, 4096), (32, 2048, 1001)):
        tiny = (5, 7, 8 if N % 4 == 0 else 6)
        passes = {
            "bias, relu": lambda M, K, N: (normal(M, K), normal(K, N), False, False, normal(N), "relu"),
            "gradient of input": lambda M, K, N: (normal(M, N), normal(K, N), False, True),
            "gradient of kernel": lambda M, K, N: (normal(M, K), normal(M, N), True, False),
        }
        for name, make in passes.items():
            more = {"work": 2.0 * M * K * N, "peer": peers.matmul, "precision": precision}
            rows.append(Row(f"dense {M}x{K} -> {N}, {name}", "matmul", make(M, K, N), make(*tiny), **more))
    return rows


def arithmetic_rows() -> list[Row]:
    """The rows that arithmetic bounds, those that matter most first."""
    everything = [*LARGE, *OTHERS, *DEEP]
    return [
        *convolution_rows("tf32", LARGE),
        *convolution_rows("float32", LARGE),
        *convolution_rows("tf32", OTHERS),
        *dense_rows("float32"),
        *fused_rows("tf32"),
        *convolution_rows("float32", OTHERS),
        *convolution_rows("tf32", [*DEEP, *SPECIAL]),
        *dense_rows("tf32"),
        *convolution_rows("float32", [*DEEP, *SPECIAL]),
        *(row for precision in ("bfloat16", "3xtf32") for row in convolution_rows(precision, everything)),
    ]
