"""Softmax, losses, normalization, pooling, random numbers, optimizers, elementwise kernels, in the emulator."""

import numpy as np
import pytest

pytest.importorskip("cuda.core", reason="CUDA kernels need numba-cuda: pip install '.[cuda-test]'")

from kerasish.core.shapes import Window
from kerasish.device import cuda
from kerasish.kernels import find
from kerasish.kernels.cuda import group_norm
from tests.kernels.cuda.harness import check, close, ours, there, twin
from tests.kernels.harness import array, strided

ROWS = [(3, 10), (2, 3, 33), (5, 1), (1, 100)]


@pytest.mark.parametrize("shape", ROWS)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_and_gradient(card, name, shape):
    x = 4 * strided(*shape)
    y = find("reference", name)(x)
    check(card, name, x)
    check(card, f"{name}_grad", array(*shape, seed=1), y)


@pytest.mark.parametrize("shape", ROWS)
def test_cross_entropies(card, shape):
    logits, g = 3 * array(*shape), array(*shape[:-1], seed=2)
    labels = find("reference", "softmax")(array(*shape, seed=1))
    classes = np.random.default_rng(0).integers(0, shape[-1], shape[:-1])
    classes.flat[0] = shape[-1]  # out of range: NaN
    check(card, "cross_entropy_logits", labels, logits)
    check(card, "cross_entropy_logits_grad", g, labels, logits)
    check(card, "sparse_cross_entropy_logits", classes, logits)
    check(card, "sparse_cross_entropy_logits_grad", g, classes, logits)


def test_a_nan_stays_a_nan(card):
    x = array(3, 9)
    x[1, 4] = np.nan
    check(card, "softmax", x)
    check(card, "batch_norm_train", x, None, None, 1e-3, "relu")
    check(card, "relu_grad", x, array(3, 9))


SHAPES = [(7, 3), (4, 5, 6, 16), (2, 9, 40), (300, 2), (1, 8)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("activation", [None, "relu", "relu6"])
def test_batch_normalization(card, shape, activation):
    C = shape[-1]
    x, gamma, beta, gy = 3 + 2 * array(*shape), array(C, seed=1), array(C, seed=2), array(*shape, seed=3)
    gamma, beta = (None, None) if activation == "relu6" else (gamma, beta)
    _, mean, variance, scale = find("reference", "batch_norm_train")(x, gamma, beta, 1e-3, activation)
    check(card, "batch_norm_train", x, gamma, beta, 1e-3, activation, tolerance=2e-5)
    check(card, "batch_norm_infer", x, mean, variance, gamma, beta, 1e-3, activation, tolerance=2e-5)
    check(card, "batch_norm_grad", gy, x, gamma, beta, mean, scale, activation, tolerance=5e-5)


@pytest.mark.parametrize("activation", [None, "relu6"])
def test_scale_and_shift(card, activation):
    check(card, "scale_shift", 5 * array(3, 4, 6), array(6, seed=1), array(6, seed=2), activation)


def test_batch_statistics_far_from_zero(card):
    """The variance of numbers around 1000 with a deviation of 1."""
    check(
        card,
        "batch_norm_train",
        1000 + array(200, 3).astype("float32").astype("float64"),
        None,
        None,
        1e-3,
        tolerance=3e-4,
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("affine", [True, False])
def test_layer_normalization(card, shape, affine):
    x, gy = array(*shape), array(*shape, seed=3)
    gamma, beta = (array(shape[-1], seed=1), array(shape[-1], seed=2)) if affine else (None, None)
    _, mean, scale = find("reference", "layer_norm")(x, gamma, beta, 1e-3)
    check(card, "layer_norm", x, gamma, beta, 1e-3)
    check(card, "layer_norm_grad", gy, x, gamma, mean, scale)


POOLS = [
    ((2, 6, 7, 5), (2, 2), Window((2, 2))),
    ((1, 7, 6, 8), (3, 3), Window((2, 2), ((1, 1), (0, 1)))),
    ((2, 5, 9, 4), (2, 3), Window((1, 2), ((0, 1), (1, 1)), (2, 1))),
    ((2, 11, 3), (3,), Window((2,), ((1, 0),), (1,))),
]


@pytest.mark.parametrize(("shape", "size", "window"), POOLS)
def test_pooling(card, shape, size, window):
    x = np.round(array(*shape), 1)  # ties: the first maximum wins
    check(card, "max_pool2d", x, size, window, True, "relu")
    y, where = check(card, "max_pool2d", x, size, window)
    gy = array(*y.shape, seed=1)
    check(card, "max_pool2d_grad", gy, where, shape, size, window)
    check(card, "average_pool2d", x, size, window)
    check(card, "average_pool2d_grad", gy, shape, size, window)
    assert twin.max_pool2d(there(card, x), size, window, False)[1] is None


@pytest.mark.parametrize("n", [1, 4, 1029])
def test_random_numbers_are_the_reference_s(card, n):
    seed, reference = (3, 2**40 + 7), find("reference", "uniform")
    got = ours("uniform")((n,), seed, -2.0, 3.0, xp=card).get()
    np.testing.assert_array_equal(got, reference((n,), seed, -2.0, 3.0))
    mask = ours("dropout_mask")((n,), seed, 0.3, xp=card).get()
    np.testing.assert_array_equal(mask, find("reference", "dropout_mask")((n,), seed, 0.3))


def test_dropout(card):
    x, seed = array(5, 7, 3).astype("float32"), (1, 2)
    for shape in (x.shape, (5, 1, 3)):
        y, mask = ours("dropout")(there(card, x), shape, seed, 0.4)
        want, kept = find("reference", "dropout")(x, shape, seed, 0.4)
        np.testing.assert_array_equal(mask.get(), kept)
        np.testing.assert_allclose(y.get(), want, rtol=1e-6)
    check(card, "masked_scale", x, np.broadcast_to(kept, x.shape).copy(), 1.5)


UPDATES = [
    ("sgd", 0, (0.1,)),
    ("sgd_momentum", 1, (0.1, 0.9)),
    ("sgd_momentum", 1, (0.1, 0.9, True)),
    ("adam", 2, (0.01, 0.9, 0.99, 1e-7, 3)),
    ("rmsprop", 1, (0.01, 0.9, 1e-7)),
    ("adagrad", 1, (0.01, 1e-7)),
]


@pytest.mark.parametrize(("name", "slots", "options"), UPDATES)
def test_optimizers(card, name, slots, options):
    """Three parameters of one, of many and of few chunks, in place."""
    make = lambda seed: [abs(array(n, seed=seed)) + 0.1 for n in (5, 2500, 1024)]
    lists = [make(seed) for seed in range(2 + slots)]
    on_card = [there(card, arrays) for arrays in lists]
    find("reference", name)(*lists, *options, decay=0.99)
    ours(name)(*on_card, *options, decay=0.99)
    for got, want in zip(sum(on_card, []), sum(lists, [])):
        close(got, want, 1e-6, name)


def test_sum_of_squares(card):
    arrays = [array(n) for n in (3, 5000, 1024)]
    got = ours("sum_of_squares")(there(card, arrays))
    assert got == pytest.approx(find("reference", "sum_of_squares")(arrays), rel=1e-5)


@pytest.mark.parametrize("name", ["add_relu", "relu_grad", "relu6_grad", "sigmoid_grad", "tanh_grad"])
def test_elementwise(card, name):
    check(card, name, array(5, 60), 4 * array(5, 60, seed=1))


def test_bias_gradient(card):
    check(card, "bias_grad", array(3, 50, 7))


@pytest.mark.parametrize("flip", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("end", [(None, None), (True, None), (None, "relu"), (True, "relu6")])
@pytest.mark.parametrize("N", [8, 5])
def test_matrix_products(card, flip, end, N):
    a, b = array(2, 7, 6), 3 * array(2, 6, N, seed=1)
    a, b = a.swapaxes(1, 2) if flip[0] else a, b.swapaxes(1, 2) if flip[1] else b
    check(card, "matmul", a, b, *flip, bias=array(N, seed=2) if end[0] else None, activation=end[1])


def test_matrix_products_multiply_as_convolutions_do(card):
    default, bfloat16, tf32 = (getattr(real_core(), f"COMPUTE_TYPE_{name}") for name in ("DEFAULT", "BF16", "TF32"))
    wanted = {"float32": default, "3xtf32": default, "tf32": tf32, "bfloat16": bfloat16}
    for precision, kind in wanted.items():
        cuda.set_precision(precision)
        card._core.history.clear()
        check(card, "matmul", array(3, 4), array(4, 5), bias=array(5))
        check(card, "einsum", "ij,jk->ik", array(3, 4), array(4, 5))
        assert card._core.history == [kind, default] * 2


def real_core():
    """CuPy's own numbers for the ways of multiplying."""
    name = "cupy._core._routines_linalg"
    return pytest.importorskip(name, reason="CuPy's own numbers: pip install '.[cuda-test]'")


def test_halves_are_computed_in_float32(card):
    x = array(4, 9).astype("float16")
    got = twin.softmax(card.asarray(x)).get()
    assert got.dtype == "float16"
    np.testing.assert_array_equal(got, find("reference", "softmax")(x))


def test_what_has_no_kernel_runs_by_the_reference_on_the_card(card):
    x = card.asarray(array(2, 3, 4, 5, 2))
    for name in ("gelu", "relu", "sum", "square"):
        close(getattr(twin, name)(x), getattr(find("reference", name), "__call__")(x.get()))


def test_views_that_begin_in_the_middle(card):
    """A contiguous view whose address is no multiple of 16 bytes is copied before four floats are read at once."""
    x, w = array(3, 3, 3, 4), array(3, 3, 4)
    flat = card.asarray(np.concatenate([[0.0], x.ravel()]).astype("float32"))
    view = flat[1:].reshape(3, 3, 3, 4)
    window = Window((1, 1))
    close(ours("max_pool2d")(view, (2, 2), window)[0], find("reference", "max_pool2d")(x, (2, 2), window)[0])
    w = w[..., None, :].reshape(3, 3, 4, 1)
    want = find("reference", "depthwise_conv2d")(x, w, window)
    close(ours("depthwise_conv2d")(view, there(card, w), window), want)
    w = array(3, 3, 4, 5)
    close(ours("conv2d")(view, there(card, w), window), find("reference", "conv2d")(x, w, window))


GROUPS = [
    ((2, 3, 4, 6), 2),
    ((5, 12), 3),
    ((3, 5), 5),
    ((2, 40, 7, 16), 2),  # more elements than a warp takes, of groups as wide as a sector
    ((1, 30, 31, 8), 1),
    ((2, 50, 48, 3), 3),  # one channel each
    ((1, 9, 8, 40, 4), 2),
    ((1, 2500, 40), 4),
    ((1, 260, 72), 9),
    ((1, 700, 10), 2),
]


def force(monkeypatch, teams):
    """Has groups normalized by teams wherever there is a kernel that can, or by columns."""
    can = lambda size, channels: size <= group_norm.SMALL or channels % 4 == 0
    monkeypatch.setattr(group_norm, "in_teams", lambda size, channels, count: teams and can(size, channels))


@pytest.mark.parametrize(("shape", "groups"), GROUPS)
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("teams", [True, False, None])
def test_group_normalization(card, monkeypatch, shape, groups, affine, teams):
    """By teams, by columns, and as it would be chosen."""
    if teams is not None:
        force(monkeypatch, teams)
    x, gy = 3 + 2 * array(*shape), array(*shape, seed=3)
    gamma, beta = (array(shape[-1], seed=1), array(shape[-1], seed=2)) if affine else (None, None)
    _, mean, scale = find("reference", "group_norm")(x, gamma, beta, groups, 1e-3)
    check(card, "group_norm", x, gamma, beta, groups, 1e-3)
    if teams is None and np.prod(shape) > groups * len(x):
        check(card, "group_norm_grad", gy, x, gamma, mean, scale)


def test_which_groups_are_normalized_by_teams(monkeypatch):
    monkeypatch.setattr(group_norm, "multiprocessors", lambda: 64)
    assert group_norm.in_teams(8, 1, 1) and group_norm.in_teams(10_000, 8, 64)
    assert not any(group_norm.in_teams(10_000, *case) for case in ((8, 63), (4, 64), (10, 64)))


def test_groups_far_from_zero(card, monkeypatch):
    """A deviation of 1 around 1000, to what float32's statement of x allows."""
    x = (1000 + array(1, 900, 4)).astype("float32").astype("float64")
    for teams in (True, False):
        force(monkeypatch, teams)
        check(card, "group_norm", x, None, None, 2, 1e-3, tolerance=3e-4)


@pytest.mark.parametrize("teams", [True, False])
def test_a_nan_stays_in_its_group(card, monkeypatch, teams):
    force(monkeypatch, teams)
    x = array(2, 20, 6)
    x[1, 7, 2] = np.nan
    check(card, "group_norm", x, None, None, 3, 1e-3)


def test_group_normalization_of_halves(card):
    x, gy, gamma = (array(2, 9, 8, seed=s) for s in range(3))
    x, gy, gamma = x.astype("float16"), gy.astype("float16"), gamma[0, 0].astype("float32")
    y, mean, scale = twin.group_norm(*(card.asarray(a) for a in (x, gamma, gamma)), 2, 1e-3)
    want = find("reference", "group_norm")(x, gamma, gamma, 2, 1e-3)
    assert [a.dtype for a in (y, mean, scale)] == ["float16", "float32", "float32"]
    np.testing.assert_allclose(y.get(), want[0], rtol=2e-3, atol=1e-3)
    gx, ggamma, gbeta = twin.group_norm_grad(card.asarray(gy), card.asarray(x), card.asarray(gamma), mean, scale)
    want = find("reference", "group_norm_grad")(gy, x, gamma, *want[1:])
    assert [a.dtype for a in (gx, ggamma, gbeta)] == ["float16", "float32", "float32"]
    np.testing.assert_allclose(gx.get(), want[0], rtol=2e-3, atol=1e-3)
    np.testing.assert_allclose(ggamma.get(), want[1], rtol=1e-4, atol=1e-4)
