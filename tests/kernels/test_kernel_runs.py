"""What holds for all dense kernels: the same bits on any number of threads, no compilation over again, plain Python."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kerasish.core.shapes import Window
from kerasish.device import natives, threads
from kerasish.kernels import twin_of

from .cases import SAME3
from .harness import array

ROOT = Path(__file__).parents[2]
cpu = twin_of(np.zeros(1))


def everything(x, w, window):
    y = cpu.conv2d(x, w, window)
    return y, cpu.conv2d_grad_input(y, w, x.shape, window), cpu.conv2d_grad_kernel(x, y, w.shape, window)


@pytest.mark.skipif(threads.available() < 2, reason="needs two threads")
@pytest.mark.parametrize("channels", [3, 16, 32])
def test_same_bits_on_one_thread_and_on_two(channels):
    x, w, window = (array(8, 24, 24, channels).astype("f4"), array(3, 3, channels, 32).astype("f4"), Window(pads=SAME3))
    results = []
    for count in (1, 2, 2):
        threads.set_num_threads(count)
        results.append(everything(x, w, window))
    threads.set_num_threads(threads.available())
    for one, *others in zip(*results):
        for other in others:
            np.testing.assert_array_equal(one, other)


def test_nothing_is_compiled_again_for_another_shape():
    rng = np.random.default_rng(0)
    everything(array(1, 8, 8, 32).astype("f4"), array(3, 3, 32, 32).astype("f4"), Window(pads=SAME3))
    everything(array(1, 8, 8, 2).astype("f4"), array(3, 3, 2, 3).astype("f4"), Window())
    before = natives.compile_report()
    for _ in range(50):
        n, h, w, c, f, k = rng.integers(1, (4, 20, 20, 40, 40, 4))
        everything(array(n, h + 4, w + 4, c).astype("f4"), array(k, k, c, f).astype("f4"), Window(pads=SAME3))
    assert natives.compile_report() == before


PLAIN = """
import numpy as np
from kerasish.core.shapes import Window
from kerasish.device import natives
from tests.kernels import cases, test_empty, test_norm
from tests.kernels.harness import array, check_twins
from tests.kernels.thin import check_results
window = Window((2, 1), ((1, 0), (0, 1)), (1, 2), 1)
x, w = array(1, 4, 5, 2), array(2, 2, 2, 3)
y = check_twins("conv2d", x, w, window, bias=array(3), activation="relu")
check_twins("conv2d_grad_input", array(*y.shape), w, x.shape, window)
check_twins("conv2d_grad_kernel", x, array(*y.shape), w.shape, window)
y = check_twins("depthwise_conv2d", x, array(2, 2, 2, 1), window)
check_twins("depthwise_conv2d_grad_kernel", x, array(*y.shape), (2, 2, 2, 1), window)
check_twins("matmul", array(3, 5), array(5, 4))
pooled = check_results("max_pool2d", x, (3, 2), window, activation="relu")
check_results("max_pool2d_grad", array(*pooled[0].shape), pooled[1], x.shape, (3, 2), window)
check_twins("average_pool2d", x, (3, 2), window)
test_norm.test_batch_norm_gradient_through_an_activation((3, 2, 3), "relu6")
test_empty.check_empty(cases.conv("plain", (4, 15, 16, 16), (3, 3, 16, 16), cases.SAME3))
assert natives.compilation_off() and natives.compile_report()[0] == 0
"""


def test_kernels_run_as_plain_python(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    subprocess.run([sys.executable, "-c", PLAIN], check=True, timeout=120, cwd=ROOT)


NARROW = """
import sys
from llvmlite import binding
real = binding.get_host_cpu_features
class Features(dict):
    flatten = lambda self: real().flatten()
binding.get_host_cpu_features = lambda: Features.fromkeys(sys.argv[1].split(), True)
from kerasish.device import compiler
from kerasish.kernels.cpu import simd
binding.get_host_cpu_features = real
assert simd.VECTOR_BYTES == int(sys.argv[2])
from tests.kernels import cases, test_empty, test_norm, test_pool, thin
from tests.kernels.test_dense_kernels import check_convolution
for case in cases.CONV2D:
    if case.name in ("ragged vectors", "whole vectors", "winograd: even", "groups", "one vector, runs of pixels"):
        check_convolution("conv2d", case, case.w[-1])
    if case.name == "winograd: ragged edges":
        test_empty.check_empty(case)
for case in cases.DEPTHWISE:
    if case.name in ("ragged", "whole vectors", "wide, stride 2"):
        check_convolution("depthwise_conv2d", case, case.w[-1] * case.w[-2])
test_pool.test_max(thin.POOLS[2])
test_norm.test_batch_norm_gradient_through_an_activation((64, 9, 9, 33), "relu")
code = compiler.assembly(simd._TILES[simd.np.dtype("float32")])
assert "vfmadd" not in code or code.count("vfmadd") >= 6 * simd.WIDE
assert sys.argv[1] != "avx2 fma" or ("ymm" in code and "vfmadd" in code)
"""


@pytest.mark.slow
@pytest.mark.parametrize("features, vector_bytes", [("avx2 fma", 32), ("sse2", 16), ("neon", 16)])
def test_other_vector_widths(features, vector_bytes, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASISH_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("KERASISH_COMPILE_PROCESSES", "0")  # they would see the real processor
    command = [sys.executable, "-c", NARROW, features, str(vector_bytes)]
    subprocess.run(command, check=True, timeout=600, cwd=ROOT)  # plain Numba compiles for minutes
