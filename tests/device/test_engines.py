"""Which engine runs kernels, why, and what becomes of that with a Numba that does not exist yet."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kerasish.device import engines, natives, sources

pytestmark = pytest.mark.skipif(natives.compilation_off(), reason="needs compiled kernels")
ROOT = Path(__file__).parents[2]


def python(folder, *arguments, **environment):
    ours = {name: value for name, value in os.environ.items() if name != "KERASISH_ENGINE"}
    env = {**ours, "KERASISH_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-W", "ignore", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=400)


def future(folder, change, what, **environment):
    done = python(folder, "-m", "tests.device.future", change, what, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


GONE = {
    "module_gone": "ModuleNotFoundError: import of numba.core.codegen",
    "class_gone": "AttributeError: .* 'IRLegalization'",
    "method_gone": "AttributeError: _module_pass_manager",
    "other_arguments": "TypeError: .* unexpected keyword argument",
    "other_meaning": "a kernel for trial gives wrong numbers",
}
QUICK = ("module_gone",)


@pytest.mark.parametrize("change", [c if c in QUICK else pytest.param(c, marks=pytest.mark.slow) for c in GONE])
def test_plain_numba_takes_over(change, tmp_path):
    """Once, and it says why, and what to do."""
    first, warning = future(tmp_path, change, "one_kernel")
    assert first == "numba 1 True"
    assert re.match(
        rf"RuntimeWarning kerasish: its own compiler does not work with Numba 0.99.0: {GONE[change]}", warning
    )
    assert "pip install 'numba>=0.63,<0." in warning and "KERASISH_ENGINE=numba" in warning


@pytest.mark.slow
def test_a_new_version_that_works_is_used(tmp_path):
    assert future(tmp_path, "nothing", "one_kernel") == ["pool 0 True"]


def test_who_insists_on_the_compiler_gets_its_error(tmp_path):
    done = python(tmp_path, "-m", "tests.device.future", "module_gone", "one_kernel", KERASISH_ENGINE="pool")
    assert "Broken: kernel kerasish.kernels.cpu.softmax._softmax-" in done.stderr
    assert "pip install 'numba>=0.63,<0." in done.stderr


def test_a_kernel_at_fault_is_no_fault_of_the_compiler(monkeypatch):
    """Its own error is what the user gets, though it was looked whether the compiler works."""
    monkeypatch.setattr(engines, "_state", {"works": None, "reason": None})
    from tests.device.sample import squares

    with pytest.raises(Exception, match="No implementation of function|cannot determine") as caught:
        squares.native(("int64", "float64", "int64")).compile()
    assert not isinstance(caught.value, engines.Broken) and engines._state["works"] is True


@pytest.mark.slow
def test_a_convnet_trains_with_a_future_numba(tmp_path):
    """To the losses that it has with this one, to the bit; another process finds all compiled."""
    lost = future(tmp_path / "lost", "module_gone", "train")
    assert future(tmp_path / "kept", "nothing", "train")[0].split()[2:] == lost[0].split()[2:]
    assert lost[0].startswith("numba 1 ") and "Refused: plain Numba runs the kernels" in lost[-1]


PROGRAM = """
import numpy as np
from kerasish.device import threads
from kerasish.kernels.cpu import softmax
threads.wanted = lambda work: 2
assert (abs(softmax.softmax(np.ones((300, 40), np.float32)) - 1 / 40) < 1e-7).all()
from kerasish.device import plain
stats = plain.compiled(softmax._softmax, True).stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def test_plain_numba_keeps_what_it_has_compiled(tmp_path):
    found = [python(tmp_path, "-c", PROGRAM, KERASISH_ENGINE="numba", KERASISH_QUIET="0") for _ in range(2)]
    assert ["compiling kernels for this machine" in done.stderr for done in found] == [True, False]
    assert [done.stdout.strip() for done in found] == ["0 1", "1 0"], found[0].stderr + found[1].stderr
    (folder,) = tmp_path.iterdir()
    (source,) = (folder / "numba").glob("*.py")
    assert source.stem == sources.kept_name("kerasish.kernels.cpu.softmax._softmax-1")


@pytest.mark.slow
def test_without_a_folder_it_keeps_nothing():
    done = python(
        "/dev/null/nowhere",
        "-c",
        f"from kerasish.device import cache\ncache._usable = lambda f: 0\n{PROGRAM}",
        KERASISH_ENGINE="numba",
    )
    assert done.stdout.strip() == "0 1", done.stderr


WHY = [
    ({}, "pool, on this library's threads: the default"),
    ({"KERASISH_ENGINE": "numba"}, "numba, on Numba's threads: KERASISH_ENGINE is set"),
    ({"KERASISH_ENGINE": "pool"}, "pool, on this library's threads: KERASISH_ENGINE is set"),
    ({"NUMBA_DISABLE_JIT": "1"}, "python, uncompiled: NUMBA_DISABLE_JIT is set"),
    ({"KERASISH_ENGINE": "x"}, "KERASISH_ENGINE='x': expected 'pool' or 'numba'"),
]


@pytest.mark.parametrize("environment, text", WHY)
def test_the_doctor_says_which_and_why(environment, text, monkeypatch):
    from kerasish.commands import doctor

    monkeypatch.delenv("KERASISH_ENGINE", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    engines.engine.cache_clear()
    try:
        assert doctor._engine() == text
        monkeypatch.setattr(engines, "_state", {"works": False, "reason": "no such module"})
        engines.engine.cache_clear()
        if not environment:
            assert doctor._engine() == "numba, on Numba's threads: no such module"
        if environment.get("KERASISH_ENGINE") == "pool":
            assert doctor._engine() == "none, though KERASISH_ENGINE=pool: no such module"
    finally:
        monkeypatch.undo()
        engines.engine.cache_clear()
