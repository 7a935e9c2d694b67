"""Choosing a card, what is said where there is none, its memory. The card is pretended; see `fake_cupy`."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import kerasish as keras
from kerasish import device
from kerasish.core.variable import Variable
from kerasish.device import cuda, cuda_jit, extras
from tests.kernels.cuda import fake_cupy


@pytest.fixture
def cupy(monkeypatch):
    """A card that answers, and kernels that need not be compiled."""
    device.set_default("cpu:0")
    monkeypatch.setattr(cuda_jit, "require", lambda: None)
    with fake_cupy.installed() as module:
        yield module


@pytest.fixture(autouse=True)
def forget_the_default():
    yield
    device.set_default("cpu:0")


def test_without_cupy_the_cpu_is_used_and_a_card_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    device.set_default(None)
    cuda.answers.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "cupy")
    assert device.current() == "cpu:0"
    cuda.answers.cache_clear()
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(cuda, "driver", lambda: True)
    with pytest.raises(ValueError, match=r"keras.device\('gpu:0'\): that card is not there .*pip install .*\[cuda\]"):
        with keras.device("gpu:0"):
            pass


def test_without_a_driver_cupy_is_not_even_imported(monkeypatch):
    monkeypatch.setattr(cuda, "DRIVER", "libno_such_driver.so.1")
    monkeypatch.setattr(cuda, "cupy", lambda: pytest.fail("imported"))
    cuda.driver.cache_clear()
    with pytest.raises(ValueError, match=r"no NVIDIA driver \(libno_such_driver.so.1\) on this machine"):
        keras.device("gpu:0").__enter__()
    cuda.driver.cache_clear()


def test_without_numba_cuda_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda.core", None)
    cuda_jit.numba_cuda.cache_clear()
    with pytest.raises(ImportError, match=r"numba-cuda.*pip install '.*\[cuda\]'"):
        cuda_jit.require()
    cuda_jit.numba_cuda.cache_clear()


def test_a_card_that_is_not_there(cupy):
    with pytest.raises(ValueError, match=r"'gpu:3'.*there are 1, numbered from 0"):
        keras.device("gpu:3").__enter__()
    with pytest.raises(ValueError, match="no such device"):
        keras.device("tpu:0").__enter__()


def test_variables_and_tensors_are_made_on_the_chosen_device(cupy):
    with keras.device("gpu:0"):
        assert device.current() == "gpu:0"
        v, t = Variable(np.ones(3, "float32")), keras.ops.convert_to_tensor([1.0, 2.0])
        with keras.device("cpu"):
            assert isinstance(keras.ops.convert_to_tensor([1.0]).value, np.ndarray)
    assert type(v.array) is type(t.value) is fake_cupy.Card
    assert t.device == "gpu:0"
    assert isinstance(keras.ops.convert_to_tensor([1.0]).value, np.ndarray)


def test_a_default_device(cupy):
    keras.config.set_device("gpu:0")
    assert keras.config.get_device() == "gpu:0"
    assert isinstance(keras.ops.zeros(3).value, fake_cupy.Card)
    keras.config.set_device("cpu")
    assert isinstance(keras.ops.zeros(3).value, np.ndarray)


def test_the_environment_chooses(cupy, monkeypatch):
    for wanted, found in {"cpu": "cpu:0", "gpu": "gpu:0", "GPU:0": "gpu:0"}.items():
        monkeypatch.setenv("KERASISH_DEVICE", wanted)
        device.set_default(None)
        assert device.current() == found
    monkeypatch.setenv("KERASISH_DEVICE", "gpu:1")
    device.set_default(None)
    with pytest.raises(ValueError, match=r"KERASISH_DEVICE=gpu:1, but .* not there \(there are 1, numbered from 0\)"):
        device.current()


def test_text_stays_on_the_host_and_bfloat16_is_refused(cupy):
    text = np.array(["a"])
    assert cuda.to_card(text, 0) is text
    with pytest.raises(TypeError, match="in bfloat16 only in part"), keras.device("gpu"):
        keras.ops.convert_to_tensor([1.0], "bfloat16")


def test_precision():
    assert keras.config.gpu_precision() == "tf32"
    with pytest.raises(ValueError, match="precision should be one of"):
        keras.config.set_gpu_precision("tf64")


def test_an_old_driver_is_told_what_to_install(cupy, monkeypatch):
    def fail():
        raise RuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version")

    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceCount", fail)
    assert cuda.missing().endswith(f"(for drivers of CUDA 12: {extras.install('cuda12')})")


def test_memory(cupy):
    assert cuda.memory_info() == {"total": 16 << 20, "free": 12 << 20, "used": 3 << 20, "pool": 4 << 20}
    keras.utils.clear_session()
    assert cupy.pool.freed == 1


def test_out_of_memory_names_the_largest_tensors_and_a_batch_size(cupy):
    with keras.device("gpu:0"):
        held = [keras.ops.zeros((64, 7, 7, 3)), keras.ops.zeros((64, 5)), Variable(np.ones((9, 9), "f4"), name="w")]

    def fail(size):
        raise fake_cupy.OutOfMemoryError("Out of memory allocating 1,024 bytes")

    with pytest.raises(MemoryError, match=r"(?s)1,024 bytes.*16.0 MiB.*tensor, shape \(64, 7, 7, 3\).*batch_size=32"):
        cuda.guarded(fail, 1024)
    assert len(held) == 3


@pytest.mark.skipif(cuda.driver(), reason="with a driver, CuPy is asked for cards")
def test_nothing_of_this_is_imported_with_kerasish():
    code = (
        "import sys, kerasish as k; k.ops.zeros(3); "
        "sys.exit(any(name in sys.modules for name in ('cupy', 'numba.cuda', 'cuda.core', 'kerasish.kernels.cuda')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
