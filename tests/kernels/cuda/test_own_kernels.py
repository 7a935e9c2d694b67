"""`cuda.jit` for functions of one's own: signatures, options, constants, names of machine code."""

import numpy as np
import pytest

pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install '.[cuda-test]'")

from numpy import float32, int32

from kerasish.device import cache, cuda_jit
from kerasish.device.cuda_jit import cuda, intrinsic, unroll
from kerasish.kernels.cuda.asm import load, store
from tests.kernels.cuda import emulator

THREADS, COUNT, POWER = 32, 3, None


@cuda.jit(device=True)
def powered(x):
    y = x
    for _ in unroll(POWER - 1):
        y *= x
    return y


@cuda.jit("void(CPointer(f4), CPointer(f4), i4, f4)", launch_bounds=(THREADS, 2))
def _power(x, y, n, factor):
    i = int32(cuda.threadIdx.x)
    if i < n:
        store(y, i, powered(load(x, i)) / factor)


@cuda.jit("void(CPointer(f4), i4)")
def counted(y, n):
    for i in unroll(COUNT):
        y[i] = float32(i + n)


@cuda.jit
def doubled(x, y):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = 2 * x[i]


@cuda.jit(launch_bounds=64)
def summed(x, y, factor):
    """y[row] = the sum of x[row], times a factor."""
    row = cuda.grid(1)
    if row < x.shape[0]:
        total = x.dtype.type(0)
        for column in range(x.shape[1]):
            total += x[row, column]
        y[row] = total * factor


SQUARE = _power.specialize("square", POWER=2)


def test_a_kernel_of_one_s_own_runs(card, monkeypatch):
    x, y = card.asarray(np.arange(5, dtype="float32")), card.empty(5, "float32")
    SQUARE[1, THREADS](x, y, 5, 2)
    np.testing.assert_array_equal(y.get(), np.arange(5) ** 2 / 2)
    _power.specialize("cube", POWER=3)[(1,), 8](x, y, 4, 1.0)
    np.testing.assert_array_equal(y.get(), [0, 1, 8, 27, 8])
    counted[1, 1](y, 4)
    np.testing.assert_array_equal(y.get(), [4, 5, 6, 27, 8])
    with pytest.raises(ValueError, match="more than its launch bounds of 32"):
        SQUARE[1, 64](x, y, 5, 2)


def test_without_a_signature_types_are_those_of_the_arguments(card):
    x, y = card.asarray(np.arange(6, dtype="float32")), card.empty(6, "float32")
    doubled[2, 4](x, y)
    np.testing.assert_array_equal(y.get(), 2 * np.arange(6))
    summed[1, 2](x.reshape(2, 3), y, 2.0)
    np.testing.assert_array_equal(y.get()[:2], [6, 24])
    summed[1, 3](x.reshape(2, 3).T, y, np.float32(1))
    np.testing.assert_array_equal(y.get()[:3], [3, 5, 7])
    assert [kernel.name for kernel in summed.typed.values()] == ["summed_f4c2_f4c1_f8", "summed_f4s2_f4c1_f4"]
    assert [kernel.arguments for kernel in doubled.typed.values()] == [("f4[::1]", "f4[::1]")]
    with pytest.raises(TypeError, match="takes numbers and arrays with axes; received 'text', str"):
        doubled[1, 1](x, "text")
    with pytest.raises(TypeError, match="arrays with axes"):
        doubled[1, 1](x, card.asarray(np.float32(1)))


def test_arrays_are_compiled_as_numba_s(card):
    x, y = card.asarray(np.ones((2, 3))), card.asarray(np.ones(2, "int32"))
    text = cuda_jit.ptx(summed.kernel(x, y, 3))
    parameters = [line.split()[1] for line in text.splitlines() if line.strip().startswith(".param .")]
    assert parameters == [".u64"] * 17 and ".maxntid 64" in text  # 5 words, shape and strides of each; the number
    assert ".maxntid" not in cuda_jit.ptx(doubled.kernel(y, y))


def test_options_reach_the_compiler():
    exact = cuda_jit.ptx(SQUARE)
    assert ".maxntid 32" in exact and ".minnctapersm 2" in exact and ".visible .entry square(" in exact
    assert "div.rn.f32" in exact and ".target sm_75" in exact
    fast = cuda.jit("void(CPointer(f4), CPointer(f4), i4, f4)", fastmath=True, cc=(8, 0))(_power.source)
    fast = cuda_jit.ptx(fast.specialize("fast_square", (64, 1), POWER=2))
    assert "div.approx" in fast and ".target sm_80" in fast and ".maxntid 64" in fast


def test_device_functions_and_intrinsics_are_python_too():
    assert cuda.jit(device=True)(lambda x: x + 1)(2) == cuda.jit(lambda x: x + 1, device=True)(2) == 3
    assert intrinsic(lambda x: -x)(powered.function).fallback(3) == -3
    assert load.fallback([5, 6], 1) == 6


@pytest.mark.parametrize(
    "signature", ["", "f4(f4)", "void(CPointer(int))", "void(CPointer(f4[:]))", "void(f4, i3)", "void(f4[0])", print]
)
def test_another_signature_is_refused(signature):
    with pytest.raises(TypeError, match="expected a signature of numbers, pointers and arrays"):
        cuda.jit(signature)


def test_a_device_function_has_no_types_and_options_of_its_own():
    for given, options in (("f4(f4)", {}), (None, {"fastmath": True}), (None, {"launch_bounds": 32})):
        with pytest.raises(TypeError, match="those of the kernel that calls it"):
            cuda.jit(given, device=True, **options)


def test_kernels_close_over_what_functions_do(card):
    number = 7

    @cuda.jit(device=True)
    def added(x):
        return x + number

    @cuda.jit
    def kernel(y):
        y[cuda.grid(1)] = added(number)

    y = card.empty(2, "float32")
    kernel[1, 2](y)
    assert y.get().tolist() == [14, 14]


def test_functions_of_one_s_own_are_not_among_this_package_s():
    assert SQUARE not in cuda_jit.kernels()


def test_machine_code_is_named_by_what_goes_into_it(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASISH_CACHE_DIR", str(tmp_path))
    cache.cache_folder.cache_clear()
    try:
        for power in (2, 3, 2):
            cuda_jit.cubin(_power.specialize("power", POWER=power), (9, 0))
        names = sorted(path.stem for path in tmp_path.rglob("*.kernel"))
    finally:
        cache.cache_folder.cache_clear()
    assert len(names) == 2 and all(name.startswith("power-") and name.endswith("-sm_90") for name in names)


def test_the_emulator_knows_every_intrinsic():
    from kerasish.kernels.cuda import asm

    assert {name for name, value in vars(asm).items() if isinstance(value, cuda_jit.Intrinsic)} <= set(emulator.NAMES)
