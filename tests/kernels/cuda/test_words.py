"""Kernels are written in Numba's words: what is compiled is marked `cuda.jit`, and two other engines run it, too."""

import ast
import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install '.[cuda-test]'")

from kerasish.core.shapes import Window
from kerasish.device import cuda_jit, cuda_plain
from kerasish.kernels import cuda as package
from kerasish.kernels.cuda import elementwise, random
from tests.kernels.cuda import fake_cupy
from tests.kernels.cuda.harness import ours

MODULES = [importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__)]
WRITTEN = (cuda_jit.Device, cuda_jit.Intrinsic, cuda_jit.Cuda, int, float)
WINDOW = Window((1, 1), ((1, 1), (1, 1)))
KNOWN = ("builtins", "math", "numpy")  # modules whose functions and types Numba knows


@pytest.mark.parametrize("kernel", cuda_jit.kernels(), ids=lambda kernel: kernel.name)
def test_all_that_a_kernel_names_is_marked_or_numba_s(kernel):
    for name, value in kernel.called():
        assert isinstance(value, WRITTEN) or getattr(value, "__module__", "") in KNOWN, (
            f"{kernel} names {name}: {value}"
        )


@pytest.mark.parametrize("kernel", cuda_jit.kernels(), ids=lambda kernel: kernel.name)
def test_a_signature_tells_the_type_of_each_argument(kernel):
    assert len(kernel.arguments) == len(inspect.signature(kernel.source).parameters)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_what_speaks_of_threads_is_marked_and_all_that_is_marked_is_compiled(module):
    compiled = {k.source.__qualname__ for k in cuda_jit.kernels()}
    compiled |= {v.__qualname__ for k in cuda_jit.kernels() for _, v in k.called() if isinstance(v, cuda_jit.Device)}
    functions = [n for n in ast.parse(Path(module.__file__).read_text()).body if isinstance(n, ast.FunctionDef)]
    for function in functions:
        marks = [ast.unparse(mark.func) for mark in function.decorator_list if isinstance(mark, ast.Call)]
        inside = [n for n in ast.walk(ast.Module(function.body, [])) if isinstance(n, ast.Attribute)]
        speaks = any(getattr(n.value, "id", None) == "cuda" and n.attr in DIALECT for n in inside)
        assert marks == ["cuda.jit"] or not speaks, f"{function.name} is not marked"
        assert marks != ["cuda.jit"] or function.name in compiled, f"no kernel calls {function.name}"


DIALECT = ("threadIdx", "blockIdx", "blockDim", "gridDim", "shared", "local", "syncthreads", "shfl_xor_sync")


def test_a_kernel_with_open_constants_is_not_listed_until_it_is_specialized():
    assert elementwise._pairwise not in cuda_jit.kernels()
    assert set(elementwise.KERNELS) < set(cuda_jit.kernels())


def test_kernels_are_imported_without_numba():
    names = ", ".join(module.__name__ for module in MODULES)
    code = f"import sys, {names}; sys.exit(any(n in sys.modules for n in ('numba', 'cuda.core', 'cupy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


SIMULATED = """
import numpy as np
from kerasish.device.cuda_jit import cuda
from kerasish.kernels.cuda import columns, elementwise, matmul, random, update
rng = np.random.default_rng(0)
x, v = rng.standard_normal((2, 70)).astype("float32")
y, mask = np.zeros(70, "float32"), (v > 0).astype("uint8")
random._masked_scale[1, 32](x, mask, y, 70, 2.0)
np.testing.assert_array_equal(y, np.where(mask, x * 2, 0))
elementwise.KERNELS[elementwise.RELU_GRAD][(1,), 32](x, v, y, 70)
np.testing.assert_array_equal(y, np.where(v > 0, x, 0))
matmul.END[1][1, 80](y, v, 70, 7, 1, 1)
np.testing.assert_array_equal(y.reshape(10, 7), np.maximum(np.where(v > 0, x, 0).reshape(10, 7) + v[:7], 0))
sums = np.zeros((2, 7), "float32")
columns.SUMS[columns.SUM, 1][(1, 1), columns.THREADS](x, x, sums, x, x, x, x, 10, 7, 64, 3, 0)
np.testing.assert_allclose(sums[0], x.reshape(10, 7).sum(0), rtol=1e-5)


@cuda.jit
def turned(x, y):
    i, j = cuda.grid(2)
    if i < x.shape[0] and j < x.shape[1]:
        y[j, i] = x[i, j]


turned[(3, 1), (4, 8)](x.reshape(10, 7), y.reshape(7, 10))
np.testing.assert_array_equal(y.reshape(7, 10), x.reshape(10, 7).T)
try:
    update.UPDATES[update.ADAM][1, 1](*[x] * 3, 1, *[0.5] * 5)
except NotImplementedError as error:
    assert "floats_at is assembly, which Numba's simulator cannot run" in str(error)
else:
    raise AssertionError
"""


def test_numba_s_simulator_runs_kernels_without_assembly(tmp_path):
    (tmp_path / "simulated.py").write_text(SIMULATED)
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(
        [sys.executable, tmp_path / "simulated.py"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def numba_without_a_card(monkeypatch):
    """The real numba-cuda, compiling for a card that is not there; its launches, taken down."""
    from cuda.core import Stream

    numba_cuda, taken = cuda_jit.cuda.meaning, []
    dispatcher = importlib.import_module("numba.cuda.dispatcher")
    devices = importlib.import_module("numba.cuda.cudadrv.devices")
    card = types.SimpleNamespace(compute_capability=(9, 0), id=0)
    monkeypatch.setattr(dispatcher, "get_current_device", lambda: card)
    monkeypatch.setattr(devices, "get_context", lambda *_: types.SimpleNamespace(device=card))
    monkeypatch.setattr(dispatcher._Kernel, "bind", lambda self: None)
    monkeypatch.setattr(dispatcher._Kernel, "launch", lambda self, *given: taken.append((self, *given)))
    monkeypatch.setattr(numba_cuda, "external_stream", Stream.from_handle)
    monkeypatch.setattr(cuda_jit, "plain", lambda: True)
    for kernel in cuda_jit.kernels():
        monkeypatch.setattr(kernel, "loaded", {0: "what cuda.core launches"})
    with fake_cupy.installed() as cupy:
        cupy.cuda.get_current_stream = lambda: types.SimpleNamespace(ptr=7)
        yield cupy, taken


def test_plain_numba_compiles_and_launches_the_same_source(numba_without_a_card):
    cupy, taken = numba_without_a_card
    x, mask = cupy.asarray(np.ones(7, "float32")), cupy.asarray(np.ones(7, "bool"))
    for _ in range(2):
        y = random.masked_scale(x, mask, 1.5)
    random._masked_scale[(0,), 32](x, mask, y, 0, 1.5)
    assert len(taken) == 2 and taken[0][0] is taken[1][0]
    kernel, arguments, grid, block, stream, shared = taken[1]
    assert arguments == (x.data.ptr, mask.data.ptr, y.data.ptr, 7, 1.5)
    assert (grid, block, stream, shared) == ((1, 1, 1), (random.THREADS, 1, 1), stream, 0) and int(stream.handle) == 7
    assert [str(kind) for kind in kernel.argument_types] == ["float32*", "uint8*", "float32*", "int32", "float32"]


@pytest.mark.parametrize("name", ["rows_softmax", pytest.param("tensor_tf32_64x64", marks=pytest.mark.slow)])
def test_plain_numba_s_code_holds_to_the_launch_bounds(numba_without_a_card, name):
    kernel = next(kernel for kernel in cuda_jit.kernels() if kernel.name == name)
    made = cuda_plain.compiled(kernel)
    text = made.inspect_asm(made.signatures[0])
    assert f".maxntid {kernel.threads}" in text and f".minnctapersm {kernel.resident}" in text
    assert ".target sm_90" in text and "call" not in text


@pytest.mark.parametrize(("engine", "plain"), [("numba", True), ("pool", False)])
def test_the_environment_chooses_the_engine(monkeypatch, engine, plain):
    monkeypatch.setenv("KERASISH_ENGINE", engine)
    assert cuda_jit.plain.__wrapped__() is plain


FAMILIES = {
    "a convolution": ("product_", "conv2d", lambda x, w, v: (x, w, WINDOW)),
    "its gradient to x": ("product_", "conv2d_grad_input", lambda x, w, v: (x, w, x.shape, WINDOW)),
    "its gradient to w": ("outer_", "conv2d_grad_kernel", lambda x, w, v: (x, x, w.shape, WINDOW)),
    "a depthwise convolution": ("depthwise_", "depthwise_conv2d", lambda x, w, v: (x, w[..., :1], WINDOW)),
    "a dense layer": ("matmul_end_", "matmul", lambda x, w, v: (x[0, 0], w[0, 0], False, False, v)),
    "pooling": ("max_pool_", "max_pool2d", lambda x, w, v: (x, (2, 2), WINDOW)),
    "batch normalization": ("normalize_", "batch_norm_train", lambda x, w, v: (x, v, v, 1e-3)),
    "softmax": ("rows_softmax", "softmax", lambda x, w, v: (x,)),
    "an optimizer's step": ("update_adam", "adam", lambda x, w, v: ([x], [x], [x], [x], 0.1, 0.9, 0.99, 1e-7, 1)),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_layers_do_on_a_card_are_kernels_under_cuda_jit(card, family, monkeypatch):
    start, name, arguments = FAMILIES[family]
    launched = []
    monkeypatch.setattr(cuda_jit, "launch", lambda kernel, *rest: launched.append(kernel))
    x, w, v = (card.asarray(np.ones(shape, "float32")) for shape in ((2, 5, 5, 8), (3, 3, 8, 8), 8))
    ours(name)(*arguments(x, w, v))
    assert any(kernel.name.startswith(start) for kernel in launched)
    for kernel in launched:
        assert type(kernel) is cuda_jit.Kernel and "@cuda.jit(" in inspect.getsource(kernel.source)
