"""`@njit(parallel=True)` with `prange`: what becomes of the loop, and of the arguments."""

import ast
import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import kerasish
from kerasish.device import llvm_ir, natives, plain
from kerasish.device.jit import get_thread_id, njit, prange
from kerasish.device.lazy import types
from kerasish.device.natives import intrinsic
from kerasish.device.outline import outlined
from kerasish.device.pointer import in_llvm, view
from kerasish.device.records import as_record, record

OFFSET = 3


@njit(parallel=True)
def odd_rows(tasks, y, x, factor, shift):
    """A task is a row; even ones stay."""
    C = x.shape[1]
    for task in prange(tasks):
        if task % 2 == 0:
            continue
        for i in range(C):
            if i == 1:
                continue
            y[task, i] = x[task, i] * factor + shift + OFFSET


def test_arrays_integers_and_floats_are_arguments():
    x, y = np.arange(12.0).reshape(4, 3), np.zeros((4, 3))
    odd_rows(4, y, x, 2.5, 1, threads=2)
    expected = np.zeros((4, 3))
    expected[1::2, [0, 2]] = x[1::2, [0, 2]] * 2.5 + 1 + OFFSET
    np.testing.assert_array_equal(y, expected)
    odd_rows.function(4, z := np.zeros((4, 3)), x, 2.5, 1)  # as plain Python
    np.testing.assert_array_equal(z, expected)


def test_other_dtypes_are_compiled_when_they_come():
    x, y = np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((2, 3), np.float32)
    odd_rows(2, y, x, 1.0, 0)
    np.testing.assert_array_equal(y[1], [6, 0, 8])


def test_an_array_with_gaps_is_refused():
    with pytest.raises(ValueError, match=r"C-contiguous arrays; received shape \(3, 4\)"):
        odd_rows(3, np.zeros((3, 4)), np.zeros((4, 3)).T, 1.0, 0)


def test_a_loop_that_is_none_over_tasks_is_refused():
    def another(tasks, x):
        for i in prange(x.size):
            x[i] = 0

    def more(tasks, x):
        for task in prange(tasks):
            x[task] = 0
        x[0] = 1

    def lone(tasks, tasks_after, x):
        for task in prange(tasks):
            x[task] = 0

    one = r"for task in prange\(tasks\)"
    for wrong, found in ((another, r"for i in prange\(x.size\)"), (more, r"x\[0\] = 1"), (lone, one)):
        with pytest.raises(TypeError, match=found):
            outlined(wrong)


def test_the_body_closes_over_what_the_kernel_does():
    def made(number):
        def kernel(tasks, x):
            for task in prange(tasks):
                x[task] = number

        return kernel

    x = np.zeros(2)
    (body,) = outlined(made(7))
    body(1, 0, 2, x)
    assert x.tolist() == [0, 7]
    assert body.__code__.co_filename == __file__  # for debuggers


@njit(parallel=True)
def shifted(tasks, x, start):
    for task in prange(tasks):
        u = view(view(x, 1), start)
        u[task] = task


def test_views_begin_anywhere_and_may_be_views_of_views():
    x = np.full((2, 3), -1.0)
    shifted(2, x, 1)
    assert x.tolist() == [[-1, -1, 0], [1, -1, -1]]


@in_llvm(
    lambda at, given, elements: at.store(
        at.sitofp(given.n, elements["x"]), at.inttoptr(given.x, elements["x"].as_pointer())
    )
)
def written(x, n):
    """The first element becomes n."""
    x[0] = n


@njit(parallel=True)
def by_llvm(tasks, x):
    for task in prange(tasks):
        written(view(x, task), task + 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("engine", ["pool", "numba"])
def test_vector_code_in_place_of_what_numpy_says(dtype, engine, monkeypatch):
    monkeypatch.setattr("kerasish.device.parallel.engine", lambda: engine)
    x, y = np.zeros(3, dtype), np.zeros(3, dtype)
    by_llvm(3, x)
    by_llvm.function(3, y)
    assert x.tolist() == y.tolist() == [1, 2, 3]


def added(to, *parts):
    to[0] = sum(parts)


@intrinsic(added)
def total(typingctx, to, *parts):
    def codegen(context, builder, signature, args):
        given = zip(llvm_ir.unpack_tuple(builder, args[1]), signature.args[1])
        values = [context.cast(builder, value, kind, to.dtype) for value, kind in given]
        builder.store(functools.reduce(builder.fadd, values), args[0])
        return context.get_dummy_value()

    return types.void(to, types.Tuple(parts)), codegen


@njit(parallel=True)
def totals(tasks, x, half):
    for task in prange(tasks):
        if task == 0:
            total(view(x, task), half)
        else:
            total(view(x, task), task, half, task)


@pytest.mark.parametrize("engine", ["pool", "numba"])
def test_an_intrinsic_of_any_number_of_arguments(engine, monkeypatch):
    monkeypatch.setattr("kerasish.device.parallel.engine", lambda: engine)
    x, y = np.zeros(3), np.zeros(3)
    totals(3, x, 0.5)
    totals.function(3, y, 0.5)
    assert x.tolist() == y.tolist() == [0.5, 2.5, 4.5]


@pytest.mark.skipif(natives.compilation_off(), reason="needs compiled kernels")
def test_an_intrinsic_of_other_parameters_is_refused_by_plain_numba():
    def by_default(typingctx, x, n=1, *, rest=2, **others): ...

    with pytest.raises(TypeError, match=r"by_default: .*received n=1, rest=2, \*\*others"):
        plain.type_of_intrinsic(natives.Intrinsic(by_default, None))


@record
class Sizes(NamedTuple):
    rows: int
    step: int


@njit(parallel=True)
def by_record(tasks, sizes, x, threads_seen):
    for task in prange(tasks):
        s = sizes[0]
        threads_seen[get_thread_id()] += 1
        for i in range(s.rows):
            x[task, i * s.step] = task


def test_records_are_arguments_and_threads_have_numbers():
    x, seen = np.full((50, 6), -1), np.zeros(2, np.int64)
    by_record(50, as_record(Sizes(3, 2)), x, seen, threads=2)
    expected = np.full((50, 6), -1)
    expected[:, ::2] = np.arange(50)[:, None]
    np.testing.assert_array_equal(x, expected)
    assert seen.sum() == 50
    y = np.full((50, 6), -1)
    by_record.function(50, as_record(Sizes(3, 2)), y, seen)
    np.testing.assert_array_equal(y, expected)


@njit(parallel=True)
def normalized(tasks, tasks_after, x, sums, shares):
    """Every row's sum, then the share of each in all of them."""
    C = x.shape[1]
    for task in prange(tasks):
        for i in range(C):
            sums[task] += x[task, i]
    total = 0.0
    for i in range(sums.size):
        total += sums[i]
    shares[0, 0] = total
    for task in prange(tasks_after):
        if task == 0:
            continue
        for i in range(C):
            shares[task, i] = sums[task - 1] / shares[0, 0]


@pytest.mark.parametrize("engine", ["pool", "numba"])
@pytest.mark.parametrize("rows, threads", [(1, 2), (70, 2), (70, 1), (0, 2)])
def test_a_second_loop_begins_when_the_first_is_done(rows, threads, engine, monkeypatch):
    monkeypatch.setattr("kerasish.device.parallel.engine", lambda: engine)
    x = np.arange(rows * 3.0).reshape(rows, 3)
    expected = np.zeros((rows + 1, 3))
    normalized.function(rows, rows + 1, x, np.zeros(rows), expected)  # as plain Python
    for _ in range(20):
        shares = np.zeros((rows + 1, 3))
        normalized(rows, rows + 1, x, np.zeros(rows), shares, threads=threads)
        np.testing.assert_array_equal(shares, expected)
    assert rows < 2 or shares[1:].sum() == pytest.approx(3)


def test_names_that_lead_from_loop_to_loop_are_refused():
    def crossing(tasks, tasks_after, x):
        for task in prange(tasks):
            x[task] = 0
        total = x.sum()
        for task in prange(tasks_after):
            x[task] = total

    def nothing_before(tasks, tasks_after, x):
        for task in prange(tasks_after):
            x[task] = 0

    with pytest.raises(TypeError, match="total would lead"):
        outlined(crossing)
    with pytest.raises(TypeError, match="must be `for task in prange"):
        outlined(nothing_before)


MAKERS = {"Family", "Intrinsic", "Kernel", "Native", "Serial"}
WORDS = {("natives.py", "Native"), ("natives.py", "Serial"), ("natives.py", "Intrinsic"), ("jit.py", "Kernel")}


def test_nothing_is_compiled_but_by_numbas_words():
    """`njit` and `intrinsic` alone make what is compiled for the CPU; no module has a way of its own."""
    found, bases = set(), set()
    for path in (Path(kerasish.__file__).parent / "device", Path(kerasish.__file__).parent / "kernels"):
        for file in (file for file in path.rglob("*.py") if "cuda" not in str(file.relative_to(path.parent))):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", None))
                found |= {(file.name, name)} if isinstance(node, ast.Call) and name in MAKERS else set()
                if isinstance(node, ast.ClassDef):
                    bases |= {(node.name, base.id) for base in node.bases if getattr(base, "id", None) in MAKERS}
    assert found == WORDS and bases == {("Kernel", "Family")}


@pytest.mark.parametrize("signature", ["int64(int64)", "void(float32)", "int64", ""])
def test_a_signature_is_one_of_integers(signature):
    with pytest.raises(TypeError, match="expected a signature 'void\\(int64, ...\\)'"):
        njit(signature)(lambda x: None)
