"""Rows for the dense kernels; each row checks the forward pass and both gradients of every twin."""

from typing import NamedTuple

from kerasish.core.shapes import Window

SAME3 = ((1, 1), (1, 1))
VALID = ((0, 0), (0, 0))


class Conv(NamedTuple):
    """A convolution: x (N, *S, C), w (*K, C/G, F); depthwise w (*K, C, M)."""

    name: str
    x: tuple
    w: tuple
    window: Window


def conv(name, x, w, pads=VALID, strides=(1, 1), dilation=(1, 1), groups=1):
    return Conv(name, x, w, Window(strides, pads, dilation, groups))


CONV2D = [
    conv("one channel", (2, 9, 11, 1), (3, 3, 1, 5)),
    conv("three channels, seven by seven, stride 2", (1, 21, 20, 3), (7, 7, 3, 64), ((2, 3), (3, 2)), (2, 2)),
    conv("one filter", (2, 7, 6, 5), (3, 3, 5, 1), SAME3),
    conv("whole vectors", (2, 8, 8, 64), (3, 3, 64, 64), SAME3),
    conv("ragged vectors", (2, 7, 9, 19), (3, 3, 19, 37), SAME3),
    conv("many channels", (1, 6, 5, 300), (3, 3, 300, 20), SAME3),
    conv("more filters than a block holds", (1, 5, 5, 9), (2, 3, 9, 700)),
    conv("one by one", (3, 5, 7, 33), (1, 1, 33, 65)),
    conv("one by one, stride 2", (3, 5, 8, 33), (1, 1, 33, 18), strides=(2, 2)),
    conv("stride 3, window of 2", (2, 10, 11, 6), (2, 2, 6, 7), strides=(3, 3)),
    conv("strides 2 and 1, wide pads", (2, 6, 7, 4), (4, 2, 4, 6), ((3, 2), (0, 1)), (2, 1)),
    conv("dilation", (2, 9, 12, 8), (3, 3, 8, 9), ((2, 2), (3, 3)), dilation=(2, 3)),
    conv("stride and dilation", (1, 13, 12, 3), (3, 2, 3, 4), ((1, 0), (0, 2)), (2, 3), (3, 2)),
    conv("stride and dilation with a common factor", (1, 13, 14, 3), (3, 3, 3, 4), ((2, 2), (2, 2)), (2, 4), (2, 2)),
    conv("groups", (2, 6, 6, 12), (3, 3, 3, 20), SAME3, groups=4),
    conv("a group for each channel", (2, 6, 6, 5), (3, 3, 1, 10), SAME3, (2, 2), groups=5),
    conv("window as large as the image", (3, 5, 4, 7), (5, 4, 7, 11)),
    conv("rows that stay out of every window", (2, 11, 12, 3), (2, 2, 3, 4), strides=(4, 5)),
    conv("one pixel", (1, 1, 1, 3), (3, 3, 3, 4), SAME3),
    conv("a row of many jobs", (1, 1, 801, 4), (1, 5, 4, 7), ((0, 0), (4, 0))),
    conv("several images in a job", (9, 4, 3, 8), (3, 3, 8, 16), SAME3),
    conv("empty batch", (0, 5, 5, 3), (3, 3, 3, 8)),
    conv("one vector, runs of pixels", (3, 8, 8, 12), (5, 5, 12, 16), ((2, 2), (2, 2))),
    conv("one vector after four, long sums", (2, 8, 8, 44), (5, 5, 44, 72), ((2, 2), (2, 2))),
    conv("one vector, odd rows", (2, 9, 7, 20), (3, 3, 20, 7), SAME3),
    conv("winograd: one vector", (4, 16, 16, 16), (3, 3, 16, 16), SAME3),
    conv("winograd: even", (4, 16, 16, 32), (3, 3, 32, 32), SAME3),
    conv("winograd: ragged edges", (4, 15, 18, 48), (3, 3, 48, 80), SAME3),
    conv("winograd: valid", (5, 17, 13, 32), (3, 3, 32, 64)),
    conv("winograd: asymmetric pads", (6, 13, 14, 64), (3, 3, 64, 32), ((2, 0), (0, 3))),
    conv("winograd: more tiles than a block holds", (2, 61, 30, 32), (3, 3, 32, 32), SAME3),
]

DEPTHWISE = [
    conv("ragged", (2, 9, 11, 7), (3, 3, 7, 1), SAME3),
    conv("whole vectors", (2, 9, 11, 64), (3, 3, 64, 1), SAME3),
    conv("no pads", (1, 6, 6, 32), (3, 2, 32, 1)),
    conv("stride 2", (2, 9, 10, 48), (3, 3, 48, 1), ((0, 1), (0, 1)), (2, 2)),
    conv("multiplier", (2, 7, 6, 5), (3, 2, 5, 3), ((1, 1), (0, 1)), (2, 1), (1, 2)),
    conv("one channel", (2, 7, 6, 1), (3, 3, 1, 1), SAME3),
    conv("wide, stride 2", (1, 5, 39, 35), (3, 3, 35, 1), ((0, 1), (0, 1)), (2, 2)),
    conv("wide, five by five", (1, 6, 21, 19), (5, 5, 19, 1), ((2, 2), (2, 2))),
    conv("wide, stride and dilation", (1, 9, 33, 16), (2, 3, 16, 1), ((2, 0), (1, 2)), (3, 2), (2, 4)),
    conv("one pixel", (3, 1, 1, 20), (3, 3, 20, 1), SAME3),
    conv("rows that stay out of every window", (2, 11, 12, 3), (2, 2, 3, 1), strides=(4, 5)),
    conv("empty batch", (0, 7, 6, 4), (3, 3, 4, 2), SAME3),
]

CONV1D = [
    conv("causal", (2, 31, 5), (4, 5, 6), ((6, 0),), (1,), (2,)),
    conv("stride 2", (2, 30, 6), (3, 3, 8), ((1, 0),), (2,), (1,), groups=2),
]

UNIT = (1, 1, 1)
CONV3D = [
    conv("same", (2, 5, 6, 4, 3), (3, 3, 2, 3, 5), ((1, 1), (1, 1), (0, 1)), UNIT, UNIT),
    conv(
        "strides, dilation, groups", (1, 7, 6, 8, 4), (2, 2, 3, 2, 6), ((1, 0), (0, 0), (1, 2)), (2, 1, 2), (2, 1, 1), 2
    ),
    conv("whole vectors", (1, 4, 5, 6, 16), (3, 3, 3, 16, 8), (*SAME3, (1, 1)), UNIT, UNIT),
    conv("stride 2, even and odd", (2, 5, 6, 7, 4), (3, 3, 3, 4, 5), ((1, 1), (0, 1), (1, 1)), (2, 2, 2), UNIT),
    conv("one by one", (2, 3, 4, 5, 6), (1, 1, 1, 6, 7), ((0, 0),) * 3, UNIT, UNIT),
    conv("one by one, strides", (1, 5, 4, 7, 3), (1, 1, 1, 3, 4), ((0, 0),) * 3, (2, 3, 2), UNIT),
    conv("strides past the window", (1, 7, 6, 5, 3), (2, 2, 2, 3, 4), ((0, 0),) * 3, (3, 4, 3), UNIT),
    conv("stride and dilation", (1, 9, 6, 8, 3), (3, 2, 2, 3, 4), ((2, 2), (1, 0), (0, 3)), (2, 2, 3), (2, 3, 2)),
    conv("as large as the image", (3, 3, 4, 2, 5), (3, 4, 2, 5, 6), ((0, 0),) * 3, UNIT, UNIT),
    conv("one pixel, wide pads", (2, 1, 1, 1, 4), (3, 5, 3, 4, 4), ((1, 1), (2, 2), (1, 1)), UNIT, UNIT),
    conv("a group for each channel", (1, 4, 4, 4, 3), (2, 2, 2, 1, 6), ((1, 0),) * 3, (1, 2, 1), UNIT, 3),
    conv("empty batch", (0, 4, 4, 4, 3), (2, 2, 2, 3, 4), ((0, 0),) * 3, UNIT, UNIT),
]


class MatMul(NamedTuple):
    """A product of a (*batch_a, M, K) with b (*batch_b, K, N)."""

    name: str
    sizes: tuple
    batch_a: tuple = ()
    batch_b: tuple = ()


MATMUL = [
    MatMul("tiny", (1, 1, 1)),
    MatMul("odd", (5, 7, 9)),
    MatMul("ragged panels", (200, 301, 70)),
    MatMul("one row", (1, 1000, 64)),
    MatMul("few rows, ragged columns", (3, 50, 37)),
    MatMul("one column", (65, 33, 1)),
    MatMul("many rows, few columns", (300, 20, 3)),
    MatMul("one row, one sum, one column after 48", (1, 1, 49)),
    MatMul("few rows, sums in two parts", (5, 600, 67)),
    MatMul("long sums", (20, 3001, 24)),
    MatMul("batches", (33, 17, 21), (2, 3), (2, 3)),
    MatMul("one b for all", (4, 17, 21), (2, 3)),
    MatMul("broadcast batches", (4, 5, 6), (2, 1), (3,)),
    MatMul("empty", (0, 5, 6)),
    MatMul("empty sums", (4, 0, 6)),
]
