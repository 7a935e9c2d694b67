"""The thread pool: work is done once, whoever comes, sleeps, forks or ends."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kerasish.device import thread_pool, threads
from kerasish.device.engines import engine
from kerasish.device.natives import njit
from kerasish.device.raw import add, address, integers, take

ROOT = Path(__file__).parents[2]
JOBS = 40
needs_threads = pytest.mark.skipif(engine() != "pool" or threads.available() < 2, reason="needs the pool, two threads")


def _count(plan, worker):
    """Plan: the jobs taken, the workers who came, and how often each job was done."""
    add(plan + 8, 1)
    job = take(plan)
    while job < JOBS:
        integers(plan + 16, JOBS)[job] += 1
        job = take(plan)


count = njit("void(int64, int64)")(_count)


def launch(workers=None):
    """Whether each job was done once, and how many workers came."""
    plan = np.zeros(2 + JOBS, np.int64)
    thread_pool.run(count, plan, workers or threads.available())
    return (plan[2:] == 1).all(), plan[1]


@needs_threads
def test_each_job_is_done_once():
    found = [launch() for _ in range(3000)]
    assert all(done for done, _ in found)
    assert max(workers for _, workers in found) <= threads.available()


@needs_threads
def test_workers_that_fell_asleep_come_again():
    came = 0
    for _ in range(100):
        time.sleep(2 * thread_pool.SPIN)
        done, workers = launch()
        assert done
        came += workers > 1
        if came:
            break


@needs_threads
def test_launches_from_many_threads_at_once():
    with ThreadPoolExecutor(8) as pool:
        assert all(done for done, _ in pool.map(lambda _: launch(), range(4000)))


@needs_threads
def test_stopped_workers_are_replaced():
    launch()
    before = thread_pool._state["pool"].threads
    thread_pool.stop()
    assert not any(thread.is_alive() for thread in before)
    assert launch()[0]
    assert all(thread.is_alive() for thread in thread_pool._state["pool"].threads)


@needs_threads
def test_more_workers_than_processors():
    pool = thread_pool.Pool(6)
    plans = [np.zeros(2 + JOBS, np.int64) for _ in range(300)]
    for plan in plans:
        pool.launch(count.address, address(plan), 6)
    pool.stop()
    assert all((plan[2:] == 1).all() and plan[1] <= 6 for plan in plans)


FORKS = """
import os, threading, time
from tests.kernels.test_thread_pool import launch
assert launch()[0]
stop = threading.Event()
busy = [threading.Thread(target=lambda: [launch() for _ in iter(stop.is_set, True)]) for _ in range(2)]
[thread.start() for thread in busy]
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0 if all(launch()[0] for _ in range(50)) else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
[thread.join() for thread in busy]
assert launch()[0]
"""

ENDS = """
import threading
from tests.kernels.test_thread_pool import launch
def forever():
    while True:
        launch()
launch()
for _ in range(3):
    threading.Thread(target=forever, daemon=True).start()
"""


@needs_threads
@pytest.mark.parametrize("program", [pytest.param(FORKS, id="forks"), pytest.param(ENDS, id="ends")])
def test_a_process_that(program):
    if "fork" in program and not hasattr(os, "fork"):
        pytest.skip("needs fork")
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
