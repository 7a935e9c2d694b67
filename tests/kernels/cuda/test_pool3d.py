"""Pooling in space, in the emulator."""

import numpy as np
import pytest

pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install '.[cuda-test]'")

from kerasish.core.shapes import Window
from kerasish.device import cuda_jit
from tests.kernels.cuda.harness import check, ours, there, twin
from tests.kernels.harness import array
from tests.kernels.thin import POOLS3D, named


@named(POOLS3D)
def test_max(card, case):
    x = np.round(array(*case.x), 1)  # ties: the first maximum wins
    check(card, "max_pool3d", x, case.size, case.window, True, "relu")
    y, where = check(card, "max_pool3d", x, case.size, case.window)
    check(card, "max_pool3d_grad", array(*y.shape, seed=1), where, case.x, case.size, case.window)
    assert twin.max_pool3d(there(card, x), case.size, case.window, False)[1] is None


@named(POOLS3D)
def test_average(card, case):
    y = check(card, "average_pool3d", array(*case.x), case.size, case.window)
    check(card, "average_pool3d_grad", array(*y.shape, seed=1), case.x, case.size, case.window)


def test_a_nan_wins(card):
    x = array(1, 4, 4, 4, 4)
    x[0, 1, 2, 3, 1] = x[0, 2, 2, 2, 1] = np.nan
    check(card, "max_pool3d", x, (3, 2, 3), Window((1, 1, 1), ((1, 1), (0, 0), (0, 1)), (1, 1, 1)))


def test_each_is_one_launch(card, monkeypatch):
    launched = []
    monkeypatch.setattr(cuda_jit, "launch", lambda kernel, *rest: launched.append(kernel.name))
    x, window = there(card, array(2, 4, 4, 4, 4)), Window((2, 2, 2), ((0, 0),) * 3, (1, 1, 1))
    y, where = ours("max_pool3d")(x, (2, 2, 2), window)
    ours("max_pool3d_grad")(y, where, x.shape, (2, 2, 2), window)
    ours("average_pool3d_grad")(ours("average_pool3d")(x, (2, 2, 2), window), x.shape, (2, 2, 2), window)
    names = ("max_pool", "max_pool_gradient", "average_pool", "average_pool_gradient")
    assert launched == [f"{name}_4" for name in names]
