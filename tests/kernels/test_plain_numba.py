"""The kernels that are written in Numba's words, by plain `numba.njit(parallel=True)` too: the same bits."""

import numpy as np
import pytest

from kerasish.device import natives

pytestmark = pytest.mark.skipif(natives.compilation_off(), reason="needs compiled kernels")

from kerasish.core.shapes import Window  # noqa: E402
from kerasish.device.jit import njit, prange  # noqa: E402
from kerasish.device.parallel import Kernel, engine  # noqa: E402
from kerasish.kernels.cpu import (  # noqa: E402
    batch_norm,
    conv,
    copying,
    depthwise,
    elementwise,
    group_norm,
    matmul,
    norm,
    pool,
    pool3d,
    random,
    reduce,
    resize,
    softmax,
    update,
)

from . import loops  # noqa: E402

RNG = np.random.default_rng(5)
ROWS = RNG.standard_normal((300, 70)).astype(np.float32)
LARGE = RNG.standard_normal((4, 200, 300)).astype(np.float32)
FILTERS = RNG.standard_normal((3, 2, 8, 1)).astype(np.float32)
IMAGE = RNG.standard_normal((2, 4, 6, 6, 8)).astype(np.float32)
FLAT = Window((2, 1), ((1, 1), (0, 1)), (1, 1), 1)
DEEP = Window((1, 1, 1), ((0, 0),) * 3, (1, 1, 1), 1)


WIDE = RNG.standard_normal((2, 17, 18, 32)).astype(np.float32)
SAME = Window((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
PAIRS = Window((2, 1), ((1, 1), (0, 1)), (1, 1), 2)


def filters(*shape):
    return np.random.default_rng(6).standard_normal(shape).astype(np.float32)


def convolved_back(w, window):
    gy = conv.conv2d(WIDE, w, window) * 2
    return [
        conv.conv2d_grad_input(gy, w, WIDE.shape, window),
        conv.conv2d_grad_kernel(WIDE, gy, w.shape, window),
    ]


def updated():
    parameters, slots = [ROWS.copy(), LARGE.copy()], [np.zeros_like(ROWS), np.zeros_like(LARGE)]
    update.sgd_momentum(parameters, [ROWS, LARGE], slots, 0.1, 0.9)
    return parameters, slots


def max_pooled_back():
    y, where = pool.max_pool2d(IMAGE[0], (3, 2), FLAT)
    return pool.max_pool2d_grad(y * 2, where, IMAGE[0].shape, (3, 2), FLAT)


def batch_normed_back():
    statistics = LARGE.mean((0, 1)), 1 / LARGE.std((0, 1))
    return batch_norm.batch_norm_grad(LARGE * 2 + 1, LARGE, LARGE[0, 0], LARGE[1, 0], *statistics, "relu6")


def depthwise_back():
    gy = depthwise.depthwise_conv2d(IMAGE[0], FILTERS, FLAT)
    return [
        depthwise.depthwise_conv2d_grad_input(gy, FILTERS, IMAGE[0].shape, FLAT),
        depthwise.depthwise_conv2d_grad_kernel(IMAGE[0], gy, FILTERS.shape, FLAT),
    ]


CALLS = {
    "convolution": lambda: conv.conv2d(WIDE, filters(3, 2, 16, 20), PAIRS, filters(20), "relu"),
    "convolution's gradients": lambda: convolved_back(filters(3, 2, 16, 20), PAIRS),
    "Winograd": lambda: conv.conv2d(WIDE, filters(3, 3, 32, 48), SAME, filters(48), "relu"),
    "Winograd's gradients": lambda: convolved_back(filters(3, 3, 32, 48), SAME),
    "product": lambda: matmul.matmul(ROWS, filters(70, 50), bias=filters(50)),
    "softmax": lambda: softmax.softmax(ROWS),
    "sparse cross-entropy": lambda: softmax.sparse_cross_entropy_logits(np.arange(300) % 70, ROWS),
    "tanh": lambda: elementwise.tanh(LARGE),
    "add": lambda: elementwise.add(LARGE, LARGE[0, 0]),
    "sum": lambda: reduce.sum(LARGE, (0, 1)),
    "global pooling": lambda: reduce.mean(IMAGE[0], (1, 2)),
    "layer norm": lambda: norm.layer_norm(ROWS, None, None, 1e-3),
    "batch norm": lambda: batch_norm.batch_norm_train(LARGE, LARGE[0, 0], None, 1e-3, "relu"),
    "batch norm's gradient": batch_normed_back,
    "group norm": lambda: group_norm.group_norm(IMAGE[0], None, None, 2, 1e-3),
    "random numbers": lambda: random.uniform((5000,), (1, 2)),
    "up-sampling": lambda: resize.upsample_nearest(IMAGE[0], (2, 3)),
    "padding": lambda: copying.zero_pad(IMAGE[0], [(0, 0), (1, 2), (2, 1), (0, 0)]),
    "max pooling": lambda: pool.max_pool2d(IMAGE[0], (3, 2), FLAT, True, "relu"),
    "max pooling's gradient": max_pooled_back,
    "average pooling": lambda: pool.average_pool2d(IMAGE[0], (3, 2), FLAT),
    "depthwise convolution": lambda: depthwise.depthwise_conv2d(IMAGE[0], FILTERS, FLAT, ROWS[0, :8], "relu6"),
    "depthwise convolution, gradients": depthwise_back,
    "pooling in space": lambda: pool3d.max_pool3d(IMAGE, (2, 2, 2), DEEP),
    "an optimizer's step": updated,
}
FAST = ("convolution", "softmax", "batch norm", "sum", "an optimizer's step")
REORDERED = (
    "layer norm",
    "batch norm's gradient",
)  # whose sums LLVM may reorder, and does otherwise where it inlines otherwise


def leaves(x):
    return [x] if isinstance(x, np.ndarray) else [leaf for part in x for leaf in leaves(part)]


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in CALLS]
)
def test_the_same_bits_by_plain_numba(name, monkeypatch):
    from kerasish.device import plain

    monkeypatch.setattr("kerasish.device.parallel.engine", lambda: "pool")  # whatever the environment says
    expected = leaves(CALLS[name]())
    ran, compiled = [], plain.compiled
    monkeypatch.setattr(plain, "compiled", lambda *given: ran.append(given) or compiled(*given))
    monkeypatch.setattr("kerasish.device.parallel.engine", lambda: "numba")
    monkeypatch.setattr("kerasish.device.threads.wanted", lambda work: 2)
    for ours, theirs in zip(leaves(CALLS[name]()), expected, strict=True):
        assert ours.dtype == theirs.dtype
        if name in REORDERED:
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * max(1, np.abs(theirs).max()))
        else:
            np.testing.assert_array_equal(ours, theirs)
    assert ran and all(isinstance(kernel, Kernel) for kernel, _ in ran)
    for kernel in {kernel for kernel, parallel in ran if parallel}:
        assert loops.counts(compiled(kernel, True)) == {1 + kernel.two_loops}, kernel.name


@njit(parallel=True)
def raised(tasks, y, x, factor):
    for task in prange(tasks):
        y[task, 0] = x[task, 0] + factor


@pytest.mark.parametrize("engine", ["pool", "numba"])
@pytest.mark.parametrize("rows", [3, 0])
def test_read_only_arrays_and_short_integers_are_what_others_are(rows, engine, monkeypatch):
    """Numba would compile anew for each."""
    from kerasish.device import plain

    monkeypatch.setattr("kerasish.device.parallel.engine", lambda: engine)
    for writable, factor in ((True, 2), (False, 2), (True, np.int32(2)), (True, np.uint64(2))):
        x, y = np.arange(rows * 1.0).reshape(rows, 1), np.zeros((rows, 1))
        x.flags.writeable = writable
        raised(rows, y, x, factor, threads=1)
        np.testing.assert_array_equal(y, x + 2)
    assert engine == "pool" or len(plain.compiled(raised, False).signatures) == 1


def test_an_unknown_engine_is_refused(monkeypatch):
    engine.cache_clear()  # which remembers no refusal
    monkeypatch.setenv("KERASISH_ENGINE", "nobody")
    with pytest.raises(ValueError, match="expected 'pool' or 'numba'"):
        softmax.softmax(ROWS)
