"""What users do with threads, forks and file systems must never kill a process; each case has a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def start(what, cache, program="sample", **environment):
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", f"tests.device.{program}", what]
    env = {**os.environ, "KERASISH_CACHE_DIR": str(cache), "KERASISH_COMPILE_PROCESSES": "0", **environment}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return out.strip()


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A folder that holds the compiled kernels: the sample, and those of the threads."""
    folder = tmp_path_factory.mktemp("cache")
    assert int(finish(start("report", folder))) > 1
    return folder


def test_eight_threads(warm):
    finish(start("in_threads", warm))


@needs_fork
def test_forked_children(warm):
    finish(start("in_forks", warm))


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
    assert finish(start("report", tmp_path)) == "0"


def test_kernels_of_the_cache_need_no_numba(warm):
    assert finish(start("without_numba", warm)) == ""


def test_kernels_that_need_a_runtime_are_refused(tmp_path):
    finish(start("foreign_calls", tmp_path))


@pytest.mark.parametrize("what", ["in_threads", pytest.param("in_fork", marks=needs_fork), "in_spawn"])
def test_models(what):
    finish(start(what, os.environ.get("KERASISH_CACHE_DIR", ""), "models"))
