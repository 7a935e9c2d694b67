"""Training steps, copies and the MNIST job, in tiny sizes, on the pretended card and by PyTorch on the CPU."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import kerasish as keras
from benchmarks import workloads
from benchmarks.gpu import card as card_module
from benchmarks.gpu import compiling, copies, mnist, networks, steps
from kerasish.device import cuda_jit
from tests.benchmarks.gpu.networks import LITTLE, without_convolutions


def losses(step, count=4):
    return [step() for _ in range(count)]


def test_all_contestants_train_the_same():
    torch = pytest.importorskip("torch")
    theirs, _ = steps.plain_torch(LITTLE, "cpu")
    assert torch.backends.cudnn.allow_tf32
    with keras.device("cpu:0"):
        ours = steps.keras_step(keras, LITTLE)
    got, want = losses(ours), losses(theirs)
    np.testing.assert_allclose(got, want, rtol=1e-4)
    assert steps.learned(got)


def test_what_learning_is():
    assert steps.learned([2.0, 1.0])
    assert not steps.learned([2.0, 2.0]) and not steps.learned([2.0, float("nan")])


def test_resnet50_is_resnet50():
    with keras.device("cpu:0"):
        model = networks.resnet50(keras)
    assert model.count_params() == 25_636_712  # as keras.applications has it
    assert model.output_shape == (None, 1000)


def test_copies_are_counted(card):
    with copies.asked(card) as found:
        a = card.asarray(np.ones(3, "float32"))
        card.asarray(a)
        a.get()
        float(a.sum())
    assert (found["up"], found["bytes_up"]) == (1, 12)
    assert (found["down"], found["bytes_down"]) == (2, 16)
    a.get()
    assert found["down"] == 2


INSTALLED = """
import cupy
from benchmarks.gpu import card, copies

before = {name: getattr(cupy, name, None) for name in copies.UP}, dict(vars(cupy.ndarray))
with copies.asked(cupy):
    assert all("counted" in getattr(cupy.ndarray, name).__qualname__ for name in ("get", "item", "__float__"))
    assert "counted" in cupy.asarray.__qualname__
assert ({name: getattr(cupy, name, None) for name in copies.UP}, dict(vars(cupy.ndarray))) == before
assert cupy.cuda.runtime.cudaDevAttrClockRate == card.CLOCK_RATE
for name in ("deviceGetAttribute", "getDeviceProperties", "driverGetVersion", "runtimeGetVersion"):
    assert callable(getattr(cupy.cuda.runtime, name))
assert all(hasattr(cupy.cuda.Event, name) for name in ("record", "synchronize")) and cupy.cuda.get_elapsed_time
"""


def test_what_is_asked_of_the_installed_cupy():
    """Its classes let themselves be patched, and are left as they were; in a process of its own: it has no driver."""
    if importlib.util.find_spec("cupy") is None:
        pytest.skip("CuPy is not installed: pip install cupy-cuda13x")
    done = subprocess.run([sys.executable, "-c", INSTALLED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_copies_that_cupti_saw():
    names = ["Memcpy HtoD (Pageable -> Device)", "Memcpy DtoH (Device -> Pageable)", "Memcpy DtoD", "Memset", "sgemm"]
    assert (copies.count(names, "HtoD"), copies.count(names, "DtoH")) == (1, 1)
    assert copies.driver(None, lambda: None) is None


def test_what_a_step_adds():
    done = []
    count = lambda do: done.append(do) or {"up": 3 + 2 * len(done) * 10, "down": 1}
    assert copies.a_step(lambda n: None, count, 10, 20) == {"up": 2.0, "down": 0.0}
    assert copies.a_step(lambda n: None, lambda do: None, 10, 20) == {}


def test_mnist_on_the_card(card, monkeypatch):
    model = mnist._model
    monkeypatch.setattr(workloads, "mnist", without_convolutions)
    monkeypatch.setattr(mnist, "_model", lambda keras: [a if i == 0 else a[:16] for i, a in enumerate(model(keras))])
    monkeypatch.setattr(card_module, "torch_with_card", lambda: None)
    for name, value in {"BATCH": 4, "FEW": 2, "MANY": 3}.items():
        monkeypatch.setattr(mnist, name, value)
    record = mnist.epoch()
    assert record["right"] and record["apart"] < 1e-4
    found = mnist.copies_in_a_step()
    assert not any(found["asked, data on the card"].values())
    assert found["asked, data on the host"]["bytes_up"] >= 4 * 28 * 28 * 4


def test_the_mnist_script_runs(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert mnist.script()["right"]


def test_kernels_are_compiled_ahead(tmp_path, monkeypatch):
    pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install '.[cuda-test]'")
    from kerasish.device import cache

    monkeypatch.setenv("KERASISH_CACHE_DIR", str(tmp_path))
    cache.cache_folder.cache_clear()
    try:
        first, second = (compiling.compile_one((9, 0), "relu_grad") for _ in range(2))
        assert (first["kept"], second["kept"]) == (False, True) and first["seconds"] >= second["seconds"]
        monkeypatch.setattr(cuda_jit, "cubin", lambda *_: 1 / 0)
        assert compiling.compile_one((9, 0), "relu_grad")["failed"].startswith("ZeroDivisionError")
    finally:
        cache.cache_folder.cache_clear()
