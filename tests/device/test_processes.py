"""What users do with threads, forks and file systems must never kill a process; each case has a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ["omp", "workqueue"]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def start(what, cache, **environment):
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.device.sample", what]
    env = {**os.environ, "KERASISH_CACHE_DIR": str(cache), **environment}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return out.strip()


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A folder that holds the compiled kernel."""
    folder = tmp_path_factory.mktemp("cache")
    assert finish(start("report", folder)) == "1"
    return folder


def layer(name):
    if name == "omp":
        pytest.importorskip("numba.np.ufunc.omppool")
    return {"NUMBA_THREADING_LAYER": name}


@pytest.mark.parametrize("name", LAYERS)
def test_eight_threads(name, warm):
    finish(start("in_threads", warm, **layer(name)))


@needs_fork
@pytest.mark.parametrize("name", LAYERS)
def test_forked_children(name, warm):
    finish(start("in_forks", warm, **layer(name)))


def test_layer_that_is_not_there(warm):
    finish(start("report", warm, NUMBA_THREADING_LAYER="tbb"))


def test_second_process_compiles_nothing(warm):
    assert finish(start("report", warm)) == "0"


def test_two_processes_share_a_cold_cache(tmp_path):
    both = [start("report", tmp_path) for _ in range(2)]
    assert [finish(process) for process in both]
    assert finish(start("report", tmp_path)) == "0"


@pytest.mark.parametrize("what", ["without_folder", "with_lost_folder"])
def test_cache_that_cannot_be_written(what, tmp_path):
    finish(start(what, tmp_path))


def test_damaged_cache(tmp_path):
    finish(start("report", tmp_path))
    finish(start("with_damage", tmp_path))
    assert finish(start("report", tmp_path)) in ("0", "1")


def test_import_is_light():
    code = "import kerasish.device.jit, kerasish.device.memory, sys; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
