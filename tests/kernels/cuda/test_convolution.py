"""Convolution kernels in the emulator: every row of cases that is small, every arithmetic, every size of tile."""

import math

import pytest

pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install '.[cuda-test]'")

from kerasish.core.shapes import Window
from kerasish.device import cuda, cuda_jit
from kerasish.kernels.cuda import conv3d, gather
from tests.kernels.cases import CONV1D, CONV2D, CONV3D, DEPTHWISE, UNIT, VALID, Conv
from tests.kernels.cuda.harness import check, ours, there
from tests.kernels.harness import array

SMALL = 3e5  # multiply-adds, padding aside, that the emulator does in a second
TOLERANCE = {"float32": 1e-5, "3xtf32": 1e-5, "tf32": 2e-3, "bfloat16": 1.5e-2}
TENSOR = ("one by one, stride 2", "stride and dilation", "groups")
SAME = ((1, 1),) * 3
SLOW = [pytest.mark.slow]
SIZES = ((128, 128), (128, 64), (64, 64), (128, 32))
TILES = [
    pytest.param(precision, size, marks=[] if precision in ("float32", "tf32") and size == (64, 64) else SLOW)
    for precision in TOLERANCE
    for size in SIZES
]


PRECISIONS = ["tf32", *(pytest.param(name, marks=SLOW) for name in ("3xtf32", "bfloat16"))]


def rows(table, names=None):
    kept = [c for c in table if math.prod(c.x) * math.prod(c.w) / c.x[-1] < SMALL]
    return [pytest.param(c, id=c.name) for c in kept if names is None or c.name in names]


def check_conv(card, case, family="conv2d", tolerance=1e-5):
    """Forward with bias and relu, and both gradients."""
    x, w = array(*case.x), array(*case.w, seed=1)
    filters = math.prod(case.w[-2:]) if "depthwise" in family else case.w[-1]
    given = (case.window, array(filters, seed=2), "relu6")
    y = check(card, family, x, w, *given, tolerance=tolerance)
    gy = array(*y.shape, seed=3)
    check(card, f"{family}_grad_input", gy, w, case.x, case.window, tolerance=tolerance)
    check(card, f"{family}_grad_kernel", x, gy, case.w, case.window, tolerance=tolerance)


@pytest.mark.parametrize("case", rows(CONV2D))
def test_float32(card, case):
    check_conv(card, case)


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", rows(CONV2D, TENSOR))
def test_tensor_cores(card, case, precision):
    cuda.set_precision(precision)
    check_conv(card, case, tolerance=TOLERANCE[precision])


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "size"), TILES, ids=lambda v: v if isinstance(v, str) else "x".join(map(str, v)))
def test_every_tile(card, monkeypatch, precision, size):
    """A product that needs four tiles, ragged in every direction, whichever tile would have been chosen."""
    cuda.set_precision(precision)
    monkeypatch.setattr(gather, "_tile", lambda tiles, M, F, groups, sizes: _chosen(tiles, size, M, F, groups))
    monkeypatch.setattr(gather, "outer_size", lambda *sizes: size)
    case = Conv("", (1, 1, size[0] + 6, 21), (1, 1, 21, size[1] + 5), Window((1, 1), VALID, (1, 1), 1))
    x, w = array(*case.x), array(*case.w, seed=1)
    y = check(card, "conv2d", x, w, case.window, tolerance=TOLERANCE[precision])
    if size[1] == size[0]:
        check(card, "conv2d_grad_kernel", x, array(*y.shape), case.w, case.window, tolerance=TOLERANCE[precision])


def _chosen(tiles, size, M, F, groups):
    return tiles[size], (gather.blocks(M, size[0]) * gather.blocks(F, size[1]), groups)


@pytest.mark.parametrize("d", [1, 2, 3, 7, 49, 56, 641, 3136, 2**20, 2**30 - 1, 2**31 - 1])
def test_division_by_a_product(d):
    factor, shift = gather.reciprocal(d)
    multiples = range(0, 2**31, d) if d > 2**20 else [0, d, 2 * d, (2**31 - 1) // d * d]
    near = [n + away for n in multiples for away in (-1, 0, 1) if 0 <= n + away < 2**31]
    assert factor < 2**32
    assert [n * factor >> shift for n in near] == [n // d for n in near]


def test_old_cards_multiply_without_tensor_cores(card, monkeypatch):
    cuda.set_precision("tf32")
    assert cuda.arithmetic() == "tf32"
    monkeypatch.setattr(cuda, "capability", lambda: (7, 5))
    assert cuda.arithmetic() == "float32"


@pytest.mark.parametrize("case", rows(CONV1D))
def test_one_axis(card, case):
    check_conv(card, case, "conv1d")


@pytest.mark.parametrize("case", rows(DEPTHWISE))
def test_depthwise(card, case):
    check_conv(card, case, "depthwise_conv2d")


@pytest.mark.parametrize("case", rows(CONV3D))
def test_three_axes(card, case):
    check_conv(card, case, "conv3d")


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", rows(CONV3D, ("stride and dilation", "whole vectors")))
def test_three_axes_on_tensor_cores(card, case, precision):
    cuda.set_precision(precision)
    check_conv(card, case, "conv3d", tolerance=TOLERANCE[precision])


def test_a_convolution_in_space_is_one_launch(card, monkeypatch):
    """And its gradients are one for each phase of the strides, and one with the sum of its parts."""
    launched = []
    monkeypatch.setattr(cuda_jit, "launch", lambda kernel, *rest: launched.append(kernel.name))
    x, w, window = there(card, array(2, 4, 4, 4, 4)), there(card, array(3, 3, 3, 4, 8)), Window((1, 2, 1), SAME, UNIT)
    y = ours("conv3d")(x, w, window)
    ours("conv3d_grad_input")(y, w, x.shape, window)
    ours("conv3d_grad_kernel")(x, y, w.shape, window)
    assert [name.split("_")[0] for name in launched] == ["deep"] * 4 + ["sum"] * (len(launched) - 4)


@pytest.mark.parametrize("limit", [{"DEEPEST": 3}, {"FARTHEST": 0}, {"LARGEST": 10}])
def test_what_numbers_of_few_bits_cannot_say_runs_by_the_reference(card, monkeypatch, limit):
    for name, value in limit.items():
        monkeypatch.setattr(conv3d, name, value)
    monkeypatch.setattr(cuda_jit, "launch", lambda kernel, *rest: pytest.fail(f"{kernel} was launched"))
    check_conv(card, next(case for case in CONV3D if case.name == "same"), "conv3d")


@pytest.mark.parametrize("axis", range(3))
def test_images_as_long_as_numbers_of_few_bits_can_say(card, axis):
    """The last planes, rows and columns of an image, beside windows that reach over the border."""
    size = [2, 2, 2]
    size[axis] = (conv3d.DEEPEST, 14_000, 40_000)[axis]
    x, w = array(1, *size, 1), array(2, 2, 2, 1, 1)
    strides = [1, 1, 1]
    strides[axis] = size[axis] // 3
    window = Window(tuple(strides), ((1, 1),) * 3, UNIT)
    y = check(card, "conv3d", x, w, window)
    check(card, "conv3d_grad_kernel", x, array(*y.shape), w.shape, window)
