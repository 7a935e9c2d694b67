"""The rows, in tiny sizes: right on the pretended card, by PyTorch the same, and together they launch every kernel."""

import importlib
import math
import pkgutil
import types

import numpy as np
import pytest

from benchmarks.gpu import inputs, kernels
from benchmarks.gpu.convolutions import DEEP, LARGE, OTHERS, SPECIAL, Sizes, arithmetic_rows
from benchmarks.gpu.inputs import arrays, moved
from benchmarks.gpu.rows import memory_rows
from kerasish.device import cuda, cuda_jit
from kerasish.kernels import Twin, find
from tests.kernels.cuda import fake_cupy

ROWS = [*memory_rows(), *arithmetic_rows()]
PEERED = {(row.kernel, repr(row.tiny)): row for row in ROWS if row.peer is not None}
DTYPES = {"mask": "bool"}
EMULATED = 2e4  # multiply-adds that the emulator is given


def steps(row):
    """About how many multiply-adds a tiny convolution takes, tiles filled up."""
    sizes = [math.prod(g.shape) for g in row.tiny if hasattr(g, "shape")]
    return math.prod(sizes) / 4 if row.work else 0


def emulated():
    slow = lambda row: row.precision in ("3xtf32", "bfloat16") or steps(row) > EMULATED
    return [pytest.param(row, id=row.title) for row in ROWS if not slow(row)]


@pytest.mark.parametrize("row", emulated())
def test_rows_are_right(card, row):
    found = kernels.check(row._replace(inputs=row.tiny), card)
    assert found["right"], found
    assert found["launched"] or row.kernel == "matmul"


def unwritten(array):
    """Memory like an array's, from an address that kernels like, all zeros: pages that nobody touches."""
    memory = np.zeros(array.nbytes + 512, np.uint8)
    start = -memory.ctypes.data % 512
    return memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)


def not_launched(card, monkeypatch, given):
    """The names of the kernels that no row launches; nothing is computed."""
    package = importlib.import_module("kerasish.kernels.cuda")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    launched = set()
    monkeypatch.setattr(cuda_jit, "launch", lambda kernel, *rest: launched.add(kernel.name))
    for row in ROWS:
        cuda.set_precision(row.precision)
        host = moved(arrays(given(row)), card.asarray)
        kernels.called(getattr(Twin("cuda"), row.kernel), host, kernels._options(row, card))
    return {kernel.name for kernel in cuda_jit.kernels()} - launched


def test_the_rows_launch_every_kernel(card, monkeypatch):
    """A kernel without a row fails here: give it one in benchmarks/gpu."""
    assert not_launched(card, monkeypatch, lambda row: row.tiny) == set()


@pytest.mark.slow
@pytest.mark.parametrize("multiprocessors", [40, 132, 188])
def test_the_rows_launch_every_kernel_at_full_size(card, monkeypatch, multiprocessors):
    """On small and large cards: which tile is taken depends on how many multiprocessors wait for work."""
    properties = {"multiProcessorCount": multiprocessors, "major": 9, "minor": 0}
    monkeypatch.setattr(cuda, "_properties", lambda index: properties)
    monkeypatch.setattr(inputs, "drawn", lambda given, seed: np.zeros(given.shape, DTYPES.get(given.kind, given.dtype)))
    monkeypatch.setattr(fake_cupy, "aligned", unwritten)
    monkeypatch.setattr(
        card, "empty", lambda shape, dtype: fake_cupy.Card(unwritten(np.zeros(shape, dtype))), raising=False
    )
    assert not_launched(card, monkeypatch, lambda row: row.tiny if row.kernel == "matmul" else row.inputs) == set()


def test_titles_are_unique():
    titles = [row.title for row in ROWS]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("row", PEERED.values(), ids=lambda row: row.title)
def test_torch_does_the_same(row):
    torch = pytest.importorskip("torch")
    host = arrays(row.tiny)
    call = kernels.torch_call(row._replace(precision="float32"), torch, host, "cpu")
    got = call()
    if row.equal:
        want = kernels.called(find("reference", row.kernel), moved(host, np.copy), kernels._options(row, np))
        compare(got if isinstance(got, tuple) else (got,), want)


def compare(got, want):
    for g, w in zip(got, want):
        np.testing.assert_allclose(np.asarray(g), w, rtol=1e-4, atol=1e-4 * np.abs(w).max())


def test_the_work_of_a_convolution_is_that_of_its_shapes():
    sizes = Sizes(2, (7, 7), 4, 6, 3, stride=2, groups=2)
    assert sizes.shapes == ((2, 7, 7, 4), (3, 3, 2, 6), (2, 4, 4, 6))
    assert sizes.work == 2 * (2 * 4 * 4 * 6) * (3 * 3 * 2)
    assert str(sizes) == "2x7x7x4 -> 6, 3x3 /2 groups 2"
    assert all(case.full.work > 1e7 for case in (*LARGE, *OTHERS, *SPECIAL, *DEEP))


def test_a_row_is_timed_beside_pytorch(card):
    """With a clock that counts the calls."""
    torch = pytest.importorskip("torch")
    row = next(row for row in ROWS if row.kernel == "conv2d_grad_kernel" and row.precision == "float32")
    row = row._replace(inputs=Sizes(1, (4, 4), 4, 8, 3).inputs("_grad_kernel"))
    calls = []

    def clock(functions, launches):
        calls.append(launches)
        for function in functions[:1]:
            function()
        return 50.0 * launches

    on_host = types.SimpleNamespace(**{name: getattr(torch, name) for name in ("backends", "float32", "bfloat16")})
    on_host.tensor = lambda array, device: torch.tensor(array)
    on_host.__dict__.update(torch.__dict__ | {"tensor": on_host.tensor})
    record = kernels.measure(row, card, on_host, clock, peak=10.0)
    assert calls[:4] == [kernels.COPIES] * 4 and len(calls) == 4 + 2 * kernels.ROUNDS
    assert record["right"] and record["ratio"] == 1.0
    assert record["peak_share"] == pytest.approx(row.work / record["ours_us"] / 1e6 / 10)


def test_a_short_round_for_a_slow_kernel():
    asked = []
    kernels.timed({"ours": [lambda: None]}, lambda functions, launches: asked.append(launches) or 15_000.0)
    assert set(asked) == {1} and len(asked) == 2 + kernels.ROUNDS


def test_a_distance_sees_nans_and_shapes():
    one = np.ones((2, 2))
    assert kernels.distance(one, one) == 0
    assert kernels.distance(one, np.ones(4)) == math.inf
    assert kernels.distance(np.full((2, 2), np.nan), one) == math.inf
    assert kernels.distance(one.astype("float32") * 1.5, one) == 0.5
