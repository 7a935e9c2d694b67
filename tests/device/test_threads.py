"""The number of threads, and when a launch is worth it."""

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
