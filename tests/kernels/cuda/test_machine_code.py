"""Every kernel becomes machine code for every card that we name, without a card: no spills, room for its registers."""

import importlib
import pkgutil
import re

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


def test_machine_code_is_kept_on_disk(tmp_path, monkeypatch):
    kernel = next(kernel for kernel in cuda_jit.kernels() if kernel.name == "masked_scale")
    monkeypatch.setenv("KERASISH_CACHE_DIR", str(tmp_path))
    cache.cache_folder.cache_clear()
    try:
        code = cuda_jit.cubin(kernel, (9, 0))
        assert [path.stem for path in tmp_path.rglob("*.kernel")] == ["masked_scale-sm_90"]
        monkeypatch.setattr(cuda_jit, "ptx", None)
        assert cuda_jit.cubin(kernel, (9, 0)) == code
    finally:
        cache.cache_folder.cache_clear()
