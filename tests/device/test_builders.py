"""Other processes compile kernels, unseen: nothing depends on them, and nothing of them is left."""

import importlib
import os
import subprocess
import sys
import time

import pytest

from kerasish.device import natives
from kerasish.device.companions import GROUPS

from .test_processes import ROOT, needs_fork


def run(what, cache, count=1):
    command = [sys.executable, "-W", "error", "-m", "tests.device.crew", what]
    env = {**os.environ, "KERASISH_CACHE_DIR": str(cache), "KERASISH_COMPILE_PROCESSES": str(count)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == "" and done.returncode == (-9 if what == "killed" else 0), done
    return [int(number) for number in done.stdout.split()]


def lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{process}/stat") as file:
        return file.read().split()[2] != "Z"


@needs_fork
@pytest.mark.parametrize("what", ["there", "killed", "unsaved"])
def test_kernels_come_from_processes_that_end_with_this_one(what, tmp_path):
    processes = run(what, tmp_path)
    assert len(processes) == 1
    deadline = time.monotonic() + 20
    while any(map(lives, processes)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(list(tmp_path.rglob("*.kernel"))) == (what != "unsaved")


@pytest.mark.parametrize("what", ["lame", pytest.param("forked", marks=needs_fork)])
def test_whatever_happens_to_them_kernels_are_compiled(what, tmp_path):
    run(what, tmp_path)
    assert len(list(tmp_path.rglob("*.kernel"))) == 2


def test_companions_are_kernels():
    for name in (name for group in GROUPS for name in group):
        stem = name.split("-")[0]
        importlib.import_module(stem.rpartition(".")[0])
        assert stem in natives._families or natives.find(name).name == name


NAMES = """
from kerasish.commands import warmup
from kerasish.device import natives
warmup._import_all()
[family.native(kinds) for family in natives._families.values() for kinds in family.usual]
names = [native.name for native in natives._natives]
assert len(names) > 60 and sorted(set(names)) == sorted(names), names
assert all(natives.find(name).name == name for name in names)
"""


def test_names_of_kernels_tell_them_apart():
    subprocess.run([sys.executable, "-c", NAMES], cwd=ROOT, timeout=60, check=True)


@pytest.mark.slow
def test_what_a_convnet_needs_is_in_the_groups(tmp_path):
    command = [sys.executable, "-c", "from tests.device import models; models.predicted(models.trained())"]
    env = {**os.environ, "KERASISH_CACHE_DIR": str(tmp_path), "KERASISH_COMPILE_PROCESSES": "0"}
    subprocess.run(command, cwd=ROOT, env=env, timeout=300, check=True)
    needed = {path.name.removesuffix(".kernel").partition("@")[0] for path in tmp_path.rglob("*.kernel")}
    assert needed - {name for group in GROUPS for name in group} == set()
