"""Programs for the tests of the compiling processes: `python -m tests.device.crew WHAT`."""

import os
import signal
import sys

import numpy as np

from kerasish.device import builders, natives, threads
from kerasish.kernels import twin_of

X = np.linspace(-1, 1, 1 << 18, dtype="float32")
LAME = ("raise SystemExit", "import sys\nfor line in sys.stdin: print('\\0' * 8, end='', flush=True)")


def relu6():
    np.testing.assert_array_equal(twin_of(X).relu6(X), np.clip(X, 0, 6))


def leaky_relu():
    np.testing.assert_allclose(twin_of(X).leaky_relu(X, 0.5), np.where(X < 0, X / 2, X), rtol=1e-6)


def processes():
    return [process.pid for process in builders._state["crew"].processes]


def there():
    """Another process compiles; this one does not even import Numba."""
    relu6()
    assert "numba" not in sys.modules and natives.compile_report()[0] == 1
    print(*processes())


def killed():
    """The end of a process that cannot clean up."""
    relu6()
    print(*processes(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def lame():
    """Processes that end at once, or cannot compile."""
    for program in LAME:
        builders.PROGRAM = program
        builders._state["crew"] = None
        relu6() if program is LAME[0] else leaky_relu()
    assert "numba" in sys.modules and natives.compile_report()[0] == 2


def forked():
    """A child of a process that has others compile for it."""
    relu6()
    child = os.fork()
    if child == 0:
        relu6()
        leaky_relu()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    leaky_relu()


def unsaved():
    """There is no cache to put what comes from other processes."""
    builders.cache._candidates = lambda: iter(["/dev/null/nowhere"])
    there()


if __name__ == "__main__":
    threads.set_num_threads(1)
    globals()[sys.argv[1]]()
