"""The number of threads, and when a launch is worth it."""

import io
import os

import pytest

from kerasish.device import threads


@pytest.fixture(autouse=True)
def restored():
    yield
    threads.set_num_threads(threads.available())


def test_set_and_get():
    threads.set_num_threads(1)
    assert threads.get_num_threads() == 1
    assert threads.wanted(1e12) == 1


@pytest.mark.parametrize("count", [0, -1, 10**6, 1.5, "2"])
def test_senseless_counts(count):
    with pytest.raises(ValueError, match="integer from 1 to"):
        threads.set_num_threads(count)


def test_small_work_stays_on_one_thread():
    assert threads.wanted(1000) == 1
    assert threads.wanted(1e9) == threads.available()


def test_environment_sets_the_default(monkeypatch):
    monkeypatch.setitem(threads._state, "count", None)
    monkeypatch.setenv("KERASISH_NUM_THREADS", "1")
    assert threads.get_num_threads() == 1


@pytest.mark.parametrize(
    "content, want",
    [("100000 100000", 1), ("150000 100000", 2), ("200000 100000", 2), ("200001 100000", 3), ("50000 100000", 1)],
)
def test_a_quota_is_rounded_up(content, want, monkeypatch):
    monkeypatch.setattr(threads, "open", lambda path: io.StringIO(content), raising=False)
    assert threads._quota() == want


@pytest.mark.parametrize("content", ["max 100000", "", "1 2 3", None])
def test_no_quota(content, monkeypatch):
    def read(path):
        if content is None:
            raise FileNotFoundError(path)
        return io.StringIO(content)

    monkeypatch.setattr(threads, "open", read, raising=False)
    assert threads._quota() == (os.cpu_count() or 1)
