"""What every test gets: fresh names, and real Keras kept quiet."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("KERASISH_QUIET", "1")

import pytest


@pytest.fixture(autouse=True)
def fresh_names():
    """Automatic names start anew in each test."""
    from kerasish.core import scopes

    scopes.clear_session(free_memory=False)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `-n`, a worker that has no more tests takes some of another's: none waits behind a long one."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None
