"""NumPy's BLAS, on one thread.

A BLAS keeps threads of its own, which spin for milliseconds after each product in wait of the next one. On the same
cores as our kernels' threads that makes every parallel region wait: a training step of 6 ms took 135 ms on two busy
cores.
"""

import functools
import threading

_lock = threading.Lock()
_before: list[int] = []
_state = {"inside": 0}


@functools.cache
def _libraries() -> list:
    """The BLAS libraries of this process, as far as they can be told how many threads to use."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


class one_thread:
    """A context in which BLAS uses the calling thread alone; it may be entered from several threads at once."""

    def __enter__(self):
        with _lock:
            _state["inside"] += 1
            if _state["inside"] == 1:
                _before[:] = [library.get_num_threads() for library in _libraries()]
                for library in _libraries():
                    library.set_num_threads(1)
        return self

    def __exit__(self, *exc):
        with _lock:
            _state["inside"] -= 1
            if _state["inside"] == 0:
                for library, count in zip(_libraries(), _before):
                    library.set_num_threads(count)
