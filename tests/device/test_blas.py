"""NumPy's BLAS runs on one thread inside kernels, and as before outside, whoever enters and leaves meanwhile."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from kerasish import ops
from kerasish.device import blas


def counts():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_one_thread_inside_and_as_before_outside():
    before = counts()
    with blas.one_thread():
        assert set(counts()) <= {1}
        with blas.one_thread():
            pass
        assert set(counts()) <= {1}
    assert counts() == before


def test_many_threads_at_once():
    before = counts()

    def work():
        for _ in range(200):
            with blas.one_thread():
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert counts() == before


@pytest.mark.parametrize("product", ["matmul", "einsum"])
def test_products_run_inside(product, monkeypatch):
    entered = []
    enter = blas.one_thread.__enter__
    monkeypatch.setattr(blas.one_thread, "__enter__", lambda self: entered.append(1) or enter(self))
    a = np.ones((200, 1000), "float16")
    ops.matmul(a, a.T) if product == "matmul" else ops.einsum("ij,kj->ik", a, a)
    assert entered
