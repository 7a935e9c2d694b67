"""A small kernel for the tests, and a program that runs it: `python -m tests.device.sample WHAT`."""

import math
import multiprocessing
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kerasish.device import cache, natives
from kerasish.device.jit import FASTMATH, njit, prange
from kerasish.device.raw import integers

TASKS = 10


@njit(fastmath=FASTMATH)
def square(x):
    return x * x


@njit(parallel=True)
def squares(tasks, x, y, size):
    for task in prange(tasks):
        for i in range(task * size, (task + 1) * size):
            y[i] = square(x[i])


def check(_=None):
    x = np.arange(1000.0)
    y = np.empty_like(x)
    squares(TASKS, x, y, x.size // TASKS, threads=2)
    np.testing.assert_array_equal(y, x * x)
    return os.getpid()


def in_threads():
    """Eight threads enter the kernel at once, many times."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(check, range(800)))


def in_forks():
    """Children forked after the parent ran the kernel run it too, from threads as well."""
    check()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert len(set(pool.map(check, range(50)))) >= 1
    child = os.fork()
    if child == 0:
        in_threads()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    check()


def without_folder():
    """No candidate for the cache can be used."""
    cache._candidates = lambda: iter(["/dev/null/nowhere"])
    check()
    assert cache.cache_folder(natives.cache_key()) is None


def with_lost_folder():
    """The cache folder vanishes between its choice and the first save."""
    folder = cache.cache_folder(natives.cache_key())
    os.rmdir(folder)
    check()


def with_damage():
    """Files of the cache that hold something else."""
    folder = cache.cache_folder(natives.cache_key())
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"not a kernel")
    check()


def report():
    """Print how many kernels were compiled."""
    check()
    print(natives.compile_report()[0])


def without_numba():
    """A kernel that is in the cache is loaded and run, on threads too, without Numba."""
    check()
    assert "numba" not in sys.modules


def foreign_calls():
    """What allocates or calls a library is told so when it is compiled, not by a crash when it is loaded."""

    def allocate(n, worker):
        np.empty(n)[0] = worker

    def power(n, worker):
        integers(n, 1)[0] = math.erf(worker)

    for function, message in ((allocate, "empty"), (power, "would need erf")):
        with pytest.raises(Exception, match=message):
            natives.njit("void(int64, int64)")(function).compile()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
