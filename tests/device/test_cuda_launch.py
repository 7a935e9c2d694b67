"""What a launch hands to the driver: machine code, the grid, the bytes of its arguments. No card is needed."""

import ctypes
import sys
import types
import warnings

import numpy as np
import pytest

pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install '.[cuda-test]'")

from cuda import core
from cuda.core._kernel_arg_handler import ParamHolder

from kerasish.commands import kernel_report
from kerasish.device import cache, cuda_jit, cuda_plain
from kerasish.kernels.cuda import random as kernels
from tests.kernels.cuda import fake_cupy


@pytest.fixture
def launches(monkeypatch, tmp_path):
    """Launches, taken down in front of the driver."""
    monkeypatch.setenv("KERASISH_CACHE_DIR", str(tmp_path))
    cache.cache_folder.cache_clear()
    taken, loads = [], []

    class Code:
        def __init__(self, cubin):
            loads.append(cubin)

        from_cubin = classmethod(lambda cls, cubin: cls(cubin))
        get_kernel = lambda self, name: ("loaded", name)

    class Device:
        default_stream, compute_capability = "default stream", (9, 0)

        def __init__(self, number=0):
            self.number = number

        def set_current(self):
            pass

    monkeypatch.setattr(core, "ObjectCode", types.SimpleNamespace(from_cubin=Code.from_cubin))
    monkeypatch.setattr(core, "Device", Device)
    monkeypatch.setattr(core, "launch", lambda *args: taken.append(args))
    monkeypatch.setattr(cuda_jit, "cubin", lambda kernel, capability: f"{kernel.name} for {capability}")
    monkeypatch.setattr(cuda_jit, "_streams", {})
    for kernel in cuda_jit.kernels():
        monkeypatch.setattr(kernel, "loaded", {})
    with fake_cupy.installed() as cupy:
        cupy.cuda.get_current_stream = lambda: types.SimpleNamespace(ptr=0)
        yield cupy, taken, loads
    cache.cache_folder.cache_clear()


def values(arguments, kinds):
    """What a kernel finds where its parameters are."""
    holder = ParamHolder(tuple(arguments))
    places = ctypes.cast(holder.ptr, ctypes.POINTER(ctypes.c_void_p))
    return [kind.from_address(places[i]).value for i, kind in enumerate(kinds)]


def test_arguments_arrive_as_the_kernel_declares_them(launches):
    cupy, taken, loads = launches
    x, mask = cupy.asarray(np.ones(7, "float32")), cupy.asarray(np.ones(7, "bool"))
    y = kernels.masked_scale(x, mask, 1.5)
    stream, config, loaded, *arguments = taken[0]
    assert (stream, loaded) == ("default stream", ("loaded", "masked_scale"))
    assert (tuple(config.grid), tuple(config.block)) == ((1, 1, 1), (kernels.THREADS, 1, 1))
    kinds = (ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_int32, ctypes.c_float)
    assert values(arguments, kinds) == [x.data.ptr, mask.data.ptr, y.data.ptr, 7, 1.5]
    assert loads == ["masked_scale for (9, 0)"]


def test_machine_code_is_loaded_once(launches):
    cupy, taken, loads = launches
    x, mask = cupy.asarray(np.ones(4, "float32")), cupy.asarray(np.ones(4, "bool"))
    for _ in range(3):
        kernels.masked_scale(x, mask, 2.0)
    assert (len(taken), len(loads)) == (3, 1)


def test_unsigned_words_and_a_wrong_number_of_arguments(launches):
    cupy, taken, _ = launches
    kernels.KERNELS[kernels.UNIT][(2, 3), 128](*[cupy.empty(4)] * 3, 2**32 - 1, 1, 2, 3, 4, 5, 6.0)
    config, arguments = taken[0][1], taken[0][3:]
    assert (tuple(config.grid), tuple(config.block)) == ((2, 3, 1), (128, 1, 1))
    kinds = [ctypes.c_uint64] * 3 + [ctypes.c_uint32] * 4 + [ctypes.c_int32] * 2 + [ctypes.c_float]
    assert values(arguments, kinds)[3:] == [2**32 - 1, 1, 2, 3, 4, 5, 6.0]
    with pytest.raises(ValueError, match="argument"):
        kernels._masked_scale[1, 32](cupy.empty(4))


def test_what_a_future_numba_cuda_lacks_has_plain_numba_take_over(launches, monkeypatch):
    cupy, taken, loads = launches
    plainly = []
    monkeypatch.setattr(cuda_plain, "launch", lambda *given: plainly.append(given))
    monkeypatch.setattr(cuda_jit, "_refusals", [])
    monkeypatch.setattr(cuda_jit, "cubin", lambda kernel, capability: cuda_jit.ptx(kernel))
    monkeypatch.delattr("numba.cuda.dispatcher.get_current_device")
    x, mask = cupy.asarray(np.ones(7, "float32")), cupy.asarray(np.ones(7, "bool"))
    cuda_jit.plain.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match=r"AttributeError: .*get_current_device.*; plain numba-cuda compiles"):
            y = kernels.masked_scale(x, mask, 1.5)
        kernels.masked_scale(x, mask, 1.5)  # says it once
    finally:
        cuda_jit.plain.cache_clear()
    assert not taken and len(plainly) == 2
    monkeypatch.setenv("KERASISH_ENGINE", "pool")  # insists
    cuda_jit._refusals.clear()
    with pytest.raises(AttributeError, match="get_current_device"):
        kernels.masked_scale(x, mask, 1.5)
    assert plainly[0] == (kernels._masked_scale, (1, kernels.THREADS), (x, mask, y, 7, 1.5))


@pytest.mark.parametrize("engine", ["card", "numba-cuda", "numba-cuda, fallen back to", "simulator"])
def test_a_report_names_who_has_run_a_kernel(launches, engine, monkeypatch):
    cupy, taken, _ = launches
    plainly, notes = [], kernel_report.Notes()
    monkeypatch.setattr(cuda_plain, "launch", lambda *given: plainly.append(given))
    monkeypatch.setattr(cuda_jit, "_refusals", [])
    x = cupy.asarray(np.ones(7, "float32"))
    monkeypatch.delenv("KERASISH_ENGINE", raising=False)
    if engine == "numba-cuda":
        monkeypatch.setenv("KERASISH_ENGINE", "numba")
    if engine == "simulator":
        monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
        monkeypatch.delitem(sys.modules, "cupy")  # which it does without
    if "fallen" in engine:
        monkeypatch.setattr(cuda_jit, "cubin", lambda *given: [].gone)
        monkeypatch.setattr(cuda_jit, "numba_cuda", lambda: None)
    cuda_jit.plain.cache_clear()
    try:
        with kernel_report.watching(notes), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "CUDA kernels cannot be compiled ahead")
            for _ in range(2):
                kernels._masked_scale[1, kernels.THREADS](x, x, x, 7, 1.5)
    finally:
        cuda_jit.plain.cache_clear()
    ((name, found), row), *others = notes.rows.items()
    assert (name, found, row.calls, others) == ("cuda.masked_scale", engine.partition(",")[0], 2, [])
    assert (len(taken), len(plainly)) == ((2, 0) if engine == "card" else (0, 2))


@cuda_jit.cuda.jit
def scaled(x, y, factor):
    y[cuda_jit.cuda.grid(1)] = x[0, 0] * factor


def test_arrays_arrive_as_numba_s_kernels_take_them(launches):
    cupy, taken, loads = launches
    x, y = cupy.asarray(np.ones((2, 3), "float32")), cupy.asarray(np.ones(3, "float64"))
    scaled[(3, 1), (2, 8)](x, y, 2.5)
    assert (tuple(taken[0][1].grid), tuple(taken[0][1].block)) == ((3, 1, 1), (2, 8, 1))
    assert loads == ["scaled_f4c2_f8c1_f8 for (9, 0)"]
    found = values(taken[0][3:], [ctypes.c_uint64] * 16 + [ctypes.c_double])
    assert found == [0, 0, 6, 4, x.data.ptr, 2, 3, 12, 4, 0, 0, 3, 8, y.data.ptr, 3, 8, 2.5]
    for factor, kind in {np.int32(-5): ctypes.c_int32, np.float32(0.5): ctypes.c_float, True: ctypes.c_bool}.items():
        scaled[1, 1](x, y, factor)
        assert values(taken[-1][-1:], [kind]) == [factor]


def test_an_empty_grid_is_no_launch(launches):
    kernels._masked_scale[0, 32](None)
    kernels._masked_scale[(2, 0), 32](None)
    assert not launches[1]
