"""Buffers are reused, aligned, and never taken from under a view that somebody keeps."""

import gc
import threading

import numpy as np
import pytest

from kerasish.device import memory

BIG = (300, 1000)


@pytest.fixture(autouse=True)
def fresh():
    gc.collect()
    memory.release()
    yield
    memory.release()


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (5,), 7, BIG])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_like_numpy(shape, dtype):
    x, want = memory.empty(shape, dtype), np.empty(shape, dtype)
    assert (x.shape, x.dtype, x.strides) == (want.shape, want.dtype, want.strides)
    assert x.flags.c_contiguous and x.flags.writeable and x.flags.aligned
    assert not memory.zeros(shape, dtype).any()


def test_large_arrays_are_aligned():
    assert all(memory.empty((20_000 + n,)).ctypes.data % memory.ALIGNMENT == 0 for n in range(5))


def test_memory_comes_back():
    first = memory.empty(BIG)
    place = first.ctypes.data
    del first
    assert memory.kept_bytes() >= 4 * 300_000
    assert memory.empty(BIG).ctypes.data == place


def test_close_sizes_share_memory():
    first = memory.empty((300_000,))
    place = first.ctypes.data
    del first
    assert memory.empty((299_000,)).ctypes.data == place


def test_a_view_keeps_its_memory():
    x = memory.empty(BIG)
    view = x[5:, ::2].T.reshape(-1)[3:]
    row = x[7]
    row[:] = 3
    del x, view
    others = [memory.zeros(BIG) for _ in range(3)]
    assert (row == 3).all() and not others[0].any()


def test_no_memory_is_an_error_and_nothing_else(recwarn):
    with pytest.raises(MemoryError):
        memory.empty((1 << 50,))
    gc.collect()
    assert not [w for w in recwarn if issubclass(w.category, pytest.PytestUnraisableExceptionWarning)]


def test_what_lasts_lies_outside_of_the_arena():
    arena = memory.Arena()
    with memory.drawing_on(arena):
        inside, outside = memory.empty(BIG), memory.lasting(BIG)
        assert memory.in_arena(inside) and memory.in_arena(inside[3:].T) and not memory.in_arena(outside)
        assert memory.in_arena(memory.empty(BIG))
    assert not memory.in_arena(inside)
    assert not any(0 <= outside.ctypes.data - block.ctypes.data < block.nbytes for block in arena.blocks)


def test_release_gives_all_back():
    memory.empty(BIG)
    assert memory.kept_bytes() > 0
    memory.release()
    assert memory.kept_bytes() == 0


def test_threads_never_share_memory():
    wrong = []

    def work(number):
        for _ in range(200):
            x = memory.empty((20_000,))
            x.fill(number)
            if not (x == number).all():
                wrong.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
