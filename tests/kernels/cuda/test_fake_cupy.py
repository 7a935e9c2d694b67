"""The stand-in for CuPy refuses what CuPy refuses. These tests ask the installed CuPy; it needs no card for that."""

import numpy as np
import pytest

from tests.kernels.cuda import fake_cupy, real_cupy


@pytest.fixture
def cupy():
    if real_cupy.package() is None:
        pytest.skip("CuPy is not installed, so the stand-in allows all that NumPy does: pip install '.[cuda-test]'")
    with fake_cupy.installed() as module:
        yield module


LACKING = [
    lambda cupy, a: cupy.errstate(all="ignore"),
    lambda cupy, a: cupy.frompyfunc(abs, 1, 1),
    lambda cupy, a: cupy.linalg.eig_banded(a),
    lambda cupy, a: a.setflags(write=False),
    lambda cupy, a: a.flags.writeable,
    lambda cupy, a: a.sum().__index__(),
    lambda cupy, a: np.insert(a, 0, 1),
]
REFUSED = {
    "an array of the host": lambda cupy, a: a + np.ones(3),
    "a list": lambda cupy, a: a + [1, 2, 3],
    "a list of arrays": lambda cupy, a: cupy.sum([a, a]),
    "becoming NumPy's": lambda cupy, a: np.asarray(a),
    "an option that CuPy's function lacks": lambda cupy, a: cupy.take(a, a.astype(int), mode="clip"),
    "an option that CuPy's method lacks": lambda cupy, a: a.sum(initial=0),
    "a method of a ufunc by NumPy's name": lambda cupy, a: np.add.at(a, a.astype(int), a),
    "numbers that its atomics lack": lambda cupy, a: cupy.add.at(a.astype("int64"), a.astype(int), a.astype("int64")),
    "a dtype without a loop": lambda cupy, a: cupy.right_shift(a, 1),
    "a host array as a value": lambda cupy, a: a.__setitem__(0, np.ones(1)),
    "einsum's order": lambda cupy, a: cupy.einsum("i->", a, order="C"),
    "operands of bool": lambda cupy, a: cupy.negative(a > 0),
}


@pytest.mark.parametrize("row", range(len(LACKING)))
def test_what_cupy_lacks(cupy, row):
    with pytest.raises((AttributeError, TypeError)):
        LACKING[row](cupy, cupy.arange(3, dtype="float32"))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cupy_refuses(cupy, name):
    with pytest.raises(TypeError):
        REFUSED[name](cupy, cupy.arange(3, dtype="float32"))


def test_text_and_objects_have_no_place_on_a_card(cupy):
    for array in (["a"], [object()]):
        with pytest.raises(ValueError, match="Unsupported dtype"):
            cupy.asarray(array)


def test_two_values_for_one_element_are_refused(cupy):
    a, twice = cupy.zeros(3), cupy.asarray([1, 1])
    a[twice] = 5.0
    with pytest.raises(IndexError, match="duplicates"):
        a[twice] = cupy.asarray([1.0, 2.0])


@pytest.mark.parametrize("dtypes", [("float32", "int32"), ("bool", "int8"), ("float16", "float32"), ("uint8", "int8")])
def test_dtypes_are_those_of_cupys_loops(cupy, dtypes):
    a, b = (cupy.ones(2, dtype) for dtype in dtypes)
    assert (a * b).dtype == np.result_type(*dtypes)
    assert (a * 2.0).dtype == (np.ones(1, dtypes[0]) * 2.0).dtype
    assert (a * np.float64(2)).dtype == np.float64


def test_a_list_of_card_arrays_becomes_one(cupy):
    made = cupy.array([cupy.asarray(1.0), cupy.asarray(2.0)])
    assert made.get().tolist() == [1.0, 2.0]
