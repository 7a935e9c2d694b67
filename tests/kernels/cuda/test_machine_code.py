"""Every kernel becomes machine code for every card that we name, without a card: no spills, room for its registers."""

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install '.[cuda-test]'")

from kerasish.device import cache, cuda_jit
from kerasish.kernels import cuda as package

for module in pkgutil.iter_modules(package.__path__):
    importlib.import_module(f"{package.__name__}.{module.name}")

CARDS = [(7, 5), (8, 0), (8, 6), (8, 9), (9, 0), (10, 0), (12, 0)]
REGISTERS, SHARED = 65536, 48 << 10  # of a multiprocessor; of a block
SLACK = 6  # registers that another version of the compiler may want more
TIGHT = re.compile("^(deep_)?(product|outer)_128x128$")  # held to what lets two blocks run at once; less would spill
DOUBLES = ("finish_",)  # kernels that may use double precision: it is slow on most cards
OFTEN = re.compile("^(product_64x64|tensor_tf32_64x64|outer_64x64|normalize_4|dropout|update_adam|finish_moments)$")


LAUNCH = """
import sys, types
import numpy as np
from cuda import core
from tests.kernels.cuda import fake_cupy
from kerasish.kernels.cuda import random

loaded = lambda code: types.SimpleNamespace(get_kernel=lambda name: print(len(code), name, end=" ") or name)
core.ObjectCode = types.SimpleNamespace(from_cubin=loaded)
card = types.SimpleNamespace(set_current=lambda: None, compute_capability=(9, 0), default_stream=0)
core.Device, core.launch = lambda *_: card, lambda *_: None
with fake_cupy.installed() as cupy:
    cupy.cuda.get_current_stream = lambda: types.SimpleNamespace(ptr=0)
    x = cupy.asarray(np.ones(4, "float32"))
    random.masked_scale(x, x > 0, 2.0)
print("numba" in sys.modules)
"""
ROOT = Path(__file__).parents[3]


def marked(kernel):
    return pytest.param(kernel, id=kernel.name, marks=[] if OFTEN.match(kernel.name) else [pytest.mark.slow])


def test_names_are_unique():
    names = [kernel.name for kernel in cuda_jit.kernels()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kernel", [marked(kernel) for kernel in cuda_jit.kernels()])
def test_compiles_for_every_card(kernel):
    text = cuda_jit.ptx(kernel)
    assert not re.search(r"\bcall\b", text), "a function was not inlined"
    if not kernel.name.startswith(DOUBLES):
        assert ".f64" not in text, "arithmetic in double precision"
    room = min(255, REGISTERS // (kernel.threads * kernel.resident))
    room -= 0 if TIGHT.search(kernel.name) else SLACK
    for card in CARDS:
        if card >= kernel.capability:
            made = cuda_jit.link(text, card)
            assert (made.spilled, made.stack) == (0, 0), f"sm_%d%d: {made[1:]}" % card
            assert 0 < made.registers <= room, f"sm_%d%d: {made.registers} of {room}" % card
            assert made.shared <= SHARED


def test_machine_code_is_kept_on_disk_and_launched_without_numba(tmp_path, monkeypatch):
    kernel = next(kernel for kernel in cuda_jit.kernels() if kernel.name == "masked_scale")
    monkeypatch.setenv("KERASISH_CACHE_DIR", str(tmp_path))
    cache.cache_folder.cache_clear()
    try:
        code = cuda_jit.cubin(kernel, (9, 0))
        assert [path.stem for path in tmp_path.rglob("*.kernel")] == ["masked_scale-sm_90"]
        monkeypatch.setattr(cuda_jit, "ptx", None)
        assert cuda_jit.cubin(kernel, (9, 0)) == code
        done = subprocess.run([sys.executable, "-c", LAUNCH], capture_output=True, text=True, cwd=ROOT, check=False)
        assert (done.returncode, done.stdout) == (0, f"{len(code)} masked_scale False\n"), done.stderr
    finally:
        cache.cache_folder.cache_clear()
